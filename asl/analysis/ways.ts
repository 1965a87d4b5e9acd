/**
 * Shortest ways through a definition, as the steps of a counter-example.
 */
import type { Step } from "./findings";
import { catchers, type Edge, type Node, type Scope } from "./graph";

/** A counter-example longer than this is shortened in its middle: the text is for people, and thousands of findings may have one. */
const longestWay = 400;

/** An error by which an execution takes the catcher with this index, and no earlier one. */
export function errorFor(node: Node, index: number): string {
    const all = catchers(node.fields);
    const earlier = new Set(all.filter((catcher) => catcher.index < index).flatMap((catcher) => catcher.errors));
    const own = all.find((catcher) => catcher.index === index)?.errors ?? [];
    const named = own.find((name) => name !== "States.ALL" && !earlier.has(name));
    if (named !== undefined) {
        return named;
    }
    // States.TaskFailed stands for every error but a timeout.
    return earlier.has("States.TaskFailed") ? "States.Timeout" : "States.TaskFailed";
}

export function stepAlong(edge: Edge): Step {
    const { name: state, path } = edge.from;
    switch (edge.kind) {
        case "catch":
            return { state, path, leaves: "error", error: errorFor(edge.from, edge.index!), index: edge.index };
        case "choice":
            return { state, path, leaves: "choice", index: edge.index };
        case "default":
            return { state, path, leaves: "default" };
        default:
            return { state, path, leaves: "next" };
    }
}

/** The last step of a way. */
export function lastStep(node: Node, leaves: Step["leaves"], error?: string): Step {
    return error === undefined
        ? { state: node.name, path: node.path, leaves }
        : { state: node.name, path: node.path, leaves, error };
}

function shortened(steps: Step[]): Step[] {
    if (steps.length <= longestWay) {
        return steps;
    }
    const left = steps.length - longestWay + 1;
    return [
        ...steps.slice(0, longestWay / 2),
        { state: `... ${left} more ...`, path: "", leaves: "elided" },
        ...steps.slice(steps.length - longestWay / 2 + 1),
    ];
}

export interface Way {
    readonly steps: Step[];
    readonly end: Node;
}

export class Ways {
    private readonly fromStart = new Map<Scope, (Edge | undefined)[]>();
    private readonly toSuccess = new Map<
        Scope,
        { readonly next: (Edge | undefined)[]; readonly reached: Uint8Array }
    >();

    /** The steps from the execution's start up to the node, without the node itself. */
    to(node: Node): Step[] {
        const parts: Step[][] = [];
        let target = node;
        let length = 0;
        for (;;) {
            const before = this.arrivals(target.scope);
            const steps: Step[] = [];
            let edge = before[target.index];
            while (edge !== undefined && length + steps.length <= 2 * longestWay) {
                steps.push(stepAlong(edge));
                edge = before[edge.from.index];
            }
            parts.push(steps.reverse());
            length += steps.length;
            const owner = target.scope.owner;
            if (owner === undefined || length > 2 * longestWay) {
                break;
            }
            parts.push([{ state: owner.name, path: owner.path, leaves: "enter", index: target.scope.branch }]);
            target = owner;
        }
        return shortened(parts.reverse().flat());
    }

    /** The shortest way from a node to another one over the given edges, without the last node; undefined when there is none. */
    between(from: Node, arrives: (node: Node) => boolean, follows: (edge: Edge) => boolean): Way | undefined {
        const before = new Map<Node, Edge | undefined>([[from, undefined]]);
        const queue = [from];
        for (let at = 0; at < queue.length; at += 1) {
            const node = queue[at];
            if (arrives(node)) {
                const steps: Step[] = [];
                for (let edge = before.get(node); edge !== undefined; edge = before.get(edge.from)) {
                    steps.push(stepAlong(edge));
                }
                return { steps: shortened(steps.reverse()), end: node };
            }
            for (const edge of node.out) {
                if (!before.has(edge.to) && follows(edge)) {
                    before.set(edge.to, edge);
                    queue.push(edge.to);
                }
            }
        }
        return undefined;
    }

    /** From a node of a scope that ends there with success on to the end of the execution. */
    onwards(end: Node): { readonly steps: readonly Step[]; readonly outcome: string } {
        const steps: Step[] = [];
        let node = end;
        for (;;) {
            const owner = node.scope.owner;
            if (owner === undefined) {
                steps.push(lastStep(node, "end"));
                return { steps: shortened(steps), outcome: "the execution SUCCEEDS" };
            }
            steps.push(lastStep(node, "exit"));
            const { next, reached } = this.successes(owner.scope);
            const first = owner.out.find((edge) => edge.kind === "next" && reached[edge.to.index] === 1);
            if (owner.ends === undefined && first === undefined) {
                return {
                    steps: shortened(steps),
                    outcome: `${owner.type === "Map" ? "the iteration" : "the branch"} of "${owner.name}" ends as if it had SUCCEEDED`,
                };
            }
            node = owner;
            for (let edge = first; edge !== undefined && steps.length < 2 * longestWay; edge = next[node.index]) {
                steps.push(stepAlong(edge));
                node = edge.to;
            }
        }
    }

    private arrivals(scope: Scope): (Edge | undefined)[] {
        let before = this.fromStart.get(scope);
        if (before === undefined) {
            before = new Array<Edge | undefined>(scope.nodes.length).fill(undefined);
            if (scope.start !== undefined) {
                const seen = new Uint8Array(scope.nodes.length);
                seen[scope.start.index] = 1;
                const queue = [scope.start];
                for (let at = 0; at < queue.length; at += 1) {
                    for (const edge of queue[at].out) {
                        if (seen[edge.to.index] === 0) {
                            seen[edge.to.index] = 1;
                            before[edge.to.index] = edge;
                            queue.push(edge.to);
                        }
                    }
                }
            }
            this.fromStart.set(scope, before);
        }
        return before;
    }

    private successes(scope: Scope): { readonly next: (Edge | undefined)[]; readonly reached: Uint8Array } {
        let found = this.toSuccess.get(scope);
        if (found === undefined) {
            const next = new Array<Edge | undefined>(scope.nodes.length).fill(undefined);
            const reached = new Uint8Array(scope.nodes.length);
            const queue = scope.nodes.filter((node) => node.ends === "success");
            queue.forEach((node) => {
                reached[node.index] = 1;
            });
            for (let at = 0; at < queue.length; at += 1) {
                for (const edge of queue[at].in) {
                    if (reached[edge.from.index] === 0) {
                        reached[edge.from.index] = 1;
                        next[edge.from.index] = edge;
                        queue.push(edge.from);
                    }
                }
            }
            found = { next, reached };
            this.toSuccess.set(scope, found);
        }
        return found;
    }
}
