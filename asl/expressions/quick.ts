/**
 * The simplest JSONata, evaluated without the package's asynchronous machinery: literals, variables, paths of plain
 * names, `&`, comparisons, arithmetic, `and`, `or`, `? :`, `$exists` and object constructors, as long as the values met
 * are simple too. Whatever lies outside is left to the package, decided for the expression when it is compiled and for
 * the values when it runs. A property test compares the two.
 */
import type { JsonObject, JsonValue } from "../types";
import { setKey } from "./json";
import type { Scope } from "./scope";

/** "Not here: ask the package." */
export const LEAVE: unique symbol = Symbol("leave");

export type Quick = (scope: Scope) => JsonValue | undefined | typeof LEAVE;

interface Node {
    readonly type: string;
    readonly value?: unknown;
    readonly steps?: readonly Node[];
    readonly lhs?: unknown;
    readonly rhs?: unknown;
    readonly condition?: Node;
    readonly then?: Node;
    readonly else?: Node;
    readonly arguments?: readonly Node[];
    readonly procedure?: Node;
    readonly expressions?: readonly Node[];
}

// A node with any other field (a predicate, a sort, a bound variable, a group) means more than is evaluated here.
const FIELDS: ReadonlySet<string> = new Set([
    "type",
    "value",
    "position",
    "steps",
    "lhs",
    "rhs",
    "condition",
    "then",
    "else",
    "arguments",
    "procedure",
    "expressions",
]);

/** Deeper than this, the package decides, which counts the nesting as AWS does. */
const DEEPEST = 90;

/** @returns undefined when the expression is not simple enough. */
export function compileQuick(ast: unknown): Quick | undefined {
    return isWithin(ast, DEEPEST) ? compileNode(ast) : undefined;
}

function isWithin(node: unknown, depth: number): boolean {
    if (typeof node !== "object" || node === null) {
        return true;
    }
    const below = Array.isArray(node) ? depth : depth - 1;
    return below >= 0 && Object.values(node).every((child) => isWithin(child, below));
}

function compileNode(ast: unknown): Quick | undefined {
    const node = ast as Node;
    if (Object.keys(node).some((field) => !FIELDS.has(field))) {
        return undefined;
    }
    switch (node.type) {
        case "string":
        case "number":
        case "value": {
            const literal = node.value as JsonValue;
            return () => literal;
        }
        case "variable":
            return variable(node.value as string);
        case "path":
            return path(node.steps ?? []);
        case "binary":
            return binary(node.value as string, node.lhs, node.rhs);
        case "condition":
            return condition(node);
        case "function":
            return exists(node);
        case "block":
            return node.expressions?.length === 1 ? compileNode(node.expressions[0]) : undefined;
        case "unary":
            return node.value === "{" ? construct(node.lhs as [Node, Node][]) : undefined;
        default:
            return undefined;
    }
}

function variable(name: string): Quick | undefined {
    // `$` and `$$` are the context, and a name that is no variable may be a function.
    return name === "" || name === "$" || name === "states"
        ? undefined
        : (scope) => (Object.hasOwn(scope.variables, name) ? scope.variables[name] : LEAVE);
}

function path(steps: readonly Node[]): Quick | undefined {
    const [first, ...rest] = steps;
    if (
        first?.type !== "variable" ||
        rest.some((step) => step.type !== "name") ||
        steps.some((step) => Object.keys(step).some((key) => !FIELDS.has(key)))
    ) {
        return undefined;
    }
    const names = rest.map((step) => step.value as string);
    let root: Quick | undefined;
    if (first.value === "states") {
        switch (names.shift()) {
            case "input":
                root = (scope) => scope.input;
                break;
            case "result":
                root = (scope) => scope.result;
                break;
            case "errorOutput":
                root = (scope) => scope.errorOutput;
                break;
            case "context":
                root = (scope) => scope.context();
                break;
            default:
                return undefined;
        }
    } else {
        root = variable(first.value as string);
    }
    if (root === undefined) {
        return undefined;
    }
    const start = root;
    return (scope) => {
        let current = start(scope);
        for (const name of names) {
            if (current === LEAVE || Array.isArray(current)) {
                return LEAVE;
            }
            if (typeof current !== "object" || current === null || !Object.hasOwn(current, name)) {
                return undefined;
            }
            current = current[name];
        }
        return current;
    };
}

