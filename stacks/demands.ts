/**
 * What AWS's documentation demands of the roles and resource policies of a stage, whether or not our own code makes the
 * call: a permission that only the platform uses fails after days of training, and no test of our code can miss it. A
 * test holds every row against the rendered policies; docs/roles.md shows them.
 */
import type { StageNames } from "../components/names";
import type { StageConfig } from "./config";

/** A permission that is demanded. */
export interface Demand {
    /** Short name of the role (`ensemble-<stage>-<who>`), or the service that a resource's own policy must let in. */
    readonly who: string;
    readonly actions: readonly string[];
    /** ARNs on which each action must be allowed; `key` stands for the stage's key. */
    readonly on: (names: StageNames, config: StageConfig) => readonly string[];
    /** For a service: whose policy lets it in. */
    readonly policyOf?: "key" | "topics" | "queue";
    /** The request's condition keys under which it must be allowed. */
    readonly context?: (names: StageNames) => Readonly<Record<string, string>>;
    /** Whether a stage needs it at all; default: every stage. */
    readonly when?: (config: StageConfig) => boolean;
    readonly why: string;
    /** Where it is written. */
    readonly source: string;
}

/** Stands for the ARN of the stage's key, which AWS draws. */
export const STAGE_KEY = "key";

const SFN = "https://docs.aws.amazon.com/step-functions/latest/dg";
const SAGEMAKER = "https://docs.aws.amazon.com/sagemaker/latest";
const ANY = () => ["*"];
const KEY = () => [STAGE_KEY];
const trainingJob = (names: StageNames) => [names.arn("sagemaker", `training-job/${names.prefix}-text-0a1b2c3d`)];
const inVpc = (config: StageConfig) => config.isolation.vpc !== undefined;
const onEc2 = ({ compute }: StageConfig) => compute.type === "EC2" || compute.type === "SPOT";

