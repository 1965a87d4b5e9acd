import assert from "node:assert/strict";
import { confusionOf, judge, readPredictions, readTruth } from "../../report/metrics";

// stack a: pages 1-2 are one contract, page 3 is a payslip; stack b is for training
const TABLE = [
    "stack,page,class,begins_document,split,text:contract,text:payslip",
    "b,1,contract,true,train,0,1",
    "a,2,contract,false,test,0.2,0.8",
    "a,1,contract,true,test,0.9,0.1",
    "a,3,payslip,true,test,0.1,0.9",
].join("\n");

const line = (page: number, contract: number, more: object = {}) =>
    JSON.stringify({
        stack: "a",
        page,
        fold: null,
        split: "test",
        probabilities: { contract, payslip: 1 - contract },
        ...more,
    });

describe("metrics of held-out pages", () => {
    const truth = readTruth(TABLE);
    const judged = (...lines: string[]) => judge("m", truth, readPredictions([lines.join("\n")]));

    it("takes the held-out pages only, in order, of the merged table and of the labels", () => {
        assert.deepEqual(
            truth.map(({ stack, page }) => `${stack}${page}`),
            ["a1", "a2", "a3"],
        );
        assert.deepEqual(readTruth("stack,page,class,begins_document,split\na,1,contract,true,test\n"), [truth[0]]);
        assert.throws(() => readTruth("stack,page\na,1\n"), /no column class, begins_document, split/);
    });

    it("a base model's segments are the maximal runs of one class", () => {
        assert.deepEqual(judged(line(1, 0.9), line(2, 0.9), line(3, 0.1)), {
            model: "m",
            pages: 3,
            pageAccuracy: 1,
            segmentF1: 1,
        });
        // 1 right, 2-3 as one payslip: two found, two true, none in common
        assert.deepEqual(judged(line(1, 0.9), line(2, 0.2), line(3, 0.1)), {
            model: "m",
            pages: 3,
            pageAccuracy: 2 / 3,
            segmentF1: 0,
        });
    });

    it("the combiner's documents are taken as it decoded them, whatever its pages' probabilities say", () => {
        const at = (page: number, contract: number, label: string, begins: boolean) =>
            line(page, contract, { class: label, begins, begins_document: 0.5 });
        const decoded = [
            at(1, 0.9, "contract", true),
            at(2, 0.4, "contract", false),
            at(3, 0.2, "payslip", true),
        ] as const;
        assert.deepEqual(judged(...decoded), { model: "m", pages: 3, pageAccuracy: 1, segmentF1: 1 });
        // three found, two true, the payslip in common
        assert.equal(judged(decoded[0], at(2, 0.9, "contract", true), decoded[2]).segmentF1, 2 / 5);
    });

    it("a base model's begins are no documents of its own", () => {
        const begins = { begins_document: 0.9 };
        assert.equal(judged(line(1, 0.9, begins), line(2, 0.9, begins), line(3, 0.1, begins)).segmentF1, 1);
    });

    it("averages what the folds' networks say of a page, and leaves training pages out", () => {
        const files = [line(1, 0.9, { fold: 0 }), line(1, 0.3, { fold: 1 }), line(2, 0.1, { split: "train" })];
        const predictions = readPredictions(files);
        assert.deepEqual([...predictions.keys()], ["a/1"]);
        assert.ok(Math.abs((predictions.get("a/1")?.probabilities.contract ?? 0) - 0.6) < 1e-9);
    });

    it("a page without a prediction is an error, not a page less", () => {
        assert.throws(() => judged(line(1, 1)), /no line for page 2 of stack a/);
        assert.throws(() => readPredictions(['{"stack": 1}']), /line 1 of its predictions is none/);
    });

    it("counts pages by true and predicted class, also a class that no page has", () => {
        assert.deepEqual(confusionOf(truth, ["contract", "__proto__", "payslip"]), {
            classes: ["__proto__", "contract", "payslip"],
            confusion: [
                [0, 0, 0],
                [1, 1, 0],
                [0, 0, 1],
            ],
        });
    });
});
