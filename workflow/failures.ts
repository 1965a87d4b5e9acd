/**
 * What a failure is: the reading of an error and its cause as a Catch sees them, and what a person can do about each
 * class. Pure: `error-cause` and `describe-failure` call it in AWS, the tests and the fault sweep call it here.
 *
 * A cause may be anything: the Describe JSON of SageMaker or Batch (up to 32,768 characters, possibly cut in the
 * middle), a Lambda function's {"errorType","errorMessage"}, the text of an API's refusal, the record of an inner Fail,
 * or nothing. Nothing here throws.
 */
import { TRAINING_LOG_GROUP } from "../ground/awsNames";
import type { LogLocation } from "../ground/console";
import { defined } from "../ground/fields";
import type { ErrorClass, FailureRecord } from "./contract";
import { ERROR_CLASSES } from "./errorClasses";
import { classOfText } from "./failureTexts";

/** What a person can do about each class; errorClasses.ts says what the workflow itself does. */
export const advice: Readonly<Record<ErrorClass, string>> = {
    Capacity:
        "AWS had no such instance free on any rung: add another instance type to the capacity ladder, or start the " +
        "run again later.",
    SpotInterrupted:
        "Spot capacity was reclaimed or never came: end the capacity ladder with an on-demand rung; the run " +
        "continues from its checkpoint.",
    Quota:
        'Ask for a higher quota in Service Quotas (Amazon SageMaker, "<instance type> for training job usage"), or ' +
        "wait for other jobs.",
    Throttling: "The account calls this AWS API too often: find who does, then start the run again.",
    ServiceFault:
        "A fault of the service or the storage that outlived its retries: look at AWS Health, then start " +
        "the run again.",
    TimeLimit:
        "The step was longer than its limit: raise maxRuntime or the budget, or take a larger instance; training " +
        "continues from its checkpoint.",
    UserBug: "The code or the definition is wrong: read the log, repair it, deploy, and start the run again.",
    Permission: "A role lacks the permission that the text names: add it (pulumi up), then start the run again.",
    Data: "The data is wrong where the text says: repair it and start the run again.",
    Input: "Correct the execution's input as the text says and start a new execution with it.",
    QualityGate:
        "The models are trained and kept, but worse than the gate allows: nothing was published. Change data or " +
        "hyperparameters, or the gate.",
    Unknown:
        "Read the log and the execution's history; if it is worth a class of its own, add it to workflow/failures.ts.",
};

export interface Failure {
    /** The error's name as the Catch saw it, for example `States.TaskFailed`; may be empty. */
    readonly error?: string;
    /** The cause as the Catch saw it; may be empty, cut or no JSON. */
    readonly cause?: string;
    /** The attempt ran on Spot instances. */
    readonly spot?: boolean;
    /** The line that a Batch job left in `failure.txt`. */
    readonly failureText?: string;
}

export interface Classification {
    readonly class: ErrorClass;
    /** One line, never empty, at most {@link maximumReason} characters. */
    readonly reason: string;
    readonly jobName?: string;
    /**
     * Seconds that SageMaker bills for each instance of a training job, of Spot what is left of them after the savings;
     * 0 of a job that never ran; undefined where nobody said.
     */
    readonly billableSeconds?: number;
    readonly log?: LogLocation;
    /** Where the step was to write (the job's parameter OUTPUT_PATH), for `failure.txt`. */
    readonly outputPath?: string;
    readonly region?: string;
}

/** Longest reason, in characters: with 100 members all reasons fit one message. */
export const maximumReason = 1000;

/** Without a prototype: an error may be called "toString". */
function table(entries: Readonly<Record<string, ErrorClass>>): Readonly<Record<string, ErrorClass | undefined>> {
    return Object.assign(Object.create(null) as Record<string, ErrorClass>, entries);
}

/** Prefixes that jobs, functions and training scripts put before the one line that says what is wrong. */
const prefixes = table({
    DataError: "Data",
    HyperparameterError: "Input",
    QualityGate: "QualityGate",
    PermissionError: "Permission",
    StorageError: "ServiceFault",
    InputError: "Input",
});
const prefixPattern =
    /(?<![A-Za-z])(DataError|HyperparameterError|QualityGate|PermissionError|StorageError|InputError): /;

