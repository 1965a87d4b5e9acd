import assert from "node:assert/strict";
import { PutBucketLifecycleConfigurationCommand, type LifecycleRule } from "@aws-sdk/client-s3";
import { joinS3, parseS3Address } from "../../ground/s3Address";
import type { Run } from "../../workflow/contract";
import { setup } from "../../workloads/functions/setup/index";
import { register } from "../../workloads/functions/register/index";
import type { Plan } from "../../workloads/common/plan";
import { Storage } from "../../workloads/common/storage";
import { execution, executionInput, putArchives, putData, sampleLabels, stageSettings } from "../support/ensemble";
import { useS3 } from "../support/s3";

const DAY_SECONDS = 86_400;

const rule = (prefix: string, days: number): LifecycleRule => ({
    ID: `after ${days}`,
    Status: "Enabled",
    Filter: { Prefix: prefix },
    Expiration: { Days: days },
});

describe("Setup and what expires", function () {
    this.timeout(60_000);
    const s3 = useS3("kms");
    let bucket: string;
    let data: string;
    let number = 0;

    beforeEach(async () => {
        bucket = await s3().bucket();
        data = `${bucket}/data`;
        await putData(s3().storage, data, sampleLabels(4));
    });

    const expire = (...rules: LifecycleRule[]) =>
        s3().client.send(
            new PutBucketLifecycleConfigurationCommand({
                Bucket: parseS3Address(bucket).bucket,
                LifecycleConfiguration: { Rules: rules },
            }),
        );

    function call(input: unknown, days = 5, storage = s3().storage, now = new Date()): Promise<Run> {
        number += 1;
        return setup(
            {
                settings: stageSettings(bucket),
                input,
                execution: {
                    ...execution(`run-${number}`),
                    startTime: now.toISOString(),
                    timeoutSeconds: days * DAY_SECONDS,
                },
            },
            { storage, print: () => undefined },
        );
    }

    async function train(run: Run): Promise<void> {
        const models = [...Object.entries(run.members), ["sequence", run.combiner] as const];
        for (const [model, { key, output_path: outputPath }] of models) {
            const TrainingJobName = `${model}-${number}`;
            await putArchives(s3().storage, joinS3(outputPath, TrainingJobName, "output"), {
                model: { m: model },
                output: { o: model },
            });
            await register(
                {
                    model,
                    key,
                    outputPath,
                    prefix: run.output_artifact_paths[`${model}_model_prefix`] ?? "",
                    execution: `run-${number}`,
                    job: { TrainingJobName, TrainingJobStatus: "Completed" },
                },
                s3().storage,
            );
        }
    }

    it("accepts rules on folders that hold nothing for long", async () => {
        await expire(rule("model_training_data/runs/", 14), rule("model_training_data/checkpoints/", 5));
        assert.match((await call(executionInput(data))).id, /^[0-9a-f]{8}$/);
    });

    for (const folder of ["models", "published", "trained"]) {
        it(`refuses a target whose ${folder}/ is deleted some day, and names the rule`, async () => {
            await expire(rule(`model_training_data/${folder}`, 400));
            await assert.rejects(call(executionInput(data)), {
                name: "InputError",
                message: new RegExp(
                    `output_artifact_target_base_path: .*${folder}/ is kept.*"after 400" deletes it after 400 days`,
                ),
            });
        });
    }

    it("refuses a target whose executions' own folder is deleted before an execution may end", async () => {
        await expire(rule("model_training_data/", 3));
        await assert.rejects(call(executionInput(data)), {
            message: /runs\/ stays 5 days, as long as the execution may take.*after 3 days/,
        });
    });

    it("refuses data that is deleted before it could be copied, or while it is read in place", async () => {
        await expire(rule("data/images/", 1));
        const tomorrow = new Date(Date.now() + 2 * DAY_SECONDS * 1_000);
        await assert.rejects(call(executionInput(data), 5, s3().storage, tomorrow), {
            message:
                /preprocessed_data_path: .*expected data that stays until it was copied; .*data\/images\/stack-000/,
        });
        await expire(rule("data/", 3));
        assert.ok(await call(executionInput(data)), "it is copied within a day");
        const inPlace = executionInput(data, {}, { fetch_preprocessing_artifacts: false });
        await assert.rejects(call(inPlace), { message: /as long as the execution may read it/ });
    });

    it("trains again what lies where it would be deleted before the execution may end", async () => {
        await train(await call(executionInput(data)));
        assert.equal((await call(executionInput(data))).members.text?.action, "reuse");
        // archives that an earlier version left below runs/
        const marker = `${bucket}/model_training_data/trained/text`;
        for await (const { key } of s3().storage.list(marker)) {
            const trained = (await s3().storage.json(joinS3(marker, key))) as { artifacts: { model: { uri: string } } };
            const { uri } = trained.artifacts.model;
            const moved = uri.replace("/models/", "/runs/old/");
            const found = await s3().storage.head(uri);
            await s3().storage.copy(uri, found?.etag ?? "", moved);
            trained.artifacts.model = { ...trained.artifacts.model, ...(await s3().storage.head(moved)) };
            await s3().storage.putJson(joinS3(marker, key), trained);
        }
        await expire(rule("model_training_data/runs/", 14));
        assert.equal((await call(executionInput(data))).members.text?.action, "reuse", "it stays 14 days");
        const late = new Date(Date.now() + 12 * DAY_SECONDS * 1_000);
        const { text } = (await call(executionInput(data), 5, s3().storage, late)).members;
        assert.equal(text?.action, "train");
        assert.match(text?.reason ?? "", /does not stay: s3:.*may be gone on .*"after 14" deletes it after 14 days/);
    });

    it("says in the plan that nobody could tell the rules, and goes on", async () => {
        class Denied extends Storage {
            override lifecycleRules(): Promise<never> {
                return Promise.reject(Object.assign(new Error("access denied"), { name: "PermissionError" }));
            }
        }
        await call(executionInput(data), 5, new Denied(s3().client));
        const plan = (await s3().storage.json(`${bucket}/model_training_data/runs/run-${number}/plan.json`)) as Plan;
        assert.match(plan.notes.join("\n"), /whether objects of bucket-\d+ expire was not checked: access denied/);
    });

    it("decides anew where what it wanted to reuse is pruned while it is set up", async () => {
        await train(await call(executionInput(data)));
        /** Prunes as soon as the use of the text model is written down. */
        class Pruned extends Storage {
            override async putJson(uri: string, value: unknown) {
                const written = await super.putJson(uri, value);
                if (uri.endsWith("/text/trained.json")) {
                    const folder = `${bucket}/model_training_data/trained/text`;
                    for await (const { key } of this.list(folder)) {
                        await this.remove(joinS3(folder, key));
                    }
                }
                return written;
            }
        }
        const run = await call(executionInput(data), 5, new Pruned(s3().client));
        assert.equal(run.members.text?.action, "train");
        assert.equal(run.members.image?.action, "reuse");
    });
});

