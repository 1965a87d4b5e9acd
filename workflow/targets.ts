/** What a definition calls: everything by explicit name, so that it is known before anything is created. */
import type { JsonValue } from "../asl/types";
import type { MetricDefinition } from "../asl/states";

/** The Batch jobs, in the order in which they run. */
export const JOBS = ["fetch", "split", "merge", "publish"] as const;
export type Job = (typeof JOBS)[number];

export const FUNCTIONS = ["setup", "errorCause", "register", "describeFailure"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/**
 * How long a Batch job may take from its submission, in seconds: the state's time-out, waiting in the queue included.
 * The job definition's own time-out is {@link JOB_QUEUE_SECONDS} shorter, so that Batch's word about it comes first.
 */
export const JOB_SECONDS: Readonly<Record<Job, number>> = {
    fetch: 21_600,
    split: 7_200,
    merge: 7_200,
    publish: 10_800,
};
export const JOB_QUEUE_SECONDS = 1_800;

export interface Targets {
    /** ARNs of the functions' aliases. */
    readonly functions: Readonly<Record<FunctionName, string>>;
    /** ARNs of the job definitions, without revision; their names end in `-<hash of their content>`. */
    readonly jobDefinitions: Readonly<Record<Job, string>>;
    readonly jobQueueArn: string;
    readonly trainingRoleArn: string;
    /** Where one message per failed execution goes. */
    readonly topicArn: string;
    /** Key of the outputs and of the topic. */
    readonly kmsKeyArn?: string;
    readonly vpc?: { readonly subnetIds: readonly string[]; readonly securityGroupIds: readonly string[] };
    /** Trainings without network and without credentials; the code then comes by a channel. */
    readonly networkIsolation?: boolean;
    /** On every training and Batch job. */
    readonly tags?: Readonly<Record<string, string>>;
    /** What SageMaker reads out of the trainings' logs, by model; at most 40 of each. */
    readonly metricDefinitions?: Readonly<Record<string, readonly MetricDefinition[]>>;
    /** Name of the group of SageMaker's model registry that published ensembles become versions of. */
    readonly modelPackageGroup?: string;
    /** Publish a message for a success too. */
    readonly notifySuccess?: boolean;
    /** Recorded results by state name, each in place of the state. */
    readonly stubs?: Readonly<Record<string, JsonValue>>;
}
