/** Paths as they are written in a definition: below a root, which is not only the input. */
import { parsePathTree } from "./parse";
import type { PathTree } from "./tree";

/** A name or an index. */
export type Step = string | number;

export interface Parsed {
    /** "$" the input, "$$" the context object, else a variable's name. */
    readonly root: string;
    /** The path's names and indices, where it has nothing else. */
    readonly steps: readonly Step[] | undefined;
    readonly tree: PathTree;
}

const ROOT = /^\s*\$(\$|[\p{L}_][\p{L}\p{N}_]*)?/u;

const ROOTS: Readonly<Record<string, string>> = { "": "$", "$": "$$" };

/** @throws Error, saying what is wrong. */
function parse(text: string): Parsed {
    const head = ROOT.exec(text);
    if (head === null) {
        throw new Error(`a path begins with $, got ${JSON.stringify(text)}`);
    }
    const tree = parsePathTree(`$${text.slice(head[0].length)}`);
    return { root: ROOTS[head[1] ?? ""] ?? head[1] ?? "$", steps: stepsOf(tree), tree };
}

function stepsOf(tree: PathTree): Step[] | undefined {
    const steps: Step[] = [];
    for (const token of tree.tokens) {
        const [step, more] = token.kind === "names" ? token.names : [];
        const [index, others] = token.kind === "indices" ? token.indices : [];
        const single = step ?? index;
        if (single === undefined || more !== undefined || others !== undefined) {
            return undefined;
        }
        steps.push(single);
    }
    return steps;
}

const paths = new Map<string, Parsed | Error>();
const MOST_PATHS = 20_000;

/** The path, or what is wrong with it; texts repeat, so what was read is kept. */
export function prepared(text: string): Parsed | Error {
    let parsed = paths.get(text);
    if (parsed === undefined) {
        try {
            parsed = parse(text);
        } catch (error) {
            parsed = error as Error;
        }
        if (paths.size >= MOST_PATHS) {
            paths.clear();
        }
        paths.set(text, parsed);
    }
    return parsed;
}