/** Errors that the engine itself or an integration raises, by name. */
const byName = table({
    "States.Timeout": "TimeLimit",
    "States.HeartbeatTimeout": "TimeLimit",
    "States.Permissions": "Permission",
    "States.QueryEvaluationError": "UserBug",
    "States.Runtime": "UserBug",
    "States.DataLimitExceeded": "UserBug",
    "States.NoChoiceMatched": "UserBug",
    "States.ParameterPathFailure": "UserBug",
    "States.ResultPathMatchFailure": "UserBug",
    "States.IntrinsicFailure": "UserBug",
    "SageMaker.ResourceLimitExceededException": "Quota",
    "Batch.ServerException": "ServiceFault",
    "Lambda.TooManyRequestsException": "Throttling",
    "Lambda.ServiceException": "ServiceFault",
    "Lambda.AWSLambdaException": "ServiceFault",
    "Lambda.SdkClientException": "ServiceFault",
    "Lambda.ClientExecutionTimeoutException": "ServiceFault",
    "Lambda.Unknown": "ServiceFault",
    "Lambda.ResourceNotFoundException": "UserBug",
    "Lambda.AccessDeniedException": "Permission",
    "Sandbox.Timedout": "TimeLimit",
    "Runtime.ExitError": "ServiceFault",
    "Runtime.OutOfMemory": "UserBug",
});

/** Reads a failure. Total: any strings give a class and a reason. */
export function classify(failure: Failure): Classification {
    const error = failure.error ?? "";
    const cause = failure.cause ?? "";
    const read = readCause(cause);
    const base = {
        jobName: read.jobName,
        billableSeconds: read.billableSeconds ?? (neverRan(error) ? 0 : undefined),
        log: read.log,
        outputPath: read.outputPath,
        region: read.region,
    };
    const [cls, reason] = decide(error, read, failure);
    return defined({
        class: cls,
        reason: oneLine(reason) || oneLine(error && `${error}, without a cause`) || "neither error nor cause given",
        ...base,
    });
}

/** Collapses white space and control characters and cuts at the given length, without splitting a surrogate pair. */
export function oneLine(text: string, maximum: number = maximumReason): string {
    const flat = text.replace(/[\s\u0000-\u001f\u007f\u2028\u2029]+/g, " ").trim();
    if (flat.length <= maximum) {
        return flat;
    }
    return flat.slice(0, maximum - 1).replace(/[\ud800-\udbff]$/, "") + "…";
}

interface ReadCause {
    readonly kind: "training" | "batch" | "lambda" | "record" | "text";
    /** What the service or the code says about the failure. */
    readonly text: string;
    readonly status?: string;
    readonly secondary?: string;
    readonly errorType?: string;
    readonly exitCode?: number;
    readonly record?: Partial<FailureRecord>;
    readonly jobName?: string;
    readonly billableSeconds?: number;
    readonly log?: LogLocation;
    readonly outputPath?: string;
    readonly region?: string;
}

type Json = Record<string, unknown>;

function readCause(cause: string): ReadCause {
    const json = parseObject(cause);
    if (json === undefined) {
        return readCut(cause);
    }
    if (isClass(json.class)) {
        return {
            kind: "record",
            text: text(json.reason),
            record: json as Partial<FailureRecord>,
            jobName: last(json.jobs),
        };
    }
    if ("TrainingJobName" in json || "TrainingJobStatus" in json || "FailureReason" in json) {
        return readTraining(json);
    }
    if ("JobId" in json || "JobName" in json || "StatusReason" in json || "Attempts" in json) {
        return readBatch(json);
    }
    if ("errorMessage" in json || "errorType" in json) {
        return { kind: "lambda", text: text(json.errorMessage), errorType: text(json.errorType) };
    }
    if ("Cause" in json || "cause" in json) {
        const inner = readCause(text(json.Cause ?? json.cause));
        return inner.kind === "text" && inner.text === "" ? { ...inner, text: text(json.Error ?? json.error) } : inner;
    }
    return { kind: "text", text: cause };
}

function readTraining(json: Json): ReadCause {
    const jobName = text(json.TrainingJobName) || undefined;
    const transitions = Array.isArray(json.SecondaryStatusTransitions)
        ? (json.SecondaryStatusTransitions as Json[])
        : [];
    const newest = transitions.at(-1);
    return {
        kind: "training",
        text: text(json.FailureReason) || text(newest?.StatusMessage),
        status: text(json.TrainingJobStatus),
        secondary: text(json.SecondaryStatus) || text(newest?.Status),
        jobName,
        billableSeconds: billableSeconds(json),
        log: jobName === undefined ? undefined : { group: TRAINING_LOG_GROUP, stream: `${jobName}/`, exact: false },
        region: regionOf(json.TrainingJobArn),
    };
}

/**
 * BillableTimeInSeconds is wall-clock time to multiply by the number of instances, with the savings of managed Spot
 * training taken off; billed is from TrainingStartTime on, when the job starts on its instances (API reference of
 * SageMaker, DescribeTrainingJob).
 */
function billableSeconds(described: Json): number | undefined {
    if (typeof described.BillableTimeInSeconds === "number") {
        return described.BillableTimeInSeconds;
    }
    return described.TrainingStartTime === undefined ? 0 : undefined;
}

