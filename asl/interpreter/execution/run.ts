/** An execution from its start to its end. */
import { MAXIMUM_EVENTS, MAXIMUM_PAYLOAD_BYTES, MAXIMUM_VARIABLES_BYTES } from "../../../ground/awsLimits";
import { adopt, byteSize, copyJson, seededRandom, uuidFrom } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import { VirtualClock, type Clock } from "../clock";
import type { CompiledMachine } from "../compile/compiled";
import { StateFailure, STOPPED } from "../failure";
import { History } from "../history";
import type { ExecutionOptions, ExecutionResult, ExecutionStatus, Limits, Readings } from "../types";
import { failureDetails, silence } from "./events";
import { threadOf, type Run, type Thread } from "./frame";
import { runGraph } from "./states";

/** AWS's quotas of an execution. */
export const DEFAULT_LIMITS: Limits = {
    payloadBytes: MAXIMUM_PAYLOAD_BYTES,
    variableBytes: MAXIMUM_VARIABLES_BYTES,
    historyEvents: MAXIMUM_EVENTS,
};
/** How the interpreter reads the rules of AWS that are in doubt, unless it is told otherwise. */
export const DEFAULT_READINGS: Readings = {
    allCatchesDataLimit: true,
    queryErrorsAreCatchable: true,
    noChoiceMatched: "States.Runtime",
    missedHeartbeat: "States.Timeout",
    taskFailedMatchesAll: true,
    unnamed: "null",
};

/** How an execution ended. */
interface End {
    readonly status: ExecutionStatus;
    readonly output?: JsonValue;
    readonly error?: string | undefined;
    readonly cause?: string | undefined;
}

/** @throws RangeError (as a rejection) when the input is too large to start. */
export async function startExecution(machine: CompiledMachine, options: ExecutionOptions): Promise<ExecutionResult> {
    const input = adopt(options.input);
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const size = byteSize(input);
    if (size > limits.payloadBytes) {
        throw new RangeError(
            `the execution's input has ${size} bytes, at most ${limits.payloadBytes} are allowed:` +
                " StartExecution refuses it",
        );
    }
    return new Execution(machine, options, limits, input).finished;
}

class Execution {
    private readonly run: Run;
    private readonly root: Thread;
    private readonly startTime: number;
    /** Ends the sleep of the machine's own time-out. */
    private readonly timeout = new AbortController();
    private resolve!: (result: ExecutionResult) => void;
    private open = true;
    readonly finished: Promise<ExecutionResult>;

    constructor(
        private readonly machine: CompiledMachine,
        private readonly options: ExecutionOptions,
        limits: Limits,
        private readonly input: JsonValue,
    ) {
        const clock = options.clock ?? new VirtualClock();
        this.startTime = options.startTime ?? clock.now();
        this.run = runOf(options, clock, limits, {
            ...contextObjects(options, input, this.startTime),
            history: new History(() => clock.now(), options.history !== false, options.onEvent),
            fail: (thread, error, cause) => {
                this.root.previous = thread.previous;
                this.end({ status: "FAILED", error, cause });
            },
            graph: runGraph,
        });
        this.root = threadOf(this.run, { history: this.run.history, path: [], previous: 0 });
        this.finished = new Promise((resolve, reject) => {
            this.resolve = resolve;
            this.begin(reject);
        });
    }

    private begin(reject: (error: unknown) => void): void {
        const { root, machine, run } = this;
        const { signal } = this.options;
        const details = { roleArn: run.execution.RoleArn };
        const shown = { field: "input", value: this.input } as const;
        run.history.add("ExecutionStarted", 0, "executionStartedEventDetails", details, shown);
        if (signal?.aborted === true) {
            this.onAbort();
            return;
        }
        signal?.addEventListener("abort", this.onAbort, { once: true });
        if (machine.timeoutSeconds !== undefined) {
            run.clock.sleep(machine.timeoutSeconds * 1000, this.timeout.signal).then(
                () => this.end({ status: "TIMED_OUT" }),
                () => undefined,
            );
        }
        const work = async (): Promise<JsonValue> => runGraph(root, machine.graph, this.input);
        work().then(
            (output) => this.end({ status: "SUCCEEDED", output }),
            (failure: unknown) => {
                if (failure instanceof StateFailure) {
                    this.end({ status: "FAILED", error: failure.error, cause: failure.cause });
                } else if (failure !== STOPPED) {
                    reject(failure);
                }
            },
        );
    }

