import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import * as tar from "tar";
import type { AwsError } from "../../local/awsError";
import type { ObjectStore } from "../../local/storage/objectStore";
import { createBucket } from "../../local/storage/mirror";
import { downloadObject, listObjects } from "../../local/storage/transfer";
import { launchTrainingJob, type LauncherOptions, type TrainingJobRequest } from "../../local/training/launcher";
import { objectStore, python, sandbox, type Sandbox } from "./support";

const BUCKET = "ensemble-test-artifacts";

describe("local/training/launcher: the container contract", () => {
    let box: Sandbox;
    let store: ObjectStore;
    let number = 0;
    const usedNames = new Set<string>();

    before(async function () {
        box = sandbox();
        store = await objectStore(this, box);
        await createBucket(store.s3, BUCKET);
        for (const [key, text] of [
            ["data/labels.csv", "a"],
            ["data/text/s1/001.txt", "one"],
            ["data/text/s1/002.txt", "two"],
        ]) {
            await put(key, text);
        }
    });
    after(() => box?.clean());

    const put = (key: string, body: string | Buffer) =>
        store.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));

    /** A "container" that is a shell script, with SAGEMAKER_BASE_DIR in place of /opt/ml. */
    function container(script: string): LauncherOptions["program"] {
        const file = path.join(box.directory, `train-${number}`);
        writeFileSync(file, `#!/bin/sh\nset -e\ncd "$SAGEMAKER_BASE_DIR"\n${script}\n`);
        chmodSync(file, 0o755);
        return () => ({ command: [file], cwd: box.directory });
    }

    function request(change: Partial<TrainingJobRequest> = {}): TrainingJobRequest {
        number += 1;
        return {
            TrainingJobName: `ensemble-test-${number}`,
            AlgorithmSpecification: { TrainingImage: "own", TrainingInputMode: "File" },
            HyperParameters: { kernel: "linear", c: "1.0" },
            InputDataConfig: [
                {
                    ChannelName: "training",
                    DataSource: {
                        S3DataSource: {
                            S3Uri: `s3://${BUCKET}/data`,
                            S3DataType: "S3Prefix",
                            S3DataDistributionType: "FullyReplicated",
                        },
                    },
                },
            ],
            OutputDataConfig: { S3OutputPath: `s3://${BUCKET}/out` },
            ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 1, VolumeSizeInGB: 10 },
            StoppingCondition: { MaxRuntimeInSeconds: 3600 },
            ...change,
        };
    }

    function launch(job: TrainingJobRequest, script: string, more: Partial<LauncherOptions> = {}) {
        return launchTrainingJob(job, {
            s3: store.s3,
            supervisor: box.supervisor,
            workspace: path.join(box.directory, "jobs"),
            log: path.join(box.directory, `${job.TrainingJobName}.log`),
            python,
            arnPrefix: "arn:aws:sagemaker:eu-central-1:123456789012",
            program: container(script),
            usedNames,
            ...more,
        });
    }

    async function failure(promise: Promise<unknown>): Promise<Record<string, string>> {
        const error = await promise.then(
            () => assert.fail("the job should have failed"),
            (reason: AwsError) => reason,
        );
        assert.equal(error.error, "States.TaskFailed");
        return JSON.parse(error.causeText) as Record<string, string>;
    }

    async function archive(job: TrainingJobRequest, name: string): Promise<string> {
        const directory = path.join(box.directory, `${job.TrainingJobName}-${name}`);
        mkdirSync(directory);
        await downloadObject(
            store.s3,
            { bucket: BUCKET, key: `out/${job.TrainingJobName}/output/${name}.tar.gz` },
            `${directory}.tar.gz`,
        );
        await tar.x({ file: `${directory}.tar.gz`, cwd: directory });
        return directory;
    }

    it("a plain container finds its files and its outputs become archives at S3OutputPath", async () => {
        const job = request();
        const describe = await launch(
            job,
            "cp input/config/*.json model/; cp -r input/data/training output/data/; env > output/data/env",
        );
        assert.equal(describe.TrainingJobStatus, "Completed");
        assert.deepEqual(describe.ModelArtifacts, {
            S3ModelArtifacts: `s3://${BUCKET}/out/${job.TrainingJobName}/output/model.tar.gz`,
        });
        const model = await archive(job, "model");
        const read = (file: string) => JSON.parse(readFileSync(path.join(model, file), "utf8")) as unknown;
        assert.deepEqual(read("hyperparameters.json"), { kernel: "linear", c: "1.0" });
        assert.deepEqual(read("inputdataconfig.json"), {
            training: { TrainingInputMode: "File", S3DistributionType: "FullyReplicated", RecordWrapperType: "None" },
        });
        assert.deepEqual((read("resourceconfig.json") as { hosts: unknown; current_host: unknown }).hosts, ["algo-1"]);
        const output = await archive(job, "output");
        assert.equal(readFileSync(path.join(output, "training/text/s1/002.txt"), "utf8"), "two");
        assert.equal(readFileSync(path.join(output, "training/labels.csv"), "utf8"), "a");
        const environment = readFileSync(path.join(output, "env"), "utf8");
        assert.match(environment, new RegExp(`^TRAINING_JOB_NAME=${job.TrainingJobName}$`, "m"));
        assert.doesNotMatch(environment, /^AWS_/m);
    });

    it("script mode unpacks sourcedir.tar.gz, decodes the hyperparameters and fills the SM_ variables", async () => {
        const code = path.join(box.directory, "code");
        mkdirSync(code);
        writeFileSync(
            path.join(code, "train.py"),
            [
                "import json, os, sys",
                "out = os.environ['SM_OUTPUT_DATA_DIR']",
                "json.dump({'args': sys.argv[1:], 'env': {k: v for k, v in os.environ.items() if " +
                    "k.startswith('SM_')}, 'cwd': os.getcwd()}," +
                    " open(os.path.join(out, 'seen.json'), 'w'))",
            ].join("\n"),
        );
        await tar.c({ file: `${code}.tar.gz`, cwd: code, gzip: true }, ["train.py"]);
        await put("code/sourcedir.tar.gz", readFileSync(`${code}.tar.gz`));
        const job = request({
            HyperParameters: {
                sagemaker_program: '"train.py"',
                sagemaker_submit_directory: `"s3://${BUCKET}/code/sourcedir.tar.gz"`,
                sagemaker_container_log_level: "20",
                rnn_type: '"gru"',
                epochs: "20",
                max_lr: "0.1",
                augment: "true",
                k: "4",
            },
        });
        await launch(job, "exit 9");
        const seen = JSON.parse(readFileSync(path.join(await archive(job, "output"), "seen.json"), "utf8")) as {
            args: string[];
            env: Record<string, string>;
            cwd: string;
        };
        assert.deepEqual(seen.args, [
            "--augment",
            "True",
            "--epochs",
            "20",
            "-k",
            "4",
            "--max_lr",
            "0.1",
            "--rnn_type",
            "gru",
        ]);
        assert.equal(seen.env.SM_HP_RNN_TYPE, "gru");
        assert.deepEqual(JSON.parse(seen.env.SM_HPS), {
            augment: true,
            epochs: 20,
            k: 4,
            max_lr: 0.1,
            rnn_type: "gru",
        });
        assert.deepEqual(JSON.parse(seen.env.SM_CHANNELS), ["training"]);
        assert.equal(seen.env.SM_CURRENT_HOST, "algo-1");
        assert.ok(seen.env.SM_CHANNEL_TRAINING.endsWith("input/data/training"));
        assert.equal(path.basename(seen.cwd), "code");
    });

    it("several hosts run with their own names and end in one archive", async () => {
        const job = request({ ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 3 } });
        await launch(
            job,
            'h=$(sed \'s/.*"current_host":"\\([^"]*\\)".*/\\1/\' input/config/resourceconfig.json)\nmkdir model/$h; ' +
                "echo $h > model/$h/name; echo same > model/shared",
        );
        const model = await archive(job, "model");
        for (const host of ["algo-1", "algo-2", "algo-3"]) {
            assert.equal(readFileSync(path.join(model, host, "name"), "utf8").trim(), host);
        }
        assert.equal(readFileSync(path.join(model, "shared"), "utf8"), "same\n");
    });

    it("hosts that write the same file with different content are refused", async () => {
        const describe = await failure(
            launch(
                request({ ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 2 } }),
                "cp input/config/resourceconfig.json model/model.json",
            ),
        );
        assert.match(
            describe.FailureReason,
            /ClientError: .*hosts algo-1 and algo-2 both wrote model.json, with different content/,
        );
    });

    it("output/failure becomes the FailureReason, cut to 1,024 characters with the exit code kept", async () => {
        const describe = await failure(
            launch(
                request(),
                "printf 'DataError: labels.csv line 7: ' > output/failure; head -c 2000 /dev/zero | tr '\\0' x >> " +
                    "output/failure; exit 1",
            ),
        );
        assert.match(describe.FailureReason, /^AlgorithmError: DataError: labels.csv line 7: x+, exit code: 1$/);
        assert.equal(describe.FailureReason.length, 1024);
        assert.equal(describe.TrainingJobStatus, "Failed");
    });

    it("a program that dies without a reason is reported with its last line", async () => {
        const describe = await failure(launch(request(), "echo something went wrong >&2; exit 4"));
        assert.match(describe.FailureReason, /^AlgorithmError: .*something went wrong, exit code: 4$/);
    });

    it("a program that is killed from outside fails the job as an AlgorithmError", async () => {
        const job = launch(request(), "sleep 60", { onStart: (_host, child) => child.kill("SIGKILL") });
        const describe = await failure(job);
        assert.match(describe.FailureReason, /^AlgorithmError: .*SIGKILL.*exit code: 137$/);
    });

    it("the failure of one host ends the others", async () => {
        const started = Date.now();
        const describe = await failure(
            launch(
                request({ ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 2 } }),
                'if grep -q \'"current_host":"algo-2"\' input/config/resourceconfig.json; then echo broken > ' +
                    "output/failure; exit 1; fi; sleep 60",
            ),
        );
        assert.match(describe.FailureReason, /broken/);
        assert.ok(Date.now() - started < 20_000);
    });

    it("the time limit ends in Stopped, MaxRuntimeExceeded, which is no exception", async () => {
        const describe = await launch(request({ StoppingCondition: { MaxRuntimeInSeconds: 1 } }), "sleep 60", {
            graceMs: 200,
        });
        assert.equal(describe.TrainingJobStatus, "Stopped");
        assert.equal(describe.SecondaryStatus, "MaxRuntimeExceeded");
    });

    it("an abort ends the processes and is no failure of the job", async () => {
        const abort = new AbortController();
        const job = launch(request(), "sleep 60", {
            signal: abort.signal,
            onStart: () => setTimeout(() => abort.abort(), 50),
        });
        await assert.rejects(job, (error: Error) => error.name === "AbortError");
    });

    it("checkpoints reach S3 while the job runs and are restored to every host of the next attempt", async () => {
        const checkpoint = { S3Uri: `s3://${BUCKET}/checkpoints/key` };
        let uploads = 0;
        await failure(
            launch(
                request({ CheckpointConfig: checkpoint }),
                "mkdir -p checkpoints/fold-0; echo 3 > checkpoints/fold-0/epoch; sleep 1; exit 1",
                {
                    checkpointIntervalMs: 100,
                    onCheckpoint: () => {
                        uploads += 1;
                    },
                },
            ),
        );
        assert.equal(uploads, 1);
        assert.deepEqual(
            (await listObjects(store.s3, BUCKET, "checkpoints/")).map(({ key }) => key),
            ["checkpoints/key/fold-0/epoch"],
        );
        const job = request({
            CheckpointConfig: checkpoint,
            ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 2 },
        });
        await launch(job, 'test "$(cat checkpoints/fold-0/epoch)" = 3');
    });

    it("a channel without objects fails with the address that is empty", async () => {
        const job = request();
        const describe = await failure(
            launch(
                {
                    ...job,
                    InputDataConfig: [
                        {
                            ChannelName: "training",
                            DataSource: {
                                S3DataSource: { S3Uri: `s3://${BUCKET}/nothing/here`, S3DataType: "S3Prefix" },
                            },
                        },
                    ],
                },
                "true",
            ),
        );
        assert.match(
            describe.FailureReason,
            /ClientError: Data download failed for channel training: no S3 objects found under S3 URL "s3:\/\/ensemble-test-artifacts\/nothing\/here"/,
        );
    });

    const refused: readonly (readonly [string, Partial<TrainingJobRequest>, RegExp])[] = [
        ["a name with an underscore", { TrainingJobName: "a_b" }, /trainingJobName/],
        ["a name of 64 characters", { TrainingJobName: "a".repeat(64) }, /trainingJobName/],
        [
            "a number as a hyperparameter",
            { HyperParameters: { epochs: 3 as unknown as string } },
            /hyperParameters.epochs is 3, a string is expected/,
        ],
        ["a value of 2,501 characters", { HyperParameters: { x: "y".repeat(2501) } }, /2501 characters/],
        ["Spot without a maximum wait", { EnableManagedSpotTraining: true }, /maxWaitTimeInSeconds/],
    ];
    for (const [what, change, message] of refused) {
        it(`${what} is refused as SageMaker does it`, async () => {
            await assert.rejects(launch(request(change), "true"), (error: AwsError) => {
                assert.equal(error.error, "SageMaker.AmazonSageMakerException");
                assert.match(error.causeText, message);
                return true;
            });
        });
    }

    it("a name that was used before is refused, also after a failure", async () => {
        const job = request();
        await failure(launch(job, "exit 1"));
        await assert.rejects(launch(job, "true"), /with this name already exists/);
    });

    it("leaves no inputs behind after success", async () => {
        const job = request();
        await launch(job, "true");
        assert.equal(existsSync(path.join(box.directory, "jobs", job.TrainingJobName, "channels")), false);
    });
});
