import type { JsonValue, ParallelState, StateGraph } from "../types";
import { Stub } from "./flow";
import { Graph } from "./graph";
import { renderCatch, StateNode, transition, type Failure, type StateOptions } from "./node";
import type { Permission } from "./permissions";

export interface ParallelOptions extends StateOptions {
    /** The states of each branch, in the order in which they run. Variables that a branch sets end with it. */
    readonly branches: readonly (readonly StateNode[])[];
    readonly catch: readonly [Failure, ...Failure[]];
}

export class Parallel extends StateNode {
    constructor(
        name: string,
        private readonly options: ParallelOptions,
    ) {
        super(name);
        if (options.branches.length === 0) {
            throw new Error(`state "${name}": a Parallel needs at least one branch`);
        }
    }

    override targets(): readonly string[] {
        return [
            ...(this.options.next === undefined ? [] : [this.options.next]),
            ...this.options.catch.map((failure) => failure.next),
        ];
    }

    /** The branches' states, for checks that concern the whole machine. */
    branches(): readonly (readonly StateNode[])[] {
        return this.options.branches;
    }

    /** The same state with other branches. */
    with(branches: readonly (readonly StateNode[])[]): Parallel {
        return new Parallel(this.name, { ...this.options, branches });
    }

    override render(): ParallelState {
        return {
            Type: "Parallel",
            ...this.common(this.options),
            Branches: this.options.branches.map((states): StateGraph =>
                new Graph(`a branch of "${this.name}"`, states).render(),
            ),
            ...renderCatch(this.options.catch, `state "${this.name}"`),
            ...transition(this.options.next),
        };
    }

    override permissions(): readonly Permission[] {
        return this.options.branches.flat().flatMap((state) => state.permissions());
    }

    override stub(result: JsonValue): StateNode {
        return new Stub(this.name, this.options, result);
    }
}
