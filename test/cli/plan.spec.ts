import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settingsOf } from "../../cli/aws/executions";
import { outline } from "../../cli/plan/outline";
import { completed, planOf, type Plan } from "../../cli/plan/plan";
import type { Reuse } from "../../cli/plan/reuse";
import { planHtml, planText } from "../../cli/plan/render";
import { evaluated, readJson, stageFacts } from "../../cli/support";
import { ToolError } from "../../ground/errors";
import { Prices, type PriceFile } from "../../pricing/prices";
import { currentProject, evaluateStage, type EvaluatedStage } from "../../project/evaluate";
import type { StageSettings } from "../../workflow/contract";
import { batchRunBound } from "../../workflow/batchStep";
import { executionBound } from "../../workflow/ensembleTraining";

const today = new Date("2026-11-23");
const unknown: Reuse = { lines: ["not known"], trainings: {} };

/** Prices of the machines of the dev stage; every hour costs a dollar. */
function prices(without: readonly string[] = []): Prices {
    const machines = ["ml.m5.xlarge", "ml.m6i.xlarge", "ml.m5.large"].map((type) => `sagemaker-training:${type}`);
    const items = [...machines, "fargate:vcpu", "fargate:gib"];
    const file: PriceFile = {
        format: 1,
        asOf: "2026-11-20",
        currency: "USD",
        sources: { test: "test" },
        prices: [
            ...items
                .filter((item) => !without.includes(item))
                .map((item) => ({ item, region: "eu-central-1", unit: "hour" as const, price: 1, source: "test" })),
            { item: "states:transition", region: "eu-central-1", unit: "transition", price: 0.00001, source: "test" },
        ],
    };
    return new Prices(file);
}

