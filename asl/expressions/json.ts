import type { JsonObject, JsonValue } from "../types";

/**
 * A value that JSON cannot hold: undefined, a function, a number that is not finite. `where` is a path such as
 * `a.b[2]`.
 */
export class NotJsonError extends Error {
    constructor(
        readonly where: string,
        readonly got: string,
    ) {
        super(`${where === "" ? "the value" : where} is ${got}, which JSON cannot hold`);
        this.name = "NotJsonError";
    }
}

// Values in an execution are never changed in place, so the size of an object or array, once known, stays right.
const sizes = new WeakMap<object, number>();

/**
 * Bytes of the value as compact JSON in UTF-8, the measure of AWS's payload limits. Expects a value that is JSON
 * already.
 */
export function byteSize(value: JsonValue): number {
    switch (typeof value) {
        case "string":
            return stringSize(value);
        case "number":
            return String(value).length;
        case "boolean":
            return value ? 4 : 5;
        default:
            break;
    }
    if (value === null) {
        return 4;
    }
    const known = sizes.get(value);
    if (known !== undefined) {
        return known;
    }
    let size = 2;
    if (Array.isArray(value)) {
        for (const item of value) {
            size += byteSize(item) + 1;
        }
        size -= value.length > 0 ? 1 : 0;
    } else {
        const keys = Object.keys(value);
        for (const key of keys) {
            size += stringSize(key) + byteSize(value[key]) + 2;
        }
        size -= keys.length > 0 ? 1 : 0;
    }
    sizes.set(value, size);
    return size;
}

function stringSize(text: string): number {
    for (let index = 0; index < text.length; index++) {
        const code = text.charCodeAt(index);
        if (code < 0x20 || code === 0x22 || code === 0x5c || code > 0x7e) {
            // Something to escape or to encode: let the platform count.
            return Buffer.byteLength(JSON.stringify(text), "utf8");
        }
    }
    return text.length + 2;
}

/**
 * Makes a value that came out of an expression or a task into a plain JSON value: arrays that JSONata marked as
 * sequences become ordinary ones, since the mark would change how later expressions read them. Parts known to be clean
 * are shared, not copied.
 * @throws NotJsonError for undefined, functions and numbers that are not finite, with the place in the value.
 */
export function adopt(value: unknown, where = ""): JsonValue {
    switch (typeof value) {
        case "string":
        case "boolean":
            return value;
        case "number":
            if (!Number.isFinite(value)) {
                throw new NotJsonError(where, String(value));
            }
            return value;
        case "object":
            break;
        default:
            throw new NotJsonError(where, value === undefined ? "undefined" : `a ${typeof value}`);
    }
    if (value === null || sizes.has(value)) {
        return value as JsonValue;
    }
    if (Array.isArray(value)) {
        const clean: JsonValue[] = [];
        let same = !(
            "sequence" in value ||
            "keepSingleton" in value ||
            "outerWrapper" in value ||
            "tupleStream" in value ||
            "cons" in value
        );
        for (let index = 0; index < value.length; index++) {
            const item = adopt(value[index], `${where}[${index}]`);
            same = same && item === value[index];
            clean.push(item);
        }
        const result = same ? (value as JsonValue[]) : clean;
        byteSize(result);
        return result;
    }
    if ("_jsonata_lambda" in value || "_jsonata_function" in value) {
        throw new NotJsonError(where, "a function");
    }
    const source = value as { [key: string]: unknown };
    let copy: JsonObject | undefined;
    const keys = Object.keys(source);
    for (let index = 0; index < keys.length; index++) {
        const key = keys[index];
        const item = adopt(source[key], where === "" ? key : `${where}.${key}`);
        if (copy === undefined && item !== source[key]) {
            copy = {};
            for (let before = 0; before < index; before++) {
                setKey(copy, keys[before], source[keys[before]] as JsonValue);
            }
        }
        if (copy !== undefined) {
            setKey(copy, key, item);
        }
    }
    const result = copy ?? (source as JsonObject);
    byteSize(result);
    return result;
}

/** Deeper than this, JSON.stringify decides: it knows cycles. */
const DEEPEST_COPY = 200;

/**
 * A JSON copy of a value from outside, such as what a task's handler gave: as JSON.stringify and JSON.parse would make
 * it, and null for undefined.
 * @throws NotJsonError for a function or symbol, TypeError for a bigint or a cycle.
 */
export function takeIn(value: unknown): JsonValue {
    if (typeof value === "function" || typeof value === "symbol") {
        throw new NotJsonError("", `a ${typeof value}`);
    }
    return taken(value, 0) ?? null;
}

/** @returns undefined for what JSON leaves out. */
function taken(value: unknown, depth: number): JsonValue | undefined {
    switch (typeof value) {
        case "string":
        case "boolean":
            return value;
        case "number":
            return Number.isFinite(value) ? value : null;
        case "object":
            return value === null ? null : takenObject(value, depth);
        case "bigint":
            return throughText(value);
        default:
            return undefined;
    }
}

function takenObject(value: object, depth: number): JsonValue | undefined {
    if (depth > DEEPEST_COPY) {
        return throughText(value);
    }
    if (Array.isArray(value)) {
        return value.map((item) => taken(item, depth + 1) ?? null);
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if ((prototype !== Object.prototype && prototype !== null) || "toJSON" in value) {
        return throughText(value);
    }
    const copy: JsonObject = {};
    for (const key of Object.keys(value)) {
        const item = taken((value as { readonly [key: string]: unknown })[key], depth + 1);
        if (item !== undefined) {
            setKey(copy, key, item);
        }
    }
    return copy;
}

function throughText(value: unknown): JsonValue | undefined {
    const text = JSON.stringify(value) as string | undefined;
    return text === undefined ? undefined : (JSON.parse(text) as JsonValue);
}

/** Sets an own property, also when the key is `__proto__`. */
export function setKey(target: JsonObject, key: string, value: JsonValue): void {
    if (key === "__proto__") {
        Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
    } else {
        target[key] = value;
    }
}

/** A deep copy of a JSON value: for values that leave the interpreter, so that their receiver may change them. */
export function copyJson<T extends JsonValue>(value: T): T {
    if (typeof value !== "object" || value === null) {
        return value;
    }
    if (Array.isArray(value)) {
        return value.map(copyJson) as T;
    }
    const copy: JsonObject = {};
    for (const key of Object.keys(value)) {
        setKey(copy, key, copyJson((value as JsonObject)[key]));
    }
    return copy as T;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Equality of JSON values; the order of keys does not matter. */
export function equalJson(left: JsonValue, right: JsonValue): boolean {
    if (left === right) {
        return true;
    }
    if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
        return false;
    }
    if (Array.isArray(left) || Array.isArray(right)) {
        return (
            Array.isArray(left) &&
            Array.isArray(right) &&
            left.length === right.length &&
            left.every((item, index) => equalJson(item, right[index]))
        );
    }
    const keys = Object.keys(left);
    return (
        keys.length === Object.keys(right).length &&
        keys.every((key) => Object.hasOwn(right, key) && equalJson(left[key], right[key]))
    );
}

/** What AWS calls a value's type in its messages. */
export function typeName(value: JsonValue): "null" | "array" | "object" | "string" | "number" | "boolean" {
    return value === null ? "null" : Array.isArray(value) ? "array" : (typeof value as "object");
}