/**
 * Errors of the call itself: SageMaker made no job. A training that ended Stopped has a name of ours, and its job as
 * the cause.
 */
function neverRan(error: string): boolean {
    return /^SageMaker\..*Exception$/.test(error);
}

function readBatch(json: Json): ReadCause {
    const attempts = Array.isArray(json.Attempts) ? (json.Attempts as Json[]) : [];
    const attempt = attempts.at(-1);
    const container = { ...object(json.Container), ...object(attempt?.Container) };
    const reasons = [text(container.Reason), text(attempt?.StatusReason), text(json.StatusReason)].filter(
        (reason) => reason !== "",
    );
    const options = object(object(object(json.Container).LogConfiguration).Options);
    const stream = text(container.LogStreamName);
    return {
        kind: "batch",
        text: [...new Set(reasons)].join("; "),
        status: text(json.Status),
        exitCode: typeof container.ExitCode === "number" ? container.ExitCode : undefined,
        jobName: text(json.JobName) || undefined,
        log:
            stream === ""
                ? undefined
                : { group: text(options["awslogs-group"]) || "/aws/batch/job", stream, exact: true },
        outputPath: text(object(json.Parameters).OUTPUT_PATH) || undefined,
        region: regionOf(json.JobArn),
    };
}

/** A cause that is no JSON object: plain text, or JSON that was cut in the middle. */
function readCut(cause: string): ReadCause {
    const field = (name: string) => {
        const match = new RegExp(`"${name}"\\s*:\\s*"((?:[^"\\\\]|\\\\.)*)`).exec(cause);
        return match === null ? "" : unescape(match[1]);
    };
    if (!cause.trimStart().startsWith("{")) {
        return { kind: "text", text: cause };
    }
    const jobName = field("TrainingJobName");
    if (jobName !== "" || field("FailureReason") !== "" || field("TrainingJobStatus") !== "") {
        return {
            ...readTraining({
                TrainingJobName: jobName,
                FailureReason: field("FailureReason"),
                TrainingJobStatus: field("TrainingJobStatus"),
                SecondaryStatus: field("SecondaryStatus"),
                TrainingJobArn: field("TrainingJobArn"),
            }),
            // What was cut off may have said it.
            billableSeconds: undefined,
        };
    }
    if (field("StatusReason") !== "" || field("JobId") !== "" || field("JobName") !== "") {
        return readBatch({
            JobName: field("JobName"),
            StatusReason: field("StatusReason"),
            JobArn: field("JobArn"),
            Container: { Reason: field("Reason"), LogStreamName: field("LogStreamName") },
            Parameters: { OUTPUT_PATH: field("OUTPUT_PATH") },
        });
    }
    if (field("errorType") !== "" || field("errorMessage") !== "") {
        return { kind: "lambda", text: field("errorMessage"), errorType: field("errorType") };
    }
    const cls = field("class");
    if (isClass(cls)) {
        return { kind: "record", text: field("reason"), record: { class: cls } };
    }
    return { kind: "text", text: cause };
}

function decide(error: string, read: ReadCause, failure: Failure): [ErrorClass, string] {
    const bare = error.replace(/^Notified\./, "");
    if (read.kind === "record") {
        return [read.record?.class ?? "Unknown", read.text];
    }
    if (isClass(bare)) {
        return [bare, read.text];
    }
    if (read.kind === "training") {
        return decideTraining(error, read, failure.spot === true);
    }
    if (read.kind === "batch") {
        return decideBatch(error, read, failure.failureText ?? "");
    }
    if (read.kind === "lambda") {
        const type = read.errorType ?? "";
        const cls =
            prefixes[type] ?? byName[type] ?? prefixed(read.text)?.[0] ?? classOfText(read.text) ?? byName[error];
        return [cls ?? "UserBug", type === "" ? read.text : `${type}: ${read.text}`];
    }
    if (failure.failureText?.trim() && (error === "States.TaskFailed" || error === "") && read.text.trim() === "") {
        return jobLine(failure.failureText);
    }
    const known = prefixes[error] ?? byName[error];
    const said = read.text === "" ? "" : error === "" ? read.text : `${error}: ${read.text}`;
    // The engine's own names leave no doubt; an integration's exception covers many things, so its text decides first.
    if (known !== undefined && (error.startsWith("States.") || prefixes[error] !== undefined)) {
        return [known, said];
    }
    const inner = prefixed(read.text);
    if (inner !== undefined) {
        return inner;
    }
    if (/^AlgorithmError/.test(read.text)) {
        return ["UserBug", said];
    }
    return [classOfText(`${error} ${read.text}`) ?? known ?? "Unknown", said];
}

