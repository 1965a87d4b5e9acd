import assert from "node:assert/strict";
import type { StateGraph } from "../../asl/types";
import { defined } from "../../ground/fields";
import { maximumRows, timelineChart } from "../../report/charts";
import { renderReport } from "../../report/html";
import type { Visit } from "../../report/model";
import { visitsOf } from "../../report/visits";
import { history, sampleReport } from "./sample";

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
                {
                    id: 1,
                    previousEventId: 0,
                    type: "TaskStateEntered",
                    timestamp: 0,
                    stateEnteredEventDetails: { name: "T" },
                },
                {
                    id: 2,
                    previousEventId: 1,
                    type: "TaskScheduled",
                    timestamp: 1,
                    taskScheduledEventDetails: { resourceType: "r", resource: "x", parameters: "{}" },
                },
                {
                    id: 3,
                    previousEventId: 2,
                    type: "TaskSubmitted",
                    timestamp: 2,
                    taskSubmittedEventDetails: { output: '{"JobArn":"a"}' },
                },
            ],
            "ABORTED",
        );
        assert.deepEqual(visit.attempts, [{ from: 1, to: 2, outcome: "stopped", resource: "r:x", submitted: "{}" }]);
    });

    const at = (id: number, previousEventId: number, type: string, timestamp: number, name?: string) =>
        defined({
            id,
            previousEventId,
            type,
            timestamp,
            [type.endsWith("Entered") ? "stateEnteredEventDetails" : "stateExitedEventDetails"]:
                name === undefined ? undefined : { name },
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
                { ...at(5, 4, "ParallelStateFailed", 3), parallelStateFailedEventDetails: { error: "E" } },
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

    it("is empty for an empty history", () => {
        assert.deepEqual(visitsOf([]), []);
    });
});

describe("the report", () => {
    it("is one document without script and without anything from the network", async () => {
        const html = await renderReport(sampleReport());
        assert.doesNotMatch(html, /<script|<link[^>]+href="http|src="http|url\(http|@import/);
        assert.match(html, /default-src 'none'/);
    });

    it("escapes what comes from outside", async () => {
        const evil = "<img src=x onerror=alert(1)>";
        const [model] = sampleReport().models;
        const html = await renderReport(
            sampleReport({
                status: "FAILED",
                error: evil,
                cause: '"quoted" & <b>bold</b>',
                title: evil,
                notes: [evil],
                missing: [{ what: evil, why: evil }],
                failures: [
                    {
                        ...sampleReport().failures[0],
                        state: evil,
                        reason: evil,
                        logUrl: `https://x/"${evil}`,
                        overcome: false,
                    },
                ],
                models: [
                    { ...model, name: evil, reason: evil, result: { ...model.result!, classes: [evil, "b", "c"] } },
                ],
                mistakes: {
                    model: evil,
                    total: 1,
                    shown: [{ stack: "<s>", page: 1, truth: "<t>", predicted: "&", probability: 0.5 }],
                },
            }),
        );
        assert.doesNotMatch(html, /<img src=x|<b>bold|<s>|<t>/);
        assert.match(html, /&lt;img src=x onerror=alert\(1\)&gt;/);
    });

    it("shows results, reasons, failures, price, mistakes, what differs and what is missing", async () => {
        const html = await renderReport(sampleReport());
        for (const expected of [
            "92.9 %",
            "80.0 %",
            "trains: first training",
            "reused: same key ab12cd34",
            "no ml.g6.xlarge is free",
            "succeeded later",
            "0.11 USD + unknown",
            "No price is known for ml.m5.large in eu-central-1",
            'read as <b class="bad">land register</b> (0.71)',
            "epochs 80 -&gt; 3",
            "text: history.json: it is no JSON",
        ]) {
            assert.ok(html.includes(expected), expected);
        }
    });

    it("describes every chart in words", async () => {
        const html = await renderReport(sampleReport());
        const labels = [...html.matchAll(/role="img" aria-label="([^"]+)"/g)].map(([, label]) => label);
        assert.ok(labels.length >= 8, String(labels.length));
        assert.ok(
            labels.some((label) =>
                label.startsWith(
                    "loss of image by epoch, first to last. fold 0, training 1.2 to 0.4, validation 1.4 to 0.8; fold 1",
                ),
            ),
        );
        assert.ok(
            labels.some((label) =>
                /^The path taken: 3 states succeeded, 0 failed, 1 of 4 were not entered/.test(label),
            ),
        );
    });

    it("has the same bytes for the same data, and no identifier twice", async () => {
        const html = await renderReport(sampleReport());
        assert.equal(html, await renderReport(sampleReport()));
        const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
        assert.deepEqual(
            ids.filter((id, index) => ids.indexOf(id) !== index),
            [],
        );
    });

    it("can be made of an execution that failed before anything was trained", async () => {
        const html = await renderReport(
            sampleReport({
                status: "FAILED",
                error: "Notified.Input",
                cause: "no such path",
                models: [],
                mistakes: undefined,
                visits: [],
                failures: [],
            }),
        );
        assert.match(html, /No model was trained\./);
        assert.match(html, /Notified\.Input/);
        assert.match(html, /Nothing that takes time has begun/);
    });

    it("stays small with a hundred members: rows are bounded, a picture that nobody can read is left out", async () => {
        const states = Object.fromEntries(
            Array.from({ length: 500 }, (_, index) => [`S${index}`, { Type: "Pass", Next: `S${index + 1}` }]),
        );
        const visits = Array.from({ length: 400 }, (_, index): Visit => ({
            state: `S${index}`,
            type: "Task",
            from: 0,
            to: index + 1,
            outcome: "succeeded",
            attempts: [{ from: 0, to: index + 1, outcome: "succeeded" }],
        }));
        assert.equal(timelineChart(visits, 0, false).left, 400 - maximumRows);
        const definition = { StartAt: "S0", States: { ...states, S500: { Type: "Succeed" } } } as unknown as StateGraph;
        const html = await renderReport(sampleReport({ visits: visits.slice(0, 120), definition }));
        assert.match(html, /The whole workflow has 501 states, too many for a picture/);
        assert.ok(html.length < 1_500_000, String(html.length));
    });
});
