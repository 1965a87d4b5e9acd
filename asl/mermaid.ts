/** A definition as a Mermaid flowchart: what GitHub, editors and the command line can show without a console. */
import type { Catcher, ChoiceState, ComparisonRule, ConditionRule, State, StateGraph, StateMachineDefinition } from "./types";

export interface MermaidOptions {
    /** Draw the Catch routes, and the states that only they reach; default true. */
    readonly failures?: boolean;
    /** `TD` (top down, default) or `LR`. */
    readonly direction?: "TD" | "LR";
    /** CSS class by state name, for example the outcome of an execution: `succeeded`, `failed`, `skipped`. */
    readonly classes?: Readonly<Record<string, string>>;
    /** `classDef` bodies by class name, for example `{ failed: "fill:#fdd,stroke:#a00" }`. */
    readonly classDefinitions?: Readonly<Record<string, string>>;
}

interface Edge {
    readonly to: string;
    readonly label?: string;
    readonly failure: boolean;
}

/**
 * Renders a definition as a Mermaid flowchart. Deterministic; a Parallel's branches and a Map's processor are subgraphs.
 * A target that does not exist is drawn as a node of its own, so that a broken definition can be seen, too.
 */
export function toMermaid(definition: StateMachineDefinition, options: MermaidOptions = {}): string {
    const { failures = true, direction = "TD", classes = {}, classDefinitions = {} } = options;
    const lines = [`flowchart ${direction}`];
    const ids = new Map<string, string>();
    const id = (name: string): string => {
        const known = ids.get(name);
        if (known !== undefined) {
            return known;
        }
        const fresh = `s${ids.size}`;
        ids.set(name, fresh);
        return fresh;
    };
    let graphs = 0;

    // An explicit stack: chains and nestings of foreign definitions may be deep.
    const work: (() => void)[] = [() => drawGraph(definition, "    ")];
    const push = (steps: (() => void)[]): void => {
        for (let i = steps.length - 1; i >= 0; i--) {
            work.push(steps[i]);
        }
    };

    function drawGraph(graph: StateGraph, indent: string): void {
        const start = `b${graphs++}`;
        const shown = failures ? new Set(Object.keys(graph.States)) : reachableWithoutFailures(graph);
        lines.push(`${indent}${start}((" ")) --> ${id(graph.StartAt)}`);
        const names = [...shown].filter((name) => graph.States[name] !== undefined);
        push(names.map((name) => () => drawState(name, graph.States[name], indent)));
    }

    const drawn = new Set<string>();
    function drawState(name: string, state: State, indent: string): void {
        drawn.add(name);
        const inner = innerGraphs(state);
        if (inner.length === 0) {
            lines.push(`${indent}${id(name)}${shape(name, state)}`);
        } else {
            lines.push(`${indent}subgraph ${id(name)}["${escape(name)}"]`);
        }
        const edges = (): void => {
            for (const edge of edgesOf(state)) {
                if (failures || !edge.failure) {
                    const arrow = edge.failure ? "-.->" : "-->";
                    lines.push(`${indent}${id(name)} ${arrow}${edge.label ? `|"${escape(edge.label)}"|` : ""} ${id(edge.to)}`);
                }
            }
        };
        push([
            ...inner.map((graph, index) => () => push([
                () => void lines.push(`${indent}    subgraph ${id(name)}_${index}[" "]`),
                () => drawGraph(graph, `${indent}        `),
                () => void lines.push(`${indent}    end`),
            ])),
            ...(inner.length > 0 ? [() => void lines.push(`${indent}end`)] : []),
            edges,
        ]);
    }

    for (let step = work.pop(); step !== undefined; step = work.pop()) {
        step();
    }
    for (const [name, target] of ids) {
        if (!drawn.has(name)) {
            lines.push(`    ${target}["${escape(name)} (missing)"]`);
        }
    }
    for (const [name, style] of Object.entries(classDefinitions)) {
        lines.push(`    classDef ${name} ${style}`);
    }
    for (const [name, className] of Object.entries(classes)) {
        if (ids.has(name)) {
            lines.push(`    class ${id(name)} ${className}`);
        }
    }
    return `${lines.join("\n")}\n`;
}

/** Where a state leads, in the order in which it is written: the one list of edges that a drawing needs. */
function edgesOf(state: State): Edge[] {
    const edges: Edge[] = [];
    if (state.Type === "Choice") {
        edges.push(...(state as ChoiceState).Choices.map((rule) => ({ to: String(rule.Next), label: ruleLabel(rule), failure: false })));
        if (state.Default !== undefined) {
            edges.push({ to: state.Default, label: "otherwise", failure: false });
        }
    } else if ("Next" in state && typeof state.Next === "string") {
        edges.push({ to: state.Next, failure: false });
    }
    if ("Catch" in state) {
        edges.push(...(state.Catch ?? []).map((catcher: Catcher) =>
            ({ to: catcher.Next, label: catcher.ErrorEquals.join(", "), failure: true })));
    }
    return edges;
}

function ruleLabel(rule: ConditionRule | ComparisonRule): string {
    if (typeof rule.Comment === "string") {
        return rule.Comment;
    }
    const text = typeof rule.Condition === "string" ? rule.Condition.replace(/^\{%\s*|\s*%\}$/g, "") : JSON.stringify(
        Object.fromEntries(Object.entries(rule).filter(([field]) => field !== "Next")));
    return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function innerGraphs(state: State): readonly StateGraph[] {
    if (state.Type === "Parallel") {
        return state.Branches;
    }
    const processor = state.Type === "Map" ? state.ItemProcessor ?? state.Iterator : undefined;
    return processor === undefined ? [] : [processor];
}

function reachableWithoutFailures(graph: StateGraph): Set<string> {
    const seen = new Set<string>([graph.StartAt]);
    for (const name of seen) {
        const state = graph.States[name];
        for (const edge of state === undefined ? [] : edgesOf(state)) {
            if (!edge.failure) {
                seen.add(edge.to);
            }
        }
    }
    return seen;
}

function shape(name: string, state: State): string {
    const text = `"${escape(name)}"`;
    switch (state.Type) {
        case "Choice": return `{${text}}`;
        case "Wait": return `[/${text}/]`;
        case "Succeed": return `([${text}])`;
        case "Fail": return `[[${text}]]`;
        case "Pass": return `(${text})`;
        default: return `[${text}]`;
    }
}

/** Mermaid reads entities, not backslashes, inside quoted text. */
function escape(text: string): string {
    return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/[\r\n]+/g, " ");
}
