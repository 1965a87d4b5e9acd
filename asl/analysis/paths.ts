/**
 * JSONPath as Step Functions understands it (Jayway's dialect), reduced to what an analysis must know: is it well formed,
 * is it a reference path, which segments does it name for certain; and the calls of intrinsic functions, with their
 * arguments.
 */
export type Root = "input" | "context" | { readonly variable: string };

export interface ParsedPath {
    readonly root: Root;
    /** The leading segments that name exactly one place each; an array index is a segment like "[0]". */
    readonly segments: readonly string[];
    /**
     * False when wildcards, slices, filters, unions, recursive descent or functions follow: AWS then yields [] instead
     * of an error.
     */
    readonly definite: boolean;
}

const IDENTIFIER = /^[\p{L}_$][\p{L}\p{N}_$]*/u;
/** Characters that end a field's name behind a dot. */
const NAME_ENDS = ".[]()*'\" \t\n?,";
const QUOTED = /^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")$/s;
const INDEX = /^\d+$/;
/** A wildcard, a slice, a negative index, several indices, a filter, a script. */
const SEVERAL = /^(?:\*|-?\d*\s*:\s*-?\d*(?:\s*:\s*-?\d*)?|-\d+|-?\d+(?:\s*,\s*-?\d+)+|\?.*|\(.*\))$/s;
const SEVERAL_NAMES = /^(?:'[^']*'|"[^"]*")(?:\s*,\s*(?:'[^']*'|"[^"]*"))+$/s;

const parsed = new Map<string, ParsedPath | string>();
/** Paths are short and repeat themselves; more than this are not kept. */
const MOST_KEPT = 20_000;

/** Parses a path. A string says what is wrong with it. */
export function parsePath(text: string): ParsedPath | string {
    let found = parsed.get(text);
    if (found === undefined) {
        found = new PathReader(text.trimEnd()).read();
        if (parsed.size < MOST_KEPT) {
            parsed.set(text, found);
        }
    }
    return found;
}

class PathReader {
    private at = 1;
    private readonly segments: string[] = [];
    private definite = true;

    constructor(private readonly text: string) {}

    read(): ParsedPath | string {
        const root = this.root();
        if (typeof root === "string" && root !== "input" && root !== "context") {
            return root;
        }
        while (this.at < this.text.length) {
            const wrong = this.step();
            if (wrong !== undefined) {
                return wrong;
            }
        }
        return { root: root as Root, segments: this.segments, definite: this.definite };
    }

    /** The root, or what is wrong with it. */
    private root(): Root | string {
        const { text } = this;
        if (!text.startsWith("$")) {
            return "a path begins with $";
        }
        if (text[1] === "$") {
            this.at = 2;
            return "context";
        }
        if (text.length === 1 || text[1] === "." || text[1] === "[") {
            return "input";
        }
        const name = IDENTIFIER.exec(text.slice(1))?.[0];
        if (name === undefined) {
            return `after $ comes ".", "[" or a variable's name, not "${text[1]}"`;
        }
        this.at += name.length;
        return { variable: name };
    }

    /** One step; says what is wrong with it. */
    private step(): string | undefined {
        const { text } = this;
        if (text[this.at] === "[") {
            return this.brackets();
        }
        if (text[this.at] !== ".") {
            return `"." or "[" is expected at position ${this.at + 1}, not "${text[this.at]}"`;
        }
        this.at += 1;
        if (text[this.at] === ".") {
            this.definite = false;
            this.at += 1;
        }
        // AWS runs $.[0] and $.a.['b c']: a dot before a bracket says nothing.
        return text[this.at] === "[" ? undefined : this.name();
    }

    private add(name: string): void {
        if (this.definite) {
            this.segments.push(name);
        }
    }

    private name(): string | undefined {
        const { text } = this;
        if (text[this.at] === "*") {
            this.definite = false;
            this.at += 1;
            return undefined;
        }
        const begin = this.at;
        while (this.at < text.length && !NAME_ENDS.includes(text.charAt(this.at))) {
            this.at += 1;
        }
        if (this.at === begin) {
            return this.at >= text.length
                ? "it ends where a field's name is expected"
                : `a field's name is expected at position ${this.at + 1}, not "${text[this.at]}"`;
        }
        if (text[this.at] !== "(") {
            this.add(text.slice(begin, this.at));
            return undefined;
        }
        // A function such as length().
        const close = text.indexOf(")", this.at);
        if (close === -1) {
            return `"(" at position ${this.at + 1} is not closed`;
        }
        this.definite = false;
        this.at = close + 1;
        return undefined;
    }

