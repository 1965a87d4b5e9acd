/** Choice: rules of either query language. */
import { CONDITION_RULE_FIELDS } from "../../fields";
import { isFields, type Fields } from "../definition";
import type { Node } from "../graph";
import { checkAssign } from "./assign";
import { checkPath } from "./paths";
import { isReplaced } from "../placeholders";
import { joinPath, show, type Place } from "./report";
import type { Targets } from "./targets";
import { isTimestamp } from "./values";

type Operand = "string" | "number" | "boolean" | "timestamp" | "path";

const OPERATORS: ReadonlyMap<string, Operand> = operators();

function operators(): Map<string, Operand> {
    const found = new Map<string, Operand>();
    const kinds: readonly (readonly [string, Operand])[] = [
        ["String", "string"],
        ["Numeric", "number"],
        ["Timestamp", "timestamp"],
    ];
    for (const [kind, operand] of kinds) {
        for (const comparison of ["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"]) {
            found.set(`${kind}${comparison}`, operand);
            found.set(`${kind}${comparison}Path`, "path");
        }
    }
    found.set("BooleanEquals", "boolean");
    found.set("BooleanEqualsPath", "path");
    found.set("StringMatches", "string");
    for (const test of ["IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp"]) {
        found.set(test, "boolean");
    }
    return found;
}

const COMBINATIONS = ["And", "Or", "Not"];

export function checkChoice(state: Place, node: Node, targets: Targets): void {
    const { Choices: choices, Default: fallback } = node.fields;
    if (fallback !== undefined) {
        targets.next(state, node.scope, fallback, "Default");
    }
    if (choices === undefined) {
        state.missing("Choices");
    } else if (!isReplaced(choices) && (!Array.isArray(choices) || choices.length === 0)) {
        state.wrong("Choices", "an array of at least one rule");
    }
    const rules: readonly unknown[] = Array.isArray(choices) ? choices : [];
    rules.forEach((rule, index) => {
        const path = `Choices/${index}`;
        if (!isFields(rule)) {
            state.add("choice-rule", path, `The rule is ${show(rule)}, expected an object with Next.`);
            return;
        }
        const isJsonata = node.language === "JSONata";
        const place = state.inside(path, isJsonata ? "A JSONata choice rule" : "A choice rule", rule);
        if (rule.Next === undefined) {
            state.inside(path, "A choice rule", rule).missing("Next");
        } else {
            targets.next(state, node.scope, rule.Next, `${path}/Next`);
        }
        if (rule.Assign !== undefined) {
            checkAssign(place, rule.Assign, "Assign", node.language);
        }
        if (isJsonata) {
            checkCondition(place);
        } else {
            checkComparison(place, rule);
        }
    });
}

function checkCondition(rule: Place): void {
    rule.check(CONDITION_RULE_FIELDS, "JSONata");
    const condition = rule.fields.Condition;
    const isExpression = typeof condition === "string" && condition.startsWith("{%");
    if (condition === undefined) {
        rule.missing("Condition");
    } else if (typeof condition !== "boolean" && !isExpression && !isReplaced(condition)) {
        rule.wrong("Condition", "an expression {% ... %} or true or false", "choice-rule");
    }
}

interface Part {
    readonly rule: Fields;
    /** Below the outermost rule. */
    readonly path: string;
}

/** A rule of a JSONPath Choice, with those that it combines. */
function checkComparison(top: Place, rule: Fields): void {
    const work: Part[] = [{ rule, path: "" }];
    for (let part = work.pop(); part !== undefined; part = work.pop()) {
        const isNested = part.path !== "";
        if (isNested && part.rule.Next !== undefined) {
            const path = joinPath(part.path, "Next");
            top.add("choice-rule", path, "Only the outermost rule may have Next.");
        }
        const own = part.rule;
        const combination = COMBINATIONS.find((key) => own[key] !== undefined);
        if (combination === undefined) {
            comparison(top, part, isNested);
        } else {
            work.push(...combined(top, part, combination, isNested));
        }
    }
}

const keysOf = ({ rule }: Part, isNested: boolean): string[] =>
    Object.keys(rule).filter((key) => key !== "Comment" && (isNested || (key !== "Next" && key !== "Assign")));

/** And, Or and Not: the rules inside. */
function combined(top: Place, part: Part, combination: string, isNested: boolean): Part[] {
    const { rule, path } = part;
    const keys = keysOf(part, isNested);
    if (keys.some((key) => key !== combination && key !== "Next")) {
        top.add("choice-rule", path, `A rule is either And, Or, Not or one comparison, got ${keys.join(", ")}.`);
    }
    const inner = rule[combination];
    const below = joinPath(path, combination);
    if (combination === "Not") {
        if (isFields(inner)) {
            return [{ rule: inner, path: below }];
        }
        top.add("choice-rule", below, `Not is ${show(inner)}, expected a rule.`);
        return [];
    }
    if (!Array.isArray(inner) || inner.length === 0) {
        top.add("choice-rule", below, `${combination} is ${show(inner)}, expected an array of at least one rule.`);
        return [];
    }
    return inner.flatMap((one: unknown, index) => {
        const where = `${below}/${index}`;
        if (!isFields(one)) {
            top.add("choice-rule", where, `The rule is ${show(one)}, expected an object.`);
            return [];
        }
        return [{ rule: one, path: where }];
    });
}

function comparison(top: Place, part: Part, isNested: boolean): void {
    const { rule, path } = part;
    const place = path === "" ? top : top.inside(path, top.what, rule);
    if (rule.Condition !== undefined) {
        place.add(
            "query-language",
            "Condition",
            "Condition belongs to JSONata, but this state's query language is JSONPath.",
        );
        return;
    }
    const keys = keysOf(part, isNested);
    const comparisons = keys.filter((key) => OPERATORS.has(key));
    for (const key of keys) {
        if (key !== "Variable" && key !== "Next" && !OPERATORS.has(key)) {
            place.unknown(key, ["Variable", ...OPERATORS.keys()]);
        }
    }
    if (comparisons.length !== 1) {
        const got = comparisons.length === 0 ? "none" : comparisons.join(" and ");
        place.add("choice-rule", "", `A rule needs exactly one comparison, got ${got}.`);
    }
    if (rule.Variable === undefined) {
        top.inside(path, "A comparison", rule).missing("Variable");
    } else {
        checkPath(place, rule.Variable, "Variable");
    }
    for (const key of comparisons) {
        checkOperand(place, key, OPERATORS.get(key) ?? "path");
    }
}

function checkOperand(place: Place, key: string, operand: Operand): void {
    const value = place.fields[key];
    if (operand === "path") {
        checkPath(place, value, key);
        return;
    }
    const fits = operand === "timestamp" ? isTimestamp(value) : typeof value === operand;
    if (!fits && !isReplaced(value)) {
        place.wrong(key, `a ${operand}`, "choice-rule");
    }
}
