/** Walks over JSON values without recursion, and the JSONata expressions of a state. */
import { ruleFields, catchers, segment, type Fields } from "./definition";
import type { Node } from "./graph";

export interface Leaf {
    /** Path below the value that the walk began at, escaped; "" is the value itself. */
    readonly path: string;
    readonly key: string;
    readonly value: unknown;
}

/** Every value inside `value` (itself included) that is neither an object nor an array, in the order of the text. */
export function leaves(value: unknown): Leaf[] {
    if (typeof value !== "object" || value === null) {
        return [{ path: "", key: "", value }];
    }
    const found: Leaf[] = [];
    const work: Leaf[] = [{ path: "", key: "", value }];
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        if (typeof item.value === "object" && item.value !== null) {
            work.push(...childrenOf(item).reverse());
        } else {
            found.push(item);
        }
    }
    return found;
}

function childrenOf({ path, value }: Leaf): Leaf[] {
    const prefix = path === "" ? "" : `${path}/`;
    return Object.entries(value as Fields).map(([key, child]) => ({
        path: `${prefix}${segment(key)}`,
        key,
        value: child,
    }));
}

/** The code inside `{% %}`, or undefined when the string is no expression. */
export function expressionIn(value: unknown): string | undefined {
    if (typeof value !== "string" || !value.startsWith("{%") || !value.endsWith("%}") || value.length < 4) {
        return undefined;
    }
    return value.slice(2, -2);
}

/** Fields of a JSONata state in which expressions are evaluated. */
const STATE_FIELDS = [
    "Arguments",
    "Assign",
    "Output",
    "Items",
    "ItemSelector",
    "Seconds",
    "Timestamp",
    "TimeoutSeconds",
    "HeartbeatSeconds",
    "MaxConcurrency",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
    "Error",
    "Cause",
    "Credentials",
    "ItemBatcher",
    "ItemReader",
    "ResultWriter",
];
const RULE_FIELDS = ["Condition", "Assign", "Output"];
const CATCHER_FIELDS = ["Assign", "Output"];

/** Whose fields an expression stands in: it decides what the expression sees. */
export type Role = "state" | "choice" | "catch";

/** Where an expression stands and which object it belongs to. */
export interface Expression {
    readonly code: string;
    /** Path below the state. */
    readonly path: string;
    readonly field: string;
    /** The state, the choice rule or the catcher. */
    readonly holder: Fields;
    readonly role: Role;
    /** Index in Choices or Catch. */
    readonly index?: number;
}

const cache = new WeakMap<Node, readonly Expression[]>();
const NONE: readonly Expression[] = [];

/** All JSONata expressions of a state with JSONata as its language, choice rules and catchers included. */
export function expressionsOf(node: Node): readonly Expression[] {
    let found = node.language === "JSONata" ? cache.get(node) : NONE;
    if (found === undefined) {
        found = read(node);
        cache.set(node, found);
    }
    return found;
}

/** Are there expressions of the state's own, whose failure its catchers may take? */
export const hasExpressions = (node: Node): boolean => expressionsOf(node).some(({ role }) => role === "state");

function read(node: Node): Expression[] {
    const { fields, type } = node;
    const found = collect({ holder: fields, role: "state" }, "", STATE_FIELDS);
    for (const { rule, index } of type === "Choice" ? ruleFields(fields) : []) {
        found.push(...collect({ holder: rule, role: "choice", index }, `Choices/${index}/`, RULE_FIELDS));
    }
    for (const { fields: catcher, index } of catchers(fields)) {
        found.push(...collect({ holder: catcher, role: "catch", index }, `Catch/${index}/`, CATCHER_FIELDS));
    }
    return found;
}

function collect(
    owner: Pick<Expression, "holder" | "role" | "index">,
    prefix: string,
    names: readonly string[],
): Expression[] {
    const found: Expression[] = [];
    for (const field of names) {
        const value = owner.holder[field];
        for (const leaf of value === undefined ? [] : leaves(value)) {
            const code = expressionIn(leaf.value);
            if (code !== undefined) {
                const below = leaf.path === "" ? "" : `/${leaf.path}`;
                found.push({ ...owner, code, path: `${prefix}${field}${below}`, field });
            }
        }
    }
    return found;
}
