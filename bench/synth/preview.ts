/**
 * Previews the stage dev with so many members as a new stack in the real engine, with the test provider in place of
 * AWS's, and prints what the preview alone took, this process and the engine together: `{"wall", "cpu"}` in seconds.
 * Linux only: it reads /proc.
 */
import { readFileSync } from "node:fs";
import { addMembers } from "./members";

addMembers(Number(process.argv[2]));

/* eslint-disable @typescript-eslint/no-require-imports -- only now: they read the members when they are loaded */
const { program } = require("../../stacks/program") as typeof import("../../stacks/program");
const { root, TestStack } =
    require("../../test/engine/support/engine") as typeof import("../../test/engine/support/engine");
/* eslint-enable @typescript-eslint/no-require-imports */

/** Processor seconds of this process and of its children that have ended. */
function processorSeconds(): number {
    const fields = readFileSync("/proc/self/stat", "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

async function main(): Promise<void> {
    const stack = await TestStack.create("dev", program, root);
    try {
        const [started, before] = [performance.now(), processorSeconds()];
        const { succeeded, log } = await stack.preview();
        if (!succeeded) {
            throw new Error(log);
        }
        console.log(JSON.stringify({ wall: (performance.now() - started) / 1000, cpu: processorSeconds() - before }));
    } finally {
        stack.dispose();
    }
}

void main().then(() => process.exit());
