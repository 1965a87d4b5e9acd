import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

    describe("with a Python of one's own", () => {
        const before = process.env.ENSEMBLE_PYTHON;
        afterEach(() => {
            if (before === undefined) {
                delete process.env.ENSEMBLE_PYTHON;
            } else {
                process.env.ENSEMBLE_PYTHON = before;
            }
            process.exitCode = undefined;
        });

        it("starts what ENSEMBLE_PYTHON names, with the program beside the trainings", async () => {
            const python = path.join(directory, "python");
            const told = path.join(directory, "told");
            writeFileSync(python, `#!/bin/sh\nprintf '%s\\n' "$@" > '${told}'\n`, { mode: 0o755 });
            process.env.ENSEMBLE_PYTHON = python;
            await predictCommand(directory).parseAsync(["node", "predict", "--model", directory, directory]);
            const [program = "", ...args] = readFileSync(told, "utf8").trim().split("\n");
            assert.deepEqual(args, [directory, "--documents", directory]);
            assert.ok(existsSync(program), program);
        });

        it("says that it is not there, before anything is started", async () => {
            process.env.ENSEMBLE_PYTHON = path.join(directory, "none");
            await assert.rejects(
                predictCommand(directory).parseAsync(["node", "predict", "--model", directory, directory]),
                /none is missing: make a Python environment there .*ENSEMBLE_PYTHON=/,
            );
        });
    });

    it("refuses a model that is not there, and --stack without a folder", async () => {
        await refuses(["--model", path.join(directory, "none"), directory], /--model .*none: no such folder/);
        await refuses(["--model", directory, "1.png", "--stack", "s-1"], /--stack: only with a folder/);
    });
});
