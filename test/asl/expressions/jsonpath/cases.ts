/** Paths and documents that hold the evaluation of JSONPath against Jayway's library. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { evaluatePath } from "../../../../asl/expressions/jsonpath/evaluate";
import { parsePathTree } from "../../../../asl/expressions/jsonpath/parse";
import type { JsonValue } from "../../../../asl/types";

/** A path, and what it is evaluated on. */
export interface PathCase {
    readonly path: string;
    readonly document: JsonValue;
}

const KEYS = ["a", "b", "c", "d-e", "f g"];
const key = fc.constantFrom("a", "a", "a", "b", "b", ...KEYS);
const text = fc.constantFrom("x", "y", "xy", "1", "1.5", "", "X y", "it's", "$.a", "[1]", "'q'");
const scalar = fc.oneof(
    fc.integer({ min: -3, max: 5 }),
    fc.constantFrom(0.5, 1.5),
    text,
    fc.boolean(),
    fc.constant(null),
);

const { value: document } = fc.letrec<{ value: JsonValue; list: JsonValue; object: JsonValue }>((tie) => ({
    value: fc.oneof(
        { maxDepth: 4 },
        { arbitrary: scalar, weight: 2 },
        { arbitrary: tie("list"), weight: 3 },
        {
            arbitrary: tie("object"),
            weight: 5,
        },
    ),
    list: fc.array(tie("value"), { maxLength: 4 }),
    object: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
}));

function quoted(name: string): fc.Arbitrary<string> {
    return fc.constantFrom(`['${name}']`, `["${name}"]`, `[ '${name}' ]`, `.['${name}']`);
}

const name = key.chain((found) =>
    found.includes(" ") ? quoted(found) : fc.oneof(fc.constant(`.${found}`), quoted(found)),
);
const number = fc.integer({ min: -3, max: 4 });
const index = number.chain((found) => fc.constantFrom(`[${found}]`, `.[${found}]`, `[ ${found} ]`));
const bound = fc.option(number, { nil: "" });
const slice = fc.tuple(bound, bound).map(([from, to]) => `[${from}:${to}]`);
const indices = fc.tuple(number, number).map(([left, right]) => `[${left}, ${right}]`);
const names = fc.tuple(key, key).map(([left, right]) => `['${left}', '${right}']`);
const wildcard = fc.constantFrom("[*]", ".*");
const functions = fc.constantFrom(
    ".length()",
    ".size()",
    ".min()",
    ".max()",
    ".sum()",
    ".avg()",
    ".stddev()",
    ".keys()",
    ".first()",
    ".last()",
    ".index(1)",
    ".index(-1)",
    ".append(7)",
    '.concat("z")',
    ".sum(2, 3)",
    ".length($.a)",
    ".sum($.a, $.b)",
    ".missing()",
);

