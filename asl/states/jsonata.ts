/**
 * JSONata through typed handles. `variable<Run>("run").members.image.key` is an expression that renders `{%
 * $run.members.image.key %}`, and the template tag `jsonata` puts expressions and plain values together: values become
 * JSONata literals, so nothing is quoted by hand.
 */
import type { JsonValue } from "../types";

const CODE: unique symbol = Symbol("code");
declare const RESULT: unique symbol;

interface Source {
    /** JSONata, without the delimiters. */
    readonly code: string;
    /** Whether the code can stand beside an operator without parentheses. */
    readonly atom: boolean;
}

/** A JSONata expression whose result is a `T`. */
export interface Expression<T = unknown> {
    readonly [CODE]: Source;
    readonly [RESULT]?: T;
}

/** An expression that is a path: its fields are paths too. */
export type Handle<T> = Expression<T> &
    ([T] extends [readonly unknown[]]
        ? unknown
        : [T] extends [object]
          ? { readonly [K in keyof T]-?: Handle<NonNullable<T[K]>> }
          : unknown);

/**
 * What a field of a state may hold before it is rendered: JSON with expressions in it. Fields that are undefined are
 * left out.
 */
export type Template =
    | null
    | boolean
    | number
    | string
    | Expression
    | readonly Template[]
    | { readonly [key: string]: Template | undefined };

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Words that JSONata reads as operators. */
const OPERATORS = new Set(["and", "or", "in"]);

/** `a.b`, with backticks where the name would be read as something else. */
function field(path: string, name: string): string {
    if (name.includes("`")) {
        throw new Error(`JSONata: the field name "${name}" holds a backtick, which no path can name; use another name`);
    }
    return `${path}.${PLAIN_NAME.test(name) && !OPERATORS.has(name) ? name : `\`${name}\``}`;
}

function path<T>(code: string): Handle<T> {
    const source: Source = { code, atom: true };
    return new Proxy(Object.freeze({}), {
        get: (_target, key) => {
            if (key === CODE) {
                return source;
            }
            if (typeof key === "symbol" || key === "toJSON") {
                return undefined;
            }
            return path(field(code, key));
        },
        has: (_target, key) => key === CODE,
    }) as Handle<T>;
}

/** A variable of the workflow, set by some state's Assign. */
export function variable<T>(name: string): Handle<T> {
    if (!PLAIN_NAME.test(name) || name.length > 80) {
        throw new Error(
            `JSONata: "${name}" is no name for a variable: ` +
                "letters, digits and _, not beginning with a digit, at most 80",
        );
    }
    return path(`$${name}`);
}

/**
 * The context object, as far as it is used; see the Step Functions Developer Guide, "Accessing execution data from the
 * Context object".
 */
export interface Context {
    /** The execution: its ARN, name, ISO 8601 start, and how often it was redriven. */
    readonly Execution: {
        readonly Id: string;
        readonly Name: string;
        readonly StartTime: string;
        readonly RedriveCount: number;
    };
    /** The state: its name, when it was entered (ISO 8601), and retries so far. */
    readonly State: { readonly Name: string; readonly EnteredTime: string; readonly RetryCount: number };
    /** The state machine: its ARN and name. */
    readonly StateMachine: { readonly Id: string; readonly Name: string };
    /** Only in a Task that waits for its token. */
    readonly Task: { readonly Token: string };
    /** Only in a Map's itemSelector. */
    readonly Map: { readonly Item: { readonly Index: number; readonly Value: unknown } };
}

/** `$states`: what every state sees. */
export const states = {
    /** The state's input. */
    input: <T = unknown>(): Handle<T> => path("$states.input"),
    /** Of a Task, Parallel or Map, in its Output and Assign. */
    result: <T = unknown>(): Handle<T> => path("$states.result"),
    /** In a Catch's Output and Assign; either field may be missing or empty. */
    errorOutput: path<{ readonly Error: string; readonly Cause: string }>("$states.errorOutput"),
    context: path<Context>("$states.context"),
};

/** Whether a value is an expression rather than plain data. */
export function isExpression(value: unknown): value is Expression {
    return typeof value === "object" && value !== null && CODE in value;
}

/** A plain value as JSONata source. Strings in single quotes, which need no escaping in the JSON around them. */
export function literal(value: unknown): string {
    if (typeof value === "string") {
        const body = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\u0027");
        return `'${body}'`;
    }
    if (Array.isArray(value)) {
        return `[${value.map(literal).join(", ")}]`;
    }
    if (isExpression(value)) {
        return value[CODE].code;
    }
    if (typeof value === "object" && value !== null) {
        return `{${Object.entries(value)
            .map(([name, item]) => `${literal(name)}: ${literal(item)}`)
            .join(", ")}}`;
    }
    if (value === null || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) {
        return String(value);
    }
    throw new Error(`JSONata: ${String(value)} (${typeof value}) has no literal; expected JSON or an expression`);
}

/**
 * An expression from source text and values: `${...}` takes expressions as they are and everything else as a literal.
 */
export function jsonata<T = unknown>(text: TemplateStringsArray, ...values: readonly unknown[]): Expression<T> {
    let code = text[0] ?? "";
    values.forEach((value, index) => {
        if (value === undefined) {
            throw new Error(
                `JSONata: the value after "${code.slice(-60)}" is undefined; is a handle misspelt or not yet made?`,
            );
        }
        // An argument of a function stands between commas: nothing can tear it apart.
        const argument = /[(,]\s*$/.test(code) && /^\s*[,)]/.test(text[index + 1] ?? "");
        code += isExpression(value) && !value[CODE].atom && !argument ? `(${value[CODE].code})` : literal(value);
        code += text[index + 1] ?? "";
    });
    return expressionOf(code);
}

/**
 * An expression from JSONata source as a text, for code that is put together elsewhere; `jsonata` is for what is
 * written by hand.
 */
export function expressionOf<T = unknown>(code: string): Expression<T> {
    return { [CODE]: { code: code.trim(), atom: false } };
}

/** `values[index]`, index from 0. */
export function at<T>(values: Expression<readonly T[]>, index: Expression<number> | number): Handle<T> {
    const { code, atom } = values[CODE];
    return path(`${atom ? code : `(${code})`}[${isExpression(index) ? index[CODE].code : index}]`);
}

/** Whatever it is as a string; nothing becomes the empty string. Never fails on strings and on what is missing. */
export function text(value: Expression): Expression<string> {
    return jsonata`'' & ${value}`;
}

/** The source of an expression without its delimiters. */
export function sourceOf(expression: Expression): string {
    return expression[CODE].code;
}

/** A template as JSON, expressions in their delimiters. */
export function render(template: unknown, where: string): JsonValue {
    if (isExpression(template)) {
        return `{% ${template[CODE].code} %}`;
    }
    if (typeof template === "string" && template.startsWith("{%")) {
        throw new Error(
            `${where}: the text "${template.slice(0, 60)}" would run as JSONata; ` +
                "write jsonata`...` if it should, else change it",
        );
    }
    if (Array.isArray(template)) {
        return template.map((item, index) => render(item, `${where}[${index}]`));
    }
    if (typeof template === "object" && template !== null) {
        return Object.fromEntries(
            Object.entries(template)
                .filter(([, value]) => value !== undefined)
                .map(([key, value]) => [key, render(value, `${where}.${key}`)]),
        );
    }
    if (
        template === null ||
        typeof template === "string" ||
        typeof template === "boolean" ||
        (typeof template === "number" && Number.isFinite(template))
    ) {
        return template;
    }
    throw new Error(`${where}: ${String(template)} (${typeof template}) is no JSON`);
}
