/** How failures travel inside the interpreter. These are control flow, not errors of it, so they carry no stack. */

/** A state failed with an error that an enclosing Parallel or Map, or the state itself, may catch. */
export class StateFailure {
    constructor(
        readonly error: string | undefined,
        readonly cause: string | undefined,
        /** Another name that Retry and Catch may know it by. */
        readonly alias?: string,
    ) {}
}

/** The branch, or the whole execution, was stopped; its outcome no longer matters. */
export const STOPPED: unique symbol = Symbol("stopped");

/** A reason that a task's abort signal carries. */
export class TaskStopped extends Error {
    constructor(readonly why: "timeout" | "heartbeat" | "stopped") {
        super(
            why === "timeout"
                ? "the task ran longer than its TimeoutSeconds"
                : why === "heartbeat"
                  ? "the task sent no heartbeat within its HeartbeatSeconds"
                  : "the execution or the enclosing Parallel or Map was stopped",
        );
        this.name = "AbortError";
    }
}

/** Can a Task, Parallel or Map catch it at all? */
export function isCatchable(failure: StateFailure): boolean {
    return failure.error !== "States.Runtime";
}
