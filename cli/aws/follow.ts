/** An execution's events as progress: states with their time, repainted on a terminal, plain lines elsewhere. */
import type { HistoryEvent } from "@aws-sdk/client-sfn";
import pc from "picocolors";
import type { ProgressStream } from "../../local/run/progress";
import { duration } from "../support";

/** States that take time of their own; others pass at once and are not shown. */
const TIMED = /^(Task|Wait)StateEntered$/;

export class Follower {
    private readonly open = new Map<string, Date>();
    private painted = 0;
    private startedAt: Date | undefined;

    constructor(private readonly stream: ProgressStream) {}

    /** Takes events in order. */
    take(events: readonly HistoryEvent[], now: Date = new Date()): void {
        this.clear();
        for (const event of events) {
            this.event(event);
        }
        this.paint(now);
    }

    /** Ends the painting. */
    close(): void {
        this.clear();
        this.open.clear();
    }

    private event(event: HistoryEvent): void {
        const at = event.timestamp ?? new Date();
        this.startedAt ??= at;
        const entered = event.stateEnteredEventDetails?.name;
        const exited = event.stateExitedEventDetails?.name;
        const failed = event.taskFailedEventDetails ?? event.taskTimedOutEventDetails ?? event.taskSubmitFailedEventDetails
            ?? event.taskStartFailedEventDetails ?? event.lambdaFunctionFailedEventDetails;
        if (entered !== undefined && TIMED.test(String(event.type))) {
            this.open.set(entered, at);
            if (this.stream.isTTY !== true) {
                this.line(at, `begin  ${entered}`);
            }
        } else if (exited !== undefined && this.open.has(exited)) {
            this.line(at, `${pc.green("done")}   ${exited}  ${this.since(exited, at)}`);
            this.open.delete(exited);
        } else if (failed !== undefined) {
            this.line(at, `${pc.red("failed")} ${failed.error ?? "without an error's name"}`);
        }
    }

    private line(at: Date, text: string): void {
        const elapsed = duration((at.getTime() - (this.startedAt ?? at).getTime()) / 1000);
        this.stream.write(`${pc.dim(elapsed.padStart(10))}  ${text}\n`);
    }

    private since(state: string, now: Date): string {
        return duration((now.getTime() - (this.open.get(state) ?? now).getTime()) / 1000);
    }

    private paint(now: Date): void {
        if (this.stream.isTTY !== true) {
            return;
        }
        for (const state of this.open.keys()) {
            this.stream.write(`${`${"".padStart(10)}  ▸ ${state}  ${this.since(state, now)}`.slice(0, (this.stream.columns ?? 100) - 1)}\n`);
            this.painted += 1;
        }
    }

    private clear(): void {
        if (this.painted > 0) {
            this.stream.write(`\x1b[${this.painted}A\x1b[0J`);
            this.painted = 0;
        }
    }
}
