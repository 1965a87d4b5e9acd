/**
 * Pictures of a definition as text: a Mermaid flowchart, which GitHub and editors show, and Graphviz's DOT, which lays out
 * without a browser. Both come from one walk.
 */
import type { Catcher, ComparisonRule, ConditionRule, State, StateGraph, StateMachineDefinition } from "./types";
import { innerGraphs } from "./walk";

/** What a picture shows. */
export interface DrawingOptions {
    /** Draw the Catch routes, and the states that only they reach; default true. */
    readonly failures?: boolean;
    /** Write the conditions and errors at the routes; default true. */
    readonly labels?: boolean;
    /** `TD` (top down, default) or `LR`. */
    readonly direction?: "TD" | "LR";
    /** Class by state name, for example the outcome of an execution: `succeeded`, `failed`, `skipped`. */
    readonly classes?: Readonly<Record<string, string>>;
    /** Mermaid only: `classDef` bodies by class name, for example `{ failed: "fill:#fdd,stroke:#a00" }`. */
    readonly classDefinitions?: Readonly<Record<string, string>>;
}

interface Edge {
    readonly from: string;
    readonly to: string;
    readonly label?: string;
    readonly kind: "next" | "catch" | "branch";
}

type Mark =
    | {
          readonly mark: "state";
          readonly name: string;
          readonly id: string;
          readonly type: State["Type"];
          readonly depth: number;
      }
    | { readonly mark: "start"; readonly id: string; readonly to: string; readonly depth: number; readonly of?: string }
    | { readonly mark: "open"; readonly id: string; readonly name?: string; readonly depth: number }
    | { readonly mark: "close"; readonly depth: number }
    | { readonly mark: "missing"; readonly name: string; readonly id: string; readonly depth: number }
    | { readonly mark: "edge"; readonly edge: Edge; readonly depth: number };

/**
 * Renders a definition as a Mermaid flowchart. Deterministic; a Parallel's branches and a Map's processor are subgraphs.
 * A target that does not exist is drawn as a node of its own, so that a broken definition can be seen, too.
 */
export function toMermaid(definition: StateMachineDefinition, options: DrawingOptions = {}): string {
    const lines = [`flowchart ${options.direction ?? "TD"}`];
    const ids = new Map<string, string>();
    for (const item of walk(definition, options)) {
        const indent = "    ".repeat(item.depth + 1);
        switch (item.mark) {
            case "start":
                lines.push(`${indent}${item.id}((" ")) --> ${item.to}`);
                break;
            case "open":
                lines.push(`${indent}subgraph ${item.id}["${entities(item.name ?? " ")}"]`);
                break;
            case "close":
                lines.push(`${indent}end`);
                break;
            case "missing":
                lines.push(`${indent}${item.id}["${entities(item.name)} (missing)"]`);
                break;
            case "state":
                ids.set(item.name, item.id);
                if (item.type !== "Parallel" && item.type !== "Map") {
                    lines.push(`${indent}${item.id}${mermaidShape(item.name, item.type)}`);
                }
                break;
            case "edge": {
                const { from, to, label, kind } = item.edge;
                lines.push(
                    `${indent}${from} ${kind === "catch" ? "-.->" : "-->"}${label === undefined ? "" : `|"${entities(label)}"|`} ${to}`,
                );
            }
        }
    }
    for (const [name, style] of Object.entries(options.classDefinitions ?? {})) {
        lines.push(`    classDef ${name} ${style}`);
    }
    for (const [name, className] of Object.entries(options.classes ?? {})) {
        const id = ids.get(name);
        if (id !== undefined) {
            lines.push(`    class ${id} ${className}`);
        }
    }
    return `${lines.join("\n")}\n`;
}

/** Renders a definition in Graphviz's DOT; each node's class is its state's type and, where given, its class from the options. */
export function toDot(definition: StateMachineDefinition, options: DrawingOptions = {}): string {
    const lines = [
        "digraph workflow {",
        `    rankdir=${options.direction === "LR" ? "LR" : "TB"}; bgcolor="transparent"; nodesep=0.3; ranksep=0.35;`,
        '    node [fontname="sans-serif", fontsize=11, shape=box, style=rounded, height=0.3];',
        '    edge [fontname="sans-serif", fontsize=9, arrowsize=0.7];',
    ];
    for (const item of walk(definition, options)) {
        const indent = "    ".repeat(item.depth + 1);
        switch (item.mark) {
            case "start":
                lines.push(
                    item.of === undefined
                        ? `${indent}${item.id} [shape=circle, label="", width=0.15, height=0.15, class="start"]; ${item.id} -> ${item.to};`
                        : `${indent}${item.of} -> ${item.to} [class="branch", style=dotted];`,
                );
                break;
            // a cluster cannot be an edge's end: the Parallel itself is a node beside its branches
            case "open":
                lines.push(`${indent}subgraph cluster_${item.id} { label=""; class="branch"; style="rounded";`);
                break;
            case "close":
                lines.push(`${indent}}`);
                break;
            case "missing":
                lines.push(`${indent}${item.id} [label=${quoted(`${item.name} (missing)`)}, class="missing"];`);
                break;
            case "state": {
                const extra = options.classes?.[item.name];
                const classes = [item.type.toLowerCase(), ...(extra === undefined ? [] : [extra])].join(" ");
                lines.push(
                    `${indent}${item.id} [label=${quoted(item.name)}, class="${classes}"${dotShape(item.type)}];`,
                );
                break;
            }
            case "edge": {
                const { from, to, label, kind } = item.edge;
                lines.push(
                    `${indent}${from} -> ${to} [class="${kind}"${label === undefined ? "" : `, label=${quoted(label)}`}${kind === "catch" ? ", style=dashed" : ""}];`,
                );
            }
        }
    }
    return `${lines.join("\n")}\n}\n`;
}

