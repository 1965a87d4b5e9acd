import { existsSync } from "node:fs";
import path from "node:path";
import type { StateMachineDefinition, JsonValue } from "../../asl/types";
import { statesIn } from "../../asl/walk";
import { TaskError, type TaskHandler, type TaskRequest } from "../../asl/interpreter";
import { ToolError } from "../../ground/errors";
import { AwsError } from "../awsError";
import { nextFault, type Fault, type FaultEffect, type TaskKind } from "../faults";
import type { Supervisor } from "../process/supervisor";
import { submitJob, type SubmitJobRequest } from "../services/batch";
import { invokeFunction } from "../services/lambda";
import { LocalModelRegistry, type CreateModelPackageRequest } from "../services/modelRegistry";
import { publish, type Message, type PublishRequest } from "../services/sns";
import type { ObjectStore } from "../storage/objectStore";
import { launchTrainingJob, type TrainingJobRequest } from "../training/launcher";
import type { LocalStage } from "./stage";

/** What the run shows of a Task while it is at work. */
export interface TaskObserver {
    begin(request: TaskRequest, log: string): { end(outcome: "done" | "failed" | "stopped", note?: string): void };
    message(message: Message): void;
    /** An ensemble is a version in the local model registry now, and this is the file. */
    registered(file: string): void;
    /** After a Task is done: what is finished can be kept. */
    finished(request: TaskRequest, answer: Record<string, unknown>): Promise<void>;
    checkpoint(): void;
}

export interface TaskOptions {
    readonly stage: LocalStage;
    readonly store: ObjectStore;
    readonly supervisor: Supervisor;
    /** Folder of the local model registry. */
    readonly registry: string;
    /** Folder of the run: logs/, jobs/, messages.jsonl. */
    readonly directory: string;
    readonly python: string;
    readonly faults: readonly Fault[];
    /** Admits as many processes of trainings at a time as there are processors. */
    readonly slot: Semaphore;
    /** Names of training jobs used before: SageMaker refuses them for ever. */
    readonly usedNames: Set<string>;
    readonly observer: TaskObserver;
    readonly onJob?: (job: StartedJob) => void;
}

/** A training or a Batch job that has begun, as AWS's own APIs would find its log. */
export interface StartedJob {
    readonly kind: "training" | "batch";
    /** The training job's name, or the Batch job's id. */
    readonly id: string;
    readonly log: string;
}

const KINDS: readonly (readonly [RegExp, TaskKind])[] = [
    [/^arn:[^:]+:states:::sagemaker:createTrainingJob\.sync$/, "training"],
    [/^arn:[^:]+:states:::batch:submitJob\.sync$/, "batch"],
    [/^arn:[^:]+:states:::lambda:invoke$/, "lambda"],
    [/^arn:[^:]+:states:::sns:publish$/, "sns"],
    [/^arn:[^:]+:states:::aws-sdk:sagemaker:(list|create)ModelPackages?$/, "registry"],
];

/**
 * All Task states of a definition, with what they do; a resource that this machine cannot run is an error before
 * anything runs.
 */
export function taskStates(definition: Pick<StateMachineDefinition, "States">): Map<string, TaskKind> {
    const tasks = statesIn(definition).flatMap(({ name, state }) =>
        state.Type === "Task" ? [[name, taskKind(name, state.Resource)] as const] : [],
    );
    return new Map(tasks);
}

function taskKind(state: string, resource: string): TaskKind {
    const kind = KINDS.find(([pattern]) => pattern.test(resource))?.[1];
    if (kind === undefined) {
        throw new ToolError(
            `The state ${state} calls ${resource}, which the local run has nothing for. ` +
                "It knows sagemaker:createTrainingJob.sync, batch:submitJob.sync, lambda:invoke, sns:publish and " +
                "SageMaker's model registry; " +
                "stub the state by configuration.",
        );
    }
    return kind;
}

/** Does the Tasks of the definition with processes of this machine. */
export function localTasks(options: TaskOptions): TaskHandler {
    const counts = new Map<string, number>();
    return async (request) => {
        const number = (counts.get(request.state) ?? 0) + 1;
        counts.set(request.state, number);
        const log = path.join(
            options.directory,
            "logs",
            `${slug(request.state)}${number === 1 ? "" : `-${number}`}.log`,
        );
        const shown = options.observer.begin(request, log);
        try {
            const effect = nextFault(options.faults, { state: request.state, arguments: request.arguments });
            const answer = await perform(request, options, log, effect);
            await options.observer.finished(request, answer);
            shown.end("done", answerNote(answer));
            return answer as JsonValue;
        } catch (error) {
            if (request.signal.aborted) {
                shown.end("stopped");
                throw error;
            }
            if (error instanceof AwsError) {
                shown.end("failed", failureNote(error));
                throw new TaskError(error.error, error.causeText);
            }
            shown.end("failed", (error as Error).message);
            throw error;
        }
    };
}