    private brackets(): string | undefined {
        const { text } = this;
        const end = closingBracket(text, this.at);
        if (end === -1) {
            return `"[" at position ${this.at + 1} is not closed`;
        }
        const inside = text.slice(this.at + 1, end).trim();
        const quoted = QUOTED.exec(inside);
        if (quoted !== null) {
            this.add((quoted[1] ?? quoted[2] ?? "").replace(/\\(.)/gs, "$1"));
        } else if (INDEX.test(inside)) {
            this.add(`[${inside}]`);
        } else if (SEVERAL.test(inside) || SEVERAL_NAMES.test(inside)) {
            this.definite = false;
        } else {
            const where = `at position ${this.at + 1}`;
            return inside === ""
                ? `empty brackets ${where}`
                : `"[${inside}]" ${where} is neither an index, a quoted name, a slice nor a filter`;
        }
        this.at = end + 1;
        return undefined;
    }
}

function closingBracket(text: string, open: number): number {
    let depth = 0;
    let quote = "";
    for (let at = open; at < text.length; at += 1) {
        const character = text.charAt(at);
        if (quote !== "") {
            if (character === "\\") {
                at += 1;
            } else if (character === quote) {
                quote = "";
            }
        } else if (character === "'" || character === '"') {
            quote = character;
        } else if (character === "[") {
            depth += 1;
        } else if (character === "]") {
            depth -= 1;
            if (depth === 0) {
                return at;
            }
        }
    }
    return -1;
}

export type Argument =
    | { readonly kind: "path"; readonly text: string; readonly path: ParsedPath }
    | { readonly kind: "constant"; readonly value: string | number | boolean | null }
    | { readonly kind: "call"; readonly call: Call };

export interface Call {
    readonly name: string;
    readonly arguments: readonly Argument[];
}

/**
 * Number of arguments of each intrinsic function: least and most. Source: the developer guide's page on intrinsic
 * functions.
 */
export const INTRINSICS: { readonly [name: string]: readonly [least: number, most: number] } = {
    "States.Array": [0, Infinity],
    "States.ArrayPartition": [2, 2],
    "States.ArrayContains": [2, 2],
    "States.ArrayRange": [3, 3],
    "States.ArrayGetItem": [2, 2],
    "States.ArrayLength": [1, 1],
    "States.ArrayUnique": [1, 1],
    "States.Base64Encode": [1, 1],
    "States.Base64Decode": [1, 1],
    "States.Hash": [2, 2],
    "States.JsonMerge": [3, 3],
    "States.StringToJson": [1, 1],
    "States.JsonToString": [1, 1],
    "States.MathRandom": [2, 3],
    "States.MathAdd": [2, 2],
    "States.StringSplit": [2, 2],
    "States.UUID": [0, 0],
    "States.Format": [1, Infinity],
};

/** AWS allows ten calls inside each other; more is refused here, which also bounds the recursion. */
const DEEPEST_CALL = 10;

const calls = new Map<string, Call | string>();

/** Parses a call of an intrinsic function. A string says what is wrong with it. */
export function parseIntrinsic(text: string): Call | string {
    let found = calls.get(text);
    if (found === undefined) {
        found = new CallReader(text).read();
        if (calls.size < MOST_KEPT) {
            calls.set(text, found);
        }
    }
    return found;
}

class CallReader {
    private at = 0;

    constructor(private readonly text: string) {}

    read(): Call | string {
        this.blanks();
        const call = this.call(1);
        if (typeof call === "string") {
            return call;
        }
        this.blanks();
        return this.at < this.text.length
            ? `nothing may follow the call, got "${this.text.slice(this.at, this.at + 20)}"`
            : call;
    }

    private blanks(): void {
        while (/\s/.test(this.text.charAt(this.at))) {
            this.at += 1;
        }
    }

