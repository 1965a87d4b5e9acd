/**
 * Walks over JSON values without recursion, and the two kinds of dynamic values in payloads.
 */
import { isFields, segment, type Fields, type Node } from "./graph";

export interface Leaf {
    /** Path below the value that the walk began at, escaped; "" is the value itself. */
    readonly path: string;
    readonly key: string;
    readonly value: unknown;
}

/** Every value inside `value` (itself included) that is neither an object nor an array. */
export function leaves(value: unknown): Leaf[] {
    const found: Leaf[] = [];
    const work: Leaf[] = [{ path: "", key: "", value }];
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        const { path, value: current } = item;
        if (Array.isArray(current)) {
            for (let index = current.length - 1; index >= 0; index -= 1) {
                work.push({
                    path: path === "" ? `${index}` : `${path}/${index}`,
                    key: `${index}`,
                    value: current[index],
                });
            }
        } else if (isFields(current)) {
            const keys = Object.keys(current);
            for (let index = keys.length - 1; index >= 0; index -= 1) {
                const key = keys[index];
                work.push({ path: path === "" ? segment(key) : `${path}/${segment(key)}`, key, value: current[key] });
            }
        } else {
            found.push(item);
        }
    }
    return found;
}

/** The code inside `{% %}`, or undefined when the string is no expression. */
export function expressionIn(value: unknown): string | undefined {
    if (typeof value !== "string" || !value.startsWith("{%") || !value.endsWith("%}") || value.length < 4) {
        return undefined;
    }
    return value.slice(2, -2);
}

/** Fields of a JSONata state in which expressions are evaluated. */
const expressionFields = [
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
] as const;

/** Where an expression stands and which object it belongs to. */
export interface Expression {
    readonly code: string;
    /** Path below the state. */
    readonly path: string;
    readonly field: string;
    /** The state, the choice rule or the catcher. */
    readonly holder: Fields;
    readonly role: "state" | "choice" | "catch";
    readonly index?: number;
}

const cache = new WeakMap<Node, readonly Expression[]>();

/** All JSONata expressions of a state with JSONata as its language, choice rules and catchers included. */
export function expressionsOf(node: Node): readonly Expression[] {
    let found = node.language === "JSONata" ? cache.get(node) : [];
    if (found === undefined) {
        found = read(node);
        cache.set(node, found);
    }
    return found;
}

function read(node: Node): Expression[] {
    const found: Expression[] = [];
    const collect = (
        holder: Fields,
        names: readonly string[],
        prefix: string,
        role: Expression["role"],
        index?: number,
    ): void => {
        for (const field of names) {
            const value = holder[field];
            if (value === undefined) {
                continue;
            }
            for (const leaf of typeof value === "object" ? leaves(value) : [{ path: "", key: "", value }]) {
                const code = expressionIn(leaf.value);
                if (code !== undefined) {
                    found.push({
                        code,
                        path: `${prefix}${field}${leaf.path === "" ? "" : `/${leaf.path}`}`,
                        field,
                        holder,
                        role,
                        index,
                    });
                }
            }
        }
    };
    collect(node.fields, expressionFields, "", "state");
    const list = (name: string, names: readonly string[], role: Expression["role"]): void => {
        const items = node.fields[name];
        if (Array.isArray(items)) {
            items.forEach((item: unknown, index) => {
                if (isFields(item)) {
                    collect(item, names, `${name}/${index}/`, role, index);
                }
            });
        }
    };
    if (node.type === "Choice") {
        list("Choices", ["Condition", "Assign", "Output"], "choice");
    }
    list("Catch", ["Assign", "Output"], "catch");
    return found;
}