async function perform(
    request: TaskRequest,
    options: TaskOptions,
    log: string,
    effect: FaultEffect | undefined,
): Promise<Record<string, unknown>> {
    const { store, supervisor, stage } = options;
    if (effect !== undefined && "throws" in effect) {
        throw effect.throws;
    }
    if (effect !== undefined && "answers" in effect) {
        return effect.answers;
    }
    const common = { supervisor, log, signal: request.signal };
    const onStart =
        effect === undefined ? undefined : (child: { kill(signal: NodeJS.Signals): void }) => child.kill("SIGKILL");
    switch (taskKind(request.state, request.resource)) {
        case "lambda":
            return invokeFunction(request.arguments as unknown as Parameters<typeof invokeFunction>[0], {
                ...common,
                onStart,
                functions: stage.functions,
                environment: store.environment,
                scratch: path.join(options.directory, "scratch"),
            });
        case "batch":
            return submitJob(request.arguments as unknown as SubmitJobRequest, {
                ...common,
                onStart,
                onSubmitted: (job) => {
                    options.onJob?.({ kind: "batch", id: job.JobId, log });
                    request.submitted({ ...job });
                },
                definitions: stage.jobDefinitions,
                environment: store.environment,
                program: (image, command) => ({
                    command: command[0] === "node" ? [process.execPath, ...command.slice(1)] : command,
                    cwd: imageOf(stage, image).directory,
                }),
            });
        case "sns": {
            const { answer, message } = await publish(
                request.arguments as unknown as PublishRequest,
                path.join(options.directory, "messages.jsonl"),
            );
            options.observer.message(message);
            return answer;
        }
        case "registry": {
            const registry = new LocalModelRegistry(
                options.registry,
                `arn:aws:sagemaker:${stage.region}:${stage.account}`,
            );
            if (request.resource.endsWith(":listModelPackages")) {
                return registry.list(request.arguments as unknown as Parameters<typeof registry.list>[0]);
            }
            const { answer, file } = await registry.create(request.arguments as unknown as CreateModelPackageRequest);
            options.observer.registered(file);
            return answer;
        }
        case "training":
            return launchTrainingJob(request.arguments as unknown as TrainingJobRequest, {
                ...common,
                onSubmitted: ({ TrainingJobArn, TrainingJobName }) => {
                    options.onJob?.({ kind: "training", id: TrainingJobName, log });
                    request.submitted({ TrainingJobArn });
                },
                onStart: onStart && ((_host, child) => onStart(child)),
                s3: store.s3,
                workspace: path.join(options.directory, "jobs"),
                python: options.python,
                arnPrefix: `arn:aws:sagemaker:${stage.region}:${stage.account}`,
                usedNames: options.usedNames,
                slot: options.slot,
                onCheckpoint: () => options.observer.checkpoint(),
                program: (image) => {
                    const { directory, folder } = imageOf(stage, image);
                    const train = path.join(directory, folder, "train");
                    if (!existsSync(train)) {
                        throw new Error(
                            `the image ${image} has no executable train in ` +
                                `${path.relative(process.cwd(), path.dirname(train))}`,
                        );
                    }
                    return { command: [options.python, train], cwd: directory };
                },
            });
    }
}

function imageOf(stage: LocalStage, image: string) {
    const found = stage.images.get(image);
    if (found === undefined) {
        throw new Error(
            `the image ${image} is not built by the program (it builds ` +
                `${[...stage.images.keys()].join(", ") || "none"}), ` +
                "so this machine has no code for it: leave the prebuilt reference out of the configuration for a " +
                "local run",
        );
    }
    return found;
}

function answerNote(answer: Record<string, unknown>): string | undefined {
    return answer.TrainingJobStatus === "Stopped" ? `Stopped, ${String(answer.SecondaryStatus)}` : undefined;
}

/** One line for the progress: the reason in the cause where there is one. */
function failureNote({ error, causeText }: AwsError): string {
    try {
        const cause = JSON.parse(causeText) as Record<string, unknown>;
        const reason = cause.FailureReason ?? cause.errorMessage ?? cause.StatusReason;
        if (typeof reason === "string") {
            return `${error}: ${reason}`;
        }
    } catch {
        // not JSON: shown as it is
    }
    return causeText ? `${error}: ${causeText}` : error;
}

export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>;

/** At most `count` pieces of work at a time, in order. */
export function semaphore(count: number): Semaphore {
    let free = count;
    const waiting: (() => void)[] = [];
    return async (work) => {
        if (free > 0) {
            free -= 1;
        } else {
            await new Promise<void>((resolve) => waiting.push(resolve));
        }
        try {
            return await work();
        } finally {
            const next = waiting.shift();
            if (next === undefined) {
                free += 1;
            } else {
                next();
            }
        }
    };
}

function slug(name: string): string {
    return name
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-|-$/g, "");
}
