/**
 * Sets of JSON values, as far as proofs need them: which kinds a value may have, bounds of numbers and of texts'
 * lengths, the exact items of short arrays, the known fields of objects. A set always holds at least the values that
 * are possible.
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
const truth: Value = { ...none, true: true };
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

/** So many texts are kept one by one. */
const FEW_TEXTS = 16;
/** Arrays of so many items are known item by item. */
const FEW_ITEMS = 128;
/** Sets nested deeper than this become "any JSON value": keeps fixpoints finite. */
const DEEPEST_SET = 12;

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
    const { length } = items;
    const element = length === 0 ? undefined : items.reduce((all, item) => join(all, item));
    return {
        ...none,
        array: { items: length <= FEW_ITEMS ? items : undefined, element, min: length, max: length },
    };
}

export const arrayOf = (element: Value | undefined, min = 0, max = Infinity, some?: readonly Value[]): Value => ({
    ...none,
    array: some === undefined ? { element, min, max } : { element, min, max, some },
});

/** What any item of an array may be; an array of which nothing is known holds any JSON value. */
export const elementOf = (set: ArraySet): Value => set.element ?? (set.max === 0 ? nothing : anyJson);

/** The set that holds one JSON value. */
export function constant(value: unknown, depth = 0): Value {
    if (depth > DEEPEST_SET) {
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
            return value === null ? nullValue : constantOf(value, depth + 1);
        default:
            return missing;
    }
}

function constantOf(value: object, depth: number): Value {
    return Array.isArray(value)
        ? array(value.map((item) => constant(item, depth)))
        : object(new Map(Object.entries(value).map(([key, item]) => [key, constant(item, depth)])));
}

export type Kind = "missing" | "null" | "boolean" | "number" | "text" | "array" | "object" | "function";

const KIND_TESTS: readonly (readonly [Kind, (value: Value) => boolean])[] = [
    ["missing", (value) => value.missing],
    ["null", (value) => value.null],
    ["boolean", (value) => value.true || value.false],
    ["number", (value) => value.number !== undefined],
    ["text", (value) => value.text !== undefined],
    ["array", (value) => value.array !== undefined],
    ["object", (value) => value.object !== undefined],
    ["function", (value) => value.function],
];

export const kinds = (value: Value): Kind[] =>
    KIND_TESTS.filter(([, isPossible]) => isPossible(value)).map(([kind]) => kind);

export const only = (value: Value, ...allowed: readonly Kind[]): boolean =>
    KIND_TESTS.every(([kind, isPossible]) => allowed.includes(kind) || !isPossible(value));
export const isNothing = (value: Value): boolean => only(value);
export const present = (value: Value): Value => (value.missing ? { ...value, missing: false } : value);
export const orMissing = (value: Value): Value => (value.missing ? value : { ...value, missing: true });

/** The values of both sets. */
export const join = (left: Value, right: Value): Value => joinTo(left, right, 0);

function joinTo(left: Value, right: Value, depth: number): Value {
    if (left === right) {
        return left;
    }
    if (depth > DEEPEST_SET) {
        return left.missing || right.missing ? anything : anyJson;
    }
    return {
        missing: left.missing || right.missing,
        null: left.null || right.null,
        true: left.true || right.true,
        false: left.false || right.false,
        function: left.function || right.function,
        number: both(left.number, right.number, joinNumbers),
        text: both(left.text, right.text, joinTexts),
        array: both(left.array, right.array, (a, b) => joinArrays(a, b, depth + 1)),
        object: both(left.object, right.object, (a, b) => joinObjects(a, b, depth + 1)),
    };
}

function both<T>(left: T | undefined, right: T | undefined, combine: (a: T, b: T) => T): T | undefined {
    return left === undefined || right === undefined ? (left ?? right) : combine(left, right);
}

const joinNumbers = (a: NumberRange, b: NumberRange): NumberRange => ({
    lo: Math.min(a.lo, b.lo),
    hi: Math.max(a.hi, b.hi),
});

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
        values: values !== undefined && values.length <= FEW_TEXTS ? values : undefined,
        timestamp: a.timestamp === true && b.timestamp === true,
    };
}

function joinArrays(a: ArraySet, b: ArraySet, depth: number): ArraySet {
    const { items: others } = b;
    const items =
        others !== undefined && a.items?.length === others.length
            ? a.items.map((item, index) => joinTo(item, others[index] ?? nothing, depth))
            : undefined;
    const isUnknown = (set: ArraySet): boolean => set.element === undefined && set.max > 0;
    return {
        items,
        min: Math.min(a.min, b.min),
        max: Math.max(a.max, b.max),
        element:
            isUnknown(a) || isUnknown(b)
                ? undefined
                : both(a.element, b.element, (left, right) => joinTo(left, right, depth)),
    };
}

