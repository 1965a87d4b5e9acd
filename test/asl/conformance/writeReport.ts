/** Writes asl/CONFORMANCE.md. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { recordings } from "./recordings";
import { judge, report, type Verdict } from "./report";

async function main(): Promise<void> {
    const all = recordings();
    if (all === undefined) {
        throw new Error("the recordings are not here: ../shared/conformance/recorded-executions.jsonl is missing");
    }
    const verdicts: Verdict[] = [];
    for (const recording of all) {
        verdicts.push(await judge(recording));
    }
    writeFileSync(path.resolve(__dirname, "../../../asl/CONFORMANCE.md"), report(verdicts));
}

main().catch((error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 1;
});
