/**
 * Sets of JSON values, as far as proofs need them: which kinds a value may have, bounds of numbers and of texts' lengths, the exact
 * items of short arrays, the known fields of objects. A set always holds at least the values that are possible.
 */
export interface NumberRange {
    readonly lo: number;
    readonly hi: number;
}

export interface TextSet {
    /** Characters (UTF-16 units), at least and at most. */
    readonly min: number;
    readonly max: number;
    /** All possible texts, when they are few. */
    readonly values?: readonly string[];
    /** What every possible text begins with. */
    readonly prefix: string;
    /** A time such as 2026-01-31T12:00:00Z, as in $states.context. */
    readonly timestamp?: boolean;
}

export interface ArraySet {
    /** One set an item, when the array's length is known. */
    readonly items?: readonly Value[];
    /** What any item may be; undefined when there is none. */
    readonly element?: Value;
    readonly min: number;
    readonly max: number;
    /** Items that are surely there, in no order, when the length is not known. */
    readonly some?: readonly Value[];
}

export interface ObjectSet {
    readonly fields: ReadonlyMap<string, Value>;
    /** May there be other fields? */
    readonly open: boolean;
}

export interface Value {
    /** May the expression have no value at all? */
    readonly missing: boolean;
    readonly null: boolean;
    readonly true: boolean;
    readonly false: boolean;
    readonly number?: NumberRange;
    readonly text?: TextSet;
    readonly array?: ArraySet;
    readonly object?: ObjectSet;
    readonly function: boolean;
}

const none: Value = { missing: false, null: false, true: false, false: false, function: false };

/** No value is possible. */
export const nothing = none;
export const missing: Value = { ...none, missing: true };
export const nullValue: Value = { ...none, null: true };
export const truth: Value = { ...none, true: true };
export const untruth: Value = { ...none, false: true };
export const anyBoolean: Value = { ...none, true: true, false: true };
export const functionValue: Value = { ...none, function: true };

export const anyText: TextSet = { min: 0, max: Infinity, prefix: "" };
export const textValue: Value = { ...none, text: anyText };
export const anyNumber: NumberRange = { lo: -Infinity, hi: Infinity };
export const numberValue: Value = { ...none, number: anyNumber };
/** Any JSON value. */
export const anyJson: Value = {
    missing: false,
    null: true,
    true: true,
    false: true,
    function: false,
    number: anyNumber,
    text: anyText,
    array: { min: 0, max: Infinity },
    object: { fields: new Map(), open: true },
};
/** Any JSON value, or none. */
export const anything: Value = { ...anyJson, missing: true };

const fewTexts = 16;
const fewItems = 128;
/** Sets nested deeper than this become "any JSON value": keeps fixpoints finite. */
const deepestSet = 12;

export const number = (lo: number, hi: number): Value => ({ ...none, number: { lo, hi } });
export const boolean = (value: boolean): Value => (value ? truth : untruth);
export const text = (value: string): Value => ({
    ...none,
    text: { min: value.length, max: value.length, values: [value], prefix: value },
});
export const textOf = (set: TextSet): Value => ({ ...none, text: set });
export const object = (fields: ReadonlyMap<string, Value>, open = false): Value => ({
    ...none,
    object: { fields, open },
});

export function array(items: readonly Value[]): Value {
    const element = items.length === 0 ? undefined : items.reduce(join);
    return {
        ...none,
        array: { items: items.length <= fewItems ? items : undefined, element, min: items.length, max: items.length },
    };
}

export const arrayOf = (element: Value | undefined, min = 0, max = Infinity, some?: readonly Value[]): Value => ({
    ...none,
    array: some === undefined ? { element, min, max } : { element, min, max, some },
});

/** What any item of an array may be; an array of which nothing is known holds any JSON value. */
export const elementOf = (set: ArraySet): Value => set.element ?? (set.max === 0 ? nothing : anyJson);

export function constant(value: unknown, depth = 0): Value {
    if (depth > deepestSet) {
        return anyJson;
    }
    switch (typeof value) {
        case "string":
            return text(value);
        case "number":
            return number(value, value);
        case "boolean":
            return boolean(value);
        case "object":
            if (value === null) {
                return nullValue;
            }
            if (Array.isArray(value)) {
                return array(value.map((item) => constant(item, depth + 1)));
            }
            return object(new Map(Object.entries(value).map(([key, item]) => [key, constant(item, depth + 1)])));
        default:
            return missing;
    }
}

