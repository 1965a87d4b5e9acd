/**
 * JSONata as Step Functions runs it: the `jsonata` package with AWS's additions ($partition, $range, $hash, $random
 * with a seed, $uuid, $parse), without $eval, and with time and chance taken from the execution instead of the machine.
 * Source: Step Functions Developer Guide, "Transforming data with JSONata".
 */
import { createHash } from "node:crypto";
import jsonata from "jsonata";
import type { JsonValue } from "../types";
import { ExpressionError } from "./errors";
import { adopt, NotJsonError } from "./json";
import { BOUNDS, boundPassed, boundEvaluation } from "./bounds";
import { compileQuick, LEAVE } from "./quick";
import { seededRandom } from "./random";
import type { Host, Scope } from "./scope";

/** True for a string that is a JSONata expression: it begins with `{%` and ends with `%}`, with nothing around them. */
export function isJsonata(value: unknown): value is string {
    return typeof value === "string" && value.length >= 4 && value.startsWith("{%") && value.endsWith("%}");
}

export interface JsonataExpression {
    /** The text between the delimiters, trimmed, as AWS quotes it. */
    readonly source: string;
    /** Where in the state it stands, for example `Arguments/TrainingJobName`. */
    readonly field: string;
    /**
     * At once where the expression is simple. @throws ExpressionError (or rejects) when it fails, or gives nothing or
     * no JSON.
     */
    readonly evaluate: (scope: Scope) => JsonValue | Promise<JsonValue>;
}

// No variable can have this name: a Step Functions variable is an identifier.
const HOST = "\u0000host";

interface Focus {
    readonly environment: { lookup(name: string): unknown; timestamp: Date };
    readonly createSequence: () => unknown[];
}

/** A list that the package takes apart when it has one item. */
interface Sequence extends Array<unknown> {
    readonly sequence?: boolean;
}

interface NativeFunction {
    readonly implementation: (this: Focus, ...args: unknown[]) => unknown;
}

let originals: Promise<{ fromMillis: NativeFunction; toMillis: NativeFunction }> | undefined;

/** The package's own date functions, which have no other way out than an evaluation. */
function dateFunctions(): Promise<{ fromMillis: NativeFunction; toMillis: NativeFunction }> {
    originals ??= (async () => ({
        fromMillis: (await jsonata("$fromMillis").evaluate(undefined)) as NativeFunction,
        toMillis: (await jsonata("$toMillis").evaluate(undefined)) as NativeFunction,
    }))();
    return originals;
}

function hostOf(focus: Focus): Host {
    return focus.environment.lookup(HOST) as Host;
}

class JsonataFailure extends Error {
    constructor(
        readonly code: string,
        message: string,
    ) {
        super(message);
    }
}

const HASHES: { readonly [name: string]: string } = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
};

