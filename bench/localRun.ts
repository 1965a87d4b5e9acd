/**
 * Where the time of a local run went, out of its history: `npx ts-node bench/localRun.ts [folder of a run, default the
 * newest]`. What lies before and after the execution (the program's evaluation, the object store's start, the report)
 * is the rest of the command's own time.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import Table from "cli-table3";
import { visitsOf } from "../asl/history";
import type { HistoryEvent } from "../asl/interpreter";

const SHORTEST_TOLD = 100;

function newest(): string {
    const runs = path.resolve(__dirname, "../.local/runs");
    const names = existsSync(runs) ? readdirSync(runs).sort() : [];
    if (names.length === 0) {
        throw new Error(`There is no run in ${runs}: start one with npm start, or name a run's folder.`);
    }
    return path.join(runs, names[names.length - 1]);
}

const folder = process.argv[2] ?? newest();
const events = readFileSync(path.join(folder, "history.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as HistoryEvent);
const start = events[0].timestamp;
const table = new Table({
    head: ["state", "begins, s", "takes, s"],
    colAligns: ["left", "right", "right"],
    style: { head: [], border: [], compact: true },
});
for (const { state, type, from, to } of visitsOf(events, "SUCCEEDED")) {
    if (type === "Task" && to - from >= SHORTEST_TOLD) {
        table.push([state, ((from - start) / 1000).toFixed(1), ((to - from) / 1000).toFixed(1)]);
    }
}
const last = events[events.length - 1];
console.log(`${folder}: ${last.type} after ${((last.timestamp - start) / 1000).toFixed(1)} s`);
console.log(table.toString());