export type Kind = "missing" | "null" | "boolean" | "number" | "text" | "array" | "object" | "function";

export function kinds(value: Value): Kind[] {
    const found: Kind[] = [];
    if (value.missing) {
        found.push("missing");
    }
    if (value.null) {
        found.push("null");
    }
    if (value.true || value.false) {
        found.push("boolean");
    }
    if (value.number !== undefined) {
        found.push("number");
    }
    if (value.text !== undefined) {
        found.push("text");
    }
    if (value.array !== undefined) {
        found.push("array");
    }
    if (value.object !== undefined) {
        found.push("object");
    }
    if (value.function) {
        found.push("function");
    }
    return found;
}

export const only = (value: Value, ...allowed: Kind[]): boolean => kinds(value).every((kind) => allowed.includes(kind));
export const isNothing = (value: Value): boolean => kinds(value).length === 0;
export const present = (value: Value): Value => (value.missing ? { ...value, missing: false } : value);
export const orMissing = (value: Value): Value => (value.missing ? value : { ...value, missing: true });

export function join(left: Value, right: Value, depth = 0): Value {
    if (left === right) {
        return left;
    }
    if (depth > deepestSet) {
        return left.missing || right.missing ? anything : anyJson;
    }
    return {
        missing: left.missing || right.missing,
        null: left.null || right.null,
        true: left.true || right.true,
        false: left.false || right.false,
        function: left.function || right.function,
        number: both(left.number, right.number, (a, b) => ({ lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) })),
        text: both(left.text, right.text, joinTexts),
        array: both(left.array, right.array, (a, b) => joinArrays(a, b, depth + 1)),
        object: both(left.object, right.object, (a, b) => joinObjects(a, b, depth + 1)),
    };
}

const both = <T>(left: T | undefined, right: T | undefined, combine: (a: T, b: T) => T): T | undefined =>
    left === undefined ? right : right === undefined ? left : combine(left, right);

function joinTexts(a: TextSet, b: TextSet): TextSet {
    const values =
        a.values !== undefined && b.values !== undefined ? [...new Set([...a.values, ...b.values])] : undefined;
    let same = 0;
    while (same < a.prefix.length && a.prefix[same] === b.prefix[same]) {
        same += 1;
    }
    return {
        min: Math.min(a.min, b.min),
        max: Math.max(a.max, b.max),
        prefix: a.prefix.slice(0, same),
        values: values !== undefined && values.length <= fewTexts ? values : undefined,
        timestamp: a.timestamp === true && b.timestamp === true,
    };
}

function joinArrays(a: ArraySet, b: ArraySet, depth: number): ArraySet {
    const items =
        a.items !== undefined && b.items !== undefined && a.items.length === b.items.length
            ? a.items.map((item, index) => join(item, b.items![index], depth))
            : undefined;
    const unknown = (set: ArraySet): boolean => set.element === undefined && set.max > 0;
    return {
        items,
        min: Math.min(a.min, b.min),
        max: Math.max(a.max, b.max),
        element:
            unknown(a) || unknown(b)
                ? undefined
                : both(a.element, b.element, (left, right) => join(left, right, depth)),
    };
}

function joinObjects(a: ObjectSet, b: ObjectSet, depth: number): ObjectSet {
    const fields = new Map<string, Value>();
    for (const [key, value] of a.fields) {
        const other = b.fields.get(key);
        fields.set(key, other === undefined ? (b.open ? anything : orMissing(value)) : join(value, other, depth));
    }
    for (const [key, value] of b.fields) {
        if (!a.fields.has(key)) {
            fields.set(key, a.open ? anything : orMissing(value));
        }
    }
    return { fields, open: a.open || b.open };
}

