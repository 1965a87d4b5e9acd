import assert from "node:assert/strict";
import path from "node:path";
import { pathToFileURL } from "node:url";

interface Report {
    readonly files: Readonly<Record<string, { readonly mutants: readonly { readonly status: string }[] }>>;
}

describe("the score of mutation tests", () => {
    let table: (reports: Readonly<Record<string, Report>>) => string;
    before(async () => {
        const file = path.resolve(__dirname, "../../scripts/mutation.mjs");
        ({ scoreTable: table } = (await import(pathToFileURL(file).href)) as { scoreTable: typeof table });
    });

    it("counts a time-out as noticed, what no test reaches as not, and leaves out what does not compile", () => {
        const mutants = ["Killed", "Timeout", "Survived", "NoCoverage", "CompileError", "Ignored"];
        const report = { files: { "a.ts": { mutants: mutants.map((status) => ({ status })) } } };
        assert.equal(table({ room: report }).split("\n").at(-1), "| room | 4 | 2 | 1 | 1 | 50.0 % |");
    });

    it("has none where nothing is mutated", () => {
        assert.match(table({ room: { files: {} } }), /\| room \| 0 \| 0 \| 0 \| 0 \| - \|/);
    });
});
