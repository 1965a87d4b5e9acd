/** YAML as CloudFormation, SAM and people write it, with positions, and bounded in size and depth. */
import {
    Composer,
    isAlias,
    isCollection,
    isMap,
    isScalar,
    isSeq,
    LineCounter,
    Parser,
    visit,
    type CST,
    type Document,
    type Node,
    type ScalarTag,
    type YAMLError,
    type YAMLMap,
} from "yaml";
import { DEEPEST_TEXT, type Place } from "../analysis/text";
import { Unreadable, type Parsed } from "./unreadable";

const LARGEST_YAML = 8 * 1024 * 1024;
/** Aliases of one anchor that are followed. */
const MOST_ALIASES = 100;
const FUNCTIONS = [
    ...["Sub", "GetAtt", "Join", "Select", "Split", "If", "ImportValue", "FindInMap", "Base64", "Cidr", "GetAZs"],
    ...["Transform", "Not", "Equals", "And", "Or"],
];

const tag = (name: string, key: string): ScalarTag =>
    ({ tag: name, resolve: (value: string) => ({ [key]: value }) }) as unknown as ScalarTag;
const collectionTag = (name: string, key: string, collection: "seq" | "map") => ({
    tag: name,
    collection,
    resolve: (node: Node) => ({ [key]: node }),
});

/** CloudFormation's short forms, read as their long ones. */
function shortForms(): unknown[] {
    return [
        tag("!Ref", "Ref"),
        tag("!Condition", "Condition"),
        ...FUNCTIONS.map((name) => tag(`!${name}`, `Fn::${name}`)),
        ...FUNCTIONS.flatMap((name) => [
            collectionTag(`!${name}`, `Fn::${name}`, "seq"),
            collectionTag(`!${name}`, `Fn::${name}`, "map"),
        ]),
    ];
}

/** All documents of a text. Throws Unreadable for what is no YAML, too large or nested too deep. */
export function readYaml(file: string, text: string): Parsed[] {
    if (text.length > LARGEST_YAML) {
        const length = text.length.toLocaleString("en");
        const most = LARGEST_YAML.toLocaleString("en");
        throw new Unreadable(file, `the YAML has ${length} characters; at most ${most} are read`);
    }
    let body = text;
    for (let repairs = 0; ; repairs += 1) {
        const { documents, lines } = compose(file, body);
        const errors = documents.flatMap((document) => document.errors);
        const indent = errors.find((error) => isTooLittleIndented(error, body));
        if (indent === undefined || repairs === MOST_REPAIRS) {
            return documents.map((document) => read(file, document, placeOf(lines)));
        }
        const start = body.lastIndexOf("\n", indent.pos[0] - 1) + 1;
        body = `${body.slice(0, start)}${INDENT}${body.slice(start)}`;
    }
}

/**
 * A flow collection that ends at the indent of its key: the specification forbids it, the parsers of CloudFormation
 * and SAM read it. Its line is indented here until it can be read; the line's number stays.
 */
function isTooLittleIndented({ code, pos }: YAMLError, text: string): boolean {
    const [at] = pos;
    const isFirst = text.slice(text.lastIndexOf("\n", at - 1) + 1, at).trim() === "";
    return code === "BAD_INDENT" && isFirst && (text[at] === "]" || text[at] === "}");
}
const INDENT = " ".repeat(80);
const MOST_REPAIRS = 100;

interface Composed {
    readonly documents: readonly Document.Parsed[];
    readonly lines: LineCounter;
}

function compose(file: string, text: string): Composed {
    const lines = new LineCounter();
    const tokens = [...new Parser(lines.addNewLine).parse(text)];
    const deep = tooDeep(tokens);
    if (deep !== undefined) {
        throw new Unreadable(file, `the text is nested more than ${DEEPEST_TEXT} deep`, placeOf(lines)(deep));
    }
    // The composer's own search for duplicate keys compares each with each.
    const composer = new Composer({ customTags: shortForms() as never, uniqueKeys: false, merge: true });
    return { documents: [...composer.compose(tokens)], lines };
}

const placeOf =
    (lines: LineCounter) =>
    (offset: number): Place => {
        const { line, col } = lines.linePos(offset);
        return { line: Math.max(1, line), column: Math.max(1, col) };
    };