    private readonly onAbort = (): void => {
        const { error, cause } = stopReason(this.options.signal?.reason);
        this.end({ status: "ABORTED", error, cause });
    };

    private end(end: End): void {
        if (!this.open) {
            return;
        }
        this.open = false;
        lastEvent(this.run.history, this.root.previous, end);
        silence(this.root);
        this.timeout.abort(STOPPED);
        this.options.signal?.removeEventListener("abort", this.onAbort);
        this.resolve(this.result(end));
    }

    private result({ status, output, error, cause }: End): ExecutionResult {
        const { run, startTime } = this;
        const result: { -readonly [Field in keyof ExecutionResult]: ExecutionResult[Field] } = {
            status,
            events: [],
            eventCount: run.history.count,
            variables: copyJson(this.root.variables as JsonObject),
            transitions: run.transitions,
            startTime,
            stopTime: run.clock.now(),
        };
        // Made when somebody reads them: most do not.
        Object.defineProperty(result, "events", { enumerable: true, get: () => run.history.events });
        if (output !== undefined) {
            result.output = copyJson(output);
        }
        if (error !== undefined) {
            result.error = error;
        }
        if (cause !== undefined) {
            result.cause = cause;
        }
        return result;
    }
}

/** What all lines of work share; `more` is what distinguishes one kind of run from another. */
export function runOf(
    options: ExecutionOptions,
    clock: Clock,
    limits: Limits,
    more: Pick<Run, "execution" | "machine" | "history" | "fail" | "graph"> & Partial<Run>,
): Run {
    const random = options.random ?? seededRandom(1);
    return {
        options,
        clock,
        limits,
        readings: { ...DEFAULT_READINGS, ...options.readings },
        host: { now: () => clock.now(), random, uuid: () => uuidFrom(random) },
        context: undefined,
        entries: new Map(),
        transitions: 0,
        tokens: 0,
        ...more,
    };
}

function contextObjects(
    options: ExecutionOptions,
    input: JsonValue,
    startTime: number,
): { readonly execution: JsonObject; readonly machine: JsonObject } {
    const name = options.name ?? "execution";
    const machineName = options.stateMachineName ?? options.stateMachineArn?.split(":").pop() ?? "machine";
    const account = "arn:aws:states:us-east-1:000000000000";
    return {
        execution: {
            Id: options.executionArn ?? `${account}:execution:${machineName}:${name}`,
            Input: input,
            Name: name,
            RoleArn: options.roleArn ?? "arn:aws:iam::000000000000:role/state-machine",
            StartTime: new Date(startTime).toISOString(),
            RedriveCount: options.redriveCount ?? 0,
        },
        machine: {
            Id: options.stateMachineArn ?? `${account}:stateMachine:${machineName}`,
            Name: machineName,
        },
    };
}

/** What StopExecution was given: a text is a cause. */
function stopReason(reason: unknown): { readonly error?: string; readonly cause?: string } {
    if (typeof reason === "string") {
        return { cause: reason };
    }
    const said: { error?: string; cause?: string } = {};
    if (typeof reason !== "object" || reason === null || reason instanceof Error) {
        return said;
    }
    const { error, cause } = reason as { readonly error?: unknown; readonly cause?: unknown };
    if (typeof error === "string") {
        said.error = error;
    }
    if (typeof cause === "string") {
        said.cause = cause;
    }
    return said;
}

/**
 * The last event. One that ends the execution from outside follows nothing, and the states that were open write no
 * event of their own (recorded). Of a time-out the error is in the history only.
 */
function lastEvent(history: History, previous: number, { status, output, error, cause }: End): void {
    switch (status) {
        case "SUCCEEDED": {
            const shown = { field: "output", value: output ?? null } as const;
            history.add("ExecutionSucceeded", previous, "executionSucceededEventDetails", {}, shown);
            break;
        }
        case "FAILED":
            history.add("ExecutionFailed", previous, "executionFailedEventDetails", failureDetails(error, cause));
            break;
        case "TIMED_OUT":
            history.add("ExecutionTimedOut", 0, "executionTimedOutEventDetails", { error: "States.Timeout" });
            break;
        default:
            history.add("ExecutionAborted", 0, "executionAbortedEventDetails", failureDetails(error, cause));
            break;
    }
}