type Implementation = (this: Focus, ...args: never[]) => unknown;
const FUNCTIONS: readonly (readonly [name: string, implementation: Implementation, signature?: string])[] = [
    [
        "partition",
        (values: JsonValue[] | undefined, size: number) => {
            if (values === undefined) {
                return undefined;
            }
            if (!Number.isFinite(size) || Math.trunc(size) < 1) {
                throw new JsonataFailure(
                    "D3137",
                    `the second argument of $partition must be a positive integer, got ${size}`,
                );
            }
            const step = Math.trunc(size);
            const parts: JsonValue[][] = [];
            for (let start = 0; start < values.length; start += step) {
                parts.push(values.slice(start, start + step));
            }
            return parts;
        },
        "<an:a>",
    ],
    ["range", (start: number, end: number, step: number) => range(start, end, step), "<nnn:a<n>>"],
    [
        "hash",
        (data: string | undefined, algorithm: string) => {
            if (data === undefined) {
                return undefined;
            }
            const name = Object.hasOwn(HASHES, algorithm) ? HASHES[algorithm] : undefined;
            if (name === undefined) {
                throw new JsonataFailure(
                    "D3137",
                    `$hash knows ${Object.keys(HASHES).join(", ")}, got ${JSON.stringify(algorithm)}`,
                );
            }
            return createHash(name).update(data, "utf8").digest("hex");
        },
        "<ss:s>",
    ],
    [
        "random",
        function (this: Focus, seed?: number) {
            return seed === undefined ? hostOf(this).random() : seededRandom(seed)();
        } as Implementation,
        "<n?:n>",
    ],
    [
        "shuffle",
        function (this: Focus, values: JsonValue[] | undefined) {
            if (values === undefined) {
                return undefined;
            }
            const random = hostOf(this).random;
            const result = [...values];
            for (let index = result.length - 1; index > 0; index--) {
                const other = Math.floor(random() * (index + 1));
                [result[index], result[other]] = [result[other], result[index]];
            }
            return result;
        } as Implementation,
        "<a:a>",
    ],
    ["distinct", distinct as Implementation, "<x:x>"],
    [
        "uuid",
        function (this: Focus) {
            return hostOf(this).uuid();
        } as Implementation,
        "<:s>",
    ],
    [
        "parse",
        (text: string | undefined) => {
            if (text === undefined) {
                return undefined;
            }
            try {
                return JSON.parse(text);
            } catch (error) {
                throw new JsonataFailure("D3000", `$parse: the string is not JSON (${(error as Error).message})`);
            }
        },
        "<s:x>",
    ],
    [
        "millis",
        function (this: Focus) {
            return hostOf(this).now();
        } as Implementation,
        "<:n>",
    ],
    [
        "now",
        async function (this: Focus, picture?: string, timezone?: string) {
            return (await dateFunctions()).fromMillis.implementation.call(this, hostOf(this).now(), picture, timezone);
        } as Implementation,
        "<s?s?:s>",
    ],
    [
        "toMillis",
        async function (this: Focus, text: string | undefined, picture?: string) {
            // A picture without a date is completed from the evaluation's own time, which must be the execution's.
            const environment = Object.create(this.environment, { timestamp: { value: new Date(hostOf(this).now()) } });
            return (await dateFunctions()).toMillis.implementation.call({ ...this, environment }, text, picture);
        } as Implementation,
        "<s-s?:n>",
    ],
];

/** Numbers from start to end, both included, as AWS's $range and States.ArrayRange: at most 1,000. */
export function range(start: number, end: number, step: number): number[] {
    const [first, last, by] = [Math.trunc(start), Math.trunc(end), Math.trunc(step)];
    if (!Number.isFinite(first) || !Number.isFinite(last) || !Number.isFinite(by) || by === 0) {
        throw new JsonataFailure(
            "D3137",
            `a range needs a step other than 0, got start ${start}, end ${end}, step ${step}`,
        );
    }
    const count = Math.floor((last - first) / by) + 1;
    if (count > 1000) {
        throw new JsonataFailure("D3137", `a range has at most 1,000 elements, this one ${count}`);
    }
    return Array.from({ length: Math.max(0, count) }, (_, index) => first + index * by);
}

/** As the package's, whose time is the square of the length. */
function distinct(this: Focus, values: unknown): unknown {
    if (!Array.isArray(values) || values.length <= 1) {
        return values;
    }
    const seen = new Set<string>();
    const results = (values as Sequence).sequence === true ? this.createSequence() : [];
    for (const value of values as unknown[]) {
        const key = typeof value === "function" ? undefined : canonical(value);
        if (key === undefined || !seen.has(key)) {
            results.push(value);
        }
        if (key !== undefined) {
            seen.add(key);
        }
    }
    return results;
}

/** A text that equal values share. */
function canonical(value: unknown): string {
    return JSON.stringify(value, (_, inner: unknown) => {
        if (typeof inner !== "object" || inner === null || Array.isArray(inner)) {
            return inner;
        }
        return Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)));
    });
}

