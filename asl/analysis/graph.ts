/**
 * A definition as graphs: one graph a scope (the machine, each branch, each Map's processor), edges with the fields that act on
 * them. It is built from any value: what has the wrong type is left out here and reported by the structure rules.
 * Nothing recurses over states: definitions may be thousands of states long or deep.
 */
import type { QueryLanguage, StateType } from "../types";
import { innerGraphs } from "../walk";

export type Fields = { readonly [key: string]: unknown };

export const stateTypes: readonly StateType[] = [
    "Task",
    "Pass",
    "Choice",
    "Wait",
    "Succeed",
    "Fail",
    "Parallel",
    "Map",
];

export const isFields = (value: unknown): value is Fields =>
    typeof value === "object" && value !== null && !Array.isArray(value);

export type EdgeKind = "next" | "choice" | "default" | "catch";

export interface Edge {
    readonly from: Node;
    readonly to: Node;
    readonly kind: EdgeKind;
    /** Index in Choices or Catch. */
    readonly index?: number;
    /** The object whose Assign and Output act when this edge is taken: the state, the choice rule or the catcher. */
    readonly holder: Fields;
}

export interface Node {
    /** Position in Graph.nodes. */
    readonly id: number;
    /** Position in Scope.nodes. */
    readonly index: number;
    readonly name: string;
    readonly path: string;
    readonly scope: Scope;
    readonly fields: Fields;
    readonly type: StateType | undefined;
    readonly language: QueryLanguage;
    readonly out: Edge[];
    readonly in: Edge[];
    /** Branches of a Parallel, the processor of a Map. */
    readonly inner: Scope[];
    /** How the scope may end here. */
    readonly ends: "success" | "failure" | undefined;
}

export interface Scope {
    readonly id: number;
    readonly path: string;
    readonly fields: Fields;
    /** The Parallel or Map that this scope belongs to; undefined for the machine itself. */
    readonly owner: Node | undefined;
    /** Index of the branch. */
    readonly branch: number;
    readonly depth: number;
    readonly nodes: Node[];
    readonly byName: ReadonlyMap<string, Node>;
    readonly start: Node | undefined;
    /** A distributed Map's processor runs as executions of its own and does not see outer variables. */
    readonly isolated: boolean;
}

export interface Graph {
    readonly root: Scope;
    readonly scopes: readonly Scope[];
    readonly nodes: readonly Node[];
    readonly definition: Fields;
    readonly language: QueryLanguage;
}

export interface CatcherEntry {
    readonly fields: Fields;
    readonly index: number;
    readonly errors: readonly string[];
}

/** The catchers of a state that are objects, with their place in Catch. */
export function catchers(fields: Fields): readonly CatcherEntry[] {
    if (!Array.isArray(fields.Catch)) {
        return [];
    }
    return fields.Catch.flatMap((catcher: unknown, index) => {
        if (!isFields(catcher)) {
            return [];
        }
        const errors = Array.isArray(catcher.ErrorEquals)
            ? catcher.ErrorEquals.filter((name) => typeof name === "string")
            : [];
        return [{ fields: catcher, index, errors }];
    });
}

export const catchesAll = (fields: Fields): boolean =>
    catchers(fields).some((catcher) => catcher.errors.includes("States.ALL"));

