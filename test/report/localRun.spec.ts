import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { renderReport } from "../../report/html";
import { NoRun, reportOfRun } from "../../report/localRun";
import { history, sampleReport } from "./sample";

describe("the report of a local run", () => {
    let directory: string;

    beforeEach(() => {
        directory = mkdtempSync(path.join(tmpdir(), "ensemble-report-"));
        mkdirSync(path.join(directory, "evaluation"));
        mkdirSync(path.join(directory, "images", "s-1"), { recursive: true });
        const write = (name: string, content: string | object) =>
            writeFileSync(path.join(directory, name), typeof content === "string" ? content : JSON.stringify(content));
        write("definition.json", sampleReport().definition);
        write("history.jsonl", history([{ name: "Setup", type: "Task", seconds: 5 }]).map((event) => JSON.stringify(event)).join("\n"));
        write("result.json", {
            id: "run-1", stage: "dev", status: "SUCCEEDED", stateMachine: "machine", documents: { directory },
            models: { text: { action: "train", reason: "trains: first" } }, reductions: [{ model: "text", name: "c", configured: 1, local: 2 }],
            metrics: [
                { model: "text", pages: 2, pageAccuracy: 1, segmentF1: 1 }, { model: "sequence", pages: 2, pageAccuracy: 0.5, segmentF1: 0.5 },
            ],
        });
        write("evaluation/dataframe.csv", [
            "stack,page,class,begins_document,split,text:a,text:b", "s-1,1,a,true,test,0.9,0.1", "s-1,2,b,true,test,0.2,0.8", "s-2,1,a,true,train,1,0",
        ].join("\n"));
        write("evaluation/predictions.jsonl", [1, 2].map((page) =>
            JSON.stringify({ stack: "s-1", page, probabilities: { a: 0.7, b: 0.3 }, begins_document: 1 })).join("\n"));
        write("evaluation/history.json", { epochs: [{ epoch: 1, loss: 2, val_loss: 3 }, { epoch: 2, loss: 1, val_loss: 2 }] });
        write("images/s-1/002.png", "picture");
    });

    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    it("counts held-out pages by true and predicted class, for members and the combiner", () => {
        const [text, sequence] = reportOfRun(directory).models;
        assert.deepEqual([text.classes, text.confusion, text.reason], [["a", "b"], [[1, 0], [0, 1]], "trains: first"]);
        assert.deepEqual(sequence.confusion, [[1, 0], [1, 0]]);
        assert.deepEqual(sequence.curves, { loss: [2, 1], "val loss": [3, 2] });
    });

    it("shows the combiner's wrong pages with their picture", () => {
        const [mistake, ...others] = reportOfRun(directory).mistakes;
        assert.deepEqual(others, []);
        assert.deepEqual([mistake.stack, mistake.page, mistake.truth, mistake.predicted, mistake.probability], ["s-1", 2, "b", "a", 0.7]);
        assert.equal(Buffer.from(mistake.image ?? []).toString(), "picture");
    });

    it("is drawn of a run that was evaluated by nobody", async () => {
        rmSync(path.join(directory, "evaluation"), { recursive: true });
        const data = reportOfRun(directory);
        assert.deepEqual([data.models, data.mistakes], [[], []]);
        assert.match(await renderReport(data), /No model was trained/);
    });

    it("says which file is missing", () => {
        rmSync(path.join(directory, "definition.json"));
        assert.throws(() => reportOfRun(directory), (error: Error) => error instanceof NoRun && /definition\.json: no such file/.test(error.message));
    });
});
