/**
 * Reads JSONPath as Jayway's library does, which Step Functions uses: `$.a.['b c']` and `$.[0]` are paths, a name ends
 * at ".", "[" or "(", `['a','b']` at the end makes one object of both, and functions such as `length()` may end a path.
 */
import type { JsonValue } from "../../types";
import { parseFilter } from "./filterSyntax";
import { parseLenient } from "./lenient";
import { endOfQuote, unescaped } from "./strings";
import { isDefinite, type Parameter, type PathTree, type Token } from "./tree";

const BLANKS = /^[ \t\r\n]+|[ \t\r\n]+$/gu;

/** @throws Error, saying what is wrong and where, when the text is no path. */
export function parsePathTree(text: string): PathTree {
    const trimmed = text.replace(BLANKS, "");
    const root = trimmed[0];
    if (root !== "$" && root !== "@") {
        throw new Error(`a path begins with $, got ${JSON.stringify(text)}`);
    }
    if (trimmed.endsWith(".")) {
        throw new Error(`a path must not end with ".", got ${JSON.stringify(text)}`);
    }
    const tokens = new PathReader(trimmed).read();
    return finished(root, tokens);
}

function finished(root: "$" | "@", tokens: Token[]): PathTree {
    const last = tokens.at(-1);
    // A function at the end of a scan is of all that the scan finds.
    if (last?.kind === "function" && tokens[0]?.kind === "scan") {
        if (tokens.length === 2) {
            throw new Error("a name, * or [ must follow ..");
        }
        const path = treeOf("$", tokens.slice(0, -1));
        return treeOf("$", [{ ...last, parameters: [{ path }] }]);
    }
    return treeOf(root, tokens);
}

function treeOf(root: "$" | "@", tokens: readonly Token[]): PathTree {
    const definite = tokens.every((token, index) => isDefinite(token, index === tokens.length - 1));
    return { root, tokens, definite };
}

class PathReader {
    private position = 1;
    private readonly tokens: Token[] = [];

    constructor(private readonly text: string) {}

    read(): Token[] {
        while (this.position < this.text.length) {
            this.next();
        }
        if (this.tokens.at(-1)?.kind === "scan") {
            throw this.wrong("a name, * or [ must follow ..");
        }
        const early = this.tokens.findIndex(({ kind }) => kind === "function");
        if (early >= 0 && early < this.tokens.length - 1) {
            throw this.wrong("nothing may follow a function");
        }
        return this.tokens;
    }

    private wrong(message: string): Error {
        return new Error(`${message} at character ${this.position + 1} of ${JSON.stringify(this.text)}`);
    }

    private next(): void {
        const character = this.text[this.position];
        if (character === "[") {
            this.bracket();
            return;
        }
        if (character !== ".") {
            throw this.wrong(`unexpected ${JSON.stringify(character)}`);
        }
        this.position += 1;
        if (this.text[this.position] === ".") {
            this.tokens.push({ kind: "scan" });
            this.position += 1;
        }
        switch (this.text[this.position]) {
            case "[":
                this.bracket();
                break;
            case "*":
                this.position += 1;
                this.tokens.push({ kind: "wildcard" });
                break;
            default:
                this.nameOrFunction();
        }
    }

