/** JSONata's sequences: none is no value, one is the item itself, more are an array. */
import {
    array,
    arrayOf,
    elementOf,
    isNothing,
    join,
    missing,
    nothing,
    orMissing,
    present,
    type Value,
} from "../values";

/** The items of a value taken as a sequence. */
export interface Items {
    /** Items that surely occur, in order. */
    readonly sure: readonly Value[];
    /** Items that may occur. */
    readonly maybe: readonly Value[];
    /** Is each item that may occur one of these, once? Otherwise there may be any number of each. */
    readonly exact: boolean;
}

export const joined = (values: readonly Value[]): Value =>
    values.reduce<Value>((all, value) => join(all, value), nothing);

/** All items, the sure ones first. */
export const allOf = (items: Items): readonly Value[] =>
    items.maybe.length === 0 ? items.sure : [...items.sure, ...items.maybe];

export function itemsOf(value: Value): Items {
    const single: Value = { ...value, array: undefined, missing: false };
    const hasSingle = !isNothing(single);
    if (value.array === undefined) {
        const only = hasSingle ? [single] : [];
        return value.missing ? { sure: [], maybe: only, exact: true } : { sure: only, maybe: [], exact: true };
    }
    if (!hasSingle && !value.missing && value.array.items !== undefined) {
        return { sure: value.array.items, maybe: [], exact: true };
    }
    const element = elementOf(value.array);
    return { sure: [], maybe: [hasSingle ? join(single, element) : element], exact: false };
}

/** The sequence of items that surely occur and items that may. */
export function sequence(sure: readonly Value[], maybe: readonly Value[]): Value {
    const [first] = sure;
    if (maybe.length === 0) {
        return sure.length > 1 ? array(sure) : (first ?? missing);
    }
    const all = [...sure, ...maybe];
    const element = joined(all);
    const several = all.length > 1 ? arrayOf(element, Math.max(2, sure.length), all.length) : nothing;
    if (first === undefined) {
        return orMissing(join(several, element));
    }
    return sure.length === 1 ? join(several, first) : several;
}

/** A sequence of any number of items. */
export const anySequence = (element: Value): Value => orMissing(join(element, arrayOf(element, 2)));

/** The same, of the items that a value may have; of nothing it is nothing. */
export function anySequenceOf(value: Value): Value {
    const some = present(value);
    if (isNothing(some)) {
        return value;
    }
    const { array: items } = some;
    return anySequence(items === undefined ? some : join({ ...some, array: undefined }, elementOf(items)));
}

/** Results of a step over several items, as one flat sequence. */
export function flat(parts: readonly Value[]): Value {
    // An array that is the only result of the last step stays an array, however short it is.
    const short = joined(
        parts.flatMap(({ array: items }) =>
            items !== undefined && items.min <= 1 ? [{ ...nothing, array: items }] : [],
        ),
    );
    return join(flattened(parts), short);
}

function flattened(parts: readonly Value[]): Value {
    const items = parts.map(itemsOf);
    if (items.some(({ exact }) => !exact)) {
        return anySequence(joined(items.flatMap(allOf)));
    }
    return sequence(
        items.flatMap(({ sure }) => sure),
        items.flatMap(({ maybe }) => maybe),
    );
}

/** What $map makes of its results: arrays that its function returns stay, values that are missing are left out. */
export function sequenceOfResults(parts: readonly Value[]): Value {
    const sure = parts.filter((part) => !part.missing);
    const maybe = parts.filter((part) => part.missing).map(present);
    return sequence(
        sure,
        maybe.filter((part) => !isNothing(part)),
    );
}

/** The value as an array, as `[]` behind a step makes it. */
export function asArray(value: Value): Value {
    const items = itemsOf(value);
    const isKnown = items.exact && items.maybe.length === 0;
    const result = isKnown ? array(items.sure) : arrayOf(joined(allOf(items)), 1);
    return value.missing ? orMissing(result) : result;
}

/** How many items the value has, taken as a sequence. */
export function lengthOf(value: Value): { readonly lo: number; readonly hi: number } {
    const { array: items } = value;
    const lengths: { readonly lo: number; readonly hi: number }[] = [];
    if (value.missing) {
        lengths.push({ lo: 0, hi: 0 });
    }
    if (!isNothing({ ...present(value), array: undefined })) {
        lengths.push({ lo: 1, hi: 1 });
    }
    if (items !== undefined) {
        lengths.push({ lo: items.min, hi: items.max });
    }
    return lengths.length === 0
        ? { lo: 0, hi: 0 }
        : { lo: Math.min(...lengths.map(({ lo }) => lo)), hi: Math.max(...lengths.map(({ hi }) => hi)) };
}

/** The items in another order; a single one becomes an array. */
export function reordered(value: Value): Value {
    const single: Value = { ...present(value), array: undefined };
    const { array: items } = value;
    const several: Value = items === undefined ? nothing : { ...nothing, array: { ...items, items: undefined } };
    const result = isNothing(single) ? several : join(several, array([single]));
    return value.missing ? orMissing(result) : result;
}
