/** One attempt of a Task: the handler against the time-out, the heartbeat, and the end of the execution. */
import { copyJson } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { Clock } from "../clock";
import { StateFailure, STOPPED, TaskStopped } from "../failure";
import type { TaskHandler, TaskRequest } from "../types";
import type { Frame } from "./frame";
import { contextOf } from "./scope";

/** What the state says of its task. */
export interface TaskOptions {
    readonly purpose: TaskRequest["purpose"];
    readonly resource: string;
    readonly args: JsonValue;
    readonly credentials: JsonObject | undefined;
    /** Seconds; without them there is no bound. */
    readonly timeout: number | undefined;
    readonly heartbeat: number | undefined;
    /** Called when the handler says that an activity's worker has taken the task. */
    readonly onStarted: (workerName?: string) => void;
    /** Called when the handler says that its job has been submitted. */
    readonly onSubmitted: (output: JsonValue) => void;
}

/** What the handler answers; a rejection is its error, a StateFailure of the time-out, or STOPPED. */
export function attempt(frame: Frame, options: TaskOptions): Promise<JsonValue> {
    return new TaskAttempt(frame, options).perform(frame.thread.run.options.task);
}

/**
 * The request as the handler sees it. What costs something (copies, abort controllers, clocks, closures) is made when
 * the handler first asks for it: most ask for little.
 */
class TaskAttempt implements TaskRequest {
    private open = true;
    private resolve!: (value: JsonValue) => void;
    private reject!: (error: unknown) => void;
    /** Ends the time-out's and the heartbeat's sleep. */
    private timers: AbortController | undefined;
    private beat: AbortController | undefined;
    private release: (() => void) | undefined;
    private sleeping = 0;
    // What has been made.
    private work: AbortController | undefined;
    private stopped: TaskStopped | undefined;
    private taskClock: Clock | undefined;
    private copiedArguments: JsonValue | undefined;
    private copiedContext: JsonObject | undefined;
    /** State.RetryCount when the attempt began. */
    readonly attempt: number;

    constructor(
        private readonly frame: Frame,
        private readonly options: TaskOptions,
    ) {
        this.attempt = frame.retryCount;
    }

    // ---- the request ----

    get state(): string {
        return this.frame.state.name;
    }

    get path(): readonly string[] {
        return this.frame.thread.path;
    }

    get resource(): string {
        return this.options.resource;
    }

    get purpose(): TaskRequest["purpose"] {
        return this.options.purpose;
    }

    get arguments(): JsonValue {
        this.copiedArguments ??= copyJson(this.options.args);
        return this.copiedArguments;
    }

    get credentials(): JsonObject | undefined {
        return this.options.credentials;
    }

    get entered(): number {
        return this.frame.entered;
    }

    get timeoutSeconds(): number | undefined {
        return this.options.timeout;
    }

    get heartbeatSeconds(): number | undefined {
        return this.options.heartbeat;
    }

    get context(): JsonObject {
        this.copiedContext ??= copyJson(contextOf(this.frame));
        return this.copiedContext;
    }

    get signal(): AbortSignal {
        if (this.work === undefined) {
            this.work = new AbortController();
            if (this.stopped !== undefined) {
                this.work.abort(this.stopped);
            }
        }
        return this.work.signal;
    }

    get clock(): Clock {
        this.taskClock ??= {
            now: () => this.machineClock.now(),
            sleep: (milliseconds, signal) => this.sleep(milliseconds, signal),
        };
        return this.taskClock;
    }

    get heartbeat(): () => void {
        return () => {
            if (this.open && this.beat !== undefined) {
                this.beat.abort(STOPPED);
                this.watch();
            }
        };
    }

    get started(): (workerName?: string) => void {
        return (workerName) => {
            if (this.open) {
                this.options.onStarted(workerName);
            }
        };
    }

    get submitted(): (output: JsonValue) => void {
        return (output) => {
            if (this.open) {
                this.options.onSubmitted(output);
            }
        };
    }

    // ---- its course ----

    perform(task: TaskHandler): Promise<JsonValue> {
        return new Promise((resolve, reject) => {
            this.resolve = resolve;
            this.reject = reject;
            this.frame.thread.onStop = () => this.end("stopped", STOPPED);
            this.limit();
            this.hold();
            let running: Promise<JsonValue>;
            try {
                running = Promise.resolve(task(this));
            } catch (error) {
                running = Promise.reject(error as Error);
            }
            running.then(
                (value) => this.close() && this.resolve(value),
                (error: unknown) => this.close() && this.reject(error),
            );
        });
    }

    private get machineClock(): Clock {
        return this.frame.thread.run.clock;
    }

    /** Starts the clocks of time-out and heartbeat. */
    private limit(): void {
        const { timeout, heartbeat } = this.options;
        if (timeout !== undefined) {
            this.timers = new AbortController();
            this.machineClock.sleep(timeout * 1000, this.timers.signal).then(
                () => this.end("timeout", new StateFailure("States.Timeout", undefined)),
                () => undefined,
            );
        }
        if (heartbeat !== undefined) {
            this.watch();
        }
    }

    /** Waits for the next heartbeat. */
    private watch(): void {
        const { missedHeartbeat } = this.frame.thread.run.readings;
        this.beat = new AbortController();
        this.machineClock.sleep((this.options.heartbeat ?? 0) * 1000, this.beat.signal).then(
            () => this.end("heartbeat", new StateFailure(missedHeartbeat, undefined, "States.HeartbeatTimeout")),
            () => undefined,
        );
    }

    /** @returns whether the attempt was open until now. */
    private close(): boolean {
        if (!this.open) {
            return false;
        }
        this.open = false;
        this.frame.thread.onStop = undefined;
        this.timers?.abort(STOPPED);
        this.beat?.abort(STOPPED);
        this.drop();
        return true;
    }

    /** Ends the attempt before the handler does. */
    private end(why: TaskStopped["why"], failure: unknown): void {
        if (this.close()) {
            this.stopped = new TaskStopped(why);
            this.work?.abort(this.stopped);
            this.reject(failure);
        }
    }

    // ---- the clock: held except while the handler sleeps on it ----

    private async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
        this.sleeping += 1;
        this.drop();
        try {
            await this.machineClock.sleep(milliseconds, signal);
        } finally {
            this.sleeping -= 1;
            this.hold();
        }
    }

    private hold(): void {
        if (this.open && this.sleeping === 0) {
            this.release ??= this.machineClock.hold?.();
        }
    }

    private drop(): void {
        this.release?.();
        this.release = undefined;
    }
}
