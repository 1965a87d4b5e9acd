/** What stands in a call's payload: expressions, paths, calls of intrinsic functions, and plain values. */
import type { Context } from "../context";
import { CONTEXT_OBJECT } from "../contextObject";
import { isFields } from "../definition";
import { evaluate } from "../evaluate";
import { fieldOf } from "../evaluate/paths";
import { expressionIn } from "../expressions";
import type { Node } from "../graph";
import { parseIntrinsic, parsePath, type Argument, type Call } from "../paths";
import {
    anyBoolean,
    anyJson,
    anything,
    arrayOf,
    constant,
    numberValue,
    only,
    text,
    textOf,
    textValue,
    type Value,
} from "../values";
import type { Variables } from "../variables";

/** What a call of a service is given. */
export const payloadOf = (node: Node): unknown =>
    node.language === "JSONata" ? node.fields.Arguments : node.fields.Parameters;

/** The field of a state that holds the payload. */
export const payloadField = (node: Node): string => (node.language === "JSONata" ? "Arguments" : "Parameters");

/** What a value of the payload may be: of an expression its result. */
export function valueOf(context: Context, variables: Variables, node: Node, given: unknown): Value {
    const code = node.language === "JSONata" ? expressionIn(given) : undefined;
    if (code === undefined) {
        return constant(given);
    }
    const { ast } = context.expressions.parse(code);
    return ast === undefined ? anyJson : evaluate(ast, variables.environment(node, "state")).value;
}

/** What a field of the payload may be; undefined where it has none. */
export function fieldValue(context: Context, variables: Variables, node: Node, field: string): Value | undefined {
    const payload = payloadOf(node);
    if (!isFields(payload)) {
        return undefined;
    }
    const dynamic = node.language === "JSONPath" ? payload[`${field}.$`] : undefined;
    if (typeof dynamic === "string") {
        return pathValue(dynamic);
    }
    return payload[field] === undefined ? undefined : valueOf(context, variables, node, payload[field]);
}

/** What a payload template's path or call yields. */
export function pathValue(source: string): Value {
    if (source.startsWith("States.")) {
        const call = parseIntrinsic(source);
        return typeof call === "string" ? anyJson : callValue(call);
    }
    const path = parsePath(source);
    if (typeof path === "string" || path.root !== "context" || !path.definite) {
        return anyJson;
    }
    const value = path.segments.reduce(fieldOf, CONTEXT_OBJECT);
    // A path that may find nothing fails the state; what it finds may be anything.
    return value.missing ? anyJson : value;
}

const RESULTS: { readonly [name: string]: Value } = {
    "States.Array": arrayOf(anyJson),
    "States.ArrayPartition": arrayOf(anyJson),
    "States.ArrayRange": arrayOf(numberValue),
    "States.ArrayUnique": arrayOf(anyJson),
    "States.ArrayContains": anyBoolean,
    "States.ArrayLength": numberValue,
    "States.Base64Encode": textValue,
    "States.Base64Decode": textValue,
    "States.Hash": textValue,
    "States.JsonToString": textValue,
    "States.MathAdd": numberValue,
    "States.MathRandom": numberValue,
    "States.StringSplit": arrayOf(textValue),
    "States.UUID": textOf({ min: 36, max: 36, prefix: "" }),
};

function callValue({ name, arguments: given }: Call): Value {
    if (name === "States.Format") {
        return formatted(given);
    }
    return Object.hasOwn(RESULTS, name) ? (RESULTS[name] ?? anyJson) : anyJson;
}

/** States.Format: as long as its template and what is put in. */
function formatted([template, ...rest]: readonly Argument[]): Value {
    if (template?.kind !== "constant" || typeof template.value !== "string") {
        return textValue;
    }
    let min = template.value.replace(/\{\}/g, "").length;
    let max = min;
    for (const argument of rest) {
        const value = inText(argument);
        min += value.text?.min ?? 0;
        max += value.text !== undefined && only(value, "text") ? value.text.max : Infinity;
    }
    return textOf({ min, max, prefix: "" });
}

/** What a value becomes within a text. */
function inText(argument: Argument): Value {
    if (argument.kind === "constant") {
        return text(String(argument.value));
    }
    const value = argument.kind === "call" ? callValue(argument.call) : pathValue(argument.text);
    const { number } = value;
    if (number === undefined || !only(value, "number") || number.lo < 0) {
        return value;
    }
    return Number.isFinite(number.hi) ? textOf({ min: 1, max: String(number.hi).length, prefix: "" }) : anything;
}

/** The upper bound of a payload's number, such as StoppingCondition.MaxRuntimeInSeconds. */
export function payloadNumber(
    context: Context,
    variables: Variables,
    node: Node,
    ...path: readonly string[]
): number | undefined {
    let value = payloadOf(node);
    for (const part of path) {
        value = isFields(value) ? value[part] : undefined;
    }
    if (typeof value === "number") {
        return value;
    }
    if (expressionIn(value) === undefined) {
        return undefined;
    }
    const { number } = valueOf(context, variables, node, value);
    return number === undefined || number.hi === Infinity ? undefined : number.hi;
}
