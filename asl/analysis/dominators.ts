/**
 * Dominator tree by Lengauer and Tarjan (1979), the simple version with path compression: O(edges * log nodes), no
 * recursion.
 */
export interface DominatorTree {
    /** Is `node` reachable from the root? */
    reached(node: number): boolean;
    /**
     * Does every path from the root to `node` pass `by`? False when `node` is not reached. A node dominates itself.
     */
    dominates(by: number, node: number): boolean;
}

type Successors = (node: number) => readonly number[];

export function dominators(size: number, root: number, successors: Successors): DominatorTree {
    const order = depthFirst(size, root, successors);
    const parents = new Lengauer(size, order).run();
    const tree: number[][] = Array.from({ length: size }, () => []);
    for (const node of order.vertices) {
        if (node !== root) {
            tree[at(parents, node)]?.push(node);
        }
    }
    return new Tree(size, root, order, (node) => tree[node] ?? []);
}

/** An array's item that is known to be there. */
const at = (array: Int32Array, index: number): number => array[index] ?? -1;

interface Order {
    /** Nodes in the order in which the search met them. */
    readonly vertices: readonly number[];
    /** The place of each node in that order; -1 where it was not met. */
    readonly number: Int32Array;
    readonly parent: Int32Array;
    readonly predecessors: readonly (readonly number[])[];
}

function depthFirst(size: number, root: number, successors: Successors): Order {
    const number = new Int32Array(size).fill(-1);
    const parent = new Int32Array(size).fill(-1);
    const predecessors: number[][] = Array.from({ length: size }, () => []);
    const vertices: number[] = [];
    walk(root, successors, {
        meet: (node, from) => {
            number[node] = vertices.length;
            parent[node] = from;
            vertices.push(node);
        },
        isMet: (node) => at(number, node) !== -1,
        along: (from, to) => predecessors[to]?.push(from),
    });
    return { vertices, number, parent, predecessors };
}

interface Visitor {
    readonly meet: (node: number, from: number) => void;
    readonly isMet: (node: number) => boolean;
    readonly along?: (from: number, to: number) => void;
    readonly leave?: (node: number) => void;
}

/** A depth-first walk without recursion. */
function walk(root: number, successors: Successors, visitor: Visitor): void {
    const work: { readonly node: number; readonly targets: readonly number[]; next: number }[] = [];
    const open = (node: number, from: number): void => {
        visitor.meet(node, from);
        work.push({ node, targets: successors(node), next: 0 });
    };
    open(root, -1);
    for (let frame = work.at(-1); frame !== undefined; frame = work.at(-1)) {
        const to = frame.targets[frame.next];
        if (to === undefined) {
            work.pop();
            visitor.leave?.(frame.node);
            continue;
        }
        frame.next += 1;
        visitor.along?.(frame.node, to);
        if (!visitor.isMet(to)) {
            open(to, frame.node);
        }
    }
}

class Lengauer {
    private readonly semi: Int32Array;
    private readonly ancestor: Int32Array;
    private readonly label: Int32Array;
    private readonly idom: Int32Array;
    private readonly bucket: number[][];

    constructor(
        size: number,
        private readonly order: Order,
    ) {
        this.semi = Int32Array.from(order.number);
        this.ancestor = new Int32Array(size).fill(-1);
        this.label = Int32Array.from({ length: size }, (_, index) => index);
        this.idom = new Int32Array(size).fill(-1);
        this.bucket = Array.from({ length: size }, () => []);
    }

    /** The immediate dominator of each node that was met. */
    run(): Int32Array {
        const { vertices } = this.order;
        for (let index = vertices.length - 1; index > 0; index -= 1) {
            const node = vertices[index];
            if (node !== undefined) {
                this.settle(node);
            }
        }
        for (const node of vertices.slice(1)) {
            const idom = at(this.idom, node);
            if (idom !== vertices[at(this.semi, node)]) {
                this.idom[node] = at(this.idom, idom);
            }
        }
        return this.idom;
    }

    private settle(node: number): void {
        const { parent, predecessors, vertices } = this.order;
        for (const from of predecessors[node] ?? []) {
            const best = at(this.semi, this.evaluate(from));
            if (best < at(this.semi, node)) {
                this.semi[node] = best;
            }
        }
        const above = at(parent, node);
        this.bucket[vertices[at(this.semi, node)] ?? -1]?.push(node);
        this.ancestor[node] = above;
        for (const waiting of this.bucket[above] ?? []) {
            const best = this.evaluate(waiting);
            this.idom[waiting] = at(this.semi, best) < at(this.semi, waiting) ? best : above;
        }
        this.bucket[above] = [];
    }

    /** The node of least semidominator on the way up the forest, which is compressed on the way. */
    private evaluate(node: number): number {
        const { ancestor, label, semi } = this;
        if (at(ancestor, node) === -1) {
            return node;
        }
        const path: number[] = [];
        for (let current = node; at(ancestor, at(ancestor, current)) !== -1; current = at(ancestor, current)) {
            path.push(current);
        }
        for (const low of path.reverse()) {
            const up = at(ancestor, low);
            if (at(semi, at(label, up)) < at(semi, at(label, low))) {
                label[low] = at(label, up);
            }
            ancestor[low] = at(ancestor, up);
        }
        return at(label, node);
    }
}

/** Intervals of a walk through the tree answer "is an ancestor of" in constant time. */
class Tree implements DominatorTree {
    private readonly enter: Int32Array;
    private readonly leave: Int32Array;

    constructor(
        size: number,
        root: number,
        private readonly order: Order,
        children: Successors,
    ) {
        this.enter = new Int32Array(size).fill(-1);
        this.leave = new Int32Array(size).fill(-1);
        let clock = -1;
        walk(root, children, {
            meet: (node) => {
                clock += 1;
                this.enter[node] = clock;
            },
            isMet: () => false,
            leave: (node) => {
                this.leave[node] = clock;
            },
        });
    }

    reached(node: number): boolean {
        return at(this.order.number, node) !== -1;
    }

    dominates(by: number, node: number): boolean {
        return (
            this.reached(by) &&
            this.reached(node) &&
            at(this.enter, by) <= at(this.enter, node) &&
            at(this.leave, node) <= at(this.leave, by)
        );
    }
}