const TRAININGS: readonly Demand[] = [
    {
        who: "training",
        actions: ["kms:Encrypt"],
        on: KEY,
        why: "OutputDataConfig names the key by its alias; without it a training ends and cannot write its model.",
        source: `${SAGEMAKER}/APIReference/API_OutputDataConfig.html`,
    },
    {
        who: "training",
        actions: ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
        on: KEY,
        why: "Channels, checkpoints and models lie in a bucket that is encrypted with the key.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
    {
        who: "training",
        actions: ["kms:CreateGrant"],
        on: KEY,
        context: () => ({ "kms:GrantIsForAWSResource": "true" }),
        why: "ResourceConfig.VolumeKmsKeyId: the volumes of a training's instances are encrypted by a grant.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
    {
        who: "training",
        actions: ["logs:CreateLogGroup", "logs:DescribeLogStreams"],
        on: (names) => [names.arn("logs", "log-group:/aws/sagemaker/TrainingJobs")],
        why: "SageMaker makes the log group of trainings, where it is missing, with the training's role.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
    {
        who: "training",
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        on: (names) => [`${names.arn("logs", "log-group:/aws/sagemaker/TrainingJobs")}:log-stream:x`],
        why: "SageMaker writes the training's log with its role.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
    {
        who: "training",
        actions: ["cloudwatch:PutMetricData"],
        on: ANY,
        context: () => ({ "cloudwatch:namespace": "/aws/sagemaker/TrainingJobs" }),
        why: "SageMaker publishes the training's metrics with its role.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
    {
        who: "training",
        actions: ["ecr:GetAuthorizationToken"],
        on: ANY,
        why: "The training's image is pulled with its role.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
    {
        who: "training",
        actions: ["s3:ListBucket"],
        on: (names) => [names.bucketArn],
        why: "Channels of type S3Prefix are listed with the training's role.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
    {
        who: "training",
        actions: ["s3:GetObject"],
        on: (names) => [`${names.bucketArn}/runs/e/labels.csv`],
        why: "Channels are read with the training's role.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
    {
        who: "training",
        actions: ["s3:PutObject", "s3:AbortMultipartUpload"],
        on: (names) => [`${names.bucketArn}/models/e/model.tar.gz`, `${names.bucketArn}/checkpoints/e/1.keras`],
        why: "Models and checkpoints are uploaded with the training's role, large ones in parts.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
    {
        who: "training",
        actions: [
            "ec2:CreateNetworkInterface",
            "ec2:CreateNetworkInterfacePermission",
            "ec2:DeleteNetworkInterface",
            "ec2:DeleteNetworkInterfacePermission",
        ],
        on: (names) => [names.arn("ec2", "network-interface/eni-0a")],
        when: inVpc,
        why: "A training in a VPC gets interfaces there.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
    {
        who: "training",
        actions: [
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ],
        on: ANY,
        when: inVpc,
        why: "SageMaker looks at the VPC before it makes the interfaces.",
        source: `${SAGEMAKER}/dg/sagemaker-roles.html`,
    },
];

const MACHINE: readonly Demand[] = [
    {
        who: "state-machine",
        actions: ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"],
        on: trainingJob,
        why: "createTrainingJob.sync starts, watches and, when the execution is stopped, stops a training.",
        source: `${SFN}/connect-sagemaker.html`,
    },
    {
        who: "state-machine",
        actions: ["sagemaker:AddTags"],
        on: trainingJob,
        why: "Step Functions and the definition tag every training.",
        source: `${SFN}/connect-sagemaker.html`,
    },
    {
        who: "state-machine",
        actions: ["iam:PassRole"],
        on: (names) => [names.roleArn("training")],
        context: () => ({ "iam:PassedToService": "sagemaker.amazonaws.com" }),
        why: "CreateTrainingJob hands the trainings' role over.",
        source: `${SFN}/connect-sagemaker.html`,
    },
    {
        who: "state-machine",
        actions: ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
        on: (names) =>
            ["StepFunctionsGetEventsForSageMakerTrainingJobsRule", "StepFunctionsGetEventsForBatchJobsRule"].map(
                (rule) => names.arn("events", `rule/${rule}`),
            ),
        why: "The .sync integrations hear of the end of a training or job by a managed rule.",
        source: `${SFN}/service-integration-iam-templates.html`,
    },
    {
        who: "state-machine",
        actions: ["batch:DescribeJobs"],
        on: ANY,
        why: "submitJob.sync watches its job.",
        source: `${SFN}/connect-batch.html`,
    },
    {
        who: "state-machine",
        actions: ["batch:TerminateJob"],
        on: (names) => [names.arn("batch", "job/0a1b2c3d")],
        why: "submitJob.sync ends its job when the execution is stopped.",
        source: `${SFN}/connect-batch.html`,
    },
    {
        who: "state-machine",
        actions: [
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
        ],
        on: ANY,
        why: "The state machine's log is delivered by CloudWatch Logs, which asks the machine's role.",
        source: `${SFN}/cw-logs.html`,
    },
    {
        who: "state-machine",
        actions: [
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
        ],
        on: ANY,
        why: "The state machine is traced.",
        source: `${SFN}/concepts-xray-tracing.html`,
    },
    {
        who: "state-machine",
        actions: ["sns:Publish"],
        on: (names) => [names.topicArn("alerts")],
        why: "The definition tells of failures.",
        source: `${SFN}/connect-sns.html`,
    },
    {
        who: "state-machine",
        actions: ["kms:Decrypt", "kms:GenerateDataKey"],
        on: KEY,
        why: "Who publishes to an encrypted topic needs both on the topic's key.",
        source: "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    },
    {
        who: "state-machine",
        actions: ["kms:CreateGrant"],
        on: KEY,
        context: () => ({ "kms:GrantIsForAWSResource": "true" }),
        why: "CreateTrainingJob with VolumeKmsKeyId asks its caller, too, for a grant.",
        source: `${SAGEMAKER}/dg/api-permissions-reference.html`,
    },
    {
        who: "state-machine",
        actions: ["sagemaker:CreateModelPackage", "sagemaker:ListModelPackages"],
        on: (names) => [names.arn("sagemaker", `model-package/${names.modelPackageGroup}/1`)],
        when: ({ modelRegistry }) => modelRegistry,
        why: "The ensemble is registered as a version of its group, once.",
        source: "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html",
    },
];

const OTHERS: readonly Demand[] = [
    {
        who: "failure-rule",
        actions: ["sns:Publish"],
        on: (names) => [names.topicArn("alerts")],
        why: "A rule whose target is an encrypted topic publishes with a role.",
        source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
    },
    {
        who: "failure-rule",
        actions: ["kms:Decrypt", "kms:GenerateDataKey"],
        on: KEY,
        why: "Who publishes to an encrypted topic needs both on the topic's key.",
        source: "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    },
    {
        who: "job-execution",
        actions: ["ecr:GetAuthorizationToken"],
        on: ANY,
        why: "The task's image is pulled with the execution role.",
        source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html",
    },
    {
        who: "job-execution",
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        on: (names) => [`${names.logGroupArn(names.jobLogGroup)}:log-stream:x`],
        why: "The awslogs driver writes with the execution role.",
        source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html",
    },
    {
        who: "job-instance",
        actions: [
            "ecs:RegisterContainerInstance",
            "ecs:DeregisterContainerInstance",
            "ecs:SubmitContainerStateChange",
            "ecs:SubmitTaskStateChange",
        ],
        on: (names) => [names.arn("ecs", "cluster/x")],
        when: onEc2,
        why: "The ECS agent of an EC2 host joins Batch's cluster and reports its tasks.",
        source: "https://docs.aws.amazon.com/batch/latest/userguide/instance_IAM_role.html",
    },
    {
        who: "job-instance",
        actions: ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"],
        on: (names) => [names.arn("ecs", "container-instance/x/y")],
        when: onEc2,
        why: "The ECS agent of an EC2 host is told of its tasks.",
        source: "https://docs.aws.amazon.com/batch/latest/userguide/instance_IAM_role.html",
    },
    {
        who: "job-instance",
        actions: ["ecs:DiscoverPollEndpoint", "ecr:GetAuthorizationToken", "ec2:DescribeTags"],
        on: ANY,
        when: onEc2,
        why: "The ECS agent of an EC2 host finds its endpoint.",
        source: "https://docs.aws.amazon.com/batch/latest/userguide/instance_IAM_role.html",
    },
    {
        who: "schedule",
        actions: ["states:StartExecution"],
        on: (names) => [names.stateMachineArn],
        when: ({ schedule }) => schedule !== undefined,
        why: "A schedule starts executions with a role.",
        source: "https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html",
    },
    {
        who: "schedule",
        actions: ["sqs:SendMessage"],
        on: (names) => [names.undeliveredQueueArn],
        when: ({ schedule }) => schedule !== undefined,
        why: "A schedule sends what it could not start to the dead-letter queue with its role.",
        source: "https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html",
    },
];

/** What resources' own policies must let AWS's services do. */
const SERVICES: readonly Demand[] = [
    {
        who: "logs",
        policyOf: "key",
        actions: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey", "kms:DescribeKey"],
        on: KEY,
        context: (names) => ({ "kms:EncryptionContext:aws:logs:arn": names.logGroupArn(names.jobLogGroup) }),
        when: ({ keyArn }) => keyArn === undefined,
        why: "CloudWatch Logs encrypts the log groups with the key.",
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    },
    {
        who: "cloudwatch",
        policyOf: "key",
        actions: ["kms:Decrypt", "kms:GenerateDataKey"],
        on: KEY,
        context: (names) => ({ "aws:SourceAccount": names.identity.account }),
        when: ({ keyArn }) => keyArn === undefined,
        why: "Alarms publish to an encrypted topic without a role.",
        source: "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    },
    {
        who: "cloudwatch",
        policyOf: "topics",
        actions: ["sns:Publish"],
        on: (names) => [names.topicArn("operations")],
        context: (names) => ({
            "aws:SourceAccount": names.identity.account,
            "aws:SourceArn": names.arn("cloudwatch", `alarm:${names.prefix}-x`),
            "aws:SecureTransport": "true",
        }),
        why: "Alarms publish without a role.",
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html",
    },
    {
        who: "events",
        policyOf: "queue",
        actions: ["sqs:SendMessage"],
        on: (names) => [names.undeliveredQueueArn],
        context: (names) => ({ "aws:SourceArn": names.failureRuleArn, "aws:SecureTransport": "true" }),
        why: "EventBridge puts what it could not deliver into the dead-letter queue without a role.",
        source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html",
    },
];

/** Who reads, and most write, objects that a bucket of somebody else's encrypts with a key of its own. */
const DATA_KEYS: readonly Demand[] = [
    "training",
    "function-setup",
    "function-register",
    "job-fetch",
    "job-split",
    "job-merge",
    "job-publish",
].map((who) => ({
    who,
    actions: ["kms:Decrypt", "kms:GenerateDataKey"],
    on: (_names, config) => config.dataKeys,
    when: (config) => config.dataKeys.length > 0,
    why: "Objects of dataLocations lie in buckets with keys of their own.",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
}));

/** Every permission that is demanded of a stage. */
export const DEMANDS: readonly Demand[] = [...TRAININGS, ...MACHINE, ...OTHERS, ...SERVICES, ...DATA_KEYS];
