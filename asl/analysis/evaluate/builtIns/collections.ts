/** Functions about arrays and objects, and those that ask what a value is. */
import {
    anyJson,
    anything,
    array,
    arrayOf,
    elementOf,
    isNothing,
    join,
    missing,
    nothing,
    number,
    object,
    only,
    orMissing,
    present,
    textOf,
    textValue,
    type ObjectSet,
    type Value,
} from "../../values";
import { allOf, anySequence, itemsOf, joined, lengthOf, reordered } from "../sequences";
import { booleanOf, truthOf } from "../truth";
import { takes, takesMissing, uncertain, type BuiltIn, type Risk } from "./signature";

const anyArray = arrayOf(anyJson);

function append([left = nothing, right = nothing]: readonly Value[]): Value {
    if (isNothing(present(left))) {
        return right;
    }
    if (isNothing(present(right))) {
        return left;
    }
    const a = itemsOf(left);
    const b = itemsOf(right);
    if ([a, b].every(({ exact, maybe }) => exact && maybe.length === 0)) {
        return array([...a.sure, ...b.sure]);
    }
    const all = joined([...allOf(a), ...allOf(b)]);
    const result = join(arrayOf(all), left.missing || right.missing ? all : nothing);
    return left.missing && right.missing ? orMissing(result) : result;
}

function distinct([value = nothing]: readonly Value[]): Value {
    const { array: items } = value;
    if (items === undefined) {
        return value;
    }
    // Of a sequence, a single value that is left is no array.
    const fewer = { element: items.element, min: Math.min(1, items.min), max: items.max };
    return join({ ...value, array: fewer }, elementOf(items));
}

function lookup([value = nothing, key]: readonly Value[]): Value {
    const names = key?.text?.values;
    const { object: set } = value;
    if (set === undefined || names === undefined || !only(value, "object", "missing")) {
        return anything;
    }
    return joined(names.map((name) => set.fields.get(name) ?? (set.open ? anything : missing)));
}

/** $merge: of two fields of a name the later one wins. */
function merge([value = nothing]: readonly Value[], risk: Risk): Value {
    const items = itemsOf(value);
    const all = allOf(items);
    if (all.some((item) => !only(item, "object"))) {
        risk("$merge takes objects only");
    }
    return items.exact && items.maybe.length === 0 ? merged(all) : object(new Map(), true);
}

function merged(objects: readonly Value[]): Value {
    const fields = new Map<string, Value>();
    let isOpen = false;
    for (const { object: set } of objects) {
        if (set?.open === true) {
            // A field that is not known may replace any that came before.
            isOpen = true;
            fields.forEach((field, key) => fields.set(key, join(field, anyJson)));
        }
        mergeInto(fields, set, isOpen);
    }
    return object(fields, isOpen);
}

function mergeInto(fields: Map<string, Value>, set: ObjectSet | undefined, isOpen: boolean): void {
    for (const [key, field] of set?.fields ?? []) {
        const before = fields.get(key) ?? (isOpen ? anything : missing);
        fields.set(key, field.missing ? join(before, present(field)) : field);
    }
}

function sort([value = nothing]: readonly Value[], risk: Risk): Value {
    const element = value.array === undefined ? present(value) : elementOf(value.array);
    if (!only(element, "number") && !only(element, "text")) {
        risk("$sort takes numbers or texts only");
    }
    return reordered(value);
}

function assertion([value = nothing]: readonly Value[], risk: Risk): Value {
    if (value.false || !only(value, "boolean")) {
        risk("$assert may fail");
    }
    return missing;
}

const hasValue = (value: Value): boolean => !isNothing(present(value));

function negated([value = nothing]: readonly Value[]): Value {
    const { mayBeTrue, mayBeFalse } = truthOf(present(value));
    return hasValue(value) ? { ...nothing, true: mayBeFalse, false: mayBeTrue } : missing;
}

const anythingOf: BuiltIn["result"] = () => anything;
const reorder: BuiltIn["result"] = ([value = nothing]) => reordered(value);

export const COLLECTIONS: { readonly [name: string]: BuiltIn } = {
    append: takes(["any", "any"], 2, append),
    assert: takes(["boolean", "text"], 1, assertion),
    boolean: takesMissing(["any"], 1, ([value = nothing]) => (hasValue(value) ? booleanOf(present(value)) : missing)),
    clone: takesMissing(["object or array"], 1, ([value = nothing]) => value),
    count: takes(["any"], 1, ([value = nothing]) => number(lengthOf(value).lo, lengthOf(value).hi)),
    distinct: takesMissing(["any"], 1, distinct),
    each: takesMissing(["object", "function"], 2, anythingOf),
    error: takes(["text"], 0, uncertain("$error always fails", nothing)),
    exists: takes(["any"], 1, ([value = nothing]) => ({ ...nothing, true: hasValue(value), false: value.missing })),
    filter: takesMissing(["array", "function"], 2, anythingOf),
    keys: takesMissing(["any"], 1, () => anySequence(textValue)),
    lookup: takesMissing(["any", "text"], 2, lookup),
    map: takesMissing(["array", "function"], 2, anythingOf),
    merge: takesMissing(["any"], 1, merge),
    not: takesMissing(["any"], 1, negated),
    partition: takesMissing(
        ["array", "number"],
        2,
        uncertain("$partition fails unless its size is at least 1", arrayOf(anyArray)),
    ),
    reduce: takesMissing(
        ["array", "function", "any"],
        2,
        uncertain("the function that $reduce applies is not judged", anything),
    ),
    reverse: takesMissing(["array"], 1, reorder),
    shuffle: takesMissing(["array"], 1, reorder),
    sift: takesMissing(["object", "function"], 2, () => orMissing(object(new Map(), true))),
    single: takesMissing(["array", "function"], 1, uncertain("$single fails unless there is exactly one", anything)),
    sort: takesMissing(["array", "function"], 1, sort),
    spread: takesMissing(["any"], 1, anythingOf),
    type: takesMissing(["any"], 1, () => textOf({ min: 4, max: 9, prefix: "" })),
    zip: takes(["array", "array", "array", "array"], 1, () => arrayOf(anyArray)),
};
