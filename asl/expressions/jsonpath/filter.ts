/** Evaluates the condition of a filter as Jayway's library does, which is neither SQL nor JavaScript. */
import type { JsonValue } from "../../types";
import { equalJson, isObject } from "../json";
import { boundedExec } from "../pattern";
import { parsePathTree } from "./parse";
import { parseLenient } from "./lenient";
import { unescaped } from "./strings";
import { valueAt, type Place } from "./place";
import { NoMatch, type Operand, type Operator, type PathTree, type Test } from "./tree";

/** Whether the condition holds for an item; one that cannot be applied to it does not. */
export function accepts(test: Test, item: JsonValue, place: Place): boolean {
    try {
        return holds(test, { ...place, item });
    } catch (error) {
        if (error instanceof NoMatch) {
            return false;
        }
        throw error;
    }
}

function holds(test: Test, place: Place): boolean {
    switch (test.kind) {
        case "or":
            return test.tests.some((part) => holds(part, place));
        case "and":
            return test.tests.every((part) => holds(part, place));
        case "not":
            return !holds(test.test, place);
        case "exists":
            return exists(test.path, place) === test.wanted;
        default:
            return compare(test.operator, valueOf(test.left, place), valueOf(test.right, place));
    }
}

/**
 * Every name of the path must be there; a path that may give many exists when nothing is missing on the way. Here "$"
 * is the item, too, as it is in the library.
 */
function exists(path: PathTree, place: Place): boolean {
    try {
        const found = place.matchesOf(path, { ...place, strict: true }, place.item);
        return !path.definite || found.length > 0;
    } catch (error) {
        if (error instanceof NoMatch && error.missing) {
            return false;
        }
        throw error;
    }
}

/** What an operand is when it is compared. */
type Value =
    | { readonly kind: "undefined" }
    | { readonly kind: "scalar"; readonly value: string | number | boolean | null }
    | { readonly kind: "json"; readonly value: JsonValue; readonly literal: boolean }
    | { readonly kind: "pattern"; readonly pattern: RegExp };

const UNDEFINED: Value = { kind: "undefined" };

function valueOf(operand: Operand, place: Place): Value {
    switch (operand.kind) {
        case "literal":
            return { kind: "scalar", value: operand.value };
        case "json":
            return { kind: "json", value: operand.value, literal: true };
        case "pattern":
            return operand;
        default:
            return found(operand.path, place);
    }
}

function found(path: PathTree, place: Place): Value {
    try {
        const value = valueAt(path, place);
        return typeof value === "object" && value !== null
            ? { kind: "json", value, literal: false }
            : { kind: "scalar", value };
    } catch (error) {
        if (error instanceof NoMatch && error.missing) {
            return UNDEFINED;
        }
        throw error;
    }
}

type Comparison = (left: Value, right: Value) => boolean;

/** @throws NoMatch where the operator cannot be applied, Error where the library breaks. */
function compare(operator: Operator, left: Value, right: Value): boolean {
    return COMPARISONS[operator](left, right);
}

/** A text equals a number that is written as it is, and a number a text that reads as it; a list its like. */
function equals(left: Value, right: Value): boolean {
    if (left.kind === "json" && right.kind === "json") {
        // A literal on the left is still text to the library, and equals nothing.
        return !left.literal && equalJson(left.value, right.value);
    }
    if (left.kind !== "scalar" || right.kind !== "scalar") {
        return false;
    }
    return equalScalars(left.value, right.value);
}

type Scalar = string | number | boolean | null;

function equalScalars(left: Scalar, right: Scalar): boolean {
    if (typeof left === "string" && typeof right === "number") {
        return left === String(right);
    }
    if (typeof left === "number" && typeof right === "string") {
        return DECIMAL.test(right) && Number(right) === left;
    }
    return left === right;
}

const DECIMAL = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/u;

function ordered(test: (left: number | string, right: number | string) => boolean): Comparison {
    return (left, right) => {
        if (left.kind !== "scalar" || right.kind !== "scalar" || typeof left.value !== typeof right.value) {
            return false;
        }
        return isOrdered(left.value) && isOrdered(right.value) && test(left.value, right.value);
    };
}

function isOrdered(value: Scalar): value is string | number {
    return typeof value === "string" || typeof value === "number";
}

function sameType(left: Value, right: Value): boolean {
    if (left.kind !== right.kind) {
        return false;
    }
    return left.kind !== "scalar" || right.kind !== "scalar" || typeOf(left.value) === typeOf(right.value);
}

function typeOf(value: Scalar): string {
    return value === null ? "null" : typeof value;
}

/** The items of a list as values. @returns undefined for what is no list. @throws NoMatch for a single value. */
function itemsOf(value: Value): Value[] | undefined {
    if (value.kind !== "json") {
        throw new NoMatch("a list is expected", false);
    }
    return Array.isArray(value.value) ? value.value.map(itemValue) : undefined;
}