function joinObjects(a: ObjectSet, b: ObjectSet, depth: number): ObjectSet {
    const fields = new Map<string, Value>();
    const alone = (value: Value, other: ObjectSet): Value => (other.open ? anything : orMissing(value));
    for (const [key, value] of a.fields) {
        const other = b.fields.get(key);
        fields.set(key, other === undefined ? alone(value, b) : joinTo(value, other, depth));
    }
    for (const [key, value] of b.fields) {
        if (!a.fields.has(key)) {
            fields.set(key, alone(value, a));
        }
    }
    return { fields, open: a.open || b.open };
}

export function equal(left: Value, right: Value): boolean {
    return (
        left === right ||
        (left.missing === right.missing &&
            left.null === right.null &&
            left.true === right.true &&
            left.false === right.false &&
            left.function === right.function &&
            left.number?.lo === right.number?.lo &&
            left.number?.hi === right.number?.hi &&
            same(left.text, right.text, sameTexts) &&
            same(left.array, right.array, sameArrays) &&
            same(left.object, right.object, sameObjects))
    );
}

const same = <T>(a: T | undefined, b: T | undefined, compare: (a: T, b: T) => boolean): boolean =>
    a === b || (a !== undefined && b !== undefined && compare(a, b));

const sameTexts = (a: TextSet, b: TextSet): boolean =>
    a.min === b.min &&
    a.max === b.max &&
    a.prefix === b.prefix &&
    a.timestamp === b.timestamp &&
    a.values?.join("\0") === b.values?.join("\0");

const sameLists = (a: readonly Value[], b: readonly Value[]): boolean =>
    a.length === b.length && a.every((item, index) => equal(item, b[index] ?? nothing));

const sameArrays = (a: ArraySet, b: ArraySet): boolean =>
    a.min === b.min && a.max === b.max && same(a.items, b.items, sameLists) && same(a.element, b.element, equal);

const sameObjects = (a: ObjectSet, b: ObjectSet): boolean =>
    a.open === b.open &&
    a.fields.size === b.fields.size &&
    [...a.fields].every(([key, value]) => equal(value, b.fields.get(key) ?? nothing));

/** Bounds that still move after several rounds go to infinity, so that a fixpoint is reached. */
export function widen(before: Value, after: Value): Value {
    return {
        ...after,
        number: grown(before.number, after.number, widenNumber),
        text: grown(before.text, after.text, (old, next) => (sameTexts(old, next) ? next : widenText(old, next))),
        array: grown(before.array, after.array, (old, next) =>
            sameArrays(old, next) ? next : { min: 0, max: Infinity },
        ),
        object: grown(before.object, after.object, (old, next) =>
            sameObjects(old, next) ? next : widenObject(old, next),
        ),
    };
}

const grown = <T>(before: T | undefined, after: T | undefined, apply: (old: T, next: T) => T): T | undefined =>
    before === undefined || after === undefined ? after : apply(before, after);

const widenNumber = (old: NumberRange, next: NumberRange): NumberRange => ({
    lo: next.lo < old.lo ? -Infinity : next.lo,
    hi: next.hi > old.hi ? Infinity : next.hi,
});

const widenText = (old: TextSet, next: TextSet): TextSet => ({
    min: next.min < old.min ? 0 : next.min,
    max: next.max > old.max ? Infinity : next.max,
    prefix: next.prefix,
});

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
            return set.text !== undefined && holdsText(set.text, value);
        case "function":
            return set.function;
        default:
            break;
    }
    if (value === null) {
        return set.null;
    }
    if (Array.isArray(value)) {
        return set.array !== undefined && holdsArray(set.array, value);
    }
    return set.object !== undefined && holdsObject(set.object, value as { readonly [key: string]: unknown });
}

const holdsText = (set: TextSet, value: string): boolean =>
    set.min <= value.length &&
    value.length <= set.max &&
    value.startsWith(set.prefix) &&
    (set.values === undefined || set.values.includes(value));

function holdsArray({ element, items, max, min }: ArraySet, value: readonly unknown[]): boolean {
    return (
        min <= value.length &&
        value.length <= max &&
        (items === undefined || items.every((item, index) => holds(item, value[index]))) &&
        (element === undefined || value.every((item) => holds(element, item)))
    );
}

const holdsObject = (set: ObjectSet, value: { readonly [key: string]: unknown }): boolean =>
    [...set.fields].every(([key, item]) => holds(item, Object.hasOwn(value, key) ? value[key] : undefined)) &&
    (set.open || Object.keys(value).every((key) => set.fields.has(key)));
