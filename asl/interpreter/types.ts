import type { JsonObject, JsonValue } from "../types";
import type { Clock } from "./clock";
import type { MapRunProgress } from "./map/progress";

/** What a task is told. */
export interface TaskRequest {
    /** Name of the state. */
    readonly state: string;
    /** Names of the enclosing Parallel and Map states, each followed by the index of the branch or iteration. */
    readonly path: readonly string[];
    /** The state's Resource. */
    readonly resource: string;
    /** What is asked for: a Task's work, or reading the items or writing the results of a distributed Map. */
    readonly purpose: "Task" | "ItemReader" | "ResultWriter";
    /**
     * The evaluated Arguments or Parameters (the state's input where there are none): a copy that the handler may
     * change.
     */
    readonly arguments: JsonValue;
    /** The state's evaluated Credentials, such as `{ RoleArn }`. */
    readonly credentials?: JsonObject;
    /** State.RetryCount: 0 at the first attempt of each entry. */
    readonly attempt: number;
    /** How many times this state has been entered in this execution, from 1. */
    readonly entered: number;
    /** Aborted on time-out, missed heartbeat, stop of the execution and failure of a sibling branch. */
    readonly signal: AbortSignal;
    readonly timeoutSeconds?: number;
    readonly heartbeatSeconds?: number;
    /** Tells that the task is alive. */
    readonly heartbeat: () => void;
    /** The execution's clock. A simulated task awaits `clock.sleep(ms, signal)`. */
    readonly clock: Clock;
    /** Says that an activity's worker has taken the task. Optional: see TaskHandler. */
    readonly started: (workerName?: string) => void;
    /**
     * Says that a `.sync` or `.waitForTaskToken` task was submitted, with the service's answer. Optional: see
     * TaskHandler.
     */
    readonly submitted: (output: JsonValue) => void;
    /** The context object, as `$states.context` shows it to this state. */
    readonly context: JsonObject;
}

/**
 * Does the work of a Task. What it resolves with is the task's result, as it stands: for `lambda:invoke` that is
 * {Payload, StatusCode, ...}, for a `.sync` integration the description of the finished job. To fail, throw a
 * TaskError; anything else that is thrown fails the task with States.TaskFailed and the thrown message as the cause. A
 * `.sync` task's TaskSubmitted event is written when `request.submitted` is called, else just before its success or its
 * States.TaskFailed (another error means that the submission itself was refused). An activity's ActivityStarted is
 * written when `request.started` is called, else just before the result; an activity that times out before had no
 * worker.
 */
export type TaskHandler = (request: TaskRequest) => Promise<JsonValue>;

/** A task's failure, under the name that Retry and Catch see. */
export class TaskError extends Error {
    /**
     * @param error the error's name, for example `SageMaker.ResourceLimitExceededException`; undefined for a failure
     * without a name.
     * @param cause the text that AWS puts into Cause.
     */
    constructor(
        readonly error: string | undefined,
        override readonly cause?: string,
    ) {
        super(`${error ?? "a failure without a name"}${cause === undefined ? "" : `: ${cause}`}`);
        this.name = "TaskError";
    }
}

/** One event of an execution's history, in the form of GetExecutionHistory. */
export interface HistoryEvent {
    /** From 1, in order. */
    readonly id: number;
    readonly previousEventId: number;
    readonly type: string;
    /** Milliseconds since the epoch. */
    readonly timestamp: number;
    /**
     * At most one: the details that belong to the type, for example `taskFailedEventDetails`. Inputs and outputs are
     * JSON text.
     */
    readonly [details: `${string}EventDetails`]: Readonly<Record<string, unknown>> | undefined;
}

/** Where an execution can end. */
export type ExecutionStatus = "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";

/** Quotas of AWS; a smaller number makes tests of the limits cheap. */
export interface Limits {
    /** Bytes of an input, output, task result, or the variables assigned in one state; default 262,144. */
    readonly payloadBytes: number;
    /** Bytes of all variables that a state can read; default 10,485,760. */
    readonly variableBytes: number;
    /** Events of one execution; default 25,000. */
    readonly historyEvents: number;
}

/**
 * Where AWS's documentation, its recordings and other sources differ or say nothing. Defaults: recordings, then
 * documentation.
 */
export interface Readings {
    /** Does `States.ALL` catch and retry States.DataLimitExceeded? Recorded: yes (default). The guide: no. */
    readonly allCatchesDataLimit: boolean;
    /**
     * Can a Task, Parallel or Map catch the States.QueryEvaluationError of its own fields? The guide: yes (default).
     */
    readonly queryErrorsAreCatchable: boolean;
    /** What a Choice without a match and without Default raises. Default States.Runtime (uncatchable). */
    readonly noChoiceMatched: "States.Runtime" | "States.NoChoiceMatched";
    /**
     * The name of a missed heartbeat. Recorded: States.Timeout (default). Retry and Catch match
     * `States.HeartbeatTimeout` in both.
     */
    readonly missedHeartbeat: "States.Timeout" | "States.HeartbeatTimeout";
    /**
     * Does `States.TaskFailed` match all but States.Timeout, States.HeartbeatTimeout and States.QueryEvaluationError
     * too? Default yes.
     */
    readonly taskFailedMatchesAll: boolean;
    /**
     * What Error and Cause a catcher sees of a failure that has none. Recorded (a task token failed without either,
     * directly and below a Parallel): null (default). Others: no such field, or an empty text. The Cause of a
     * time-out is an empty text in any case (recorded).
     */
    readonly unnamed: "null" | "absent" | "empty";
}

/** What an execution gets from its caller. */
export interface ExecutionOptions {
    readonly input: JsonValue;
    readonly task: TaskHandler;
    /** Default: a new VirtualClock. */
    readonly clock?: Clock;
    /** The execution's name; default `execution`. */
    readonly name?: string;
    readonly executionArn?: string;
    readonly stateMachineArn?: string;
    readonly stateMachineName?: string;
    readonly roleArn?: string;
    /** Milliseconds since the epoch, for Execution.StartTime; default the clock's time. */
    readonly startTime?: number;
    /** Execution.RedriveCount of the context object; default 0. */
    readonly redriveCount?: number;
    /**
     * A number at least 0 and below 1, for $random, $uuid, $shuffle and jitter; default a generator with a fixed seed.
     */
    readonly random?: () => number;
    /** Makes `$states.context.Task.Token`; default numbered ones, which are unique in this execution only. */
    readonly taskToken?: () => string;
    /** Told of every Map Run when it begins; its numbers go on changing. */
    readonly onMapRun?: (run: MapRunProgress) => void;
    /** Told every event of the history, in order. */
    readonly onEvent?: (event: HistoryEvent) => void;
    /** Keep the events in the result; default true. */
    readonly history?: boolean;
    /** Stops the execution: ABORTED. */
    readonly signal?: AbortSignal;
    readonly limits?: Partial<Limits>;
    readonly readings?: Partial<Readings>;
}

/** How an execution ended. */
export interface ExecutionResult {
    readonly status: ExecutionStatus;
    readonly output?: JsonValue;
    readonly error?: string;
    readonly cause?: string;
    /** Empty with `history: false`. */
    readonly events: readonly HistoryEvent[];
    /** The number of events, kept or not. */
    readonly eventCount: number;
    /** The variables of the outermost scope at the end. */
    readonly variables: JsonObject;
    /**
     * States entered plus retries: what AWS bills as state transitions. Those of distributed Maps' children are
     * included.
     */
    readonly transitions: number;
    /** Milliseconds since the epoch. */
    readonly startTime: number;
    readonly stopTime: number;
}
