/**
 * The 18 intrinsic functions of JSONPath states.
 * Source: Step Functions Developer Guide, "Intrinsic functions for JSONPath states in Step Functions".
 */
import { createHash } from "node:crypto";
import type { JsonValue } from "../types";
import { ExpressionError } from "./errors";
import { adopt, equalJson, isObject } from "./json";
import { compilePath } from "./jsonpath/index";
import { range } from "./jsonata";
import { seededRandom } from "./random";
import type { Scope } from "./scope";

type Argument = (scope: Scope) => JsonValue;
type Apply = (args: readonly JsonValue[], scope: Scope) => JsonValue;

/** True for the call of an intrinsic function, `States.Name(...)`. */
export function isIntrinsic(text: string): boolean {
    return text.startsWith("States.");
}

/**
 * Prepares an intrinsic call. A text that cannot be read gives a function that always fails, as with paths.
 * @returns a function of the scope; it throws ExpressionError.
 */
export function compileIntrinsic(text: string, field: string): (scope: Scope) => JsonValue {
    const fail = (message: string): never => {
        throw new ExpressionError(
            "Intrinsic",
            field,
            `The intrinsic function '${text}' specified for the field '${field}' failed: ${message}`,
        );
    };
    let call: Argument;
    try {
        call = new Parser(text, field).whole();
    } catch (error) {
        const message = (error as Error).message;
        return () => fail(message);
    }
    return (scope) => {
        try {
            return call(scope);
        } catch (error) {
            return error instanceof ExpressionError ? fail(error.message) : fail((error as Error).message);
        }
    };
}

class Parser {
    private position = 0;

    constructor(
        private readonly text: string,
        private readonly field: string,
    ) {}

    whole(): Argument {
        const call = this.call();
        this.space();
        if (this.position < this.text.length) {
            throw new Error(`unexpected text after the call: ${JSON.stringify(this.text.slice(this.position))}`);
        }
        return call;
    }

    private space(): void {
        while (/\s/u.test(this.text[this.position] ?? "")) {
            this.position++;
        }
    }

    private match(pattern: RegExp): string | undefined {
        pattern.lastIndex = this.position;
        const found = pattern.exec(this.text);
        if (found === null) {
            return undefined;
        }
        this.position += found[0].length;
        return found[0];
    }

    private call(): Argument {
        const name = this.match(/States\.[A-Za-z0-9]+/y);
        const definition =
            name === undefined || !Object.hasOwn(FUNCTIONS, name.slice(7)) ? undefined : FUNCTIONS[name.slice(7)];
        if (definition === undefined) {
            throw new Error(
                `unknown intrinsic function ${name ?? JSON.stringify(this.text.slice(this.position))};` +
                    ` known: ${Object.keys(FUNCTIONS)
                        .map((known) => `States.${known}`)
                        .join(", ")}`,
            );
        }
        this.space();
        this.expect("(");
        const args: Argument[] = [];
        this.space();
        if (this.text[this.position] !== ")") {
            for (;;) {
                args.push(this.argument());
                this.space();
                if (this.text[this.position] !== ",") {
                    break;
                }
                this.position++;
            }
        }
        this.expect(")");
        const [least, most, apply] = definition;
        if (args.length < least || args.length > most) {
            const bounds =
                least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
            throw new Error(
                `${name} takes ${bounds} argument${least === 1 && most === 1 ? "" : "s"}, got ${args.length}`,
            );
        }
        return (scope) =>
            apply(
                args.map((argument) => argument(scope)),
                scope,
            );
    }

    private expect(character: string): void {
        if (this.text[this.position] !== character) {
            throw new Error(
                `expected ${character} at character ${this.position + 1}, got ${JSON.stringify(this.text[this.position] ?? "the end")}`,
            );
        }
        this.position++;
    }

