/**
 * The contract between the rooms: what a stage is configured with, what an execution is given, what its Setup answers,
 * what lies where in S3. Types only: no Pulumi, no AWS SDK, no behaviour.
 */

/** Names of hyperparameters to their values, before they are encoded for a container. */
export type Hyperparameters = Readonly<Record<string, string | number | boolean>>;

/** One rung of a capacity ladder. */
export interface Capacity {
    /** A SageMaker training instance type, for example `ml.g6.xlarge`. */
    readonly instanceType: string;
    /** Managed Spot training: always with a checkpoint and a maximum wait. */
    readonly spot: boolean;
}

/**
 * How a container reads `hyperparameters.json`: script mode decodes every value as JSON, others take the string as it
 * is.
 */
export type HyperparameterEncoding = "json" | "plain";

export interface Container {
    /** Image URI with a digest, or with a tag that is the hash of its content. At most 255 characters. */
    readonly image: string;
    readonly encoding: HyperparameterEncoding;
    /** Hash of what the container runs: of sourcedir.tar.gz in script mode, of the image's build context otherwise. */
    readonly codeHash: string;
    /** Script mode: the file that the toolkit starts. */
    readonly program?: string;
    /** Script mode: s3:// address of sourcedir.tar.gz. */
    readonly submitDirectory?: string;
}

/**
 * Where a channel's data lies, relative to the execution: a path below raw data, the split set, or the merged table.
 */
export interface Channel {
    readonly name: string;
    readonly from: "raw_data" | "split_set" | "dataframe" | "code";
    /**
     * Path below `from`, empty for all of it; of code, which is the stage's and no execution's, the whole s3://
     * address.
     */
    readonly path: string;
}

/** What every trained model of a stage is configured with; the combiner has no more than this. */
export interface ModelSettings {
    readonly container: Container;
    readonly hyperparameters: Hyperparameters;
    /** Which hyperparameters an input may override and which affect the model (and so its content key). */
    readonly schema: Readonly<Record<string, HyperparameterRule>>;
    readonly capacity: readonly Capacity[];
    readonly instanceCount: number;
    readonly volumeGb: number;
    /** The longest that one training job may run, in seconds (StoppingCondition.MaxRuntimeInSeconds). */
    readonly maxRuntimeSeconds: number;
    /**
     * The total budget of this model in seconds: all attempts, waits and rungs included; at least maxRuntimeSeconds +
     * 900.
     */
    readonly budgetSeconds: number;
    readonly channels: readonly Channel[];
    /** Lowest allowed value per metric of the model's metrics.json; empty: no gate. */
    readonly minimumMetrics: Readonly<Record<string, number>>;
}

/** Type and bounds of a hyperparameter, and whether the model depends on it. */
export interface HyperparameterRule {
    readonly type: "integer" | "number" | "string" | "boolean";
    readonly minimum?: number;
    readonly maximum?: number;
    /** The bound itself is not allowed. */
    readonly exclusiveMinimum?: boolean;
    readonly exclusiveMaximum?: boolean;
    readonly values?: readonly string[];
    /** Another hyperparameter of the model, of which this one may not be more. */
    readonly atMost?: string;
    /** Another hyperparameter, which counts how often this one is halved: at least 1 must be left. */
    readonly halvedBy?: string;
    /** `both` for all members of the ensemble, or names of some with commas. */
    readonly members?: true;
    /** False for what does not change the trained model (log folders, workers). */
    readonly learning: boolean;
    /** For people; left out of what Setup is given, whose size is bounded. */
    readonly description?: string;
}

export interface MemberSettings extends ModelSettings {
    /** Without this member the ensemble fails. */
    readonly required: boolean;
    /** Trains on folds that a Batch job writes; otherwise the member makes its own. */
    readonly splitSet: boolean;
    /**
     * The Batch parameters that name this member's outputs, as the merger and the publisher know them (INPUT_PATH_SVM,
     * INPUT_PATH_TXT).
     */
    readonly mergeParameter: string;
    readonly publishParameter: string;
}

/**
 * Everything about a stage that Setup needs; plain JSON, part of the definition (the Arguments of Setup Statemachine).
 */
export interface StageSettings {
    readonly service: string;
    readonly stage: string;
    readonly region: string;
    /** s3:// prefix (no trailing slash) below which executions write unless the input says otherwise. */
    readonly artifactBase: string;
    /** s3:// prefixes that an execution may read from and write to; the roles allow exactly these. */
    readonly dataLocations: readonly string[];
    /** K of the image folds. */
    readonly folds: number;
    /** Share of stacks held out where the data does not say `split`, in (0, 1). */
    readonly testShare: number;
    readonly seed: number;
    /** How many members must be there; by default all required ones. */
    readonly quorum: number;
    readonly maximumRegression?: number;
    /** Least gain over the best member, of which the interval's lower bound is judged; by default minus the noise. */
    readonly minimumGain?: number;
    /** US dollars that one run may cost in the worst case; read by the plan and the policy pack. */
    readonly budget?: number;
    readonly members: Readonly<Record<string, MemberSettings>>;
    readonly combiner: ModelSettings & { readonly name: string };
    readonly kmsKeyArn?: string;
    /**
     * What a training costs here, for the message about a failure; given to nothing else, so no content key depends on
     * it.
     */
    readonly prices?: TrainingPrices;
}

