import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { StackRule } from "../../policy/lib/rule";
import { bundledPrices } from "../../pricing/prices";
import { noPrices } from "../../policy/lib/budget";
import { runBudgetProvable as provable } from "../../policy/rules/runBudgetProvable";
import { runWithinBudget as within } from "../../policy/rules/runWithinBudget";
import { judgeRunBudget } from "../../stacks/runBudget";
import { mutations, set, stageSetting } from "./mutations";
import { answer, factsOf } from "./sampleFacts";
import { sampleStage } from "./sampleStage";

const runWithinBudget = within(judgeRunBudget);
const runBudgetProvable = provable(judgeRunBudget);

describe("the budget of a run", () => {
    it("is not judged by a pack that was handed no prices", () => {
        const facts = factsOf(stageSetting({ budget: 2 })(sampleStage));
        for (const rule of [within(noPrices), provable(noPrices)]) {
            assert.equal(answer(rule.check(facts, { dollars: 1 }, { suppressions: [] })), "notApplicable");
        }
    });

    it("is not asked for where the stage has none", () => {
        const facts = factsOf(mutations["run-within-budget"](sampleStage));
        for (const rule of [runWithinBudget, runBudgetProvable]) {
            assert.equal(answer(rule.check(facts, { dollars: 0 }, { suppressions: [] })), "notApplicable");
        }
    });

    it("is the stage's own where the pack's configuration has none, and the lower one of both", () => {
        const facts = factsOf(stageSetting({ budget: 2 })(sampleStage));
        const check = (dollars: number): string =>
            answer(runWithinBudget.check(facts, { dollars }, { suppressions: [] }));
        assert.equal(check(0), "violation");
        assert.equal(check(100), "violation");
        const roomy = factsOf(stageSetting({ budget: 100 })(sampleStage));
        assert.equal(answer(runWithinBudget.check(roomy, { dollars: 0 }, { suppressions: [] })), "compliant");
        assert.equal(answer(runWithinBudget.check(roomy, { dollars: 2 }, { suppressions: [] })), "violation");
    });

    it("is judged at the project's own prices, by both rules", () => {
        const home = process.cwd();
        const project = mkdtempSync(path.join(tmpdir(), "project-"));
        const check = (rule: StackRule, facts: ReturnType<typeof factsOf>): string =>
            answer(rule.check(facts, { dollars: 100 }, { suppressions: [] }));
        const unknown = factsOf(mutations["run-budget-provable"](sampleStage));
        try {
            mkdirSync(path.join(project, "policy"));
            writeFileSync(path.join(project, "Pulumi.yaml"), "name: p");
            process.chdir(path.join(project, "policy"));
            assert.deepEqual(
                [check(runWithinBudget, unknown), check(runBudgetProvable, unknown)],
                ["compliant", "violation"],
            );
            const { file } = bundledPrices();
            const price = (item: string, dollars: number) => ({
                item: `sagemaker-training:${item}`,
                region: "us-west-2",
                unit: "hour",
                price: dollars,
                source: "own",
            });
            writeFileSync(
                path.join(project, "prices.json"),
                JSON.stringify({
                    ...file,
                    sources: { ...file.sources, own: "https://example.org" },
                    prices: [...file.prices, price("ml.nobody.knows", 1)],
                }),
            );
            assert.deepEqual(
                [check(runWithinBudget, unknown), check(runBudgetProvable, unknown)],
                ["compliant", "compliant"],
            );
            writeFileSync(
                path.join(project, "prices.json"),
                JSON.stringify({
                    ...file,
                    sources: { ...file.sources, own: "https://example.org" },
                    prices: [...file.prices, price("ml.nobody.knows", 1_000)],
                }),
            );
            assert.deepEqual(
                [check(runWithinBudget, unknown), check(runBudgetProvable, unknown)],
                ["violation", "compliant"],
            );
        } finally {
            process.chdir(home);
            rmSync(project, { recursive: true });
        }
    });

    it("is the sum of what models and transitions can cost at most", () => {
        // Twice one hour of ml.g5.xlarge at 1.408 USD, and 12,500 transitions at 0.000025 USD.
        const worst = 2 * 1.408 + 12_500 * 0.000025;
        const facts = factsOf(sampleStage);
        const check = (dollars: number): string =>
            answer(runWithinBudget.check(facts, { dollars }, { suppressions: [] }));
        assert.equal(check(worst + 0.01), "compliant");
        assert.equal(check(worst - 0.01), "violation");
    });

    it("is exceeded with the dearest part named", () => {
        const verdict = runWithinBudget.check(
            factsOf(mutations["run-within-budget"](sampleStage)),
            { dollars: 100 },
            { suppressions: [] },
        );
        assert.match(
            verdict.violations[0].message,
            /the stage's budget is 100\.00 USD\. The largest part is text: 1 x ml\.g5\.xlarge/,
        );
    });

    it("counts the jobs' attempts, and says that it proves nothing where their price is not known", () => {
        const container = JSON.stringify({
            resourceRequirements: [
                { type: "VCPU", value: "1" },
                { type: "MEMORY", value: "2048" },
            ],
        });
        const facts = factsOf(set("merge", "containerProperties", container)(sampleStage));
        const verdict = runBudgetProvable.check(facts, { dollars: 100 }, { suppressions: [] });
        assert.match(verdict.violations[0].message, /cannot be proved: no price is known for Fargate in us-west-2/);
        assert.equal(answer(runWithinBudget.check(facts, { dollars: 100 }, { suppressions: [] })), "compliant");
    });
});
