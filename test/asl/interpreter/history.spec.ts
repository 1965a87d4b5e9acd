/** What the history says of tasks, stops and time-outs; the recordings hold most, these are the rules by themselves. */
import assert from "node:assert/strict";
import { TaskError, type ExecutionResult, type TaskHandler } from "../../../asl/interpreter/index";
import { INVOKE, jsonata, machine, run, types } from "./helpers";

const ACTIVITY = "arn:aws:states:us-east-1:111111111111:activity:a";

const task = (more: object = {}): object => ({ Type: "Task", Resource: INVOKE, End: true, ...more });
const graph = (name: string, state: object): object => ({ StartAt: name, States: { [name]: state } });

/** `Type(previousEventId)` of the events from the first of the given type on. */
function chain(result: ExecutionResult, from: string): string[] {
    const first = result.events.findIndex((event) => event.type === from);
    return result.events.slice(first).map((event) => `${event.id} ${event.type}(${event.previousEventId})`);
}

/** The task named in `failing` fails after a second, all others sleep for ever. */
function oneFails(...failing: string[]): TaskHandler {
    return async (request) => {
        await request.clock.sleep(failing.includes(request.state) ? 1_000 : Infinity, request.signal);
        throw new TaskError("E");
    };
}

describe("a Task that fails the state around it", () => {
    it("is aborted itself, then its siblings, all after the failing event", async () => {
        const branches = [graph("A", task()), graph("B", task())];
        const result = await run(
            jsonata({ P: { Type: "Parallel", Branches: branches, End: true } }),
            {},
            oneFails("B"),
        );
        assert.deepEqual(chain(result, "TaskFailed"), [
            "10 TaskFailed(9)",
            "11 TaskStateAborted(10)",
            "12 TaskStateAborted(10)",
            "13 ParallelStateFailed(10)",
            "14 ExecutionFailed(13)",
        ]);
    });

    it("is aborted in a Map's iteration, whose siblings are aborted with their Tasks", async () => {
        const items = { Type: "Map", Items: [1, 2], ItemProcessor: graph("T", task()), End: true };
        const result = await run(jsonata({ M: items }), {}, async (request) => {
            const index = Number(request.path[1]);
            await request.clock.sleep(index === 0 ? 1_000 : Infinity, request.signal);
            throw new TaskError("E");
        });
        assert.deepEqual(chain(result, "TaskFailed"), [
            "12 TaskFailed(7)",
            "13 TaskStateAborted(12)",
            "14 MapIterationFailed(12)",
            "15 TaskStateAborted(12)",
            "16 MapIterationAborted(12)",
            "17 MapStateFailed(12)",
            "18 ExecutionFailed(17)",
        ]);
    });

    it("ends the execution without an event of the states around it when the error is States.Runtime", async () => {
        const branches = [
            graph("A", task({ Resource: INVOKE })),
            graph("B", { Type: "Pass", InputPath: "$.no", End: true }),
        ];
        const result = await run(machine({ P: { Type: "Parallel", Branches: branches, End: true } }), {}, oneFails());
        assert.equal(result.error, "States.Runtime");
        assert.deepEqual(
            types(result).filter((type) => /Aborted|ParallelStateFailed/u.test(type)),
            [],
        );
    });
});

describe("an activity's history", () => {
    it("has ActivityStarted when a worker takes the task, with the worker's name where it has one", async () => {
        for (const name of ["w", undefined]) {
            const result = await run(machine({ T: task({ Resource: ACTIVITY }) }), {}, async (request) => {
                request.started(name);
                return 1;
            });
            assert.deepEqual(types(result).slice(2, 5), ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]);
            assert.deepEqual(
                result.events[3].activityStartedEventDetails,
                name === undefined ? {} : { workerName: name },
            );
        }
    });

    it("has no ActivityStarted when nobody takes the task in time", async () => {
        const result = await run(machine({ T: task({ Resource: ACTIVITY, TimeoutSeconds: 3 }) }), {}, oneFails());
        assert.deepEqual(types(result).slice(2), ["ActivityScheduled", "ActivityTimedOut", "ExecutionFailed"]);
    });
});

describe("Credentials", () => {
    it("reach the task and TaskScheduled, evaluated", async () => {
        const definitions = [
            machine({ T: task({ Credentials: { "RoleArn.$": "$.role" } }) }),
            jsonata({ T: task({ Credentials: { RoleArn: "{% $states.input.role %}" } }) }),
        ];
        for (const definition of definitions) {
            let credentials: unknown;
            const result = await run(definition, { role: "arn:aws:iam::1:role/r" }, async (request) => {
                credentials = request.credentials;
                return 1;
            });
            assert.deepEqual(credentials, { RoleArn: "arn:aws:iam::1:role/r" });
            const scheduled = result.events[2].taskScheduledEventDetails;
            assert.deepEqual(scheduled?.taskCredentials, { roleArn: "arn:aws:iam::1:role/r" });
        }
    });
});

describe("a Wait", () => {
    it("fails when it is longer than 2^31 seconds", async () => {
        const wait = (seconds: number): Promise<ExecutionResult> =>
            run(machine({ W: { Type: "Wait", SecondsPath: "$.s", End: true } }), { s: seconds });
        assert.equal((await wait(2_147_483_647)).status, "SUCCEEDED");
        const failed = await wait(2_147_483_648);
        assert.equal(failed.error, "States.Runtime");
        assert.match(failed.cause ?? "", /Wait state delay is too long\.$/u);
    });
});

describe("a variable of a Parallel's own Catch", () => {
    const inner = (more: object): object => ({ Type: "Pass", Assign: { v: 1 }, End: true, ...more });
    const parallel = (more: object): object => ({
        Type: "Parallel",
        Branches: [graph("B", inner({}))],
        Catch: [{ ErrorEquals: ["States.ALL"], Assign: { v: 2 }, Next: "C" }],
        Next: "C",
        ...more,
    });

    it("may be assigned in its branches too", async () => {
        const definition = jsonata({ P: parallel({}), C: { Type: "Succeed" } });
        assert.equal((await run(definition)).status, "SUCCEEDED");
    });

    it("may not be assigned by the Parallel itself, or by another state of its scope", async () => {
        await assert.rejects(
            run(jsonata({ P: parallel({ Assign: { v: 3 } }), C: { Type: "Succeed" } })),
            /outer scope/u,
        );
        const other = { Type: "Pass", Assign: { v: 3 }, Next: "P" };
        await assert.rejects(run(jsonata({ O: other, P: parallel({}), C: { Type: "Succeed" } })), /outer scope/u);
    });
});
