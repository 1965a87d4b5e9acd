/**
 * AWS as the workflow sees it, in virtual time: functions, Batch, SageMaker and SNS with faults on order, and a judge
 * of how an execution ended. Error and describe functions are the real ones; what AWS answers is shaped like AWS's
 * answers.
 */
import type { JsonObject, JsonValue } from "../asl/types";
import {
    execute,
    TaskError,
    VirtualClock,
    type CompiledMachine,
    type ExecutionResult,
    type Readings,
    type TaskRequest,
} from "../asl/interpreter";
import { MAXIMUM_EVENTS, MAXIMUM_PAYLOAD_BYTES } from "../ground/awsLimits";
import { defined } from "../ground/fields";
import type { ModelRun, ModelSettings, Run, StageSettings } from "../workflow/contract";
import { classify } from "../workflow/failures";
import { describeFailure } from "../workloads/functions/describe-failure";

/** The faults that a Task can meet, by what they look like, not by the class that they should get. */
export const FAULTS = {
    sagemaker: [
        "capacity",
        "quota",
        "throttled",
        "internal",
        "spotNeverStarted",
        "spotNeverStartedAsFailure",
        "stopped",
        "maxRuntime",
        "hangs",
        "algorithm",
        "client",
        "accessDenied",
        "noData",
        "cutCause",
        "noCause",
        "textCause",
        "longCause",
        "nameTaken",
    ],
    batch: [
        "throttled",
        "hostLost",
        "exit1",
        "data",
        "storage",
        "accessDenied",
        "hangs",
        "noCause",
        "cutCause",
        "longCause",
        "qualityGate",
    ],
    lambda: [
        "lambdaService",
        "lambdaThrottled",
        "thrown",
        "accessDenied",
        "hangs",
        "emptyAnswer",
        "wrongAnswer",
        "nullAnswer",
    ],
    sns: ["throttled", "accessDenied", "hangs", "noCause"],
    registry: ["throttled", "accessDenied", "conflict", "hangs", "noCause", "emptyAnswer"],
} as const;

type Wait = (seconds: number) => Promise<void>;

export type Kind = keyof typeof FAULTS;
export type FaultName = (typeof FAULTS)[Kind][number];

/** A fault on order: the state's entry number `from` (1 is the first) and the `count - 1` behind it meet it. */
export interface Fault {
    readonly state: string;
    readonly fault: FaultName;
    readonly from?: number;
    readonly count?: number;
}

export interface Scenario {
    readonly settings: StageSettings;
    readonly faults?: readonly Fault[];
    /** Changes of what Setup answers, by model. */
    readonly models?: Readonly<Record<string, Partial<ModelRun>>>;
    readonly fetch?: boolean;
    readonly redriveCount?: number;
    /** The execution began so long before its first state, as after a redrive. */
    readonly startedSecondsAgo?: number;
    readonly random?: () => number;
    readonly readings?: Partial<Readings>;
    readonly history?: boolean;
    /** Descriptions of the ensembles that are registered already. */
    readonly versions?: readonly string[];
    readonly signal?: AbortSignal;
    /** Called with every task before it works. */
    readonly onTask?: (request: TaskRequest) => void;
}

export interface Message {
    readonly subject: string;
    readonly message: string;
    /** Tells of a failure, not of a success. */
    readonly failure: boolean;
    readonly attributes: Readonly<Record<string, string>>;
}

/** What is left of an execution in AWS. */
export interface World {
    readonly jobNames: string[];
    readonly running: Set<string>;
    readonly stopped: string[];
    readonly messages: Message[];
    /** Models that can be had: trained now, or reused, or given. */
    readonly models: Set<string>;
    published: boolean;
    /** The longest JSON that went in or out of a task, in bytes. */
    largest: number;
    /** Tasks that were started, by state. */
    readonly starts: Map<string, number>;
    /** Arguments of the training jobs, in order. */
    readonly trainings: JsonObject[];
    readonly registered: JsonObject[];
    readonly merged: JsonObject[];
    /** What was registered in this execution, by client token. */
    readonly packages: Map<string, JsonObject>;
}

export interface Outcome {
    readonly result: ExecutionResult;
    readonly world: World;
    readonly seconds: number;
}

/** How long the simulated work takes, in seconds. */
const WORK_SECONDS = { training: 3_600, capacity: 300, batch: 300, function: 2, sns: 1 };