function read(file: string, document: Document.Parsed, at: (offset: number) => Place): Parsed {
    const error = document.errors[0];
    if (error !== undefined) {
        const [message = "this is no YAML"] = error.message.split("\n");
        throw new Unreadable(file, message.replace(/ at line \d+, column \d+:?$/, ""), at(error.pos[0]));
    }
    const loop = selfReference(document);
    if (loop !== undefined) {
        throw new Unreadable(file, "an alias refers to something that contains it", at(loop));
    }
    let value: unknown;
    try {
        value = document.toJS({ maxAliasCount: MOST_ALIASES });
    } catch (problem) {
        throw new Unreadable(file, (problem as Error).message.split("\n")[0] ?? "", { line: 1, column: 1 });
    }
    return {
        value: plain(value, 0),
        position: (path: string) => at(offsetOf(document, path)),
        problems: duplicates(document).map((offset) => ({
            rule: "duplicate-key",
            path: "",
            message: "A key stands twice in this object: the last one silently wins.",
            ...at(offset),
        })),
    };
}

/** The offset at which collections are nested deeper than is safe. */
function tooDeep(documents: readonly CST.Token[]): number | undefined {
    const work = documents.map((token) => ({ token, depth: 0 }));
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        const depth = item.depth + 1;
        if (item.depth > DEEPEST_TEXT) {
            return item.token.offset;
        }
        work.push(...tokensIn(item.token).map((token) => ({ token, depth })));
    }
    return undefined;
}

function tokensIn(token: CST.Token): CST.Token[] {
    switch (token.type) {
        case "document":
            return token.value === undefined ? [] : [token.value];
        case "block-map":
        case "block-seq":
        case "flow-collection":
            return token.items.flatMap(({ key, value }) => [key ?? [], value ?? []].flat());
        default:
            return [];
    }
}

/** The offset of an alias inside its own anchor. */
function selfReference(document: Document.Parsed): number | undefined {
    let found: number | undefined;
    visit(document, {
        Alias: (_, alias, path) => {
            if (path.some((above) => isCollection(above) && above.anchor === alias.source)) {
                found ??= alias.range?.[0] ?? 0;
            }
        },
    });
    return found;
}

/** The offsets of keys that stood in the same object before. */
function duplicates(document: Document.Parsed): number[] {
    const found: number[] = [];
    visit(document, {
        Map: (_, map) => {
            const seen = new Set<string>();
            for (const { key } of map.items) {
                const name = isScalar(key) ? String(key.value) : undefined;
                if (name !== undefined && name !== "<<" && seen.has(name)) {
                    found.push((key as Node).range?.[0] ?? 0);
                }
                seen.add(name ?? "<<");
            }
        },
    });
    return found;
}

const pairs = new WeakMap<YAMLMap, Map<string, YAMLMap["items"][number]>>();

function pairsOf(map: YAMLMap): Map<string, YAMLMap["items"][number]> {
    let found = pairs.get(map);
    if (found === undefined) {
        const named = map.items.filter(({ key }) => isScalar(key));
        found = new Map(named.map((pair) => [String((pair.key as { value: unknown }).value), pair]));
        pairs.set(map, found);
    }
    return found;
}

function offsetOf(document: Document.Parsed, path: string): number {
    let node: unknown = document.contents;
    let offset = document.contents?.range[0] ?? 0;
    for (const part of path === "" ? [] : path.split("/")) {
        const key = part.replace(/~1/g, "/").replace(/~0/g, "~");
        if (isAlias(node)) {
            node = node.resolve(document);
        }
        if (isMap(node)) {
            const pair = pairsOf(node).get(key);
            if (pair === undefined) {
                return offset;
            }
            offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
            node = pair.value;
        } else if (isSeq(node)) {
            node = node.items[Number(key)];
            offset = (node as Node | undefined)?.range?.[0] ?? offset;
        } else {
            return offset;
        }
    }
    return offset;
}

/** Custom tags leave nodes of the parser inside the value. */
function plain(value: unknown, depth: number): unknown {
    if (typeof value !== "object" || value === null || depth > DEEPEST_TEXT) {
        return value;
    }
    if (isCollection(value) || isScalar(value)) {
        return plain(value.toJSON(), depth + 1);
    }
    if (value instanceof Date) {
        return value.toISOString();
    }
    if (Array.isArray(value)) {
        return value.map((item) => plain(item, depth + 1));
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]));
}
