import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** What `.local/` holds. All of it can be deleted at any time when no run is under way. */
export interface LocalFolder {
    readonly base: string;
    readonly lock: string;
    readonly children: string;
    readonly runs: string;
    readonly documents: string;
    readonly store: string;
    readonly functions: string;
    /** Registered ensembles by group. */
    readonly registry: string;
    readonly last: string;
}

export function localFolder(base: string): LocalFolder {
    return {
        base,
        lock: path.join(base, "run.lock"),
        children: path.join(base, "children.json"),
        runs: path.join(base, "runs"),
        documents: path.join(base, "documents"),
        store: path.join(base, "store"),
        functions: path.join(base, "functions"),
        registry: path.join(base, "model-registry"),
        last: path.join(base, "last-run.json"),
    };
}

/** What the next run must know of the last one. */
export interface LastRun {
    readonly id: string;
    readonly stage: string;
    readonly outcome: "running" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
    /** States that were at work, for a run that was killed. */
    readonly active: readonly string[];
}

export function readLastRun(folder: LocalFolder): LastRun | undefined {
    try {
        return JSON.parse(readFileSync(folder.last, "utf8")) as LastRun;
    } catch {
        // missing, or cut by a full disk: then there is nothing to continue
        return undefined;
    }
}

export function writeLastRun(folder: LocalFolder, run: LastRun): void {
    writeJson(folder.last, run);
}

/** In one step: a reader sees the old file or the new one. */
export function writeJson(file: string, value: unknown): void {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`);
    renameSync(`${file}.new`, file);
}

/** A name for a run that is not taken: the time, to the second, and a number where that is not enough. */
export function newRunId(folder: LocalFolder, now: Date): string {
    const time = now.toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
    for (let number = 1; ; number += 1) {
        const id = number === 1 ? time : `${time}-${number}`;
        if (!existsSync(path.join(folder.runs, id))) {
            return id;
        }
    }
}

const KEPT_RUNS = 10;

/** Removes the folders of all but the newest ten runs. */
export function pruneRuns(folder: LocalFolder, keep: number = KEPT_RUNS): void {
    const runs = existsSync(folder.runs) ? readdirSync(folder.runs).sort() : [];
    for (const old of runs.slice(0, Math.max(0, runs.length - keep))) {
        rmSync(path.join(folder.runs, old), { recursive: true, force: true });
    }
}
