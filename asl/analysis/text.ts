/**
 * The text of a definition: JSON with positions, every problem with its line and column, and no recursion deeper than is safe.
 */
import { parseTree, printParseErrorCode, type Node as TextNode, type ParseError } from "jsonc-parser";
import type { Reported } from "./findings";

/** Payloads and scopes deeper than this are refused; AWS stops earlier, and JSON.stringify of V8 much later. */
export const deepest = 200;
/** Nesting of a text beyond which it is not read: parsers recurse. */
export const DEEPEST_TEXT = deepest * 2;

export interface JsonDocument {
    /** Undefined when the text is no JSON. */
    readonly value: unknown;
    /** Line and column of a path such as `States/A/Next`, or of the nearest part of it that is there. */
    readonly position: (path: string) => Place;
    /** Rules json-syntax, duplicate-key and not-a-definition. */
    readonly problems: readonly (Reported & Place)[];
}

export interface Place {
    readonly line: number;
    readonly column: number;
}

export function readJson(text: string): JsonDocument {
    const position = positions(text);
    const nested = deepText(text);
    const failed = (rule: string, message: string, offset: number): JsonDocument => ({
        value: undefined,
        position: () => position(offset),
        problems: [{ rule, path: "", message, ...position(offset) }],
    });
    if (nested !== undefined) {
        return failed("not-a-definition", `The text is nested more than ${DEEPEST_TEXT} deep.`, nested);
    }
    const errors: ParseError[] = [];
    const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
    const shift = text.length - body.length;
    const tree = parseTree(body, errors, {
        disallowComments: true,
        allowTrailingComma: false,
        allowEmptyContent: false,
    });
    if (errors.length > 0 || tree === undefined) {
        const first = errors[0] as ParseError | undefined;
        const offset = strayComma(body, first?.offset ?? 0) ?? first?.offset ?? 0;
        return failed(
            "json-syntax",
            body[offset] === ","
                ? "Stray comma: nothing follows it."
                : `The text is not JSON: ${first === undefined ? "it is empty" : words(printParseErrorCode(first.error))}.`,
            offset + shift,
        );
    }
    const { value, places, duplicates } = readTree(tree);
    return {
        value,
        position: (path) => position((places(path) ?? 0) + shift),
        problems: duplicates.map((duplicate) => ({
            rule: "duplicate-key",
            path: duplicate.path,
            ...position(duplicate.offset + shift),
            message: `The key "${duplicate.key.slice(0, 80)}" stands twice in this object: the last one silently wins.`,
        })),
    };
}

const words = (code: string): string =>
    code
        .replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
        .toLowerCase();

/** Line and column of an offset, both from 1. */
export function positions(text: string): (offset: number) => { readonly line: number; readonly column: number } {
    const starts = [0];
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
        starts.push(at + 1);
    }
    return (offset) => {
        let low = 0;
        let high = starts.length - 1;
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if (starts[middle] <= offset) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return { line: low + 1, column: offset - starts[low] + 1 };
    };
}

/** The offset of the comma just before a place where a value or a key was expected and a bracket came. */
function strayComma(text: string, offset: number): number | undefined {
    let at = offset;
    while (at > 0 && /[\s\]}]/.test(text[at] ?? " ")) {
        at -= 1;
    }
    return text[at] === "," && /^,\s*[\]}]/.test(text.slice(at, at + 10_000)) ? at : undefined;
}

/** The offset at which brackets are nested too deep for a parser that recurses. */
export function deepText(text: string): number | undefined {
    let depth = 0;
    let quoted = false;
    for (let at = 0; at < text.length; at += 1) {
        const code = text.charCodeAt(at);
        if (quoted) {
            if (code === 0x5c) {
                at += 1;
            } else if (code === 0x22) {
                quoted = false;
            }
        } else if (code === 0x22) {
            quoted = true;
        } else if (code === 0x7b || code === 0x5b) {
            depth += 1;
            if (depth > deepest * 2) {
                return at;
            }
        } else if (code === 0x7d || code === 0x5d) {
            depth -= 1;
        }
    }
    return undefined;
}

interface Duplicate {
    readonly path: string;
    readonly key: string;
    readonly offset: number;
}

interface Tree {
    readonly value: unknown;
    readonly places: (path: string) => number | undefined;
    readonly duplicates: readonly Duplicate[];
}

/** The value of a syntax tree, duplicate keys, and where each path stands. */
function readTree(tree: TextNode): Tree {
    const duplicates: Duplicate[] = [];
    const read = (node: TextNode, path: string): unknown => {
        if (node.type === "array") {
            return (node.children ?? []).map((child, index) => read(child, `${path}/${index}`));
        }
        if (node.type === "object") {
            const value: { [key: string]: unknown } = {};
            for (const property of node.children ?? []) {
                const [name, child] = property.children ?? [];
                if (name === undefined || child === undefined) {
                    continue;
                }
                const key = String(name.value);
                if (Object.hasOwn(value, key)) {
                    duplicates.push({ path: path.slice(1), key, offset: name.offset });
                }
                // A plain assignment to "__proto__" would set the prototype.
                Object.defineProperty(value, key, {
                    value: read(child, `${path}/${key}`),
                    enumerable: true,
                    configurable: true,
                    writable: true,
                });
            }
            return value;
        }
        return node.value as unknown;
    };
    const places = (path: string): number | undefined => {
        let node: TextNode | undefined = tree;
        let offset = tree.offset;
        for (const part of path === "" ? [] : path.split("/")) {
            const key = part.replace(/~1/g, "/").replace(/~0/g, "~");
            if (node?.type === "array") {
                node = node.children?.[Number(key)];
            } else if (node?.type === "object") {
                const property: TextNode | undefined = node.children
                    ?.filter((child) => child.children?.[0]?.value === key)
                    .at(-1);
                if (property === undefined) {
                    return offset;
                }
                offset = property.offset;
                node = property.children?.[1];
                continue;
            } else {
                return offset;
            }
            if (node === undefined) {
                return offset;
            }
            offset = node.offset;
        }
        return offset;
    };
    return { value: read(tree, ""), places, duplicates };
}
