import { checkInteger, checkText } from "./bounds";
import type { Permission, Place } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** Sizes of a worker. Source: API reference of Glue, StartJobRun. */
export type GlueWorkerType =
    | "Standard"
    | "G.025X"
    | "G.1X"
    | "G.2X"
    | "G.4X"
    | "G.8X"
    | "G.12X"
    | "G.16X"
    | "R.1X"
    | "R.2X"
    | "R.4X"
    | "R.8X"
    | "Z.2X";

/** A run of a Glue job. Source of the bounds: API reference of Glue, StartJobRun. */
export interface GlueStartJobRunOptions extends TaskOptions {
    /** Where the job lives. */
    readonly place: Place;
    /** 1 to 255 characters. */
    readonly jobName: string;
    /** The job's own arguments by name, each beginning with `--`. Default: none. */
    readonly arguments?: Readonly<Record<string, string | Expression<string>>>;
    /** Given together with numberOfWorkers. Default: the job's. */
    readonly workerType?: GlueWorkerType;
    /** 1 to 299. Default: the job's. */
    readonly numberOfWorkers?: number | Expression<number>;
    /** Minutes until Glue ends the run, 1 to 10,080. Default: the job's. */
    readonly timeoutMinutes?: number | Expression<number>;
}

/** `glue:startJobRun.sync`: runs a job, waits for its end, and stops it when the execution is stopped. */
export class GlueStartJobRun extends Task {
    constructor(
        name: string,
        private readonly options: GlueStartJobRunOptions,
    ) {
        super(name, options);
        const { jobName, numberOfWorkers, timeoutMinutes, workerType } = options;
        checkText({ state: name, field: "jobName" }, jobName, { min: 1, max: 255 });
        checkInteger({ state: name, field: "numberOfWorkers" }, numberOfWorkers, { min: 1, max: 299 });
        const minutes = { min: 1, max: 10_080, unit: "minutes" };
        checkInteger({ state: name, field: "timeoutMinutes" }, timeoutMinutes, minutes);
        for (const argument of Object.keys(options.arguments ?? {})) {
            if (!argument.startsWith("--")) {
                throw new Error(
                    `state "${name}": arguments must have names that begin with --, received "${argument}"`,
                );
            }
        }
        if ((workerType === undefined) !== (numberOfWorkers === undefined)) {
            throw new Error(`state "${name}": workerType and numberOfWorkers must be given together, or neither`);
        }
    }

    protected override resource(): string {
        return `arn:${this.options.place.partition}:states:::glue:startJobRun.sync`;
    }

    protected override arguments(): Template {
        const { options } = this;
        return {
            JobName: options.jobName,
            Arguments: options.arguments,
            WorkerType: options.workerType,
            NumberOfWorkers: options.numberOfWorkers,
            Timeout: options.timeoutMinutes,
        };
    }

    protected override needs(): readonly Permission[] {
        const { partition, region, account } = this.options.place;
        return [
            {
                actions: ["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"],
                resources: [`arn:${partition}:glue:${region}:${account}:job/${this.options.jobName}`],
            },
        ];
    }
}
