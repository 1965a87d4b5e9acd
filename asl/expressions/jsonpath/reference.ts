import type { JsonObject, JsonValue } from "../../types";
import { ExpressionError } from "../errors";
import { isObject, setKey } from "../json";
import { prepared, type Step } from "./parsed";

/** A place to put a result at, such as `$.a.b`. */
export interface ReferencePath {
    readonly text: string;
    /**
     * A copy of `target` with `value` at the path; objects on the way are made where they are missing.
     * @throws ExpressionError when the path passes through something that is no object, or an index outside its array.
     */
    readonly write: (target: JsonValue, value: JsonValue) => JsonValue;
}

/** Prepares a place; a text that is none gives one whose every use fails. */
export function compileReferencePath(text: string, field: string): ReferencePath {
    const refuse = (message: string): never => {
        throw new ExpressionError("JSONPath", field, message);
    };
    const steps = referenceSteps(text);
    if (steps instanceof Error) {
        const message = `Invalid reference path '${text}' in the field '${field}': ${steps.message}`;
        return { text, write: () => refuse(message) };
    }
    const write = (target: JsonValue, value: JsonValue): JsonValue => {
        const written = put(target, value, steps);
        return written ?? refuse(`Unable to apply ReferencePath ${text} to input ${JSON.stringify(target)}`);
    };
    return { text, write };
}

function referenceSteps(text: string): readonly Step[] | Error {
    const parsed = prepared(text);
    if (parsed instanceof Error) {
        return parsed;
    }
    return parsed.root === "$" && parsed.steps !== undefined
        ? parsed.steps
        : new Error("a reference path selects one place in the input: names and indices only");
}

/** A copy of the target with the value in its place; undefined where the place cannot be. */
function put(target: JsonValue | undefined, value: JsonValue, steps: readonly Step[]): JsonValue | undefined {
    const [step, ...rest] = steps;
    if (step === undefined) {
        return value;
    }
    return typeof step === "number" ? putItem(target, value, step, rest) : putName(target, value, step, rest);
}

function putItem(
    target: JsonValue | undefined,
    value: JsonValue,
    index: number,
    rest: readonly Step[],
): JsonValue | undefined {
    const item = Array.isArray(target) && index >= 0 ? target[index] : undefined;
    const written = item === undefined ? undefined : put(item, value, rest);
    return written === undefined ? undefined : (target as JsonValue[]).with(index, written);
}

function putName(
    target: JsonValue | undefined,
    value: JsonValue,
    name: string,
    rest: readonly Step[],
): JsonValue | undefined {
    if (target !== undefined && !isObject(target)) {
        return undefined;
    }
    const inner = target !== undefined && Object.hasOwn(target, name) ? target[name] : undefined;
    const written = put(inner, value, rest);
    if (written === undefined) {
        return undefined;
    }
    const copy: JsonObject = { ...target };
    setKey(copy, name, written);
    return copy;
}
