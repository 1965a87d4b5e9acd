import assert from "node:assert/strict";
import { detailsOf, enteredType, failureOf, StateOfEvent, timeOf, type HistoryEventLike } from "../../../asl/history";

/** An event with details, as an SDK or a recording gives it. */
function event(type: string, details: Readonly<Record<string, unknown>> = {}): HistoryEventLike {
    return { type, ...details };
}

describe("an event of a history", () => {
    it("has at most one object of details; what else is named so says nothing", () => {
        assert.deepEqual(
            detailsOf(event("TaskFailed", { emptyEventDetails: null, taskFailedEventDetails: { error: "E" } })),
            { error: "E" },
        );
        assert.deepEqual(detailsOf(event("TaskFailed", { someEventDetails: "text" })), {});
        assert.deepEqual(detailsOf(event("TaskFailed", { other: { error: "E" } })), {});
        assert.deepEqual(detailsOf({}), {});
    });

    it("has a time, whoever wrote it", () => {
        const at = Date.UTC(2026, 10, 20);
        for (const timestamp of [at, new Date(at), "2026-11-20T00:00:00Z"]) {
            assert.equal(timeOf({ timestamp }), at);
        }
        assert.equal(timeOf({}), 0);
    });

    it("enters a state of a type, or none", () => {
        assert.equal(enteredType(event("TaskStateEntered")), "Task");
        assert.equal(enteredType(event("TaskStateExited")), undefined);
        assert.equal(enteredType(event("TaskStateEnteredAgain")), undefined);
        assert.equal(enteredType({}), undefined);
    });

    for (const type of [
        "TaskFailed",
        "TaskTimedOut",
        "TaskStartFailed",
        "TaskSubmitFailed",
        "LambdaFunctionFailed",
        "LambdaFunctionTimedOut",
        "LambdaFunctionScheduleFailed",
        "LambdaFunctionStartFailed",
        "ActivityFailed",
        "ActivityTimedOut",
        "ActivityScheduleFailed",
        "EvaluationFailed",
    ]) {
        it(`is a failure of the state's work: ${type}`, () => {
            assert.deepEqual(failureOf(event(type, { xEventDetails: { error: "E", cause: "C" } })), {
                error: "E",
                cause: "C",
            });
            assert.deepEqual(failureOf(event(type)), {});
        });
    }

    it("is no failure of a state's work: what follows from one, or tells of the whole", () => {
        for (const type of ["ParallelStateFailed", "MapIterationFailed", "ExecutionFailed", "TaskSucceeded", "Task"]) {
            assert.equal(failureOf(event(type, { xEventDetails: { error: "E" } })), undefined, type);
        }
        assert.equal(failureOf({}), undefined);
    });
});

describe("the state of an event", () => {
    const entered = (id: number, previousEventId: number, name?: string): HistoryEventLike => ({
        id,
        previousEventId,
        ...event("TaskStateEntered", { stateEnteredEventDetails: { name } }),
    });

    it("is that of the event before it, in each branch of its own", () => {
        const stateOf = new StateOfEvent();
        assert.equal(stateOf.take({ id: 1, previousEventId: 0, type: "ExecutionStarted" }), undefined);
        assert.deepEqual(stateOf.take(entered(2, 1, "A")), { id: 2, state: "A" });
        assert.deepEqual(stateOf.take(entered(3, 1, "B")), { id: 3, state: "B" });
        assert.deepEqual(stateOf.take({ id: 4, previousEventId: 2, type: "TaskFailed" }), { id: 2, state: "A" });
        assert.deepEqual(stateOf.take({ id: 5, previousEventId: 3, type: "TaskFailed" }), { id: 3, state: "B" });
        assert.deepEqual(stateOf.take({ id: 6, previousEventId: 4, type: "TaskStateExited" }), { id: 2, state: "A" });
    });

    it("has no name where the history lost it", () => {
        assert.deepEqual(new StateOfEvent().take(entered(2, 1)), { id: 2, state: "(unnamed)" });
    });
});
