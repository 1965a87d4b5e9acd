/** The numbers in a Map's fields: literal, by expression, or by path. */
import { typeName, type Scope } from "../../expressions/index";
import type { JsonValue } from "../../types";
import type { CompiledMap, Dynamic } from "../compile/compiled";
import { badField, shown, valueOf } from "../execution/failures";
import type { Frame } from "../execution/frame";

/** A field that must be a whole number of at least 0; text that is one counts (recorded). */
export async function wholeNumber(frame: Frame, field: Dynamic | undefined, scope: Scope): Promise<number | undefined> {
    if (field === undefined) {
        return undefined;
    }
    const found = await valueOf(field, scope);
    const number = numeric(found);
    if (number === undefined || !Number.isInteger(number)) {
        const said = `refers to value "${shown(found)}" which is not a valid integer: ${field.text}`;
        throw badField(frame, field, "integer", found, `The ${field.field} field ${said}`);
    }
    if (number < 0) {
        const message = `${field.field.replace(/Path$/u, "")} must be at least 0.`;
        throw badField(frame, field, "non-negative integer", found, message);
    }
    return number;
}

/** A number, also one that is a text. */
export function numeric(found: JsonValue): number | undefined {
    if (typeof found === "string" && /^-?\d+(\.\d+)?$/u.test(found)) {
        return Number(found);
    }
    return typeName(found) === "number" ? (found as number) : undefined;
}

/** How many failed children a Map run survives. */
export interface Tolerance {
    readonly count: number;
    /** Of all children, from 0 to 100. */
    readonly percentage: number;
}

export async function toleranceOf(frame: Frame, map: CompiledMap, scope: Scope): Promise<Tolerance> {
    const count = (await wholeNumber(frame, map.toleratedCount, scope)) ?? 0;
    const field = map.toleratedPercentage;
    if (field === undefined) {
        return { count, percentage: 0 };
    }
    const found = await valueOf(field, scope);
    const percentage = numeric(found);
    if (percentage === undefined) {
        const said = `refers to value "${shown(found)}" which is not a valid float: ${field.text}`;
        throw badField(frame, field, "number", found, `The ${field.field} field ${said}`);
    }
    if (percentage < 0 || percentage > 100) {
        const message = "ToleratedFailurePercentage must be between 0 and 100.";
        throw badField(frame, field, "number from 0 to 100", found, message);
    }
    return { count, percentage };
}
