import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { agree, evaluated, type Answer, type PathCase } from "./cases";

/** Written by `UPDATE_JAYWAY=1 npm run test:slow`, which asks the library itself. */
const RECORDED = path.join(__dirname, "jayway.jsonl");

type Recorded = PathCase & Answer;

describe("the answers of Jayway's JSONPath library, recorded", () => {
    const cases = fs
        .readFileSync(RECORDED, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Recorded);

    it("are given here, too: values, and failures where it fails", () => {
        const different = cases.filter((one) => !agree(evaluated(one), one));
        assert.deepEqual(different, []);
    });

    it("are many, and neither nearly all empty nor nearly all failures", () => {
        const found = cases.filter(({ error, value }) => error === undefined && JSON.stringify(value) !== "[]");
        const failed = cases.filter(({ error }) => error !== undefined);
        assert.ok(found.length >= 400 && failed.length >= 200 && cases.length > found.length + failed.length);
    });
});
