/** Cycles: the strongly connected components of a scope's graph (Tarjan 1972, without recursion). */
import { reachableNodes, type Edge, type Node, type Scope } from "./graph";

/** A node whose edges are still being followed. */
interface Frame {
    readonly node: Node;
    readonly edges: readonly Edge[];
    next: number;
}

/** The components of the nodes of one scope over the given edges that hold a cycle. */
export function cycles(nodes: readonly Node[], edgesOf: (node: Node) => readonly Edge[]): Node[][] {
    return new Search(edgesOf).run(nodes);
}

const loops = new WeakMap<Scope, readonly (readonly Node[])[]>();

/** The components of what an execution can reach in a scope. */
export function loopsOf(scope: Scope): readonly (readonly Node[])[] {
    let found = loops.get(scope);
    if (found === undefined) {
        found = cycles(reachableNodes(scope), (node) => node.out);
        loops.set(scope, found);
    }
    return found;
}

class Search {
    private readonly order = new Map<Node, number>();
    private readonly low = new Map<Node, number>();
    private readonly onStack = new Set<Node>();
    private readonly stack: Node[] = [];
    private readonly work: Frame[] = [];
    private readonly found: Node[][] = [];

    constructor(private readonly edgesOf: (node: Node) => readonly Edge[]) {}

    run(nodes: readonly Node[]): Node[][] {
        for (const root of nodes) {
            if (!this.order.has(root)) {
                this.open(root);
                this.follow();
            }
        }
        return this.found;
    }

    private open(node: Node): void {
        const number = this.order.size;
        this.order.set(node, number);
        this.low.set(node, number);
        this.stack.push(node);
        this.onStack.add(node);
        this.work.push({ node, edges: this.edgesOf(node), next: 0 });
    }

    private follow(): void {
        for (let frame = this.work.at(-1); frame !== undefined; frame = this.work.at(-1)) {
            const edge = frame.edges[frame.next];
            if (edge === undefined) {
                this.work.pop();
                this.close(frame);
                continue;
            }
            frame.next += 1;
            if (!this.order.has(edge.to)) {
                this.open(edge.to);
            } else if (this.onStack.has(edge.to)) {
                this.lower(frame.node, this.order.get(edge.to) ?? 0);
            }
        }
    }

    private lower(node: Node, to: number): void {
        this.low.set(node, Math.min(this.low.get(node) ?? to, to));
    }

    private close({ node, edges }: Frame): void {
        const low = this.low.get(node) ?? 0;
        const above = this.work.at(-1);
        if (above !== undefined) {
            this.lower(above.node, low);
        }
        if (low !== this.order.get(node)) {
            return;
        }
        const component: Node[] = [];
        for (let member = this.stack.pop(); member !== undefined; member = this.stack.pop()) {
            this.onStack.delete(member);
            component.push(member);
            if (member === node) {
                break;
            }
        }
        if (component.length > 1 || edges.some((edge) => edge.to === node)) {
            this.found.push(component.reverse());
        }
    }
}