const LONG = 'x"\\\u00e4'.repeat(7_000);

export function kindOf(resource: string): Kind {
    return resource.includes("createTrainingJob")
        ? "sagemaker"
        : resource.includes("ModelPackage")
          ? "registry"
          : resource.includes("submitJob")
            ? "batch"
            : resource.includes("sns")
              ? "sns"
              : "lambda";
}

/** What Setup would answer for a run that trains everything. */
export function runOf(settings: StageSettings, scenario: Pick<Scenario, "models" | "fetch"> = {}): Run {
    const base = `${settings.artifactBase}/runs/simulated`;
    const published = `${settings.artifactBase}/published/simulated`;
    const model = (name: string, one: ModelSettings, split: ModelRun["split"]): ModelRun => ({
        action: "train",
        split,
        reason: "trains: first time",
        key: Buffer.from(name.padEnd(32, "-")).toString("hex").slice(0, 64),
        hyperparameters: Object.fromEntries(
            Object.entries(one.hyperparameters).map(([key, value]) => [key, JSON.stringify(value)]),
        ),
        rungs: one.capacity.map(({ instanceType, spot }) => ({
            spot,
            resource_config: {
                InstanceType: instanceType,
                InstanceCount: one.instanceCount,
                VolumeSizeInGB: one.volumeGb,
            },
        })),
        input_data_config: one.channels.map((channel) => ({
            ChannelName: channel.name,
            DataSource: { S3DataSource: { S3Uri: `${base}/raw_data/` } },
        })),
        output_path: `${settings.artifactBase}/models/${name}/key`,
        checkpoint_path: `${settings.artifactBase}/checkpoints/${name}/key`,
        ...scenario.models?.[name],
    });
    const members = Object.entries(settings.members);
    const paths = (field: "mergeParameter" | "publishParameter") =>
        Object.fromEntries(members.map(([name, member]) => [member[field], `${base}/${name}`]));
    return {
        id: "1a2b3c4d",
        data: "d".repeat(64),
        fetch: scenario.fetch ?? true,
        output_artifact_paths: {
            raw_data: `${base}/raw_data`,
            image_model_training_split_set: `${base}/split`,
            ready_to_use_artifacts: published,
            ...Object.fromEntries(
                [...members.map(([name]) => name), settings.combiner.name].map((name) => [
                    `${name}_model_prefix`,
                    `${base}/${name}`,
                ]),
            ),
        },
        parameters: {
            fetch: {
                INPUT_PATH: "s3://data/in",
                OUTPUT_PATH: `${base}/raw_data`,
                SEED: "1",
                TEST_SHARE: "0.2",
                K_FOLDS: "4",
                COPY: "yes",
                ...Object.fromEntries(members.map(([, member]) => [member.publishParameter, "-"])),
            },
            split: { K_FOLDS: "4", INPUT_PATH: `${base}/raw_data`, OUTPUT_PATH: `${base}/split`, SEED: "1" },
            merge: { INPUT_PATH: `${base}/raw_data`, OUTPUT_PATH: `${base}/dataframe`, ...paths("mergeParameter") },
            publish: {
                OUTPUT_PATH: published,
                TARGET: settings.artifactBase,
                GATE: "{}",
                EXECUTION: "simulated",
                INPUT_PATH_SEQ: `${base}/sequence`,
                ...paths("publishParameter"),
            },
        },
        members: Object.fromEntries(
            members.map(([name, member]) => [name, model(name, member, member.splitSet ? "new" : "none")]),
        ),
        combiner: model(settings.combiner.name, settings.combiner, "none"),
    };
}

