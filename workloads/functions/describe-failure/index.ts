/**
 * One failed execution, one message that a person can act on. Never fails on what it is given, and never says what
 * stands on a page.
 */
import { TRAINING_LOG_GROUP } from "../../../ground/awsNames";
import { consoleUrl, logUrl } from "../../../ground/console";
import { formatDuration } from "../../../ground/duration";
import { present } from "../../../ground/fields";
import type { BilledJob, ErrorClass, TrainingPrices } from "../../../workflow/contract";
import { advice, classify, oneLine } from "../../../workflow/failures";

export interface DescribeFailureEvent {
    readonly service?: string;
    readonly stage?: string;
    /** The execution's ARN, name, or context object's {Id, Name, RedriveCount}. */
    readonly execution?: unknown;
    readonly step?: string | null;
    readonly error?: string | null;
    readonly cause?: string | null;
    /** What error-cause found already; empty where nothing was classified. */
    readonly class?: string | null;
    readonly reason?: string | null;
    readonly redriveCount?: number | null;
    /** The outcomes of failed members, in any of the shapes of {@link readOutcome}. */
    readonly failures?: readonly unknown[] | null;
    readonly startTime?: string | null;
    readonly stateMachineArn?: string | null;
    /** What the finished trainings are billed for; a failed one has it in its record. */
    readonly billed?: readonly BilledJob[] | null;
    readonly prices?: TrainingPrices | null;
}

export interface FailureDescription {
    readonly class: ErrorClass;
    /** At most 100 printable ASCII characters: SNS takes no more. */
    readonly subject: string;
    /** At most 200,000 bytes of UTF-8: SNS takes 262,144 with the attributes. */
    readonly message: string;
    /** Never empty, at most 256 characters. */
    readonly errorType: string;
    /** Never empty, one line, at most 1,000 characters. */
    readonly cause: string;
}

const maximumMessageBytes = 200_000;
/** Details of at most so many members; the others are named. */
const maximumDetails = 40;

interface Outcome {
    readonly member: string;
    readonly step: string;
    readonly class: ErrorClass;
    readonly reason: string;
    readonly attempts?: number;
    readonly jobs: readonly string[];
    readonly logUrl?: string;
    /** Undefined where no record says it. */
    readonly billed?: readonly BilledJob[];
}

export const handler = (event: DescribeFailureEvent): Promise<FailureDescription> =>
    Promise.resolve(describeFailure(event, new Date()));

