/**
 * A definition as graphs: one graph a scope (the machine, each branch, each Map's processor), edges with the fields
 * that act on them. It is built from any value: what has the wrong type is left out here and reported by the structure
 * rules.
 * Nothing recurses over states: definitions may be thousands of states long or deep.
 */
import type { QueryLanguage, StateType } from "../types";
import { innerGraphs } from "../walk";
import { catchers, isCatching, isFields, ruleFields, segment, STATE_TYPES, type Fields } from "./definition";
import { takenBy } from "./errors";

export type EdgeKind = "next" | "choice" | "default" | "catch";

export interface Edge {
    readonly from: Node;
    readonly to: Node;
    readonly kind: EdgeKind;
    /** Index in Choices or Catch. */
    readonly index?: number;
    /** Of a catcher: an error that takes it; undefined is a failure without a name. */
    readonly error?: string;
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
    /** States that a catcher names which never acts: earlier catchers take all that it would. */
    readonly unused: Node[];
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

const join = (path: string, rest: string): string => (path === "" ? rest : `${path}/${rest}`);

/** A scope that is still to be read. */
type Todo = Pick<Scope, "path" | "fields" | "owner" | "branch" | "isolated">;

export function buildGraph(definition: Fields): Graph {
    const builder = new Builder(definition);
    return builder.build();
}

class Builder {
    private readonly scopes: Scope[] = [];
    private readonly nodes: Node[] = [];
    private readonly todo: Todo[] = [];
    private readonly language: QueryLanguage;

    constructor(private readonly definition: Fields) {
        this.language = definition.QueryLanguage === "JSONata" ? "JSONata" : "JSONPath";
    }

    build(): Graph {
        const { definition, language, nodes, scopes } = this;
        const root = this.scope({ path: "", fields: definition, owner: undefined, branch: 0, isolated: false });
        // The list grows while it is read: outer scopes first.
        for (const todo of this.todo) {
            this.scope(todo);
        }
        nodes.forEach(connect);
        return { root, scopes, nodes, definition, language };
    }

    private scope(todo: Todo): Scope {
        const { fields, owner } = todo;
        const byName = new Map<string, Node>();
        const depth = owner === undefined ? 0 : owner.scope.depth + 1;
        const scope: { -readonly [key in keyof Scope]: Scope[key] } = {
            ...todo,
            id: this.scopes.length,
            depth,
            nodes: [],
            byName,
            start: undefined,
        };
        this.scopes.push(scope);
        owner?.inner.push(scope);
        const states = isFields(fields.States) ? fields.States : {};
        for (const name of Object.keys(states)) {
            const state = states[name];
            if (isFields(state)) {
                byName.set(name, this.node(scope, name, state));
            }
        }
        scope.start = typeof fields.StartAt === "string" ? byName.get(fields.StartAt) : undefined;
        return scope;
    }

    private node(scope: Scope, name: string, fields: Fields): Node {
        const { QueryLanguage: own } = fields;
        const type = STATE_TYPES.find((known) => known === fields.Type);
        const node: Node = {
            id: this.nodes.length,
            index: scope.nodes.length,
            name,
            path: join(scope.path, `States/${segment(name)}`),
            scope,
            fields,
            type,
            language: own === "JSONata" || own === "JSONPath" ? own : this.language,
            out: [],
            in: [],
            unused: [],
            inner: [],
            ends: endOf(type, fields),
        };
        this.nodes.push(node);
        scope.nodes.push(node);
        innerGraphs(fields as unknown).forEach(({ key, graph, isDistributed }, branch) => {
            this.todo.push({
                path: join(node.path, key),
                fields: graph,
                owner: node,
                branch,
                isolated: isDistributed,
            });
        });
        return node;
    }
}

function endOf(type: StateType | undefined, fields: Fields): Node["ends"] {
    if (type === "Fail") {
        return "failure";
    }
    return type === "Succeed" || (type !== "Choice" && fields.End === true) ? "success" : undefined;
}

const targetOf = (node: Node, target: unknown): Node | undefined =>
    typeof target === "string" ? node.scope.byName.get(target) : undefined;

function link(from: Node, target: unknown, rest: Omit<Edge, "from" | "to">): void {
    const to = targetOf(from, target);
    if (to !== undefined) {
        const edge: Edge = { from, to, ...rest };
        from.out.push(edge);
        to.in.push(edge);
    }
}

function connect(node: Node): void {
    const { fields, type } = node;
    if (type === "Fail" || type === "Succeed") {
        return;
    }
    if (type === "Choice") {
        for (const { rule, index } of ruleFields(fields)) {
            link(node, rule.Next, { kind: "choice", holder: rule, index });
        }
        link(node, fields.Default, { kind: "default", holder: fields });
        return;
    }
    if (fields.End !== true) {
        link(node, fields.Next, { kind: "next", holder: fields });
    }
    if (isCatching(type)) {
        connectCatchers(node);
    }
}

function connectCatchers(node: Node): void {
    const list = catchers(node.fields);
    const taken = list.length === 0 ? undefined : takenBy(node);
    for (const { fields: holder, index } of list) {
        const one = taken?.get(index);
        if (one !== undefined) {
            link(node, holder.Next, { kind: "catch", holder, index, error: one.error });
            continue;
        }
        const to = targetOf(node, holder.Next);
        if (to !== undefined) {
            node.unused.push(to);
        }
    }
}

const reached = new WeakMap<Scope, Uint8Array>();

/** Nodes of the scope that an execution can reach from its start; 1 by Node.index. */
export function reachable(scope: Scope): Uint8Array {
    let seen = reached.get(scope);
    if (seen === undefined) {
        seen = fromStart(scope, (node) => node.out.map((edge) => edge.to));
        reached.set(scope, seen);
    }
    return seen;
}

/** Nodes to which any transition leads, those of catchers that never act included: that is what AWS looks at. */
export const named = (scope: Scope): Uint8Array =>
    scope.nodes.some((node) => node.unused.length > 0)
        ? fromStart(scope, (node) => [...node.out.map((edge) => edge.to), ...node.unused])
        : reachable(scope);

function fromStart(scope: Scope, next: (node: Node) => readonly Node[]): Uint8Array {
    const seen = new Uint8Array(scope.nodes.length);
    if (scope.start === undefined) {
        return seen;
    }
    const stack = [scope.start];
    seen[scope.start.index] = 1;
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
        for (const to of next(node)) {
            if (seen[to.index] === 0) {
                seen[to.index] = 1;
                stack.push(to);
            }
        }
    }
    return seen;
}

/** The nodes of a scope that an execution can reach. */
export function reachableNodes(scope: Scope): readonly Node[] {
    const seen = reachable(scope);
    return scope.nodes.filter((node) => seen[node.index] === 1);
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
