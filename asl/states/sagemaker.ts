import { checkEntries, checkText } from "./bounds";
import { managedRule, placeOf, type Permission } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** A value that SageMaker reads out of a training's log, line by line. */
export interface MetricDefinition {
    /** 1 to 255 characters. */
    readonly Name: string;
    /** The first group is the value; 1 to 500 characters. */
    readonly Regex: string;
}

/** A training job. Source of the bounds: API reference of SageMaker, CreateTrainingJob. */
export interface CreateTrainingJobOptions extends TaskOptions {
    /**
     * Must differ by attempt, redrive and retry: SageMaker never takes a name twice. 1 to 63 letters, digits and
     * hyphens, no hyphen at either end.
     */
    readonly jobName: Expression<string>;
    /**
     * Every name that this state can make begins so; the role may touch no other job. 1 to 62 letters, digits and
     * hyphens.
     */
    readonly jobNamePrefix: string;
    /** For example `eu-central-1`: where the names that the role may touch are. */
    readonly region: string;
    /** Registry path of the image; at most 255 characters. */
    readonly image: string;
    /** The role that the training itself has; the machine passes it to SageMaker. */
    readonly roleArn: string;
    /**
     * Names to strings, in the encoding that the container reads; at most 100, names and values of at most 2,500
     * characters.
     */
    readonly hyperparameters: Template;
    /** What is read out of the log; at most 40. Default: nothing. */
    readonly metricDefinitions?: readonly MetricDefinition[];
    /** A list of 1 to 20 channels. */
    readonly inputDataConfig: Template;
    /** `{ S3OutputPath, KmsKeyId }`. */
    readonly outputDataConfig: Template;
    /** `{ InstanceType, InstanceCount, VolumeSizeInGB, VolumeKmsKeyId }`. */
    readonly resourceConfig: Template;
    /**
     * `{ MaxRuntimeInSeconds, MaxWaitTimeInSeconds }`, seconds; the latter with Spot only, and not below the former.
     */
    readonly stoppingCondition: Template;
    /** Whether it runs on Spot instances. */
    readonly managedSpot: boolean | Expression<boolean>;
    /** s3:// prefix; the same for all attempts, so that one goes on where another ended. */
    readonly checkpointS3Uri: string | Expression<string>;
    /** Slower, and of use only with several instances. */
    readonly encryptTrafficBetweenHosts: boolean;
    /** Whether the containers reach nothing but SageMaker and its S3. Default: false. */
    readonly networkIsolation?: boolean;
    /** 1 to 16 subnets, 1 to 5 security groups. Default: none, the containers are in SageMaker's own network. */
    readonly vpc?: { readonly subnetIds: readonly string[]; readonly securityGroupIds: readonly string[] };
    /** A list of Key and Value, at most 50. Default: none. */
    readonly tags?: Template;
}

const NAME = { pattern: /^[a-zA-Z0-9][a-zA-Z0-9-]*$/, words: "of letters, digits and hyphens" };

/** `sagemaker:createTrainingJob.sync`: trains, waits for the end, and stops the job when the execution is stopped. */
export class CreateTrainingJob extends Task {
    constructor(
        name: string,
        private readonly options: CreateTrainingJobOptions,
    ) {
        super(name, options);
        const { jobName, jobNamePrefix, image, metricDefinitions = [], vpc } = options;
        const place = (field: string) => ({ state: name, field });
        checkText(place("jobName"), jobName, { min: 1, max: 63, ...NAME });
        checkText(place("jobNamePrefix"), jobNamePrefix, { min: 1, max: 62, ...NAME });
        checkText(place("image"), image, { min: 1, max: 255 });
        checkEntries(place("metricDefinitions"), metricDefinitions, { min: 0, max: 40 });
        metricDefinitions.forEach(({ Name, Regex }, index) => {
            checkText(place(`metricDefinitions[${index}].Name`), Name, { min: 1, max: 255 });
            checkText(place(`metricDefinitions[${index}].Regex`), Regex, { min: 1, max: 500 });
        });
        checkEntries(place("vpc.subnetIds"), vpc?.subnetIds, { min: 1, max: 16 });
        checkEntries(place("vpc.securityGroupIds"), vpc?.securityGroupIds, { min: 1, max: 5 });
    }

    protected override resource(): string {
        return `arn:${placeOf(this.options.roleArn).partition}:states:::sagemaker:createTrainingJob.sync`;
    }

    protected override arguments(): Template {
        const { options } = this;
        const { vpc, metricDefinitions = [] } = options;
        return {
            TrainingJobName: options.jobName,
            AlgorithmSpecification: {
                TrainingImage: options.image,
                TrainingInputMode: "File",
                MetricDefinitions:
                    metricDefinitions.length === 0
                        ? undefined
                        : metricDefinitions.map(({ Name, Regex }) => ({ Name, Regex })),
            },
            HyperParameters: options.hyperparameters,
            InputDataConfig: options.inputDataConfig,
            OutputDataConfig: options.outputDataConfig,
            ResourceConfig: options.resourceConfig,
            RoleArn: options.roleArn,
            StoppingCondition: options.stoppingCondition,
            EnableManagedSpotTraining: options.managedSpot,
            CheckpointConfig: { S3Uri: options.checkpointS3Uri },
            EnableInterContainerTrafficEncryption: options.encryptTrafficBetweenHosts || undefined,
            EnableNetworkIsolation: options.networkIsolation === true ? true : undefined,
            VpcConfig:
                vpc === undefined ? undefined : { Subnets: vpc.subnetIds, SecurityGroupIds: vpc.securityGroupIds },
            Tags: options.tags,
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
            managedRule({ partition, region, account }, "StepFunctionsGetEventsForSageMakerTrainingJobsRule"),
        ];
    }
}
