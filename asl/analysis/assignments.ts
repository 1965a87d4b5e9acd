/** Where variables are assigned: in Assign of states, of choice rules and of catchers. */
import { catchers, isFields, ruleFields, type Fields } from "./definition";
import type { Role } from "./expressions";
import type { Edge, Graph, Node } from "./graph";

/** An Assign of a state. */
export interface Assignment {
    readonly assign: Fields;
    /** Below the state: `Catch/0/Assign`. */
    readonly at: string;
    readonly role: Role;
}

const NONE: readonly Assignment[] = [];
const cache = new WeakMap<Node, readonly Assignment[]>();

/** Every Assign of a state. */
export function assignmentsOf(node: Node): readonly Assignment[] {
    let found = cache.get(node);
    if (found === undefined) {
        found = read(node);
        cache.set(node, found);
    }
    return found;
}

function read({ fields, type }: Node): readonly Assignment[] {
    const found: Assignment[] = [];
    const add = (assign: unknown, at: string, role: Role): void => {
        if (isFields(assign)) {
            found.push({ assign, at, role });
        }
    };
    add(fields.Assign, "Assign", "state");
    for (const { fields: catcher, index } of catchers(fields)) {
        add(catcher.Assign, `Catch/${index}/Assign`, "catch");
    }
    for (const { rule, index } of type === "Choice" ? ruleFields(fields) : []) {
        add(rule.Assign, `Choices/${index}/Assign`, "choice");
    }
    return found.length === 0 ? NONE : found;
}

/** The variable that a key of an Assign names: in JSONPath the key of a path ends in ".$". */
export const variableOf = (key: string, node: Node): string =>
    node.language === "JSONPath" && key.endsWith(".$") ? key.slice(0, -2) : key;

const NOTHING: Fields = {};

/** All assignments that take effect when the edge is taken. */
export const assignsOf = (edge: Edge): Fields => (isFields(edge.holder.Assign) ? edge.holder.Assign : NOTHING);

/** Does taking the edge assign the variable? */
export const assigns = (edge: Edge, name: string): boolean => {
    const assign = assignsOf(edge);
    return Object.hasOwn(assign, name) || (edge.from.language === "JSONPath" && Object.hasOwn(assign, `${name}.$`));
};

/** The names of all variables that some state assigns. */
export function assignedNames(graph: Graph): ReadonlySet<string> {
    const found = new Set<string>();
    for (const node of graph.nodes) {
        for (const { assign } of assignmentsOf(node)) {
            Object.keys(assign).forEach((key) => found.add(variableOf(key, node)));
        }
    }
    return found;
}
