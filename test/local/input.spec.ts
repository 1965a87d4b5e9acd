import assert from "node:assert/strict";
import { executionInput, parseSettings } from "../../local/run/input";
import type { StageSettings } from "../../workflow/contract";

const models = { image: ["epochs", "batch_size"], text: ["c"], sequence: ["epochs"] };
const keys = ["folds", "models", "seed"];
const settings = {
    members: { image: { hyperparameters: { epochs: 80, batch_size: 128 } }, text: { hyperparameters: { c: 1 } } },
    combiner: { name: "sequence", hyperparameters: { epochs: 20 } },
} as unknown as StageSettings;

describe("local/run/input", () => {
    it("--set sorts hyperparameters, fields of the input and keys of the configuration", () => {
        const texts = [
            "image.epochs=3",
            "run_training_steps.text_model=false",
            "folds=3",
            "models.image.instanceCount=4",
        ];
        const parsed = parseSettings(texts, models, keys);
        assert.deepEqual(parsed.configuration, { folds: 3, models: { image: { instanceCount: 4 } } });
        assert.deepEqual(
            parsed.input.map(({ path, value }) => [path.join("."), value]),
            [
                ["image_model.hyperparameters.epochs", 3],
                ["run_training_steps.text_model", false],
            ],
        );
    });

    const refused: readonly (readonly [string, RegExp])[] = [
        ["image.epochs", /KEY=VALUE is expected/],
        ["image.epoch=3", /image has no hyperparameter epoch; nearest: epochs/],
        ["fold=3", /unknown key fold; nearest: folds/],
        ["imgae.epochs=3", /unknown key imgae.epochs; nearest: image.epochs/],
    ];
    for (const [text, message] of refused) {
        it(`--set ${text} is refused`, () => {
            assert.throws(() => parseSettings([text], models, keys), message);
        });
    }

    const make = (more: Partial<Parameters<typeof executionInput>[0]> = {}) =>
        executionInput({
            settings,
            dataPath: "s3://bucket/data",
            bounds: {
                image: { epochs: { atMost: 6, because: "small" }, batch_size: { atMost: 128, because: "large" } },
            },
            changes: [],
            force: true,
            ...more,
        });

    it("trains everything on the local documents, and says what is smaller: only what really differs", () => {
        const { input, reductions } = make();
        assert.deepEqual(input, {
            initialization: {
                fetch_data: { preprocessed_data_path: "s3://bucket/data" },
                run_training_steps: {
                    fetch_preprocessing_artifacts: true,
                    generate_image_model_split: true,
                    image_model: true,
                    text_model: true,
                },
                force: ["image", "text", "sequence"],
                image_model: { hyperparameters: { epochs: 6 } },
            },
        });
        assert.deepEqual(reductions, [{ model: "image", name: "epochs", configured: 80, local: 6, because: "small" }]);
    });

    it("what the user sets is not reduced", () => {
        const { input, reductions } = make({ changes: parseSettings(["image.epochs=3"], models, keys).input });
        const { image_model: image } = (input as { initialization: { image_model: unknown } }).initialization;
        assert.deepEqual(image, { hyperparameters: { epochs: 3 } });
        assert.deepEqual(reductions, []);
    });

    it("a given input stands; only the documents' place is filled in where it is empty", () => {
        const image = { batch_size: "64", hyperparameters: { epochs: 9 } };
        const given = { initialization: { fetch_data: { preprocessed_data_path: "" }, image_model: image } };
        const { input } = make({ given, force: false });
        assert.deepEqual(input, {
            initialization: {
                fetch_data: { preprocessed_data_path: "s3://bucket/data" },
                image_model: image,
            },
        });
        assert.equal(given.initialization.fetch_data.preprocessed_data_path, "", "the caller's object is not changed");
    });

    it("an input without run_training_steps stays without, so that Setup refuses it", () => {
        const { input } = make({ given: { initialization: { fetch_data: {} } }, force: false });
        assert.equal("run_training_steps" in (input as { initialization: object }).initialization, false);
        assert.deepEqual(make({ given: { nonsense: 1 } }).input, { nonsense: 1 });
    });
});
