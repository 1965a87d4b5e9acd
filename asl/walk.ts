/**
 * The graphs inside a definition: a Parallel's branches and a Map's processor, under its new name (ItemProcessor) or
 * its old one (Iterator). Everything that walks a definition walks it by this file. It takes values that nobody has
 * checked: what is no graph is left out. Nothing recurses, so a definition may be nested as deep as memory allows.
 */
import type { State, StateGraph } from "./types";

type Fields = { readonly [key: string]: unknown };

/** A graph inside a state. */
export interface InnerGraph<Graph = StateGraph> {
    /** Its place below the state, as in a JSON pointer: `Branches/0`, `ItemProcessor`, `Iterator`. */
    readonly key: string;
    readonly graph: Graph;
    /**
     * A distributed Map's processor: its iterations are executions of their own, which see no variables of this one.
     */
    readonly isDistributed: boolean;
}

/** A state with its place in a definition. */
export interface PlacedState<Shape = State> {
    readonly name: string;
    readonly state: Shape;
    /** Like a JSON pointer without its first slash: `States/Both/Branches/0/States/Inner`. */
    readonly path: string;
    /** The Parallel or Map around it; undefined at the top. */
    readonly owner: PlacedState<Shape> | undefined;
}

/** An object where a graph belongs; the caller says by the type of its state whether it trusts it to be one. */
type Unchecked = StateGraph & Fields;

const NONE: readonly InnerGraph<Unchecked>[] = [];

const isFields = (value: unknown): value is Fields =>
    typeof value === "object" && value !== null && !Array.isArray(value);

const isGraph = (value: unknown): value is Unchecked => isFields(value);

/** A key as RFC 6901 writes it in a pointer. */
const escaped = (key: string): string => key.replace(/~/g, "~0").replace(/\//g, "~1");

/**
 * The graphs inside a state, in the order in which they are written; of a Map that has both names, ItemProcessor
 * counts.
 */
export function innerGraphs(state: State): readonly InnerGraph[];
export function innerGraphs(state: unknown): readonly InnerGraph<Fields>[];
export function innerGraphs(state: unknown): readonly InnerGraph<Unchecked>[] {
    if (!isFields(state) || (state.Type !== "Parallel" && state.Type !== "Map")) {
        return NONE;
    }
    if (state.Type === "Parallel") {
        return branches(state.Branches);
    }
    const key = isFields(state.ItemProcessor) ? "ItemProcessor" : "Iterator";
    const graph = state[key];
    if (!isGraph(graph)) {
        return NONE;
    }
    const config = graph.ProcessorConfig;
    return [{ key, graph, isDistributed: isFields(config) && config.Mode === "DISTRIBUTED" }];
}

function branches(given: unknown): InnerGraph<Unchecked>[] {
    const list: readonly unknown[] = Array.isArray(given) ? given : [];
    return list.flatMap((graph, index) =>
        isGraph(graph) ? [{ key: `Branches/${index}`, graph, isDistributed: false }] : [],
    );
}

/**
 * The state with each inner graph replaced by what `change` makes of it; where that is nothing, the graph is left
 * out.
 */
export function mapInnerGraphs(state: State, change: (graph: StateGraph) => StateGraph | undefined): State {
    const inner = innerGraphs(state);
    if (inner.length === 0) {
        return state;
    }
    const changed = inner.map(({ key, graph }) => ({ key, graph: change(graph) }));
    if (state.Type === "Parallel") {
        return { ...state, Branches: changed.flatMap(({ graph }) => graph ?? []) };
    }
    const copy: { [field: string]: unknown } = { ...state };
    for (const { key, graph } of changed) {
        if (graph === undefined) {
            delete copy[key];
        } else {
            copy[key] = graph;
        }
    }
    return copy as unknown as State;
}

/**
 * Every state of a graph and of those inside it: in the order in which they are written, each before the states
 * inside it.
 */
export function statesIn(graph: Pick<StateGraph, "States">): PlacedState[];
export function statesIn(graph: unknown): PlacedState<unknown>[];
export function statesIn(graph: unknown): PlacedState<unknown>[] {
    const found: PlacedState<unknown>[] = [];
    const work: PlacedState<unknown>[] = placed(graph, "", undefined).reverse();
    for (let place = work.pop(); place !== undefined; place = work.pop()) {
        found.push(place);
        const { path, state } = place;
        const owner = place;
        const inner = innerGraphs(state).flatMap(({ key, graph: one }) => placed(one, `${path}/${key}/`, owner));
        work.push(...inner.reverse());
    }
    return found;
}

function placed(graph: unknown, prefix: string, owner: PlacedState<unknown> | undefined): PlacedState<unknown>[] {
    const states = isFields(graph) && isFields(graph.States) ? graph.States : {};
    return Object.entries(states).map(([name, state]) => ({
        name,
        state,
        path: `${prefix}States/${escaped(name)}`,
        owner,
    }));
}
