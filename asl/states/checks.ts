/**
 * What a rendered definition gets wrong that needs no run to be seen, beyond what each state checks of itself:
 * expressions that are no JSONata, variables that nobody sets, and time-outs that can never be reached.
 */
import { Expressions } from "../analysis/jsonata";
import { variablesIn } from "../analysis/reads";
import type { JsonValue, State, StateGraph, StateMachineDefinition } from "../types";
import { innerGraphs } from "../walk";

/** Every problem of a definition in JSONata, in the order of its states. */
export function problemsOf(definition: StateMachineDefinition): readonly string[] {
    const checks = new Checks(definition.TimeoutSeconds);
    checks.graph(definition, new Set());
    return checks.problems;
}

/** Fields that hold states of their own or name no expression. */
const WITHOUT_EXPRESSIONS = new Set(["Type", "Comment", "Branches", "ItemProcessor", "Resource", "Next", "Default"]);

class Checks {
    readonly problems: string[] = [];
    private readonly expressions = new Expressions();

    constructor(private readonly machineSeconds: number | undefined) {}

    /** @param outer Variables of the scopes around. */
    graph(graph: StateGraph, outer: ReadonlySet<string>): void {
        const visible = new Set([...outer, ...Object.values(graph.States).flatMap(assignedBy)]);
        for (const [name, state] of Object.entries(graph.States)) {
            this.timeout(name, state);
            for (const [field, value] of Object.entries(state)) {
                if (!WITHOUT_EXPRESSIONS.has(field)) {
                    this.value(`state "${name}", ${field}`, value as JsonValue, visible);
                }
            }
            for (const { graph: inner, isDistributed } of innerGraphs(state)) {
                this.graph(inner, isDistributed ? new Set() : visible);
            }
        }
    }

    private value(where: string, value: JsonValue, visible: ReadonlySet<string>): void {
        if (typeof value === "string") {
            this.text(where, value, visible);
        } else if (Array.isArray(value)) {
            value.forEach((item, index) => this.value(`${where}[${index}]`, item, visible));
        } else if (typeof value === "object" && value !== null) {
            Object.entries(value).forEach(([key, item]) => this.value(`${where}.${key}`, item, visible));
        }
    }

    private text(where: string, text: string, visible: ReadonlySet<string>): void {
        if (!text.startsWith("{%")) {
            return;
        }
        const { ast, error } = this.expressions.parse(text.slice(2, -2));
        if (ast === undefined) {
            this.problems.push(`${where}: ${shortened(text)} is no JSONata: ${error}`);
            return;
        }
        const { read, asked } = variablesIn(ast);
        for (const name of read) {
            if (!visible.has(name) && !asked.has(name)) {
                this.problems.push(
                    `${where}: the variable $${name} is read, and no state assigns it; ${known(visible)}`,
                );
            }
        }
    }

    private timeout(name: string, state: State): void {
        const seconds = state.Type === "Task" ? state.TimeoutSeconds : undefined;
        if (typeof seconds === "number" && this.machineSeconds !== undefined && seconds >= this.machineSeconds) {
            this.problems.push(
                `state "${name}", timeoutSeconds: ${seconds} s, but the whole machine ends TIMED_OUT after ` +
                    `${this.machineSeconds} s, which no state can catch; give the machine more, or the state less`,
            );
        }
    }
}

function assignedBy(state: State): readonly string[] {
    const catchers = "Catch" in state ? (state.Catch ?? []) : [];
    const rules = state.Type === "Choice" ? state.Choices : [];
    const holders: readonly object[] = [state, ...catchers, ...rules];
    return holders.flatMap((holder) => Object.keys((holder as { readonly Assign?: object }).Assign ?? {}));
}

function known(visible: ReadonlySet<string>): string {
    return visible.size === 0 ? "none is assigned" : `assigned are ${[...visible].join(", ")}`;
}

function shortened(text: string): string {
    return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
