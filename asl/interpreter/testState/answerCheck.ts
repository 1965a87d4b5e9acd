/**
 * What services answer, to hold mocked results against. Services and calls that are not in answers.json (generate.py
 * lists them) are not checked.
 */
import { isObject } from "../../expressions/index";
import type { JsonValue } from "../../types";
import answers from "./answers.json";
import { TestStateError, type FieldValidationMode } from "./types";

interface Shape {
    readonly type: string;
    readonly members?: Readonly<Record<string, string>>;
    readonly required?: readonly string[];
    /** Of a list's entries. */
    readonly member?: string;
    /** Of a map's values. */
    readonly value?: string;
    readonly min?: number;
    readonly max?: number;
    readonly enum?: readonly string[];
}

const CALLS: Readonly<Record<string, string>> = answers.calls;
const SHAPES = answers.shapes as Readonly<Record<string, Shape>>;

/** @throws TestStateError in AWS's words, where the result is none that the service could give. */
export function checkAnswer(resource: string, result: JsonValue, mode: FieldValidationMode): void {
    const call = /^arn:[^:]*:states:[^:]*:[^:]*:(.+)$/u.exec(resource)?.[1] ?? "";
    const shape = Object.hasOwn(CALLS, call) ? SHAPES[CALLS[call] ?? ""] : undefined;
    if (shape !== undefined && mode !== "NONE") {
        new Check(mode === "STRICT").value(result, shape, "result");
    }
}

/** What each type of a service's model is in JSON. */
const TYPES: Readonly<Record<string, readonly [type: string, words: string]>> = {
    structure: ["object", "an object"],
    map: ["object", "an object"],
    list: ["array", "an array"],
    string: ["string", "a string"],
    timestamp: ["string", "a string"],
    blob: ["string", "a string"],
    boolean: ["boolean", "a boolean"],
    integer: ["number", "a number"],
    long: ["number", "a number"],
    float: ["number", "a number"],
    double: ["number", "a number"],
};

class Check {
    constructor(private readonly needsAll: boolean) {}

    value(value: JsonValue, shape: Shape, field: string): void {
        const [type, words] = TYPES[shape.type] ?? ["", ""];
        const got = Array.isArray(value) ? "array" : typeof value;
        if (value === null || (type !== "" && got !== type)) {
            throw refused(`Field '${field}' must be ${words}`);
        }
        bounded(value, shape, field);
        if (isObject(value)) {
            this.members(value, shape, field);
        } else if (Array.isArray(value) && shape.member !== undefined) {
            const member = SHAPES[shape.member];
            value.forEach((item) => member && this.value(item, member, field));
        }
    }

    private members(value: { readonly [name: string]: JsonValue }, shape: Shape, field: string): void {
        const missing = this.needsAll ? shape.required?.find((name) => !Object.hasOwn(value, name)) : undefined;
        if (missing !== undefined) {
            throw refused(`Required field '${missing}' is missing`);
        }
        for (const [name, inner] of Object.entries(value)) {
            const known = shape.members?.[name];
            const found = SHAPES[known ?? shape.value ?? ""];
            if (found !== undefined) {
                this.value(inner, found, known === undefined ? field : name);
            }
        }
    }
}

function bounded(value: JsonValue, { min, max, enum: values }: Shape, field: string): void {
    if (typeof value === "number") {
        if (min !== undefined && value < min) {
            throw refused(`Field '${field}' is less than the minimum value`);
        }
        if (max !== undefined && value > max) {
            throw refused(`Field '${field}' exceeds the maximum value`);
        }
        return;
    }
    if (typeof value !== "string") {
        return;
    }
    if (values !== undefined && !values.includes(value)) {
        throw refused(`Field '${field}' is not an expected value`);
    }
    if (min !== undefined && value.length < min) {
        throw refused(`Field '${field}' is smaller than the minimum length`);
    }
    if (max !== undefined && value.length > max) {
        throw refused(`Field '${field}' exceeds the maximum length`);
    }
}

function refused(what: string): TestStateError {
    return new TestStateError("ValidationException", `Mock result schema validation error: ${what}`);
}
