import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { inputSchemaText, schemaFile } from "../../scripts/inputSchema";
import { readHyperparameter } from "../../workflow/hyperparameterRules";
import { describeProblem, isInside, readInput } from "../../workflow/input";
import { executionInput, stageSettings } from "../support/ensemble";

const settings = stageSettings("s3://bucket");
const good = executionInput("s3://bucket/2019-08-31T21:53:12+0200/");

function problemsOf(input: unknown): string[] {
    const { problems } = readInput(input, settings);
    return problems.map(describeProblem);
}

describe("input of an execution", () => {
    it("is completed: defaults of the stage, paths without slashes, empty paths as none", () => {
        const { input, problems } = readInput(good, settings);
        assert.deepEqual(problems, []);
        assert.equal(input?.dataPath, "s3://bucket/2019-08-31T21:53:12+0200");
        assert.equal(input?.target, "s3://bucket/model_training_data");
        assert.deepEqual(input?.members.text, {
            train: true,
            forced: false,
            given: undefined,
            hyperparameters: { c: 1.5, worker: 4 },
            capacity: settings.members.text.capacity,
        });
    });

    it("takes numbers written as strings, as the talk's input has them", () => {
        const { input } = readInput(
            executionInput("s3://bucket/x", { image_model: { batch_size: "64", log_bucket: "bucket" } }),
            settings,
        );
        assert.equal(input?.members.image.hyperparameters.batch_size, 64);
        assert.equal(input?.members.image.hyperparameters.bucket, "bucket");
    });

    it("moves all rungs of the chosen instance type to the front, in their order", () => {
        const { input } = readInput(
            executionInput("s3://bucket/x", { text_model: { instance_type: "ml.m6i.2xlarge" } }),
            settings,
        );
        assert.deepEqual(
            input?.members.text.capacity.map(({ instanceType, spot }) => `${instanceType} ${spot}`),
            ["ml.m6i.2xlarge false", "ml.m5.2xlarge true", "ml.m5.2xlarge false"],
        );
    });

    it("names a missing run_training_steps", () => {
        const { run_training_steps: _, ...rest } = good.initialization;
        assert.deepEqual(problemsOf({ initialization: rest }), [
            "initialization.run_training_steps: got nothing, expected an object; add it",
        ]);
    });

    it("tells all problems at once, each with path, value, bound and what to do", () => {
        const told = problemsOf(
            executionInput(
                "bucket/x",
                {
                    imagemodel: {},
                    image_model: {
                        instance_type: "ml.g6.xlarg",
                        hyperparameters: { max_lr: 11, min_Lr: 0.1, batch_size: 1.5, optimizer: "adm" },
                    },
                    force: ["txt"],
                },
                { text_model: false, generate_image_model_split: false },
                { preprocessed_path: "x" },
            ),
        );
        const expected = [
            /^initialization\.fetch_data\.preprocessed_data_path: got "bucket\/x", expected an address s3:/,
            /^initialization\.fetch_data\.preprocessed_path: got "x", expected one of the keys .*; did you mean preprocessed_data_path\?/,
            /^initialization\.fetch_data\.text_model_artifact_path: got "", expected the prefix of an existing text model/,
            /^initialization\.fetch_data\.image_model_split_path: got nothing, expected the prefix of a split set/,
            /^initialization\.imagemodel: got \{\}, .*did you mean image_model\?/,
            /^initialization\.image_model\.instance_type: got "ml\.g6\.xlarg", expected one of ml\.g6\.xlarge, ml\.g5\.xlarge; did you mean ml\.g6\.xlarge\?/,
            /^initialization\.image_model\.hyperparameters\.max_lr: got 11, expected a number above 0 and at most 10; change it/,
            /^initialization\.image_model\.hyperparameters\.batch_size: got 1\.5, expected a whole number at least 1 and at most 4096/,
            /^initialization\.image_model\.hyperparameters\.optimizer: got "adm", expected one of sgd, adam/,
            /^initialization\.image_model\.hyperparameters\.min_Lr: got 0\.1, .*did you mean min_lr\?/,
            /^initialization\.force\.0: got "txt", expected one of text, image, sequence; did you mean text\?/,
        ];
        for (const pattern of expected) {
            assert.ok(
                told.some((problem) => pattern.test(problem)),
                `${pattern} in\n${told.join("\n")}`,
            );
        }
        assert.equal(told.length, expected.length, told.join("\n"));
    });

    it("refuses places that the roles do not reach, and takes no prefix of a name for a place", () => {
        const [told] = problemsOf(executionInput("s3://bucketeer/x"));
        assert.match(told, /preprocessed_data_path: got "s3:\/\/bucketeer\/x", expected a place inside s3:\/\/bucket/);
        assert.equal(isInside("s3://data/a", ["s3://data/a/"]), true);
        assert.equal(isInside("s3://database", ["s3://data"]), false);
    });

    describe(
        "refuses an output base whose folders and the data overlap, where the data would grow at every " + "run:",
        () => {
            const cases: readonly (readonly [what: string, data: string, base: string, isRefused: boolean])[] = [
                ["the base is the data", "s3://bucket/docs", "s3://bucket/docs", true],
                ["the base is the data, by its marker", "s3://bucket/docs/labels.csv", "s3://bucket/docs/", true],
                ["the base lies in the data", "s3://bucket/docs", "s3://bucket/docs/out", true],
                ["the data is the whole bucket", "s3://bucket", "s3://bucket/out", true],
                ["the data is all executions' folders", "s3://bucket/out/runs", "s3://bucket/out", true],
                ["the data lies where models are kept", "s3://bucket/out/models/x", "s3://bucket/out", true],
                ["the data lies beside the base", "s3://bucket/docs", "s3://bucket/docs-out", false],
                ["the data has a folder of its own below the base", "s3://bucket/out/docs", "s3://bucket/out", false],
                ["the data is an earlier execution's", "s3://bucket/out/runs/a/raw_data", "s3://bucket/out", false],
            ];
            for (const [what, data, base, isRefused] of cases) {
                it(what, () => {
                    const told = problemsOf(executionInput(data, { output_artifact_target_base_path: base }));
                    assert.equal(told.length, isRefused ? 1 : 0, told.join());
                    if (isRefused) {
                        assert.match(
                            told[0] ?? "",
                            /output_artifact_target_base_path: .*give the data a folder of its own/,
                        );
                    }
                });
            }
        },
    );

    it("refuses to force what must never train, and two batch sizes", () => {
        const told = problemsOf(
            executionInput(
                "s3://bucket/x",
                {
                    force: ["text"],
                    image_model: { batch_size: 1, hyperparameters: { batch_size: 2 } },
                },
                { text_model: false },
                { text_model_artifact_path: "s3://bucket/runs/a/text" },
            ),
        );
        assert.equal(told.length, 2);
        assert.match(told[0], /force: got "text"/);
        assert.match(told[1], /image_model\.batch_size: got 1, expected the same as hyperparameters\.batch_size \(2\)/);
    });

    it("never throws, whatever the input is", () => {
        fc.assert(
            fc.property(fc.jsonValue(), fc.jsonValue(), (any, inner) => {
                const models = { image_model: any, text_model: { hyperparameters: inner } };
                for (const raw of [any, { initialization: any }, executionInput("s3://bucket/x", models)]) {
                    const { input, problems } = readInput(raw, settings);
                    assert.equal(input === undefined, problems.length > 0);
                }
            }),
            { numRuns: 30 },
        );
    });

    it("has a JSON Schema in docs/ that is fresh; `npm run schema:input` writes it", () => {
        assert.ok(existsSync(schemaFile));
        assert.equal(readFileSync(schemaFile, "utf-8"), inputSchemaText());
        const schema = JSON.parse(inputSchemaText()) as {
            properties: { initialization: { properties: Record<string, { properties: Record<string, unknown> }> } };
        };
        const { image_model: image } = schema.properties.initialization.properties;
        assert.ok("hyperparameters" in image.properties);
    });
});

describe("hyperparameters", () => {
    it("keep to their bounds, the open ones included", () => {
        const rule = { type: "number" as const, minimum: 0, exclusiveMinimum: true, maximum: 1, learning: true };
        fc.assert(
            fc.property(fc.double(), (value) => {
                assert.equal("value" in readHyperparameter(value, rule), value > 0 && value <= 1);
                assert.equal("value" in readHyperparameter(String(value), rule), value > 0 && value <= 1);
            }),
        );
        assert.ok("expected" in readHyperparameter("", rule));
        assert.ok("expected" in readHyperparameter(true, rule));
    });
});
