/**
 * Analysis of state machines written in Amazon States Language: structure, and the proof that no failure ends in silence.
 * It takes any definition, never throws, and needs neither AWS nor the network. See RULES.md for the rules.
 */
import { parseTree, printParseErrorCode, type Node as TextNode, type ParseError } from "jsonc-parser";
import type { Context } from "./context";
import { checkData } from "./data";
import { checkFailureFlow, defaultNotification } from "./failure";
import { Reporter, type Finding } from "./findings";
import { buildGraph, isFields, type Fields } from "./graph";
import { checkJobs } from "./jobs";
import { Expressions } from "./jsonata";
import { checkLoops } from "./loops";
import { rules } from "./rules";
import { checkStructure, largestDefinition, show } from "./structure";
import { checkTiming } from "./timing";
import { checkTotality } from "./totality";
import { checkVariables, Variables } from "./variables";
import { Ways } from "./ways";

export { describeSteps } from "./findings";
export type { Finding, RuleGroup, RuleMetadata, Severity, Step } from "./findings";
export { defaultNotification } from "./failure";
export { rules } from "./rules";

export interface AnalysisOptions {
    /**
     * "declared" (default): a failure may be recorded for a join by a Pass whose Comment begins `records-failure-for: <join state>`.
     * "forbidden": every failure ends in a Fail.
     */
    readonly tolerance?: "declared" | "forbidden";
    /** Names of rules that are not checked. */
    readonly disable?: readonly string[];
    /**
     * Integrations that count as telling somebody; default sns:publish, sqs:sendMessage, events:putEvents.
     * "lambda:<function name>" makes a function one.
     */
    readonly notification?: readonly string[];
}

/** Payloads and scopes deeper than this are refused; AWS stops earlier, and JSON.stringify of V8 much later. */
const deepest = 200;

/**
 * Analyses a definition.
 *
 * @param definition the definition as a value; anything else is reported, not thrown
 * @returns what was found: in the order of the definition's states, errors before warnings at the same place
 */
export function analyse(definition: unknown, options: AnalysisOptions = {}): Finding[] {
    const report = new Reporter(options.disable ?? [], rules);
    if (!isFields(definition)) {
        report.add({ rule: "not-a-definition", path: "", message: `A definition is an object with StartAt and States, got ${show(definition)}.` });
        return report.findings;
    }
    const tooDeep = deeperThan(definition, deepest);
    if (tooDeep !== undefined) {
        report.add({ rule: "not-a-definition", path: tooDeep, message: `The definition ${tooDeep === "" ? "refers to itself" : `is nested more than ${deepest} deep`}: `
            + `it cannot be deployed, and nothing in it was checked.` });
        return report.findings;
    }
    const bytes = Buffer.byteLength(JSON.stringify(definition) ?? "");
    if (bytes > largestDefinition) {
        report.add({ rule: "definition-too-large", path: "", message: `The definition has ${bytes.toLocaleString("en")} bytes as compact JSON; `
            + `AWS takes at most ${largestDefinition.toLocaleString("en")}.` });
    }
    const graph = buildGraph(definition);
    const context: Context = {
        graph, report, expressions: new Expressions(),
        settings: { tolerance: options.tolerance ?? "declared", notification: options.notification ?? defaultNotification },
    };
    const ways = new Ways();
    checkStructure(context);
    const variables = new Variables(graph, context.expressions);
    checkFailureFlow(context, ways, variables);
    checkVariables(context, ways, variables);
    checkTotality(context, ways, variables);
    checkData(context, ways);
    checkLoops(context, ways, variables);
    checkJobs(context, ways, variables);
    checkTiming(context, variables);
    return report.findings;
}

/**
 * Analyses the text of a definition (JSON). Findings carry line and column; a text that is no JSON yields one finding.
 */
export function analyseText(text: string, options: AnalysisOptions = {}): Finding[] {
    const report = new Reporter(options.disable ?? [], rules);
    const position = positions(text);
    const nested = deepText(text);
    if (nested !== undefined) {
        report.add({ rule: "not-a-definition", path: "", message: `The text is nested more than ${deepest * 2} deep.`, ...position(nested) });
        return report.findings;
    }
    const errors: ParseError[] = [];
    const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
    const shift = text.length - body.length;
    const tree = parseTree(body, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
    if (errors.length > 0 || tree === undefined) {
        const first = errors[0] as ParseError | undefined;
        const offset = strayComma(body, first?.offset ?? 0) ?? first?.offset ?? 0;
        const comma = body[offset] === ",";
        report.add({
            rule: "json-syntax", path: "", ...position(offset + shift),
            message: comma ? "Stray comma: nothing follows it." : `The text is not JSON: ${first === undefined ? "it is empty" : words(printParseErrorCode(first.error))}.`,
        });
        return report.findings;
    }
    const { value, places, duplicates } = readTree(tree);
    for (const duplicate of duplicates) {
        report.add({
            rule: "duplicate-key", path: duplicate.path, ...position(duplicate.offset + shift),
            message: `The key "${duplicate.key.slice(0, 80)}" stands twice in this object: the last one silently wins.`,
        });
    }
    const found = analyse(value, options).map((finding) => {
        const offset = places(finding.path);
        return offset === undefined ? finding : { ...finding, ...position(offset + shift) };
    });
    return [...report.findings, ...found];
}

const words = (code: string): string => code.replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`).toLowerCase();

/** Line and column of an offset, both from 1. */
function positions(text: string): (offset: number) => { readonly line: number; readonly column: number } {
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
function deepText(text: string): number | undefined {
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

interface Document {
    readonly value: unknown;
    readonly places: (path: string) => number | undefined;
    readonly duplicates: readonly Duplicate[];
}

/** The value of a syntax tree, duplicate keys, and where each path stands. */
function readTree(tree: TextNode): Document {
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
                Object.defineProperty(value, key, { value: read(child, `${path}/${key}`), enumerable: true, configurable: true, writable: true });
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
                const property: TextNode | undefined = node.children?.filter((child) => child.children?.[0]?.value === key).at(-1);
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

/** The path of the first value deeper than `most`; "" for an object that contains itself. */
function deeperThan(value: Fields, most: number): string | undefined {
    const work: { value: unknown; depth: number; path: string }[] = [{ value, depth: 0, path: "" }];
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        if (typeof item.value !== "object" || item.value === null) {
            continue;
        }
        if (item.depth > most) {
            return item.path.split("/").slice(0, 20).join("/");
        }
        for (const key of Object.keys(item.value)) {
            const child = (item.value as { [key: string]: unknown })[key];
            if (typeof child === "object" && child !== null) {
                work.push({ value: child, depth: item.depth + 1, path: item.path === "" ? key : `${item.path}/${key}` });
            }
        }
    }
    return undefined;
}
