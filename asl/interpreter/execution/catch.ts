/** Retry and Catch of Task, Parallel and Map. */
import { render } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { CompiledCatcher, CompiledRetrier } from "../compile/compiled";
import { isCatchable, StateFailure } from "../failure";
import type { Readings } from "../types";
import { then } from "../then";
import { emit } from "./events";
import { failureOf } from "./failures";
import type { Frame, Outcome, Run } from "./frame";
import { assigned, exit } from "./leave";
import { scopeOfError, scopeWith } from "./scope";
import { pause } from "./wait";

type Work = (frame: Frame) => Outcome | Promise<Outcome>;

/** Does a state's work as often as its retriers say, and leaves it by a catcher when it fails for good. */
export function catching(frame: Frame, work: Work): Outcome | Promise<Outcome> {
    const { retriers, catchers } = frame.state;
    const attempts = retriers.length === 0 ? NONE : new Array<number>(retriers.length).fill(0);
    let outcome: Outcome | Promise<Outcome>;
    try {
        outcome = work(frame);
    } catch (error) {
        return recover(frame, work, attempts, error);
    }
    const plain = retriers.length === 0 && catchers.length === 0 && frame.state.type === "Task";
    if (!(outcome instanceof Promise)) {
        return outcome;
    }
    return plain
        ? outcome.catch((error: unknown) => {
              throw failureOf(frame, error);
          })
        : outcome.catch((error: unknown) => recover(frame, work, attempts, error));
}

const NONE: readonly number[] = [];

async function recover(frame: Frame, work: Work, attempts: readonly number[], first: unknown): Promise<Outcome> {
    const counts = [...attempts];
    let error = first;
    for (;;) {
        const failure = failureOf(frame, error);
        if (!(failure instanceof StateFailure) || frame.thread.stopped) {
            throw failure;
        }
        const { readings } = frame.thread.run;
        const catchable = isCaught(failure, readings);
        const index = catchable ? retrierOf(frame, failure, counts) : -1;
        if (index < 0) {
            return giveUp(frame, failure, catchable);
        }
        await again(frame, index, counts[index] ?? 0);
        counts[index] = (counts[index] ?? 0) + 1;
        try {
            return await work(frame);
        } catch (next) {
            error = next;
        }
    }
}

/** Whether retriers and catchers are asked at all. */
export function isCaught(failure: StateFailure, readings: Readings): boolean {
    return (
        isCatchable(failure) && (failure.error !== "States.QueryEvaluationError" || readings.queryErrorsAreCatchable)
    );
}

/** The retrier that takes the failure and has attempts left, or -1. Only the first that names it counts. */
function retrierOf({ state, thread }: Frame, failure: StateFailure, counts: readonly number[]): number {
    const { readings } = thread.run;
    const index = state.retriers.findIndex((retrier) => matches(retrier.errors, failure, readings));
    const most = state.retriers[index]?.maxAttempts ?? 0;
    return index >= 0 && (counts[index] ?? 0) < most ? index : -1;
}

/** Waits, and makes the state ready for its next attempt. */
async function again(frame: Frame, index: number, done: number): Promise<void> {
    const { thread, state } = frame;
    const milliseconds = interval(thread.run, state.retriers[index] as CompiledRetrier, done) * 1000;
    await pause(thread, milliseconds, { state: state.name, kind: "Retry" });
    frame.retryCount += 1;
    frame.children = [];
    frame.failed = undefined;
    frame.failedEvent = false;
    thread.run.transitions += 1;
}

function interval(run: Run, retrier: CompiledRetrier, done: number): number {
    const seconds = backoff(retrier, done);
    return retrier.fullJitter ? seconds * run.host.random() : seconds;
}

/** Seconds before the next attempt, without jitter. */
export function backoff({ intervalSeconds, backoffRate, maxDelaySeconds }: CompiledRetrier, done: number): number {
    return Math.min(intervalSeconds * backoffRate ** done, maxDelaySeconds);
}

/** Leaves the state by the first catcher that takes the failure. @throws the failure where none does. */
async function giveUp(frame: Frame, failure: StateFailure, catchable: boolean): Promise<Outcome> {
    const { state, thread } = frame;
    if (frame.failedEvent) {
        emit(thread, state.type === "Map" ? "MapStateFailed" : "ParallelStateFailed");
    }
    const { readings } = thread.run;
    const catcher = catchable
        ? state.catchers.find((candidate) => matches(candidate.errors, failure, readings))
        : undefined;
    if (catcher === undefined) {
        throw failure;
    }
    try {
        return await caught(frame, catcher, failure);
    } catch (error) {
        throw failureOf(frame, error);
    }
}

/** Whether a list of error names, of a retrier or catcher, takes the failure. */
export function matches(names: readonly string[], failure: StateFailure, readings: Readings): boolean {
    const { error, alias } = failure;
    return names.some((name) => {
        if (name === "States.ALL") {
            return error !== "States.DataLimitExceeded" || readings.allCatchesDataLimit;
        }
        if (name === "States.TaskFailed" && error !== name) {
            return isTaskFailure(error, readings);
        }
        return name === error || name === alias;
    });
}

function isTaskFailure(error: string | undefined, { taskFailedMatchesAll }: Readings): boolean {
    if (error === undefined || error === "States.Timeout") {
        return false;
    }
    return taskFailedMatchesAll || (error !== "States.HeartbeatTimeout" && error !== "States.QueryEvaluationError");
}

/** Leaves the state by a catcher. */
export function caught(frame: Frame, catcher: CompiledCatcher, failure: StateFailure): Outcome | Promise<Outcome> {
    const errorOutput = errorOutputOf(failure, frame.thread.run.readings);
    if (frame.state.jsonata) {
        const scope = scopeOfError(frame, errorOutput);
        const output = catcher.output === undefined ? errorOutput : render(catcher.output, scope);
        return then(output, (value) =>
            then(assigned(catcher.assign, scope), (variables) => exit(frame, value, variables, catcher.next)),
        );
    }
    let output: JsonValue = errorOutput;
    if (catcher.resultPath === null) {
        output = frame.input;
    } else if (catcher.resultPath !== undefined) {
        output = catcher.resultPath.write(frame.input, errorOutput);
    }
    const variables = assigned(catcher.assign, scopeWith(frame, errorOutput)) as JsonObject | undefined;
    return exit(frame, output, variables, catcher.next);
}

/** What a catcher sees. */
export function errorOutputOf({ error, cause }: StateFailure, { unnamed }: Readings): JsonObject {
    const output: JsonObject = {};
    const put = (field: string, text: string | undefined): void => {
        if (text !== undefined) {
            output[field] = text;
        } else if (unnamed !== "absent") {
            output[field] = unnamed === "null" ? null : "";
        }
    };
    put("Error", error);
    // Recorded: a time-out, whose event has no cause, is caught with an empty one.
    put("Cause", cause ?? (error === "States.Timeout" ? "" : undefined));
    return output;
}
