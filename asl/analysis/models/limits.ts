/**
 * What services demand of a call beyond their models: bounds and relations between fields that only their references
 * tell. One row a demand, each with the page that says it.
 */
import type { Shape } from "./index";

/** Bounds of a member, as a model would state them. */
interface Limit extends Pick<Shape, "min" | "max" | "pattern"> {
    readonly source: string;
}

/** A relation between the members of a structure. */
export interface Relation {
    readonly field: string;
    /** Members without which the field is refused. */
    readonly needs?: readonly string[];
    /** Members that cannot stand beside the field. */
    readonly excludes?: readonly string[];
    /** What is used instead of the field, which is deprecated. */
    readonly instead?: string;
    readonly source: string;
}

const reference = (service: string, page: string): string =>
    `https://docs.aws.amazon.com/${service}/latest/APIReference/API_${page}.html`;

/** By service, structure and member. */
const LIMITS: { readonly [member: string]: Limit } = {
    "batch SubmitJobRequest.JobName": {
        pattern: "[a-zA-Z0-9][a-zA-Z0-9_-]{0,127}",
        source: reference("batch", "SubmitJob"),
    },
    "batch SubmitJobRequest.DependsOn": { max: 20, source: reference("batch", "SubmitJob") },
    "batch SubmitJobRequest.SchedulingPriorityOverride": {
        min: 0,
        max: 9999,
        source: reference("batch", "SubmitJob"),
    },
    "batch ArrayProperties.Size": { min: 2, max: 10_000, source: reference("batch", "ArrayProperties") },
    "batch JobTimeout.AttemptDurationSeconds": { min: 60, source: reference("batch", "JobTimeout") },
    "batch RetryStrategy.Attempts": { min: 1, max: 10, source: reference("batch", "RetryStrategy") },
    "batch RetryStrategy.EvaluateOnExit": { max: 5, source: reference("batch", "RetryStrategy") },
    "batch EvaluateOnExit.OnStatusReason": { max: 512, source: reference("batch", "EvaluateOnExit") },
    "batch EvaluateOnExit.OnReason": { max: 512, source: reference("batch", "EvaluateOnExit") },
    "batch EvaluateOnExit.OnExitCode": { max: 512, source: reference("batch", "EvaluateOnExit") },
    "ecs RunTaskRequest.Count": { min: 1, max: 10, source: reference("AmazonECS", "RunTask") },
    "sqs SendMessageRequest.DelaySeconds": {
        min: 0,
        max: 900,
        source: reference("AWSSimpleQueueService", "SendMessage"),
    },
    "sqs SendMessageRequest.MessageGroupId": {
        max: 128,
        source: reference("AWSSimpleQueueService", "SendMessage"),
    },
    "sns PublishInput.Subject": { max: 100, source: reference("sns", "Publish") },
};

/** By service and structure. */
const RELATIONS: { readonly [structure: string]: readonly Relation[] } = {
    "batch RetryStrategy": [
        { field: "EvaluateOnExit", needs: ["Attempts"], source: reference("batch", "RetryStrategy") },
    ],
    "batch ContainerOverrides": [
        { field: "Vcpus", instead: "ResourceRequirements", source: reference("batch", "ContainerOverrides") },
        { field: "Memory", instead: "ResourceRequirements", source: reference("batch", "ContainerOverrides") },
    ],
    "ecs RunTaskRequest": [
        {
            field: "LaunchType",
            excludes: ["CapacityProviderStrategy"],
            source: reference("AmazonECS", "RunTask"),
        },
    ],
    "glue StartJobRunRequest": [
        {
            field: "MaxCapacity",
            excludes: ["WorkerType", "NumberOfWorkers"],
            source: "https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html",
        },
    ],
    "sagemaker AlgorithmSpecification": [
        {
            field: "AlgorithmName",
            excludes: ["TrainingImage"],
            source: reference("sagemaker", "AlgorithmSpecification"),
        },
    ],
    "sns PublishInput": [
        { field: "TopicArn", excludes: ["TargetArn", "PhoneNumber"], source: reference("sns", "Publish") },
    ],
};

const NONE: readonly Relation[] = [];

/** The member's shape, with what its reference adds. */
export function limited(service: string, structure: string, member: string, shape: Shape): Shape {
    const key = `${service} ${structure}.${member}`;
    return Object.hasOwn(LIMITS, key) ? { ...shape, ...LIMITS[key] } : shape;
}

export function relationsOf(service: string, structure: string): readonly Relation[] {
    const key = `${service} ${structure}`;
    return Object.hasOwn(RELATIONS, key) ? (RELATIONS[key] ?? NONE) : NONE;
}
