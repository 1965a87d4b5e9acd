/**
 * Rules about variables: a variable is assigned on every way to a state that reads it, and no inner scope assigns one
 * of an outer scope. Sure assignment is a forward analysis over bit sets.
 */
import { assigns, assignsOf, assignmentsOf, variableOf } from "./assignments";
import type { Context } from "./context";
import { segment, type Fields } from "./definition";
import { expressionsOf } from "./expressions";
import { describeSteps, type Step } from "./findings";
import type { Edge, Node, Scope } from "./graph";
import { statePaths, variablesIn } from "./reads";
import type { Variables } from "./variables";
import { lastStep, type Ways } from "./ways";

export function checkVariables(context: Context, ways: Ways, variables: Variables): void {
    const { graph } = context;
    shadowing(context, variables);
    const numbers = numbered(graph.scopes, variables);
    const sure = new SureAssignments(numbers);
    for (const scope of graph.scopes) {
        sure.solve(scope);
    }
    const reader = new Reader(context, ways, variables);
    for (const node of graph.nodes) {
        const isSure = sure.at(node);
        if (isSure !== undefined) {
            reader.check(node, isSure);
        }
    }
}

/** A number for each name of a variable. */
function numbered(scopes: readonly Scope[], variables: Variables): ReadonlyMap<string, number> {
    const numbers = new Map<string, number>();
    for (const scope of scopes) {
        for (const name of variables.names(scope)) {
            if (!numbers.has(name)) {
                numbers.set(name, numbers.size);
            }
        }
    }
    return numbers;
}

/** Which variables every way to a state has assigned. */
class SureAssignments {
    private readonly words: number;
    private readonly entry = new Map<Node, Uint32Array>();
    private readonly added = new Map<Fields, readonly number[]>();

    constructor(private readonly numbers: ReadonlyMap<string, number>) {
        this.words = Math.ceil(numbers.size / 32);
    }

    /** Is a variable surely assigned when the node is entered? Undefined for a node that is never entered. */
    at(node: Node): ((name: string) => boolean) | undefined {
        const bits = this.entry.get(node);
        return bits === undefined ? undefined : (name) => this.holds(bits, this.numbers.get(name));
    }

    private holds(bits: Uint32Array, index: number | undefined): boolean {
        return index !== undefined && ((bits[index >> 5] ?? 0) & (1 << (index & 31))) !== 0;
    }

    solve(scope: Scope): void {
        if (scope.start === undefined) {
            return;
        }
        const outer = scope.owner === undefined || scope.isolated ? undefined : this.entry.get(scope.owner);
        this.entry.set(scope.start, outer === undefined ? new Uint32Array(this.words) : Uint32Array.from(outer));
        const queue = [scope.start];
        const isQueued = new Uint8Array(scope.nodes.length);
        // The queue grows while it is read.
        for (const node of queue) {
            isQueued[node.index] = 0;
            for (const edge of node.out) {
                if (this.along(edge) && isQueued[edge.to.index] === 0) {
                    isQueued[edge.to.index] = 1;
                    queue.push(edge.to);
                }
            }
        }
    }

    /** Carries what is known over an edge; says whether the other side learns from it. */
    private along(edge: Edge): boolean {
        const here = this.entry.get(edge.from);
        const there = this.entry.get(edge.to);
        const own = this.addedBy(edge);
        if (there === undefined) {
            const bits = Uint32Array.from(here ?? []);
            own.forEach((index) => set(bits, index));
            this.entry.set(edge.to, bits);
            return true;
        }
        let isChanged = false;
        for (let word = 0; word < there.length; word += 1) {
            const out = own.reduce(
                (bits, index) => (index >> 5 === word ? bits | (1 << (index & 31)) : bits),
                here?.[word] ?? 0,
            );
            const before = there[word] ?? 0;
            there[word] = before & out;
            isChanged ||= there[word] !== before;
        }
        return isChanged;
    }

    private addedBy(edge: Edge): readonly number[] {
        let list = this.added.get(edge.holder);
        if (list === undefined) {
            list = Object.keys(assignsOf(edge)).flatMap((key) => this.numbers.get(variableOf(key, edge.from)) ?? []);
            this.added.set(edge.holder, list);
        }
        return list;
    }
}

function set(bits: Uint32Array, index: number): void {
    bits[index >> 5] = (bits[index >> 5] ?? 0) | (1 << (index & 31));
}