    private nameOrFunction(): void {
        const begin = this.position;
        const end = this.text.slice(begin).search(/[.[( ]/u);
        this.position = end < 0 ? this.text.length : begin + end;
        const name = this.text.slice(begin, this.position);
        if (this.text[this.position] === " ") {
            throw this.wrong("a name with a blank is written ['in brackets'], unexpected blank");
        }
        if (this.text[this.position] === "(") {
            this.tokens.push({ kind: "function", name, parameters: this.parameters(name) });
        } else if (name === "") {
            throw this.wrong("a name or * must follow .");
        } else {
            this.tokens.push({ kind: "names", names: [name] });
        }
    }

    private parameters(name: string): Parameter[] {
        const end = closing(this.text, this.position, "(", ")");
        if (end < 0) {
            throw this.wrong(`the arguments of ${name} are not closed`);
        }
        const texts = splitAtCommas(this.text.slice(this.position + 1, end));
        this.position = end + 1;
        return texts.flatMap(parameterOf);
    }

    private bracket(): void {
        const inside = this.text.slice(this.position + 1).replace(/^ +/u, "");
        if (inside.startsWith("?")) {
            this.filter();
            return;
        }
        const quote = inside[0] === "'" || inside[0] === '"';
        const end = quote ? closing(this.text, this.position, "[", "]") : this.text.indexOf("]", this.position);
        if (end < 0) {
            throw this.wrong("a [ is not closed, which stands");
        }
        const content = this.text.slice(this.position + 1, end).trim();
        const token = content === "*" ? ({ kind: "wildcard" } as const) : (namesIn(content) ?? numbersIn(content));
        if (token === undefined) {
            throw this.wrong(`[${content}] is neither an index, a quoted name, a slice, * nor a filter`);
        }
        this.position = end + 1;
        this.tokens.push(token);
    }

    private filter(): void {
        const open = this.text.indexOf("?", this.position) + 1;
        const parenthesis = open + (/^ */u.exec(this.text.slice(open))?.[0].length ?? 0);
        const close = this.text[parenthesis] === "(" ? closing(this.text, parenthesis, "(", ")", true) : -1;
        const after = /^ *\]/u.exec(this.text.slice(close + 1));
        if (close < 0 || after === null) {
            throw this.wrong("a filter is written [?( condition )], unexpected [?");
        }
        this.tokens.push({ kind: "filter", test: parseFilter(this.text.slice(parenthesis, close + 1), parsePathTree) });
        this.position = close + 1 + after[0].length;
    }
}

/** The position that closes the bracket at `start`, or -1; in quotes, and in /patterns/, brackets do not count. */
function closing(text: string, start: number, open: string, close: string, patterns = false): number {
    let depth = 0;
    for (let index = start; index < text.length; index += 1) {
        const character = text[index] ?? "";
        if (character === "'" || character === '"' || (patterns && character === "/")) {
            index = endOfQuote(text, index);
            if (index < 0) {
                return -1;
            }
        } else if (character === open) {
            depth += 1;
        } else if (character === close) {
            depth -= 1;
            if (depth === 0) {
                return index;
            }
        }
    }
    return -1;
}

const QUOTED = /^(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/su;

/** `'a'` or `'a', 'b'`. */
function namesIn(content: string): Token | undefined {
    const names: string[] = [];
    let rest = content;
    for (;;) {
        const found = QUOTED.exec(rest)?.[0];
        if (found === undefined || found[0] !== content[0]) {
            return undefined;
        }
        names.push(unescaped(found.slice(1, -1)));
        rest = rest.slice(found.length).trimStart();
        if (rest === "") {
            return { kind: "names", names };
        }
        if (!rest.startsWith(",")) {
            return undefined;
        }
        rest = rest.slice(1).trimStart();
    }
}

/** `0`, `0, 2`, `1:`, `:2` or `1:2`. A step, as in `0:4:2`, is accepted and means nothing. */
function numbersIn(content: string): Token | undefined {
    if (/^-?\d+(?: *, *-?\d+)*$/u.test(content)) {
        return { kind: "indices", indices: content.split(",").map(integer) };
    }
    const slice = /^(-?\d*):(-?\d*)(?::-?\d*)*$/u.exec(content);
    const [, from = "", to = ""] = slice ?? [];
    if (slice === null || (from === "" && to === "")) {
        return undefined;
    }
    return { kind: "slice", from: from === "" ? undefined : integer(from), to: to === "" ? undefined : integer(to) };
}

const MOST = 2_147_483_647;

function integer(text: string): number {
    const value = Number(text);
    if (!Number.isInteger(value) || value > MOST || value < -MOST - 1) {
        throw new Error(`an index has at most 32 bits, got ${text}`);
    }
    return value;
}

/** The texts between the commas that stand in no bracket and no quote. */
function splitAtCommas(text: string): string[] {
    const parts: string[] = [];
    let begin = 0;
    let depth = 0;
    for (let index = 0; index < text.length; index += 1) {
        const character = text[index] ?? "";
        if (character === '"') {
            index = Math.max(index, endOfQuote(text, index));
        } else if ("([{".includes(character)) {
            depth += 1;
        } else if (")]}".includes(character)) {
            depth -= 1;
        } else if (character === "," && depth === 0) {
            parts.push(text.slice(begin, index));
            begin = index + 1;
        }
    }
    return [...parts, text.slice(begin)].map((part) => part.trim());
}

/** What is neither a path nor JSON is no parameter, and left out. */
function parameterOf(text: string): Parameter[] {
    if (text.startsWith("$") || text.startsWith("@")) {
        return [{ path: parsePathTree(text) }];
    }
    return /^[{\d"-]/u.test(text) ? [{ value: parseLenient(text) as JsonValue }] : [];
}
