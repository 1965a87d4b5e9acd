import assert from "node:assert/strict";
import type { Visit } from "../../asl/history";
import type { StateGraph } from "../../asl/types";
import { maximumRows, timelineChart } from "../../report/charts";
import { renderReport } from "../../report/html";
import { sampleReport } from "./sample";

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
