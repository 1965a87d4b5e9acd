import { randomUUID } from "node:crypto";
import { defined } from "../../ground/fields";
import { AwsError } from "../awsError";
import type { Child, ChildExit, Supervisor } from "../process/supervisor";

/** A job definition as the stage registers it (containerProperties of aws:batch/jobDefinition). */
export interface JobDefinition {
    readonly name: string;
    readonly image: string;
    readonly command: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    /** What the job would have on AWS, as DescribeJobs says it: VCPU, and MEMORY in MiB. */
    readonly resources: readonly { readonly Type: string; readonly Value: string }[];
    readonly attempts: number;
    readonly evaluateOnExit: readonly {
        readonly action: string;
        readonly onExitCode?: string;
        readonly onReason?: string;
        readonly onStatusReason?: string;
    }[];
    readonly timeoutSeconds?: number;
}

export interface SubmitJobRequest {
    readonly JobName: string;
    readonly JobDefinition: string;
    readonly JobQueue: string;
    readonly Parameters?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
}

export interface BatchOptions {
    readonly supervisor: Supervisor;
    readonly definitions: ReadonlyMap<string, JobDefinition>;
    /** Turns a command of an image into one of this machine. */
    readonly program: (
        image: string,
        command: readonly string[],
    ) => { readonly command: readonly string[]; readonly cwd: string };
    /** Environment to reach S3. */
    readonly environment: Readonly<Record<string, string>>;
    readonly log: string;
    readonly signal?: AbortSignal;
    readonly onStart?: (child: Child) => void;
    /** Told once that the job was accepted, with what SubmitJob answers. */
    readonly onSubmitted?: (job: SubmittedJob) => void;
}

export interface SubmittedJob {
    readonly JobArn: string;
    readonly JobId: string;
    readonly JobName: string;
}

interface Attempt {
    readonly Container: { readonly ExitCode?: number; readonly Reason?: string; readonly LogStreamName: string };
    readonly StartedAt: number;
    readonly StoppedAt: number;
    readonly StatusReason: string;
}

const JOB_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/**
 * `batch:submitJob.sync` on this machine: answers what DescribeJobs would, a failed job is an AwsError with that as its
 * cause.
 */
export async function submitJob(request: SubmitJobRequest, options: BatchOptions): Promise<Record<string, unknown>> {
    if (!JOB_NAME.test(request.JobName)) {
        refuse(`jobName ${JSON.stringify(request.JobName)}: at most 128 letters, digits, _ and - are allowed`);
    }
    const definition = options.definitions.get(definitionName(request.JobDefinition));
    if (definition === undefined) {
        refuse(
            `JobDefinition ${request.JobDefinition} not found. The stage has ` +
                `${[...options.definitions.keys()].join(", ")}`,
        );
    }
    const job = definition as JobDefinition;
    const command = substitute(job.command, request.Parameters ?? {});
    const id = randomUUID();
    const submitted: SubmittedJob = {
        JobArn: `${request.JobQueue.split(":").slice(0, 5).join(":")}:job/${id}`,
        JobId: id,
        JobName: request.JobName,
    };
    options.onSubmitted?.(submitted);
    const created = Date.now();
    const attempts: Attempt[] = [];
    for (;;) {
        const attempt = await runAttempt(request, job, command, id, attempts.length + 1, options);
        options.signal?.throwIfAborted();
        attempts.push(attempt);
        if (attempt.Container.ExitCode === 0 || attempts.length >= job.attempts || !retries(job, attempt)) {
            break;
        }
    }
    const last = attempts[attempts.length - 1];
    const describe = {
        ...submitted,
        JobDefinition: request.JobDefinition,
        JobQueue: request.JobQueue,
        Status: last.Container.ExitCode === 0 ? "SUCCEEDED" : "FAILED",
        StatusReason: last.StatusReason,
        Attempts: attempts,
        Container: { Command: command, ResourceRequirements: job.resources, ...last.Container },
        Parameters: request.Parameters ?? {},
        CreatedAt: created,
        StartedAt: attempts[0].StartedAt,
        StoppedAt: last.StoppedAt,
    };
    if (describe.Status === "FAILED") {
        throw new AwsError("States.TaskFailed", JSON.stringify(describe));
    }
    return describe;
}

