import { existsSync } from "node:fs";
import { link, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { defined } from "../../ground/fields";
import { parseS3Address } from "../../ground/s3Address";
import { AwsError } from "../awsError";
import type { Child, ChildExit, Supervisor } from "../process/supervisor";
import {
    concurrently,
    downloadObject,
    listFiles,
    listObjects,
    uploadFile,
    type ListedObject,
} from "../storage/transfer";
import { makeArchive, mergeHosts } from "./archive";
import {
    containerLayout,
    isScriptMode,
    resourceConfig,
    scriptMode,
    type HostConfiguration,
    type Program,
} from "./container";

/** The part of a CreateTrainingJob request that a container can notice. */
export interface TrainingJobRequest {
    readonly TrainingJobName: string;
    readonly AlgorithmSpecification: {
        readonly TrainingImage?: string;
        readonly TrainingInputMode: string;
        readonly [field: string]: unknown;
    };
    readonly HyperParameters?: Readonly<Record<string, string>>;
    readonly InputDataConfig?: readonly {
        readonly ChannelName: string;
        readonly ContentType?: string;
        readonly DataSource: {
            readonly S3DataSource: {
                readonly S3Uri: string;
                readonly S3DataType: string;
                readonly S3DataDistributionType?: string;
            };
        };
    }[];
    readonly OutputDataConfig: { readonly S3OutputPath: string };
    readonly ResourceConfig: {
        readonly InstanceType: string;
        readonly InstanceCount: number;
        readonly [field: string]: unknown;
    };
    readonly StoppingCondition: { readonly MaxRuntimeInSeconds?: number; readonly MaxWaitTimeInSeconds?: number };
    readonly CheckpointConfig?: { readonly S3Uri: string; readonly LocalPath?: string };
    readonly EnableManagedSpotTraining?: boolean;
    readonly Environment?: Readonly<Record<string, string>>;
    readonly RoleArn?: string;
    readonly Tags?: unknown;
}

export interface LauncherOptions {
    readonly s3: S3Client;
    readonly supervisor: Supervisor;
    /** Jobs get a directory each below this one. */
    readonly workspace: string;
    readonly log: string;
    readonly python: string;
    /** arn:aws:sagemaker:<region>:<account> */
    readonly arnPrefix: string;
    /** How a container that is not in script mode is started, by its image. */
    readonly program: (image: string) => { readonly command: readonly string[]; readonly cwd: string };
    /** Names used before: SageMaker refuses them for ever. */
    readonly usedNames: Set<string>;
    readonly signal?: AbortSignal;
    /** Admits one process at a time per processor, over all jobs. */
    readonly slot?: <T>(work: () => Promise<T>) => Promise<T>;
    readonly onStart?: (host: string, child: Child) => void;
    /** Told once that the job was accepted, with what CreateTrainingJob answers and its name. */
    readonly onSubmitted?: (job: { readonly TrainingJobArn: string; readonly TrainingJobName: string }) => void;
    /** After checkpoints reached S3. */
    readonly onCheckpoint?: () => void;
    readonly checkpointIntervalMs?: number;
    /** From SIGTERM to SIGKILL at the time limit; SageMaker gives 120 s. */
    readonly graceMs?: number;
}

type Describe = Record<string, unknown>;

const NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;
/** Limits of CreateTrainingJob (service model of SageMaker in botocore 1.44). */
const MAX_HYPERPARAMETERS = 100;
const MAX_HYPERPARAMETER_VALUE = 2500;
const MAX_FAILURE_REASON = 1024;

/**
 * Runs a training job as processes of this machine, under SageMaker's container contract, one process a host.
 * Answers what DescribeTrainingJob would; a failed job is an AwsError with that as its cause, as `.sync` has it.
 */
export async function launchTrainingJob(request: TrainingJobRequest, options: LauncherOptions): Promise<Describe> {
    validate(request, options.usedNames);
    options.usedNames.add(request.TrainingJobName);
    options.onSubmitted?.({ TrainingJobArn: jobArn(request, options), TrainingJobName: request.TrainingJobName });
    const created = Date.now();
    const job = path.join(options.workspace, request.TrainingJobName);
    const outcome = await runJob(request, options, job).catch((error: unknown) => {
        if (options.signal?.aborted) {
            throw error;
        }
        return failed(`ClientError: ${(error as Error).message}`);
    });
    const describe = describeJob(request, options, outcome, created);
    if (outcome.status === "Failed") {
        throw new AwsError("States.TaskFailed", JSON.stringify(describe));
    }
    return describe;
}

interface Outcome {
    readonly status: "Completed" | "Failed" | "Stopped";
    readonly secondary: string;
    readonly reason?: string;
    readonly started?: number;
    readonly modelArtifact?: string;
}

function failed(reason: string, started?: number): Outcome {
    return { status: "Failed", secondary: "Failed", reason: reason.slice(0, MAX_FAILURE_REASON), started };
}

function validate(request: TrainingJobRequest, usedNames: ReadonlySet<string>): void {
    const refuse = (message: string): never => {
        throw new AwsError(
            "SageMaker.AmazonSageMakerException",
            `${message} (Service: AmazonSageMaker; Status Code: 400; Error Code: ValidationException; Request ID: ` +
                "local; Proxy: null)",
        );
    };
    const name = request.TrainingJobName;
    if (typeof name !== "string" || !NAME.test(name)) {
        refuse(
            `1 validation error detected: Value '${name}' at 'trainingJobName' failed to satisfy constraint: ` +
                `Member must satisfy regular expression pattern: ${NAME.source}`,
        );
    }
    if (usedNames.has(name)) {
        throw new AwsError(
            "SageMaker.AmazonSageMakerException",
            "Training job names must be unique within an AWS account and region, and a training job with this name " +
                `already exists (${name}) ` +
                "(Service: AmazonSageMaker; Status Code: 400; Error Code: ResourceInUse; Request ID: " +
                "local; Proxy: null)",
        );
    }
    const hyperparameters = Object.entries(request.HyperParameters ?? {});
    if (hyperparameters.length > MAX_HYPERPARAMETERS) {
        refuse(`hyperParameters has ${hyperparameters.length} entries, at most ${MAX_HYPERPARAMETERS} are allowed`);
    }
    for (const [key, value] of hyperparameters) {
        if (typeof value !== "string") {
            refuse(`hyperParameters.${key} is ${JSON.stringify(value)}, a string is expected`);
        }
        if (value.length > MAX_HYPERPARAMETER_VALUE) {
            refuse(
                `hyperParameters.${key} has ${value.length} characters, at most ${MAX_HYPERPARAMETER_VALUE} are ` +
                    "allowed",
            );
        }
    }
    const { InstanceCount } = request.ResourceConfig;
    if (!Number.isInteger(InstanceCount) || InstanceCount < 1) {
        refuse(`resourceConfig.instanceCount is ${JSON.stringify(InstanceCount)}, an integer from 1 is expected`);
    }
    if (request.EnableManagedSpotTraining && request.StoppingCondition.MaxWaitTimeInSeconds === undefined) {
        refuse("managed Spot training needs stoppingCondition.maxWaitTimeInSeconds");
    }
}

async function runJob(request: TrainingJobRequest, options: LauncherOptions, job: string): Promise<Outcome> {
    const shared = path.join(job, "channels");
    const channels = await downloadChannels(request, options.s3, shared);
    options.signal?.throwIfAborted();
    const hosts = Array.from({ length: request.ResourceConfig.InstanceCount }, (_, index) => `algo-${index + 1}`);
    const prepared: { host: HostConfiguration; program: Program }[] = [];
    for (const host of hosts) {
        prepared.push(await prepareHost(request, options, job, host, hosts, channels));
    }
    const layouts = prepared.map(({ host }) => host.layout);
    const checkpoints = new CheckpointSync(
        request,
        options,
        layouts.map((layout) => layout.checkpoints),
    );
    await checkpoints.restore();
    const stopSync = checkpoints.start();
    const started = Date.now();
    let exits: readonly HostExit[];
    try {
        exits = await runHosts(request, options, prepared);
    } finally {
        await stopSync();
    }
    options.signal?.throwIfAborted();
    const failure = exits.find(({ exit }) => exit !== "stopped" && exit !== "time limit" && exit.code !== 0);
    if (failure !== undefined) {
        return failed(await failureReason(failure, options.log), started);
    }
    if (exits.some(({ exit }) => exit === "time limit")) {
        return { status: "Stopped", secondary: "MaxRuntimeExceeded", started };
    }
    const target = `${request.OutputDataConfig.S3OutputPath.replace(/\/+$/, "")}/${request.TrainingJobName}/output`;
    try {
        await uploadOutputs(
            options.s3,
            job,
            prepared.map(({ host }) => host),
            target,
        );
    } catch (error) {
        return failed(`ClientError: the output cannot be stored: ${(error as Error).message}`, started);
    }
    // inputs are links to one download, and the archives are in S3: only logs, models and outputs stay for a look
    await rm(shared, { recursive: true, force: true });
    await Promise.all(layouts.map((layout) => rm(layout.data, { recursive: true, force: true })));
    return { status: "Completed", secondary: "Completed", started, modelArtifact: `${target}/model.tar.gz` };
}

interface DownloadedChannel {
    readonly name: string;
    readonly sharded: boolean;
    /** Relative to the channel's prefix. */
    readonly files: readonly string[];
    readonly directory: string;
}

async function downloadChannels(
    request: TrainingJobRequest,
    s3: S3Client,
    directory: string,
): Promise<DownloadedChannel[]> {
    const channels: DownloadedChannel[] = [];
    for (const { ChannelName, DataSource } of request.InputDataConfig ?? []) {
        const source = DataSource.S3DataSource;
        const { bucket, key: prefix } = parseS3Address(source.S3Uri);
        let objects: ListedObject[];
        try {
            objects = (await listObjects(s3, bucket, prefix)).filter(({ key }) => !key.endsWith("/"));
        } catch (error) {
            throw new Error(
                `Data download failed for channel ${ChannelName}: ${source.S3Uri}: ${(error as Error).message}`,
            );
        }
        if (objects.length === 0) {
            throw new Error(
                `Data download failed for channel ${ChannelName}: no S3 objects found under S3 URL "${source.S3Uri}"`,
            );
        }
        const target = path.join(directory, ChannelName);
        // SageMaker keeps the part of the key behind the prefix's last slash
        const cut = prefix.endsWith("/") || prefix === "" ? prefix.length : prefix.lastIndexOf("/") + 1;
        const nested = objects.every(({ key }) => key.startsWith(`${prefix.replace(/\/$/, "")}/`))
            ? prefix.replace(/\/?$/, "/").length
            : cut;
        const names = objects.map(({ key }) => key.slice(prefix === "" ? 0 : nested));
        await concurrently(
            objects.map(({ key }, index) => ({ key, name: names[index] })),
            ({ key, name }) => downloadObject(s3, { bucket, key }, path.join(target, name)),
        );
        channels.push({
            name: ChannelName,
            sharded: source.S3DataDistributionType === "ShardedByS3Key",
            files: names,
            directory: target,
        });
    }
    return channels;
}

async function prepareHost(
    request: TrainingJobRequest,
    options: LauncherOptions,
    job: string,
    name: string,
    hosts: readonly string[],
    channels: readonly DownloadedChannel[],
): Promise<{ host: HostConfiguration; program: Program }> {
    const layout = containerLayout(path.join(job, name));
    for (const directory of [layout.config, layout.data, layout.model, layout.outputData, layout.checkpoints]) {
        await mkdir(directory, { recursive: true });
    }
    for (const channel of channels) {
        const own = channel.files.filter(
            (_, index) => !channel.sharded || index % hosts.length === hosts.indexOf(name),
        );
        const target = path.join(layout.data, channel.name);
        await mkdir(target, { recursive: true });
        await concurrently(
            own,
            async (file) => {
                await mkdir(path.dirname(path.join(target, file)), { recursive: true });
                await link(path.join(channel.directory, file), path.join(target, file));
            },
            32,
        );
    }
    const describeChannel = ({ ContentType, DataSource }: NonNullable<TrainingJobRequest["InputDataConfig"]>[number]) =>
        defined({
            TrainingInputMode: request.AlgorithmSpecification.TrainingInputMode,
            S3DistributionType: DataSource.S3DataSource.S3DataDistributionType ?? "FullyReplicated",
            RecordWrapperType: "None",
            ContentType,
        });
    const inputDataConfig = Object.fromEntries(
        (request.InputDataConfig ?? []).map((channel) => [channel.ChannelName, describeChannel(channel)]),
    );
    const host: HostConfiguration = {
        layout,
        hyperparameters: request.HyperParameters ?? {},
        channels: channels.map((channel) => channel.name),
        inputDataConfig,
        hosts,
        host: name,
        instanceType: request.ResourceConfig.InstanceType,
        jobName: request.TrainingJobName,
    };
    await writeJson(path.join(layout.config, "hyperparameters.json"), host.hyperparameters);
    await writeJson(path.join(layout.config, "inputdataconfig.json"), inputDataConfig);
    await writeJson(path.join(layout.config, "resourceconfig.json"), resourceConfig(host));
    const own: Program = isScriptMode(host.hyperparameters)
        ? await scriptMode(host, options.python, options.s3)
        : { ...options.program(request.AlgorithmSpecification.TrainingImage ?? ""), env: {} };
    return {
        host,
        program: {
            ...own,
            env: {
                PATH: `${path.dirname(options.python)}${path.delimiter}${process.env.PATH ?? "/usr/bin:/bin"}`,
                HOME: layout.base,
                LANG: "C.UTF-8",
                PYTHONUNBUFFERED: "1",
                TF_CPP_MIN_LOG_LEVEL: "2",
                TF_ENABLE_ONEDNN_OPTS: "0",
                // the base directory of the container contract, /opt/ml where nothing is said
                SAGEMAKER_BASE_DIR: layout.base,
                TRAINING_JOB_NAME: request.TrainingJobName,
                TRAINING_JOB_ARN: jobArn(request, options),
                ...own.env,
                ...request.Environment,
            },
        },
    };
}

interface HostExit {
    readonly host: HostConfiguration;
    readonly exit: ChildExit | "stopped" | "time limit";
}

/**
 * All hosts, as many at a time as there are processors; the first failure stops the others, as a failed host ends a
 * job.
 */
async function runHosts(
    request: TrainingJobRequest,
    options: LauncherOptions,
    prepared: readonly { host: HostConfiguration; program: Program }[],
): Promise<readonly HostExit[]> {
    const slot = options.slot ?? ((work) => work());
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const maximum = request.StoppingCondition.MaxRuntimeInSeconds;
    const overtime = { reached: false };
    const timer =
        maximum === undefined
            ? undefined
            : setTimeout(
                  () => {
                      overtime.reached = true;
                      stop.abort();
                  },
                  Math.min(maximum * 1000, 2 ** 31 - 1),
              );
    try {
        return await Promise.all(
            prepared.map(({ host, program }) =>
                slot(async (): Promise<HostExit> => {
                    if (signal.aborted) {
                        return { host, exit: overtime.reached ? "time limit" : "stopped" };
                    }
                    const child = options.supervisor.start({
                        what: `training job ${request.TrainingJobName}, host ${host.host}`,
                        command: program.command,
                        cwd: program.cwd,
                        env: program.env,
                        log: options.log,
                        signal,
                        graceMs: options.graceMs,
                    });
                    options.onStart?.(host.host, child);
                    const exit = await child.exit;
                    if (signal.aborted && exit.code !== 0) {
                        return { host, exit: overtime.reached ? "time limit" : "stopped" };
                    }
                    if (exit.code !== 0) {
                        stop.abort();
                    }
                    return { host, exit };
                }),
            ),
        );
    } finally {
        clearTimeout(timer);
    }
}

/** The first 1,024 characters of output/failure; without that file, what the log and the exit say. */
async function failureReason({ host, exit }: HostExit, log: string): Promise<string> {
    const ended = exit as ChildExit;
    const code = ended.code ?? 128 + signalNumber(ended.signal);
    const written = await readFile(host.layout.failure, "utf8").catch(() => "");
    const reason =
        written.trim() ||
        (ended.signal
            ? "the container was ended by " +
              `${ended.signal}${ended.signal === "SIGKILL" ? " (killed, or out of memory)" : ""}`
            : `the program wrote no reason; its last line: ${await lastLogLine(log)}`);
    const end = `, exit code: ${code}`;
    const prefix = "AlgorithmError: ";
    return prefix + reason.slice(0, MAX_FAILURE_REASON - prefix.length - end.length) + end;
}

function signalNumber(signal: NodeJS.Signals | null): number {
    return signal === null ? 0 : constants.signals[signal];
}

async function lastLogLine(log: string): Promise<string> {
    const text = await readFile(log, "utf8").catch(() => "");
    return text.trimEnd().split("\n").at(-1)?.trim() || "none";
}

async function uploadOutputs(
    s3: S3Client,
    job: string,
    hosts: readonly HostConfiguration[],
    target: string,
): Promise<void> {
    const { bucket, key } = parseS3Address(target);
    const parts = [
        { name: "model", directory: (host: HostConfiguration) => host.layout.model },
        { name: "output", directory: (host: HostConfiguration) => host.layout.outputData },
    ];
    for (const { name, directory } of parts) {
        const merged = path.join(job, name);
        await mergeHosts(
            hosts.map((host) => ({ host: host.host, directory: directory(host) })),
            merged,
        );
        const archive = path.join(job, `${name}.tar.gz`);
        await makeArchive(merged, archive);
        await uploadFile(s3, archive, { bucket, key: `${key}/${name}.tar.gz` });
        await rm(merged, { recursive: true, force: true });
    }
}

/**
 * Keeps S3 in step with the hosts' checkpoint directories: restored to every host at the start, uploaded as they
 * change.
 */
class CheckpointSync {
    private readonly uploaded = new Map<string, string>();

    public constructor(
        private readonly request: TrainingJobRequest,
        private readonly options: LauncherOptions,
        private readonly directories: readonly string[],
    ) {}

    public async restore(): Promise<void> {
        const uri = this.request.CheckpointConfig?.S3Uri;
        if (uri === undefined) {
            return;
        }
        const { bucket, key } = parseS3Address(uri.replace(/\/?$/, "/"));
        const objects = await listObjects(this.options.s3, bucket, key);
        for (const directory of this.directories) {
            for (const object of objects) {
                const name = object.key.slice(key.length);
                const file = path.join(directory, name);
                await downloadObject(this.options.s3, { bucket, key: object.key }, file);
                this.uploaded.set(file, (await fingerprint(file)) ?? "");
            }
        }
    }

    /** Returns the function that ends it, after a last round. */
    public start(): () => Promise<void> {
        if (this.request.CheckpointConfig === undefined) {
            return () => Promise.resolve();
        }
        const stop = new AbortController();
        const loop = (async () => {
            while (!stop.signal.aborted) {
                await delay(this.options.checkpointIntervalMs ?? 3000, undefined, { signal: stop.signal }).catch(
                    () => undefined,
                );
                await this.upload();
            }
        })();
        // a dead endpoint is reported by whoever needs it next; here it must not become an unhandled rejection
        loop.catch(() => undefined);
        return async () => {
            stop.abort();
            await loop;
        };
    }

    private async upload(): Promise<void> {
        const { bucket, key } = parseS3Address((this.request.CheckpointConfig?.S3Uri ?? "").replace(/\/?$/, "/"));
        let changed = false;
        for (const directory of this.directories) {
            if (!existsSync(directory) || (await readdir(directory)).length === 0) {
                continue;
            }
            for (const name of await listFiles(directory)) {
                const file = path.join(directory, name);
                const mark = await fingerprint(file);
                if (mark === undefined || this.uploaded.get(file) === mark) {
                    continue;
                }
                try {
                    await uploadFile(this.options.s3, file, { bucket, key: key + name });
                } catch (error) {
                    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
                        // replaced under another name: the next round takes that one
                        continue;
                    }
                    throw error;
                }
                this.uploaded.set(file, mark);
                changed = true;
            }
        }
        if (changed) {
            this.options.onCheckpoint?.();
        }
    }
}