export function describeFailure(event: DescribeFailureEvent, now: Date): FailureDescription {
    const error = textOf(event.error);
    const read = classify({ error, cause: textOf(event.cause) });
    const known = classify({ cause: JSON.stringify({ class: textOf(event.class), reason: textOf(event.reason) }) });
    const own = textOf(event.reason) === "" ? read : { ...read, class: known.class, reason: known.reason };
    const failures = (Array.isArray(event.failures) ? event.failures : [])
        .map(readOutcome)
        .filter((outcome) => outcome !== undefined);
    // At the join the members' failures are the failure.
    const nothingElse =
        failures.length > 0 && (error === "MembersFailed" || (error === "" && textOf(event.cause) === ""));
    const worst = nothingElse ? failures[0].class : own.class;
    const service = textOf(event.service) || "ensemble";
    const stage = textOf(event.stage) || "unknown stage";
    const execution = readExecution(event.execution, event.redriveCount);
    const region =
        textOf(event.stateMachineArn).split(":")[3] || execution.arn.split(":")[3] || process.env.AWS_REGION || "";
    const step = (nothingElse ? failures[0].step : textOf(event.step)) || "unknown step";
    const names = failures.map(({ member }) => member);
    const reason = nothingElse ? failures[0].reason : own.reason;

    const lines = present([
        `Model training of ${service} failed.`,
        "",
        `Stage:      ${stage}`,
        `Execution:  ${execution.name}${execution.redrives > 0 ? ` (redrive ${execution.redrives})` : ""}`,
        `Step:       ${oneLine(step, 200)}`,
        `Class:      ${worst}`,
        `Reason:     ${reason}`,
        own.jobName === undefined ? undefined : `Job:        ${own.jobName}`,
        own.log === undefined || region === "" ? undefined : `Log:        ${logUrl(own.log, own.region ?? region)}`,
        ...(names.length === 0 ? [] : ["", `Failed members (${names.length}): ${names.join(", ")}`]),
    ]);
    for (const outcome of failures.slice(0, maximumDetails)) {
        const log =
            outcome.logUrl ??
            (outcome.jobs.length > 0 && region !== ""
                ? logUrl({ group: TRAINING_LOG_GROUP, stream: `${outcome.jobs.at(-1)}/`, exact: false }, region)
                : undefined);
        lines.push(
            `- ${outcome.member}: ${outcome.class} in ${oneLine(outcome.step, 200)}: ${outcome.reason}`,
            ...(outcome.attempts === undefined && outcome.jobs.length === 0
                ? []
                : [
                      `  attempts: ${outcome.attempts ?? "unknown"}; jobs: ` +
                          `${outcome.jobs.slice(-5).join(", ") || "none"}`,
                  ]),
            ...(log === undefined ? [] : [`  log: ${log}`]),
            ...(outcome.class === worst ? [] : [`  what to do: ${advice[outcome.class]}`]),
        );
    }
    if (failures.length > maximumDetails) {
        lines.push(`- and ${failures.length - maximumDetails} more, named above`);
    }
    const spent = trainingCost(allBilled(event, failures), event.prices);
    lines.push(
        "",
        `Time spent: ${elapsed(textOf(event.startTime), now)}` +
            `${spent.seconds === 0 ? "" : `; instance time of trainings: ${formatDuration(spent.seconds)}`}`,
        `Cost:       ${spent.text}`,
        "",
        `What to do: ${advice[worst]}`,
        "To resume:  start a new execution with the same input. Models that finished are reused by their content " +
            "key; only what had not " +
            "finished trains again, from its checkpoint where it has one.",
        ...(execution.arn === "" || region === ""
            ? []
            : [
                  `Console:    ${consoleUrl(region, "states/home", `/v2/executions/details/${encodeURIComponent(execution.arn)}`)}`,
              ]),
        ...(execution.arn === "" ? [] : [`Reference:  ${execution.arn}#${execution.redrives}`]),
    );
    const said =
        names.length === 0
            ? reason
            : `${names.length} member${names.length === 1 ? "" : "s"} failed (${names.join(", ")}): ${reason}`;
    return {
        class: worst,
        subject: ascii(`[ERROR] - ${service} - Model Training failed!`, 100),
        message: cutBytes(lines.join("\n"), maximumMessageBytes),
        errorType: oneLine(error, 256) || worst,
        cause: oneLine(said, 1000),
    };
}

/**
 * A failed member as the join knows it: a record {member, step, class, reason, ...}, the same as JSON text, or what a
 * Catch saw ({member, error, cause} or {Error, Cause}); other outcomes (trained, reused) give nothing.
 */
export function readOutcome(value: unknown): Outcome | undefined {
    if (typeof value === "string") {
        try {
            return readOutcome(JSON.parse(value));
        } catch {
            const read = classify({ cause: value });
            return { member: "unknown member", step: "unknown step", class: read.class, reason: read.reason, jobs: [] };
        }
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        return undefined;
    }
    const outcome = value as Record<string, unknown>;
    const failed = outcome.outcome === undefined || outcome.outcome === "failed";
    if (!failed) {
        return undefined;
    }
    const cause = outcome.cause ?? outcome.Cause ?? outcome.failure ?? outcome.record;
    const inner = cause === undefined || cause === null ? {} : parseRecord(cause);
    const given = Object.entries(outcome).filter(([, entry]) => entry !== null);
    const merged: Record<string, unknown> = { ...inner, ...Object.fromEntries(given) };
    const error = textOf(merged.error ?? merged.Error);
    const read =
        "class" in merged && textOf(merged.class) !== ""
            ? classify({ cause: JSON.stringify({ class: merged.class, reason: textOf(merged.reason) }), error })
            : classify({ error, cause: textOf(cause) });
    const jobs = Array.isArray(merged.jobs)
        ? merged.jobs.filter((job) => typeof job === "string")
        : [read.jobName].filter((job) => job !== undefined);
    return {
        member: oneLine(textOf(merged.member ?? merged.model), 100) || "unknown member",
        step: textOf(merged.step) || "unknown step",
        class: read.class,
        reason: oneLine(textOf(merged.reason)) || read.reason,
        attempts: typeof merged.attempts === "number" ? merged.attempts : undefined,
        jobs,
        logUrl: textOf(merged.logUrl) || undefined,
        billed: Array.isArray(merged.billed) ? merged.billed.filter((job) => typeof job === "string") : undefined,
    };
}

