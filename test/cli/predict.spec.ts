import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { predictCommand, predictionText } from "../../cli/commands/predict";
import { ToolError } from "../../ground/errors";

describe("predict", () => {
    let directory: string;
    beforeEach(() => {
        directory = mkdtempSync(path.join(tmpdir(), "predict-"));
    });
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    it("tells each document of a stack in a line", () => {
        const page = { page: 1, class: "a", probability: 1, begins_document: 1 };
        assert.equal(
            predictionText({
                stack: "s-1",
                pages: [page],
                segments: [
                    { first_page: 1, last_page: 4, class: "purchase_contract", probability: 0.9712 },
                    { first_page: 5, last_page: 5, class: "payslip", probability: 1 },
                ],
            }),
            "s-1\n  pages 1-4: purchase contract, 0.97\n  page 5: payslip, 1.00\n",
        );
    });

    const refuses = (args: readonly string[], message: RegExp) =>
        assert.rejects(
            predictCommand(directory).parseAsync(["node", "predict", ...args]),
            (error: Error) => error instanceof ToolError && error.exitCode === 2 && message.test(error.message),
        );

    it("names every page that is missing, has no text beside it or is no PNG, before a model is loaded", async () => {
        const page = path.join(directory, "1.png");
        writeFileSync(page, "");
        await refuses(
            ["--model", directory, page, path.join(directory, "2.png"), path.join(directory, "3.pdf")],
            /1\.txt: no such file\n.*2\.png: no such file\n.*2\.txt: no such file\n.*3\.pdf: no such file or folder/,
        );
        await refuses(["--model", directory, path.join(page, "4")], /1\.png\/4: no such file or folder/);
        await refuses(["--model", directory, page, directory], /: a folder, beside other pages; give one folder alone/);
        writeFileSync(path.join(directory, "3.pdf"), "");
        await refuses(["--model", directory, path.join(directory, "3.pdf")], /3\.pdf: no page; expected a PNG/);
    });

    it("refuses a model that is not there, and --stack without a folder", async () => {
        await refuses(["--model", path.join(directory, "none"), directory], /--model .*none: no such folder/);
        await refuses(["--model", directory, "1.png", "--stack", "s-1"], /--stack: only with a folder/);
    });
});