function binary(operator: string, left: unknown, right: unknown): Quick | undefined {
    const [lhs, rhs] = [compileNode(left), compileNode(right)];
    if (lhs === undefined || rhs === undefined) {
        return undefined;
    }
    if (operator === "and" || operator === "or") {
        const decided = operator === "or";
        return (scope) => {
            const first = truth(lhs(scope));
            if (first === LEAVE || first === decided) {
                return first;
            }
            return truth(rhs(scope));
        };
    }
    const apply = OPERATORS.get(operator);
    return apply === undefined
        ? undefined
        : (scope) => {
              const first = lhs(scope);
              const second = rhs(scope);
              return first === LEAVE || second === LEAVE ? LEAVE : apply(first, second);
          };
}

type Operand = JsonValue | undefined;

type Operator = (left: Operand, right: Operand) => JsonValue | typeof LEAVE;

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
    [
        "&",
        (left, right) => {
            const first = text(left);
            const second = text(right);
            return first === LEAVE || second === LEAVE ? LEAVE : first + second;
        },
    ],
    ["=", (left, right) => (simple(left) && simple(right) ? left === right : LEAVE)],
    ["!=", (left, right) => (simple(left) && simple(right) ? left !== right : LEAVE)],
    ["<", ordered((left, right) => left < right)],
    ["<=", ordered((left, right) => left <= right)],
    [">", ordered((left, right) => left > right)],
    [">=", ordered((left, right) => left >= right)],
    ["+", arithmetic((left, right) => left + right)],
    ["-", arithmetic((left, right) => left - right)],
    ["*", arithmetic((left, right) => left * right)],
    ["/", arithmetic((left, right) => left / right)],
]);

/** Numbers with numbers, strings with strings. */
function ordered(compare: (left: number | string, right: number | string) => boolean): Operator {
    return (left, right) =>
        (typeof left === "number" && typeof right === "number") ||
        (typeof left === "string" && typeof right === "string")
            ? compare(left, right)
            : LEAVE;
}

function arithmetic(calculate: (left: number, right: number) => number): Operator {
    return (left, right) => {
        const result = typeof left === "number" && typeof right === "number" ? calculate(left, right) : NaN;
        return Number.isFinite(result) ? result : LEAVE;
    };
}

/** A value whose equality is that of JavaScript. */
function simple(value: Operand): boolean {
    return value === null || (value !== undefined && typeof value !== "object");
}

/** What `&` makes of a value; numbers that need JSONata's rounding are left. */
function text(value: Operand): string | typeof LEAVE {
    return value === undefined
        ? ""
        : typeof value === "string"
          ? value
          : typeof value === "boolean"
            ? String(value)
            : typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 1e15 && !Object.is(value, -0)
              ? String(value)
              : LEAVE;
}

function truth(value: Operand | typeof LEAVE): boolean | typeof LEAVE {
    switch (typeof value) {
        case "undefined":
            return false;
        case "boolean":
            return value;
        case "string":
            return value !== "";
        case "number":
            return value !== 0;
        default:
            return value === null ? false : LEAVE;
    }
}

function condition(node: Node): Quick | undefined {
    const test = compileNode(node.condition);
    const then = compileNode(node.then);
    const otherwise = node.else === undefined ? () => undefined : compileNode(node.else);
    return test === undefined || then === undefined || otherwise === undefined
        ? undefined
        : (scope) => {
              const decision = truth(test(scope));
              return decision === LEAVE ? LEAVE : decision ? then(scope) : otherwise(scope);
          };
}

function exists(node: Node): Quick | undefined {
    const argument =
        node.arguments?.length === 1 && node.procedure?.value === "exists" ? compileNode(node.arguments[0]) : undefined;
    return argument === undefined
        ? undefined
        : (scope) => {
              const value = argument(scope);
              return value === LEAVE || Object.hasOwn(scope.variables, "exists") ? LEAVE : value !== undefined;
          };
}

function construct(pairs: readonly [Node, Node][]): Quick | undefined {
    const parts: [string, Quick][] = [];
    for (const [key, value] of pairs) {
        const quick = compileNode(value);
        if (
            key.type !== "string" ||
            quick === undefined ||
            parts.some(([known]) => known === key.value) ||
            key.value === "__proto__"
        ) {
            return undefined;
        }
        parts.push([key.value as string, quick]);
    }
    return (scope) => {
        const result: JsonObject = {};
        for (const [key, quick] of parts) {
            const value = quick(scope);
            if (value === LEAVE) {
                return LEAVE;
            }
            if (value !== undefined) {
                setKey(result, key, value);
            }
        }
        return result;
    };
}