    private argument(): Argument {
        this.space();
        const first = this.text[this.position];
        if (first === "'") {
            const value = this.quoted();
            return () => value;
        }
        if (first === "$") {
            const path = compilePath(this.path(), this.field);
            return path.read;
        }
        if (first === "S") {
            return this.call();
        }
        const literal = this.match(/(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y);
        if (literal === undefined) {
            throw new Error(
                `expected a string in single quotes, a number, true, false, null, a path or a call at character ${this.position + 1}`,
            );
        }
        const value = JSON.parse(literal) as JsonValue;
        return () => value;
    }

    /** A path reaches to the comma or parenthesis that is not inside its own brackets. */
    private path(): string {
        const start = this.position;
        let depth = 0;
        let quote = "";
        for (; this.position < this.text.length; this.position++) {
            const character = this.text[this.position];
            if (quote !== "") {
                if (character === "\\") {
                    this.position++;
                } else if (character === quote) {
                    quote = "";
                }
            } else if (depth > 0 && (character === "'" || character === '"')) {
                quote = character;
            } else if (character === "[" || character === "(") {
                depth++;
            } else if (character === "]" || (character === ")" && depth > 0)) {
                depth--;
            } else if (depth === 0 && (character === "," || character === ")")) {
                break;
            }
        }
        return this.text.slice(start, this.position).trim();
    }

    /** A backslash makes the next character literal; before n, r and t it stands for the control character. */
    private quoted(): string {
        let value = "";
        for (this.position++; this.position < this.text.length; this.position++) {
            const character = this.text[this.position];
            if (character === "'") {
                this.position++;
                return value;
            }
            if (character === "\\" && this.position + 1 < this.text.length) {
                const next = this.text[++this.position];
                // Format needs to know which braces were escaped, so those keep their backslash until it has run.
                value +=
                    next === "n"
                        ? "\n"
                        : next === "r"
                          ? "\r"
                          : next === "t"
                            ? "\t"
                            : next === "{" || next === "}"
                              ? `\\${next}`
                              : next;
            } else {
                value += character;
            }
        }
        throw new Error("a string is not closed by '");
    }
}

function text(value: JsonValue, what: string): string {
    if (typeof value !== "string") {
        throw new Error(`${what} must be a string, got ${JSON.stringify(value)}`);
    }
    return value;
}

function plain(value: JsonValue, what: string): string {
    return text(value, what).replace(/\\([{}])/gu, "$1");
}

function list(value: JsonValue, what: string): JsonValue[] {
    if (!Array.isArray(value)) {
        throw new Error(`${what} must be an array, got ${JSON.stringify(value)}`);
    }
    return value;
}

function integer(value: JsonValue, what: string): number {
    if (typeof value !== "number") {
        throw new Error(`${what} must be a number, got ${JSON.stringify(value)}`);
    }
    return Math.round(value);
}

const MAX_TEXT = 10_000;

function limited(value: string, what: string): string {
    if (value.length > MAX_TEXT) {
        throw new Error(`${what} has ${value.length} characters, at most ${MAX_TEXT} are allowed`);
    }
    return value;
}

const HASHES: { readonly [name: string]: string } = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
};

