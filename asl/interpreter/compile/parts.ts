/** The parts that fields of states are compiled with. */
import {
    compilePath,
    compilePathOrIntrinsic,
    compilePayload,
    compileReferencePath,
    compileTemplate,
    isJsonata,
    type JsonataTemplate,
    type Path,
    type ReferencePath,
} from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { Assignment, Dynamic, Template } from "./compiled";

/** A part of a definition as it came. */
export type Raw = { readonly [field: string]: JsonValue | undefined };

/** The objects of a list that may be missing. */
export function objectsIn(value: JsonValue | undefined): readonly Raw[] {
    return Array.isArray(value) ? (value as unknown as Raw[]) : [];
}

export function template(value: JsonValue | undefined, field: string, jsonata: boolean): Template | undefined {
    if (value === undefined) {
        return undefined;
    }
    return jsonata ? compileTemplate(value, field) : compilePayload(value, field);
}

export function jsonataTemplate(value: JsonValue | undefined, field: string): JsonataTemplate | undefined {
    return value === undefined ? undefined : compileTemplate(value, field);
}

export function assignment(raw: JsonValue | undefined, jsonata: boolean, field: string): Assignment | undefined {
    const compiled = template(raw, field, jsonata);
    return compiled && { names: assignedNames(raw, jsonata), template: compiled };
}

/** The variables that an Assign sets. */
export function assignedNames(assign: JsonValue | undefined, jsonata: boolean): string[] {
    const names = Object.keys((assign as JsonObject | undefined) ?? {});
    return jsonata ? names : names.map((name) => name.replace(/\.\$$/u, ""));
}

export function dataPath(value: JsonValue | undefined, field: string): Path | null | undefined {
    if (value === undefined || value === "$") {
        return undefined;
    }
    return value === null ? null : compilePath(String(value), field);
}

export function referencePath(value: JsonValue | undefined, field: string): ReferencePath | null | undefined {
    if (value === undefined || value === "$") {
        return undefined;
    }
    return value === null ? null : compileReferencePath(String(value), field);
}

/** A field that may be a literal, an expression, or a path in the field of the same name with `Path`. */
export function dynamic(raw: Raw, field: string, jsonata: boolean): Dynamic | undefined {
    const literal = raw[field];
    if (literal !== undefined) {
        if (!jsonata || typeof literal === "number") {
            return { field, value: literal };
        }
        const text = isJsonata(literal) ? literal.slice(2, -2).trim() : undefined;
        return { field, text, template: compileTemplate(literal, field) };
    }
    const pathField = `${field}Path`;
    const path = raw[pathField];
    return typeof path === "string" && !jsonata
        ? { field: pathField, text: path, path: compilePathOrIntrinsic(path, pathField) }
        : undefined;
}