export async function simulate(machine: CompiledMachine, scenario: Scenario): Promise<Outcome> {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1));
    const run = runOf(scenario.settings, scenario);
    const world: World = {
        jobNames: [],
        running: new Set(),
        stopped: [],
        messages: [],
        models: new Set(),
        published: false,
        largest: 0,
        starts: new Map(),
        trainings: [],
        registered: [],
        merged: [],
        packages: new Map(),
    };
    for (const [name, model] of [
        ...Object.entries(run.members),
        [scenario.settings.combiner.name, run.combiner] as const,
    ]) {
        if (model.action !== "train") {
            world.models.add(name);
        }
    }
    let failureText = "";
    const task = async (request: TaskRequest): Promise<JsonValue> => {
        const start = (world.starts.get(request.state) ?? 0) + 1;
        world.starts.set(request.state, start);
        scenario.onTask?.(request);
        measure(world, request.arguments);
        const fault = scenario.faults?.find(
            ({ state, from = 1, count = 1 }) => state === request.state && start >= from && start < from + count,
        )?.fault;
        const answer = await perform(request, fault);
        measure(world, answer);
        return answer;
    };

    async function perform(request: TaskRequest, fault: FaultName | undefined): Promise<JsonValue> {
        const wait = (seconds: number) => request.clock.sleep(seconds * 1000, request.signal);
        switch (kindOf(request.resource)) {
            case "sagemaker":
                return train(request, fault, wait);
            case "batch":
                return batch(request, fault, wait);
            case "sns":
                return publish(request, fault, wait);
            case "registry":
                return registry(request, fault, wait);
            default:
                return invoke(request, fault, wait);
        }
    }

    /** A job that is stopped when its state is. */
    async function job<T>(name: string, request: TaskRequest, work: () => Promise<T>): Promise<T> {
        if (world.jobNames.includes(name)) {
            throw new TaskError(
                "SageMaker.AmazonSageMakerException",
                `A job with the name ${name} already exists (ResourceInUse)`,
            );
        }
        world.jobNames.push(name);
        world.running.add(name);
        request.submitted({ Name: name });
        const stop = () => {
            world.stopped.push(name);
            world.running.delete(name);
        };
        request.signal.addEventListener("abort", stop);
        try {
            return await work();
        } finally {
            request.signal.removeEventListener("abort", stop);
            world.running.delete(name);
        }
    }

    async function train(request: TaskRequest, fault: FaultName | undefined, wait: Wait): Promise<JsonValue> {
        const given = request.arguments as JsonObject & {
            HyperParameters: JsonObject;
            StoppingCondition: Record<string, number>;
        };
        const name = String(given.TrainingJobName);
        world.trainings.push(given);
        checkTraining(given);
        switch (fault) {
            case "quota":
                throw new TaskError(
                    "SageMaker.ResourceLimitExceededException",
                    "The account-level service limit 'ml.g5.xlarge for training job usage' is 0 Instances, with " +
                        "current utilization of 0 Instances and a request delta of 1 Instances.",
                );
            case "throttled":
                throw new TaskError(
                    "SageMaker.AmazonSageMakerException",
                    "Rate exceeded (Service: AmazonSageMaker; Status Code: 400; Error Code: ThrottlingException)",
                );
            case "accessDenied":
                throw new TaskError(
                    "SageMaker.AmazonSageMakerException",
                    "User is not authorized to perform: sagemaker:CreateTrainingJob (Error Code: " +
                        "AccessDeniedException)",
                );
            case "nameTaken":
                throw new TaskError(
                    "SageMaker.AmazonSageMakerException",
                    "a training job with this name already exists (Error Code: ResourceInUse)",
                );
            default:
                break;
        }
        return job(name, request, async () => {
            const describe = (more: JsonObject): JsonObject => ({
                TrainingJobName: name,
                TrainingJobArn: `arn:aws:sagemaker:eu-central-1:123456789012:training-job/${name}`,
                ModelArtifacts: { S3ModelArtifacts: `s3://out/${name}/output/model.tar.gz` },
                HyperParameters: given.HyperParameters,
                AlgorithmSpecification: given.AlgorithmSpecification!,
                ...more,
            });
            const ran = { TrainingStartTime: clock.now(), BillableTimeInSeconds: 3_600 };
            const failed = (reason: string, time: JsonObject = ran) =>
                new TaskError(
                    "States.TaskFailed",
                    JSON.stringify(
                        describe({
                            TrainingJobStatus: "Failed",
                            SecondaryStatus: "Failed",
                            FailureReason: reason,
                            ...time,
                        }),
                    ),
                );
            const stopped = (secondary: string) =>
                describe({
                    TrainingJobStatus: "Stopped",
                    SecondaryStatus: secondary,
                    ...(secondary === "MaxWaitTimeExceeded" ? {} : ran),
                });
            const { MaxRuntimeInSeconds, MaxWaitTimeInSeconds } = given.StoppingCondition;
            await wait(
                fault === undefined ? Math.min(WORK_SECONDS.training, MaxRuntimeInSeconds!) : WORK_SECONDS.capacity,
            );
            switch (fault) {
                case undefined:
                    return WORK_SECONDS.training <= MaxRuntimeInSeconds!
                        ? describe({ TrainingJobStatus: "Completed", SecondaryStatus: "Completed", ...ran })
                        : stopped("MaxRuntimeExceeded");
                case "capacity":
                    throw failed(
                        "CapacityError: Unable to provision requested ML compute capacity. Please retry using a " +
                            "different ML instance type.",
                        {},
                    );
                case "internal":
                    throw failed("InternalServerError: We encountered an internal error.  Please try again.");
                case "spotNeverStarted": {
                    await wait(Math.max(0, (MaxWaitTimeInSeconds ?? WORK_SECONDS.capacity) - WORK_SECONDS.capacity));
                    return stopped("MaxWaitTimeExceeded");
                }
                case "spotNeverStartedAsFailure":
                    throw new TaskError("States.TaskFailed", JSON.stringify(stopped("MaxWaitTimeExceeded")));
                case "stopped":
                    return stopped("Stopped");
                case "maxRuntime": {
                    await wait(Math.max(0, MaxRuntimeInSeconds! - WORK_SECONDS.capacity));
                    return stopped("MaxRuntimeExceeded");
                }
                case "hangs": {
                    await request.clock.sleep(Infinity, request.signal);
                    return null;
                }
                case "algorithm":
                    throw failed(
                        'AlgorithmError: ExecuteUserScriptError: ExitCode 1 ErrorMessage "ValueError: shapes (3,4) ' +
                            'and (5,) not aligned"',
                    );
                case "client":
                    throw failed(
                        "ClientError: Please use an instance type with more memory, or reduce the size " +
                            "of training data",
                    );
                case "noData":
                    throw failed(
                        "ClientError: Data download failed: No S3 objects found under S3 URL given in " +
                            "input data source",
                    );
                case "cutCause":
                    throw new TaskError("States.TaskFailed", failed(`AlgorithmError: ${LONG}`).cause!.slice(0, 300));
                case "longCause":
                    throw new TaskError("States.TaskFailed", failed(`AlgorithmError: ${LONG}`).cause!.slice(0, 32_768));
                case "textCause":
                    throw new TaskError("States.TaskFailed", "something that nobody has seen before");
                default:
                    throw new TaskError("States.TaskFailed", fault === "noCause" ? undefined : fault);
            }
        });
    }

    async function batch(request: TaskRequest, fault: FaultName | undefined, wait: Wait): Promise<JsonValue> {
        const given = request.arguments as JsonObject & { Parameters: Record<string, string> };
        const name = String(given.JobName);
        for (const [key, value] of Object.entries(given.Parameters)) {
            if (typeof value !== "string" || value === "") {
                throw new TaskError("Batch.AWSBatchException", `invalid parameter ${key}: ${JSON.stringify(value)}`);
            }
        }
        switch (fault) {
            case "throttled":
                throw new TaskError(
                    "Batch.AWSBatchException",
                    "Too Many Requests (Service: AWSBatch; Status Code: 429; Error Code: TooManyRequestsException)",
                );
            case "accessDenied":
                throw new TaskError(
                    "Batch.AWSBatchException",
                    "User is not authorized to perform: batch:SubmitJob (AccessDeniedException)",
                );
            default:
                break;
        }
        return job(name, request, async () => {
            await wait(WORK_SECONDS.batch);
            const described = (reason: string, container: JsonObject): JsonObject => ({
                JobName: name,
                JobId: "5e0c2c4e-1",
                JobArn: "arn:aws:batch:eu-central-1:123456789012:job/5e0c2c4e-1",
                Status: "FAILED",
                StatusReason: reason,
                Attempts: [{ Container: { LogStreamName: "jobs/default/1", ...container }, StatusReason: reason }],
                Parameters: given.Parameters,
            });
            const exit = (text: string) => {
                failureText = text;
                return new TaskError(
                    "States.TaskFailed",
                    JSON.stringify(described("Essential container in task exited", { ExitCode: 1 })),
                );
            };
            switch (fault) {
                case undefined:
                    break;
                case "hostLost":
                    throw new TaskError(
                        "States.TaskFailed",
                        JSON.stringify(described("Task failed to start", { ExitCode: 137, Reason: "" })),
                    );
                case "exit1":
                    throw exit("TypeError: x is not a function");
                case "data":
                    throw exit('DataError: labels.csv, line 7, got class "", expected a name: fill it in');
                case "storage":
                    throw exit("StorageError: s3://bucket/key, connection reset");
                case "qualityGate":
                    throw exit("QualityGate: sequence.page_accuracy 0.71, expected at least 0.8");
                case "hangs": {
                    await request.clock.sleep(Infinity, request.signal);
                    return null;
                }
                case "longCause":
                    throw new TaskError(
                        "States.TaskFailed",
                        JSON.stringify(described(LONG, { ExitCode: 1 })).slice(0, 32_768),
                    );
                case "cutCause":
                    throw new TaskError(
                        "States.TaskFailed",
                        JSON.stringify(described("Essential container", { ExitCode: 1 })).slice(0, 120),
                    );
                default:
                    throw new TaskError("States.TaskFailed", undefined);
            }
            const definition = String(given.JobDefinition);
            if (definition.includes("-publish-")) {
                world.published = true;
            } else if (definition.includes("-merge-")) {
                world.merged.push(given);
            }
            return { JobName: name, JobId: "5e0c2c4e-1", Status: "SUCCEEDED" };
        });
    }

    async function publish(request: TaskRequest, fault: FaultName | undefined, wait: Wait): Promise<JsonValue> {
        const {
            Subject,
            Message,
            MessageAttributes = {},
        } = request.arguments as unknown as {
            Subject: string;
            Message: string;
            MessageAttributes?: Record<string, { StringValue: string }>;
        };
        if (fault === "hangs") {
            await request.clock.sleep(Infinity, request.signal);
        }
        await wait(WORK_SECONDS.sns);
        if (fault !== undefined) {
            throw new TaskError(
                fault === "accessDenied"
                    ? "SNS.AuthorizationErrorException"
                    : fault === "noCause"
                      ? undefined
                      : "SNS.ThrottledException",
                fault === "noCause" ? undefined : "refused",
            );
        }
        const attributes = Object.fromEntries(
            Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
        );
        const bytes = Buffer.byteLength(Message) + Buffer.byteLength(JSON.stringify(attributes));
        if (
            !/^[ -~]{1,100}$/.test(Subject) ||
            Message === "" ||
            bytes > MAXIMUM_PAYLOAD_BYTES ||
            Object.values(attributes).some((value) => typeof value !== "string" || value === "")
        ) {
            throw new TaskError(
                "SNS.InvalidParameterException",
                `Invalid parameter: ${JSON.stringify({ Subject, attributes, bytes })}`,
            );
        }
        world.messages.push({ subject: Subject, message: Message, failure: Subject.startsWith("[ERROR]"), attributes });
        return { MessageId: "1" };
    }

    async function registry(request: TaskRequest, fault: FaultName | undefined, wait: Wait): Promise<JsonValue> {
        const given = request.arguments as JsonObject;
        const group = String(given.ModelPackageGroupName);
        const arn = (version: number) =>
            `arn:aws:sagemaker:eu-central-1:123456789012:model-package/${group}/${version}`;
        await wait(WORK_SECONDS.sns);
        switch (fault) {
            case "throttled":
                throw new TaskError(
                    "SageMaker.SageMakerException",
                    "Rate exceeded (Service: SageMaker, Status Code: 400, Request ID: 1)",
                );
            case "accessDenied":
                throw new TaskError(
                    "SageMaker.SageMakerException",
                    "User is not authorized to perform: sagemaker:CreateModelPackage (AccessDeniedException)",
                );
            case "conflict":
                throw new TaskError("SageMaker.ConflictException", "another registration of the group is under way");
            case "noCause":
                throw new TaskError(undefined, undefined);
            case "emptyAnswer":
                return {};
            default:
                break;
        }
        if (request.resource.endsWith(":listModelPackages")) {
            if (fault === "hangs") {
                await request.clock.sleep(Infinity, request.signal);
            }
            const earlier = scenario.versions ?? [];
            return {
                ModelPackageSummaryList: earlier.map((description, index) => ({
                    ModelPackageArn: arn(index + 1),
                    ModelPackageDescription: description,
                    ModelPackageStatus: "Completed",
                    CreationTime: "2026-11-23T20:00:00Z",
                })),
            };
        }
        checkPackage(given);
        const token = String(given.ClientToken);
        world.packages.set(token, given);
        if (fault === "hangs") {
            // Registered, and nobody heard of it: the next attempt's token is the same.
            await request.clock.sleep(Infinity, request.signal);
        }
        return {
            ModelPackageArn: arn((scenario.versions ?? []).length + [...world.packages.keys()].indexOf(token) + 1),
        };
    }

    async function invoke(request: TaskRequest, fault: FaultName | undefined, wait: Wait): Promise<JsonValue> {
        const { FunctionName, Payload } = request.arguments as unknown as {
            FunctionName: string;
            Payload: Record<string, unknown>;
        };
        if (fault === "hangs") {
            await request.clock.sleep(Infinity, request.signal);
        }
        await wait(WORK_SECONDS.function);
        switch (fault) {
            case "lambdaService":
                throw new TaskError("Lambda.ServiceException", "Service error");
            case "lambdaThrottled":
                throw new TaskError("Lambda.TooManyRequestsException", "Rate exceeded");
            case "thrown":
                throw new TaskError(
                    "InputError",
                    JSON.stringify({
                        errorType: "InputError",
                        errorMessage: "initialization.fetch_data is missing",
                        trace: [],
                    }),
                );
            case "accessDenied":
                throw new TaskError(
                    "Lambda.AWSLambdaException",
                    "User is not authorized to perform: lambda:InvokeFunction",
                );
            case "emptyAnswer":
                return { StatusCode: 200, Payload: {} };
            case "wrongAnswer":
                return {
                    StatusCode: 200,
                    Payload: { class: 7, reason: { text: "x" }, subject: 1, message: [], errorType: null, cause: {} },
                };
            case "nullAnswer":
                return { StatusCode: 200, Payload: null };
            default:
                break;
        }
        const answer = (payload: unknown): JsonValue => ({
            StatusCode: 200,
            ExecutedVersion: "1",
            Payload: payload as JsonValue,
        });
        if (FunctionName.includes("-setup:")) {
            return answer(run);
        }
        if (FunctionName.includes("-error-cause:")) {
            const text = failureText;
            failureText = "";
            const { error, cause, spot } = Payload;
            const read = classify({
                error: String(error),
                cause: String(cause),
                spot: spot === true,
                failureText: text,
            });
            return answer(
                defined({
                    class: read.class,
                    reason: read.reason,
                    jobName: read.jobName,
                    billableSeconds: read.billableSeconds,
                }),
            );
        }
        if (FunctionName.includes("-register:")) {
            world.registered.push(Payload as JsonObject);
            world.models.add(String(Payload.model));
            return answer({
                model: Payload.model,
                outcome: "trained",
                jobName: (Payload.job as JsonObject).TrainingJobName,
            });
        }
        return answer(describeFailure(Payload, new Date(clock.now())));
    }

    const result = await execute(
        machine,
        defined({
            input: { initialization: {} },
            task,
            clock,
            name: "simulated",
            executionArn: "arn:aws:states:eu-central-1:123456789012:execution:smartcat-model-training-dev:simulated",
            stateMachineArn: "arn:aws:states:eu-central-1:123456789012:stateMachine:smartcat-model-training-dev",
            stateMachineName: "smartcat-model-training-dev",
            redriveCount: scenario.redriveCount ?? 0,
            history: scenario.history ?? false,
            startTime:
                scenario.startedSecondsAgo !== undefined ? clock.now() - scenario.startedSecondsAgo * 1000 : undefined,
            random: scenario.random,
            readings: scenario.readings,
            signal: scenario.signal,
        }),
    );
    return { result, world, seconds: (result.stopTime - result.startTime) / 1000 };
}

