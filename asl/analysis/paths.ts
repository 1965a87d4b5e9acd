/**
 * JSONPath as Step Functions understands it, reduced to what an analysis must know: is it well formed, is it a reference path, which
 * segments does it name for certain; and the calls of intrinsic functions, with their arguments.
 */
export type Root = "input" | "context" | { readonly variable: string };

export interface ParsedPath {
    readonly root: Root;
    /** The leading segments that name exactly one place each; an array index is a segment like "[0]". */
    readonly segments: readonly string[];
    /** False when wildcards, slices, filters, unions, recursive descent or functions follow: AWS then yields [] instead of an error. */
    readonly definite: boolean;
}

const identifier = /^[\p{L}_$][\p{L}\p{N}_$]*/u;

/** Parses a path. A string says what is wrong with it. */
export function parsePath(text: string): ParsedPath | string {
    if (!text.startsWith("$")) {
        return "a path begins with $";
    }
    let at = 1;
    let root: Root = "input";
    if (text[1] === "$") {
        root = "context";
        at = 2;
    } else if (at < text.length && text[at] !== "." && text[at] !== "[") {
        const name = identifier.exec(text.slice(1));
        if (name === null) {
            return `after $ comes ".", "[" or a variable's name, not "${text[at]}"`;
        }
        root = { variable: name[0] };
        at += name[0].length;
    }
    const segments: string[] = [];
    let definite = true;
    const add = (name: string): void => {
        if (definite) {
            segments.push(name);
        }
    };
    while (at < text.length) {
        if (text[at] === ".") {
            at += 1;
            if (text[at] === ".") {
                definite = false;
                at += 1;
            }
            if (text[at] === "[") {
                if (definite) {
                    return `"[" directly after "." at position ${at + 1}`;
                }
                continue;
            }
            if (text[at] === "*") {
                definite = false;
                at += 1;
                continue;
            }
            const begin = at;
            while (at < text.length && !".[]()*'\" \t\n?,".includes(text[at])) {
                at += 1;
            }
            if (at === begin) {
                return at >= text.length
                    ? `it ends where a field's name is expected`
                    : `a field's name is expected at position ${at + 1}, not "${text[at]}"`;
            }
            const name = text.slice(begin, at);
            if (text[at] === "(") {
                const close = text.indexOf(")", at);
                if (close === -1) {
                    return `"(" at position ${at + 1} is not closed`;
                }
                definite = false;
                at = close + 1;
                continue;
            }
            add(name);
            continue;
        }
        if (text[at] !== "[") {
            return `"." or "[" is expected at position ${at + 1}, not "${text[at]}"`;
        }
        const end = closingBracket(text, at);
        if (end === -1) {
            return `"[" at position ${at + 1} is not closed`;
        }
        const inside = text.slice(at + 1, end).trim();
        const quoted = /^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")$/s.exec(inside);
        if (quoted !== null) {
            add((quoted[1] ?? quoted[2]).replace(/\\(.)/gs, "$1"));
        } else if (/^\d+$/.test(inside)) {
            add(`[${inside}]`);
        } else if (inside === "") {
            return `empty brackets at position ${at + 1}`;
        } else if (
            /^(?:\*|-?\d*\s*:\s*-?\d*(?:\s*:\s*-?\d*)?|-\d+|-?\d+(?:\s*,\s*-?\d+)+|\?.*|\(.*\))$/s.test(inside) ||
            /^(?:'[^']*'|"[^"]*")(?:\s*,\s*(?:'[^']*'|"[^"]*"))+$/s.test(inside)
        ) {
            definite = false;
        } else {
            return `"[${inside}]" at position ${at + 1} is neither an index, a quoted name, a slice nor a filter`;
        }
        at = end + 1;
    }
    return { root, segments, definite };
}

