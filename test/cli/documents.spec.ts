import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PNG } from "pngjs";
import { documentsCommand } from "../../cli/commands/documents";
import { ToolError } from "../../ground/errors";

const root = path.resolve(__dirname, "../..");

describe("documents import", function () {
    this.timeout(60_000);
    let directory: string;
    beforeEach(() => {
        directory = mkdtempSync(path.join(tmpdir(), "import-"));
    });
    afterEach(() => {
        rmSync(directory, { recursive: true, force: true });
        process.exitCode = undefined;
    });

    const run = (...parameters: readonly string[]) =>
        documentsCommand(root).parseAsync(["node", "documents", "import", ...parameters]);

    it("makes labelled documents out of a folder of pictures, by the real program", async () => {
        const scans = path.join(directory, "scans");
        mkdirSync(scans);
        for (const number of [1, 2, 10]) {
            writeFileSync(path.join(scans, `${number}.png`), PNG.sync.write(new PNG({ width: number, height: 8 })));
            writeFileSync(path.join(scans, `${number}.txt`), `page ${number}`);
        }
        const labels = path.join(directory, "labels.csv");
        writeFileSync(labels, "scans;1-2;letter\r\nscans;3;invoice\r\n");
        const out = path.join(directory, "documents");
        await run(scans, "--out", out, "--labels", labels);
        assert.equal(process.exitCode, 0);
        assert.deepEqual(readdirSync(out).sort(), ["images", "labels.csv", "sources.csv", "text"]);
        assert.equal(readFileSync(path.join(out, "text/scans/003.txt"), "utf8"), "page 10");
        assert.equal(
            readFileSync(path.join(out, "labels.csv"), "utf8"),
            "stack,page,class,begins_document,split\n" +
                "scans,1,letter,true,\nscans,2,letter,false,\nscans,3,invoice,true,\n",
        );
    });

    it("ends with 1 and leaves nothing where a file cannot be read", async () => {
        const file = path.join(directory, "broken.pdf");
        writeFileSync(file, "%PDF-1.7\n");
        const out = path.join(directory, "documents");
        await run(file, "--out", out);
        assert.equal(process.exitCode, 1);
        assert.equal(existsSync(out), false);
    });

    it("refuses what is not there, before anything is started", async () => {
        await assert.rejects(
            run(path.join(directory, "none.pdf"), "--out", directory, "--labels", path.join(directory, "no.csv")),
            (error: Error) =>
                error instanceof ToolError &&
                error.exitCode === 2 &&
                /none\.pdf: no such file or folder\n.*no\.csv: no such/.test(error.message),
        );
    });
});
