import { strict as assert } from "node:assert";
import fc from "fast-check";
import { execute, VirtualClock } from "../../asl/interpreter";
import type { Run } from "../../workflow/contract";
import { jobName, jobNameExpression, jobNamePrefix, stagePrefix } from "../../workflow/names";
import { render, variable } from "../../asl/states";

const SAGEMAKER = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;
const numbers = fc.record({
    runId: fc.stringMatching(/^[0-9a-f]{8}$/),
    redrive: fc.integer({ min: 0, max: 999 }),
    attempt: fc.integer({ min: 0, max: 999 }),
    retry: fc.integer({ min: 0, max: 99 }),
});
const word = fc.string({ unit: "binary", minLength: 1, maxLength: 60 });

describe("job names", () => {
    it("are <service>-<stage>-<model>-<run>-<redrive>-<attempt>-<retry>", () => {
        assert.equal(
            jobName("smartcat", "prod", "image", { runId: "1a2b3c4d", redrive: 0, attempt: 12, retry: 0 }),
            "smartcat-prod-image-1a2b3c4d-0-12-0",
        );
    });

    it("are valid for SageMaker and lower case, whatever service, stage and model are called", () => {
        fc.assert(
            fc.property(word, word, word, numbers, (service, stage, model, number) => {
                const name = jobName(service, stage, model, number);
                assert.match(name, SAGEMAKER);
                assert.equal(name, name.toLowerCase());
                assert.ok(name.startsWith(stagePrefix(service, stage)));
            }),
        );
    });

    it("differ where model, run, redrive, attempt or retry differ", () => {
        const model = fc.stringMatching(/^[a-z][a-z0-9_]{0,29}$/);
        fc.assert(
            fc.property(model, model, numbers, numbers, (left, right, one, other) => {
                const same = left === right && JSON.stringify(one) === JSON.stringify(other);
                assert.equal(
                    jobName("smartcat", "prod", left, one) === jobName("smartcat", "prod", right, other),
                    same,
                );
            }),
        );
    });

    it("refuse numbers that they have no room for", () => {
        const number = { runId: "1a2b3c4d", redrive: 0, attempt: 0, retry: 0 };
        assert.throws(
            () => jobName("s", "dev", "text", { ...number, attempt: 1_000 }),
            /attempt 1000; expected a whole number from 0 to 999/,
        );
        assert.throws(
            () => jobName("s", "dev", "text", { ...number, runId: "1A2B3C4D" }),
            /8 lower-case hexadecimal digits/,
        );
    });

    it("are computed by the state machine exactly as by the function", async () => {
        await fc.assert(
            fc.asyncProperty(fc.stringMatching(/^[a-z][a-z0-9_]{0,29}$/), numbers, async (model, number) => {
                const expression = jobNameExpression(
                    jobNamePrefix("smartcat", "prod", model),
                    variable<Run>("run"),
                    variable<number>("attempt"),
                );
                const name = render(expression, "test") as string;
                let failures = 0;
                const result = await execute(
                    {
                        QueryLanguage: "JSONata",
                        StartAt: "Set",
                        States: {
                            Set: {
                                Type: "Pass",
                                Assign: { run: { id: number.runId }, attempt: number.attempt },
                                Next: "Name",
                            },
                            Name: {
                                Type: "Task",
                                Resource: "arn:aws:states:::lambda:invoke",
                                Arguments: { name },
                                TimeoutSeconds: 5,
                                Retry: [
                                    {
                                        ErrorEquals: ["States.ALL"],
                                        MaxAttempts: 99,
                                        IntervalSeconds: 1,
                                        BackoffRate: 1,
                                    },
                                ],
                                End: true,
                            },
                        },
                    },
                    {
                        input: {},
                        clock: new VirtualClock(),
                        redriveCount: number.redrive,
                        task: (request) => {
                            failures += 1;
                            return failures <= number.retry
                                ? Promise.reject(new Error("again"))
                                : Promise.resolve(request.arguments);
                        },
                    },
                );
                assert.deepEqual(result.output, { name: jobName("smartcat", "prod", model, number) });
            }),
            { numRuns: 25 },
        );
    });
});