/**
 * An inner scope assigns no variable of an outer one: AWS refuses that. What catchers of the Parallel or Map around the
 * inner scope assign is no such variable: AWS accepted and ran one of that name in a branch and in the Parallel's own
 * catcher (recorded, November 2024).
 */
function shadowing(context: Context, variables: Variables): void {
    for (const node of context.graph.nodes) {
        const { owner, isolated } = node.scope;
        if (owner !== undefined && !isolated) {
            shadowedBy(context, variables, node, owner);
        }
    }
}

function shadowedBy(context: Context, variables: Variables, node: Node, owner: Node): void {
    for (const { assign, at } of assignmentsOf(node)) {
        for (const key of Object.keys(assign)) {
            const name = variableOf(key, node);
            const holder = variables.shadowed(name, owner);
            if (holder === undefined) {
                continue;
            }
            const whose = holder.owner === undefined ? "the state machine" : `"${holder.owner.name}"`;
            context.report.add({
                rule: "variable-shadowed",
                path: `${node.path}/${at}/${segment(key)}`,
                state: node.name,
                message:
                    `"$${name}" is a variable of ${whose}: an inner scope can read it, but neither assign nor shadow ` +
                    `it. Use another name, and hand the value out by Output.`,
            });
        }
    }
}

/** Reads of variables, and whether each is surely assigned before. */
class Reader {
    constructor(
        private readonly context: Context,
        private readonly ways: Ways,
        private readonly variables: Variables,
    ) {}

    check(node: Node, isSure: (name: string) => boolean): void {
        const told = new Set<string>();
        for (const { name, at } of this.readsOf(node)) {
            if (!isSure(name) && !told.has(name)) {
                told.add(name);
                this.unassigned(node, name, at);
            }
        }
    }

    private readsOf(node: Node): { readonly name: string; readonly at: string }[] {
        if (node.language === "JSONPath") {
            return statePaths(node).flatMap(({ path, at }) =>
                typeof path.root === "object" ? [{ name: path.root.variable, at }] : [],
            );
        }
        return expressionsOf(node).flatMap(({ code, path }) => {
            const { ast } = this.context.expressions.parse(code);
            if (ast === undefined) {
                return [];
            }
            const { read, asked } = variablesIn(ast);
            return [...read].filter((name) => !asked.has(name)).map((name) => ({ name, at: path }));
        });
    }

    private unassigned(node: Node, name: string, at: string): void {
        const owner = this.variables.ownerOf(name, node.scope);
        const steps = owner === undefined ? undefined : this.wayTo(node, name, owner);
        this.context.report.add({
            rule: "variable-unassigned",
            path: `${node.path}/${at}`,
            state: node.name,
            message:
                owner === undefined
                    ? this.whyNowhere(name)
                    : `"$${name}" is read here, and a way leads here on which no state has assigned it.`,
            counterExample: steps,
            counterExampleText:
                steps === undefined ? undefined : describeSteps(steps, `$${name} is read before it is assigned`),
        });
    }

    private whyNowhere(name: string): string {
        const inner = this.context.graph.scopes.find((scope) => [...this.variables.names(scope)].includes(name));
        if (inner === undefined) {
            return `No state assigns the variable "$${name}".`;
        }
        return inner.owner === undefined
            ? `"$${name}" is assigned only outside, and a distributed Map does not see outer variables.`
            : `"$${name}" is assigned only inside "${inner.owner.name}", and ends with it.`;
    }

    /** A way on which the variable is not assigned before it is read. */
    private wayTo(node: Node, name: string, owner: Scope): readonly Step[] | undefined {
        // The state of the variable's own scope behind which this read happens.
        let reader = node;
        while (reader.scope !== owner && reader.scope.owner !== undefined) {
            reader = reader.scope.owner;
        }
        const way =
            owner.start === undefined
                ? undefined
                : this.ways.between(
                      owner.start,
                      (to) => to === reader,
                      (edge) => !assigns(edge, name),
                  );
        if (way === undefined) {
            return undefined;
        }
        const before: readonly Step[] =
            owner.owner === undefined
                ? []
                : [...this.ways.to(owner.owner), { ...lastStep(owner.owner, "enter"), index: owner.branch }];
        const last =
            reader === node ? lastStep(reader, "error", "States.QueryEvaluationError") : lastStep(reader, "enter");
        return [...before, ...way.steps, last];
    }
}
