import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { documents, generated } from "../../docs/generate";

describe("the documents", () => {
    for (const document of documents) {
        it(`${document} says what the code says (npm run docs writes it anew)`, async () => {
            assert.equal(readFileSync(join(__dirname, "../..", document), "utf8"), await generated(document));
        });
    }
});
