import assert from "node:assert/strict";
import { joinS3 } from "../../ground/s3Address";
import type { TrainedModel } from "../../workflow/contract";
import { sha256 } from "../../workflow/keys";
import type { Plan } from "../../workloads/common/plan";
import { Storage } from "../../workloads/common/storage";
import { setup } from "../../workloads/functions/setup/index";
import type { Manifest } from "../../workloads/jobs/publish";
import { execution, executionInput, putData, sampleLabels, stageSettings } from "../support/ensemble";
import { Executions, type Trained } from "../support/executions";
import { S3_KINDS, useS3, type LocalS3 } from "../support/s3";

/** The endpoint of the suite that runs. */
let s3: () => LocalS3;

let executions: Executions;

const quietly = () => executions.quietly;
const job: Executions["job"] = (...args) => executions.job(...args);
const succeed: Executions["succeed"] = (...args) => executions.succeed(...args);
const train: Executions["train"] = (...args) => executions.train(...args);
const execute: Executions["execute"] = (...args) => executions.execute(...args);

for (const kind of S3_KINDS) {
    describe(`functions and jobs together, with S3 that is ${kind}`, function () {
        this.timeout(60_000);
        const own = useS3(kind);
        before(() => {
            s3 = own;
            executions = new Executions(own().storage);
        });
        let bucket: string;
        let data: string;
        let first: Trained;

        before(async () => {
            bucket = await s3().bucket();
            data = `${bucket}/2019-08-31T21:53:12+0200`;
            await putData(s3().storage, data, sampleLabels(12));
            first = await execute(bucket, "first", executionInput(data));
        });

        it("trains everything the first time, and says that it is the first time", () => {
            assert.equal(first.run.members.text.reason, "trains: first training");
            assert.equal(first.run.members.image.split, "new");
            assert.equal(first.run.combiner.action, "train");
        });

        it("holds out the share of stacks that the configuration says, whole stacks only", () => {
            const test = new Set(first.pages.filter(({ split }) => split === "test").map(({ stack }) => stack));
            assert.equal(test.size, 3);
            assert.ok(first.pages.every(({ stack, split }) => (split === "test") === test.has(stack)));
        });

        it("joins out-of-fold predictions of training pages and the mean of the folds for test pages", async () => {
            const table = (
                (await s3().storage.text(
                    joinS3(first.run.output_artifact_paths.sequence_model_training_dataframe, "dataframe.csv"),
                )) ?? ""
            ).split("\n");
            assert.equal(
                table[0],
                "stack,page,class,begins_document,split,image:bill,image:letter,text:bill,text:letter",
            );
            const rows = table
                .slice(1)
                .filter((line) => line !== "")
                .map((line) => line.split(","));
            assert.equal(rows.length, first.pages.length);
            assert.ok(rows.filter((row) => row[4] === "test").every((row) => row[5] === "0.5" && row[6] === "0.5"));
            assert.ok(rows.filter((row) => row[4] === "train").every((row) => ["0.25", "0.75"].includes(row[5])));
            assert.ok(rows.filter((row) => row[2] === "letter").every((row) => row[8] === "0.9"));
        });

        it("publishes all models with hashes of their content, metrics and keys, and a pointer to them", async () => {
            const output = first.run.output_artifact_paths.ready_to_use_artifacts;
            const manifest = (await s3().storage.json(joinS3(output, "manifest.json"))) as Manifest;
            assert.deepEqual(Object.keys(manifest.members), ["image", "text"]);
            assert.deepEqual(manifest.missing, []);
            assert.equal(manifest.execution, "first");
            for (const [name, entry] of [
                ...Object.entries(manifest.members),
                [manifest.combiner.name, manifest.combiner] as const,
            ]) {
                assert.deepEqual(Object.keys(entry.files), ["model.json", "weights/a.bin"]);
                for (const [file, hash] of Object.entries(entry.files)) {
                    assert.equal(sha256((await s3().storage.text(joinS3(output, entry.path, file))) ?? ""), hash);
                }
                assert.deepEqual(entry.metrics, { page_accuracy: 0.9 });
                assert.equal(entry.key, (name === "sequence" ? first.run.combiner : first.run.members[name]).key);
            }
            const latest = (await s3().storage.json(`${bucket}/model_training_data/published/latest.json`)) as {
                manifest: string;
            };
            assert.equal(latest.manifest, joinS3(output, "manifest.json"));
        });

        it("reuses everything when nothing changed, and says whose work it is", async () => {
            const { run } = await execute(bucket, "second", executionInput(data));
            for (const model of [run.members.text, run.members.image, run.combiner]) {
                assert.equal(model.action, "reuse");
                assert.match(
                    model.reason,
                    /^reused: same key [0-9a-f]{8}, trained \d{4}-\d\d-\d\d by execution first$/,
                );
            }
            assert.equal(run.members.image.split, "none");
        });

        it("trains what changed and the combiner, and says what changed", async () => {
            const input = executionInput(data, { image_model: { hyperparameters: { max_lr: 0.05, worker: 2 } } });
            const { run } = await execute(bucket, "third", input);
            assert.equal(run.members.text.action, "reuse");
            assert.equal(run.members.image.reason, "trains: hyperparameter max_lr changed 0.1 -> 0.05");
            assert.equal(run.members.image.hyperparameters.worker, "2");
            assert.match(run.combiner.reason, /^trains: member image changed [0-9a-f]{8} -> [0-9a-f]{8}$/);
        });

        it("trains a forced member again, and the combiner with it", async () => {
            const run = await setup(
                {
                    settings: stageSettings(bucket),
                    input: executionInput(data, { force: ["text"] }),
                    execution: execution("forced"),
                },
                quietly(),
            );
            assert.equal(run.members.text.reason, "trains: force");
            // the finished training's checkpoint would leave a forced one nothing to do
            assert.ok(
                run.members.text.checkpoint_path.endsWith(`/checkpoints/text/${run.members.text.key}-forced-${run.id}`),
            );
            assert.ok(run.members.image.checkpoint_path.endsWith(`/checkpoints/image/${run.members.image.key}`));
            assert.equal(run.members.image.action, "reuse");
            assert.equal(run.combiner.reason, "trains: so do text that it learns from");
        });

        it("does not take a damaged artefact for a finished model", async () => {
            const input = executionInput(data, { text_model: { hyperparameters: { c: 3 } } });
            const { run } = await execute(bucket, "damaged", input);
            await s3().storage.put(
                joinS3(run.members.text.output_path, "documents-dev-text-damaged-0-0-0/output/output.tar.gz"),
                "half",
            );
            const again = await setup(
                { settings: stageSettings(bucket), input, execution: execution("again") },
                quietly(),
            );
            assert.equal(again.members.text.action, "train");
            assert.match(
                again.members.text.reason,
                /the model of the same key is not whole: .*output\.tar\.gz is not what was registered \(4 bytes/,
            );
        });

        it(
            "takes given models and fetched data of an earlier execution: nothing trains, nothing " + "is copied twice",
            async () => {
                const paths = first.run.output_artifact_paths;
                const input = executionInput(
                    paths.raw_data,
                    {},
                    {
                        image_model: false,
                        text_model: false,
                        fetch_preprocessing_artifacts: false,
                        generate_image_model_split: false,
                    },
                    {
                        image_model_artifact_path: paths.image_model_prefix,
                        text_model_artifact_path: paths.text_model_prefix,
                    },
                );
                const { run } = await execute(bucket, "given", input);
                assert.equal(run.members.text.action, "skip");
                assert.equal(run.fetch, true);
                assert.equal(run.parameters.fetch.COPY, "no");
                assert.equal(run.output_artifact_paths.raw_data, paths.raw_data);
                assert.equal(run.members.image.key, first.run.members.image.key);
                assert.equal(run.combiner.action, "reuse");
                const plan = (await s3().storage.json(`${bucket}/model_training_data/runs/given/plan.json`)) as Plan;
                assert.match(plan.members.text.reason, /^given: s3:.*\/runs\/first\/text, key [0-9a-f]{8}/);
            },
        );

        it("accepts bare archives of a registered model, and refuses those that nobody knows", async () => {
            const bare = `${bucket}/bare`;
            const trained = joinS3(first.run.members.text.output_path, "documents-dev-text-first-0-0-0/output");
            for (const file of ["model.tar.gz", "output.tar.gz"]) {
                const object = await s3().storage.head(joinS3(trained, file));
                assert.ok(object);
                await s3().storage.copy(object.uri, object.etag, joinS3(bare, file));
            }
            const input = executionInput(data, {}, { text_model: false }, { text_model_artifact_path: bare });
            const { run } = await execute(bucket, "bare", input);
            assert.equal(run.members.text.key, first.run.members.text.key);

            await s3().storage.put(joinS3(bare, "output.tar.gz"), "other");
            await assert.rejects(
                setup({ settings: stageSettings(bucket), input, execution: execution("unknown") }, quietly()),
                {
                    name: "InputError",
                    message: /text_model_artifact_path: got "s3:.*bare", expected a model whose data is known/,
                },
            );
        });

        it("refuses a given model that was trained on other data", async () => {
            const other = `${bucket}/other`;
            await putData(s3().storage, other, sampleLabels(13));
            const given = { text_model_artifact_path: first.run.output_artifact_paths.text_model_prefix };
            const input = executionInput(other, {}, { text_model: false }, given);
            await assert.rejects(
                setup({ settings: stageSettings(bucket), input, execution: execution("otherdata") }, quietly()),
                { message: /trained on this very data.*input data changed/ },
            );
            const held = executionInput(data, {}, { text_model: false }, given);
            await assert.rejects(
                setup(
                    { settings: stageSettings(bucket, { seed: 2 }), input: held, execution: execution("otherseed") },
                    quietly(),
                ),
                { message: /seed changed 1 -> 2/ },
            );
        });

        it("publishes without a tolerated member and names it; its combiner is not found by the full key", async () => {
            const settings = stageSettings(bucket, { quorum: 1 });
            const input = executionInput(data, { sequence_model: { hyperparameters: { epochs: 7 } } });
            const run = await setup({ settings, input, execution: execution("partial") }, quietly());
            await succeed("fetch", run.parameters.fetch);
            await succeed("merge", { ...run.parameters.merge, INPUT_PATH_CNN: "-" });
            await train("sequence", run, "partial", {});
            await succeed("publish", { ...run.parameters.publish, INPUT_PATH_IMAGE: "-" });
            const manifest = (await s3().storage.json(
                joinS3(run.output_artifact_paths.ready_to_use_artifacts, "manifest.json"),
            )) as Manifest;
            assert.deepEqual([Object.keys(manifest.members), manifest.missing], [["text"], ["image"]]);
            // What it learned from, not what was planned: nobody may take it for a combiner of all members.
            const planned = (await s3().storage.json(joinS3(settings.artifactBase, "runs/partial/plan.json"))) as Plan;
            const trained = (await s3().storage.json(
                joinS3(run.output_artifact_paths.sequence_model_prefix, "trained.json"),
            )) as TrainedModel;
            const { text, image: _image, ...others } = planned.combiner.identity.members as Record<string, string>;
            assert.deepEqual(others, {});
            assert.deepEqual(trained.identity, { ...planned.combiner.identity, members: { text } });
            assert.deepEqual(
                [trained.missing, trained.reason],
                [["image"], "trains: without image, which failed in this execution"],
            );
            const after = await setup({ settings, input, execution: execution("whole") }, quietly());
            assert.equal(after.combiner.action, "train");
        });

        it("publishes nothing below the gate, keeps what was trained and leaves the pointer", async () => {
            const minimum = { ...stageSettings(bucket).members.text, minimumMetrics: { page_accuracy: 0.95 } };
            const settings = stageSettings(bucket, { members: { ...stageSettings(bucket).members, text: minimum } });
            const latest = `${bucket}/model_training_data/published/latest.json`;
            const before = await s3().storage.text(latest);
            const run = await setup(
                { settings, input: executionInput(data), execution: execution("gated") },
                quietly(),
            );
            const { code, errors } = await job("publish", run.parameters.publish);
            assert.equal(code, 1);
            assert.match(
                errors.at(-1) ?? "",
                /^QualityGate: text page_accuracy is 0.9, at least 0.95 is required; nothing was published/,
            );
            const output = run.output_artifact_paths.ready_to_use_artifacts;
            assert.equal(await s3().storage.head(joinS3(output, "manifest.json")), undefined);
            assert.equal(await s3().storage.text(joinS3(output, "failure.txt")), `${errors.at(-1)}\n`);
            assert.equal(await s3().storage.text(latest), before);
        });

        it("does not lead the pointer back to an execution that started earlier and came in later", async () => {
            const latest = `${bucket}/model_training_data/published/latest.json`;
            const { execution: newest, startTime } = (await s3().storage.json(latest)) as {
                execution: string;
                startTime: string;
            };
            const before = new Date(Date.parse(startTime) - 1).toISOString();
            const run = await setup(
                {
                    settings: stageSettings(bucket),
                    input: executionInput(data),
                    execution: { ...execution("slow"), startTime: before },
                },
                quietly(),
            );
            assert.match(
                (await succeed("publish", run.parameters.publish)).at(-1) ?? "",
                new RegExp(
                    `are published in .*; published/latest.json stays with execution ${newest}, which started later`,
                ),
            );
            assert.equal(((await s3().storage.json(latest)) as { execution: string }).execution, newest);
            const manifest = (await s3().storage.json(
                joinS3(run.output_artifact_paths.ready_to_use_artifacts, "manifest.json"),
            )) as Manifest;
            assert.equal(manifest.execution, "slow");
        });

        describe("while another execution moves the pointer", () => {
            const latest = () => `${bucket}/model_training_data/published/latest.json`;

            beforeEach(() => s3().storage.remove(latest()));
            after(() => s3().storage.remove(latest()));

            /** Another execution publishes just before the pointer would be written. */
            class Raced extends Storage {
                private raced = false;

                constructor(private readonly others: object) {
                    super(s3().storage.client);
                }

                override async replaceJson(uri: string, value: unknown, etag: string | undefined): Promise<boolean> {
                    if (!this.raced) {
                        this.raced = true;
                        await this.putJson(uri, this.others);
                    }
                    return super.replaceJson(uri, value, etag);
                }
            }

            async function race(name: string, others: object, storage: Storage = new Raced(others)) {
                const event = {
                    settings: stageSettings(bucket),
                    input: executionInput(data),
                    execution: execution(name),
                };
                const run = await setup(event, quietly());
                const parameters = { ...run.parameters.publish, GATE: JSON.stringify({ maximumRegression: 0.02 }) };
                return { run, ...(await job("publish", parameters, storage)) };
            }

            it("gives up, to be tried again, where the pointer is never what was read", async () => {
                class NeverFirst extends Storage {
                    attempts = 0;

                    override replaceJson(): Promise<boolean> {
                        this.attempts++;
                        return Promise.resolve(false);
                    }
                }
                const storage = new NeverFirst(s3().storage.client);
                const { code, errors } = await race("never", {}, storage);
                assert.equal(code, 1);
                assert.match(
                    errors.at(-1) ?? "",
                    /^StorageError: .*latest\.json was another object at each of 10 attempts/,
                );
                assert.equal(storage.attempts, 10);
                assert.equal(await s3().storage.head(latest()), undefined);
            });

            it("writes over what an earlier one published meanwhile", async () => {
                const { code, errors } = await race("raced", {
                    execution: "meanwhile",
                    startTime: "2020-01-01T00:00:00.000Z",
                });
                assert.deepEqual([code, errors], [0, []]);
                assert.equal(((await s3().storage.json(latest())) as { execution: string }).execution, "raced");
            });

            it("leaves what a later one published meanwhile", async () => {
                const { code, lines } = await race("overtaken", {
                    execution: "later",
                    startTime: "2999-01-01T00:00:00.000Z",
                });
                assert.equal(code, 0);
                assert.match(lines.at(-1) ?? "", /stays with execution later, which started later/);
                assert.equal(((await s3().storage.json(latest())) as { execution: string }).execution, "later");
            });

            it("is judged against what was published meanwhile, and publishes nothing below it", async () => {
                const metrics = { text: { page_accuracy: 0.99 } };
                const { run, code, errors } = await race("worse", {
                    execution: "better",
                    startTime: "2020-01-01T00:00:00.000Z",
                    metrics,
                });
                assert.equal(code, 1);
                assert.match(
                    errors.at(-1) ?? "",
                    /^QualityGate: text page_accuracy fell from 0.99 to 0.9.*; nothing was published/,
                );
                assert.equal(((await s3().storage.json(latest())) as { execution: string }).execution, "better");
                assert.equal(
                    await s3().storage.head(joinS3(run.output_artifact_paths.ready_to_use_artifacts, "manifest.json")),
                    undefined,
                );
            });
        });

        it("gives the same answer when Setup is called twice", async () => {
            const event = {
                settings: stageSettings(bucket),
                input: executionInput(data),
                execution: execution("twice"),
            };
            assert.deepEqual(await setup(event, quietly()), await setup(event, quietly()));
        });
    });
}