async function fingerprint(file: string): Promise<string | undefined> {
    const found = await stat(file, { bigint: true }).catch(() => undefined);
    return found && `${found.size}/${found.mtimeNs}/${found.ino}`;
}

function jobArn(request: TrainingJobRequest, options: LauncherOptions): string {
    return `${options.arnPrefix}:training-job/${request.TrainingJobName.toLowerCase()}`;
}

function describeJob(
    request: TrainingJobRequest,
    options: LauncherOptions,
    outcome: Outcome,
    created: number,
): Describe {
    const ended = Date.now();
    const seconds = outcome.started === undefined ? 0 : Math.max(1, Math.round((ended - outcome.started) / 1000));
    return defined({
        TrainingJobName: request.TrainingJobName,
        TrainingJobArn: jobArn(request, options),
        ModelArtifacts: outcome.modelArtifact === undefined ? undefined : { S3ModelArtifacts: outcome.modelArtifact },
        TrainingJobStatus: outcome.status,
        SecondaryStatus: outcome.secondary,
        FailureReason: outcome.reason,
        HyperParameters: request.HyperParameters,
        AlgorithmSpecification: request.AlgorithmSpecification,
        RoleArn: request.RoleArn,
        InputDataConfig: request.InputDataConfig,
        OutputDataConfig: request.OutputDataConfig,
        ResourceConfig: request.ResourceConfig,
        StoppingCondition: request.StoppingCondition,
        CreationTime: created,
        TrainingStartTime: outcome.started,
        TrainingEndTime: ended,
        LastModifiedTime: ended,
        SecondaryStatusTransitions: [
            {
                Status: outcome.secondary,
                StartTime: created,
                EndTime: ended,
                StatusMessage: outcome.reason ?? "Training job ended",
            },
        ],
        EnableNetworkIsolation: false,
        EnableInterContainerTrafficEncryption: false,
        EnableManagedSpotTraining: request.EnableManagedSpotTraining ?? false,
        CheckpointConfig: request.CheckpointConfig,
        TrainingTimeInSeconds: seconds,
        BillableTimeInSeconds: seconds,
        Environment: request.Environment,
    });
}

async function writeJson(file: string, value: unknown): Promise<void> {
    await writeFile(file, JSON.stringify(value));
}
