/**
 * Conditions that are total: true or false for every value, never a failure. A Choice catches nothing, and JSONata's
 * `<` fails where an operand is missing or of another kind; so these ask for the kind first, and are false where it
 * does not fit.
 */
import { Expressions } from "../analysis/jsonata";
import { expressionOf, isExpression, jsonata, sourceOf, variable, type Expression } from "./jsonata";

/** A plain value, or an expression that has one when it runs. */
export type Operand<T> = T | Expression<T>;

type Ordered = number | string;

/** `left > right`; false where either is missing or their kinds differ. */
export function gt<T extends Ordered>(left: Expression<T>, right: Operand<T>): Expression<boolean> {
    return ordered(left, right, (one, other) => jsonata`${one} > ${other}`);
}

/** `left >= right`; false where either is missing or their kinds differ. */
export function ge<T extends Ordered>(left: Expression<T>, right: Operand<T>): Expression<boolean> {
    return ordered(left, right, (one, other) => jsonata`${one} >= ${other}`);
}

/** `left < right`; false where either is missing or their kinds differ. */
export function lt<T extends Ordered>(left: Expression<T>, right: Operand<T>): Expression<boolean> {
    return ordered(left, right, (one, other) => jsonata`${one} < ${other}`);
}

/** `left <= right`; false where either is missing or their kinds differ. */
export function le<T extends Ordered>(left: Expression<T>, right: Operand<T>): Expression<boolean> {
    return ordered(left, right, (one, other) => jsonata`${one} <= ${other}`);
}

/** `low <= value <= high`; false where one is missing or of another kind. */
export function between<T extends Ordered>(
    value: Expression<T>,
    low: Operand<T>,
    high: Operand<T>,
): Expression<boolean> {
    return all(ge(value, low), le(value, high));
}

/** `left = right`, by value, lists and objects too; false where one of them is missing. */
export function eq<T>(left: Expression<T>, right: Operand<T>): Expression<boolean> {
    return jsonata`${left} = ${right}`;
}

/** The opposite of `eq`: true where one of them is missing. */
export function ne<T>(left: Expression<T>, right: Operand<T>): Expression<boolean> {
    return not(eq(left, right));
}

/** Whether the value is one of those given; false where it is missing. */
export function oneOf<T extends Ordered | boolean>(value: Expression<T>, ...values: readonly T[]): Expression<boolean> {
    return jsonata`${value} in ${values}`;
}

/** Whether there is a value; null counts as one. */
export function exists(value: Expression): Expression<boolean> {
    return jsonata`$exists(${value})`;
}

/** The kinds of JSONata's values. */
export type Kind = "array" | "boolean" | "null" | "number" | "object" | "string";

/** Whether the value is there and of the kind. */
export function isOfKind(value: Expression, kind: Kind): Expression<boolean> {
    return jsonata`$type(${value}) = ${kind}`;
}

/** Whether the value is there and true, not only like it: a text or a number is neither. */
export function isTrue(value: Expression): Expression<boolean> {
    return eq<unknown>(value, true);
}

/** Whether a condition does not hold. */
export function not(condition: Expression<boolean>): Expression<boolean> {
    return jsonata`$not(${condition})`;
}

/** All conditions hold; true of none. */
export function all(...conditions: readonly Expression<boolean>[]): Expression<boolean> {
    return joined(conditions, "and", true);
}

/** At least one condition holds; false of none. */
export function any(...conditions: readonly Expression<boolean>[]): Expression<boolean> {
    return joined(conditions, "or", false);
}

const expressions = new Expressions();

/** A path without predicates: read twice it is the same, and the prover knows that. */
const PLAIN_PATH = /^\$\w+(\.(\w+|`[^`]+`))*$/;

/** Operators of JSONata that bind more loosely than `and`; those in the list of `or` bind more loosely than it. */
const LOOSE = {
    and: new Set(["condition", "bind", "apply", "or"]),
    or: new Set(["condition", "bind", "apply"]),
} as const;

function joined(
    conditions: readonly Expression<boolean>[],
    operator: "and" | "or",
    ofNone: boolean,
): Expression<boolean> {
    const [only, second] = conditions;
    if (only === undefined) {
        return jsonata<boolean>`${ofNone}`;
    }
    if (second === undefined) {
        return only;
    }
    const operand = (condition: Expression<boolean>): string => {
        const code = sourceOf(condition);
        const { ast } = expressions.parse(code);
        const isLoose = ast === undefined || LOOSE[operator].has(ast.type === "binary" ? String(ast.value) : ast.type);
        return isLoose ? `(${code})` : code;
    };
    return expressionOf(conditions.map(operand).join(` ${operator} `));
}

/** A comparison behind the question for the kinds that JSONata can compare. */
function ordered(
    left: Expression,
    right: Operand<Ordered>,
    compare: (left: Expression, right: Operand<Ordered>) => Expression<boolean>,
): Expression<boolean> {
    if (!PLAIN_PATH.test(sourceOf(left))) {
        const named = variable("leftOperand");
        return jsonata`($leftOperand := ${left}; ${guarded(named, right, compare)})`;
    }
    return guarded(left, right, compare);
}

function guarded(
    left: Expression,
    right: Operand<Ordered>,
    compare: (left: Expression, right: Operand<Ordered>) => Expression<boolean>,
): Expression<boolean> {
    if (!isExpression(right)) {
        return all(isOfKind(left, typeof right === "number" ? "number" : "string"), compare(left, right));
    }
    if (!PLAIN_PATH.test(sourceOf(right))) {
        const named = variable<Ordered>("rightOperand");
        return jsonata`($rightOperand := ${right}; ${ofOneKind(left, named, compare)})`;
    }
    return ofOneKind(left, right, compare);
}

function ofOneKind(
    left: Expression,
    right: Expression,
    compare: (left: Expression, right: Expression<Ordered>) => Expression<boolean>,
): Expression<boolean> {
    const kinds = ["number", "string"] as const;
    return any(
        ...kinds.map((kind) =>
            all(isOfKind(left, kind), isOfKind(right, kind), compare(left, right as Expression<Ordered>)),
        ),
    );
}
