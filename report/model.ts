/**
 * What a report shows, wherever the execution ran: on this machine or on AWS. Everything optional is left out, not
 * invented.
 */
import type { Visit } from "../asl/history";
import type { StateMachineDefinition } from "../asl/types";
import type { Judgement, JudgedPage } from "./metrics";
import type { Quality } from "./quality";

export type ExecutionStatus = "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED" | "PENDING_REDRIVE";

export interface ReportData {
    readonly title: string;
    readonly stage: string;
    /** ARN. */
    readonly execution: string;
    readonly where: "aws" | "local";
    readonly status: ExecutionStatus;
    readonly error?: string;
    readonly cause?: string;
    /** Milliseconds since the epoch; of a running execution `stoppedAt` is when it was looked at. */
    readonly startedAt: number;
    readonly stoppedAt: number;
    readonly definition: StateMachineDefinition;
    /** One entry for every time that a state was entered, in order; see `visitsOf`. */
    readonly visits: readonly Visit[];
    /** Failed attempts, equal ones counted, in the order in which they came first. */
    readonly failures: readonly FailureReport[];
    /** Members, then the combiner. */
    readonly models: readonly ModelReport[];
    /** Wrongly read pages of the best model that there is. */
    readonly mistakes?: Mistakes;
    /** What differs from the stage's configuration, a line each (hyperparameters reduced for this machine). */
    readonly remarks: readonly string[];
    /** What Setup noted, and the data it saw. */
    readonly notes: readonly string[];
    readonly price: PriceReport;
    /** What the report should hold and could not get. */
    readonly missing: readonly Missing[];
}

export interface FailureReport {
    readonly state: string;
    readonly error: string;
    readonly class: string;
    readonly reason: string;
    readonly advice: string;
    readonly logUrl?: string;
    readonly count: number;
    /** Milliseconds since the epoch, of the first. */
    readonly at: number;
    /** The state succeeded later. */
    readonly overcome: boolean;
}

export interface ModelReport {
    readonly name: string;
    readonly role: "member" | "combiner";
    /**
     * "trains: no model with this key", "reused: same key ...", as Setup said it; of a combiner also which members it
     * lacked.
     */
    readonly reason: string;
    readonly outcome: "trained" | "reused" | "given" | "failed" | "stopped" | "running" | "not trained";
    /** Training jobs, and the time of all of them in seconds. */
    readonly jobs: number;
    readonly seconds: number;
    /** On held-out stacks; without it there was nothing to judge. */
    readonly result?: ModelResult;
    /** What the training itself measured, of a combiner that compares itself with its members. */
    readonly quality?: Quality;
    readonly curves: readonly Curve[];
    /** Accuracy of each fold, where training has no epochs. */
    readonly folds: readonly { readonly fold: number; readonly pages: number; readonly accuracy: number }[];
}

export interface ModelResult extends Judgement {
    readonly classes: readonly string[];
    /** Rows: true class; columns: predicted class; pages of the held-out stacks. */
    readonly confusion: readonly (readonly number[])[];
    /** Beside each judged page, in their order. */
    readonly predicted: readonly (readonly [label: string, probability: number])[];
    readonly pagesJudged: readonly JudgedPage[];
}

/** A learning curve, of one fold or of a whole model. Values by epoch; the same length as `epochs`. */
export interface Curve {
    readonly fold?: number;
    readonly epochs: readonly number[];
    readonly loss?: readonly number[];
    readonly validationLoss?: readonly number[];
    readonly accuracy?: readonly number[];
    readonly validationAccuracy?: readonly number[];
}

export interface Mistakes {
    readonly model: string;
    /** Of all held-out pages. */
    readonly total: number;
    readonly shown: readonly Mistake[];
    /** Why no page is shown. */
    readonly note?: string;
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

export interface PriceReport {
    readonly lines: readonly PriceLine[];
    /** US dollars, sum of what is known. */
    readonly known: number;
    readonly unknown: readonly string[];
    readonly pricesAsOf: string;
    readonly warning?: string;
    /** What the times are, in words. */
    readonly basis: string;
    /**
     * US dollars that all trainings of one run can cost at most, by the stage's budgets of hours; undefined where a
     * price is unknown.
     */
    readonly trainingsAtMost?: number;
}

export interface PriceLine {
    readonly item: string;
    readonly how: string;
    readonly dollars?: number;
}

export interface Missing {
    readonly what: string;
    readonly why: string;
}
