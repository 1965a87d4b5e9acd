/** The functions that may end a path. Source: Jayway's list of functions, and its answers. */
import type { JsonValue } from "../../types";
import { isObject } from "../json";
import { valueAt, type Place } from "./place";
import { NoMatch, type Parameter, type PathTree, type Token } from "./tree";

type Call = Token & { readonly kind: "function" };

/** @throws Error where it fails, as AWS does, or does not exist. */
export function call({ name, parameters }: Call, value: JsonValue, place: Place): JsonValue {
    const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (known === undefined) {
        throw new NoMatch(`there is no function ${name}; there are ${Object.keys(FUNCTIONS).join(", ")}`, false);
    }
    const root: Place = { ...place, item: place.document };
    const given = parameters.map((parameter) =>
        "path" in parameter ? valueAt(parameter.path, root) : parameter.value,
    );
    return known(value, given, { parameters, place });
}

/** What only `length` looks at. */
interface Written {
    readonly parameters: readonly Parameter[];
    readonly place: Place;
}

type PathFunction = (value: JsonValue, given: readonly JsonValue[], written: Written) => JsonValue;

/** The arguments, and the items of those that are lists. */
function flat(given: readonly JsonValue[]): JsonValue[] {
    return given.flatMap((argument) => argument);
}

function itemsOf(value: JsonValue): JsonValue[] {
    return Array.isArray(value) ? value : [];
}

/** A number for what a function aggregates: the list's own numbers and those of its arguments. */
function aggregated(combine: (numbers: readonly number[]) => number): PathFunction {
    return (value, given) => {
        const numbers = [...itemsOf(value), ...flat(given)].filter((item) => typeof item === "number");
        if (numbers.length === 0) {
            throw new Error("a function of numbers has no numbers");
        }
        return combine(numbers);
    };
}

function sum(numbers: readonly number[]): number {
    return numbers.reduce((total, number) => total + number, 0);
}

function deviation(numbers: readonly number[]): number {
    const mean = sum(numbers) / numbers.length;
    return Math.sqrt(sum(numbers.map((number) => number * number)) / numbers.length - mean * mean);
}

function element(indexOf: (given: readonly JsonValue[]) => number): PathFunction {
    return (value, given) => {
        const index = indexOf(given);
        const items = itemsOf(value);
        const fromEnd = items.length + index;
        // Counted from the end, the first element is out of the library's reach.
        const item = index < 0 && fromEnd === 0 ? undefined : items[index < 0 ? fromEnd : index];
        if (item === undefined) {
            throw new Error(`a list of ${items.length} has no element ${index}`);
        }
        return item;
    };
}

function concat(value: JsonValue, given: readonly JsonValue[]): string {
    const texts = itemsOf(value).filter((item) => typeof item === "string");
    const more = flat(given).filter((item) => item !== null);
    if (more.some((item) => typeof item === "object")) {
        throw new Error("concat() of lists and objects is not simulated");
    }
    return [...texts, ...more.map(String)].join("");
}

function length(value: JsonValue, _: readonly JsonValue[], { parameters, place }: Written): JsonValue {
    const [parameter] = parameters;
    if (parameter !== undefined && "path" in parameter) {
        const inner = childrenAt(parameter.path, value, place);
        if (Array.isArray(inner)) {
            return inner.length;
        }
    }
    if (Array.isArray(value)) {
        return value.length;
    }
    return isObject(value) ? Object.keys(value).length : null;
}

/** What `length($.a)` counts: the children of what the path finds; of a definite path, what its last child is. */
function childrenAt(path: PathTree, value: JsonValue, place: Place): JsonValue {
    const inner: Place = { ...place, document: value, item: value };
    const isFunction = path.tokens.at(-1)?.kind === "function";
    const tokens: Token[] = isFunction ? [...path.tokens] : [...path.tokens, { kind: "wildcard" }];
    return valueAt({ ...path, tokens }, inner);
}

const FUNCTIONS: Readonly<Record<string, PathFunction>> = {
    avg: aggregated((numbers) => sum(numbers) / numbers.length),
    stddev: aggregated(deviation),
    sum: aggregated(sum),
    min: aggregated((numbers) => Math.min(...numbers)),
    // The library begins at the least positive number.
    max: aggregated((numbers) => Math.max(Number.MIN_VALUE, ...numbers)),
    concat,
    length,
    size: length,
    append: (value, given) => (Array.isArray(value) ? [...value, ...given] : value),
    keys: (value) => (isObject(value) ? Object.keys(value) : null),
    first: element(() => 0),
    last: element(() => -1),
    index: element((given) => {
        const index = flat(given).find((item) => typeof item === "number");
        if (index === undefined) {
            throw new Error("index() takes a number");
        }
        return Math.trunc(index);
    }),
};
