import assert from "node:assert/strict";
import { detailsOf, visitsOf, type HistoryEventLike } from "../../../asl/history";
import { defined } from "../../../ground/fields";
import { history, sampleReport } from "../../report/sample";
import { recordings } from "../conformance/recordings";

/** An event of a history. */
function at(id: number, previousEventId: number, type: string, timestamp: number, name?: string): HistoryEventLike {
    const key = type.endsWith("Entered") ? "stateEnteredEventDetails" : "stateExitedEventDetails";
    return defined({ id, previousEventId, type, timestamp, [key]: name === undefined ? undefined : { name } });
}

describe("visits of states, from an event history", () => {
    it("pairs entries with exits, keeps the attempts of a state, and counts each entry", () => {
        const visits = sampleReport().visits;
        const shown = visits.map(({ state, type, from, to, outcome, attempts }) => [
            state,
            type,
            to - from,
            outcome,
            attempts.map(({ error }) => error),
        ]);
        assert.deepEqual(shown, [
            ["Setup", "Task", 5_000, "succeeded", [undefined]],
            ["Train", "Task", 30_000, "failed", ["CapacityError"]],
            ["Train", "Task", 60_000, "succeeded", [undefined]],
            ["Done", "Succeed", 0, "succeeded", []],
        ]);
    });

    it("calls a state succeeded whose last attempt succeeded", () => {
        const [visit] = visitsOf(history([{ name: "A", type: "Task", seconds: 3, retries: 2 }]), "SUCCEEDED");
        assert.equal(visit.outcome, "succeeded");
        assert.deepEqual(
            visit.attempts.map(({ outcome, error }) => [outcome, error]),
            [
                ["failed", "Busy"],
                ["failed", "Busy"],
                ["succeeded", undefined],
            ],
        );
    });

    for (const [status, expected] of [
        ["RUNNING", "running"],
        ["ABORTED", "stopped"],
        ["TIMED_OUT", "stopped"],
        ["FAILED", "failed"],
    ] as const) {
        it(`ends a state that never exits with the execution: ${status}`, () => {
            const events = history([{ name: "A", type: "Task", seconds: 0, exits: false }]);
            const [visit, ...others] = visitsOf(events, status, Date.UTC(2026, 10, 20, 8) + 7_000);
            const [attempt] = visit.attempts;
            assert.deepEqual(
                [visit.outcome, visit.to - visit.from, attempt.outcome, others.length],
                [expected, 7_000, expected, 0],
            );
        });
    }

    it("keeps what was asked of a job that the service took", () => {
        const [visit] = visitsOf(
            [
                at(1, 0, "TaskStateEntered", 0, "T"),
                {
                    ...at(2, 1, "TaskScheduled", 1),
                    taskScheduledEventDetails: { resourceType: "r", resource: "x", parameters: "{}" },
                } as HistoryEventLike,
                {
                    ...at(3, 2, "TaskSubmitted", 2),
                    taskSubmittedEventDetails: { output: '{"JobArn":"a"}' },
                } as HistoryEventLike,
            ],
            "ABORTED",
        );
        assert.deepEqual(visit.attempts, [{ from: 1, to: 2, outcome: "stopped", resource: "r:x", submitted: "{}" }]);
    });

    it("keeps concurrent branches apart by the chain of events", () => {
        const visits = visitsOf([
            at(1, 0, "TaskStateEntered", 0, "A"),
            at(2, 0, "TaskStateEntered", 1, "B"),
            at(3, 2, "TaskStateExited", 5, "B"),
            at(4, 1, "TaskStateExited", 9, "A"),
        ]);
        assert.deepEqual(
            visits.map((visit) => [visit.state, visit.from, visit.to]),
            [
                ["A", 0, 9],
                ["B", 1, 5],
            ],
        );
    });

    it("ends what was open in a Parallel that failed, and calls the Parallel failed though a Catch went on", () => {
        const visits = visitsOf(
            [
                at(1, 0, "ParallelStateEntered", 0, "P"),
                at(2, 1, "ParallelStateStarted", 0),
                at(3, 2, "TaskStateEntered", 1, "Slow"),
                at(4, 2, "FailStateEntered", 2, "Bad"),
                { ...at(5, 4, "ParallelStateFailed", 3), ...{ parallelStateFailedEventDetails: { error: "E" } } },
                at(6, 5, "ParallelStateExited", 3, "P"),
                at(7, 6, "PassStateEntered", 3, "After"),
                at(8, 7, "PassStateExited", 4, "After"),
            ],
            "SUCCEEDED",
        );
        assert.deepEqual(
            visits.map(({ state, outcome, to, error }) => [state, outcome, to, error]),
            [
                ["P", "failed", 3, "E"],
                ["Slow", "stopped", 3, undefined],
                ["Bad", "failed", 2, undefined],
                ["After", "succeeded", 4, undefined],
            ],
        );
    });

    it("keeps a failed Task failed and its sibling stopped when AWS writes an abort of both after the failure", () => {
        const failed = { taskFailedEventDetails: { error: "E", resource: "invoke", resourceType: "lambda" } };
        const visits = visitsOf(
            [
                at(1, 0, "ParallelStateEntered", 0, "P"),
                at(2, 1, "ParallelStateStarted", 0),
                at(3, 2, "TaskStateEntered", 1, "Bad"),
                at(4, 2, "TaskStateEntered", 1, "Slow"),
                { ...at(5, 3, "TaskFailed", 2), ...failed },
                at(6, 5, "TaskStateAborted", 3),
                at(7, 5, "TaskStateAborted", 3),
                at(8, 5, "ParallelStateStarted", 4),
                at(9, 8, "TaskStateEntered", 4, "Bad"),
                { ...at(10, 9, "TaskFailed", 5), ...failed },
                at(11, 10, "TaskStateAborted", 5),
                at(12, 10, "ParallelStateFailed", 6),
            ],
            "FAILED",
        );
        assert.deepEqual(
            visits.map(({ state, outcome, to }) => [state, outcome, to]),
            [
                ["P", "failed", 6],
                ["Bad", "failed", 3],
                ["Slow", "stopped", 4],
                ["Bad", "failed", 5],
            ],
        );
    });

    it("calls a training failed that SageMaker stopped: its Task succeeds", () => {
        const events = history([{ name: "Train", type: "Task", seconds: 3 }]).map((event) =>
            event.type === "TaskSucceeded"
                ? {
                      ...event,
                      taskSucceededEventDetails: {
                          output: '{"TrainingJobStatus":"Stopped","SecondaryStatus":"MaxWaitTimeExceeded"}',
                      },
                  }
                : event,
        );
        assert.equal(visitsOf(events, "SUCCEEDED")[0].attempts[0].error, "SageMaker.TrainingJobStopped");
    });

    it("leaves an inner state in its own iteration, though iterations of one name run side by side", () => {
        const visits = visitsOf(
            [
                at(1, 0, "MapStateEntered", 0, "M"),
                at(2, 1, "MapStateStarted", 0),
                at(3, 2, "MapIterationStarted", 0),
                at(4, 3, "TaskStateEntered", 1, "T"),
                at(5, 2, "MapIterationStarted", 0),
                at(6, 5, "TaskStateEntered", 2, "T"),
                at(7, 4, "TaskStateExited", 5, "T"),
                at(8, 7, "PassStateEntered", 5, "U"),
                at(9, 6, "TaskStateExited", 6, "T"),
                at(10, 8, "PassStateExited", 7, "U"),
                at(11, 10, "MapStateSucceeded", 8),
                at(12, 11, "MapStateExited", 8, "M"),
                at(13, 12, "PassStateEntered", 8, "After"),
                at(14, 13, "PassStateExited", 9, "After"),
            ],
            "SUCCEEDED",
        );
        assert.deepEqual(
            visits.map(({ state, from, to, outcome }) => [state, from, to, outcome]),
            [
                ["M", 0, 8, "succeeded"],
                ["T", 1, 5, "succeeded"],
                ["T", 2, 6, "succeeded"],
                ["U", 5, 7, "succeeded"],
                ["After", 8, 9, "succeeded"],
            ],
        );
    });

    it("lets what runs beside a Parallel that failed go on", () => {
        const visits = visitsOf(
            [
                at(1, 0, "ParallelStateEntered", 0, "Outer"),
                at(2, 1, "ParallelStateStarted", 0),
                at(3, 2, "ParallelStateEntered", 0, "Inner"),
                at(4, 3, "ParallelStateStarted", 0),
                at(5, 4, "TaskStateEntered", 1, "Stopped"),
                at(6, 2, "TaskStateEntered", 1, "Beside"),
                at(7, 4, "ParallelStateFailed", 2),
                at(8, 7, "ParallelStateExited", 2, "Inner"),
                at(9, 6, "TaskStateExited", 9, "Beside"),
                at(10, 9, "ParallelStateSucceeded", 9),
                at(11, 10, "ParallelStateExited", 9, "Outer"),
            ],
            "SUCCEEDED",
        );
        assert.deepEqual(
            visits.map(({ state, to, outcome }) => [state, to, outcome]),
            [
                ["Outer", 9, "succeeded"],
                ["Inner", 2, "failed"],
                ["Stopped", 2, "stopped"],
                ["Beside", 9, "succeeded"],
            ],
        );
    });

    it("finds the state that was left by its name where the chain of events is broken", () => {
        const visits = visitsOf(
            [
                at(1, 0, "TaskStateEntered", 0, "A"),
                at(2, 1, "TaskStateExited", 1, "A"),
                at(3, 2, "TaskStateEntered", 2, "A"),
                at(4, 77, "TaskStateExited", 5, "A"),
                at(5, 77, "TaskStateExited", 6, "Nobody"),
            ],
            "RUNNING",
        );
        assert.deepEqual(
            visits.map(({ from, to, outcome }) => [from, to, outcome]),
            [
                [0, 1, "succeeded"],
                [2, 5, "succeeded"],
            ],
        );
    });

    it("has events that change nothing, and failures that nothing was scheduled for", () => {
        const [visit] = visitsOf(
            [
                at(1, 0, "TaskStateEntered", 0, "A"),
                at(2, 1, "TaskStarted", 1),
                at(3, 2, "EvaluationFailed", 2),
                at(4, 3, "TaskStateExited", 3, "A"),
            ],
            "SUCCEEDED",
        );
        assert.deepEqual(visit.attempts, [{ from: 2, to: 2, outcome: "failed", error: "EvaluationFailed" }]);
        assert.equal(visit.outcome, "failed");
    });

    it("ends an attempt when its state ends, and not later", () => {
        const [visit] = visitsOf(
            [
                at(1, 0, "TaskStateEntered", 0, "A"),
                at(2, 1, "TaskScheduled", 1),
                at(3, 2, "TaskSucceeded", 4),
                at(4, 3, "TaskStateExited", 6, "A"),
            ],
            "SUCCEEDED",
        );
        assert.deepEqual(visit.attempts, [{ from: 1, to: 4, outcome: "succeeded" }]);
        const [open] = visitsOf([at(1, 0, "TaskStateEntered", 0, "A"), at(2, 1, "TaskScheduled", 1)], "RUNNING", 9);
        assert.deepEqual([open.to, open.attempts], [9, [{ from: 1, to: 9, outcome: "running" }]]);
    });

    it("is empty for an empty history", () => {
        assert.deepEqual(visitsOf([]), []);
    });
});

