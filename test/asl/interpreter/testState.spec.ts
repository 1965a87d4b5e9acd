import assert from "node:assert/strict";
import { testState, TestStateError, type TestStateRequest } from "../../../asl/interpreter/index";
import { INVOKE } from "./helpers";

type Request = Omit<TestStateRequest, "definition" | "input" | "inspectionLevel">;

/** A test of a state, with all that it shows. */
async function tested(state: object, input: unknown, more: Request = {}) {
    const request = { definition: JSON.stringify(state), input: JSON.stringify(input), ...more };
    const { output, inspectionData, ...rest } = await testState({ ...request, inspectionLevel: "TRACE" });
    const seen = Object.entries(inspectionData ?? {}).map(([name, value]): [string, unknown] => [
        name,
        typeof value === "string" ? JSON.parse(value) : value,
    ]);
    return { ...rest, output: output === undefined ? undefined : JSON.parse(output), seen: Object.fromEntries(seen) };
}

const TASK = { Type: "Task", QueryLanguage: "JSONata", Resource: INVOKE, Next: "After" };
const failing = { errorOutput: { error: "Busy", cause: "try later" } };

describe("testState", () => {
    it("shows what a JSONata Task makes of its input and of the mocked result", async () => {
        const state = {
            ...TASK,
            Arguments: { Payload: "{% $states.input.a + $v %}" },
            Assign: { w: "{% $states.result.Payload %}" },
            Output: "{% $states.result.Payload * 2 %}",
        };
        const mock = { result: '{"Payload": 21}' };
        assert.deepEqual(await tested(state, { a: 1 }, { mock, variables: '{"v": 2}' }), {
            status: "SUCCEEDED",
            nextState: "After",
            output: 42,
            seen: {
                input: { a: 1 },
                afterArguments: { Payload: 3 },
                result: { Payload: 21 },
                variables: { v: 2, w: 21 },
            },
        });
    });

    it("retries as long as its retrier has attempts, and then catches", async () => {
        const state = {
            ...TASK,
            Retry: [{ ErrorEquals: ["Busy"], IntervalSeconds: 3, MaxAttempts: 2, BackoffRate: 2, MaxDelaySeconds: 5 }],
            Catch: [
                { ErrorEquals: ["Other"], Next: "After" },
                { ErrorEquals: ["States.ALL"], Output: "{% $states.errorOutput.Error %}", Next: "Caught" },
            ],
        };
        const at = (retrierRetryCount: number) =>
            tested(state, {}, { mock: failing, stateConfiguration: { retrierRetryCount } });
        const said = { error: "Busy", cause: "try later", output: undefined };
        const details = { retryIndex: 0, retryBackoffIntervalSeconds: 3 };
        assert.deepEqual(await at(0), { ...said, status: "RETRIABLE", seen: { input: {}, errorDetails: details } });
        const second = (await at(1)).seen.errorDetails;
        assert.deepEqual(second, { retryIndex: 0, retryBackoffIntervalSeconds: 5 });
        const caught = await at(2);
        assert.deepEqual(
            [caught.status, caught.nextState, caught.output, caught.seen.errorDetails],
            ["CAUGHT_ERROR", "Caught", "Busy", { retryIndex: 0, catchIndex: 1 }],
        );
    });

    it("fails with what a catcher does wrong, which its own state does not catch", async () => {
        const Catch = [{ ErrorEquals: ["States.ALL"], Output: "{% $states.errorOutput.missing %}", Next: "Caught" }];
        const failed = await tested({ ...TASK, Catch }, {}, { mock: failing });
        assert.deepEqual([failed.status, failed.error], ["FAILED", "States.QueryEvaluationError"]);
    });

    it("fails with what an expression does wrong", async () => {
        const failed = await tested({ Type: "Pass", Parameters: { "x.$": "$.missing" }, End: true }, {});
        assert.deepEqual([failed.status, failed.error], ["FAILED", "States.Runtime"]);
        assert.match(failed.cause ?? "", /could not be found in the input/u);
    });

    it("shows a Map's items and what its selector makes of them", async () => {
        const state = {
            Type: "Map",
            ItemsPath: "$.list",
            ItemSelector: { "n.$": "$$.Map.Item.Value" },
            ItemProcessor: { StartAt: "P", States: { P: { Type: "Pass", End: true } } },
            ToleratedFailurePercentage: 50,
            End: true,
        };
        const mock = { result: "[3, 4]" };
        const passed = await tested(state, { list: [1, 2] }, { mock });
        assert.deepEqual(
            [passed.seen.afterItemsPath, passed.output],
            [
                [1, 2],
                [3, 4],
            ],
        );
        assert.deepEqual(passed.seen.afterItemSelector, [{ n: 1 }, { n: 2 }]);
        const half = await tested(
            state,
            { list: [1, 2] },
            { mock, stateConfiguration: { mapIterationFailureCount: 1 } },
        );
        assert.equal(half.status, "SUCCEEDED");
        const all = await tested(
            state,
            { list: [1, 2] },
            { mock, stateConfiguration: { mapIterationFailureCount: 2 } },
        );
        assert.equal(all.error, "States.ExceedToleratedFailureThreshold");
    });

    it("tests a state of a machine, at any depth, in the machine's language", async () => {
        const inner = { Type: "Pass", Output: "{% $states.input + 1 %}", End: true };
        const machine = {
            QueryLanguage: "JSONata",
            StartAt: "Both",
            States: {
                Both: { Type: "Parallel", Branches: [{ StartAt: "Inner", States: { Inner: inner } }], End: true },
            },
        };
        assert.equal((await tested(machine, 1, { stateName: "Inner" })).output, 2);
    });

    const refused: [what: string, request: Partial<TestStateRequest>, code: string, words: RegExp][] = [
        ["a definition that is no JSON", { definition: "{" }, "InvalidDefinition", /INVALID_JSON_DESCRIPTION/u],
        ["a state without a type", { definition: "{}" }, "InvalidDefinition", /StateName/u],
        ["an input that is no JSON", { input: "{" }, "InvalidExecutionInput", /Invalid State Machine/u],
        ["variables that are a list", { variables: "[]" }, "ValidationException", /variables must be a JSON object/u],
        ["a Task that nothing does", {}, "ValidationException", /needs a mock/u],
        ["a mock of both kinds", { mock: { result: "1", ...failing } }, "ValidationException", /only one of/u],
        ["a mock that is no JSON", { mock: { result: "{" } }, "ValidationException", /valid JSON/u],
        [
            "a machine without a name of a state",
            { definition: JSON.stringify({ StartAt: "A", States: { A: TASK } }) },
            "ValidationException",
            /stateName is required/u,
        ],
        [
            "a state of a machine that could not be created",
            { definition: JSON.stringify({ StartAt: "A", States: { A: TASK } }), stateName: "A" },
            "InvalidDefinition",
            /After/u,
        ],
        [
            "a state that the machine has not",
            { definition: JSON.stringify({ StartAt: "A", States: { A: { Type: "Succeed" } } }), stateName: "B" },
            "ValidationException",
            /'B' does not exist/u,
        ],
    ];
    for (const [what, request, code, words] of refused) {
        it(`refuses ${what}`, async () => {
            const whole = { definition: JSON.stringify(TASK), ...request };
            await assert.rejects(testState(whole), (error) => {
                assert.ok(error instanceof TestStateError);
                assert.equal(error.code, code);
                assert.match(error.message, words);
                return true;
            });
        });
    }
});