describe("the same bytes in a bucket with KMS keys", function () {
    this.timeout(60_000);
    const s3 = useS3("kms");
    let bucket: string;
    let data: string;

    before(async () => {
        bucket = await s3().bucket();
        data = `${bucket}/data`;
        await putData(s3().storage, data, sampleLabels(4));
    });

    const key = async (name: string, source = data) => {
        const event = { settings: stageSettings(bucket), input: executionInput(source), execution: execution(name) };
        return (await setup(event, { storage: s3().storage, print: () => undefined })).members.text?.key;
    };

    it("are the same data when they are uploaded again, or elsewhere", async () => {
        const first = await key("first");
        await putData(s3().storage, data, sampleLabels(4));
        assert.equal(await key("again"), first);
        await putData(s3().storage, `${bucket}/elsewhere`, sampleLabels(4));
        assert.equal(await key("elsewhere", `${bucket}/elsewhere`), first);
        await s3().storage.put(joinS3(data, "text/stack-000/001.txt"), "text of stack-000/00x");
        assert.notEqual(await key("other"), first);
    });

    it("are asked for their checksums once", async () => {
        let asked = 0;
        class Counting extends Storage {
            override head(uri: string) {
                asked += uri.includes("/data/") ? 1 : 0;
                return super.head(uri);
            }
        }
        const storage = new Counting(s3().client);
        const event = { settings: stageSettings(bucket), input: executionInput(data), execution: execution("counted") };
        await s3().storage.put(joinS3(data, "text/stack-001/001.txt"), "changed");
        await setup(event, { storage, print: () => undefined });
        assert.equal(asked, 1);
    });
});

describe("channels", function () {
    this.timeout(60_000);
    const s3 = useS3("plain");

    it("match nothing but what they name: a folder beside, a backup of a file", async () => {
        const bucket = await s3().bucket();
        const data = `${bucket}/data`;
        await putData(s3().storage, data, sampleLabels(4));
        await s3().storage.put(joinS3(data, "labels.csv.bak"), "old");
        await s3().storage.put(joinS3(data, "text_ocr1/x.txt"), "other");
        const settings = stageSettings(bucket);
        const { text, image } = settings.members;
        const bare = {
            text: { ...text!, channels: text!.channels.map((one) => ({ ...one, path: one.path.replace(/\/$/, "") })) },
            image: image!,
        };
        const event = { settings: { ...settings, members: bare }, input: executionInput(data) };
        const run = await setup(
            { ...event, execution: execution("channels") },
            { storage: s3().storage, print: () => undefined },
        );
        const channels = Object.values(run.members).flatMap((model) => model.input_data_config) as {
            ChannelName: string;
            DataSource: { S3DataSource: { S3Uri: string } };
        }[];
        const prefixes = channels.map(({ DataSource }) => DataSource.S3DataSource.S3Uri);
        assert.deepEqual(
            prefixes.filter((prefix) => !prefix.endsWith("/")),
            [],
        );
        const raw = `${bucket}/model_training_data/runs/channels/raw_data`;
        assert.deepEqual(prefixes.slice(0, 2), [`${raw}/channel-files/labels.csv/`, `${raw}/text/`]);
    });
});