describe("the plan of a stage", function () {
    this.timeout(60_000);
    let stage: EvaluatedStage;
    let settings: StageSettings;

    before(async () => {
        stage = await evaluated("dev");
        settings = settingsOf(stage.stateMachine.definition, stage.stateMachine.name);
    });

    const plan = (more: Partial<Parameters<typeof planOf>[0]> = {}): Plan =>
        planOf({
            evaluated: stage,
            settings,
            prices: prices(),
            today,
            reuse: unknown,
            expectedHours: {},
            retention: { runDays: 30, checkpointDays: 15 },
            ...more,
        });

    const steps = {
        fetch_preprocessing_artifacts: true,
        generate_image_model_split: true,
        image_model: true,
        text_model: true,
    };
    const input = (changes: Record<string, unknown> = {}) => ({
        initialization: {
            fetch_data: { preprocessed_data_path: `${settings.artifactBase}/data` },
            run_training_steps: steps,
            ...changes,
        },
    });

    it("prices every model and job, and names its longest time", () => {
        const made = plan();
        const worst = (item: string) => made.bill.lines.find((line) => line.item === item)?.worst;
        // the stage's configuration: 8 hours on 2 machines, 4 and 8 hours on one
        assert.deepEqual(["image", "text", "sequence"].map(worst), [16, 4, 8]);
        const fetch = made.bill.lines.find((line) => line.item === "job ensemble-dev-fetch");
        const job = stage.jobDefinitions.find(({ name }) => name.includes("-fetch-"));
        assert.equal(fetch?.seconds, batchRunBound("fetch", job?.timeoutSeconds ?? 0));
        assert.ok(
            (fetch?.seconds ?? 0) > 2 * (job?.timeoutSeconds ?? Infinity),
            "it may be tried again, at full length",
        );
        assert.equal(made.longestSeconds, executionBound(settings));
        assert.deepEqual(made.bill.unknown, []);
    });

    it("expects what the configuration says while nothing else does, and says of the rest why it is not known", () => {
        const made = plan({ expectedHours: { image: 1.5 } });
        const line = (item: string) => made.expected.lines.find((one) => one.item === item);
        assert.deepEqual(line("image"), {
            item: "image",
            how: "2 x ml.m5.xlarge, 1.5 h billed (expectedHours)",
            expected: 3,
        });
        assert.deepEqual(line("text"), {
            item: "text",
            how: "earlier trainings are not known; models.text.expectedHours is not set",
            expected: undefined,
        });
        assert.ok(made.expected.unknown.includes("state transitions"));
        assert.equal(made.expected.known, 3);
    });

    it("asks for the instances of a moment, not of the whole run", () => {
        const quotas = Object.fromEntries(plan().quotas.map(({ quota, instances }) => [quota, instances]));
        assert.equal(quotas["ml.m5.xlarge for spot training job usage"], 2);
        // text and sequence both use ml.m5.large, one after the other
        assert.equal(quotas["ml.m5.large for training job usage"], 1);
    });

    it("gives a verdict on the budget, and says when it cannot", () => {
        assert.equal(plan().budget, undefined);
        assert.equal(plan({ budget: 10_000 }).budget?.verdict, "within");
        assert.equal(plan({ budget: 20 }).budget?.verdict, "exceeded");
        assert.equal(
            plan({ budget: 10_000, prices: prices(["sagemaker-training:ml.m6i.xlarge"]) }).budget?.verdict,
            "unproved",
        );
    });

    it("says what an input changes, and leaves out the price of what it does not train", () => {
        const changed = input({
            fetch_data: {
                preprocessed_data_path: `${settings.artifactBase}/data`,
                text_model_artifact_path: `${settings.artifactBase}/runs/a/text`,
            },
            run_training_steps: { ...steps, text_model: false },
            image_model: { hyperparameters: { epochs: 3 }, instance_type: "ml.m6i.xlarge" },
        });
        const read = completed(changed, settings);
        assert.deepEqual(read.problems, []);
        const made = plan({ input: read.input });
        assert.ok(made.changes?.includes("image: epochs 10 -> 3"), String(made.changes));
        assert.ok(made.changes?.includes("image: first tried on ml.m6i.xlarge instead of ml.m5.xlarge"));
        assert.ok(made.changes?.some((line) => line.startsWith("text: not trained")));
        assert.equal(
            made.bill.lines.some((line) => line.item === "text"),
            false,
        );
    });

    it("names every problem of an input", () => {
        const { problems } = completed(input({ image_modell: {} }), settings);
        assert.match(problems.map(({ path }) => path).join(), /image_modell/);
    });

    it("is shown as text and as one HTML file without script and network", async () => {
        const made = plan({ reuse: { ...unknown, lines: ["text: <b>reused</b>"] }, budget: 20 });
        const { definition } = stage.stateMachine;
        assert.match(planText(made, definition), /Setup Statemachine[\s\S]*Budget exceeded: A run can cost/);
        const html = await planHtml(made, definition);
        assert.match(html, /<svg[\s\S]*Image Model Training/);
        assert.match(html, /&lt;b&gt;reused/);
        assert.doesNotMatch(html, /<script|src="http|url\(http|<b>reused/);
    });

    it("outlines branches below their state, without what only a Catch reaches", () => {
        const lines = outline(stage.stateMachine.definition);
        const at = lines.indexOf("- Base Model Training");
        assert.equal(lines[at + 1], "  - Image Model");
        assert.equal(
            lines.some((line) => line.includes("Record Image Model Failure")),
            false,
        );
    });
});

describe("what commands know of a stage without running the program", () => {
    it("its region and its state machine", async () => {
        const { stateMachine, region, config } = await stageFacts("prod");
        assert.deepEqual(
            [stateMachine, region, config?.stage],
            ["ensemble-model-training-prod", "eu-central-1", "prod"],
        );
    });

    it("names the stages that are there for one that is not", async () => {
        await assert.rejects(
            stageFacts("prd"),
            (error: Error) => error instanceof ToolError && /no stage "prd".*dev, prod/.test(error.message),
        );
    });

    it("tells what a program throws to the caller, and evaluates the next one", async () => {
        const project = {
            ...currentProject(),
            program: async () => Promise.reject(new Error("thrown by the program")),
        };
        await assert.rejects(evaluateStage("dev", { project }), /^Error: thrown by the program$/);
        assert.equal((await evaluated("dev")).stage, "dev");
    });

    for (const [what, text, expected] of [
        ["is no JSON", '{\n  "a": 1,,\n}', /^--input .*input\.json:2:10: Stray comma/],
        ["has a key twice", '{\n  "a": 1,\n  "a": 2\n}', /^--input .*input\.json:3:3: .*"a" stands twice/],
    ] as const) {
        it(`line and column of a file that ${what}`, () => {
            const folder = mkdtempSync(join(tmpdir(), "ensemble-"));
            const file = join(folder, "input.json");
            writeFileSync(file, text);
            try {
                assert.throws(
                    () => readJson(file, "--input"),
                    (error: Error) => error instanceof ToolError && expected.test(error.message),
                );
            } finally {
                rmSync(folder, { recursive: true });
            }
        });
    }
});
