/** Shortest ways through a definition, as the steps of a counter-example. */
import type { Step } from "./findings";
import type { Edge, Node, Scope } from "./graph";

/**
 * A counter-example longer than this is shortened in its middle: the text is for people, and thousands of findings may
 * have one.
 */
const LONGEST_WAY = 400;

export function stepAlong(edge: Edge): Step {
    const { name: state, path } = edge.from;
    switch (edge.kind) {
        case "catch":
            return { state, path, leaves: "error", error: edge.error, index: edge.index };
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
    if (steps.length <= LONGEST_WAY) {
        return steps;
    }
    const left = steps.length - LONGEST_WAY + 1;
    return [
        ...steps.slice(0, LONGEST_WAY / 2),
        { state: `... ${left} more ...`, path: "", leaves: "elided" },
        ...steps.slice(steps.length - LONGEST_WAY / 2 + 1),
    ];
}

export interface Way {
    readonly steps: Step[];
    readonly end: Node;
}

/** How to come to success from each node of a scope. */
interface Successes {
    readonly next: readonly (Edge | undefined)[];
    readonly reached: Uint8Array;
}

export class Ways {
    private readonly fromStart = new Map<Scope, readonly (Edge | undefined)[]>();
    private readonly toSuccess = new Map<Scope, Successes>();

    /** The steps from the execution's start up to the node, without the node itself. */
    to(node: Node): Step[] {
        const parts: Step[][] = [];
        let target = node;
        let length = 0;
        for (;;) {
            const steps = this.within(target, 2 * LONGEST_WAY - length);
            parts.push(steps);
            length += steps.length;
            const { branch, owner } = target.scope;
            if (owner === undefined || length > 2 * LONGEST_WAY) {
                break;
            }
            parts.push([{ state: owner.name, path: owner.path, leaves: "enter", index: branch }]);
            target = owner;
        }
        return shortened(parts.reverse().flat());
    }

    /** The last steps of the way from the start of the node's scope. */
    private within(node: Node, most: number): Step[] {
        const before = this.arrivals(node.scope);
        const steps: Step[] = [];
        for (let edge = before[node.index]; edge !== undefined; edge = before[edge.from.index]) {
            if (steps.length > most) {
                break;
            }
            steps.push(stepAlong(edge));
        }
        return steps.reverse();
    }

    /**
     * The shortest way from a node to another one over the given edges, without the last node; undefined when there is
     * none.
     */
    between(from: Node, arrives: (node: Node) => boolean, follows: (edge: Edge) => boolean): Way | undefined {
        const before = new Map<Node, Edge | undefined>([[from, undefined]]);
        const queue = [from];
        // The queue grows while it is read.
        for (const node of queue) {
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
            const { owner } = node.scope;
            if (owner === undefined) {
                steps.push(lastStep(node, "end"));
                return { steps: shortened(steps), outcome: "the execution SUCCEEDS" };
            }
            steps.push(lastStep(node, "exit"));
            const { next, reached } = this.successes(owner.scope);
            const first = owner.out.find((edge) => edge.kind === "next" && reached[edge.to.index] === 1);
            if (owner.ends === undefined && first === undefined) {
                const what = owner.type === "Map" ? "the iteration" : "the branch";
                return { steps: shortened(steps), outcome: `${what} of "${owner.name}" ends as if it had SUCCEEDED` };
            }
            node = owner;
            for (let edge = first; edge !== undefined && steps.length < 2 * LONGEST_WAY; edge = next[node.index]) {
                steps.push(stepAlong(edge));
                node = edge.to;
            }
        }
    }

    private arrivals(scope: Scope): readonly (Edge | undefined)[] {
        let before = this.fromStart.get(scope);
        if (before === undefined) {
            before = arrivalsOf(scope);
            this.fromStart.set(scope, before);
        }
        return before;
    }

    private successes(scope: Scope): Successes {
        let found = this.toSuccess.get(scope);
        if (found === undefined) {
            found = successesOf(scope);
            this.toSuccess.set(scope, found);
        }
        return found;
    }
}

/** The edge over which each node is reached first from the scope's start. */
function arrivalsOf(scope: Scope): (Edge | undefined)[] {
    const before = new Array<Edge | undefined>(scope.nodes.length).fill(undefined);
    const seen = new Uint8Array(scope.nodes.length);
    const queue = scope.start === undefined ? [] : [scope.start];
    queue.forEach((node) => seen.fill(1, node.index, node.index + 1));
    for (const node of queue) {
        for (const edge of node.out) {
            if (seen[edge.to.index] === 0) {
                seen[edge.to.index] = 1;
                before[edge.to.index] = edge;
                queue.push(edge.to);
            }
        }
    }
    return before;
}

function successesOf(scope: Scope): Successes {
    const next = new Array<Edge | undefined>(scope.nodes.length).fill(undefined);
    const reached = new Uint8Array(scope.nodes.length);
    const queue = scope.nodes.filter((node) => node.ends === "success");
    queue.forEach((node) => reached.fill(1, node.index, node.index + 1));
    for (const node of queue) {
        for (const edge of node.in) {
            if (reached[edge.from.index] === 0) {
                reached[edge.from.index] = 1;
                next[edge.from.index] = edge;
                queue.push(edge.from);
            }
        }
    }
    return { next, reached };
}
