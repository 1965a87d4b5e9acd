import { placeOf, type Permission } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

export interface BatchSubmitJobOptions extends TaskOptions {
    /** At most 128 characters; must differ by attempt so that logs can be told apart. */
    readonly jobName: string | Expression<string>;
    /** ARN of a job definition without revision, whose name ends in the hash of its content. */
    readonly jobDefinitionArn: string;
    readonly jobQueueArn: string;
    /** Take the places of `Ref::NAME` in the job definition's command; no empty values. */
    readonly parameters: { readonly [name: string]: Template };
    readonly tags?: Readonly<Record<string, string>>;
}

/** `batch:submitJob.sync`: submits a job, waits for its end, and terminates it when the execution is stopped. */
export class BatchSubmitJob extends Task {
    constructor(
        name: string,
        private readonly options: BatchSubmitJobOptions,
    ) {
        super(name, options);
    }

    protected override resource(): string {
        return `arn:${placeOf(this.options.jobQueueArn).partition}:states:::batch:submitJob.sync`;
    }

    protected override arguments(): Template {
        const { jobName, jobDefinitionArn, jobQueueArn, parameters, tags } = this.options;
        return {
            JobName: jobName,
            JobDefinition: jobDefinitionArn,
            JobQueue: jobQueueArn,
            Parameters: parameters,
            ...(tags !== undefined && Object.keys(tags).length > 0 && { Tags: tags }),
        };
    }

    protected override needs(): readonly Permission[] {
        const { jobDefinitionArn, jobQueueArn, tags } = this.options;
        const { partition, region, account } = placeOf(jobQueueArn);
        const jobs = `arn:${partition}:batch:${region}:${account}:job/*`;
        const anyContent = jobDefinitionArn.replace(/(:\d+)?$/, "").replace(/-[0-9a-f]{8,64}$/, "");
        return [
            {
                actions: ["batch:SubmitJob"],
                resources: [jobQueueArn, `${anyContent}-*`, jobs],
                reason: "a job's id is made by Batch; an execution started before an update submits the definition that its own hash names",
            },
            { actions: ["batch:TerminateJob"], resources: [jobs], reason: "a job's id is made by Batch" },
            ...(tags !== undefined && Object.keys(tags).length > 0
                ? [{ actions: ["batch:TagResource"], resources: [jobs], reason: "a job's id is made by Batch" }]
                : []),
            { actions: ["batch:DescribeJobs"], resources: ["*"], reason: "batch:DescribeJobs knows no resources" },
            {
                actions: ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
                resources: [`arn:${partition}:events:${region}:${account}:rule/StepFunctionsGetEventsForBatchJobsRule`],
            },
        ];
    }
}
