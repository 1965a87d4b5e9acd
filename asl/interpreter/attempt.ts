/**
 * One attempt of a Task: the handler against the state's time-out, its heartbeat, and the end of the execution,
 * whichever is first.
 */
import { copyJson } from "../expressions/index";
import type { JsonObject, JsonValue } from "../types";
import type { Clock } from "./clock";
import type { Frame } from "./execution";
import { StateFailure, STOPPED, TaskStopped } from "./failure";
import type { ExecutionOptions, Readings, TaskRequest } from "./types";

export interface Attempt {
    readonly frame: Frame;
    readonly resource: string;
    readonly args: JsonValue;
    readonly purpose: TaskRequest["purpose"];
    readonly credentials?: JsonObject;
    /** Seconds; without them there is no bound. */
    readonly timeout: number | undefined;
    readonly heartbeat: number | undefined;
    /** Called when the handler says that an activity's worker has taken the task. */
    readonly started: (workerName?: string) => void;
    /** Called when the handler says that its job has been submitted. */
    readonly submitted: (output: JsonValue) => void;
    readonly machineClock: Clock;
    readonly missedHeartbeat: Readings["missedHeartbeat"];
    readonly task: ExecutionOptions["task"];
    /** A copy of the context object. */
    readonly context: () => JsonObject;
}

/** What the handler answers; a rejection is its error, a StateFailure of the time-out, or STOPPED. */
export function attempt(options: Attempt): Promise<JsonValue> {
    const { frame, resource, args, timeout, heartbeat, machineClock, missedHeartbeat, task, context } = options;
    const { state, thread } = frame;
    // An AbortController costs more than the rest of a short task: each is made where something listens to it.
    const timers = timeout === undefined ? undefined : new AbortController();
    let beat = heartbeat === undefined ? undefined : new AbortController();
    let work: AbortController | undefined;
    let stopped: TaskStopped | undefined;
    const clock = new TaskClock(machineClock);
    return new Promise((resolve, reject) => {
        let open = true;
        const close = (): boolean => {
            const first = open;
            if (first) {
                open = false;
                thread.onStop = undefined;
                timers?.abort(STOPPED);
                beat?.abort(STOPPED);
                clock.release();
            }
            return first;
        };
        const end = (why: TaskStopped["why"], failure: unknown): void => {
            if (close()) {
                stopped = new TaskStopped(why);
                work?.abort(stopped);
                reject(failure as Error);
            }
        };
        thread.onStop = () => end("stopped", STOPPED);
        if (timeout !== undefined) {
            machineClock.sleep(timeout * 1000, timers?.signal).then(
                () => end("timeout", new StateFailure("States.Timeout", undefined)),
                () => undefined,
            );
        }
        const watch = (): void => {
            if (heartbeat !== undefined) {
                machineClock.sleep(heartbeat * 1000, beat?.signal).then(
                    () => end("heartbeat", new StateFailure(missedHeartbeat, undefined, "States.HeartbeatTimeout")),
                    () => undefined,
                );
            }
        };
        watch();
        const request: { -readonly [Field in keyof TaskRequest]: TaskRequest[Field] } = {
            state: state.name,
            path: thread.path,
            resource,
            purpose: options.purpose,
            arguments: copyJson(args),
            attempt: frame.retryCount,
            entered: frame.entered,
            get signal() {
                if (work === undefined) {
                    work = new AbortController();
                    if (stopped !== undefined) {
                        work.abort(stopped);
                    }
                }
                return work.signal;
            },
            heartbeat: () => {
                if (open && heartbeat !== undefined) {
                    beat?.abort(STOPPED);
                    beat = new AbortController();
                    watch();
                }
            },
            clock,
            started: (workerName) => (open ? options.started(workerName) : undefined),
            submitted: (output) => (open ? options.submitted(output) : undefined),
            context: context(),
        };
        if (options.credentials !== undefined) {
            request.credentials = copyJson(options.credentials);
        }
        if (timeout !== undefined) {
            request.timeoutSeconds = timeout;
        }
        if (heartbeat !== undefined) {
            request.heartbeatSeconds = heartbeat;
        }
        clock.work();
        let running: Promise<JsonValue>;
        try {
            running = Promise.resolve(task(request));
        } catch (error) {
            running = Promise.reject(error);
        }
        running.then(
            (value) => (close() ? resolve(value) : undefined),
            (error: unknown) => (close() ? reject(error as Error) : undefined),
        );
    });
}

/** The clock as a task's handler sees it: it holds the execution's clock except while the handler sleeps on it. */
class TaskClock implements Clock {
    private sleeping = 0;
    private open = true;
    private held?: () => void;

    constructor(private readonly clock: Clock) {}

    now(): number {
        return this.clock.now();
    }

    async sleep(ms: number, signal?: AbortSignal): Promise<void> {
        this.sleeping++;
        this.drop();
        try {
            await this.clock.sleep(ms, signal);
        } finally {
            this.sleeping--;
            this.work();
        }
    }

    work(): void {
        if (this.open && this.sleeping === 0) {
            this.held ??= this.clock.hold?.();
        }
    }

    private drop(): void {
        this.held?.();
        this.held = undefined;
    }

    release(): void {
        this.open = false;
        this.drop();
    }
}
