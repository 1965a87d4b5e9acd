/** One call of a simulated service, and what all of them share. */
import type { JsonObject, JsonValue } from "../../asl/types";
import { TaskError, type TaskRequest } from "../../asl/interpreter";
import type { Run } from "../../workflow/contract";
import type { FaultName } from "../faults";
import type { World } from "../world";

/** A simulated account: what an execution leaves, and what services know of each other. */
export interface Account {
    readonly world: World;
    /** What Setup answers. */
    readonly run: Run;
    /** Descriptions of the ensembles that are registered already. */
    readonly versions: readonly string[];
    /** What a job wrote before it failed: the next reader of its log finds it. */
    failureText: string;
}

/** A Task's call, with the fault that it meets. */
export interface Call {
    readonly account: Account;
    readonly request: TaskRequest;
    readonly fault: FaultName | undefined;
}

/** A service's answer to a call; rejects with a TaskError, or with what aborted the Task. */
export type Service = (call: Call) => Promise<JsonValue>;

/** How long the simulated work takes, in seconds. */
export const WORK_SECONDS = { training: 3_600, capacity: 300, batch: 300, function: 2, sns: 1 };

/** A cause longer than Step Functions keeps: quotes, backslashes and two-byte characters grow in JSON. */
export const LONG = 'x"\\\u00e4'.repeat(7_000);

/** Virtual seconds pass; the Task may be aborted meanwhile. */
export function pass({ request }: Call, seconds: number): Promise<void> {
    return request.clock.sleep(seconds * 1000, request.signal);
}

/** Nothing is ever heard of it. */
export function hang(call: Call): Promise<void> {
    return pass(call, Infinity);
}

/** Errors that a service answers with before it works, by fault. */
export type Refusals = Partial<Readonly<Record<FaultName, readonly [error?: string, cause?: string]>>>;

/** @throws TaskError where the call meets one of the refusals. */
export function refuse(refusals: Refusals, { fault }: Call): void {
    const refusal = fault === undefined ? undefined : refusals[fault];
    if (refusal !== undefined) {
        throw new TaskError(...refusal);
    }
}

/** A job fails as Step Functions tells it: the service's description as the cause, cut where it is too long. */
export function taskFailed(description: JsonObject, length?: number): TaskError {
    return new TaskError("States.TaskFailed", JSON.stringify(description).slice(0, length));
}

/** Does a job's work; the job is stopped when its state is. */
export async function runJob<T>({ account, request }: Call, name: string, work: () => Promise<T>): Promise<T> {
    const { world } = account;
    if (world.jobNames.includes(name)) {
        throw new TaskError(
            "SageMaker.AmazonSageMakerException",
            `A job with the name ${name} already exists (ResourceInUse)`,
        );
    }
    world.jobNames.push(name);
    world.running.add(name);
    request.submitted({ Name: name });
    const stop = (): void => {
        world.stopped.push(name);
        world.running.delete(name);
    };
    request.signal.addEventListener("abort", stop);
    try {
        return await work();
    } finally {
        request.signal.removeEventListener("abort", stop);
        world.running.delete(name);
    }
}
