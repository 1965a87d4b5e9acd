/** Clocks: where an execution's time comes from. */

/** Why the interpreter waits, for a clock that treats waits in its own way. */
export interface WaitReason {
    /** The state that waits. */
    readonly state: string;
    readonly kind: "Wait" | "Retry";
}

/** The time of an execution, and how it passes. */
export interface Clock {
    /** Milliseconds since the epoch. */
    now(): number;
    /**
     * Resolves after `ms` milliseconds of this clock; Infinity never ends.
     * @throws the signal's reason (as a rejection) when it is aborted first.
     */
    sleep(ms: number, signal?: AbortSignal): Promise<void>;
    /** A Wait state's or a retry's pause; `sleep` is used where a clock has no such method. */
    wait?(ms: number, reason: WaitReason, signal?: AbortSignal): Promise<void>;
    /** Says that something is at work that does not wait for this clock; call the result when it ends. */
    hold?(): () => void;
}

interface Timer {
    readonly at: number;
    readonly order: number;
    readonly fire: () => void;
    cancelled: boolean;
}

/**
 * A discrete-event clock: time stands still while anything is at work and then jumps to the next timer, so days pass in
 * microseconds and equal executions take equal steps. The interpreter holds it while a task's handler runs, except
 * while that handler awaits `request.clock.sleep`. A handler may therefore do real work (a file, a process) in no
 * virtual time; one that should run into a time-out must sleep on the clock (`clock.sleep(Infinity, signal)` for ever),
 * not on a promise that nobody settles.
 */
export class VirtualClock implements Clock {
    private time: number;
    private order = 0;
    private holds = 0;
    private scheduled = false;
    private live = 0;
    private readonly heap: Timer[] = [];

    /** @param start milliseconds since the epoch; default 2025-01-01T00:00:00Z, so that runs are alike. */
    constructor(start: number = Date.UTC(2025, 0, 1)) {
        this.time = start;
    }

    now(): number {
        return this.time;
    }

    sleep(ms: number, signal?: AbortSignal): Promise<void> {
        if (Number.isNaN(ms)) {
            return Promise.reject(new RangeError("sleep takes a number of milliseconds, got NaN"));
        }
        if (signal?.aborted === true) {
            return Promise.reject(signal.reason);
        }
        return new Promise((resolve, reject) => {
            const onAbort = (): void => {
                if (!timer.cancelled) {
                    timer.cancelled = true;
                    this.live -= Number.isFinite(timer.at) ? 1 : 0;
                    reject(signal?.reason);
                }
            };
            const timer: Timer = {
                at: this.time + Math.max(0, ms),
                order: this.order++,
                cancelled: false,
                fire: () => {
                    signal?.removeEventListener("abort", onAbort);
                    resolve();
                },
            };
            signal?.addEventListener("abort", onAbort, { once: true });
            if (Number.isFinite(timer.at)) {
                this.live++;
                push(this.heap, timer);
                this.schedule();
            }
        });
    }

    hold(): () => void {
        this.holds++;
        let held = true;
        return () => {
            if (held) {
                held = false;
                this.holds--;
                this.schedule();
            }
        };
    }

    /** The next timer fires when all promise callbacks have run: only then is every branch known to be idle. */
    private schedule(): void {
        if (!this.scheduled && this.holds === 0 && this.live > 0) {
            this.scheduled = true;
            setImmediate(() => {
                this.scheduled = false;
                this.advance();
            });
        }
    }

    private advance(): void {
        if (this.holds > 0) {
            return;
        }
        let timer = pop(this.heap);
        while (timer?.cancelled === true) {
            timer = pop(this.heap);
        }
        if (timer !== undefined) {
            this.live--;
            this.time = Math.max(this.time, timer.at);
            timer.cancelled = true;
            timer.fire();
            this.schedule();
        }
    }
}

function before(left: Timer, right: Timer): boolean {
    return left.at < right.at || (left.at === right.at && left.order < right.order);
}

function push(heap: Timer[], timer: Timer): void {
    let index = heap.push(timer) - 1;
    while (index > 0) {
        const parent = (index - 1) >> 1;
        if (!before(heap[index], heap[parent])) {
            break;
        }
        [heap[index], heap[parent]] = [heap[parent], heap[index]];
        index = parent;
    }
}

function pop(heap: Timer[]): Timer | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) {
        return first;
    }
    heap[0] = last;
    let index = 0;
    for (;;) {
        const left = 2 * index + 1;
        let smallest = index;
        if (left < heap.length && before(heap[left], heap[smallest])) {
            smallest = left;
        }
        if (left + 1 < heap.length && before(heap[left + 1], heap[smallest])) {
            smallest = left + 1;
        }
        if (smallest === index) {
            return first;
        }
        [heap[index], heap[smallest]] = [heap[smallest], heap[index]];
        index = smallest;
    }
}

/** A pause that a RealClock did not make. */
export interface SkippedWait extends WaitReason {
    readonly milliseconds: number;
}

/** How a {@link RealClock} treats waits. */
export interface RealClockOptions {
    /** Real milliseconds for each millisecond of the clock; default 1. 0.01 makes an hour last 36 seconds. */
    readonly scale?: number;
    /**
     * Skip the pauses of Wait states and of retries; time-outs, heartbeats and the tasks' own sleeps stay. Default
     * false.
     */
    readonly skipWaits?: boolean;
    /** Called for each pause that is skipped. */
    readonly onSkip?: (wait: SkippedWait) => void;
}

// setTimeout takes no more than a signed 32-bit number of milliseconds.
const LONGEST_TIMEOUT = 2_147_483_647;

/** The machine's clock, optionally faster, optionally without the pauses of Wait states and retries. */
export class RealClock implements Clock {
    private readonly started = Date.now();
    private readonly scale: number;
    /** The pauses that were skipped, in order. */
    readonly skipped: SkippedWait[] = [];

    constructor(private readonly options: RealClockOptions = {}) {
        this.scale = options.scale ?? 1;
        if (!(this.scale > 0)) {
            throw new RangeError(`a clock's scale must be above 0, got ${this.scale}; to skip waits, set skipWaits`);
        }
    }

    now(): number {
        return this.scale === 1 ? Date.now() : this.started + (Date.now() - this.started) / this.scale;
    }

    sleep(ms: number, signal?: AbortSignal): Promise<void> {
        if (signal?.aborted === true) {
            return Promise.reject(signal.reason);
        }
        return new Promise((resolve, reject) => {
            const end = Date.now() + Math.max(0, ms) * this.scale;
            let timer: NodeJS.Timeout;
            const onAbort = (): void => {
                clearTimeout(timer);
                reject(signal?.reason);
            };
            const next = (): void => {
                const left = end - Date.now();
                if (left <= 0) {
                    signal?.removeEventListener("abort", onAbort);
                    resolve();
                } else {
                    timer = setTimeout(next, Math.min(left, LONGEST_TIMEOUT));
                }
            };
            signal?.addEventListener("abort", onAbort, { once: true });
            timer = setTimeout(next, Math.min(Math.max(0, end - Date.now()), LONGEST_TIMEOUT));
        });
    }

    wait(ms: number, reason: WaitReason, signal?: AbortSignal): Promise<void> {
        if (this.options.skipWaits !== true) {
            return this.sleep(ms, signal);
        }
        const skipped = { ...reason, milliseconds: ms };
        this.skipped.push(skipped);
        this.options.onSkip?.(skipped);
        return Promise.resolve();
    }
}
