/** The comparisons of a JSONPath Choice. Source: Amazon States Language specification, "Choice State". */
import type { JsonObject, JsonValue } from "../types";
import { compilePath, compilePathOrIntrinsic, ExpressionError, type Scope } from "../expressions/index";
import { parseTimestamp } from "./timestamp";

/** @throws ExpressionError when a path leads nowhere; a value of the wrong type is no match. */
export type Comparison = (scope: Scope) => boolean;

type Test = (value: JsonValue, other: JsonValue) => boolean;

const ordered: { readonly [suffix: string]: (left: number | string, right: number | string) => boolean } = {
    Equals: (left, right) => left === right,
    LessThan: (left, right) => left < right,
    GreaterThan: (left, right) => left > right,
    LessThanEquals: (left, right) => left <= right,
    GreaterThanEquals: (left, right) => left >= right,
};

const TESTS = new Map<string, Test>();
for (const [suffix, compare] of Object.entries(ordered)) {
    TESTS.set(
        `Numeric${suffix}`,
        (value, other) => typeof value === "number" && typeof other === "number" && compare(value, other),
    );
    TESTS.set(
        `String${suffix}`,
        (value, other) => typeof value === "string" && typeof other === "string" && compare(value, other),
    );
    TESTS.set(`Timestamp${suffix}`, (value, other) => {
        const [left, right] = [parseTimestamp(value), parseTimestamp(other)];
        return left !== undefined && right !== undefined && compare(left, right);
    });
}
TESTS.set("BooleanEquals", (value, other) => typeof value === "boolean" && value === other);
TESTS.set(
    "StringMatches",
    (value, pattern) => typeof value === "string" && typeof pattern === "string" && matchesWildcard(value, pattern),
);
TESTS.set("IsNull", (value, wanted) => (value === null) === wanted);
TESTS.set("IsNumeric", (value, wanted) => (typeof value === "number") === wanted);
TESTS.set("IsString", (value, wanted) => (typeof value === "string") === wanted);
TESTS.set("IsBoolean", (value, wanted) => (typeof value === "boolean") === wanted);
TESTS.set("IsTimestamp", (value, wanted) => (parseTimestamp(value) !== undefined) === wanted);

/**
 * Whether a text matches a pattern in which `*` stands for any run of characters and a backslash makes the next
 * character literal. Without regular expressions, whose time many stars would let explode.
 */
function matchesWildcard(text: string, pattern: string): boolean {
    const [first = "", ...rest] = literalsOf(pattern);
    const last = rest.pop();
    if (last === undefined) {
        return text === first;
    }
    if (!text.startsWith(first)) {
        return false;
    }
    let position = first.length;
    for (const literal of rest) {
        const found = text.indexOf(literal, position);
        if (found < 0) {
            return false;
        }
        position = found + literal.length;
    }
    return text.length - last.length >= position && text.endsWith(last);
}

/** The texts between a pattern's stars. */
function literalsOf(pattern: string): string[] {
    const literals = [""];
    for (const [, escaped, character] of pattern.matchAll(/\\([^])|([^])/gu)) {
        if (character === "*") {
            literals.push("");
        } else {
            literals[literals.length - 1] += escaped ?? character ?? "";
        }
    }
    return literals;
}

/** @throws ExpressionError when the rule has no operator that the language knows. */
export function compileComparison(rule: JsonObject): Comparison {
    if (rule.And !== undefined) {
        const parts = (rule.And as JsonObject[]).map(compileComparison);
        return (scope) => parts.every((part) => part(scope));
    }
    if (rule.Or !== undefined) {
        const parts = (rule.Or as JsonObject[]).map(compileComparison);
        return (scope) => parts.some((part) => part(scope));
    }
    if (rule.Not !== undefined) {
        const part = compileComparison(rule.Not as JsonObject);
        return (scope) => !part(scope);
    }
    if (typeof rule.Variable !== "string") {
        throw new ExpressionError(
            "Template",
            "Choices",
            `a choice rule needs And, Or, Not or Variable, got ${JSON.stringify(rule)}`,
        );
    }
    const variable = rule.Variable;
    const path = compilePath(variable, "Variable");
    const read = (scope: Scope): JsonValue => {
        const value = path.find(scope);
        if (value === undefined) {
            throw new ExpressionError(
                "JSONPath",
                "Variable",
                `Invalid path '${variable}': The choice state's condition path references an invalid value.`,
            );
        }
        return value;
    };
    if (rule.IsPresent !== undefined) {
        const wanted = rule.IsPresent;
        return (scope) => (path.find(scope) !== undefined) === wanted;
    }
    for (const key of Object.keys(rule)) {
        const direct = TESTS.get(key);
        if (direct !== undefined) {
            const other = rule[key];
            return (scope) => direct(read(scope), other);
        }
        const compared = key.endsWith("Path") ? TESTS.get(key.slice(0, -4)) : undefined;
        if (compared !== undefined) {
            const other = compilePathOrIntrinsic(String(rule[key]), key);
            return (scope) => compared(read(scope), other(scope));
        }
    }
    throw new ExpressionError(
        "Template",
        "Choices",
        `the choice rule on '${variable}' has no comparison: ${JSON.stringify(rule)}`,
    );
}
