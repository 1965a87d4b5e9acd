/**
 * JSONPath as Step Functions reads it. A definite path (names and indices only) gives exactly one value and fails when
 * there is none; any other path gives the list of its matches, which may be empty. Definite paths are walked here;
 * wildcards, slices, descendants and filters are left to the `jsonpath-rfc9535` package, which evaluates no code. AWS
 * uses Jayway's dialect: its filter operators beyond RFC 9535 (`=~`, `in`, `size`, ...) and path functions are refused.
 */
import { query } from "jsonpath-rfc9535";
import type { JsonObject, JsonValue } from "../types";
import { ExpressionError } from "./errors";
import { isObject, setKey } from "./json";
import type { Scope } from "./scope";

type Step = string | number;

export interface Path {
    readonly text: string;
    readonly definite: boolean;
    /** @throws ExpressionError when the path is not one, or is definite and leads nowhere. */
    readonly read: (scope: Scope) => JsonValue;
    /** As read, but undefined when a definite path leads nowhere. */
    readonly find: (scope: Scope) => JsonValue | undefined;
}

interface Parsed {
    /** "$" the input, "$$" the context object, else a variable's name. */
    readonly root: string;
    readonly steps: readonly Step[];
    /** The path in RFC 9535 form, below its root, when it is not definite. */
    readonly wild?: string;
}

const ROOT = /^\$(\$|[\p{L}_][\p{L}\p{N}_]*)?/u;
const DOT_NAME = /[^.[\]()*?@,:;'"\s]+/uy;
const INDEX = /\[\s*(-?\d+)\s*\]/y;
const NAME = /\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]/y;

function parse(text: string): Parsed {
    const head = ROOT.exec(text);
    if (head === null) {
        throw new Error(`a path begins with $, got ${JSON.stringify(text)}`);
    }
    const root = head[1] === undefined ? "$" : head[1] === "$" ? "$$" : head[1];
    const steps: Step[] = [];
    let rfc = "$";
    let wild = false;
    let position = head[0].length;
    const take = (pattern: RegExp): RegExpExecArray | null => {
        pattern.lastIndex = position;
        const match = pattern.exec(text);
        position += match === null ? 0 : match[0].length;
        return match;
    };
    const name = (value: string): void => {
        steps.push(value);
        rfc += `[${JSON.stringify(value)}]`;
    };
    while (position < text.length) {
        if (text.startsWith("..", position)) {
            wild = true;
            position += 2;
            rfc += "..";
            if (text[position] === "*") {
                position++;
                rfc += "*";
            } else if (text[position] !== "[") {
                const match = take(DOT_NAME);
                if (match === null) {
                    throw new Error(
                        `a name, * or [ must follow .. at character ${position + 1} of ${JSON.stringify(text)}`,
                    );
                }
                rfc += `[${JSON.stringify(match[0])}]`;
            }
        } else if (text[position] === ".") {
            position++;
            if (text[position] === "*") {
                position++;
                wild = true;
                rfc += ".*";
                continue;
            }
            const match = take(DOT_NAME);
            if (match === null) {
                throw new Error(`a name or * must follow . at character ${position + 1} of ${JSON.stringify(text)}`);
            }
            name(match[0]);
        } else if (text[position] === "[") {
            let match = take(INDEX);
            if (match !== null) {
                steps.push(Number(match[1]));
                rfc += match[0];
                continue;
            }
            match = take(NAME);
            if (match !== null) {
                name((match[1] ?? match[2]).replace(/\\(.)/gu, "$1"));
                continue;
            }
            const end = closing(text, position);
            wild = true;
            rfc += text.slice(position, end + 1);
            position = end + 1;
        } else {
            throw new Error(
                `unexpected ${JSON.stringify(text[position])} at character ${position + 1} of ${JSON.stringify(text)}`,
            );
        }
    }
    if (wild) {
        query(null, rfc);
        return { root, steps: [], wild: rfc };
    }
    return { root, steps };
}

/** The position of the bracket that closes the one at `start`; brackets in quotes do not count. */
function closing(text: string, start: number): number {
    let depth = 0;
    let quote = "";
    for (let index = start; index < text.length; index++) {
        const character = text[index];
        if (quote !== "") {
            if (character === "\\") {
                index++;
            } else if (character === quote) {
                quote = "";
            }
        } else if (character === "'" || character === '"') {
            quote = character;
        } else if (character === "[") {
            depth++;
        } else if (character === "]" && --depth === 0) {
            return index;
        }
    }
    throw new Error(`the [ at character ${start + 1} of ${JSON.stringify(text)} is not closed`);
}

