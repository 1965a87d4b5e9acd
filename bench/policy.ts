/**
 * The policy pack's cost in the real engine: `bash .ci/engine --cli` once, then
 * `PATH="$(bash .ci/engine --cli):$PWD/test/engine/bin:$PATH" npx ts-node bench/policy.ts`.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { TestStack } from "../test/engine/support/engine";
import { sampleProgram } from "../test/engine/support/sampleProgram";
import { sampleStage } from "../test/policy/sampleStage";

const RUNS = 5;
const policy = path.resolve(__dirname, "../policy");
const runner = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");

function median(values: readonly number[]): number {
    return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Seconds from the start of the pack's process until it serves: it then writes its port. */
function load(): Promise<number> {
    return new Promise((resolve, reject) => {
        const started = performance.now();
        const pack = spawn(process.execPath, [runner, "127.0.0.1:1", "."], {
            cwd: policy,
            stdio: ["ignore", "pipe", "inherit"],
        });
        pack.once("error", reject);
        pack.once("exit", (code) => reject(new Error(`The pack ended with ${code}.`)));
        pack.stdout.once("data", () => {
            pack.removeAllListeners("exit");
            pack.kill();
            resolve((performance.now() - started) / 1000);
        });
    });
}

async function seconds(action: () => Promise<{ succeeded: boolean; log: string }>): Promise<number> {
    const started = performance.now();
    const { succeeded, log } = await action();
    if (!succeeded) {
        throw new Error(log);
    }
    return (performance.now() - started) / 1000;
}

async function main(): Promise<void> {
    if (!existsSync(path.join(policy, "bin", "policy.js"))) {
        throw new Error("The pack is not built: run `npm run policy:build`.");
    }
    const loads: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
        loads.push(await load());
    }
    const stack = await TestStack.create("bench", sampleProgram(sampleStage));
    const [bare, judged]: [number[], number[]] = [[], []];
    try {
        for (let run = 0; run < RUNS; run += 1) {
            bare.push(await seconds(() => stack.preview()));
            judged.push(await seconds(() => stack.preview({ policies: {} })));
        }
    } finally {
        stack.dispose();
    }
    console.table({
        "pack loads": { seconds: median(loads).toFixed(2) },
        [`preview of ${sampleStage.length} resources`]: { seconds: median(bare).toFixed(2) },
        [`the same with the pack`]: { seconds: median(judged).toFixed(2) },
    });
}

void main();