const inner = fc.oneof(
    { arbitrary: fc.constant(""), weight: 2 },
    { arbitrary: key.filter((found) => /^\w+$/u.test(found)).map((found) => `.${found}`), weight: 8 },
    {
        arbitrary: fc
            .tuple(key, fc.constantFrom("[0]", "[*]", ".a", ".length()", "[-1]", "..b"))
            .map(([found, more]) => `['${found}']${more}`),
        weight: 3,
    },
);
const valuePath = fc.tuple(fc.constantFrom("@", "@", "@", "$"), inner).map(([root, path]) => root + path);
const literal = fc.oneof(
    fc.integer({ min: -3, max: 5 }).map(String),
    fc.constantFrom("0.5", "1.50", "'x'", '"xy"', "'1'", "''", "'it\\'s'", "true", "false", "null"),
);
const list = fc.array(literal, { maxLength: 3 }).map((items) => `[${items.join(", ")}]`);
const side = fc.oneof(
    { arbitrary: valuePath, weight: 3 },
    { arbitrary: literal, weight: 2 },
    { arbitrary: list, weight: 1 },
);
const comparison = fc.oneof(
    fc
        .tuple(side, fc.constantFrom("==", "!=", "<", "<=", ">", ">=", "===", "!=="), side)
        .map((parts) => parts.join(" ")),
    fc
        .tuple(side, fc.constantFrom("in", "nin", "IN", "anyof", "noneof", "subsetof", "contains", "all"), side)
        .map((parts) => parts.join(" ")),
    fc
        .tuple(valuePath, fc.constantFrom("size 2", "size -1", "empty true", "empty false", "exists true"))
        .map((parts) => parts.join(" ")),
    fc
        .tuple(valuePath, fc.constantFrom("/x.*/", "/X/i", "/[0-9]+/", "/.*y$/"))
        .map(([path, pattern]) => `${path} =~ ${pattern}`),
    valuePath,
    valuePath.map((path) => `!${path}`),
    valuePath.map((path) => `${path}==1`),
);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
        { maxDepth: 3 },
        { arbitrary: comparison, weight: 5 },
        {
            arbitrary: fc.array(tie("condition"), { minLength: 2, maxLength: 3 }).map((parts) => parts.join(" && ")),
            weight: 1,
        },
        {
            arbitrary: fc.array(tie("condition"), { minLength: 2, maxLength: 3 }).map((parts) => parts.join(" || ")),
            weight: 1,
        },
        { arbitrary: tie("condition").map((part) => `(${part})`), weight: 1 },
        { arbitrary: tie("condition").map((part) => `!(${part})`), weight: 1 },
    ),
}));
const filter = condition.map((found) => `[?(${found})]`);

const step = fc.oneof(
    { arbitrary: name, weight: 8 },
    { arbitrary: index, weight: 3 },
    { arbitrary: wildcard, weight: 2 },
    { arbitrary: filter, weight: 4 },
    { arbitrary: fc.oneof(slice, indices, names), weight: 2 },
);
const tail = fc.oneof({ arbitrary: fc.constant(""), weight: 4 }, { arbitrary: functions, weight: 1 });
/** Behind `..`: a name and more, or one step of another kind; with more behind that, the library keeps state. */
const scan = fc.oneof(
    fc
        .tuple(
            key.filter((found) => /^\w+$/u.test(found)),
            fc.array(step, { maxLength: 2 }),
            tail,
        )
        .map(([found, steps, end]) => `..${found}${steps.join("")}${end}`),
    fc.oneof(filter, fc.constant("[*]"), fc.constant("[0]"), fc.constant("*"), names).map((found) => `..${found}`),
);
const path = fc.oneof(
    {
        arbitrary: fc.tuple(fc.array(step, { maxLength: 4 }), tail).map(([steps, end]) => `$${steps.join("")}${end}`),
        weight: 5,
    },
    {
        arbitrary: fc
            .tuple(fc.array(step, { maxLength: 1 }), scan)
            .map(([steps, found]) => `$${steps.join("")}${found}`),
        weight: 1,
    },
);

/** The library takes no null for a document, and writes objects inside a text as Java does. */
function isComparable({ path: found, document: given }: PathCase): boolean {
    return given !== null && !(found.includes("..") && found.includes("concat"));
}

/** Cases of a seed, always the same. */
export function casesOf(seed: number, count: number): PathCase[] {
    return fc.sample(fc.record({ path, document }), { seed, numRuns: count }).filter(isComparable);
}

/** What a path gives: its value, or why it gives none. */
export interface Answer {
    readonly value?: JsonValue;
    readonly error?: string;
}

/** What this project's evaluation gives, before AWS's own rule that a list of matches may be empty. */
export function evaluated({ path: text, document: given }: PathCase): Answer {
    try {
        return { value: evaluatePath(parsePathTree(text), given) };
    } catch (error) {
        return { error: (error as Error).message };
    }
}

/** Whether both fail, or both give the same. */
export function agree(one: Answer, other: Answer): boolean {
    const failed = [one, other].map(({ error }) => error !== undefined);
    return failed[0] === failed[1] && isDeepStrictEqual(one.value, other.value);
}
