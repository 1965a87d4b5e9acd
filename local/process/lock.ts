import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { EXIT, ToolError } from "../../ground/errors";
import { identify, isRunning, type ProcessIdentity } from "./identity";

export interface LockHolder extends ProcessIdentity {
    readonly since: string;
    readonly what: string;
}

export interface Lock {
    /** The dead run whose lock was taken over. */
    readonly stale?: LockHolder;
    release(): void;
}

/**
 * One run at a time in a checkout. The file holds who has it; that of a process which is gone is taken over.
 * The lock appears with its content in one step (a link), so nobody reads a half-written one.
 */
export function takeLock(file: string, what: string): Lock {
    const self = identify(process.pid);
    if (self === undefined) {
        throw new ToolError(`The start time of this process (${process.pid}) cannot be read; is ps or /proc missing?`);
    }
    mkdirSync(path.dirname(file), { recursive: true });
    const own = `${file}.${process.pid}`;
    const holder: LockHolder = { ...self, since: new Date().toISOString(), what };
    writeFileSync(own, JSON.stringify(holder));
    let stale: LockHolder | undefined;
    try {
        for (let attempt = 0; attempt < 5; attempt += 1) {
            try {
                linkSync(own, file);
                return { stale, release: () => release(file, holder) };
            } catch (error) {
                if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
                    throw error;
                }
            }
            const other = readHolder(file);
            if (other !== undefined && isRunning(other)) {
                throw new ToolError(
                    `Another run works in this checkout: ${other.what} (pid ${other.pid}, since ${other.since}). ` +
                        `Wait until it ends, stop it (Ctrl-C there, or kill ${other.pid}), or use a second clone.`,
                    EXIT.machine,
                );
            }
            stale = other ?? stale;
            // moved aside rather than removed: only one of several that see the same dead lock gets it
            try {
                renameSync(file, `${own}.stale`);
            } catch (error) {
                if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
                    throw error;
                }
            }
        }
        throw new ToolError(
            `The lock ${file} cannot be taken. If no run works in this checkout, remove it and run this again.`,
        );
    } finally {
        rmSync(own, { force: true });
        rmSync(`${own}.stale`, { force: true });
    }
}

function readHolder(file: string): LockHolder | undefined {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as LockHolder;
    } catch {
        return undefined;
    }
}

function release(file: string, holder: LockHolder): void {
    const current = readHolder(file);
    if (current?.pid === holder.pid && current.started === holder.started) {
        rmSync(file, { force: true });
    }
}