/** On-demand prices of training instances in the stage's region. */
export interface TrainingPrices {
    /** Day of the figures, as `2026-11-23`. */
    readonly asOf: string;
    /** US dollars per instance-hour by instance type; a type whose price nobody knows is left out. */
    readonly perHour: Readonly<Record<string, number>>;
}

/** The input of an execution; workflow/input.ts validates it, docs/input.schema.json publishes it. */
interface ExecutionInput {
    readonly initialization: {
        readonly fetch_data: {
            readonly preprocessed_data_path: string;
            readonly image_model_split_path?: string;
            /** `<member>_model_artifact_path` for each member. */
            readonly [path: string]: string | undefined;
        };
        /**
         * `<member>_model`: { batch_size, instance_type, log_bucket, hyperparameters: {...} } for each member and the
         * combiner.
         */
        readonly [model: string]: unknown;
        readonly output_artifact_target_base_path?: string;
        readonly run_training_steps: {
            readonly fetch_preprocessing_artifacts: boolean;
            readonly generate_image_model_split: boolean;
            readonly [step: string]: boolean;
        };
        /** Members (or the combiner) that train even where their content key exists. */
        readonly force?: readonly string[];
    };
}

/** What Setup answers; the workflow's variable `run`. At most 262,144 bytes with 100 members. */
export interface Run {
    /** 8 hexadecimal digits of the execution's ARN: part of every job name. */
    readonly id: string;
    /** Hash of the data set: 64 hexadecimal digits. */
    readonly data: string;
    /** Run the fetch job (also when only existing models are brought in). */
    readonly fetch: boolean;
    readonly output_artifact_paths: Readonly<Record<string, string>>;
    /** Batch parameters by job; all values are non-empty strings. */
    readonly parameters: {
        readonly fetch: Readonly<Record<string, string>>;
        readonly split: Readonly<Record<string, string>>;
        readonly merge: Readonly<Record<string, string>>;
        readonly publish: Readonly<Record<string, string>>;
    };
    readonly members: Readonly<Record<string, ModelRun>>;
    readonly combiner: ModelRun;
}

export interface ModelRun {
    readonly action: "train" | "reuse" | "skip";
    readonly split: "new" | "existing" | "none";
    /**
     * Why: "trains: hyperparameter max_lr changed 0.1 -> 0.05", "reused: same key ab12cd34, trained 2026-11-20 by
     * execution x".
     */
    readonly reason: string;
    /** Content key, 64 hexadecimal digits. */
    readonly key: string;
    /** Encoded for the container; without job_name, which differs by attempt. */
    readonly hyperparameters: Readonly<Record<string, string>>;
    readonly rungs: readonly {
        readonly spot: boolean;
        readonly resource_config: Readonly<Record<string, string | number>>;
    }[];
    readonly input_data_config: readonly unknown[];
    /** Where its training jobs write, below `models/`: what is kept as long as something points at it. */
    readonly output_path: string;
    readonly checkpoint_path: string;
}

/** `trained.json` below a model's output path: the completion marker and pointer, written last. */
export interface TrainedModel {
    readonly format: 1;
    readonly model: string;
    readonly key: string;
    readonly jobName: string;
    readonly execution: string;
    readonly trainedAt: string;
    readonly billableSeconds?: number;
    readonly artifacts: {
        readonly model: StoredObject;
        readonly output: StoredObject;
    };
    /** What the key was made of, so that a later Setup can say what changed. */
    readonly identity: Readonly<Record<string, unknown>>;
    /** Why it was trained, as Setup planned it or as it came. */
    readonly reason?: string;
    /** Of a combiner: members that failed, so that it learned from the others alone; `identity` is without them. */
    readonly missing?: readonly string[];
}

export interface StoredObject {
    readonly uri: string;
    readonly bytes: number;
    /** Of this very object in this place: in a bucket with KMS keys it says nothing about the content. */
    readonly etag: string;
    /** Of the whole content, `<algorithm>:<base64>`; undefined where S3 has none. */
    readonly checksum?: string;
}

/** The error classes; workflow/failures.ts holds the policy of each. */
export type ErrorClass =
    | "Capacity"
    | "Quota"
    | "Throttling"
    | "ServiceFault"
    | "SpotInterrupted"
    | "TimeLimit"
    | "UserBug"
    | "Permission"
    | "Data"
    | "Input"
    | "QualityGate"
    | "Unknown";

/** What a member's inner Fail carries as Cause (JSON, at most 32,768 characters). */
export interface FailureRecord {
    readonly member: string;
    readonly step: string;
    readonly class: ErrorClass;
    readonly reason: string;
    readonly attempts: number;
    readonly jobs: readonly string[];
    readonly startedAt: string;
    /** One entry for each training job of this model. */
    readonly billed?: readonly BilledJob[];
}

/**
 * What a training job is billed for, `<instance type> <seconds>`, as `ml.g5.xlarge 28800`: the type of the rung that it
 * ran on, and BillableTimeInSeconds x instances, 0 of a job that never got its instances, nothing where nobody said. A
 * text, because 100 members' records have to fit into one payload. An empty one stands for trainings of which no record
 * is left.
 */
export type BilledJob = string;

/** What a member's branch gives to the join. */
export interface MemberOutcome {
    readonly member: string;
    readonly outcome: "trained" | "reused" | "skipped" | "failed";
    readonly jobName?: string;
    /** Of what was trained; a failure has it in its record. */
    readonly billed?: readonly BilledJob[];
    /** Of a failure: Error (an error class, or an error of the branch itself) and Cause (a FailureRecord as JSON). */
    readonly error?: string;
    readonly cause?: string;
}
