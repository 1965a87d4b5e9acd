import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { described } from "./compare";
import { RULES } from "./explain";
import { recordedOn, recordings } from "./recordings";
import { judge, report, type Verdict } from "./report";

const all = recordings();

describe("executions recorded on AWS", () => {
    if (all === undefined) {
        it("are replayed (skipped: ../shared/conformance is not here)");
        return;
    }
    const verdicts: Verdict[] = [];

    for (const recording of all) {
        it(`${recording.queryLanguage} ${recordedOn(recording)} ${recording.id.split("::").pop()}`, async () => {
            const verdict = await judge(recording);
            verdicts.push(verdict);
            assert.deepEqual(verdict.unexplained.map(described), []);
        });
    }

    it("differ only by rules that a newer recording shows, and every rule is needed", () => {
        for (const rule of RULES) {
            const newer = all.filter((recording) => recordedOn(recording) >= rule.since);
            assert.ok(newer.some(rule.shows), `no recording since ${rule.since} shows the rule "${rule.name}"`);
            const used = verdicts.some(({ explained }) => explained.some(([, other]) => other === rule));
            assert.ok(used, `the rule "${rule.name}" explains nothing`);
        }
    });

    it("are reported per class and year in asl/CONFORMANCE.md as they are", () => {
        const written = readFileSync(path.resolve(__dirname, "../../../asl/CONFORMANCE.md"), "utf8");
        assert.equal(written, report(verdicts), "run `npm run conformance:report` to write it anew");
    });
});
