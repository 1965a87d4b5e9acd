import assert from "node:assert/strict";
import { analyseText } from "../../../asl/analysis";
import { recordings, submissions } from "./recordings";

/** What the analysis says that AWS refuses. */
function refusals(definition: string, type?: "STANDARD" | "EXPRESS"): string[] {
    const findings = analyseText(definition, { type }).filter(({ consequence }) => consequence === "refused");
    return findings.map(({ rule, path, message }) => `${rule} at "${path}": ${message}`);
}

describe("definitions submitted to AWS", () => {
    const all = submissions();
    if (all === undefined) {
        it("are judged (skipped: ../shared/conformance is not here)");
        return;
    }
    for (const { id, definition, type, refusal } of all) {
        const name = `${id.split("::").pop()} (${type})`;
        if (refusal === undefined) {
            it(`${name}: AWS took it, and no finding says that AWS refuses it`, () => {
                assert.deepEqual(refusals(definition, type), []);
            });
        } else {
            it(`${name}: AWS refused it, and a finding says so`, () => {
                assert.notDeepEqual(refusals(definition, type), [], refusal);
            });
        }
    }

    it("and executed there are refused by no finding", () => {
        for (const { id, definition } of recordings() ?? []) {
            assert.deepEqual(refusals(JSON.stringify(definition)), [], id);
        }
    });
});
