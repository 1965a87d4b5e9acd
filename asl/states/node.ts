import type { Catcher, JsonObject, JsonValue, Retrier, State } from "../types";
import type { Permission } from "./permissions";
import { render, type Expression, type Template } from "./jsonata";

/** Variables to set, by name; every expression sees the values from before. */
export type Assignments = Readonly<Record<string, Template | undefined>>;

/** What every kind of state may have. */
export interface StateOptions {
    readonly comment?: string;
    /** Name of the next state; without it the state ends its machine or branch. */
    readonly next?: string;
    readonly assign?: Assignments;
    /** What the next state gets as its input; without it the result. */
    readonly output?: Template;
}

/** A catcher: which failures go where, and what goes with them. */
export interface Failure {
    /** Error names; `["States.ALL"]` without it. */
    readonly errors?: readonly string[];
    readonly next: string;
    readonly assign?: Assignments;
    readonly output?: Template;
}

/** A retrier: waits grow from `seconds` by `backoff` up to `maximumSeconds`, with full jitter. */
export interface Retry {
    readonly errors: readonly string[];
    readonly seconds: number;
    readonly attempts: number;
    readonly backoff: number;
    readonly maximumSeconds: number;
}

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
        return [];
    }

    /** Names of the states that can come next in the same scope. */
    abstract targets(): readonly string[];

    /** The state that stands in for this one with a recorded result, or undefined where nothing can. */
    stub(_result: JsonValue): StateNode | undefined {
        return undefined;
    }

    protected json(template: Template, fieldName: string): JsonValue {
        return render(template, `state "${this.name}", ${fieldName}`);
    }

    protected common({ comment, assign, output }: StateOptions): JsonObject {
        return {
            ...(comment !== undefined && { Comment: comment }),
            ...(output !== undefined && { Output: this.json(output, "Output") }),
            ...(assign !== undefined && { Assign: this.json(assign, "Assign") }),
        };
    }
}

/** `Next`, or `End` where there is none. */
export function transition(next: string | undefined): { Next: string } | { End: true } {
    return next === undefined ? { End: true } : { Next: next };
}

/** Retriers in Amazon States Language. */
export function renderRetry(retries: readonly Retry[] | undefined): { Retry?: Retrier[] } {
    return retries === undefined || retries.length === 0
        ? {}
        : {
              Retry: retries.map((retry) => ({
                  ErrorEquals: retry.errors,
                  IntervalSeconds: retry.seconds,
                  MaxAttempts: retry.attempts,
                  BackoffRate: retry.backoff,
                  MaxDelaySeconds: retry.maximumSeconds,
                  JitterStrategy: "FULL",
              })),
          };
}

/** Catchers in Amazon States Language. */
export function renderCatch(failures: readonly Failure[] | undefined, where: string): { Catch?: Catcher[] } {
    return failures === undefined || failures.length === 0
        ? {}
        : {
              Catch: failures.map((failure) => ({
                  ErrorEquals: failure.errors ?? ["States.ALL"],
                  ...(failure.assign !== undefined && {
                      Assign: render(failure.assign, `${where}, Catch.Assign`) as JsonObject,
                  }),
                  ...(failure.output !== undefined && { Output: render(failure.output, `${where}, Catch.Output`) }),
                  Next: failure.next,
              })),
          };
}

/** A number that the definition holds or computes. */
export type Seconds = number | Expression<number>;