/** Name -> fewest arguments, most arguments, function. */
const FUNCTIONS: { readonly [name: string]: readonly [least: number, most: number, apply: Apply] } = {
    Format: [
        1,
        Infinity,
        (args) => {
            const template = text(args[0], "the template of States.Format");
            let next = 1;
            const result = template.replace(/\\[{}]|\{\}/gu, (found) => {
                if (found !== "{}") {
                    return found[1];
                }
                if (next >= args.length) {
                    throw new Error("there are more {} than arguments");
                }
                const value = args[next++];
                return typeof value === "string" ? plain(value, "an argument") : JSON.stringify(value);
            });
            if (next !== args.length) {
                throw new Error(`there are ${next - 1} {} for ${args.length - 1} arguments`);
            }
            return result;
        },
    ],
    StringToJson: [1, 1, (args) => adopt(JSON.parse(plain(args[0], "the argument")))],
    JsonToString: [1, 1, (args) => JSON.stringify(args[0])],
    Array: [0, Infinity, (args) => args.map(unescaped)],
    ArrayPartition: [
        2,
        2,
        (args) => {
            const values = list(args[0], "the first argument");
            const size = integer(args[1], "the size of a part");
            if (size < 1) {
                throw new Error(`the size of a part must be above 0, got ${size}`);
            }
            const parts: JsonValue[] = [];
            for (let start = 0; start < values.length; start += size) {
                parts.push(values.slice(start, start + size));
            }
            return parts;
        },
    ],
    ArrayContains: [
        2,
        2,
        (args) => {
            const wanted = unescaped(args[1]);
            return list(args[0], "the first argument").some((item) => equalJson(item, wanted));
        },
    ],
    ArrayRange: [
        3,
        3,
        (args) =>
            range(
                integer(args[0], "the first element"),
                integer(args[1], "the last element"),
                integer(args[2], "the step"),
            ),
    ],
    ArrayGetItem: [
        2,
        2,
        (args) => {
            const values = list(args[0], "the first argument");
            const index = integer(args[1], "the index");
            if (index < 0 || index >= values.length) {
                throw new Error(`there is no element ${index} in an array of ${values.length}`);
            }
            return values[index];
        },
    ],
    ArrayLength: [1, 1, (args) => list(args[0], "the argument").length],
    ArrayUnique: [
        1,
        1,
        (args) => {
            const unique: JsonValue[] = [];
            for (const item of list(args[0], "the argument")) {
                if (!unique.some((known) => equalJson(known, item))) {
                    unique.push(item);
                }
            }
            return unique;
        },
    ],
    Base64Encode: [
        1,
        1,
        (args) => Buffer.from(limited(plain(args[0], "the argument"), "the argument"), "utf8").toString("base64"),
    ],
    Base64Decode: [
        1,
        1,
        (args) => {
            const encoded = limited(text(args[0], "the argument"), "the argument");
            if (!/^[A-Za-z0-9+/]*={0,2}$/u.test(encoded)) {
                throw new Error("the argument is not Base64");
            }
            return Buffer.from(encoded, "base64").toString("utf8");
        },
    ],
    Hash: [
        2,
        2,
        (args) => {
            const algorithm = text(args[1], "the algorithm");
            const name = Object.hasOwn(HASHES, algorithm) ? HASHES[algorithm] : undefined;
            if (name === undefined) {
                throw new Error(
                    `the algorithm must be one of ${Object.keys(HASHES).join(", ")}, got ${JSON.stringify(algorithm)}`,
                );
            }
            const data = typeof args[0] === "string" ? plain(args[0], "the data") : JSON.stringify(args[0]);
            return createHash(name).update(limited(data, "the data"), "utf8").digest("hex");
        },
    ],
    JsonMerge: [
        3,
        3,
        (args) => {
            if (!isObject(args[0]) || !isObject(args[1])) {
                throw new Error("the first two arguments must be objects");
            }
            if (args[2] !== false) {
                throw new Error("the third argument must be false: only a shallow merge is supported");
            }
            return { ...args[0], ...args[1] };
        },
    ],
    MathRandom: [
        2,
        3,
        (args, scope) => {
            const start = integer(args[0], "the start");
            const end = integer(args[1], "the end");
            if (start >= end) {
                throw new Error(`the start must be below the end, got ${start} and ${end}`);
            }
            const random = args.length === 3 ? seededRandom(integer(args[2], "the seed")) : scope.host.random;
            return start + Math.floor(random() * (end - start));
        },
    ],
    MathAdd: [
        2,
        2,
        (args) => {
            const sum = integer(args[0], "the first argument") + integer(args[1], "the second argument");
            if (sum < -2147483648 || sum > 2147483647) {
                throw new Error(`the sum ${sum} is outside of a 32-bit integer`);
            }
            return sum;
        },
    ],
    StringSplit: [
        2,
        2,
        (args) => {
            const separators = new Set(plain(args[1], "the separators"));
            const parts: string[] = [];
            let part = "";
            for (const character of plain(args[0], "the string")) {
                if (separators.has(character)) {
                    parts.push(part);
                    part = "";
                } else {
                    part += character;
                }
            }
            parts.push(part);
            return parts.filter((item) => item !== "");
        },
    ],
    UUID: [0, 0, (_, scope) => scope.host.uuid()],
};

function unescaped(value: JsonValue): JsonValue {
    return typeof value === "string" ? plain(value, "an element") : value;
}
