/** Operators: arithmetic, comparisons, "in", "&", and the conversion to texts. */
import type { BinaryAst } from "../jsonata";
import {
    anyBoolean,
    anyText,
    arrayOf,
    boolean,
    isNothing,
    join,
    kinds,
    missing,
    nothing,
    number,
    numberValue,
    only,
    orMissing,
    present,
    text,
    textOf,
    untruth,
    type Kind,
    type NumberRange,
    type TextSet,
    type Value,
} from "../values";
import { assume } from "./assume";
import type { Environment, Evaluation } from "./environment";
import { allOf, itemsOf } from "./sequences";
import { ALL_KINDS, describeKinds, truthOf } from "./truth";

export function binary(evaluation: Evaluation, ast: BinaryAst, environment: Environment): Value {
    const operator = ast.value;
    if (operator === "and" || operator === "or") {
        return logical(evaluation, ast, operator, environment);
    }
    const left = evaluation.run(ast.lhs, environment);
    const right = evaluation.run(ast.rhs, environment);
    switch (operator) {
        case "=":
        case "!=":
            return equality(left, right, operator === "=");
        case "<":
        case "<=":
        case ">":
        case ">=":
            return comparison(evaluation, left, right, operator);
        case "in":
            return membership(left, right);
        case "&":
            return concatenation(stringOf(evaluation, left), stringOf(evaluation, right));
        case "..":
            numeric(evaluation, left, operator);
            numeric(evaluation, right, operator);
            evaluation.risk("a range's ends must be whole numbers");
            return orMissing(arrayOf(numberValue));
        default:
            return arithmetic(
                evaluation,
                numeric(evaluation, left, operator),
                numeric(evaluation, right, operator),
                operator,
            );
    }
}

/** The right side is evaluated only where the left one does not settle it, and knows what the left one has said. */
function logical(evaluation: Evaluation, ast: BinaryAst, operator: "and" | "or", environment: Environment): Value {
    const isAnd = operator === "and";
    const { mayBeTrue, mayBeFalse } = truthOf(evaluation.run(ast.lhs, environment));
    const isSettled = isAnd ? !mayBeTrue : !mayBeFalse;
    if (isSettled) {
        return boolean(!isAnd);
    }
    const right = truthOf(evaluation.run(ast.rhs, assume(evaluation, ast.lhs, isAnd, environment)));
    return isAnd
        ? { ...nothing, true: right.mayBeTrue, false: mayBeFalse || right.mayBeFalse }
        : { ...nothing, true: mayBeTrue || right.mayBeTrue, false: right.mayBeFalse };
}

/** Reports what is no number, and goes on with the numbers. */
export function numeric(evaluation: Evaluation, value: Value, operator: string): Value {
    if (!only(value, "number", "missing")) {
        const wrong = ALL_KINDS.filter((kind) => kind !== "number" && kind !== "missing");
        evaluation.risk(`an operand of "${operator}" may be ${describeKinds(value, wrong)}, not a number`);
    }
    return { ...nothing, missing: value.missing, number: value.number };
}

/** The range that the corners of an operation span; unknown where one is no number. */
function span(corners: readonly number[]): Value {
    return corners.some(Number.isNaN) ? numberValue : number(Math.min(...corners), Math.max(...corners));
}

function arithmetic(evaluation: Evaluation, left: Value, right: Value, operator: string): Value {
    const { number: a } = left;
    const { number: b } = right;
    if (a === undefined || b === undefined) {
        return missing;
    }
    const result = calculated(evaluation, a, b, operator);
    return left.missing || right.missing ? orMissing(result) : result;
}

function calculated(evaluation: Evaluation, a: NumberRange, b: NumberRange, operator: string): Value {
    const mayDivideByZero = b.lo <= 0 && b.hi >= 0;
    switch (operator) {
        case "+":
            return span([a.lo + b.lo, a.hi + b.hi]);
        case "-":
            return span([a.lo - b.hi, a.hi - b.lo]);
        case "*": {
            // Infinity stands for a bound that is not known: zero times it is zero.
            const corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
            return span(corners.map((corner) => (Number.isNaN(corner) ? 0 : corner)));
        }
        case "/":
            if (mayDivideByZero) {
                evaluation.risk("the divisor may be 0, and an infinite number is no JSON");
                return numberValue;
            }
            return span([a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi]);
        default:
            if (mayDivideByZero) {
                evaluation.risk('the divisor of "%" may be 0');
            }
            return remainder(a, b);
    }
}

/** The remainder has the sign of the dividend. */
function remainder(a: NumberRange, b: NumberRange): Value {
    const most = Math.max(Math.abs(b.lo), Math.abs(b.hi));
    return number(a.lo < 0 ? -most : 0, Math.min(Math.max(a.hi, 0), most));
}

function comparison(evaluation: Evaluation, left: Value, right: Value, operator: string): Value {
    comparable(evaluation, left, right, operator);
    let result: Value = left.missing || right.missing ? missing : nothing;
    if (left.number !== undefined && right.number !== undefined) {
        const [a, b] = operator.startsWith("<") ? [left.number, right.number] : [right.number, left.number];
        const isStrict = operator.length === 1;
        result = join(result, {
            ...nothing,
            true: isStrict ? a.lo < b.hi : a.lo <= b.hi,
            false: isStrict ? a.hi >= b.lo : a.hi > b.lo,
        });
    }
    return left.text !== undefined && right.text !== undefined ? join(result, anyBoolean) : result;
}

