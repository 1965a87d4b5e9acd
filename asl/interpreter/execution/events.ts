/** The history's events, and what is written when lines of work are stopped. */
import { isCatchable, StateFailure, STOPPED } from "../failure";
import type { Details, DetailsKey, Shown } from "../history";
import type { Frame, Thread } from "./frame";

/** Adds an event after the thread's last one. @throws STOPPED when the thread no longer runs or the history is full. */
export function emit(thread: Thread, type: string, key?: DetailsKey, details?: Details, shown?: Shown): number {
    return emitAfter(thread, thread.previous, type, key, details, shown);
}

/** Adds an event that follows another than the thread's last one. @throws as emit. */
export function emitAfter(
    thread: Thread,
    previous: number,
    type: string,
    key?: DetailsKey,
    details?: Details,
    shown?: Shown,
): number {
    if (thread.stopped) {
        throw STOPPED;
    }
    if (isFull(thread)) {
        historyFull(thread);
    }
    const id = thread.history.add(type, previous, key, details, shown);
    thread.previous = id;
    return id;
}

/** The last event belongs to the execution's end. */
function isFull(thread: Thread): boolean {
    return thread.history.count >= thread.run.limits.historyEvents - 1;
}

function historyFull(thread: Thread): never {
    const { run } = thread;
    const cause = `The execution reached the maximum number of history events (${run.limits.historyEvents}).`;
    if (thread.history === run.history) {
        run.fail(thread, "States.Runtime", cause);
        throw STOPPED;
    }
    throw new StateFailure("States.Runtime", cause);
}

/** The error and cause of a failure as an event shows them. */
export function failureDetails(error: string | undefined, cause: string | undefined): Details {
    const details: { error?: string; cause?: string } = {};
    if (error !== undefined) {
        details.error = error;
    }
    if (cause !== undefined) {
        details.cause = cause;
    }
    return details as Details;
}

/** Types of states that have an abort event. */
const ABORTED: ReadonlySet<string> = new Set(["Task", "Wait", "Parallel", "Map"]);

/**
 * Stops a line of work, and all below it, since a sibling failed. The abort events, innermost first, follow the event
 * of that failure (recorded).
 */
function abort(thread: Thread, failure: number): void {
    const { frame } = thread;
    if (thread.stopped) {
        return;
    }
    for (const child of frame?.children ?? []) {
        abort(child, failure);
    }
    if (!isFull(thread) && frame !== undefined && ABORTED.has(frame.state.type)) {
        thread.history.add(`${frame.state.type}StateAborted`, failure);
    }
    if (!isFull(thread) && thread.iteration !== undefined) {
        const iteration = { ...thread.iteration };
        thread.history.add("MapIterationAborted", failure, "mapIterationAbortedEventDetails", iteration);
    }
    thread.stopped = true;
    thread.onStop?.();
}

/** Stops a line of work and all below it without an event. */
export function silence(thread: Thread): void {
    thread.frame?.children.forEach(silence);
    thread.stopped = true;
    thread.onStop?.();
}

/**
 * Remembers the line of work that failed its Parallel or Map first. A Task that did so is aborted, too (recorded); a
 * Fail or Pass is not.
 */
export function firstFailure(frame: Frame, child: Thread, failure: StateFailure): void {
    frame.failed = child;
    if (isCatchable(failure) && child.frame?.state.type === "Task" && !isFull(child)) {
        child.history.add("TaskStateAborted", child.previous);
    }
}

/**
 * After a failure below a Parallel or Map: stops what still runs there. States.Runtime ends the execution where it
 * happened, without an event of the states around it.
 */
export function failBelow(frame: Frame, error: unknown): void {
    const { thread, failed } = frame;
    if (thread.stopped || failed === undefined || !(error instanceof StateFailure)) {
        return;
    }
    failed.stopped = true;
    thread.previous = failed.previous;
    if (!isCatchable(error)) {
        frame.children.forEach(silence);
        return;
    }
    frame.children.forEach((child) => abort(child, failed.previous));
    frame.failedEvent = true;
}
