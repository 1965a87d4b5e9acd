/** An execution's events as progress: states with their time, repainted on a terminal, plain lines elsewhere. */
import type { HistoryEvent } from "@aws-sdk/client-sfn";
import pc from "picocolors";
import { failureOf, StateOfEvent } from "../../asl/history";
import { formatDuration } from "../../ground/duration";
import type { ProgressStream } from "../../local/run/progress";
import type { Expected } from "./expected";
import type { JobReference } from "./logs";

/** States that take time of their own; others pass at once and are not shown. */
const TIMED = /^(Task|Wait)StateEntered$/;
/** Without a terminal: how often a state that is at work says how far it is. */
const PLAIN_MS = 30_000;

interface Open {
    readonly state: string;
    readonly since: Date;
    told: number;
    job?: JobReference;
    line?: string;
}

export class Follower {
    private readonly stateOf = new StateOfEvent();
    private readonly open = new Map<number, Open>();
    private painted = 0;
    private startedAt: Date | undefined;
    private expected: Expected = { executions: 0, states: new Map() };

    constructor(private readonly stream: ProgressStream) {}

    /** What is compared with, once it is known. */
    expect(expected: Expected): void {
        this.expected = expected;
        this.note(
            expected.executions === 0
                ? "No execution of this state machine has succeeded yet: there are no expected times."
                : "Expected times: medians of the last " +
                      `${expected.executions === 1 ? "execution" : `${expected.executions} executions`} that ` +
                      "succeeded; " +
                      `the whole took ${formatDuration((expected.execution ?? 0) / 1000)}.`,
        );
    }

    /** A line that stays. */
    note(text: string): void {
        this.clear();
        this.stream.write(`${pc.dim(text)}\n`);
        this.paint(new Date());
    }

    /** Takes events in order; without any, only the times go on. */
    take(events: readonly HistoryEvent[], now: Date = new Date()): void {
        this.clear();
        for (const event of events) {
            this.event(event);
        }
        this.paint(now);
    }

    /** The jobs that are at work. */
    jobs(): readonly JobReference[] {
        return [...this.open.values()].flatMap(({ job }) => job ?? []);
    }

    /** The newest line of a job's log. */
    line(job: JobReference, line: string): void {
        for (const open of this.open.values()) {
            if (open.job?.id === job.id) {
                open.line = line;
            }
        }
    }

    /** Ends the painting. */
    close(): void {
        this.clear();
        this.open.clear();
    }

    private event(event: HistoryEvent): void {
        const at = event.timestamp ?? new Date();
        this.startedAt ??= at;
        const visit = this.stateOf.take(event);
        if (visit === undefined) {
            return;
        }
        const { id, state } = visit;
        if (id === event.id && TIMED.test(String(event.type))) {
            this.open.set(id, { state, since: at, told: Date.now() });
            if (this.stream.isTTY !== true) {
                const usual = this.expected.states.get(state);
                this.print(
                    at,
                    `begin  ${state}${usual === undefined ? "" : `  (usually ${formatDuration(usual / 1000)})`}`,
                );
            }
            return;
        }
        const open = this.open.get(id);
        const failure = failureOf(event);
        if (open !== undefined) {
            open.job = jobOf(event) ?? open.job;
        }
        if (failure !== undefined) {
            this.print(at, `${pc.red("failed")} ${state}  ${failure.error ?? "without an error's name"}`);
        } else if (open !== undefined && event.stateExitedEventDetails?.name === state) {
            this.print(at, `${pc.green("done")}   ${this.times(open, at)}`);
            this.open.delete(id);
        }
    }

    private print(at: Date, text: string): void {
        const elapsed = formatDuration((at.getTime() - (this.startedAt ?? at).getTime()) / 1000);
        this.stream.write(`${pc.dim(elapsed.padStart(10))}  ${text}\n`);
    }

    /** `Image Model Training  12 min, usually 2 h`. */
    private times({ state, since }: Open, now: Date): string {
        const usual = this.expected.states.get(state);
        return (
            `${state}  ${formatDuration((now.getTime() - since.getTime()) / 1000)}` +
            `${usual === undefined ? "" : `, usually ${formatDuration(usual / 1000)}`}`
        );
    }

    private paint(now: Date): void {
        for (const open of this.open.values()) {
            const line = open.line === undefined ? "" : `  ${open.line}`;
            if (this.stream.isTTY === true) {
                const text = `${"".padStart(10)}  ▸ ${this.times(open, now)}`;
                const width = (this.stream.columns || 100) - 1;
                this.stream.write(
                    `${text.slice(0, width)}${pc.dim(line.slice(0, Math.max(0, width - text.length)))}\n`,
                );
                this.painted += 1;
            } else if (now.getTime() - open.told >= PLAIN_MS) {
                open.told = now.getTime();
                this.print(now, `works  ${this.times(open, now)}${line.slice(0, 200)}`);
            }
        }
    }

    private clear(): void {
        if (this.painted > 0) {
            this.stream.write(`\x1b[${this.painted}A\x1b[0J`);
            this.painted = 0;
        }
    }
}

/** The job that a Task has started: a training is named by its request, a Batch job by Batch's answer. */
function jobOf({
    taskScheduledEventDetails: scheduled,
    taskSubmittedEventDetails: submitted,
}: HistoryEvent): JobReference | undefined {
    const details = scheduled ?? submitted;
    const text = scheduled?.parameters ?? submitted?.output;
    const field =
        details?.resourceType === "sagemaker" && scheduled !== undefined
            ? "TrainingJobName"
            : details?.resourceType === "batch" && submitted !== undefined
              ? "JobId"
              : undefined;
    if (field === undefined || text === undefined) {
        return undefined;
    }
    try {
        const id = (JSON.parse(text) as Readonly<Record<string, unknown>> | null)?.[field];
        return typeof id === "string" ? { kind: scheduled === undefined ? "batch" : "training", id } : undefined;
    } catch {
        // AWS cuts a long text
        return undefined;
    }
}
