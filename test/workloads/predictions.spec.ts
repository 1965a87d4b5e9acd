import assert from "node:assert/strict";
import { judge, meanOf, numbersOf } from "../../workloads/jobs/gate";
import { pageId } from "../../workloads/documents/pages";
import { parseLabels } from "../../workloads/jobs/labels";
import { formatTable } from "../../workloads/jobs/merge";
import { PredictionReader, type MemberPredictions } from "../../workloads/jobs/predictions";
import type { Line } from "../support/ensemble";

const pages = parseLabels(
    [
        "stack,page,class,begins_document,split",
        "a,1,x,true,train",
        "a,2,y,true,train",
        "b,1,x,true,train",
        "b,2,y,true,train",
        "t,1,x,true,test",
    ].join("\n"),
    "labels.csv",
);

const good: readonly Line[] = [
    { stack: "a", page: 1, fold: 0, split: "train", probabilities: { x: 0.5, y: 0.5 } },
    { stack: "a", page: 2, fold: 0, split: "train", probabilities: { x: 0, y: 1 } },
    { stack: "b", page: 1, fold: 1, split: "train", probabilities: { x: 1, y: 0 } },
    { stack: "b", page: 2, fold: 1, split: "train", probabilities: { y: 1, x: 0 } },
    { stack: "t", page: 1, fold: null, split: "test", probabilities: { x: 0.25, y: 0.75 } },
];

function read(lines: readonly (Line | object | string)[]) {
    const reader = new PredictionReader("text", pages);
    lines.forEach((line, index) =>
        reader.read(typeof line === "string" ? line : JSON.stringify(line), `predictions.jsonl line ${index + 1}`),
    );
    return { ...reader.finish(), mismatches: reader.mismatches };
}

const without = (index: number) => good.filter((_, position) => position !== index);
const changed = (index: number, change: object) =>
    good.map((line, position) => (position === index ? { ...line, ...change } : line));

describe("joining predictions", () => {
    it("takes one out-of-fold prediction of each training page and one of each test page", () => {
        const { probabilities, classes, mismatches } = read(good);
        assert.deepEqual(mismatches, []);
        assert.deepEqual(classes, ["x", "y"]);
        assert.deepEqual(probabilities.get("b/2"), [0, 1]);
    });

    it("averages a test page over all folds", () => {
        const { probabilities, mismatches } = read([
            ...without(4),
            { ...good[4], fold: 0, probabilities: { x: 0, y: 1 } },
            { ...good[4], fold: 1, probabilities: { x: 0.5, y: 0.5 } },
        ]);
        assert.deepEqual(mismatches, []);
        assert.deepEqual(probabilities.get("t/1"), [0.25, 0.75]);
    });

    it("takes whether documents begin from members that say it, and means of it over folds", () => {
        const begins = [1, 0.25, 1, 0, 0.75];
        const said = good.map((line, index) => ({ ...line, begins_document: begins[index] }));
        const found = read(said).begins;
        assert.deepEqual(
            ["a/1", "a/2", "b/1", "b/2", "t/1"].map((id) => found?.get(id)),
            begins,
        );
        assert.equal(read(good).begins, undefined);
        assert.equal(read(good.map((line) => ({ ...line, begins_document: null }))).begins, undefined);
        const folds = [
            ...said.slice(0, 4),
            { ...said[4], fold: 0, begins_document: 0.5 },
            { ...said[4], fold: 1, begins_document: 1 },
        ];
        assert.equal(read(folds).begins?.get("t/1"), 0.75);
    });

    it("writes them into the merged table beside the classes", () => {
        const probabilities = new Map(pages.map((page) => [pageId(page), [0.25, 0.75]]));
        const begins = new Map(pages.map((page, index) => [pageId(page), index / 4]));
        const members = new Map<string, MemberPredictions>([
            ["text", { classes: ["x", "y"], probabilities, begins }],
            ["other", { classes: ["x", "y"], probabilities }],
        ]);
        const [header, , second] = formatTable(pages, members).split("\n");
        assert.equal(
            header,
            "stack,page,class,begins_document,split,text:x,text:y,text::begins_document,other:x,other:y",
        );
        assert.equal(second, "a,2,y,true,train,0.25,0.75,0.25,0.25,0.75");
    });

    const refused: readonly (readonly [string, readonly (object | string)[], RegExp])[] = [
        ["a training page without a prediction", without(1), /0 out-of-fold predictions, expected 1/],
        ["two predictions of a training page", [...good, good[0]], /2 out-of-fold predictions/],
        ["a training page predicted by the model that learned from it", changed(0, { fold: null }), /learned from it/],
        ["a test page without a prediction", without(4), /0 test predictions/],
        [
            "a test page with one fold of two",
            changed(4, { fold: 0 }),
            /1 test predictions \(folds 0\), expected .* one of each fold \(0, 1\)/,
        ],
        ["a page that nobody labelled", [...good, { ...good[0], page: 9 }], /no such page is labelled/],
        [
            "a page on the wrong side",
            changed(4, { split: "train" }),
            /is predicted as a page of "train", the labels say test/,
        ],
        ["a stack held out by two folds", changed(1, { fold: 1 }), /stack a is held out by several folds/],
        [
            "a class that no page has",
            changed(0, { probabilities: { z: 1 } }),
            /predicts the classes z, which no page has/,
        ],
        [
            "other classes in another line",
            changed(3, { probabilities: { x: 1 } }),
            /predicts the classes x, other lines x, y/,
        ],
        ["probabilities that do not add up", changed(2, { probabilities: { x: 0.5, y: 0.4 } }), /with the sum 1/],
        ["a probability that is no number", changed(2, { probabilities: { x: "1", y: 0 } }), /not numbers/],
        [
            "begins of some pages only",
            changed(0, { begins_document: 1 }),
            /says of 1 of 5 pages whether a document begins/,
        ],
        [
            "begins that are no probability",
            changed(0, { begins_document: 2 }),
            /begins_document is no number from 0 to 1/,
        ],
        ["a line that is no JSON", [...good, '{"stack"'], /is no JSON/],
        ["a line that is no prediction", [...good, { stack: "a" }], /is no prediction/],
    ];
    for (const [what, lines, message] of refused) {
        it(`reports ${what}, with file and line where there is one`, () => {
            const { mismatches } = read(lines);
            assert.ok(
                mismatches.some((mismatch) => message.test(mismatch.what)),
                JSON.stringify(mismatches),
            );
        });
    }

    it("reports everything that is wrong, not only the first", () => {
        assert.equal(read(good.slice(2)).mismatches.length, 2);
    });
});