function measure(world: World, value: unknown): void {
    world.largest = Math.max(world.largest, Buffer.byteLength(JSON.stringify(value)));
}

function checkTraining(given: JsonObject): void {
    const refuse = (what: string): never => {
        throw new TaskError("SageMaker.AmazonSageMakerException", `ValidationException: ${what}`);
    };
    const name = String(given.TrainingJobName);
    if (!/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(name)) {
        refuse(`the name ${name}`);
    }
    const hyperparameters = given.HyperParameters as JsonObject;
    if (Object.values(hyperparameters).some((value) => typeof value !== "string")) {
        refuse("hyperparameters are no strings");
    }
    if (!Array.isArray(given.InputDataConfig) || given.InputDataConfig.length === 0) {
        refuse("InputDataConfig is no list");
    }
    const { MaxRuntimeInSeconds: runtime, MaxWaitTimeInSeconds: longest } = given.StoppingCondition as Record<
        string,
        number | undefined
    >;
    if (
        !Number.isInteger(runtime) ||
        runtime! < 1 ||
        (longest !== undefined && (!Number.isInteger(longest) || longest < runtime!))
    ) {
        refuse(`StoppingCondition ${JSON.stringify(given.StoppingCondition)}`);
    }
    if ((longest !== undefined) !== (given.EnableManagedSpotTraining === true)) {
        refuse("MaxWaitTimeInSeconds with Spot, and only then");
    }
}

