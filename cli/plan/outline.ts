/**
 * A definition as an indented list, for a terminal: the states in the order in which they are reached without a
 * failure.
 */
import type { State, StateGraph, StateMachineDefinition } from "../../asl/types";
import { innerGraphs } from "../../asl/walk";

/** One line a state; a Parallel's branches and a Map's processor are indented below it. Failure routes are left out. */
export function outline(definition: StateMachineDefinition): string[] {
    const lines: string[] = [];
    const work: (() => void)[] = [() => graph(definition, 0)];
    function graph({ StartAt, States }: StateGraph, depth: number): void {
        const order = new Set([StartAt]);
        for (const name of order) {
            next(States[name]).forEach((target) => order.add(target));
        }
        const steps = [...order]
            .filter((name) => States[name] !== undefined)
            .map((name) => () => {
                const state = States[name];
                const ways = state.Type === "Choice" ? ` -> ${next(state).join(" | ")}` : "";
                lines.push(`${"  ".repeat(depth)}${state.Type === "Choice" ? "? " : "- "}${name}${ways}`);
                const inner = innerGraphs(state).map((one) => () => graph(one.graph, depth + 1));
                work.push(...inner.reverse());
            });
        work.push(...steps.reverse());
    }
    for (let step = work.pop(); step !== undefined; step = work.pop()) {
        step();
    }
    return lines;
}

function next(state: State | undefined): string[] {
    if (state === undefined) {
        return [];
    }
    const named =
        state.Type === "Choice"
            ? [...state.Choices.map((rule) => rule.Next), state.Default]
            : "Next" in state
              ? [state.Next]
              : [];
    return [...new Set(named.filter((name) => typeof name === "string"))];
}
