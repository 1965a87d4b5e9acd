import assert from "node:assert/strict";
import { answer } from "../policy/sampleFacts";
import { pointedObjectsKept } from "../../policy/rules/pointedObjectsKept";
import { evaluateStage } from "../../project/evaluate";

describe("the lifetimes of a stage", function () {
    this.timeout(60_000);

    for (const stage of ["dev", "prod"]) {
        it(`are proven of ${stage} in the program, and by the policy`, async () => {
            const { resources } = await evaluateStage(stage);
            const facts = resources.map(({ type, name, inputs }) => ({
                type,
                name,
                urn: name,
                props: inputs as never,
                protect: false,
                propertyDependencies: {},
            }));
            assert.equal(answer(pointedObjectsKept.check(facts, {}, { suppressions: [] })), "compliant");
        });
    }

    it("refuse a retention that ends before the longest execution does", async () => {
        await assert.rejects(evaluateStage("prod", { overrides: { retention: { runDays: 2, checkpointDays: 2 } } }), {
            message: new RegExp(
                "retention\\.runDays: got 2 days; an execution needs what lies in runs/ \\d+ days" +
                    "[^]*retention\\.checkpointDays: got 2 days",
            ),
        });
    });
});