function decideTraining(error: string, read: ReadCause, spot: boolean): [ErrorClass, string] {
    const secondary = read.secondary ?? "";
    const about = read.jobName === undefined ? "the training job" : `training job ${read.jobName}`;
    if (error === "States.Timeout") {
        return ["TimeLimit", read.text || `${about} was longer than the state's time-out`];
    }
    if (secondary === "MaxWaitTimeExceeded") {
        return ["SpotInterrupted", `${about}: no Spot capacity within the maximum wait (MaxWaitTimeExceeded)`];
    }
    if (secondary === "MaxRuntimeExceeded") {
        return ["TimeLimit", `${about} reached its maximum runtime (MaxRuntimeExceeded)`];
    }
    if (secondary === "Interrupted") {
        return ["SpotInterrupted", `${about}: the Spot instances were reclaimed (Interrupted)`];
    }
    if (read.status === "Stopped" || read.status === "Stopping") {
        return [
            "Unknown",
            `${about} was stopped by somebody${spot ? " (Spot reports MaxWaitTimeExceeded or Interrupted)" : ""}: ` +
                `${read.text || secondary || "no reason given"}`,
        ];
    }
    const inner = prefixed(read.text);
    if (/^AlgorithmError/.test(read.text)) {
        return inner ?? ["UserBug", read.text];
    }
    if (/^CapacityError/.test(read.text)) {
        return ["Capacity", read.text];
    }
    if (/^InternalServerError/.test(read.text)) {
        return ["ServiceFault", read.text];
    }
    if (/^ClientError/.test(read.text)) {
        return inner ?? [classOfText(read.text) ?? "UserBug", read.text];
    }
    if (read.text === "") {
        const known = byName[error] ?? "Unknown";
        return [
            known,
            `${about} ended ${read.status || "without success"}${secondary === "" ? "" : ` (${secondary})`} and gave ` +
                "no reason",
        ];
    }
    return inner ?? [classOfText(read.text) ?? classOfText(error) ?? "Unknown", read.text];
}

function decideBatch(error: string, read: ReadCause, failureText: string): [ErrorClass, string] {
    const about = read.jobName === undefined ? "the job" : `job ${read.jobName}`;
    if (error === "States.Timeout") {
        return ["TimeLimit", read.text || `${about} was longer than the state's time-out`];
    }
    const byText = classOfText(read.text);
    // The file may be an earlier attempt's where this one never came to speak: its line counts for a container that
    // exited by itself.
    if (failureText.trim() !== "" && (read.exitCode === 1 || (read.exitCode === undefined && byText === undefined))) {
        return jobLine(failureText);
    }
    const inner = prefixed(read.text);
    if (inner !== undefined) {
        return inner;
    }
    if (byText !== undefined) {
        return [byText, `${about}: ${read.text}`];
    }
    const reason =
        `${about}: ${read.text || "no reason given"}` +
        `${read.exitCode === undefined ? "" : `, exit code ${read.exitCode}`}`;
    if (read.exitCode === 137 || read.exitCode === 143) {
        // Killed from outside (128 + SIGKILL, SIGTERM) without a word of the job: the host went away or the container
        // was stopped.
        return ["ServiceFault", reason];
    }
    if (read.exitCode !== undefined && read.exitCode !== 0) {
        return ["UserBug", reason];
    }
    return [byName[error] ?? "Unknown", reason];
}

/** What a Batch job said at its end. */
function jobLine(failureText: string): [ErrorClass, string] {
    return prefixed(failureText) ?? ["UserBug", failureText.trim()];
}

function prefixed(said: string): [ErrorClass, string] | undefined {
    const match = prefixPattern.exec(said);
    if (match === null) {
        return undefined;
    }
    const line = said.slice(match.index).split(/[\r\n]/)[0];
    // The toolkit puts the script's message in quotation marks.
    const bare = said[match.index - 1] === '"' ? line.replace(/"(?=\s|$).*$/, "") : line;
    return [prefixes[match[1]] ?? "Unknown", bare];
}

function isClass(value: unknown): value is ErrorClass {
    return typeof value === "string" && Object.hasOwn(ERROR_CLASSES, value);
}

function parseObject(cause: string): Json | undefined {
    try {
        const value: unknown = JSON.parse(cause);
        return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
    } catch {
        return undefined;
    }
}

function unescape(body: string): string {
    try {
        return JSON.parse(`"${body}"`) as string;
    } catch {
        return body.replace(/\\[^u]?|\\u[0-9a-f]{0,4}$/gi, " ");
    }
}

function object(value: unknown): Json {
    return typeof value === "object" && value !== null ? (value as Json) : {};
}

function text(value: unknown): string {
    return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

function last(value: unknown): string | undefined {
    return Array.isArray(value) && typeof value.at(-1) === "string" ? (value.at(-1) as string) : undefined;
}

function regionOf(arn: unknown): string | undefined {
    return text(arn).split(":")[3] || undefined;
}
