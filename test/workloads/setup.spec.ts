import assert from "node:assert/strict";
import { trainingQuota } from "../../ground/awsNames";
import type { Run, StageSettings } from "../../workflow/contract";
import { shortages } from "../../workloads/functions/setup/quotas";
import { setup } from "../../workloads/functions/setup/index";
import type { QuotaLookup } from "../../workloads/functions/setup/quotas";
import type { Plan } from "../../workloads/common/plan";
import { execution, executionInput, putData, sampleLabels, stageSettings } from "../support/ensemble";
import { S3_KINDS, s3Client, useS3, type LocalS3 } from "../support/s3";
import { Storage } from "../../workloads/common/storage";

/** The endpoint of the suite that runs. */
let s3: () => LocalS3;

for (const kind of S3_KINDS) {
    describe(`Setup, with S3 that is ${kind}`, function () {
        this.timeout(60_000);
        const own = useS3(kind);
        before(() => {
            s3 = own;
        });
        let bucket: string;
        let data: string;
        let number = 0;

        before(async () => {
            bucket = await s3().bucket();
            data = `${bucket}/data`;
            await putData(s3().storage, data, sampleLabels(4));
        });

        const call = (
            input: unknown,
            changed: Partial<StageSettings> = {},
            quotas?: QuotaLookup,
            log: string[] = [],
        ): Promise<Run> =>
            setup(
                { settings: stageSettings(bucket, changed), input, execution: execution(`run-${++number}`) },
                { storage: s3().storage, quotas, print: (line) => log.push(line) },
            );

        const refusals: readonly (readonly [string, () => unknown, RegExp])[] = [
            [
                "a path without any object",
                () => executionInput(`${bucket}/nothing`),
                /preprocessed_data_path: got "s3:.*nothing", expected documents below it/,
            ],
            [
                "a bucket that does not exist",
                () => executionInput("s3://no-such-bucket-here/x"),
                /expected a place inside/,
            ],
            [
                "a folder without labels.csv",
                () => executionInput(`${data}/text`),
                /expected labels\.csv directly below it; there are 12 objects/,
            ],
            [
                "data that was not fetched where fetch is off",
                () => executionInput(data, {}, { fetch_preprocessing_artifacts: false }),
                /expected data as the fetch job leaves it/,
            ],
            [
                "a split set that is not there",
                () =>
                    executionInput(
                        data,
                        {},
                        { generate_image_model_split: false },
                        { image_model_split_path: `${bucket}/folds` },
                    ),
                /image_model_split_path: .*expected a split set: folds\.json directly below it/,
            ],
            [
                "a given model that is not there",
                () => executionInput(data, {}, { text_model: false }, { text_model_artifact_path: `${bucket}/model` }),
                /text_model_artifact_path: .*expected a trained model: trained\.json, or/,
            ],
        ];
        for (const [what, input, message] of refusals) {
            it(`refuses ${what} before anything is written`, async () => {
                await assert.rejects(call(input()), { name: "InputError", message });
                assert.equal(
                    await s3().storage.head(`${bucket}/model_training_data/runs/run-${number}/plan.json`),
                    undefined,
                );
            });
        }

        it("tells problems of the storage together, one a line", async () => {
            const input = executionInput(
                `${bucket}/nothing`,
                {},
                { text_model: false },
                { text_model_artifact_path: `${bucket}/model` },
            );
            await assert.rejects(call(input), (error: Error) => {
                assert.equal(error.message.split("\n").length, 3);
                assert.match(error.message, /^2 problems in the execution's input, nothing was started:\n\(1\) /);
                return true;
            });
        });

        it("refuses channels that lack objects or do not fit the volume", async () => {
            const text = {
                ...stageSettings(bucket).members.text,
                channels: [{ name: "scans", from: "raw_data" as const, path: "scans/" }],
            };
            await assert.rejects(
                call(executionInput(data), { members: { ...stageSettings(bucket).members, text } }),
                /expected objects below scans\/ for the text model/,
            );
            const small = { ...stageSettings(bucket).members.text, volumeGb: 1e-8 };
            await assert.rejects(
                call(executionInput(data), { members: { ...stageSettings(bucket).members, text: small } }),
                /expected at most 1e-8 GB for the text model's volume/,
            );
        });

        it("gives the workflow channels, rungs, paths and parameters, none of them empty", async () => {
            const run = await call(executionInput(data), { kmsKeyArn: "arn:aws:kms:eu-central-1:123456789012:key/k" });
            const base = `${bucket}/model_training_data/runs/run-${number}`;
            assert.match(run.id, /^[0-9a-f]{8}$/);
            assert.equal(run.output_artifact_paths.raw_data, `${base}/raw_data`);
            const channels = run.members.image.input_data_config as {
                DataSource: { S3DataSource: { S3Uri: string } };
            }[];
            assert.deepEqual(
                channels.map((channel) => channel.DataSource.S3DataSource.S3Uri),
                [`${base}/raw_data/images/`, `${base}/image_model_training_split_set/`],
            );
            // The key is refused where the instance has disks of its own.
            assert.deepEqual(run.members.image.rungs[0], {
                spot: true,
                resource_config: { InstanceType: "ml.g6.xlarge", InstanceCount: 4, VolumeSizeInGB: 10 },
            });
            assert.equal(
                run.members.text.rungs[0].resource_config.VolumeKmsKeyId,
                "arn:aws:kms:eu-central-1:123456789012:key/k",
            );
            assert.equal(run.members.image.hyperparameters.optimizer, '"sgd"');
            assert.equal(
                run.members.image.checkpoint_path,
                `${bucket}/model_training_data/checkpoints/image/${run.members.image.key}`,
            );
            for (const [job, parameters] of Object.entries(run.parameters)) {
                for (const [name, value] of Object.entries(parameters)) {
                    assert.ok(typeof value === "string" && value !== "", `${job} ${name}`);
                }
            }
        });

        it("fits Step Functions' limit with 100 members", async () => {
            const { text } = stageSettings(bucket).members;
            const members = Object.fromEntries(
                Array.from({ length: 100 }, (_, index) => [
                    `member${index}`,
                    { ...text, mergeParameter: `INPUT_PATH_M${index}`, publishParameter: `INPUT_PATH_P${index}` },
                ]),
            );
            const run = await call(
                {
                    initialization: {
                        fetch_data: { preprocessed_data_path: data },
                        run_training_steps: { fetch_preprocessing_artifacts: true },
                    },
                },
                { members, quorum: 100 },
            );
            assert.ok(Buffer.byteLength(JSON.stringify(run)) < 262_144);
        });

        describe("quotas", () => {
            const quotas =
                (values: Record<string, number>): QuotaLookup =>
                (type, spot) =>
                    Promise.resolve(values[trainingQuota(type, spot)]);

            it("refuses a model none of whose rungs may run", async () => {
                await assert.rejects(
                    call(
                        executionInput(data),
                        {},
                        quotas({
                            "ml.g6.xlarge for spot training job usage": 2,
                            "ml.g5.xlarge for training job usage": 0,
                        }),
                    ),
                    /expected a rung whose quota allows 4 instances \(quotas: ml\.g6\.xlarge \(Spot\): 2, ml\.g5\.xlarge: 0\)/,
                );
            });

            it("lets a run begin where one rung may run, and says which may not", async () => {
                const log: string[] = [];
                await call(
                    executionInput(data),
                    {},
                    quotas({
                        "ml.g6.xlarge for spot training job usage": 2,
                        "ml.g5.xlarge for training job usage": 4,
                    }),
                    log,
                );
                assert.ok(
                    log.some((line) => /^note: image: the quota of a rung is below 4/.test(line)),
                    log.join("\n"),
                );
            });

            it("are held against all members that train side by side; the combiner trains alone", async () => {
                const { text, image } = stageSettings(bucket).members;
                const one = [{ instanceType: "ml.g5.xlarge", spot: false }];
                const members = { text: { ...text, capacity: one }, image: { ...image, capacity: one } };
                const combiner = { ...stageSettings(bucket).combiner, capacity: one, instanceCount: 4 };
                const allowed = (count: number) =>
                    call(
                        executionInput(data),
                        { members, combiner },
                        quotas({ "ml.g5.xlarge for training job usage": count }),
                    );
                await assert.rejects(
                    allowed(4),
                    new RegExp(
                        "^InputError: 1 problem .*\\n\\(1\\) initialization\\.text_model\\.instance_type, " +
                            "initialization\\.image_model\\.instance_type: " +
                            "got 5 instances at the same time, expected at most 4.*\\(ml\\.g5\\.xlarge: 4\\).*" +
                            "text and image train side by side",
                    ),
                );
                await allowed(5);
            });

            it("of members that share only some rungs are no problem as long as there is a way past each other", () => {
                const rung = (instanceType: string, quota?: number) => ({ instanceType, spot: false, quota });
                const demand = (model: string, ...rungs: ReturnType<typeof rung>[]) => ({ model, instances: 2, rungs });
                assert.deepEqual(shortages([demand("a", rung("x", 2)), demand("b", rung("x", 2), rung("y", 2))]), []);
                assert.deepEqual(shortages([demand("a", rung("x", 2)), demand("b", rung("x", 2), rung("y"))]), []);
                assert.deepEqual(
                    shortages([
                        demand("a", rung("x", 2)),
                        demand("b", rung("x", 2), rung("y", 1)),
                        demand("c", rung("z", 2)),
                    ]),
                    [{ models: ["a", "b"], instances: 4, quotas: 3, described: "x: 2, y: 1" }],
                );
            });

            it("of a model that is there already are not asked for", async () => {
                const { text, image } = stageSettings(bucket).members;
                const members = { text, image: { ...image, capacity: [{ instanceType: "ml.none", spot: false }] } };
                const input = executionInput(
                    data,
                    {},
                    { image_model: false },
                    { image_model_artifact_path: `${bucket}/nothing` },
                );
                await assert.rejects(
                    call(input, { members }, quotas({ "ml.none for training job usage": 0 })),
                    (error: Error) =>
                        error.message.startsWith("1 problem") && error.message.includes("image_model_artifact_path"),
                );
            });

            it("are no reason to stop where the account does not tell them", async () => {
                const log: string[] = [];
                await call(
                    executionInput(data),
                    {},
                    () => Promise.reject(new Error("not authorized to perform: servicequotas:ListServiceQuotas")),
                    log,
                );
                assert.ok(
                    log.some((line) => /^note: instance quotas were not checked: not authorized/.test(line)),
                    log.join("\n"),
                );
                const plan = (await s3().storage.json(
                    `${bucket}/model_training_data/runs/run-${number}/plan.json`,
                )) as Plan;
                assert.match(plan.notes.join("\n"), /quotas were not checked/);
            });
        });

        it("does not blame the input for a storage that fails", async () => {
            const client = s3Client("http://127.0.0.1:9", { maxAttempts: 1 });
            await assert.rejects(
                setup(
                    { settings: stageSettings(bucket), input: executionInput(data), execution: execution("dead") },
                    { storage: new Storage(client) },
                ),
                { name: "StorageError", message: /could not list s3:/ },
            );
        });
    });
}