// Preparing costs some hundred microseconds, and equal texts are common: in the branches of an ensemble, in repeated
// runs.
const prepared = new Map<string, jsonata.Expression>();
const MOST_PREPARED = 20_000;

function prepare(source: string, field: string): jsonata.Expression {
    const known = prepared.get(source);
    if (known !== undefined) {
        return known;
    }
    let expression: jsonata.Expression;
    try {
        expression = jsonata(source, BOUNDS);
    } catch (error) {
        throw new ExpressionError(
            "JSONata",
            field,
            `The JSONata expression '${source}' specified for the field '${field}' is not valid: ${messageOf(error)}`,
        );
    }
    if (source.includes("$eval")) {
        // AWS takes the definition; a call fails as one of what is no function (T1006), measured by TestState
        expression.assign("eval", undefined);
    }
    for (const [name, implementation, signature] of FUNCTIONS) {
        // Registering parses the signature, which costs more than the rest: only what the text names.
        if (source.includes(`$${name}`)) {
            expression.registerFunction(
                name,
                implementation as unknown as (this: jsonata.Focus, ...args: unknown[]) => unknown,
                signature,
            );
        }
    }
    boundEvaluation(expression);
    if (prepared.size >= MOST_PREPARED) {
        prepared.clear();
    }
    prepared.set(source, expression);
    return expression;
}

/**
 * Prepares one expression.
 * @param text the expression with its delimiters, `{% ... %}`.
 * @param field where it stands, for messages.
 * @throws ExpressionError when it is not JSONata.
 */
export function compileJsonata(text: string, field: string): JsonataExpression {
    const source = text.slice(2, -2).trim();
    const expression = prepare(source, field);
    const finish = (value: unknown): JsonValue => {
        if (value === undefined) {
            throw new ExpressionError(
                "JSONata",
                field,
                `The JSONata expression '${source}' specified for the field '${field}' returned nothing (undefined).`,
            );
        }
        try {
            return adopt(value);
        } catch (error) {
            if (error instanceof NotJsonError) {
                throw new ExpressionError(
                    "JSONata",
                    field,
                    `The JSONata expression '${source}' specified for the field '${field}' returned an unsupported result type.`,
                );
            }
            throw error;
        }
    };
    const whole = async (scope: Scope): Promise<JsonValue> => {
        let value: unknown;
        try {
            value = await expression.evaluate(undefined, bindingsOf(scope));
        } catch (error) {
            throw new ExpressionError(
                "JSONata",
                field,
                `The JSONata expression '${source}' specified for the field '${field}' threw an error during evaluation${reasonOf(error)}`,
            );
        }
        return finish(value);
    };
    const quick = compileQuick(expression.ast());
    const evaluate =
        quick === undefined
            ? whole
            : (scope: Scope): JsonValue | Promise<JsonValue> => {
                  const value = quick(scope);
                  return value === LEAVE ? whole(scope) : finish(value);
              };
    return { source, field, evaluate };
}

function reasonOf(error: unknown): string {
    const passed = boundPassed(error);
    return passed === undefined ? `. ${messageOf(error)}` : `: ${passed}`;
}

function messageOf(error: unknown): string {
    const { code, message } = error as { code?: string; message?: string };
    return code === undefined ? String(message ?? error) : `${code}: ${message}`;
}

const bindings = new WeakMap<Scope, Record<string, unknown>>();

function bindingsOf(scope: Scope): Record<string, unknown> {
    let found = bindings.get(scope);
    if (found === undefined) {
        let context: JsonValue | undefined;
        const states: Record<string, unknown> = {
            input: scope.input,
            get context() {
                return (context ??= scope.context());
            },
        };
        if (scope.result !== undefined) {
            states.result = scope.result;
        }
        if (scope.errorOutput !== undefined) {
            states.errorOutput = scope.errorOutput;
        }
        found = { ...scope.variables, states, [HOST]: scope.host };
        bindings.set(scope, found);
    }
    return found;
}
