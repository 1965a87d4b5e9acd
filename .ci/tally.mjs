// Adds up what the test runners counted (mocha and pytest) and prints one closing line; a step that failed without
// a failing test of its own (lint, type check, a crash) counts as one failure.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [directory, ...failedSteps] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of readdirSync(directory).filter((name) => name.endsWith(".log"))) {
    // colour codes would hide the closing lines
    const text = readFileSync(join(directory, file), "utf8").replace(/\u001b\[[0-9;]*m/g, "");
    const sum = (...patterns) =>
        patterns.reduce(
            (total, pattern) =>
                total + [...text.matchAll(pattern)].reduce((count, match) => count + Number(match[1]), 0),
            0,
        );
    passed += sum(/^ *(\d+) passing/gm, /^=+ .*?(\d+) passed/gm);
    skipped += sum(/^ *(\d+) pending/gm, /^=+ .*?(\d+) skipped/gm);
    const failures = sum(/^ *(\d+) failing/gm, /^=+ .*?(\d+) failed/gm, /^=+ .*?(\d+) errors?\b/gm);
    failed += failures > 0 || !failedSteps.includes(file.replace(/\.log$/, "")) ? failures : 1;
}
if (failedSteps.length > 0) {
    console.log(`failed steps: ${failedSteps.join(", ")}`);
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 || failedSteps.length > 0 ? 1 : 0;
