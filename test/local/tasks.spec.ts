import assert from "node:assert/strict";
import { taskStates } from "../../local/run/tasks";

describe("the Tasks that the local run must know", () => {
    for (const field of ["ItemProcessor", "Iterator"]) {
        it(`are found within a Map's ${field}, too`, () => {
            const inner = (resource: string) => ({
                StartAt: "Inner",
                States: { Inner: { Type: "Task" as const, Resource: resource, End: true as const } },
            });
            const machine = (resource: string) => ({
                States: { M: { Type: "Map" as const, [field]: inner(resource), End: true as const } },
            });
            assert.deepEqual([...taskStates(machine("arn:aws:states:::sns:publish"))], [["Inner", "sns"]]);
            assert.throws(
                () => taskStates(machine("arn:aws:states:::dynamodb:putItem")),
                /Inner calls arn:aws:states:::dynamodb:putItem, which the local run has nothing for/,
            );
        });
    }
});
