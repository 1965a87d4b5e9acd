/** What JSONata holds for true, and kinds of values in words. */
import { kinds, nothing, type Kind, type Value } from "../values";

export interface Truth {
    readonly mayBeTrue: boolean;
    readonly mayBeFalse: boolean;
}

/** Can JSONata's truth of the value be told? As $boolean has it; no value counts as false. */
export function truthOf(value: Value): Truth {
    const parts = [scalarTruth(value), arrayTruth(value), objectTruth(value)];
    return {
        mayBeTrue: parts.some((part) => part.mayBeTrue),
        mayBeFalse: parts.some((part) => part.mayBeFalse),
    };
}

const NEITHER: Truth = { mayBeTrue: false, mayBeFalse: false };

function scalarTruth({ number, text, ...value }: Value): Truth {
    const isNumberTrue = number !== undefined && (number.lo !== 0 || number.hi !== 0);
    const isNumberFalse = number !== undefined && number.lo <= 0 && number.hi >= 0;
    return {
        mayBeTrue: value.true || isNumberTrue || (text !== undefined && text.max > 0),
        mayBeFalse: value.false || value.null || value.missing || value.function || isNumberFalse || text?.min === 0,
    };
}

function arrayTruth({ array }: Value): Truth {
    if (array === undefined) {
        return NEITHER;
    }
    if (array.items === undefined) {
        return { mayBeTrue: array.max > 0, mayBeFalse: true };
    }
    const inner = array.items.map(truthOf);
    return {
        mayBeTrue: inner.some((item) => item.mayBeTrue),
        mayBeFalse: inner.every((item) => item.mayBeFalse),
    };
}

function objectTruth({ object }: Value): Truth {
    if (object === undefined) {
        return NEITHER;
    }
    const hasField = [...object.fields.values()].some((field) => !field.missing);
    return { mayBeTrue: object.open || object.fields.size > 0, mayBeFalse: !hasField };
}

/** What $boolean makes of a value. */
export function booleanOf(value: Value): Value {
    const { mayBeTrue, mayBeFalse } = truthOf(value);
    return { ...nothing, true: mayBeTrue, false: mayBeFalse };
}

export const ALL_KINDS: readonly Kind[] = [
    "missing",
    "null",
    "boolean",
    "number",
    "text",
    "array",
    "object",
    "function",
];

export const KIND_NAMES: { readonly [kind in Kind]: string } = {
    missing: "missing",
    null: "null",
    boolean: "a boolean",
    number: "a number",
    text: "a text",
    array: "an array",
    object: "an object",
    function: "a function",
};

/** Which of the wrong kinds the value may have: "null or an object". */
export function describeKinds(value: Value, wrong: readonly Kind[]): string {
    const found = kinds(value).filter((kind) => wrong.includes(kind));
    return found.length > 3 ? "of another kind" : found.map((kind) => KIND_NAMES[kind]).join(" or ");
}
