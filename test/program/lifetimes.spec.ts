import assert from "node:assert/strict";
import { answer } from "../policy/sampleFacts";
import { pointedObjectsKept } from "../../policy/rules/pointedObjectsKept";
import { evaluateStage } from "../../project/evaluate";
import { proveLifetimes } from "../../stacks/lifetimes";

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
        const retention = { runDays: 2, checkpointDays: 2, noncurrentDays: 30, logDays: 30 };
        await assert.rejects(evaluateStage("prod", { overrides: { retention } }), {
            message: /retention\.runDays: got 2[^]*retention\.checkpointDays: got 2/,
        });
        const pointers = [
            { name: "an execution", target: "runs/", days: 8, why: "its own copy of the data" },
            { name: "a training", target: "checkpoints/", days: 2 },
        ];
        assert.throws(
            () => proveLifetimes(pointers, { retention }),
            /retention\.runDays: got 2 days; an execution needs what lies in runs\/ 8 days \(its own copy/,
        );
        assert.doesNotThrow(() => proveLifetimes(pointers, { retention: { ...retention, runDays: 8 } }));
    });
});
