import assert from "node:assert/strict";
import fc from "fast-check";
import { changesToMarkdown, describeChange, diffDefinitions } from "../../asl/diff";
import type { StateMachineDefinition } from "../../asl/types";

const base = {
    Comment: "before",
    StartAt: "Train",
    TimeoutSeconds: 100,
    States: {
        Train: {
            Type: "Task",
            Resource: "arn:aws:states:::sagemaker:createTrainingJob.sync",
            Arguments: { ResourceConfig: { InstanceType: "ml.g5.xlarge", InstanceCount: 1 } },
            Retry: [{ ErrorEquals: ["SageMaker.Throttled"], MaxAttempts: 3 }],
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }],
            Next: "Done",
        },
        Done: { Type: "Succeed" },
        Failed: { Type: "Fail", Error: "E", Cause: "C" },
    },
} as const satisfies StateMachineDefinition;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test's edit may reach anywhere
function changed(edit: (definition: any) => void): string[] {
    const copy = structuredClone(base) as StateMachineDefinition;
    edit(copy);
    return diffDefinitions(base, copy).map(describeChange);
}

describe("the difference of two definitions", () => {
    it("names a changed argument with both values", () => {
        assert.deepEqual(
            changed((d) => {
                d.States.Train.Arguments.ResourceConfig.InstanceType = "ml.g6.xlarge";
            }),
            ['"Train": Arguments.ResourceConfig.InstanceType ml.g5.xlarge -> ml.g6.xlarge'],
        );
    });

    it("names new, changed and removed retries and catches by their errors", () => {
        assert.deepEqual(
            changed((d) => {
                d.States.Train.Retry.unshift({ ErrorEquals: ["SageMaker.Busy"], MaxAttempts: 9 });
            }),
            ['"Train": new retry on SageMaker.Busy (MaxAttempts 9)'],
        );
        assert.deepEqual(
            changed((d) => {
                d.States.Train.Retry[0].MaxAttempts = 5;
            }),
            ['"Train": retry on SageMaker.Throttled: MaxAttempts 3 -> 5'],
        );
    });

    it("names added and removed states and moved ones", () => {
        assert.deepEqual(
            changed((d) => {
                delete d.States.Failed;
                d.States.Train.Catch = [];
                d.States.Extra = { Type: "Pass", Next: "Done" };
            }),
            [
                'state "Failed" is gone (Fail)',
                '"Train": no catch of States.ALL any more (Next was Failed)',
                'new state "Extra" (Pass)',
            ],
        );
        const nested = structuredClone(base) as unknown as { States: Record<string, unknown> };
        const { Train, ...rest } = nested.States;
        nested.States = {
            ...rest,
            P: { Type: "Parallel", Branches: [{ StartAt: "Train", States: { Train } }], Next: "Done" },
        };
        const moved = diffDefinitions(base, nested as unknown as StateMachineDefinition);
        assert.ok(moved.some((change) => change.state === "Train" && change.field === "place" && change.after === "P"));
        assert.ok(
            !moved.some(
                (change) => change.state === "Train" && change.kind === "removed" && change.field === undefined,
            ),
        );
    });

    it("takes no notice of comments and of the order of keys", () => {
        assert.deepEqual(
            changed((d) => {
                d.Comment = "after";
                d.States = Object.fromEntries(Object.entries(d.States).reverse());
            }),
            [],
        );
        assert.equal(changesToMarkdown([]), "No change in the workflow.\n");
    });

    it("reports the machine's own fields", () => {
        assert.deepEqual(
            changed((d) => {
                d.TimeoutSeconds = 200;
            }),
            ["the state machine: TimeoutSeconds 100 -> 200"],
        );
    });

    it("is empty for equal definitions, and symmetric in how much it finds", () => {
        fc.assert(
            fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
                const machine = (value: unknown): StateMachineDefinition =>
                    ({
                        StartAt: "A",
                        States: { A: { Type: "Task", Resource: "r", Arguments: value, End: true } },
                    }) as StateMachineDefinition;
                assert.deepEqual(diffDefinitions(machine(a), structuredClone(machine(a))), []);
                assert.equal(
                    diffDefinitions(machine(a), machine(b)).length,
                    diffDefinitions(machine(b), machine(a)).length,
                );
            }),
        );
    });
});
