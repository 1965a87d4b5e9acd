/**
 * How deep an evaluation is nested, counted as Step Functions counts it: a term of a chain is inside the one before it
 * (`1+1+1` is three deep), an item of a list is beside the others.
 *
 * The package evaluates the items of a list, and the values of an object, all at once, and its own count takes them
 * for nested: a list of 101 names would be too deep. Step Functions evaluates them one after the other. So this count
 * leaves out what stands inside such an item; a function that is called there counts with all of its body, wherever
 * the recursion is that the bound is for.
 */
import type jsonata from "jsonata";

/** Evaluations inside each other. */
export const DEEPEST = 100;

/** Where the package tells of every evaluation that begins or ends, with what it has come to. */
const ENTRY = Symbol.for("jsonata.__evaluate_entry") as unknown as string;
const EXIT = Symbol.for("jsonata.__evaluate_exit") as unknown as string;

/** A node of the package's syntax tree. */
interface Node {
    readonly type: string;
    readonly value?: unknown;
    readonly expressions?: readonly Node[];
    readonly lhs?: unknown;
    readonly group?: { readonly lhs: readonly Pair[] };
}

type Pair = readonly [key: Node, value: Node];

/** Of one evaluation of an expression; the package has one such object for it, which all its frames know. */
interface Frame {
    readonly base: object;
}

export class TooDeep extends Error {
    readonly code = "D1011";
}

/**
 * Bounds the nesting of an expression's evaluations.
 * @param value told every value that a part of the expression has come to.
 */
export function boundNesting(expression: jsonata.Expression, value: (value: unknown) => void): void {
    const beside = besideOthers(expression.ast() as unknown as Node);
    const depths = new WeakMap<object, number>();
    expression.assign(ENTRY, (node: Node, _input: unknown, { base }: Frame) => {
        if (beside.has(node)) {
            return;
        }
        const depth = (depths.get(base) ?? 0) + 1;
        depths.set(base, depth);
        if (depth > DEEPEST) {
            throw new TooDeep();
        }
    });
    expression.assign(EXIT, (node: Node, _input: unknown, { base }: Frame, result: unknown) => {
        value(result);
        if (!beside.has(node)) {
            depths.set(base, (depths.get(base) ?? 0) - 1);
        }
    });
}

/** What is evaluated at the same time as something before it: later items of lists, values of objects. */
function besideOthers(tree: Node): ReadonlySet<unknown> {
    const beside = new Set<unknown>();
    const visit = (value: unknown, isBeside: boolean): void => {
        if (Array.isArray(value)) {
            value.forEach((one) => visit(one, isBeside));
            return;
        }
        if (typeof value !== "object" || value === null) {
            return;
        }
        const node = value as Node;
        if (isBeside) {
            beside.add(node);
        }
        const parallel = new Set<unknown>(parallelParts(node));
        // the body of a function is evaluated where it is called
        const inside = isBeside && node.type !== "lambda";
        for (const part of partsOf(node)) {
            visit(part, inside || parallel.has(part));
        }
    };
    visit(tree, false);
    return beside;
}

/** The node's parts; pairs of an object one by one. */
function partsOf(node: Node): readonly unknown[] {
    return Object.entries(node).flatMap(([name, part]) => {
        if (name === "group") {
            return (part as NonNullable<Node["group"]>).lhs.flat();
        }
        return isObject(node) && name === "lhs" ? (part as readonly Pair[]).flat() : [part].flat();
    });
}

function isObject(node: Node): boolean {
    return node.type === "unary" && node.value === "{";
}

function parallelParts(node: Node): readonly Node[] {
    const values = (pairs: readonly Pair[]): readonly Node[] => pairs.map(([, value]) => value);
    const items = node.type === "unary" && node.value === "[" ? (node.expressions ?? []).slice(1) : [];
    const fields = isObject(node) ? values(node.lhs as readonly Pair[]) : [];
    return [...items, ...fields, ...values(node.group?.lhs ?? [])];
}