/** SageMaker's bounds of CreateModelPackage, as its API's model has them. */
function checkPackage(given: JsonObject): void {
    const refuse = (what: string): never => {
        throw new TaskError("SageMaker.SageMakerException", `ValidationException: ${what}`);
    };
    const metadata = Object.entries(given.CustomerMetadataProperties as Record<string, unknown>);
    const wrong = metadata.find(
        ([key, value]) =>
            !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key) ||
            typeof value !== "string" ||
            !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u.test(value),
    );
    if (metadata.length > 50 || wrong !== undefined) {
        refuse(`metadata: ${metadata.length}, ${JSON.stringify(wrong)}`);
    }
    if (!/^[a-zA-Z0-9-]{1,36}$/.test(String(given.ClientToken))) {
        refuse(`the token ${String(given.ClientToken)}`);
    }
    if (typeof given.ModelPackageDescription !== "string" || given.ModelPackageDescription.length > 1_024) {
        refuse("the description");
    }
    const { S3Uri } = ((given.ModelMetrics as JsonObject).ModelQuality as JsonObject).Statistics as JsonObject;
    if (!/^(https|s3):\/\/([^/]+)\/?(.*)$/.test(String(S3Uri)) || typeof given.SourceUri !== "string") {
        refuse(`addresses ${String(S3Uri)}, ${String(given.SourceUri)}`);
    }
}

