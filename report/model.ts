/** What a report shows, wherever the execution ran: on this machine or on AWS. Everything optional is left out, not invented. */
import type { StateMachineDefinition } from "../asl/types";

export interface ReportData {
    readonly title: string;
    readonly stage: string;
    /** ARN or local name. */
    readonly execution: string;
    readonly status: "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
    readonly error?: string;
    readonly cause?: string;
    /** Milliseconds since the epoch. */
    readonly startedAt: number;
    readonly stoppedAt: number;
    readonly definition: StateMachineDefinition;
    /** One entry for every time that a state was entered, in order; see {@link visitsOf}. */
    readonly visits: readonly Visit[];
    readonly models: readonly ModelReport[];
    /** Wrongly read pages of the combiner, with their picture. */
    readonly mistakes: readonly Mistake[];
    /** What differs from the stage's configuration, a line each (hyperparameters reduced for this machine). */
    readonly remarks: readonly string[];
    /** The price that the run has, or would have on AWS, in words. */
    readonly price: string;
}

export interface Visit {
    readonly state: string;
    readonly type: string;
    /** Milliseconds since the epoch. */
    readonly from: number;
    readonly to: number;
    readonly outcome: "succeeded" | "failed";
    /** Error names of the attempts that failed in it. */
    readonly errors: readonly string[];
}

export interface ModelReport {
    readonly name: string;
    /** "trained", "reused: same key ...", as Setup said it. */
    readonly reason: string;
    readonly classes: readonly string[];
    /** Rows: true class; columns: predicted class; pages of the held-out stacks. */
    readonly confusion: readonly (readonly number[])[];
    readonly pageAccuracy: number;
    readonly segmentF1: number;
    /** Curves by name (`loss`, `val accuracy`, `fold 2 loss`), a value an epoch. */
    readonly curves: Readonly<Record<string, readonly number[]>>;
}

export interface Mistake {
    readonly stack: string;
    readonly page: number;
    readonly truth: string;
    readonly predicted: string;
    readonly probability: number;
    /** PNG bytes. */
    readonly image?: Uint8Array;
}
