import assert from "node:assert/strict";
import { qualityHtml, readQuality } from "../../report/quality";

const gains = (value: number, gain: number) => ({
    page_accuracy: { value, gain, low: gain - 0.02, high: gain + 0.02 },
    segment_f1: { value, gain, low: gain - 0.02, high: gain + 0.02 },
});
const METRICS = {
    page_accuracy: 0.97,
    segment_f1: 0.93,
    boundary_f1: 0.98,
    stacks_right: 0.74,
    expected_calibration_error: 0.035,
    comparison: {
        best_member: "image",
        members: { image: gains(0.686, 0.285), text: gains(0.603, 0.368) },
        baselines: { logistic_stacking: gains(0.98, -0.01) },
    },
    reliability: { bins: [{ count: 40, probability: 0.96, right: 0.925 }] },
    review: [
        { precision: 0.99, threshold: null, share: 0, right: null },
        { precision: 0.95, threshold: 0.8125, share: 0.71, right: 0.964 },
    ],
    test: { per_class: { "bill <1>": { pages: 7, documents: 3, precision: 1, recall: 0.5, segment_f1: 0.25 } } },
};

describe("what a combiner measured, in the report", () => {
    const quality = readQuality(JSON.stringify(METRICS));
    assert.ok(quality !== undefined);
    const html = qualityHtml(quality);

    it("stands beside its members and baselines with intervals, also where it is worse", () => {
        assert.match(html, /image <span class="quiet">\(best member\)<\/span>/);
        assert.match(html, /\+28\.5 <span class="quiet">\[\+26\.5, \+30\.5\]/);
        assert.match(html, /logistic stacking.*−1\.0 <span class="quiet">\[−3\.0, \+1\.0\]/);
    });

    it("is calibrated or not: a diagram that is also said in words, and the error", () => {
        assert.match(html, /<svg /);
        assert.match(html, /aria-label="Reliability: 40 documents said to be right with 96\.0 %: 92\.5 % are"/);
        assert.match(html, /Expected calibration error 3\.5 %/);
    });

    it("says from which probability on no human is needed, and where none is high enough", () => {
        assert.match(html, /99\.0 %<\/th>.*never reached.*0\.0 %.*–/);
        assert.match(html, /95\.0 %<\/th>.*0\.813.*71\.0 %.*96\.4 %/);
    });

    it("names classes as they are, escaped", () => {
        assert.match(html, /bill &lt;1&gt;<\/th><td data-head="pages">7/);
    });

    it("is left out where a combiner compares itself with nothing, and refused where it is broken", () => {
        assert.equal(readQuality('{"page_accuracy": 0.9}'), undefined);
        const broken = JSON.stringify({ ...METRICS, review: [{ precision: "high" }] });
        assert.throws(() => readQuality(broken), /metrics\.json: review\.0\.precision: /);
    });
});
