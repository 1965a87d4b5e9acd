/**
 * Bounds of what AWS takes, checked where a value is typed: an expression's value is known only when it runs, so it
 * passes.
 */
import { isExpression, type Expression } from "./jsonata";

/** A field of a state, for messages. */
export interface Place {
    /** Name of the state. */
    readonly state: string;
    /** Name of the field, as its options spell it. */
    readonly field: string;
}

/** From and to, both included. */
export interface Bounds {
    /** Least value, itself allowed. */
    readonly min: number;
    /** Greatest value, itself allowed. */
    readonly max: number;
    /** Unit, for messages: "seconds". Default: none. */
    readonly unit?: string;
}

function refusal({ state, field }: Place, expected: string, received: string): Error {
    return new Error(`state "${state}": ${field} must ${expected}, received ${received}`);
}

function range({ min, max, unit }: Bounds): string {
    const amount = `between ${min.toLocaleString("en")} and ${max.toLocaleString("en")}`;
    return unit === undefined ? amount : `${amount} ${unit}`;
}

/**
 * Checks a whole number.
 * @throws Error `state "Train": arraySize must be between 2 and 10,000, received 1`
 */
export function checkInteger(place: Place, value: number | Expression | undefined, bounds: Bounds): void {
    if (value === undefined || isExpression(value)) {
        return;
    }
    if (!Number.isInteger(value)) {
        throw refusal(place, `be a whole number ${range(bounds)}`, String(value));
    }
    checkNumber(place, value, bounds);
}

/** Checks a number that may have a fraction. */
export function checkNumber(place: Place, value: number | Expression | undefined, bounds: Bounds): void {
    if (value === undefined || isExpression(value)) {
        return;
    }
    // written so that NaN is refused, too
    if (!(value >= bounds.min && value <= bounds.max)) {
        throw refusal(place, `be ${range(bounds)}`, value.toLocaleString("en"));
    }
}

/** How a text is bounded. */
export interface TextBounds extends Bounds {
    /** What the whole text must match. Default: any text of the length. */
    readonly pattern?: RegExp;
    /** What the pattern takes, in words: "of letters, digits, - and _". Default: the pattern itself. */
    readonly words?: string;
}

/** Checks a text's length in characters, and its pattern. */
export function checkText(place: Place, value: string | Expression | undefined, bounds: TextBounds): void {
    if (value === undefined || isExpression(value)) {
        return;
    }
    const { min, max, pattern, words = `that match ${pattern?.source}` } = bounds;
    const characters = `have ${range({ min, max, unit: "characters" })}`;
    if (value.length < min || value.length > max) {
        throw refusal(place, characters, String(value.length));
    }
    if (pattern !== undefined && !pattern.test(value)) {
        throw refusal(place, `${characters} ${words}`, JSON.stringify(value));
    }
}

/** Checks how many entries a list or a table has. */
export function checkEntries(place: Place, value: object | undefined, bounds: Bounds): void {
    if (value === undefined || isExpression(value)) {
        return;
    }
    const entries = Array.isArray(value) ? value.length : Object.keys(value).length;
    if (entries < bounds.min || entries > bounds.max) {
        throw refusal(place, `have ${range({ unit: "entries", ...bounds })}`, String(entries));
    }
}
