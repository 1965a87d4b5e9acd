/** A stage behind the Step Functions API whose trainings leave in S3 what real ones leave. */
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import { TaskError, VirtualClock, type TaskRequest } from "../../asl/interpreter";
import type { JsonValue } from "../../asl/types";
import { serveStepFunctions, type StepFunctionsApi } from "../../asl/api/stepFunctions";
import { defined } from "../../ground/fields";
import { renderDefinition } from "../../workflow";
import type { Run, TrainedModel } from "../../workflow/contract";
import { classify } from "../../workflow/failures";
import { describeFailure } from "../../workloads/functions/describe-failure";
import { archive } from "../support/ensemble";
import type { LocalS3 } from "../support/s3";
import { stageSettings, targets } from "../../simulation/sampleStages";
import { runOf } from "../../simulation";
import { picture } from "./sample";

const settings = stageSettings("dev");
export const machine = "ensemble-model-training-dev";
export const input = {
    initialization: {
        fetch_data: { preprocessed_data_path: `${settings.dataLocations[0]}/data` },
        run_training_steps: {
            image_model: true,
            text_model: true,
            fetch_preprocessing_artifacts: true,
            generate_image_model_split: true,
        },
    },
};

/** What goes wrong in the next execution. */
export interface Faults {
    /** A state whose Task never ends. */
    hangs?: string;
    /** Errors of a state, one an entry, then it works. */
    fails?: Readonly<Record<string, TaskError[]>>;
    /** Files of output.tar.gz by model, in place of the usual ones. */
    output?: Readonly<Record<string, Record<string, string> | Buffer>>;
    /** Members that are missing to the combiner. */
    partial?: readonly string[];
    /** No text model is trained: the one of an earlier execution is used again. */
    reuse?: boolean;
}

export interface FixtureStage {
    readonly api: StepFunctionsApi;
    readonly client: SFNClient;
    faults: Faults;
    close(): Promise<void>;
}

const stacks = ["s-0", "s-1", "s-2", "s-3"];
const pages = stacks.flatMap((stack, index) =>
    [1, 2, 3].map((page) => ({
        stack,
        page,
        class: page < 3 ? "letter" : "bill",
        begins: page !== 2,
        split: index < 2 ? "test" : "train",
    })),
);
const table = [
    "stack,page,class,begins_document,split",
    ...pages.map((one) => [one.stack, one.page, one.class, one.begins, one.split].join(",")),
].join("\n");

function predictions(letter: (page: number) => number, more: object = {}): string {
    return pages
        .map(({ stack, page, split }) =>
            JSON.stringify({
                stack,
                page,
                split,
                fold: 0,
                probabilities: { letter: letter(page), bill: 1 - letter(page) },
                ...more,
            }),
        )
        .join("\n");
}

const curve = (fold: number) => ({
    fold,
    epochs: [1, 2, 3].map((epoch) => ({
        epoch,
        loss: 1 / epoch,
        val_loss: 1.5 / epoch,
        accuracy: epoch / 4,
        val_accuracy: epoch / 5,
    })),
});

/** text reads the second page of each stack wrongly, image the third; the combiner reads the second of s-0 wrongly. */
const outputs: Readonly<Record<string, Record<string, string>>> = {
    text: {
        "predictions.jsonl": predictions((page) => (page === 1 ? 0.9 : 0.2)),
        "history.json": JSON.stringify({
            folds: [
                { fold: 0, pages: 3, accuracy: 0.5 },
                { fold: 1, pages: 3, accuracy: 1 },
            ],
        }),
    },
    image: Object.fromEntries(
        [0, 1].flatMap((fold) => [
            [`fold-${fold}/predictions.jsonl`, predictions((page) => (page < 3 ? 0.8 : 0.5 + fold / 10))],
            [`fold-${fold}/history.json`, JSON.stringify(curve(fold))],
        ]),
    ),
    sequence: {
        "predictions.jsonl": predictions((page) => (page === 3 ? 0.1 : 0.9), { begins_document: 1 }).replace(
            '{"letter":0.9,"bill":0.09999999999999998}',
            '{"letter":0.1,"bill":0.9}',
        ),
        "history.json": JSON.stringify({ epochs: curve(0).epochs }),
    },
};

