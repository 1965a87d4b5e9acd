import assert from "node:assert/strict";
import { renderReport } from "../../report/html";
import { visitsOf } from "../../report/visits";
import { history, sampleReport } from "./sample";

describe("visits of states, from an event history", () => {
    it("pairs entries with exits, keeps the errors of a state, and counts each entry", () => {
        const visits = sampleReport().visits;
        assert.deepEqual(visits.map((visit) => [visit.state, visit.type, visit.to - visit.from, visit.outcome, visit.errors]), [
            ["Setup", "Task", 5_000, "succeeded", []],
            ["Train", "Task", 30_000, "failed", ["CapacityError"]],
            ["Train", "Task", 60_000, "succeeded", []],
            ["Done", "Succeed", 0, "succeeded", []],
        ]);
    });

    it("ends a state that never exits with the execution, as failed", () => {
        const visits = visitsOf(history([{ name: "A", type: "Task", seconds: 3, fails: "E", exits: false }]));
        assert.deepEqual(visits.map((visit) => [visit.outcome, visit.to - visit.from]), [["failed", 3_000]]);
    });

    it("keeps concurrent branches apart by the chain of events", () => {
        const at = (id: number, previousEventId: number, type: string, timestamp: number, name: string) => ({
            id, previousEventId, type, timestamp,
            [type.endsWith("Entered") ? "stateEnteredEventDetails" : "stateExitedEventDetails"]: { name },
        });
        const visits = visitsOf([
            at(1, 0, "TaskStateEntered", 0, "A"), at(2, 0, "TaskStateEntered", 1, "B"),
            at(3, 2, "TaskStateExited", 5, "B"), at(4, 1, "TaskStateExited", 9, "A"),
        ]);
        assert.deepEqual(visits.map((visit) => [visit.state, visit.from, visit.to]), [["A", 0, 9], ["B", 1, 5]]);
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
        const html = await renderReport(sampleReport({
            status: "FAILED", error: "<img src=x onerror=alert(1)>", cause: "\"quoted\" & <b>bold</b>",
            mistakes: [{ stack: "<s>", page: 1, truth: "<t>", predicted: "&", probability: 0.5 }],
        }));
        assert.doesNotMatch(html, /<img src=x|<b>bold|<s>|<t>/);
        assert.match(html, /&lt;img src=x onerror=alert\(1\)&gt;/);
    });

    it("shows results, reasons, price, mistakes and what differs", async () => {
        const html = await renderReport(sampleReport());
        for (const expected of ["85.7 %", "80.0 %", "trains: first training", "unknown: no price", "read as land register (0.71)", "epochs 80 -&gt; 3"]) {
            assert.ok(html.includes(expected), expected);
        }
    });

    it("has the same bytes for the same data", async () => {
        const bytes = (): Promise<string> => renderReport(sampleReport());
        assert.equal(await bytes(), await bytes());
    });

    it("can be made of a run that failed before anything was trained", async () => {
        const html = await renderReport(sampleReport({ status: "FAILED", error: "Notified.Input", cause: "no such path", models: [], mistakes: [], visits: [] }));
        assert.match(html, /No model was trained/);
        assert.match(html, /Notified\.Input/);
    });
});