/** The rule on executions that ended badly leaves out what was told already. */
export function ruleFires({ status, error }: Pick<ExecutionResult, "status" | "error">): boolean {
    return (
        status === "TIMED_OUT" ||
        status === "ABORTED" ||
        (status === "FAILED" && !(error ?? "").startsWith("Notified."))
    );
}

/** Everything that is wrong with how an execution ended; empty when nothing is. */
export function judge(
    { result, world, seconds }: Outcome,
    settings: StageSettings,
    timeoutSeconds: number,
): readonly string[] {
    const problems: string[] = [];
    const told = world.messages.filter((message) => message.failure).length + (ruleFires(result) ? 1 : 0);
    if (result.status === "SUCCEEDED") {
        if (!world.published) {
            problems.push("succeeded without publishing");
        }
        const required = Object.entries(settings.members)
            .filter(([, member]) => member.required)
            .map(([name]) => name);
        for (const name of [...required, settings.combiner.name].filter((model) => !world.models.has(model))) {
            problems.push(`succeeded without ${name}`);
        }
        if (world.starts.has("Register Ensemble") && world.packages.size !== 1) {
            problems.push(`registered ${world.packages.size} times`);
        }
        if (told !== 0) {
            problems.push(`succeeded and told of ${told} failures`);
        }
    } else if (result.status === "FAILED") {
        if (told !== 1) {
            problems.push(`failed with ${result.error ?? "no error"} and ${told} messages`);
        }
    } else {
        problems.push(`ended ${result.status}`);
    }
    if (/^States\./.test(result.error ?? "")) {
        problems.push(`ended in ${result.error}: ${(result.cause ?? "").slice(0, 200)}`);
    }
    if (seconds > timeoutSeconds) {
        problems.push(`took ${seconds} s of ${timeoutSeconds}`);
    }
    if (result.eventCount >= MAXIMUM_EVENTS) {
        problems.push(`${result.eventCount} events`);
    }
    if (new Set(world.jobNames).size !== world.jobNames.length) {
        problems.push("a job name twice");
    }
    if (world.running.size > 0) {
        problems.push(`still running: ${[...world.running].join(", ")}`);
    }
    if (world.largest > MAXIMUM_PAYLOAD_BYTES) {
        problems.push(`a payload of ${world.largest} bytes`);
    }
    return problems;
}
