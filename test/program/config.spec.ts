import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import type * as z from "zod";
import { CONFIG_KEYS, ConfigError, decodeConfig, loadStageConfig, type RawConfig } from "../../stacks/config";

const root = path.resolve(__dirname, "../..");

/** The least that a stage must say: everything else has a default. */
const least = { containers: { allowTags: true } };

function problemsOf(raw: RawConfig, stage = "dev"): readonly string[] {
    try {
        loadStageConfig(stage, { ...least, ...raw });
    } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        return error.problems;
    }
    return [];
}

describe("the stack configuration", () => {
    it("has the talk's hyperparameters as defaults", () => {
        const { models } = loadStageConfig("prod", least);
        const { image, sequence } = models;
        assert.deepEqual(
            [
                image.hyperparameters.epochs,
                image.hyperparameters.batch_size,
                image.hyperparameters.conv_block_length,
                image.hyperparameters.cycle_length,
                image.hyperparameters.depth,
                image.hyperparameters.dropout,
                image.hyperparameters.max_lr,
                image.hyperparameters.min_lr,
                image.hyperparameters.start_filter,
                image.hyperparameters.worker,
            ],
            [80, 128, 2, 10, 5, 0.5, 0.1, 0.0001, 4, 4],
        );
        assert.deepEqual(
            [
                sequence.hyperparameters.epochs,
                sequence.hyperparameters.epoch_seq,
                sequence.hyperparameters.val_seq,
                sequence.hyperparameters.dropout,
                sequence.hyperparameters.learning_rate,
                sequence.hyperparameters.lr_schedule_epoch,
                sequence.hyperparameters.lr_schedule_factor,
                sequence.hyperparameters.mode,
                sequence.hyperparameters.net_layers,
                sequence.hyperparameters.net_width,
                sequence.hyperparameters.optimizer,
                sequence.hyperparameters.rnn_type,
            ],
            [20, 10_000, 3_000, 0, 0.001, 1, 0.5, "both", 2, 300, "rmsprop", "gru"],
        );
        assert.deepEqual([image.instanceCount, image.volumeGb, image.maxRuntimeSeconds], [4, 10, 172_800]);
        assert.deepEqual(
            [models.text.maxRuntimeSeconds, models.text.capacity[0].instanceType],
            [14_400, "ml.m5.2xlarge"],
        );
    });

    it("takes every hyperparameter that a stage gives and keeps the other defaults", () => {
        const { models } = loadStageConfig("dev", { ...least, models: { image: { hyperparameters: { epochs: 3 } } } });
        assert.equal(models.image.hyperparameters.epochs, 3);
        assert.equal(models.image.hyperparameters.depth, 5);
        assert.equal(models.text.hyperparameters.c, 0.3);
    });

    const bad: readonly [title: string, raw: RawConfig, ...expected: RegExp[]][] = [
        ["a misspelt key", { foldz: 4 }, /^foldz: unknown key; did you mean "folds"\?/],
        [
            "a misspelt key inside an object",
            { notifications: { failurs: [] } },
            /^notifications\.failurs: unknown key; did you mean "failures"\?/,
        ],
        [
            "a misspelt hyperparameter",
            { models: { image: { hyperparameters: { epoch: 3 } } } },
            /^models\.image\.hyperparameters\.epoch: unknown key; did you mean "epochs"\?/,
        ],
        [
            "an unknown model",
            { models: { texts: {} } },
            /^models\.texts: unknown key; did you mean "text"\? Known: image, text, sequence/,
        ],
        ["too few folds", { folds: 1 }, /^folds: got 1, expected at least 2/],
        ["a fold and a half", { folds: 2.5 }, /^folds: got 2\.5, expected a whole number/],
        ["folds that are no number", { folds: "four" }, /^folds: got "four", expected a value of type number/],
        ["a share beyond its open bound", { testShare: 1 }, /^testShare: got 1, expected less than 1/],
        [
            "a hyperparameter out of range",
            { models: { image: { hyperparameters: { dropout: 1 } } } },
            /^models\.image\.hyperparameters\.dropout: got 1, expected .*1/,
        ],
        [
            "a hyperparameter that is no number",
            { models: { sequence: { hyperparameters: { epochs: "many" } } } },
            /hyperparameters\.epochs: got "many", expected .*10,?000/,
        ],
        [
            "an unknown optimiser",
            { models: { sequence: { hyperparameters: { optimizer: "adamw" } } } },
            /optimizer: got "adamw", expected .*rmsprop, adam, sgd/,
        ],
        [
            "a learning rate whose bottom is above its top",
            { models: { image: { hyperparameters: { min_lr: 1 } } } },
            /^models\.image\.hyperparameters\.min_lr: got 1, expected at most max_lr, which is 0\.1$/,
        ],
        [
            "a page that is too small for the depth",
            { models: { image: { hyperparameters: { depth: 8, image_height: "2048" } } } },
            /image_width: is 192 by default, expected at least 256: it is halved 8 times \(depth\)/,
        ],
        [
            "a mode that names no member",
            { models: { sequence: { hyperparameters: { mode: "text,layout" } } } },
            /mode: got "text,layout", expected both, or names of image, text with commas/,
        ],
        [
            "a bound on a figure that nobody measures",
            { models: { text: { minimumMetrics: { page_acuracy: 0.9 } } } },
            /^models\.text\.minimumMetrics\.page_acuracy: got 0\.9, .*did you mean "page_accuracy"\?/,
        ],
        [
            "a bound in per cent",
            { models: { sequence: { minimumMetrics: { segment_f1: 92 } } } },
            /^models\.sequence\.minimumMetrics\.segment_f1: got 92, expected at most 1/,
        ],
        [
            "a bound on a figure whose name is none",
            { models: { text: { minimumMetrics: { "Page accuracy": 0.9 } } } },
            /minimumMetrics\.Page accuracy: got this name, expected the name of a metric/,
        ],
        [
            "a retired instance type",
            { models: { text: { capacity: [{ instanceType: "ml.p2.xlarge" }] } } },
            /instanceType: got "ml\.p2\.xlarge", expected ml\.g4dn, .*retired/,
        ],
        [
            "an instance type of a size that there is not",
            { models: { text: { capacity: [{ instanceType: "ml.m5.huge" }] } } },
            /instanceType: got "ml\.m5\.huge", expected one of ml\.m5\.large, /,
        ],
        [
            "a graphics card for a container that cannot use it",
            { models: { sequence: { capacity: [{ instanceType: "ml.g5.xlarge" }] } } },
            /^models\.sequence\.capacity\.0\.instanceType: got "ml\.g5\.xlarge", expected a type without graphics/,
        ],
        [
            "copies that expire while an execution may still run",
            { retention: { runDays: 2, checkpointDays: 3 } },
            /^retention\.runDays: got 2, expected at least 8/,
            /^retention\.checkpointDays: got 3, expected at least 8/,
        ],
        [
            "an instance type that is none",
            { models: { text: { capacity: [{ instanceType: "m5.large" }] } } },
            /capacity\.0\.instanceType: got "m5\.large", expected a SageMaker/,
        ],
        [
            "an empty ladder",
            { models: { text: { capacity: [] } } },
            /^models\.text\.capacity: got \[\], expected at least 1 entries/,
        ],
        [
            "a rung that is there twice",
            { models: { text: { capacity: [{ instanceType: "ml.m5.large" }, { instanceType: "ml.m5.large" }] } } },
            /ml\.m5\.large is there twice/,
        ],
        [
            "a budget shorter than one job",
            { models: { text: { maxHours: 1 } } },
            /^models\.text\.maxHours: got 1, expected at least 4 hours/,
        ],
        [
            "more machines than folds",
            { folds: 2 },
            /^models\.image\.instanceCount: is 4 by default, expected at most 2 \(folds\)/,
        ],
        ["a quorum that nobody can reach", { quorum: 3 }, /^quorum: got 3, expected 2 \(the required members\) to 2/],
        [
            "an optional combiner",
            { models: { sequence: { required: false } } },
            /^models\.sequence\.required: got false, expected true/,
        ],
        [
            "keys of data that lies nowhere",
            { dataKeys: [`arn:aws:kms:eu-central-1:123456789012:key/mrk-${"0".repeat(32)}`] },
            /^dataKeys: got .*, expected dataLocations whose buckets they encrypt$/,
        ],
        [
            "a data location that is no address",
            { dataLocations: ["data/x"] },
            /^dataLocations\.0: got "data\/x", expected s3:/,
        ],
        [
            "an address that is no e-mail",
            { notifications: { failures: ["me"] } },
            /^notifications\.failures\.0: got "me", expected an e-mail address/,
        ],
        [
            "a retention that CloudWatch does not know",
            { retention: { logDays: 10 } },
            /^retention\.logDays: got 10, expected one of 1, 3, 5/,
        ],
        [
            "a size that Fargate does not have",
            { jobs: { fetch: { vcpu: 3 } } },
            /^jobs\.fetch\.vcpu: got 3, expected one of 0\.5, 1, 2/,
        ],
        [
            "memory that does not go with the processors",
            { jobs: { split: { memoryMb: 8_192 } } },
            /^jobs\.split\.memoryMb: got 8192, expected 1024 to 4096/,
        ],
        [
            "a job that outlives its state",
            { jobs: { split: { timeoutSeconds: 7_200 } } },
            /^jobs\.split\.timeoutSeconds: got 7200, expected at most 5400/,
        ],
        [
            "an unknown kind of network",
            { network: { kind: "mine" } },
            /^network\.kind: got .*, expected "default", "given" or "created"|^network: .*expected "default"/,
        ],
        [
            "a network without its subnets",
            { network: { kind: "given", vpcId: "vpc-1" } },
            /^network\.subnetIds: got nothing, expected a value of type array/,
        ],
        [
            "a block that is too small",
            { network: { kind: "created", cidr: "10.0.0.0/29" } },
            /^network\.cidr: got "10\.0\.0\.0\/29", .*expected an IPv4 block from \/16 to \/27/,
        ],
        ["a key that is no ARN", { keyArn: "alias/x" }, /^keyArn: got "alias\/x", expected the ARN of a KMS key/],
        [
            "a container without a digest",
            { containers: {} },
            /^containers\.tensorflowCpu: is "tensorflow-training:.*" by default, expected a digest/,
            /^containers\.tensorflowGpu/,
        ],
        [
            "an image without tag or digest",
            { images: { text: "repo" } },
            /^images\.text: got "repo", expected an image address/,
        ],
        [
            "a service that no name can begin with",
            { service: "Docs_1" },
            /^service: got "Docs_1", expected 2 to 20 of a-z/,
        ],
        ["a stage given as a key", { stage: "dev" }, /^stage: unknown key/],
    ];
    for (const [title, raw, ...expected] of bad) {
        it(`refuses ${title}, with key, value and bound`, () => {
            const problems = problemsOf(raw);
            for (const pattern of expected) {
                assert.ok(
                    problems.some((problem) => pattern.test(problem)),
                    `expected ${pattern}, got:\n${problems.join("\n")}`,
                );
            }
        });
    }

    it("tells all problems at once", () => {
        const problems = problemsOf({
            folds: 1,
            seed: -1,
            servise: "x",
            models: { image: { hyperparameters: { depth: 99, max_lr: 0 } } },
        });
        assert.equal(problems.length, 6, problems.join("\n"));
    });

    it("refuses a stack name that no resource could have", () => {
        assert.match(problemsOf({}, "My_Stage")[0], /^stack name: got "My_Stage", expected 2 to 16/);
        assert.match(
            problemsOf({ service: "abcdefghijklmnopqrst" }, "production1")[0],
            /^service: got "abcdefghijklmnopqrst", expected at most 16 characters/,
        );
    });

    it("takes a digest without the switch for tags", () => {
        const digest = `tensorflow-training@sha256:${"0123456789abcdef".repeat(4)}`;
        const config = loadStageConfig("dev", { containers: { tensorflowCpu: digest, tensorflowGpu: digest } });
        assert.equal(config.containers.tensorflowCpu, digest);
    });

    it("is declared in Pulumi.yaml: the same keys, texts and defaults", () => {
        const declared = parse(fs.readFileSync(path.join(root, "Pulumi.yaml"), "utf8")) as {
            name: string;
            config: Record<string, { type?: string; description: string; default: unknown }>;
        };
        const keys = Object.entries(declared.config);
        assert.deepEqual(
            keys.map(([key]) => key),
            Object.keys(CONFIG_KEYS).map((key) => `${declared.name}:${key}`),
        );
        for (const [key, entry] of keys) {
            const schema = CONFIG_KEYS[key.slice(declared.name.length + 1) as keyof typeof CONFIG_KEYS] as z.ZodType;
            assert.equal(entry.description, schema.description, key);
            assert.notEqual(
                entry.default,
                undefined,
                `${key}: without a default the engine refuses a stack that does not give it`,
            );
            const ownDefault = schema.safeParse(entry.default === "" ? undefined : entry.default);
            if (key.endsWith(":containers")) {
                continue;
            }
            assert.deepEqual(ownDefault.data, schema.safeParse(undefined).data, key);
        }
    });

    it("is the same for a key that is not given and for the default that stands for none", () => {
        const raw = decodeConfig({ "p:quorum": "", "p:keyArn": "", "p:folds": "4" }, "p");
        assert.deepEqual(raw, { folds: 4 });
    });

    it("reads values as Pulumi hands them out, and leaves other projects' keys alone", () => {
        const raw = decodeConfig(
            { "p:folds": "4", "p:service": "true", "p:models": '{"image":{}}', "p:seed": "one", "aws:region": "x" },
            "p",
        );
        assert.deepEqual(raw, { folds: 4, service: "true", models: { image: {} }, seed: "one" });
    });
});
