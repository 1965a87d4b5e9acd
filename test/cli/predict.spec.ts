import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { predictCommand, predictionText, tableOf } from "../../cli/commands/predict";
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

    it("names every source that is missing, before a model is loaded", async () => {
        const page = path.join(directory, "1.png");
        writeFileSync(page, "");
        await refuses(
            ["--model", directory, page, path.join(directory, "2.png"), path.join(directory, "3.pdf")],
            /^.*2\.png: no such file or folder\n.*3\.pdf: no such file or folder$/,
        );
        await refuses(["--model", directory, path.join(page, "4")], /1\.png\/4: no such file or folder/);
    });

    it("marks what is not sure, and names the files that pages are from", () => {
        const page = (file: string, number: number) => ({
            page: number,
            class: "a",
            probability: 1,
            begins_document: 1,
            file: `scan/${file}`,
            file_page: 1,
        });
        const answer = {
            stack: "scan",
            pages: [page("1.png", 1), page("2.png", 2), page("10.png", 3)],
            segments: [
                { first_page: 1, last_page: 2, class: "payslip", probability: 0.99 },
                { first_page: 3, last_page: 3, class: "unknown", probability: 0.4, review: true },
            ],
        };
        assert.equal(
            predictionText(answer),
            "scan\n  pages 1-2 (1.png to 2.png): payslip, 0.99\n  page 3 (10.png): unknown, 0.40  <- review\n",
        );
        assert.equal(
            tableOf([answer]),
            "stack,first_page,last_page,class,probability,review,file\n" +
                "scan,1,2,payslip,0.99,,scan/1.png\nscan,3,3,unknown,0.4,review,scan/10.png\n",
        );
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
            const started = async (...parameters: readonly string[]) => {
                await predictCommand(directory).parseAsync(["node", "predict", "--model", directory, ...parameters]);
                const [program = "", model, ...args] = readFileSync(told, "utf8").trim().split("\n");
                assert.ok(existsSync(program), program);
                assert.equal(model, directory);
                return args;
            };
            assert.deepEqual((await started(directory)).slice(-2), ["--source", directory]);
            mkdirSync(path.join(directory, "images"));
            const stacks = ["--stack", "a", "b", "--stack", "c"];
            assert.deepEqual(
                (await started(directory, ...stacks)).slice(0, 6),
                ["a", "b", "c"].flatMap((stack) => ["--stack", stack]),
            );
            assert.deepEqual((await started(directory)).slice(-2), ["--documents", directory]);
        });

        it("says that it is not there, before anything is started", async () => {
            process.env.ENSEMBLE_PYTHON = path.join(directory, "none");
            await assert.rejects(
                predictCommand(directory).parseAsync(["node", "predict", "--model", directory, directory]),
                /none is missing: make a Python environment there .*ENSEMBLE_PYTHON=/,
            );
        });
    });

    it("refuses a model that is not there, and a probability that is none", async () => {
        await refuses(["--model", path.join(directory, "none"), directory], /--model .*none: no such folder/);
        const wrong = ["--model", directory, directory, "--review-below", "90"];
        await assert.rejects(
            predictCommand(directory)
                .configureOutput({ writeErr: () => undefined })
                .parseAsync(["node", "p", ...wrong]),
            /expected a probability from 0 to 1/,
        );
    });
});