    private call(depth: number): Call | string {
        const name = /^States\.[A-Za-z0-9]*/.exec(this.text.slice(this.at, this.at + 80))?.[0];
        if (name === undefined) {
            return `a function's name such as States.Format is expected at position ${this.at + 1}`;
        }
        if (!Object.hasOwn(INTRINSICS, name)) {
            return `there is no function ${name}; there are ${Object.keys(INTRINSICS).join(", ")}`;
        }
        if (depth > DEEPEST_CALL) {
            return `calls are nested more than ${DEEPEST_CALL} deep`;
        }
        this.at += name.length;
        this.blanks();
        if (this.text[this.at] !== "(") {
            return `"(" is expected after ${name}`;
        }
        this.at += 1;
        const found = this.arguments(name, depth);
        if (typeof found === "string") {
            return found;
        }
        return wrongCount(name, found.length) ?? { name, arguments: found };
    }

    private arguments(name: string, depth: number): Argument[] | string {
        const found: Argument[] = [];
        this.blanks();
        if (this.text[this.at] === ")") {
            this.at += 1;
            return found;
        }
        for (;;) {
            this.blanks();
            const next = this.argument(depth);
            if (typeof next === "string") {
                return next;
            }
            found.push(next);
            this.blanks();
            const separator = this.text[this.at];
            if (separator !== "," && separator !== ")") {
                return separator === undefined
                    ? `${name}( is not closed`
                    : `"," or ")" is expected at position ${this.at + 1}, not "${separator}"`;
            }
            this.at += 1;
            if (separator === ")") {
                return found;
            }
        }
    }

    private argument(depth: number): Argument | string {
        if (this.text[this.at] === "'") {
            return this.quoted();
        }
        if (this.text[this.at] === "$") {
            return this.path();
        }
        if (this.text.startsWith("States.", this.at)) {
            const inner = this.call(depth + 1);
            return typeof inner === "string" ? inner : { kind: "call", call: inner };
        }
        const rest = this.text.slice(this.at);
        const constant = /^(?:-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)(?=[\s,)]|$)/.exec(rest)?.[0];
        if (constant === undefined) {
            return `an argument is expected at position ${this.at + 1}: a path, a 'text', a number or a call`;
        }
        this.at += constant.length;
        return { kind: "constant", value: JSON.parse(constant) as number | boolean | null };
    }

    private quoted(): Argument | string {
        const { text } = this;
        let value = "";
        for (this.at += 1; this.at < text.length && text[this.at] !== "'"; this.at += 1) {
            if (text[this.at] === "\\") {
                this.at += 1;
            }
            value += text.charAt(this.at);
        }
        if (text[this.at] !== "'") {
            return "a quoted text is not closed";
        }
        this.at += 1;
        return { kind: "constant", value };
    }

    private path(): Argument | string {
        const { text } = this;
        const begin = this.at;
        let parentheses = 0;
        for (; this.at < text.length; this.at += 1) {
            const character = text.charAt(this.at);
            const isInside = parentheses > 0 || text[this.at - 1] === "(";
            if (!isInside && (character === "," || character === ")")) {
                break;
            }
            if (character === "[") {
                const end = closingBracket(text, this.at);
                if (end === -1) {
                    return `"[" at position ${this.at + 1} is not closed`;
                }
                this.at = end;
            } else if (character === "(") {
                parentheses += 1;
            } else if (character === ")") {
                parentheses -= 1;
            }
        }
        const source = text.slice(begin, this.at).trim();
        const path = parsePath(source);
        return typeof path === "string" ? `${source}: ${path}` : { kind: "path", text: source, path };
    }
}

function wrongCount(name: string, count: number): string | undefined {
    const [least, most] = INTRINSICS[name] ?? [0, Infinity];
    if (count >= least && count <= most) {
        return undefined;
    }
    let wanted = `${least} to ${most}`;
    if (least === most) {
        wanted = `${least}`;
    } else if (most === Infinity) {
        wanted = `at least ${least}`;
    }
    return `${name} takes ${wanted} argument${wanted === "1" ? "" : "s"}, got ${count}`;
}

/** The paths that a call reads, those of inner calls included. */
export function pathsIn(call: Call): { readonly text: string; readonly path: ParsedPath }[] {
    return call.arguments.flatMap((argument) => {
        if (argument.kind === "path") {
            return [argument];
        }
        return argument.kind === "call" ? pathsIn(argument.call) : [];
    });
}