/** What there is to draw, in order. An explicit stack: chains and nestings of foreign definitions may be deep. */
function walk(definition: StateMachineDefinition, { failures = true, labels = true }: DrawingOptions): Mark[] {
    const marks: Mark[] = [];
    const ids = new Map<string, string>();
    const drawn = new Set<string>();
    const id = (name: string): string => {
        const known = ids.get(name) ?? `s${ids.size}`;
        ids.set(name, known);
        return known;
    };
    let graphs = 0;
    const work: (() => void)[] = [() => graph(definition, 0)];
    const push = (steps: readonly (() => void)[]): void => {
        for (let i = steps.length - 1; i >= 0; i--) {
            work.push(steps[i]);
        }
    };

    function graph({ StartAt, States }: StateGraph, depth: number, of?: string): void {
        const shown = failures ? new Set(Object.keys(States)) : reachableWithoutFailures({ StartAt, States });
        marks.push({ mark: "start", id: `b${graphs++}`, to: id(StartAt), depth, ...(of === undefined ? {} : { of }) });
        push(
            [...shown]
                .filter((name) => States[name] !== undefined)
                .map((name) => () => state(name, States[name], depth)),
        );
    }

    function state(name: string, definitionOf: State, depth: number): void {
        const own = id(name);
        drawn.add(name);
        const inner = innerGraphs(definitionOf);
        marks.push({ mark: "state", name, id: own, type: definitionOf.Type, depth });
        push([
            ...(inner.length > 0 ? [() => void marks.push({ mark: "open", id: own, name, depth })] : []),
            ...inner.map(
                (one, index) => () =>
                    push([
                        () => void marks.push({ mark: "open", id: `${own}_${index}`, depth: depth + 1 }),
                        () => graph(one.graph, depth + 2, own),
                        () => void marks.push({ mark: "close", depth: depth + 1 }),
                    ]),
            ),
            ...(inner.length > 0 ? [() => void marks.push({ mark: "close", depth })] : []),
            () => {
                for (const { to, label, kind } of routes(definitionOf)) {
                    if (failures || kind !== "catch") {
                        marks.push({
                            mark: "edge",
                            edge: { from: own, to: id(to), kind, ...(labels && label !== undefined ? { label } : {}) },
                            depth,
                        });
                    }
                }
            },
        ]);
    }

    for (let step = work.pop(); step !== undefined; step = work.pop()) {
        step();
    }
    for (const [name, own] of ids) {
        if (!drawn.has(name)) {
            marks.push({ mark: "missing", name, id: own, depth: 0 });
        }
    }
    return marks;
}

/** Where a state leads, in the order in which it is written. */
function routes(state: State): Omit<Edge, "from">[] {
    const found: Omit<Edge, "from">[] = [];
    if (state.Type === "Choice") {
        found.push(
            ...state.Choices.map((rule) => ({ to: String(rule.Next), label: ruleLabel(rule), kind: "next" as const })),
        );
        if (state.Default !== undefined) {
            found.push({ to: state.Default, label: "otherwise", kind: "next" });
        }
    } else if ("Next" in state && typeof state.Next === "string") {
        found.push({ to: state.Next, kind: "next" });
    }
    if ("Catch" in state) {
        found.push(
            ...(state.Catch ?? []).map((catcher: Catcher) => ({
                to: catcher.Next,
                label: catcher.ErrorEquals.join(", "),
                kind: "catch" as const,
            })),
        );
    }
    return found;
}

function ruleLabel(rule: ConditionRule | ComparisonRule): string {
    if (typeof rule.Comment === "string") {
        return rule.Comment;
    }
    const text =
        typeof rule.Condition === "string"
            ? rule.Condition.replace(/^\{%\s*|\s*%\}$/g, "")
            : JSON.stringify(Object.fromEntries(Object.entries(rule).filter(([field]) => field !== "Next")));
    return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function reachableWithoutFailures(graph: StateGraph): Set<string> {
    const seen = new Set<string>([graph.StartAt]);
    for (const name of seen) {
        const state = graph.States[name];
        for (const { to, kind } of state === undefined ? [] : routes(state)) {
            if (kind !== "catch") {
                seen.add(to);
            }
        }
    }
    return seen;
}

function mermaidShape(name: string, type: State["Type"]): string {
    const text = `"${entities(name)}"`;
    switch (type) {
        case "Choice":
            return `{${text}}`;
        case "Wait":
            return `[/${text}/]`;
        case "Succeed":
            return `([${text}])`;
        case "Fail":
            return `[[${text}]]`;
        case "Pass":
            return `(${text})`;
        default:
            return `[${text}]`;
    }
}

function dotShape(type: State["Type"]): string {
    switch (type) {
        case "Choice":
            return ', shape=diamond, style="", height=0.5';
        case "Wait":
            return ', shape=parallelogram, style=""';
        case "Succeed":
        case "Fail":
            return ", peripheries=2";
        case "Parallel":
        case "Map":
            return ', shape=box3d, style=""';
        default:
            return "";
    }
}

/** Mermaid reads entities, not backslashes, inside quoted text. */
function entities(text: string): string {
    return text
        .replace(/&/g, "&amp;")
        .replace(/"/g, "&quot;")
        .replace(/</g, "&lt;")
        .replace(/>/g, "&gt;")
        .replace(/[\r\n]+/g, " ");
}

function quoted(text: string): string {
    return `"${text
        .replace(/\\/g, "\\\\")
        .replace(/"/g, '\\"')
        .replace(/[\r\n]+/g, " ")}"`;
}
