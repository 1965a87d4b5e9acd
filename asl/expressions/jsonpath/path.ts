/**
 * JSONPath as Step Functions reads it: Jayway's dialect below the roots `$` (the input), `$$` (the context object) and
 * `$name` (a variable). A definite path gives exactly one value and fails when there is none; any other path gives the
 * list of its matches, which may be empty.
 *
 * Paths of plain names and indices, which is nearly all of them, are walked here; the others by `evaluate.ts`, which a
 * suite holds against Jayway's library itself.
 */
import type { JsonValue } from "../../types";
import { ExpressionError } from "../errors";
import { isObject } from "../json";
import type { Scope } from "../scope";
import { evaluatePath } from "./evaluate";
import { prepared, type Parsed, type Step } from "./parsed";
import { NoMatch } from "./tree";

export interface Path {
    readonly text: string;
    readonly definite: boolean;
    /** @throws ExpressionError when the path is not one, or is definite and leads nowhere. */
    readonly read: (scope: Scope) => JsonValue;
    /** As read, but undefined when the path leads nowhere. */
    readonly find: (scope: Scope) => JsonValue | undefined;
}

function rootValue(root: string, scope: Scope): JsonValue | undefined {
    switch (root) {
        case "$":
            return scope.input;
        case "$$":
            return scope.context();
        default:
            return Object.hasOwn(scope.variables, root) ? scope.variables[root] : undefined;
    }
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

/**
 * Prepares a path: `$...` (the input), `$$...` (the context object) or `$name...` (a variable). A text that is no path
 * gives a Path whose every use fails: AWS accepts some of those and fails at run time.
 * @param field the field it stands in, for messages.
 */
export function compilePath(text: string, field: string): Path {
    const parsed = prepared(text);
    if (parsed instanceof Error) {
        const message = `Invalid path '${text}' in the field '${field}': ${parsed.message}`;
        const fail = (): never => {
            throw new ExpressionError("JSONPath", field, message);
        };
        return { text, definite: true, read: fail, find: fail };
    }
    const find = (scope: Scope): JsonValue | undefined => found(parsed, scope, text, field);
    const read = (scope: Scope): JsonValue => {
        const value = find(scope);
        if (value === undefined) {
            throw new ExpressionError("JSONPath", field, missing(parsed, scope, text, field));
        }
        return value;
    };
    return { text, definite: parsed.tree.definite, read, find };
}

function found({ root, steps, tree }: Parsed, scope: Scope, text: string, field: string): JsonValue | undefined {
    const value = rootValue(root, scope);
    if (steps !== undefined || value === undefined) {
        return walk(value, steps ?? []);
    }
    try {
        return evaluatePath(tree, value);
    } catch (error) {
        if (error instanceof NoMatch && error.missing) {
            // Recorded: `$.items[*]` without items is an empty list to AWS, a failure to the library.
            return tree.definite ? undefined : [];
        }
        const message = `Invalid path '${text}' in the field '${field}': ${(error as Error).message}`;
        throw new ExpressionError("JSONPath", field, message);
    }
}

function missing({ root, steps }: Parsed, scope: Scope, text: string, field: string): string {
    if (field === "InputPath" || field === "OutputPath") {
        return `Invalid path '${text}' : No results for path: ${normalised(steps ?? [])}`;
    }
    const described = JSON.stringify(rootValue(root, scope) ?? null);
    return `The JSONPath '${text}' specified for the field '${field}' could not be found in the input '${described}'`;
}

function normalised(steps: readonly Step[]): string {
    return "$" + steps.map((step) => (typeof step === "number" ? `[${step}]` : `['${step}']`)).join("");
}
