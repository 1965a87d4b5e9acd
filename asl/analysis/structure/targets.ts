/** Targets of transitions: a state of the same scope. */
import type { Graph, Node, Scope } from "../graph";
import { isReplaced } from "../placeholders";
import { nearest, show, type Place } from "./report";

/** In scopes of more states than this no nearest name is looked for. */
const MOST_NAMES = 2000;

export class Targets {
    private everywhere: ReadonlyMap<string, Node> | undefined;

    constructor(private readonly graph: Graph) {}

    /** Checks the value of a Next, a Default or a StartAt. */
    next(place: Place, scope: Scope, target: unknown, path: string): void {
        if (isReplaced(target)) {
            return;
        }
        if (typeof target !== "string") {
            const field = path.slice(path.lastIndexOf("/") + 1);
            place.add("wrong-value", path, `${field} is ${show(target)}, expected the name of a state.`);
        } else if (!scope.byName.has(target)) {
            place.add("missing-target", path, `${path} names "${target}", ${this.whyMissing(target, scope)}`);
        }
    }

    private whyMissing(target: string, scope: Scope): string {
        this.everywhere ??= new Map(this.graph.nodes.map((node) => [node.name, node]));
        const elsewhere = this.everywhere.get(target);
        if (elsewhere !== undefined) {
            const where = elsewhere.path;
            return `which lies in another scope (${where}): a transition cannot enter or leave a branch.`;
        }
        const names = [...scope.byName.keys()];
        const hint =
            names.length === 0 || names.length > MOST_NAMES ? "" : `; the nearest name is "${nearest(target, names)}"`;
        return `and there is no such state${hint}.`;
    }
}