function closingBracket(text: string, open: number): number {
    let depth = 0;
    let quote = "";
    for (let at = open; at < text.length; at += 1) {
        const character = text[at];
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

/** Number of arguments of each intrinsic function: least and most. Source: the developer guide's page on intrinsic functions. */
export const intrinsics: { readonly [name: string]: readonly [number, number] } = {
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
const deepestCall = 10;

/** Parses a call of an intrinsic function. A string says what is wrong with it. */
export function parseIntrinsic(text: string): Call | string {
    let at = 0;
    const blanks = (): void => {
        while (/\s/.test(text[at] ?? "")) {
            at += 1;
        }
    };
    const call = (depth: number): Call | string => {
        const name = /^States\.[A-Za-z0-9]*/.exec(text.slice(at, at + 80))?.[0];
        if (name === undefined) {
            return `a function's name such as States.Format is expected at position ${at + 1}`;
        }
        if (!Object.hasOwn(intrinsics, name)) {
            return `there is no function ${name}; there are ${Object.keys(intrinsics).join(", ")}`;
        }
        if (depth > deepestCall) {
            return `calls are nested more than ${deepestCall} deep`;
        }
        at += name.length;
        blanks();
        if (text[at] !== "(") {
            return `"(" is expected after ${name}`;
        }
        at += 1;
        const found: Argument[] = [];
        blanks();
        if (text[at] === ")") {
            at += 1;
        } else {
            for (;;) {
                blanks();
                const next = argument(depth);
                if (typeof next === "string") {
                    return next;
                }
                found.push(next);
                blanks();
                if (text[at] === ",") {
                    at += 1;
                } else if (text[at] === ")") {
                    at += 1;
                    break;
                } else {
                    return at >= text.length
                        ? `${name}( is not closed`
                        : `"," or ")" is expected at position ${at + 1}, not "${text[at]}"`;
                }
            }
        }
        const [least, most] = intrinsics[name];
        if (found.length < least || found.length > most) {
            const wanted =
                least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
            return `${name} takes ${wanted} argument${wanted === "1" ? "" : "s"}, got ${found.length}`;
        }
        return { name, arguments: found };
    };
    const argument = (depth: number): Argument | string => {
        if (text[at] === "'") {
            let value = "";
            for (at += 1; at < text.length && text[at] !== "'"; at += 1) {
                if (text[at] === "\\") {
                    at += 1;
                }
                value += text[at] ?? "";
            }
            if (text[at] !== "'") {
                return "a quoted text is not closed";
            }
            at += 1;
            return { kind: "constant", value };
        }
        if (text[at] === "$") {
            const begin = at;
            let brackets = 0;
            for (; at < text.length && (brackets > 0 || !",)".includes(text[at]) || text[at - 1] === "("); at += 1) {
                if (text[at] === "[") {
                    const end = closingBracket(text, at);
                    if (end === -1) {
                        return `"[" at position ${at + 1} is not closed`;
                    }
                    at = end;
                } else if (text[at] === "(") {
                    brackets += 1;
                } else if (text[at] === ")") {
                    brackets -= 1;
                }
            }
            const source = text.slice(begin, at).trim();
            const path = parsePath(source);
            return typeof path === "string" ? `${source}: ${path}` : { kind: "path", text: source, path };
        }
        if (text.startsWith("States.", at)) {
            const inner = call(depth + 1);
            return typeof inner === "string" ? inner : { kind: "call", call: inner };
        }
        const constant = /^(?:-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)(?=[\s,)]|$)/.exec(text.slice(at))?.[0];
        if (constant === undefined) {
            return `an argument is expected at position ${at + 1}: a path, a 'text', a number or a call`;
        }
        at += constant.length;
        return { kind: "constant", value: JSON.parse(constant) as number | boolean | null };
    };
    blanks();
    const result = call(1);
    if (typeof result === "string") {
        return result;
    }
    blanks();
    return at < text.length ? `nothing may follow the call, got "${text.slice(at, at + 20)}"` : result;
}

/** The paths that a call reads, those of inner calls included. */
export function pathsIn(call: Call): { readonly text: string; readonly path: ParsedPath }[] {
    return call.arguments.flatMap((argument) =>
        argument.kind === "path" ? [argument] : argument.kind === "call" ? pathsIn(argument.call) : [],
    );
}