/** A text in a list is read once more: what looks like a path or JSON equals nothing, and quotes around it go. */
function itemValue(item: JsonValue): Value {
    if (typeof item === "object" && item !== null) {
        throw new Error("lists and objects inside a list cannot be compared");
    }
    if (typeof item !== "string") {
        return { kind: "scalar", value: item };
    }
    if (readsAs(item, /^\s*[$@]/u, parsePathTree) || readsAs(item, /^\s*(?:\[.*\]|\{.*\})\s*$/su, parseLenient)) {
        return UNDEFINED;
    }
    const quoted = item.length > 1 && /^(?:'.*'|".*")$/su.test(item);
    return { kind: "scalar", value: unescaped(quoted ? item.slice(1, -1) : item) };
}

function readsAs(text: string, like: RegExp, parse: (text: string) => unknown): boolean {
    if (!like.test(text)) {
        return false;
    }
    try {
        parse(text);
        return true;
    } catch {
        return false;
    }
}

function isIn(left: Value, right: Value): boolean {
    return itemsOf(right)?.some((item) => equals(left, item)) ?? false;
}

function contains(left: Value, right: Value): boolean {
    if (left.kind === "scalar" && right.kind === "scalar" && typeof left.value === "string") {
        return typeof right.value === "string" && left.value.includes(right.value);
    }
    return left.kind === "json" && (itemsOf(left)?.some((item) => equals(right, item)) ?? false);
}

function hasSize(left: Value, right: Value): boolean {
    if (right.kind !== "scalar" || typeof right.value !== "number") {
        return false;
    }
    const size = Math.trunc(right.value);
    if (left.kind === "json") {
        return (Array.isArray(left.value) ? left.value.length : -1) === size;
    }
    return left.kind === "scalar" && typeof left.value === "string" && left.value.length === size;
}

function isEmpty(left: Value, right: Value): boolean {
    const isText = left.kind === "scalar" && typeof left.value === "string";
    if (!isText && left.kind !== "json") {
        return false;
    }
    if (left.kind === "json" && isObject(left.value)) {
        throw new Error("empty cannot be asked of an object");
    }
    const empty = (left.value as string | readonly JsonValue[]).length === 0;
    return empty === booleanOf(right);
}

function booleanOf(value: Value): boolean {
    if (value.kind !== "scalar" || typeof value.value !== "boolean") {
        throw new NoMatch("a boolean is expected", false);
    }
    return value.value;
}

function saysExists(left: Value, right: Value): boolean {
    const isBoolean = (value: Value): boolean => value.kind === "scalar" && typeof value.value === "boolean";
    if (!isBoolean(left) && !isBoolean(right)) {
        throw new Error("exists compares booleans");
    }
    return booleanOf(left) === booleanOf(right);
}

/** Both lists. @returns undefined where one is no list. */
function lists(left: Value, right: Value): readonly [Value[], Value[]] | undefined {
    const wanted = itemsOf(right);
    const given = wanted === undefined ? undefined : itemsOf(left);
    return wanted === undefined || given === undefined ? undefined : [given, wanted];
}

function anyOf(left: Value, right: Value): boolean | undefined {
    const both = lists(left, right);
    return both?.[0].some((item) => both[1].some((wanted) => equals(item, wanted)));
}

function subsetOf(left: Value, right: Value): boolean {
    const both = lists(left, right);
    return both?.[0].every((item) => both[1].some((wanted) => equals(item, wanted))) ?? false;
}

/** The pattern must match the whole text, or an item of a list. */
function matches(left: Value, right: Value): boolean {
    const [pattern, other] = left.kind === "pattern" ? [left, right] : [right, left];
    if (pattern.kind !== "pattern" || other.kind === "pattern") {
        return false;
    }
    const values = other.kind === "json" && Array.isArray(other.value) ? (itemsOf(other) ?? []) : [other];
    return values.some((value) => boundedExec(pattern.pattern, textOf(value)) !== null);
}

function textOf(value: Value): string {
    return value.kind === "scalar" && value.value !== null ? String(value.value) : "";
}

function refused(): never {
    throw new NoMatch("the operator cannot be written in a path", false);
}

const COMPARISONS: Readonly<Record<Operator, Comparison>> = {
    "==": equals,
    "!=": (left, right) => !equals(left, right),
    "===": (left, right) => sameType(left, right) && equals(left, right),
    "!==": (left, right) => !(sameType(left, right) && equals(left, right)),
    "<": ordered((left, right) => left < right),
    "<=": ordered((left, right) => left <= right),
    ">": ordered((left, right) => left > right),
    ">=": ordered((left, right) => left >= right),
    "=~": matches,
    "in": isIn,
    "nin": (left, right) => !isIn(left, right),
    contains,
    "size": hasSize,
    "empty": isEmpty,
    "exists": saysExists,
    "subsetof": subsetOf,
    "anyof": (left, right) => anyOf(left, right) ?? false,
    "noneof": (left, right) => !(anyOf(left, right) ?? true),
    "all": refused,
    "type": refused,
    "matches": refused,
};