function rootValue(root: string, scope: Scope): JsonValue | undefined {
    return root === "$"
        ? scope.input
        : root === "$$"
          ? scope.context()
          : Object.hasOwn(scope.variables, root)
            ? scope.variables[root]
            : undefined;
}

function walk(value: JsonValue | undefined, steps: readonly Step[]): JsonValue | undefined {
    let current = value;
    for (const step of steps) {
        if (typeof step === "number") {
            if (!Array.isArray(current)) {
                return undefined;
            }
            current = current[step < 0 ? current.length + step : step];
        } else {
            if (!isObject(current) || !Object.hasOwn(current, step)) {
                return undefined;
            }
            current = current[step];
        }
    }
    return current;
}

const paths = new Map<string, Parsed | Error>();

/**
 * Prepares a path: `$...` (the input), `$$...` (the context object) or `$name...` (a variable). A text that is no path
 * gives a Path whose every use fails: AWS accepts some of those and fails at run time.
 * @param field the field it stands in, for messages.
 */
export function compilePath(text: string, field: string): Path {
    let parsed = paths.get(text);
    if (parsed === undefined) {
        try {
            parsed = parse(text);
        } catch (error) {
            parsed = error as Error;
        }
        paths.set(text, parsed);
    }
    if (parsed instanceof Error) {
        const message = `Invalid path '${text}' in the field '${field}': ${parsed.message}`;
        const fail = (): never => {
            throw new ExpressionError("JSONPath", field, message);
        };
        return { text, definite: true, read: fail, find: fail };
    }
    const { root, steps, wild } = parsed;
    const find = (scope: Scope): JsonValue | undefined => {
        const value = rootValue(root, scope);
        return wild === undefined || value === undefined ? walk(value, steps) : (query(value, wild) as JsonValue[]);
    };
    const read = (scope: Scope): JsonValue => {
        const value = find(scope);
        if (value === undefined) {
            const described = JSON.stringify(rootValue(root, scope) ?? null);
            throw new ExpressionError(
                "JSONPath",
                field,
                field === "InputPath" || field === "OutputPath"
                    ? `Invalid path '${text}' : No results for path: ${normalised(parsed)}`
                    : `The JSONPath '${text}' specified for the field '${field}' could not be found in the input '${described}'`,
            );
        }
        return value;
    };
    return { text, definite: wild === undefined, read, find };
}

function normalised(path: Parsed): string {
    return "$" + path.steps.map((step) => (typeof step === "number" ? `[${step}]` : `['${step}']`)).join("");
}

/** A place to put a result at, such as `$.a.b`. */
export interface ReferencePath {
    readonly text: string;
    /**
     * A copy of `target` with `value` at the path; objects on the way are made where they are missing.
     * @throws ExpressionError when the path passes through something that is no object, or an index outside its array.
     */
    readonly write: (target: JsonValue, value: JsonValue) => JsonValue;
}

export function compileReferencePath(text: string, field: string): ReferencePath {
    let steps: readonly Step[];
    try {
        const parsed = parse(text);
        if (parsed.root !== "$" || parsed.wild !== undefined) {
            throw new Error("a reference path selects one place in the input: names and indices only");
        }
        steps = parsed.steps;
    } catch (error) {
        const message = `Invalid reference path '${text}' in the field '${field}': ${(error as Error).message}`;
        return {
            text,
            write: () => {
                throw new ExpressionError("JSONPath", field, message);
            },
        };
    }
    const fail = (target: JsonValue): never => {
        throw new ExpressionError(
            "JSONPath",
            field,
            `Unable to apply ReferencePath ${text} to input ${JSON.stringify(target)}`,
        );
    };
    const put = (target: JsonValue | undefined, value: JsonValue, index: number, whole: JsonValue): JsonValue => {
        if (index === steps.length) {
            return value;
        }
        const step = steps[index];
        if (typeof step === "number") {
            if (!Array.isArray(target) || step < 0 || step >= target.length) {
                return fail(whole);
            }
            const copy = [...target];
            copy[step] = put(target[step], value, index + 1, whole);
            return copy;
        }
        if (target !== undefined && !isObject(target)) {
            return fail(whole);
        }
        const copy: JsonObject = { ...target };
        setKey(
            copy,
            step,
            put(
                target !== undefined && Object.hasOwn(target, step) ? target[step] : undefined,
                value,
                index + 1,
                whole,
            ),
        );
        return copy;
    };
    return { text, write: (target, value) => put(target, value, 0, target) };
}