/** Name of a job definition out of its name or ARN, with or without a revision. */
export function definitionName(reference: string): string {
    return reference.replace(/^arn:.*:job-definition\//, "").replace(/:\d+$/, "");
}

function refuse(message: string): void {
    throw new AwsError(
        "Batch.ClientException",
        `${message} (Service: AWSBatch; Status Code: 400; Error Code: ClientException; Request ID: local; Proxy: null)`,
    );
}

/** `Ref::NAME` stands for a parameter wherever it is a whole word of the command. */
function substitute(command: readonly string[], parameters: Readonly<Record<string, string>>): string[] {
    return command.map((word) => {
        const name = /^Ref::(.+)$/.exec(word)?.[1];
        if (name === undefined) {
            return word;
        }
        if (typeof parameters[name] !== "string") {
            refuse(
                `the command of the job definition refers to ${word}, but Parameters has no string of that name: ` +
                    `${JSON.stringify(parameters)}`,
            );
        }
        return parameters[name];
    });
}

async function runAttempt(
    request: SubmitJobRequest,
    job: JobDefinition,
    command: readonly string[],
    id: string,
    number: number,
    options: BatchOptions,
): Promise<Attempt> {
    const started = Date.now();
    const stop = new AbortController();
    const timer =
        job.timeoutSeconds === undefined
            ? undefined
            : setTimeout(() => stop.abort(), Math.min(job.timeoutSeconds * 1000, 2 ** 31 - 1));
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    let exit: ChildExit;
    try {
        const child = options.supervisor.start({
            what: `Batch job ${request.JobName}`,
            ...options.program(job.image, command),
            env: {
                PATH: process.env.PATH ?? "/usr/bin:/bin",
                HOME: process.env.HOME ?? "/",
                ...options.environment,
                AWS_BATCH_JOB_ID: id,
                AWS_BATCH_JOB_ATTEMPT: String(number),
                AWS_BATCH_JQ_NAME: request.JobQueue.replace(/^.*job-queue\//, ""),
                ...job.environment,
            },
            log: options.log,
            signal,
        });
        options.onStart?.(child);
        exit = await child.exit;
    } finally {
        clearTimeout(timer);
    }
    const stream = { LogStreamName: `local/${id}` };
    const times = { StartedAt: started, StoppedAt: Date.now() };
    if (stop.signal.aborted) {
        return { Container: stream, ...times, StatusReason: "Job attempt duration exceeded timeout" };
    }
    if (exit.signal !== null) {
        const killed = exit.signal === "SIGKILL";
        return {
            Container: defined({
                ...stream,
                ExitCode: killed ? 137 : 143,
                Reason: killed ? "OutOfMemoryError: Container killed due to memory usage" : undefined,
            }),
            ...times,
            StatusReason: "Essential container in task exited",
        };
    }
    return {
        Container: { ...stream, ExitCode: exit.code ?? 1 },
        ...times,
        StatusReason: "Essential container in task exited",
    };
}

/** The first rule of evaluateOnExit whose conditions all match decides; without rules every failure is tried again. */
function retries(job: JobDefinition, attempt: Attempt): boolean {
    const matches = (pattern: string | undefined, value: string): boolean =>
        pattern === undefined ||
        (pattern.endsWith("*")
            ? value.toLowerCase().startsWith(pattern.slice(0, -1).toLowerCase())
            : value.toLowerCase() === pattern.toLowerCase());
    const rule = job.evaluateOnExit.find(
        (candidate) =>
            matches(candidate.onExitCode, String(attempt.Container.ExitCode ?? "")) &&
            matches(candidate.onReason, attempt.Container.Reason ?? "") &&
            matches(candidate.onStatusReason, attempt.StatusReason),
    );
    return rule === undefined || rule.action.toUpperCase() === "RETRY";
}
