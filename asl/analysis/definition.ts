/** A definition's objects, as far as every rule needs them. They may be anything: what has a wrong type is left out. */
import type { StateType } from "../types";

export type Fields = { readonly [key: string]: unknown };

export const STATE_TYPES: readonly StateType[] = [
    "Task",
    "Pass",
    "Choice",
    "Wait",
    "Succeed",
    "Fail",
    "Parallel",
    "Map",
];

export const isFields = (value: unknown): value is Fields =>
    typeof value === "object" && value !== null && !Array.isArray(value);

/** Escapes a key for Finding.path as RFC 6901 does. */
export const segment = (key: string): string =>
    key.includes("~") || key.includes("/") ? key.replace(/~/g, "~0").replace(/\//g, "~1") : key;

/** Can a state of the type have Retry and Catch? */
export const isCatching = (type: StateType | undefined): boolean =>
    type === "Task" || type === "Parallel" || type === "Map";

export interface CatcherEntry {
    readonly fields: Fields;
    readonly index: number;
    readonly errors: readonly string[];
}

const NONE: readonly never[] = [];

/** The catchers of a state that are objects, with their place in Catch. */
export function catchers(fields: Fields): readonly CatcherEntry[] {
    return Array.isArray(fields.Catch) ? handlersIn(fields.Catch) : NONE;
}

/** The retriers of a state that are objects. */
export function retriers(fields: Fields): readonly Fields[] {
    return Array.isArray(fields.Retry) ? fields.Retry.filter(isFields) : NONE;
}

function handlersIn(list: readonly unknown[]): CatcherEntry[] {
    const found: CatcherEntry[] = [];
    list.forEach((entry, index) => {
        if (isFields(entry)) {
            const names: readonly unknown[] = Array.isArray(entry.ErrorEquals) ? entry.ErrorEquals : NONE;
            found.push({ fields: entry, index, errors: names.filter((name) => typeof name === "string") });
        }
    });
    return found;
}

/** The rules of a Choice, whatever they are. */
export const choiceRules = (fields: Fields): readonly unknown[] =>
    Array.isArray(fields.Choices) ? (fields.Choices as readonly unknown[]) : NONE;

/** The outermost rules of a Choice that are objects, with their place in Choices. */
export function ruleFields(fields: Fields): { readonly rule: Fields; readonly index: number }[] {
    return choiceRules(fields).flatMap((rule, index) => (isFields(rule) ? [{ rule, index }] : []));
}
