import { defined } from "../../ground/fields";
import type { JsonValue, ParallelState, StateGraph } from "../types";
import { Stub } from "./stub";
import { Graph } from "./graph";
import {
    checkFailures,
    checkRetry,
    renderCatch,
    renderRetry,
    StateNode,
    targetsOf,
    transition,
    type Failure,
    type Retry,
    type StateOptions,
} from "./node";

/**
 * Branches side by side; the result is the list of their outputs, in their order.
 * Source: https://states-language.net/spec.html, "Parallel State".
 */
export interface ParallelOptions extends StateOptions {
    /**
     * The states of each branch, in the order in which they run; at least one. Variables that a branch sets end with
     * it.
     */
    readonly branches: readonly (readonly StateNode[])[];
    /** Starts all branches again. Default: never. */
    readonly retry?: readonly Retry[];
    /** Where failures go, those of any state inside included. The last must catch States.ALL. */
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
        checkRetry(name, options.retry);
        checkFailures(name, options.catch);
    }

    override targets(): readonly string[] {
        return targetsOf(this.options.next, this.options.catch);
    }

    override inner(): readonly (readonly StateNode[])[] {
        return this.options.branches;
    }

    override with(branches: readonly (readonly StateNode[])[]): Parallel {
        return new Parallel(this.name, { ...this.options, branches });
    }

    override render(): ParallelState {
        const { branches, retry, catch: failures, next } = this.options;
        return defined({
            Type: "Parallel" as const,
            ...this.common(this.options),
            Branches: branches.map((states): StateGraph => new Graph(`a branch of "${this.name}"`, states).render()),
            Retry: renderRetry(retry),
            Catch: renderCatch(failures, this.name),
            ...transition(next),
        });
    }

    override stub(result: JsonValue): StateNode {
        return new Stub(this.name, this.options, result);
    }
}
