/**
 * Dominator tree by Lengauer and Tarjan (1979), the simple version with path compression: O(edges * log nodes), no recursion.
 */
export interface DominatorTree {
    /** Is `node` reachable from the root? */
    reached(node: number): boolean;
    /** Does every path from the root to `node` pass `by`? False when `node` is not reached. A node dominates itself. */
    dominates(by: number, node: number): boolean;
}

export function dominators(size: number, root: number, successors: (node: number) => readonly number[]): DominatorTree {
    const number = new Int32Array(size).fill(-1);
    const vertex: number[] = [];
    const parent = new Int32Array(size).fill(-1);
    const predecessors: number[][] = Array.from({ length: size }, () => []);
    const work: { node: number; next: number }[] = [{ node: root, next: 0 }];
    number[root] = 0;
    vertex.push(root);
    while (work.length > 0) {
        const frame = work[work.length - 1];
        const targets = successors(frame.node);
        if (frame.next === targets.length) {
            work.pop();
            continue;
        }
        const to = targets[frame.next];
        frame.next += 1;
        predecessors[to].push(frame.node);
        if (number[to] === -1) {
            number[to] = vertex.length;
            vertex.push(to);
            parent[to] = frame.node;
            work.push({ node: to, next: 0 });
        }
    }
    const semi = Int32Array.from(number);
    const ancestor = new Int32Array(size).fill(-1);
    const label = Int32Array.from({ length: size }, (_, index) => index);
    const idom = new Int32Array(size).fill(-1);
    const bucket: number[][] = Array.from({ length: size }, () => []);
    const evaluate = (node: number): number => {
        if (ancestor[node] === -1) {
            return node;
        }
        const path: number[] = [];
        let current = node;
        while (ancestor[ancestor[current]] !== -1) {
            path.push(current);
            current = ancestor[current];
        }
        for (let index = path.length - 1; index >= 0; index -= 1) {
            const low = path[index];
            const up = ancestor[low];
            if (semi[label[up]] < semi[label[low]]) {
                label[low] = label[up];
            }
            ancestor[low] = ancestor[up];
        }
        return label[node];
    };
    for (let index = vertex.length - 1; index > 0; index -= 1) {
        const node = vertex[index];
        for (const from of predecessors[node]) {
            const best = evaluate(from);
            if (semi[best] < semi[node]) {
                semi[node] = semi[best];
            }
        }
        bucket[vertex[semi[node]]].push(node);
        ancestor[node] = parent[node];
        for (const waiting of bucket[parent[node]]) {
            const best = evaluate(waiting);
            idom[waiting] = semi[best] < semi[waiting] ? best : parent[node];
        }
        bucket[parent[node]] = [];
    }
    for (let index = 1; index < vertex.length; index += 1) {
        const node = vertex[index];
        if (idom[node] !== vertex[semi[node]]) {
            idom[node] = idom[idom[node]];
        }
    }
    // Intervals of a walk through the tree answer "is an ancestor of" in constant time.
    const children: number[][] = Array.from({ length: size }, () => []);
    for (let index = 1; index < vertex.length; index += 1) {
        children[idom[vertex[index]]].push(vertex[index]);
    }
    const enter = new Int32Array(size).fill(-1);
    const leave = new Int32Array(size).fill(-1);
    let clock = 0;
    const walk: { node: number; next: number }[] = [{ node: root, next: 0 }];
    enter[root] = 0;
    while (walk.length > 0) {
        const frame = walk[walk.length - 1];
        if (frame.next === children[frame.node].length) {
            leave[frame.node] = clock;
            walk.pop();
            continue;
        }
        const child = children[frame.node][frame.next];
        frame.next += 1;
        clock += 1;
        enter[child] = clock;
        walk.push({ node: child, next: 0 });
    }
    return {
        reached: (node) => number[node] !== -1,
        dominates: (by, node) =>
            number[by] !== -1 && number[node] !== -1 && enter[by] <= enter[node] && leave[node] <= leave[by],
    };
}