export async function startStage(s3: LocalS3): Promise<FixtureStage> {
    await s3.client.send(
        new CreateBucketCommand({
            Bucket: "smartcat-dev-artifacts",
            CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
        }),
    );
    const stage: { faults: Faults } = { faults: {} };
    const put = (uri: string, body: string | Uint8Array) => s3.storage.put(uri, body);

    const setup = async (name: string): Promise<Run> => {
        const base = `${settings.artifactBase}/runs/${name}`;
        const text =
            stage.faults.reuse === true
                ? { action: "reuse" as const, reason: "reused: same key 7465787, trained by execution good" }
                : {};
        const run = JSON.parse(
            JSON.stringify(runOf(settings, { models: { text } })).replaceAll("/runs/simulated", `/runs/${name}`),
        ) as Run;
        const paths = {
            ...run.output_artifact_paths,
            sequence_model_training_dataframe: `${base}/dataframe`,
            ...Object.fromEntries(
                ["text", "image", "sequence"].map((model) => [`${model}_model_prefix`, `${base}/${model}`]),
            ),
        };
        await put(
            `${base}/plan.json`,
            JSON.stringify({
                format: 1,
                data: { source: "s3://data/in", hash: "d".repeat(64), objects: 25, bytes: 4096 },
                notes: ["quotas were not checked"],
                members: run.members,
                combiner: { name: "sequence", ...run.combiner },
                output_artifact_paths: paths,
            }),
        );
        return { ...run, output_artifact_paths: paths };
    };

    const task = async (
        { state, resource, arguments: given, signal, submitted }: TaskRequest,
        execution: string,
    ): Promise<JsonValue> => {
        const base = `${settings.artifactBase}/runs/${execution}`;
        if (stage.faults.hangs === state) {
            submitted({ Arn: "what the service took" });
            await new Promise((_resolve, reject) =>
                signal.addEventListener("abort", () => reject(new TaskError("States.TaskFailed"))),
            );
        }
        const failure = stage.faults.fails?.[state]?.shift();
        if (failure !== undefined) {
            throw failure;
        }
        const request = given as {
            Payload?: Record<string, never>;
            FunctionName?: string;
            TrainingJobName?: string;
            ResourceConfig?: JsonValue;
            JobName?: string;
        };
        if (resource.includes("sagemaker")) {
            const TrainingJobName = String(request.TrainingJobName);
            return {
                TrainingJobName,
                TrainingJobStatus: "Completed",
                ResourceConfig: request.ResourceConfig ?? null,
                BillableTimeInSeconds: 3600,
                ModelArtifacts: { S3ModelArtifacts: `${base}/x/${TrainingJobName}/output/model.tar.gz` },
            };
        }
        if (state === "Fetch Preprocessing Artifacts") {
            await put(`${base}/raw_data/labels.csv`, table);
            await Promise.all(
                pages.map(({ stack, page }) => put(`${base}/raw_data/images/${stack}/00${page}.png`, picture(90, 120))),
            );
        } else if (state === "Sequence Model Dataframe generation") {
            await put(`${base}/dataframe/dataframe.csv`, table);
        }
        if (!resource.includes("lambda")) {
            return {
                JobName: String(request.JobName),
                Attempts: [{ StartedAt: 1000, StoppedAt: 91_000 }],
                Container: {
                    ResourceRequirements: [
                        { Type: "VCPU", Value: "1" },
                        { Type: "MEMORY", Value: "2048" },
                    ],
                },
            };
        }
        const payload = request.Payload as Record<string, never>;
        const which = /function:smartcat-dev-([a-z-]+)/.exec(String(request.FunctionName))?.[1];
        if (which === "register") {
            await register(base, String(payload.model), String(execution));
        }
        const answer =
            which === "setup"
                ? await setup(execution)
                : which === "error-cause"
                  ? classify(payload)
                  : which === "describe-failure"
                    ? describeFailure(payload, new Date())
                    : { model: payload.model, outcome: "trained", jobName: "job" };
        if (which === "setup" && stage.faults.reuse === true) {
            await register(base, "text", "good");
        }
        return { StatusCode: 200, Payload: JSON.parse(JSON.stringify(answer)) as JsonValue };
    };

    async function register(base: string, model: string, execution: string): Promise<void> {
        const files = stage.faults.output?.[model] ?? outputs[model];
        const output = await put(
            `${base}/${model}/output.tar.gz`,
            Buffer.isBuffer(files) ? files : await archive(files),
        );
        const trained: TrainedModel = defined({
            format: 1,
            model,
            key: "ab".repeat(32),
            jobName: "job",
            execution,
            trainedAt: "2026-11-20T08:00:00Z",
            identity: {},
            missing: model === "sequence" && stage.faults.partial !== undefined ? stage.faults.partial : undefined,
            artifacts: { model: output, output },
        });
        await put(`${base}/${model}/trained.json`, JSON.stringify(trained));
    }

    const api = await serveStepFunctions({
        begin: ({ name }) =>
            defined({
                task: (request) => task(request, name),
                // a state that hangs needs real time, for a time-out too
                clock: stage.faults.hangs === undefined ? new VirtualClock(Date.now()) : undefined,
            }),
    });
    const client = new SFNClient({
        endpoint: api.endpoint,
        region: "eu-central-1",
        credentials: { accessKeyId: "x", secretAccessKey: "x" },
        maxAttempts: 1,
    });
    const definition = renderDefinition(settings, targets("dev"));
    const optional = stageSettings("dev", {
        quorum: 1,
        members: { ...settings.members, image: { ...settings.members.image, required: false } },
    });
    for (const [name, shown] of [
        [machine, definition],
        ["short-model-training-dev", { ...definition, TimeoutSeconds: 1 }],
        ["partial-model-training-dev", renderDefinition(optional, targets("dev"))],
    ] as const) {
        await client.send(
            new CreateStateMachineCommand({
                name,
                definition: JSON.stringify(shown),
                roleArn: "arn:aws:iam::1:role/r",
            }),
        );
    }
    return Object.assign(stage, {
        api,
        client,
        close: async () => {
            client.destroy();
            await api.close();
        },
    });
}
