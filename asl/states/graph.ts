import { closest } from "fastest-levenshtein";
import type { StateGraph } from "../types";
import type { StateNode } from "./node";

/**
 * States of one scope: the first is where it starts, every target is among them, and every one of them can be reached.
 */
export class Graph {
    constructor(
        private readonly where: string,
        private readonly nodes: readonly StateNode[],
    ) {
        if (nodes.length === 0) {
            throw new Error(`${where}: no states; expected at least one`);
        }
        const names = nodes.map((state) => state.name);
        for (const node of nodes) {
            for (const target of node.targets()) {
                if (!names.includes(target)) {
                    throw new Error(
                        `${where}: state "${node.name}" goes to "${target}", which is not there; ` +
                            `did you mean "${closest(target, names)}"?`,
                    );
                }
            }
        }
        const reached = new Set(reachable(nodes));
        const lost = nodes.filter((node) => !reached.has(node)).map(({ name }) => `"${name}"`);
        if (lost.length > 0) {
            const verb = lost.length === 1 ? "is a state" : "are states";
            throw new Error(
                `${where}: ${lost.join(", ")} ${verb} that nothing leads to; it starts at "${names[0]}". ` +
                    "Name it as a next state, or leave it out",
            );
        }
    }

    render(): StateGraph {
        return {
            StartAt: this.nodes[0]?.name ?? "",
            States: Object.fromEntries(this.nodes.map((state) => [state.name, state.render()])),
        };
    }
}

/** The states that can be reached from the first, in their order. */
export function reachable(nodes: readonly StateNode[]): readonly StateNode[] {
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const seen = new Set<string>();
    const open = nodes.slice(0, 1).map((node) => node.name);
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
        const node = byName.get(name);
        if (node !== undefined && !seen.has(name)) {
            seen.add(name);
            open.push(...node.targets());
        }
    }
    return nodes.filter((node) => seen.has(node.name));
}
