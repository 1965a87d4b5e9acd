import assert from "node:assert/strict";
import { judgeCombiner, judgeMember, readDataframe } from "../../local/run/metrics";

// stack a: pages 1-2 are one contract, page 3 is a payslip; stack b is for training
const TABLE = [
    "stack,page,class,begins_document,split,text:contract,text:payslip,image:contract,image:payslip",
    "b,1,contract,true,train,0,1,0,1",
    "a,2,contract,false,test,0.2,0.8,0.9,0.1",
    "a,1,contract,true,test,0.9,0.1,0.9,0.1",
    "a,3,payslip,true,test,0.1,0.9,0.1,0.9",
].join("\n");

const line = (page: number, contract: number, begins: number) =>
    JSON.stringify({ stack: "a", page, fold: null, split: "test", probabilities: { contract, payslip: 1 - contract }, begins_document: begins });

describe("local/run/metrics", () => {
    const table = readDataframe(TABLE);

    it("takes the held-out pages only, in order", () => {
        assert.deepEqual(table.members, ["text", "image"]);
        assert.deepEqual(table.pages.map(({ page }) => page), [1, 2, 3]);
    });

    it("a base model's segments are the maximal runs of one class", () => {
        assert.deepEqual(judgeMember(table, "image"), { model: "image", pages: 3, pageAccuracy: 1, segmentF1: 1 });
        // 1 right, 2-3 as one payslip: two found, two true, none in common
        assert.deepEqual(judgeMember(table, "text"), { model: "text", pages: 3, pageAccuracy: 2 / 3, segmentF1: 0 });
    });

    it("the combiner's segments begin where it says so, their class is the one with the highest sum", () => {
        const right = [line(1, 0.9, 1), line(2, 0.4, 0.1), line(3, 0.2, 0.7)].join("\n");
        assert.deepEqual(judgeCombiner(table, "sequence", right), { model: "sequence", pages: 3, pageAccuracy: 2 / 3, segmentF1: 1 });
        const split = [line(1, 0.9, 1), line(2, 0.9, 0.6), line(3, 0.2, 0.7)].join("\n");
        // three found, two true, the payslip in common
        assert.equal(judgeCombiner(table, "sequence", split).segmentF1, 2 / 5);
    });

    it("a page without a prediction is an error, not a page less", () => {
        assert.throws(() => judgeCombiner(table, "sequence", line(1, 1, 1)), /no line for page 2 of stack a/);
    });
});
