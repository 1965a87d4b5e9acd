import type { Catcher, JsonObject, JsonValue, Retrier, State } from "../types";
import { defined } from "../../ground/fields";
import { checkEntries, checkInteger, checkNumber } from "./bounds";
import type { Permission } from "./permissions";
import { render, type Expression, type Template } from "./jsonata";

/** Variables to set, by name; every expression sees the values from before. */
export type Assignments = Readonly<Record<string, Template | undefined>>;

/** What every kind of state may have. */
export interface StateOptions {
    /** For readers of the definition; AWS shows it nowhere else. Default: none. */
    readonly comment?: string;
    /** Name of the next state. Default: none, the state ends its machine or branch. */
    readonly next?: string;
    /** Variables to set when the state has succeeded. Default: none. */
    readonly assign?: Assignments;
    /** What the next state gets as its input. Default: the result. */
    readonly output?: Template;
}

/** A catcher: which failures go where, and what goes with them. */
export interface Failure {
    /** Error names. Default: `["States.ALL"]`, which must stand alone and last. */
    readonly errors?: readonly string[];
    /** Name of the state that goes on. */
    readonly next: string;
    /** Variables to set; `states.errorOutput` is the failure. Default: none. */
    readonly assign?: Assignments;
    /** What the next state gets as its input. Default: the failure, `{ Error, Cause }`. */
    readonly output?: Template;
}

/**
 * A retrier: waits grow from `seconds` by `backoff` up to `maximumSeconds`.
 * Source: https://states-language.net/spec.html, "Retrying after error".
 */
export interface Retry {
    /** Error names; at least one. */
    readonly errors: readonly string[];
    /** Seconds before the first retry, 1 to 99,999,999. Default: 1. */
    readonly seconds?: number;
    /** Retries at most, 0 to 99,999,999; 0 means never. Default: 3. */
    readonly attempts?: number;
    /** Factor from wait to wait, from 1. Default: 2. */
    readonly backoff?: number;
    /** Upper bound of one wait in seconds, 1 to 31,622,399. Default: none. */
    readonly maximumSeconds?: number;
    /**
     * `FULL` waits a random time up to the interval, so that many executions do not try again together. Default:
     * `FULL`.
     */
    readonly jitter?: "FULL" | "NONE";
}

/** Longest time in seconds that a state's field takes. */
export const MAXIMUM_SECONDS = 99_999_999;

/** One state with its name: renders to Amazon States Language and says which permissions it needs. */
export abstract class StateNode {
    constructor(readonly name: string) {
        if (name.length === 0 || name.length > 80) {
            throw new Error(`state "${name}": the name has ${name.length} characters; Step Functions takes 1 to 80`);
        }
    }

    /** The state in Amazon States Language, as it stands below its name. */
    abstract render(): State;

    /** What the state machine's role needs for this state and those inside it. */
    permissions(): readonly Permission[] {
        return this.inner().flatMap((states) => states.flatMap((state) => state.permissions()));
    }

    /** Names of the states that can come next in the same scope. */
    abstract targets(): readonly string[];

    /** The states inside, by branch: those of a Parallel's branches, of a Map's processor. None in most. */
    inner(): readonly (readonly StateNode[])[] {
        return [];
    }

    /** The same state with others inside; only where {@link inner} has any. */
    with(_inner: readonly (readonly StateNode[])[]): StateNode {
        return this;
    }

    /** The state that stands in for this one with a recorded result, or undefined where nothing can. */
    stub(_result: JsonValue): StateNode | undefined {
        return undefined;
    }

    protected json(template: Template, fieldName: string): JsonValue {
        return render(template, `state "${this.name}", ${fieldName}`);
    }

    protected common({ comment, assign, output }: StateOptions): JsonObject {
        return defined({
            Comment: comment,
            Output: output === undefined ? undefined : this.json(output, "Output"),
            Assign: assign === undefined ? undefined : this.json(assign, "Assign"),
        });
    }
}

