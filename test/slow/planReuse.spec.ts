/**
 * `ensemble plan --input` against a stage with a bucket (moto) and a state machine (the interpreter behind the Step
 * Functions API).
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import {
    CreateStateMachineCommand,
    DescribeExecutionCommand,
    SFNClient,
    StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { settingsOf } from "../../cli/aws/executions";
import { planCommand } from "../../cli/commands/plan";
import type { Plan } from "../../cli/plan/plan";
import { evaluated } from "../../cli/support";
import { serveStepFunctions, type StepFunctionsApi } from "../../asl/api/stepFunctions";
import { joinS3 } from "../../ground/s3Address";
import type { StageSettings } from "../../workflow/contract";
import { register } from "../../workloads/functions/register";
import { setup } from "../../workloads/functions/setup";
import { putArchives, putData, sampleLabels } from "../support/ensemble";
import { s3Environment, useS3 } from "../support/s3";
import { root, run } from "../cli/support";

const s3 = useS3();

describe("the plan of a stage with credentials", function () {
    this.timeout(60_000);
    let api: StepFunctionsApi;
    let client: SFNClient;
    let settings: StageSettings;
    let directory: string;
    let data: string;
    const input = (changes: Record<string, unknown> = {}) => ({
        initialization: {
            fetch_data: { preprocessed_data_path: data },
            run_training_steps: {
                image_model: true,
                text_model: true,
                fetch_preprocessing_artifacts: true,
                generate_image_model_split: true,
            },
            ...changes,
        },
    });

    before(async () => {
        const stage = await evaluated("dev");
        const { name, definition } = stage.stateMachine;
        settings = settingsOf(definition, name);
        const { storage, client: s3Client } = s3();
        await s3Client.send(
            new CreateBucketCommand({
                Bucket: settings.artifactBase.slice("s3://".length),
                CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
            }),
        );
        data = joinS3(settings.artifactBase, "data");
        await putData(storage, data, sampleLabels(5));
        api = await serveStepFunctions({ begin: () => ({ task: () => sleep(20, {}) }) });
        client = new SFNClient({
            endpoint: api.endpoint,
            region: "eu-central-1",
            credentials: { accessKeyId: "x", secretAccessKey: "x" },
        });
        // of the deployed machine the plan reads Setup's settings and which states run a job
        const job = stage.jobDefinitions.find((one) => one.name.includes("-fetch-"));
        await client.send(
            new CreateStateMachineCommand({
                name,
                roleArn: "arn:aws:iam::123456789012:role/r",
                definition: JSON.stringify({
                    QueryLanguage: "JSONata",
                    StartAt: "Setup Statemachine",
                    States: {
                        "Setup Statemachine": {
                            Type: "Task",
                            Resource: "arn:aws:states:::lambda:invoke",
                            Arguments: { FunctionName: "f", Payload: { settings } },
                            Next: "Fetch Preprocessing Artifacts",
                        },
                        "Fetch Preprocessing Artifacts": {
                            Type: "Task",
                            Resource: "arn:aws:states:::batch:submitJob.sync",
                            Arguments: { JobDefinition: job?.arn },
                            End: true,
                        },
                    },
                }),
            }),
        );
        directory = mkdtempSync(path.join(tmpdir(), "plan-"));
        const types = Object.values({ ...settings.members, sequence: settings.combiner }).flatMap(
            ({ capacity }) => capacity,
        );
        const price = (item: string, value: number, unit: string) => ({
            item,
            region: "eu-central-1",
            unit,
            price: value,
            source: "test",
        });
        writeFileSync(
            path.join(directory, "prices.json"),
            JSON.stringify({
                format: 1,
                asOf: new Date().toISOString().slice(0, 10),
                currency: "USD",
                sources: { test: "https://example.org" },
                prices: [
                    ...[...new Set(types.map(({ instanceType }) => instanceType))].map((type) =>
                        price(`sagemaker-training:${type}`, 1, "hour"),
                    ),
                    price("fargate:vcpu", 0.04, "hour"),
                    price("fargate:gib", 0.005, "hour"),
                    price("states:transition", 0.00002, "transition"),
                    price("s3:storage", 0.02, "gib-month"),
                    price("s3:write", 0.000005, "request"),
                ],
            }),
        );
    });

    after(async () => {
        client?.destroy();
        await api?.close();
        rmSync(directory, { recursive: true, force: true });
    });

    async function plan(changes: Record<string, unknown> = {}): Promise<Plan> {
        const file = path.join(directory, "input.json");
        writeFileSync(file, JSON.stringify(input(changes)));
        const args = [
            "--stack",
            "dev",
            "--input",
            file,
            "--prices",
            path.join(directory, "prices.json"),
            "--endpoint",
            api.endpoint,
            "--json",
        ];
        const { code, out, err } = await run(planCommand(root), args, s3Environment(s3().endpoint));
        assert.equal(code, 0, err);
        return JSON.parse(out) as Plan;
    }

    const expected = (made: Plan, item: string) => made.expected.lines.find((line) => line.item === item);

    /** What a run leaves when all its trainings are done, by the functions that leave it. */
    async function firstRun(): Promise<void> {
        const { storage } = s3();
        const name = "first";
        const arn = `arn:aws:states:eu-central-1:123456789012:execution:ensemble-model-training-dev:${name}`;
        const made = await setup(
            {
                settings,
                input: input(),
                execution: { arn, name, startTime: "2026-11-20T08:00:00Z", redriveCount: 0 },
            },
            { storage, print: () => undefined },
        );
        const models = [...Object.entries(made.members), [settings.combiner.name, made.combiner] as const];
        for (const [index, [model, { key, output_path: outputPath }]] of models.entries()) {
            const TrainingJobName = `${name}-${model}`;
            await putArchives(storage, joinS3(outputPath, TrainingJobName, "output"), {
                model: { m: model },
                output: { o: model },
            });
            await register(
                {
                    model,
                    key,
                    outputPath,
                    prefix: made.output_artifact_paths[`${model}_model_prefix`],
                    execution: name,
                    job: {
                        TrainingJobName,
                        TrainingJobStatus: "Completed",
                        BillableTimeInSeconds: 1_800 * (index + 1),
                    },
                },
                storage,
                () => new Date("2026-11-20T12:00:00Z"),
            );
        }
        const { executionArn } = await client.send(
            new StartExecutionCommand({
                stateMachineArn: `arn:aws:states:eu-central-1:000000000000:stateMachine:ensemble-model-training-dev`,
                name,
                input: "{}",
            }),
        );
        for (let status = "RUNNING"; status === "RUNNING";) {
            status = String((await client.send(new DescribeExecutionCommand({ executionArn }))).status);
        }
    }

    it("trains everything the first time, at a price that nobody knows yet", async () => {
        const made = await plan();
        assert.deepEqual(
            made.reuse,
            ["image", "text", "sequence"].map((model) => `${model}: trains: first training`),
        );
        assert.deepEqual(
            made.models.map(({ action, note }) => [action, note]),
            Array(3).fill(["trains", "first training"]),
        );
        assert.equal(
            expected(made, "image")?.how,
            "no earlier training is there; models.image.expectedHours is not set",
        );
        assert.equal(
            expected(made, "state transitions")?.how,
            "no execution has succeeded yet, or its history is gone",
        );
    });

    it("reuses after a run what it left, says since when, and expects no price for it; writes nothing", async () => {
        await firstRun();
        const made = await plan();
        assert.match(
            made.reuse.join("\n"),
            /^image: reused: same key [0-9a-f]{8}, trained 2026-11-20 by execution first\ntext: reused.*\nsequence: reused/,
        );
        assert.deepEqual(
            made.models.map(({ action }) => action),
            ["reused", "reused", "reused"],
        );
        assert.deepEqual(
            ["image", "text", "sequence"].map((model) => expected(made, model)?.expected),
            [0, 0, 0],
        );
        assert.equal(expected(made, "job ensemble-dev-split")?.how, "does not run");
        assert.match(String(expected(made, "job ensemble-dev-fetch")?.how), /\(as in execution first\)$/);
        assert.equal(expected(made, "state transitions")?.how, "2 (as in execution first)");
        const worst = made.bill.lines.find(({ item }) => item === "storage")?.worst ?? 0;
        assert.ok((expected(made, "storage")?.expected ?? 0) > 0, "the copy of the data");
        assert.ok(worst > (expected(made, "storage")?.expected ?? 0), "the models may grow as large as their volumes");
        const written: string[] = [];
        for await (const { key } of s3().storage.list(joinS3(settings.artifactBase, "runs"))) {
            written.push(key);
        }
        assert.deepEqual(
            written.filter((key) => key.startsWith("plan/")),
            [],
        );
    });

    it("trains what changed and what learns from it, and expects what it took last time", async () => {
        const made = await plan({ image_model: { hyperparameters: { epochs: 3 } } });
        assert.deepEqual(
            made.models.map(({ action, note }) => [action, note.replace(/[0-9a-f]{8}.*/, "")]),
            [
                ["trains", "hyperparameter epochs changed 10 -> 3"],
                ["reused", "same key "],
                ["trains", "member image changed "],
            ],
        );
        // half an hour on each of two machines, at a dollar; one and a half hours on one
        assert.deepEqual(expected(made, "image"), {
            item: "image",
            how: "2 x ml.m5.xlarge, 0.5 h billed (as the training of 2026-11-20)",
            expected: 1,
        });
        assert.equal(expected(made, "sequence")?.expected, 1.5);
        assert.equal(expected(made, "text")?.expected, 0);
    });

    it("trains what is forced, and what is no longer whole", async () => {
        const forced = await plan({ force: ["text"] });
        assert.deepEqual(
            forced.models.map(({ action }) => action),
            ["reused", "trains", "trains"],
        );
        assert.equal(forced.models[1].note, "force");
        const models = joinS3(settings.artifactBase, "models/image");
        for await (const { key } of s3().storage.list(models)) {
            if (key.endsWith("first-image/output/model.tar.gz")) {
                await s3().storage.put(joinS3(models, key), "half");
            }
        }
        const damaged = await plan();
        assert.match(
            damaged.models[0].note,
            /^the model of the same key is not whole: .*model\.tar\.gz is not what was registered/,
        );
        assert.equal(damaged.models[0].action, "trains");
    });

    it("says in one line what stands in the way", async () => {
        const file = path.join(directory, "input.json");
        writeFileSync(file, JSON.stringify(input()));
        const nobody = await run(
            planCommand(root),
            ["--stack", "dev", "--input", file, "--endpoint", "http://127.0.0.1:9"],
            s3Environment(s3().endpoint),
        );
        assert.equal(nobody.code, 0);
        assert.match(nobody.out, /not known: Cannot look into the stage's bucket: AWS cannot be reached/);
        const elsewhere = await plan({
            fetch_data: { preprocessed_data_path: joinS3(settings.artifactBase, "nowhere") },
        });
        assert.match(
            elsewhere.reuse.join(),
            /^not known: 1 problem in the execution's input.*nowhere.*no object below this prefix/,
        );
    });
});
