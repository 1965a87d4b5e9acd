import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { compare, knownDifferences, recordings, replay, report } from "./conformance";

const all = recordings();

describe("executions recorded on AWS", () => {
    if (all === undefined) {
        it("are replayed (skipped: ../shared/conformance is not here)");
        return;
    }
    const known = new Map(knownDifferences().map((entry) => [entry.id, entry]));

    for (const recording of all) {
        it(`${recording.queryLanguage} ${recording.id.split("::").pop()}`, async () => {
            const differences = compare(recording, await replay(recording));
            const expected = known.get(recording.id)?.differences ?? [];
            assert.equal(differences.length, expected.length, differences.join("\n"));
            differences.forEach((difference, index) => {
                const wanted = expected[index];
                assert.ok(
                    wanted.endsWith("*") ? difference.startsWith(wanted.slice(0, -1)) : difference === wanted,
                    difference,
                );
            });
        });
    }

    it("differ only where a reason is written down, and every reason belongs to a recording", () => {
        const ids = new Set(all.map((recording) => recording.id));
        for (const entry of known.values()) {
            assert.ok(ids.has(entry.id), entry.id);
            assert.ok(entry.reason.length > 40, entry.id);
        }
    });

    it("are reported per class in asl/CONFORMANCE.md as they are", async () => {
        const written = readFileSync(path.resolve(__dirname, "../../../asl/CONFORMANCE.md"), "utf8");
        assert.equal(written, await report(all), "run `npm run conformance:report` to write it anew");
    });
});
