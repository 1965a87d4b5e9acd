import { placeOf, type Permission } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** A value that SageMaker reads out of a training's log, line by line. */
export interface MetricDefinition {
    /** At most 255 characters. */
    readonly Name: string;
    /** The first group is the value; at most 500 characters. */
    readonly Regex: string;
}

export interface CreateTrainingJobOptions extends TaskOptions {
    /** Must differ by attempt, redrive and retry: SageMaker never takes a name twice. At most 63 characters. */
    readonly jobName: Expression<string>;
    /** Every name that this state can make begins so; the role may touch no other job. */
    readonly jobNamePrefix: string;
    readonly region: string;
    readonly image: string;
    readonly roleArn: string;
    /** Names to strings, in the encoding that the container reads. */
    readonly hyperparameters: Template;
    /** What is read out of the log; at most 40. */
    readonly metricDefinitions?: readonly MetricDefinition[];
    readonly inputDataConfig: Template;
    readonly outputDataConfig: Template;
    readonly resourceConfig: Template;
    readonly stoppingCondition: Template;
    readonly managedSpot: boolean | Expression<boolean>;
    readonly checkpointS3Uri: string | Expression<string>;
    readonly encryptTrafficBetweenHosts: boolean;
    readonly networkIsolation?: boolean;
    readonly vpc?: { readonly subnetIds: readonly string[]; readonly securityGroupIds: readonly string[] };
    /** A list of Key and Value. */
    readonly tags?: Template;
}

/** `sagemaker:createTrainingJob.sync`: trains, waits for the end, and stops the job when the execution is stopped. */
export class CreateTrainingJob extends Task {
    constructor(
        name: string,
        private readonly options: CreateTrainingJobOptions,
    ) {
        super(name, options);
    }

    protected override resource(): string {
        return `arn:${placeOf(this.options.roleArn).partition}:states:::sagemaker:createTrainingJob.sync`;
    }

    protected override arguments(): Template {
        const { options } = this;
        return {
            TrainingJobName: options.jobName,
            AlgorithmSpecification: {
                TrainingImage: options.image,
                TrainingInputMode: "File",
                ...(options.metricDefinitions !== undefined &&
                    options.metricDefinitions.length > 0 && {
                        MetricDefinitions: options.metricDefinitions.map(({ Name, Regex }) => ({ Name, Regex })),
                    }),
            },
            HyperParameters: options.hyperparameters,
            InputDataConfig: options.inputDataConfig,
            OutputDataConfig: options.outputDataConfig,
            ResourceConfig: options.resourceConfig,
            RoleArn: options.roleArn,
            StoppingCondition: options.stoppingCondition,
            EnableManagedSpotTraining: options.managedSpot,
            CheckpointConfig: { S3Uri: options.checkpointS3Uri },
            ...(options.encryptTrafficBetweenHosts && { EnableInterContainerTrafficEncryption: true }),
            ...(options.networkIsolation === true && { EnableNetworkIsolation: true }),
            ...(options.vpc !== undefined && {
                VpcConfig: { Subnets: options.vpc.subnetIds, SecurityGroupIds: options.vpc.securityGroupIds },
            }),
            ...(options.tags !== undefined && { Tags: options.tags }),
        };
    }

    protected override needs(): readonly Permission[] {
        const { roleArn, region, jobNamePrefix } = this.options;
        const { partition, account } = placeOf(roleArn);
        return [
            {
                // AddTags even without tags of one's own: Step Functions marks the jobs that it starts.
                actions: [
                    "sagemaker:AddTags",
                    "sagemaker:CreateTrainingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:ListTags",
                    "sagemaker:StopTrainingJob",
                ],
                resources: [`arn:${partition}:sagemaker:${region}:${account}:training-job/${jobNamePrefix}*`],
                reason: "every attempt has a name of its own behind this prefix",
            },
            {
                actions: ["iam:PassRole"],
                resources: [roleArn],
                conditions: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
            },
            {
                actions: ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
                resources: [
                    `arn:${partition}:events:${region}:${account}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule`,
                ],
            },
        ];
    }
}
