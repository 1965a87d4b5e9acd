import { checkEntries, checkInteger, checkText } from "./bounds";
import { managedRule, placeOf, type Permission } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** A Batch job. Source of the bounds: API reference of Batch, SubmitJob. */
export interface BatchSubmitJobOptions extends TaskOptions {
    /**
     * 1 to 128 letters, digits, hyphens and underscores, beginning with a letter or digit; must differ by attempt so
     * that logs can be told apart.
     */
    readonly jobName: string | Expression<string>;
    /** ARN of a job definition without revision, whose name ends in the hash of its content. */
    readonly jobDefinitionArn: string;
    /** ARN of the queue; the role may submit to this one alone. */
    readonly jobQueueArn: string;
    /** Take the places of `Ref::NAME` in the job definition's command; no empty values. Default: none. */
    readonly parameters?: { readonly [name: string]: Template };
    /**
     * Jobs of an array job, 2 to 10,000; each reads its own number from AWS_BATCH_JOB_ARRAY_INDEX. Default: a single
     * job.
     */
    readonly arraySize?: number | Expression<number>;
    /** Attempts that Batch itself makes, 1 to 10. Default: the job definition's. */
    readonly attempts?: number | Expression<number>;
    /** Seconds of one attempt until Batch ends it, from 60. Default: the job definition's. */
    readonly attemptSeconds?: number | Expression<number>;
    /** Replaces the container's command. Default: the job definition's. */
    readonly command?: readonly (string | Expression<string>)[] | Expression<readonly string[]>;
    /** Added to the container's environment; names that begin with AWS_BATCH are Batch's own. Default: none. */
    readonly environment?: Readonly<Record<string, string | Expression<string>>>;
    /** Where the queue shares by fair share: at most 255 letters and digits. Default: none. */
    readonly shareIdentifier?: string | Expression<string>;
    /** Where the queue shares by fair share: 0 to 9,999, higher first. Default: the job definition's. */
    readonly schedulingPriority?: number | Expression<number>;
    /** At most 50. Default: none. */
    readonly tags?: Readonly<Record<string, string>>;
}

/** `batch:submitJob.sync`: submits a job, waits for its end, and terminates it when the execution is stopped. */
export class BatchSubmitJob extends Task {
    constructor(
        name: string,
        private readonly options: BatchSubmitJobOptions,
    ) {
        super(name, options);
        const place = (field: keyof BatchSubmitJobOptions) => ({ state: name, field });
        checkText(place("jobName"), options.jobName, {
            min: 1,
            max: 128,
            pattern: /^[a-zA-Z0-9][\w-]*$/,
            words: "of letters, digits, hyphens and underscores, beginning with a letter or digit",
        });
        checkInteger(place("arraySize"), options.arraySize, { min: 2, max: 10_000 });
        checkInteger(place("attempts"), options.attempts, { min: 1, max: 10 });
        checkInteger(place("attemptSeconds"), options.attemptSeconds, { min: 60, max: 2_147_483_647, unit: "seconds" });
        checkText(place("shareIdentifier"), options.shareIdentifier, { min: 1, max: 255 });
        checkInteger(place("schedulingPriority"), options.schedulingPriority, { min: 0, max: 9_999 });
        checkEntries(place("tags"), options.tags, { min: 0, max: 50, unit: "tags" });
    }

    protected override resource(): string {
        return `arn:${placeOf(this.options.jobQueueArn).partition}:states:::batch:submitJob.sync`;
    }

    protected override arguments(): Template {
        const { options } = this;
        const wrapped = (key: string, value: Template | undefined): Template | undefined =>
            value === undefined ? undefined : { [key]: value };
        return {
            JobName: options.jobName,
            JobDefinition: options.jobDefinitionArn,
            JobQueue: options.jobQueueArn,
            Parameters: options.parameters,
            ArrayProperties: wrapped("Size", options.arraySize),
            RetryStrategy: wrapped("Attempts", options.attempts),
            Timeout: wrapped("AttemptDurationSeconds", options.attemptSeconds),
            ContainerOverrides: this.containerOverrides(),
            ShareIdentifier: options.shareIdentifier,
            SchedulingPriorityOverride: options.schedulingPriority,
            Tags: this.hasTags() ? options.tags : undefined,
        };
    }

    private containerOverrides(): Template | undefined {
        const { command, environment } = this.options;
        if (command === undefined && environment === undefined) {
            return undefined;
        }
        const variables = Object.entries(environment ?? {}).map(([Name, Value]) => ({ Name, Value }));
        return { Command: command, Environment: environment === undefined ? undefined : variables };
    }

    private hasTags(): boolean {
        return Object.keys(this.options.tags ?? {}).length > 0;
    }

    protected override needs(): readonly Permission[] {
        const { jobDefinitionArn, jobQueueArn } = this.options;
        const { partition, region, account } = placeOf(jobQueueArn);
        const jobs = `arn:${partition}:batch:${region}:${account}:job/*`;
        const anyContent = jobDefinitionArn.replace(/(:\d+)?$/, "").replace(/-[0-9a-f]{8,64}$/, "");
        const permissions: Permission[] = [
            {
                actions: ["batch:SubmitJob"],
                resources: [jobQueueArn, `${anyContent}-*`, jobs],
                reason:
                    "a job's id is made by Batch; " +
                    "an execution started before an update submits the definition that its own hash names",
            },
            { actions: ["batch:TerminateJob"], resources: [jobs], reason: "a job's id is made by Batch" },
            { actions: ["batch:DescribeJobs"], resources: ["*"], reason: "batch:DescribeJobs knows no resources" },
            managedRule({ partition, region, account }, "StepFunctionsGetEventsForBatchJobsRule"),
        ];
        if (this.hasTags()) {
            permissions.push({
                actions: ["batch:TagResource"],
                resources: [jobs],
                reason: "a job's id is made by Batch",
            });
        }
        return permissions;
    }
}
