import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { hyperparametersFile, hyperparametersText } from "../../scripts/hyperparametersSchema";
import {
    defaultsOf,
    encodeHyperparameter,
    encodeHyperparameters,
    HYPERPARAMETERS,
    schemaOf,
    type HyperparameterTable,
} from "../../workflow/hyperparameters";

/** How AWS's toolkit reads a value: as JSON, and where that fails as the text that it is. */
function decode(value: string): unknown {
    try {
        return JSON.parse(value);
    } catch {
        return value;
    }
}

const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
    fc.boolean(),
    fc.constantFrom("1", "true", "null", "1e5", '"quoted"', "gru", "logs/sagemaker", "[1]", "NaN"),
);

describe("the encoding of hyperparameters", () => {
    it("comes back from the toolkit's decoding as it was, type included", () => {
        fc.assert(fc.property(value, (given) => assert.deepEqual(decode(encodeHyperparameter(given, "json")), given)));
    });

    it("is the bare text for a container that reads it as it is", () => {
        fc.assert(fc.property(value, (given) => assert.equal(encodeHyperparameter(given, "plain"), String(given))));
        assert.equal(encodeHyperparameter("gru", "plain"), "gru");
        assert.equal(encodeHyperparameter("gru", "json"), '"gru"');
    });

    it("refuses what no container can read", () => {
        assert.throws(() => encodeHyperparameter(NaN, "json"), /expected a finite number/);
    });

    it("adds what script mode needs, sorted, and leaves empty texts out", () => {
        const container = {
            encoding: "json",
            program: "train.py",
            submitDirectory: "s3://b/sourcedir.tar.gz",
        } as const;
        assert.deepEqual(encodeHyperparameters({ epochs: 80, bucket: "" }, container, "eu-central-1"), {
            epochs: "80",
            sagemaker_program: '"train.py"',
            sagemaker_region: '"eu-central-1"',
            sagemaker_submit_directory: '"s3://b/sourcedir.tar.gz"',
        });
        assert.deepEqual(Object.keys(encodeHyperparameters({ c: 1 }, { encoding: "plain" }, "eu-central-1")), ["c"]);
    });

    it("refuses more, longer names and longer values than SageMaker takes", () => {
        const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`h${index}`, index]));
        assert.throws(
            () => encodeHyperparameters(many, { encoding: "plain" }, "r"),
            /101 hyperparameters, job_name included; SageMaker takes 100/,
        );
        assert.throws(
            () => encodeHyperparameters({ ["n".repeat(257)]: 1 }, { encoding: "plain" }, "r"),
            /the name has 257 characters/,
        );
        assert.throws(
            () => encodeHyperparameters({ text: "v".repeat(2_499) }, { encoding: "json" }, "r"),
            /2501 characters encoded/,
        );
    });
});

describe("the tables of hyperparameters", () => {
    it("have the talk's values as defaults", () => {
        const { image, sequence } = HYPERPARAMETERS;
        const talk = {
            image: {
                epochs: 80,
                conv_block_length: 2,
                cycle_length: 10,
                depth: 5,
                dropout: 0.5,
                max_lr: 0.1,
                min_lr: 0.0001,
                start_filter: 4,
                worker: 4,
                s3_log_folder: "logs/sagemaker",
                sagemaker_container_log_level: 20,
                sagemaker_enable_cloudwatch_metrics: false,
            },
            sequence: {
                epochs: 20,
                epoch_seq: 10_000,
                val_seq: 3_000,
                dropout: 0,
                learning_rate: 0.001,
                lr_schedule_epoch: 1,
                lr_schedule_factor: 0.5,
                mode: "both",
                net_layers: 2,
                net_width: 300,
                optimizer: "rmsprop",
                rnn_type: "gru",
            },
        };
        const pairs: [HyperparameterTable, Record<string, unknown>][] = [
            [image, talk.image],
            [sequence, talk.sequence],
        ];
        for (const [table, wanted] of pairs) {
            const defaults = defaultsOf(table);
            for (const [name, expected] of Object.entries(wanted)) {
                assert.equal(defaults[name], expected, name);
            }
        }
    });

    it("have defaults within their own bounds, and a description each", () => {
        for (const table of Object.values(HYPERPARAMETERS) as HyperparameterTable[]) {
            for (const [name, spec] of Object.entries(table)) {
                assert.ok(spec.description.endsWith("."), name);
                if (typeof spec.default === "number") {
                    assert.ok(
                        spec.default >= (spec.minimum ?? -Infinity) && spec.default <= (spec.maximum ?? Infinity),
                        name,
                    );
                    assert.ok(spec.type !== "integer" || Number.isInteger(spec.default), name);
                    assert.ok(!(spec.exclusiveMinimum === true && spec.default === spec.minimum), name);
                    assert.ok(!(spec.exclusiveMaximum === true && spec.default === spec.maximum), name);
                }
                assert.ok(spec.values === undefined || spec.values.includes(String(spec.default)), name);
            }
        }
    });

    it("are what the training scripts read", () => {
        assert.equal(
            readFileSync(hyperparametersFile, "utf8"),
            hyperparametersText(),
            "run npm run schema:hyperparameters",
        );
    });

    it("mark what no model learns from", () => {
        const { image } = HYPERPARAMETERS;
        assert.deepEqual(
            Object.entries(schemaOf(image))
                .filter(([, rule]) => !rule.learning)
                .map(([name]) => name),
            [
                "worker",
                "bucket",
                "s3_log_folder",
                "sagemaker_container_log_level",
                "sagemaker_enable_cloudwatch_metrics",
            ],
        );
    });
});