describe("visits of the executions that were recorded on AWS", () => {
    const recorded = recordings();
    before(function () {
        if (recorded === undefined) {
            console.log("      skipped: the recorded executions are not here");
            this.skip();
        }
    });

    /** Recordings lost some ids: those histories are no trees any more. */
    const whole = (recorded ?? []).filter(({ events }) =>
        events.every(({ id, previousEventId }) => typeof id === "number" && typeof previousEventId === "number"),
    );
    const named = (events: readonly HistoryEventLike[], ending: string): string[] =>
        events
            .filter(({ type }) => type?.endsWith(ending))
            .map((event) => detailsOf(event).name ?? "")
            .sort();

    it("are as many as entries, and each state that was left succeeded or was caught", () => {
        assert.ok(whole.length > 0 || recorded === undefined);
        for (const { id, events, status } of whole) {
            const history = events as readonly HistoryEventLike[];
            const visits = visitsOf(history, status);
            assert.deepEqual(visits.map(({ state }) => state).sort(), named(history, "StateEntered"), id);
            const left = visits.filter(({ outcome }) => outcome === "succeeded").map(({ state }) => state);
            const exits = named(history, "StateExited");
            for (const state of left) {
                const at = exits.indexOf(state);
                assert.ok(at >= 0, `${id}: ${state} succeeded and was never left`);
                exits.splice(at, 1);
            }
        }
    });

    it("leave nothing running in an execution that has ended", () => {
        for (const { id, events, status = "RUNNING" } of whole) {
            const running = visitsOf(events as readonly HistoryEventLike[], status).filter(
                ({ outcome }) => outcome === "running",
            );
            assert.ok(status === "RUNNING" || running.length === 0, `${id}: ${running[0]?.state} runs`);
        }
    });

    it("say which failures were overcome: an execution that succeeded ends with a state that did", () => {
        for (const { id, events, status } of whole.filter(({ status: ended }) => ended === "SUCCEEDED")) {
            const last = visitsOf(events as readonly HistoryEventLike[], status).at(-1);
            assert.ok(last === undefined || last.outcome !== "stopped", `${id}: ${last?.state} is ${last?.outcome}`);
        }
    });
});
