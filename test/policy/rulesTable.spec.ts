import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { RULES_FILE, rulesDocument } from "../../policy/rulesTable";

describe("policy/RULES.md", () => {
    it("is what the rules say about themselves", () => {
        assert.equal(
            readFileSync(RULES_FILE, "utf8"),
            rulesDocument(),
            "RULES.md is out of date: run `npm run policy:docs` and commit it.",
        );
    });
});
