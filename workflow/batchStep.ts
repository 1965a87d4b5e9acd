import type { ErrorClass } from "./contract";
import { ERROR_CLASSES } from "./errorClasses";
import { functionBound, FUNCTION_SECONDS } from "./limits";
import { MAXIMUM_ATTEMPTS } from "./names";
import {
    caught,
    classifyError,
    LONGEST_PAUSE_SECONDS,
    loopVariables,
    pauseState,
    set,
    WAITING_CLASSES,
} from "./retries";
import {
    all,
    BatchSubmitJob,
    Choice,
    isExpression,
    jsonata,
    states,
    type Assignments,
    type Expression,
    type Handle,
    type StateNode,
    type Template,
} from "../asl/states";
import { JOB_SECONDS, JOBS, type Job, type Targets } from "./targets";

/** What is known of a failure that stands. */
export interface StepFailure {
    readonly errorName: Expression<string>;
    readonly errorCause: Expression<string>;
    readonly errorClass: Expression<string> | ErrorClass;
    readonly reason: Expression<string>;
    readonly attempt: Expression<number>;
}

/** Even at a deadline a job gets this long: a time-out of nothing is none that Step Functions takes. */
const LEAST_SECONDS = 60;

export interface BatchStepOptions {
    readonly name: string;
    readonly job: Job;
    /** The member that the job works for, or null. */
    readonly model: string | null;
    readonly targets: Targets;
    readonly jobName: (attempt: Expression<number>) => Expression<string>;
    readonly parameters: { readonly [name: string]: Template };
    readonly outputPath: Expression<string>;
    /** At most so many attempts in all. */
    readonly maximumAttempts: number;
    readonly maximumReason: number;
    /**
     * Nothing is tried again behind this: the end of an enclosing budget (a variable, milliseconds since the epoch), or
     * the seconds since the execution's start by which all before this step has ended, whatever happened in it.
     */
    readonly deadline: Handle<number> | { readonly secondsBefore: number };
    readonly assign?: Assignments;
    readonly next: string;
    /** Where a failure goes that is not tried again, and what it sets. */
    readonly failed: { readonly next: string; readonly assign: (failure: StepFailure) => Assignments };
}

/**
 * A Batch job that is tried again a bounded number of times: after throttling and faults of the service, and when
 * capacity was missing, used up or taken away; every other error stands. Batch itself tries nothing again.
 */
export function batchStep(options: BatchStepOptions): readonly StateNode[] {
    const { name, job, targets, failed, deadline } = options;
    const variables = loopVariables(job);
    const { attempt, throttles, faults, waits, errorClass } = variables;
    const explain = `JSONify ${name} Error Cause`;
    const decide = `Retry ${name}?`;
    const wait = `Pause before ${name}`;
    const now = jsonata<number>`$toMillis(${states.context.State.EnteredTime})`;
    const retries = [ERROR_CLASSES.Throttling, ERROR_CLASSES.ServiceFault, ERROR_CLASSES.Capacity];
    const most = retries.reduce((sum, policy) => sum + policy.retries, 1);
    const bounded = all(
        isExpression(deadline)
            ? jsonata<boolean>`${now} < ${deadline}`
            : jsonata<boolean>`${now} < $toMillis(${states.context.Execution.StartTime}) + ${lastRetry(deadline.secondsBefore, job) * 1000}`,
        jsonata<boolean>`${attempt} < ${Math.min(options.maximumAttempts, most, MAXIMUM_ATTEMPTS)}`,
    );
    return [
        new BatchSubmitJob(name, {
            jobName: options.jobName(attempt),
            jobDefinitionArn: targets.jobDefinitions[job],
            jobQueueArn: targets.jobQueueArn,
            parameters: options.parameters,
            tags: targets.tags,
            timeoutSeconds: isExpression(deadline)
                ? jsonata<number>`$max([${LEAST_SECONDS}, $min([${JOB_SECONDS[job]}, $floor((${deadline} - ${now}) / 1000)])])`
                : JOB_SECONDS[job],
            output: {},
            assign: options.assign,
            next: options.next,
            catch: [{ output: {}, assign: caught(job), next: explain }],
        }),
        classifyError({
            name: explain,
            loop: job,
            functionArn: targets.functions.errorCause,
            step: name,
            model: options.model,
            spot: false,
            outputPath: options.outputPath,
            maximumReason: options.maximumReason,
            queued: true,
            next: decide,
            failed: { next: failed.next, assign: (unclassified) => failed.assign({ ...variables, ...unclassified }) },
        }),
        new Choice(decide, {
            rules: [
                {
                    when: all(
                        bounded,
                        jsonata`${errorClass} = 'Throttling'`,
                        jsonata`${throttles} < ${ERROR_CLASSES.Throttling.retries}`,
                    ),
                    assign: set(job, { throttles: jsonata`${throttles} + 1` }),
                    next: wait,
                },
                {
                    when: all(
                        bounded,
                        jsonata`${errorClass} = 'ServiceFault'`,
                        jsonata`${faults} < ${ERROR_CLASSES.ServiceFault.retries}`,
                    ),
                    assign: set(job, { faults: jsonata`${faults} + 1` }),
                    next: wait,
                },
                {
                    when: all(
                        bounded,
                        jsonata`${errorClass} in ${WAITING_CLASSES}`,
                        jsonata`${waits} < ${ERROR_CLASSES.Capacity.retries}`,
                    ),
                    assign: set(job, { waits: jsonata`${waits} + 1` }),
                    next: wait,
                },
            ],
            assign: failed.assign(variables),
            otherwise: failed.next,
        }),
        pauseState(wait, job, name),
    ];
}

/** Besides one repetition at full length a step may take so long for waits and attempts that end early, in seconds. */
const RETRY_SECONDS = 7_200;

/** Seconds since the execution's start behind which a step is not tried again. */
function lastRetry(secondsBefore: number, job: Job): number {
    return secondsBefore + JOB_SECONDS[job] + RETRY_SECONDS;
}

/**
 * The longest that all attempts of a job can run together, in seconds, of at most `timeoutSeconds` each: it bounds what
 * they cost. Throttled attempts never ran.
 *
 * @param definition Name of its definition, which holds the job's.
 */
export function batchRunBound(definition: string, timeoutSeconds: number): number {
    const job = definition.split("-").findLast((part): part is Job => (JOBS as readonly string[]).includes(part));
    if (job === undefined) {
        return timeoutSeconds;
    }
    const attempts = 1 + ERROR_CLASSES.ServiceFault.retries + ERROR_CLASSES.Capacity.retries;
    return Math.min(attempts * timeoutSeconds, lastRetry(0, job) + timeoutSeconds);
}

/** Longest time of a step with all its attempts and waits, in seconds. */
export function batchStepBound(job: Job): number {
    return lastRetry(0, job) + LONGEST_PAUSE_SECONDS + JOB_SECONDS[job] + functionBound(FUNCTION_SECONDS);
}