function parseRecord(cause: unknown): Record<string, unknown> {
    if (typeof cause === "object" && cause !== null) {
        return cause as Record<string, unknown>;
    }
    try {
        const value: unknown = JSON.parse(textOf(cause));
        return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
    } catch {
        return {};
    }
}

function readExecution(
    value: unknown,
    redriveCount: number | null | undefined,
): { readonly arn: string; readonly name: string; readonly redrives: number } {
    const record = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
    const arn = textOf(record.arn ?? record.Id ?? (typeof value === "string" && value.startsWith("arn:") ? value : ""));
    const name =
        textOf(record.name ?? record.Name) ||
        (typeof value === "string" && arn === "" ? value : arn.split(":").at(-1)) ||
        "unknown";
    const redrives = Number(redriveCount ?? record.redriveCount ?? record.RedriveCount ?? 0);
    return { arn, name, redrives: Number.isInteger(redrives) ? redrives : 0 };
}

/** All training jobs of the execution; an empty one where the record of a training did not come this far. */
function allBilled(event: DescribeFailureEvent, failures: readonly Outcome[]): readonly BilledJob[] {
    const finished = (Array.isArray(event.billed) ? (event.billed as unknown[]) : []).filter(
        (job) => typeof job === "string",
    );
    // The failed training's own record, where one failed the execution: it is what the lost one stands for.
    const own = parseRecord(event.cause).billed;
    const told = Array.isArray(own)
        ? [...finished.filter((job) => job !== ""), ...own.filter((job) => typeof job === "string")]
        : finished;
    return [...told, ...failures.flatMap(({ billed }) => billed ?? [""])];
}

/**
 * What training jobs cost by on-demand prices, and in words what of it nobody knows. Of Spot the billed seconds are
 * already what is left after the savings, so that the on-demand price is right for them, too (failures.ts). Jobs that
 * never got an instance cost nothing.
 */
export function trainingCost(
    billed: readonly BilledJob[],
    prices: TrainingPrices | null | undefined,
): { readonly seconds: number; readonly text: string } {
    const known = { jobs: 0, usd: 0, seconds: 0 };
    const unknown = new Map<string, number>();
    let lost = false;
    for (const job of billed) {
        const [type, said = ""] = job.split(" ");
        const seconds = said === "" ? NaN : Number(said);
        const price = prices?.perHour?.[type];
        if (type === "") {
            lost = true;
        } else if (!Number.isFinite(seconds)) {
            count(unknown, `on ${type}: billed time unknown`);
        } else if (seconds > 0 && typeof price !== "number") {
            known.seconds += seconds;
            count(unknown, `on ${type}: price unknown`);
        } else if (seconds > 0) {
            known.jobs += 1;
            known.seconds += seconds;
            known.usd += (seconds / 3_600) * (price as number);
        }
    }
    const parts = present([
        known.jobs === 0
            ? undefined
            : `${known.usd.toFixed(2)} USD for ${jobs(known.jobs)} (on-demand prices of ` +
              `${textOf(prices?.asOf) || "an unknown day"})`,
        ...[...unknown].map(([what, number]) => `${jobs(number)} ${what}`),
        lost ? "of some training jobs no record is left: unknown" : undefined,
    ]);
    return { seconds: known.seconds, text: parts.join("; ") || "nothing, no training job was billed" };
}

function count(counts: Map<string, number>, what: string): void {
    counts.set(what, (counts.get(what) ?? 0) + 1);
}

function jobs(number: number): string {
    return `${number} training job${number === 1 ? "" : "s"}`;
}

/** Time between two instants in words; `unknown` where the first is none. */
export function elapsed(startTime: string, now: Date): string {
    const seconds = Math.round((now.getTime() - Date.parse(startTime)) / 1000);
    return Number.isFinite(seconds) && seconds >= 0 ? formatDuration(seconds) : "unknown";
}

function ascii(text: string, maximum: number): string {
    return text.replace(/[^\x20-\x7e]/g, "?").slice(0, maximum);
}

function cutBytes(text: string, maximum: number): string {
    const bytes = Buffer.from(text, "utf-8");
    if (bytes.length <= maximum) {
        return text;
    }
    const note = "\n[cut]";
    return (
        bytes
            .subarray(0, maximum - note.length)
            .toString("utf-8")
            .replace(/\ufffd+$/, "") + note
    );
}

function textOf(value: unknown): string {
    return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}