describe("quality gate", () => {
    const metrics = { text: { page_accuracy: 0.9, loss: 0.5 }, image: { page_accuracy: 0.8 } };

    it("passes at its bounds", () => {
        const gate = { minimum: { text: { page_accuracy: 0.9 } }, maximumRegression: 0.05 };
        assert.deepEqual(judge(gate, metrics, { text: { page_accuracy: 0.95 } }), []);
    });

    it("names every metric below its minimum, one that was not measured too", () => {
        const minimum = { text: { page_accuracy: 0.91, segment_f1: 0.5 }, image: { page_accuracy: 0.85 } };
        assert.deepEqual(judge({ minimum }, metrics, undefined), [
            "text page_accuracy is 0.9, at least 0.91 is required",
            "text segment_f1 is not measured, at least 0.5 is required",
            "image page_accuracy is 0.8, at least 0.85 is required",
        ]);
    });

    it("refuses a fall against the published ensemble, and judges no metric of which less is better", () => {
        const published = { text: { page_accuracy: 0.93, loss: 0.9 }, gone: { page_accuracy: 1 } };
        assert.deepEqual(judge({ maximumRegression: 0.02 }, metrics, published), [
            "text page_accuracy fell from 0.93 to 0.9, at most 0.02 is allowed",
        ]);
    });

    const compared = { gain: 0.02, gain_low: -0.01, gain_noise: 0.03, segment_gain_low: 0.1, segment_gain_noise: 0.05 };

    it("publishes an ensemble whose gain over its best member may be none, within the noise", () => {
        assert.deepEqual(judge({}, { sequence: compared }, undefined), []);
        assert.deepEqual(judge({}, { sequence: { ...compared, gain_low: -0.03 } }, undefined), []);
    });

    it("refuses an ensemble that harms, and says by how much", () => {
        const harmful = { ...compared, gain: -0.14, gain_low: -0.2, segment_gain: -0.48, segment_gain_low: -0.55 };
        assert.deepEqual(judge({}, { sequence: harmful }, undefined), [
            "sequence gains -0.14 in page accuracy over the best member, at least -0.2 with 95 % certainty, " +
                "where -0.03 is required (the noise): the ensemble may do worse than that member alone",
            "sequence gains -0.48 in segment F1 over the best member, at least -0.55 with 95 % certainty, " +
                "where -0.05 is required (the noise): the ensemble may do worse than that member alone",
        ]);
        assert.deepEqual(judge({ minimumGain: -1 }, { sequence: harmful }, undefined), []);
    });

    it("asks for a configured gain", () => {
        const [refused, ...more] = judge({ minimumGain: 0 }, { sequence: compared }, undefined);
        assert.match(refused ?? "", /gains 0.02 in page accuracy .* where 0 is required \(minimumGain\)/);
        assert.deepEqual(more, []);
    });

    it("does not judge a member that is missing, and passes without bounds", () => {
        assert.deepEqual(judge({ minimum: { layout: { page_accuracy: 1 } } }, metrics, undefined), []);
        assert.deepEqual(judge({}, metrics, { text: { page_accuracy: 1 } }), []);
    });

    it("takes the mean over folds of what all of them measured", () => {
        const folds = [
            { page_accuracy: 0.5, fold: 0, test: {}, extra: 1 },
            { page_accuracy: 1, fold: 1 },
        ].map(numbersOf);
        assert.deepEqual(meanOf(folds), { page_accuracy: 0.75 });
    });
});