/** Escapes a key for Finding.path as RFC 6901 does. */
export const segment = (key: string): string =>
    key.includes("~") || key.includes("/") ? key.replace(/~/g, "~0").replace(/\//g, "~1") : key;

const join = (path: string, rest: string): string => (path === "" ? rest : `${path}/${rest}`);

export function buildGraph(definition: Fields): Graph {
    const language: QueryLanguage = definition.QueryLanguage === "JSONata" ? "JSONata" : "JSONPath";
    const scopes: Scope[] = [];
    const nodes: Node[] = [];
    type Todo = Pick<Scope, "path" | "fields" | "owner" | "branch" | "isolated">;
    const todo: Todo[] = [{ path: "", fields: definition, owner: undefined, branch: 0, isolated: false }];
    for (let next = 0; next < todo.length; next += 1) {
        const { path, fields, owner, branch, isolated } = todo[next];
        const byName = new Map<string, Node>();
        const scope: Scope & { start: Node | undefined } = {
            id: scopes.length,
            path,
            fields,
            owner,
            branch,
            depth: owner === undefined ? 0 : owner.scope.depth + 1,
            nodes: [],
            byName,
            start: undefined,
            isolated,
        };
        scopes.push(scope);
        owner?.inner.push(scope);
        const states = isFields(fields.States) ? fields.States : {};
        for (const name of Object.keys(states)) {
            const state = states[name];
            if (!isFields(state)) {
                continue;
            }
            const type = stateTypes.find((known) => known === state.Type);
            const own = state.QueryLanguage;
            const node: Node = {
                id: nodes.length,
                index: scope.nodes.length,
                name,
                path: join(path, `States/${segment(name)}`),
                scope,
                fields: state,
                type,
                language: own === "JSONata" || own === "JSONPath" ? own : language,
                out: [],
                in: [],
                inner: [],
                ends:
                    type === "Fail"
                        ? "failure"
                        : type === "Succeed" || (type !== "Choice" && state.End === true)
                          ? "success"
                          : undefined,
            };
            nodes.push(node);
            scope.nodes.push(node);
            byName.set(name, node);
            const asFields: unknown = state;
            innerGraphs(asFields).forEach(({ key, graph, isDistributed }, index) => {
                todo.push({
                    path: join(node.path, key),
                    fields: graph,
                    owner: node,
                    branch: index,
                    isolated: isDistributed,
                });
            });
        }
        scope.start = typeof fields.StartAt === "string" ? byName.get(fields.StartAt) : undefined;
        for (const node of scope.nodes) {
            connect(node);
        }
    }
    return { root: scopes[0], scopes, nodes, definition, language };
}

function connect(node: Node): void {
    const { fields, type, scope } = node;
    const link = (target: unknown, kind: EdgeKind, holder: Fields, index?: number): void => {
        const to = typeof target === "string" ? scope.byName.get(target) : undefined;
        if (to !== undefined) {
            const edge: Edge = { from: node, to, kind, holder, index };
            node.out.push(edge);
            to.in.push(edge);
        }
    };
    if (type === "Choice") {
        if (Array.isArray(fields.Choices)) {
            fields.Choices.forEach((rule: unknown, index) => {
                if (isFields(rule)) {
                    link(rule.Next, "choice", rule, index);
                }
            });
        }
        link(fields.Default, "default", fields);
        return;
    }
    if (type === "Fail" || type === "Succeed") {
        return;
    }
    if (fields.End !== true) {
        link(fields.Next, "next", fields);
    }
    if (type === "Task" || type === "Parallel" || type === "Map") {
        for (const catcher of catchers(fields)) {
            link(catcher.fields.Next, "catch", catcher.fields, catcher.index);
        }
    }
}

const reached = new WeakMap<Scope, Uint8Array>();

/** Nodes of the scope that can be reached from its start. */
export function reachable(scope: Scope): Uint8Array {
    let seen = reached.get(scope);
    if (seen === undefined) {
        seen = fromStart(scope);
        reached.set(scope, seen);
    }
    return seen;
}

function fromStart(scope: Scope): Uint8Array {
    const seen = new Uint8Array(scope.nodes.length);
    if (scope.start === undefined) {
        return seen;
    }
    const stack = [scope.start];
    seen[scope.start.index] = 1;
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
        for (const edge of node.out) {
            if (seen[edge.to.index] === 0) {
                seen[edge.to.index] = 1;
                stack.push(edge.to);
            }
        }
    }
    return seen;
}

/** Nodes from which one of the targets can be reached over edges that `follows` accepts. */
export function reaching(scope: Scope, targets: Iterable<Node>, follows: (edge: Edge) => boolean): Uint8Array {
    const seen = new Uint8Array(scope.nodes.length);
    const stack: Node[] = [];
    for (const target of targets) {
        if (seen[target.index] === 0) {
            seen[target.index] = 1;
            stack.push(target);
        }
    }
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
        for (const edge of node.in) {
            if (seen[edge.from.index] === 0 && follows(edge)) {
                seen[edge.from.index] = 1;
                stack.push(edge.from);
            }
        }
    }
    return seen;
}

/**
 * Strongly connected components of the nodes of one scope over the given edges (Tarjan, without recursion).
 * Only components that hold a cycle are returned.
 */
export function cycles(nodes: readonly Node[], edgesOf: (node: Node) => readonly Edge[]): Node[][] {
    const order = new Map<Node, number>();
    const low = new Map<Node, number>();
    const onStack = new Set<Node>();
    const stack: Node[] = [];
    const found: Node[][] = [];
    for (const root of nodes) {
        if (order.has(root)) {
            continue;
        }
        const work: { node: Node; edges: readonly Edge[]; next: number }[] = [];
        const open = (node: Node): void => {
            order.set(node, order.size);
            low.set(node, order.size - 1);
            stack.push(node);
            onStack.add(node);
            work.push({ node, edges: edgesOf(node), next: 0 });
        };
        open(root);
        while (work.length > 0) {
            const frame = work[work.length - 1];
            if (frame.next < frame.edges.length) {
                const to = frame.edges[frame.next].to;
                frame.next += 1;
                if (!order.has(to)) {
                    open(to);
                } else if (onStack.has(to)) {
                    low.set(frame.node, Math.min(low.get(frame.node)!, order.get(to)!));
                }
                continue;
            }
            work.pop();
            const above = work[work.length - 1];
            if (above !== undefined) {
                low.set(above.node, Math.min(low.get(above.node)!, low.get(frame.node)!));
            }
            if (low.get(frame.node) === order.get(frame.node)) {
                const component: Node[] = [];
                let member: Node;
                do {
                    member = stack.pop()!;
                    onStack.delete(member);
                    component.push(member);
                } while (member !== frame.node);
                if (component.length > 1 || edgesOf(component[0]).some((edge) => edge.to === component[0])) {
                    found.push(component.reverse());
                }
            }
        }
    }
    return found;
}
