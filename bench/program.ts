/**
 * Time and memory of evaluating the Pulumi program for the dev stage under mocks: what a preview costs before the
 * engine compares anything. Each evaluation has a process of its own; the first one bundles the code, the others find
 * the bundles.
 *
 *     npx ts-node bench/program.ts [evaluations, default 5]
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { cpus } from "node:os";
import * as path from "node:path";

const root = path.resolve(__dirname, "..");
const CHILD = `
    const started = performance.now();
    const { evaluateStage } = require("./project/evaluate");
    const loaded = performance.now();
    evaluateStage("dev").then(({ resources, stateMachine }) => {
        const { maxRSS } = process.resourceUsage();
        console.log(JSON.stringify({
            load: loaded - started, evaluate: performance.now() - loaded, rss: maxRSS / 1024, resources: resources.length,
            bytes: JSON.stringify(stateMachine.definition).length,
        }));
    });
`;

interface Measurement {
    readonly load: number;
    readonly evaluate: number;
    readonly rss: number;
    readonly resources: number;
    readonly bytes: number;
}

function measure(): Measurement {
    const output = execFileSync(process.execPath, ["-r", "ts-node/register/transpile-only", "-e", CHILD], {
        cwd: root,
        encoding: "utf8",
    });
    return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Measurement;
}

function row(label: string, { load, evaluate, rss, resources, bytes }: Measurement): string {
    return `${label.padEnd(22)}${load.toFixed(0).padStart(9)}${evaluate.toFixed(0).padStart(13)}${rss.toFixed(0).padStart(9)}${String(
        resources,
    ).padStart(12)}${String(bytes).padStart(12)}`;
}

const evaluations = Number(process.argv[2] ?? 5);
console.log(`Evaluation of the program, stage dev, mocks; Node ${process.version}, ${cpus().length} processors`);
console.log("                      load (ms)  evaluate (ms)  RSS (MB)   resources  definition (bytes)");
fs.rmSync(path.join(root, ".build/bundles"), { recursive: true, force: true });
console.log(row("first, with bundling", measure()));
const warm = Array.from({ length: evaluations }, measure).sort(
    (left, right) => left.load + left.evaluate - right.load - right.evaluate,
);
console.log(row(`median of ${evaluations}`, warm[Math.floor(warm.length / 2)]));
console.log(row("fastest", warm[0]));
