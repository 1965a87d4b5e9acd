/** Writes asl/CONFORMANCE.md. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { recordings, report } from "./conformance";

async function main(): Promise<void> {
    const all = recordings();
    if (all === undefined) {
        throw new Error("the recordings are not here: ../shared/conformance/recorded-executions.jsonl is missing");
    }
    writeFileSync(path.resolve(__dirname, "../../../asl/CONFORMANCE.md"), await report(all));
}

main().catch((error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 1;
});