/** `Next`, or `End` where there is none. */
export function transition(next: string | undefined): { Next: string } | { End: true } {
    return next === undefined ? { End: true } : { Next: next };
}

/** Where a state goes on: its next state, and its catchers'. */
export function targetsOf(next: string | undefined, failures: readonly Failure[] = []): readonly string[] {
    const caught = failures.map((failure) => failure.next);
    return next === undefined ? caught : [next, ...caught];
}

/** Checks retriers against what Step Functions takes. */
export function checkRetry(state: string, retries: readonly Retry[] | undefined): void {
    (retries ?? []).forEach((retry, index) => {
        const place = (field: string) => ({ state, field: `retry[${index}].${field}` });
        checkEntries(place("errors"), retry.errors, { min: 1, max: 100, unit: "names" });
        checkInteger(place("seconds"), retry.seconds, { min: 1, max: MAXIMUM_SECONDS });
        checkInteger(place("attempts"), retry.attempts, { min: 0, max: MAXIMUM_SECONDS });
        checkNumber(place("backoff"), retry.backoff, { min: 1, max: Number.MAX_SAFE_INTEGER });
        checkInteger(place("maximumSeconds"), retry.maximumSeconds, { min: 1, max: 31_622_399 });
        checkErrors(state, `retry[${index}]`, retry.errors, index === (retries ?? []).length - 1);
    });
}

/** Checks that every failure is caught: a catcher of States.ALL, alone in its list and last. */
export function checkFailures(state: string, failures: readonly Failure[]): void {
    failures.forEach((failure, index) => {
        checkErrors(state, `catch[${index}]`, failure.errors ?? ["States.ALL"], index === failures.length - 1);
    });
    const last = failures.at(-1);
    if (last === undefined || !(last.errors ?? ["States.ALL"]).includes("States.ALL")) {
        const taken = last?.errors?.join(", ") ?? "nothing";
        throw new Error(
            `state "${state}": its last catcher takes ${taken}, and any other error ends the execution in silence; ` +
                "add a catcher without errors, which takes States.ALL, as the last one",
        );
    }
}

function checkErrors(state: string, field: string, errors: readonly string[], isLast: boolean): void {
    if (errors.length === 0) {
        throw new Error(
            `state "${state}": ${field} names no error; expected at least one, or none given for States.ALL`,
        );
    }
    if (errors.includes("States.ALL") && (errors.length > 1 || !isLast)) {
        throw new Error(`state "${state}": ${field} takes States.ALL; Step Functions wants it alone and last`);
    }
}

/** Retriers in Amazon States Language; undefined where there are none. */
export function renderRetry(retries: readonly Retry[] | undefined): Retrier[] | undefined {
    if (retries === undefined || retries.length === 0) {
        return undefined;
    }
    return retries.map((retry) =>
        defined({
            ErrorEquals: retry.errors,
            IntervalSeconds: retry.seconds,
            MaxAttempts: retry.attempts,
            BackoffRate: retry.backoff,
            MaxDelaySeconds: retry.maximumSeconds,
            JitterStrategy: retry.jitter ?? "FULL",
        }),
    );
}

/** Catchers in Amazon States Language; undefined where there are none. */
export function renderCatch(failures: readonly Failure[] | undefined, state: string): Catcher[] | undefined {
    if (failures === undefined || failures.length === 0) {
        return undefined;
    }
    const json = (template: Template | undefined, field: string): JsonValue | undefined =>
        template === undefined ? undefined : render(template, `state "${state}", Catch.${field}`);
    return failures.map((failure) =>
        defined({
            ErrorEquals: failure.errors ?? ["States.ALL"],
            Assign: json(failure.assign, "Assign") as JsonObject | undefined,
            Output: json(failure.output, "Output"),
            Next: failure.next,
        }),
    );
}

/** A number of seconds that the definition holds or computes. */
export type Seconds = number | Expression<number>;