/** Only two numbers or two texts can be compared. */
function comparable(evaluation: Evaluation, left: Value, right: Value, operator: string): void {
    for (const side of [left, right]) {
        if (!only(side, "number", "text", "missing")) {
            const wrong = ALL_KINDS.filter((kind) => kind !== "number" && kind !== "text" && kind !== "missing");
            const found = describeKinds(side, wrong);
            evaluation.risk(`an operand of "${operator}" may be ${found}, neither a number nor a text`);
        }
    }
    const mayBeNumber = left.number !== undefined || right.number !== undefined;
    const mayBeText = left.text !== undefined || right.text !== undefined;
    const hasBoth = [left, right].every((side) => side.number !== undefined || side.text !== undefined);
    if (hasBoth && mayBeNumber && mayBeText) {
        evaluation.risk(`the operands of "${operator}" may be of different kinds`);
    }
}

/** A scalar as a text. JSONata rounds numbers to 15 digits, so of longer ones only the length is told. */
export function scalarText(value: string | number | boolean | null): Value {
    return typeof value === "number" && Number(value.toPrecision(15)) !== value
        ? textOf({ min: 1, max: 25, prefix: "" })
        : text(String(value));
}

/** What "&" makes of an operand. */
export function stringOf(evaluation: Evaluation, value: Value): Value {
    if (value.function) {
        evaluation.risk("a function is made into a text");
    }
    const parts: Value[] = [];
    if (value.missing) {
        parts.push(text(""));
    }
    if (value.text !== undefined) {
        parts.push(textOf(value.text));
    }
    for (const [isPossible, word] of [
        [value.null, "null"],
        [value.true, "true"],
        [value.false, "false"],
    ] as const) {
        if (isPossible) {
            parts.push(text(word));
        }
    }
    if (value.number !== undefined) {
        parts.push(numberText(value.number));
    }
    if (value.array !== undefined || value.object !== undefined) {
        parts.push(textOf({ min: 2, max: Infinity, prefix: "" }));
    }
    return parts.reduce((all, part) => join(all, part), nothing);
}

function numberText({ lo, hi }: NumberRange): Value {
    if (lo === hi && Number.isFinite(lo)) {
        return scalarText(lo);
    }
    const isShort = [lo, hi].every((bound) => Math.abs(bound) < 1e15 && Number.isInteger(bound));
    return textOf({ min: 1, max: isShort ? 24 : 25, prefix: "" });
}

export function concatenation(left: Value, right: Value): Value {
    const a = left.text ?? anyText;
    const b = right.text ?? anyText;
    return textOf({
        min: a.min + b.min,
        max: a.max + b.max,
        values: pairs(a, b),
        prefix: a.values?.length === 1 ? a.prefix + b.prefix : a.prefix,
    });
}

const MOST_PAIRS = 16;

function pairs(a: TextSet, b: TextSet): readonly string[] | undefined {
    if (a.values === undefined || b.values === undefined || a.values.length * b.values.length > MOST_PAIRS) {
        return undefined;
    }
    const ends = b.values;
    return a.values.flatMap((begin) => ends.map((end) => begin + end));
}

export function equality(left: Value, right: Value, isEqual: boolean): Value {
    const result: Value = left.missing || right.missing ? untruth : nothing;
    const a = present(left);
    const b = present(right);
    if (isNothing(a) || isNothing(b)) {
        return result;
    }
    const one = exact(a);
    const other = exact(b);
    if (one !== undefined && other !== undefined) {
        return join(result, boolean((one.value === other.value) === isEqual));
    }
    return join(result, overlap(a, b) ? anyBoolean : boolean(!isEqual));
}

/** The one scalar that a set holds. */
export function exact(value: Value): { readonly value: string | number | boolean | null } | undefined {
    const [kind, second] = kinds(value);
    return kind === undefined || second !== undefined ? undefined : exactOf(value, kind);
}

function exactOf(value: Value, kind: Kind): { readonly value: string | number | boolean | null } | undefined {
    switch (kind) {
        case "null":
            return { value: null };
        case "boolean":
            return value.true && value.false ? undefined : { value: value.true };
        case "number":
            return value.number?.lo === value.number?.hi ? { value: value.number?.lo ?? NaN } : undefined;
        case "text": {
            const [only, second] = value.text?.values ?? [];
            return only === undefined || second !== undefined ? undefined : { value: only };
        }
        default:
            return undefined;
    }
}

/** May the two sets hold the same value? */
export function overlap(a: Value, b: Value): boolean {
    return (
        (a.null && b.null) ||
        (a.true && b.true) ||
        (a.false && b.false) ||
        (a.function && b.function) ||
        (a.number !== undefined &&
            b.number !== undefined &&
            a.number.lo <= b.number.hi &&
            b.number.lo <= a.number.hi) ||
        (a.text !== undefined && b.text !== undefined && textsMeet(a.text, b.text)) ||
        (a.array !== undefined && b.array !== undefined) ||
        (a.object !== undefined && b.object !== undefined)
    );
}

function textsMeet(a: TextSet, b: TextSet): boolean {
    const fitsIn = (item: string, set: TextSet): boolean =>
        set.values?.includes(item) ?? (item.startsWith(set.prefix) && item.length >= set.min && item.length <= set.max);
    if (a.values !== undefined) {
        return a.values.some((item) => fitsIn(item, b));
    }
    if (b.values !== undefined) {
        return b.values.some((item) => fitsIn(item, a));
    }
    return a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
}

/** "in" compares with ===, which is never true of two arrays or two objects that were built apart. */
function membership(left: Value, right: Value): Value {
    if (isNothing(present(left)) || isNothing(present(right))) {
        return untruth;
    }
    const items = itemsOf(right);
    const one = exact(left);
    const isPossible = allOf(items).some((item) => overlap(present(left), item));
    const isCertain =
        items.exact &&
        one !== undefined &&
        items.sure.some((item) => exact(item)?.value === one.value && exact(item) !== undefined);
    return { ...nothing, true: isPossible, false: !isCertain };
}