export function equal(left: Value, right: Value): boolean {
    if (left === right) {
        return true;
    }
    return (
        left.missing === right.missing &&
        left.null === right.null &&
        left.true === right.true &&
        left.false === right.false &&
        left.function === right.function &&
        left.number?.lo === right.number?.lo &&
        left.number?.hi === right.number?.hi &&
        sameText(left.text, right.text) &&
        sameArray(left.array, right.array) &&
        sameObject(left.object, right.object)
    );
}

const sameText = (a: TextSet | undefined, b: TextSet | undefined): boolean =>
    a === b ||
    (a !== undefined &&
        b !== undefined &&
        a.min === b.min &&
        a.max === b.max &&
        a.prefix === b.prefix &&
        a.timestamp === b.timestamp &&
        a.values?.join("\0") === b.values?.join("\0"));

const sameArray = (a: ArraySet | undefined, b: ArraySet | undefined): boolean =>
    a === b ||
    (a !== undefined &&
        b !== undefined &&
        a.min === b.min &&
        a.max === b.max &&
        a.items?.length === b.items?.length &&
        (a.items ?? []).every((item, index) => equal(item, b.items![index])) &&
        (a.element === b.element ||
            (a.element !== undefined && b.element !== undefined && equal(a.element, b.element))));

const sameObject = (a: ObjectSet | undefined, b: ObjectSet | undefined): boolean =>
    a === b ||
    (a !== undefined &&
        b !== undefined &&
        a.open === b.open &&
        a.fields.size === b.fields.size &&
        [...a.fields].every(([key, value]) => b.fields.has(key) && equal(value, b.fields.get(key)!)));

/** Bounds that still move after several rounds go to infinity, so that a fixpoint is reached. */
export function widen(before: Value, after: Value): Value {
    const grown: Value = {
        ...after,
        number:
            before.number === undefined || after.number === undefined
                ? after.number
                : {
                      lo: after.number.lo < before.number.lo ? -Infinity : after.number.lo,
                      hi: after.number.hi > before.number.hi ? Infinity : after.number.hi,
                  },
        text:
            before.text === undefined || after.text === undefined || sameText(before.text, after.text)
                ? after.text
                : {
                      min: after.text.min < before.text.min ? 0 : after.text.min,
                      max: after.text.max > before.text.max ? Infinity : after.text.max,
                      prefix: after.text.prefix,
                  },
        array:
            before.array === undefined || after.array === undefined || sameArray(before.array, after.array)
                ? after.array
                : { min: 0, max: Infinity },
        object:
            before.object === undefined || after.object === undefined || sameObject(before.object, after.object)
                ? after.object
                : widenObject(before.object, after.object),
    };
    return grown;
}

function widenObject(before: ObjectSet, after: ObjectSet): ObjectSet {
    const fields = new Map<string, Value>();
    for (const [key, value] of after.fields) {
        const old = before.fields.get(key);
        fields.set(key, old === undefined ? value : widen(old, value));
    }
    return { fields, open: after.open };
}

/** Is the concrete value one of the set's? `undefined` stands for no value. */
export function holds(set: Value, value: unknown): boolean {
    switch (typeof value) {
        case "undefined":
            return set.missing;
        case "boolean":
            return value ? set.true : set.false;
        case "number":
            return set.number !== undefined && set.number.lo <= value && value <= set.number.hi;
        case "string":
            return (
                set.text !== undefined &&
                set.text.min <= value.length &&
                value.length <= set.text.max &&
                value.startsWith(set.text.prefix) &&
                (set.text.values === undefined || set.text.values.includes(value))
            );
        case "function":
            return set.function;
        default:
            break;
    }
    if (value === null) {
        return set.null;
    }
    if (Array.isArray(value)) {
        const { array: items } = set;
        return (
            items !== undefined &&
            items.min <= value.length &&
            value.length <= items.max &&
            (items.items === undefined || items.items.every((item, index) => holds(item, value[index]))) &&
            (items.element === undefined || value.every((item) => holds(items.element!, item)))
        );
    }
    const { object: fields } = set;
    if (fields === undefined) {
        return false;
    }
    const entries = value as { [key: string]: unknown };
    return (
        [...fields.fields].every(([key, item]) =>
            holds(item, Object.hasOwn(entries, key) ? entries[key] : undefined),
        ) &&
        (fields.open || Object.keys(entries).every((key) => fields.fields.has(key)))
    );
}
