/**
 * Templates: JSON in a definition some of whose strings are evaluated. Prepared once; parts without expressions cost
 * nothing.
 */
import type { JsonObject, JsonValue } from "../types";
import { ExpressionError } from "./errors";
import { adopt, setKey } from "./json";
import { compileIntrinsic, isIntrinsic } from "./intrinsics";
import { compileJsonata, isJsonata } from "./jsonata";
import { compilePath } from "./jsonpath/index";
import type { Scope } from "./scope";

/** A JSONata template, such as Arguments or Output. A constant one has its value at hand. */
export type JsonataTemplate =
    | { readonly constant: JsonValue }
    | { readonly constant?: undefined; readonly evaluate: (scope: Scope) => JsonValue | Promise<JsonValue> };

/** A payload template of a JSONPath state: fields whose name ends in `.$` are paths or intrinsic calls. */
export type PayloadTemplate =
    | { readonly constant: JsonValue }
    | { readonly constant?: undefined; readonly evaluate: (scope: Scope) => JsonValue };

/**
 * Prepares a JSONata template.
 * @param field the field's name; the place below it is added in messages (`Arguments/TrainingJobName`).
 * @throws ExpressionError when an expression in it is not JSONata.
 */
export function compileTemplate(template: JsonValue, field: string): JsonataTemplate {
    if (typeof template === "string") {
        return isJsonata(template) ? { evaluate: compileJsonata(template, field).evaluate } : { constant: template };
    }
    if (Array.isArray(template)) {
        const parts = template.map((item, index) => compileTemplate(item, `${field}[${index}]`));
        return parts.every(isConstant)
            ? { constant: adopt(template) }
            : { evaluate: (scope) => renderAll<JsonValue[]>(parts, scope, 0, [], push) };
    }
    if (typeof template === "object" && template !== null) {
        const names = Object.keys(template);
        const parts = names.map((name) => compileTemplate(template[name] ?? null, `${field}/${name}`));
        if (parts.every(isConstant)) {
            return { constant: adopt(template) };
        }
        const put = (value: JsonValue, index: number, result: JsonObject): void =>
            setKey(result, names[index] ?? "", value);
        return { evaluate: (scope) => renderAll<JsonObject>(parts, scope, 0, {}, put) };
    }
    return { constant: template };
}

/**
 * Evaluates the parts of a template from the given one on, and puts their values into the result; at once where no part
 * has to be waited for.
 */
function renderAll<Result extends JsonValue>(
    parts: readonly JsonataTemplate[],
    scope: Scope,
    from: number,
    result: Result,
    put: (value: JsonValue, index: number, result: Result) => void,
): Result | Promise<Result> {
    for (let index = from; index < parts.length; index += 1) {
        const value = render(parts[index] as JsonataTemplate, scope);
        if (value instanceof Promise) {
            return value.then((late) => {
                put(late, index, result);
                return renderAll(parts, scope, index + 1, result, put);
            });
        }
        put(value, index, result);
    }
    return result;
}

function push(value: JsonValue, _index: number, result: JsonValue[]): void {
    result.push(value);
}

/** The template's value: at once when it is constant. */
export function render(template: JsonataTemplate, scope: Scope): JsonValue | Promise<JsonValue> {
    return template.constant === undefined ? template.evaluate(scope) : template.constant;
}

/** The payload template's value. */
export function fill(template: PayloadTemplate, scope: Scope): JsonValue {
    return template.constant === undefined ? template.evaluate(scope) : template.constant;
}

function isConstant(template: JsonataTemplate | PayloadTemplate): template is { readonly constant: JsonValue } {
    return template.constant !== undefined;
}

/** A path or an intrinsic call, as fields ending in `Path` of some states and `.$` take it. */
export function compilePathOrIntrinsic(text: string, field: string): (scope: Scope) => JsonValue {
    return isIntrinsic(text) ? compileIntrinsic(text, field) : compilePath(text, field).read;
}

/**
 * Prepares a payload template, such as Parameters or ResultSelector. What is wrong in it fails when it is evaluated.
 */
export function compilePayload(template: JsonValue, field: string): PayloadTemplate {
    if (Array.isArray(template)) {
        const parts = template.map((item, index) => compilePayload(item, `${field}[${index}]`));
        return parts.every(isConstant)
            ? { constant: adopt(template) }
            : { evaluate: (scope) => parts.map((part) => fill(part, scope)) };
    }
    if (typeof template !== "object" || template === null) {
        return { constant: template };
    }
    const parts = Object.keys(template).map((key): readonly [string, PayloadTemplate] => {
        const value = template[key];
        if (!key.endsWith(".$")) {
            return [key, compilePayload(value, `${field}/${key}`)];
        }
        if (typeof value === "string") {
            return [key.slice(0, -2), { evaluate: compilePathOrIntrinsic(value, key) }];
        }
        return [
            key.slice(0, -2),
            {
                evaluate: () => {
                    throw new ExpressionError(
                        "Template",
                        key,
                        `The value of the field '${key}' must be a path or an intrinsic function, got ${JSON.stringify(value)}`,
                    );
                },
            },
        ];
    });
    if (parts.every(([, part]) => isConstant(part))) {
        return { constant: adopt(template) };
    }
    return {
        evaluate: (scope) => {
            const result: JsonObject = {};
            for (const [key, part] of parts) {
                setKey(result, key, fill(part, scope));
            }
            return result;
        },
    };
}
