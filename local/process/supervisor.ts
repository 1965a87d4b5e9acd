import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ToolError } from "../../ground/errors";
import { identify, isRunning, type ProcessIdentity } from "./identity";

export interface ChildRequest {
    /** For people: "training job x, host algo-1". */
    readonly what: string;
    readonly command: readonly string[];
    readonly cwd: string;
    /** The whole environment; nothing is inherited, so that no credentials of the user's reach a workload. */
    readonly env: Readonly<Record<string, string>>;
    /** Standard output and error are appended here. */
    readonly log: string;
    readonly signal?: AbortSignal;
    /** From termination signal to kill, in milliseconds. */
    readonly graceMs?: number;
}

export interface ChildExit {
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
}

export interface Child {
    readonly pid: number;
    readonly exit: Promise<ChildExit>;
    /** SIGTERM to the whole group, SIGKILL after the grace. Resolves when it is gone. */
    stop(graceMs?: number): Promise<void>;
    kill(signal: NodeJS.Signals): void;
}

interface Recorded extends ProcessIdentity {
    readonly what: string;
}

const DEFAULT_GRACE_MS = 5000;

/**
 * Starts every child in a process group of its own and keeps a list of the living on disk, so that nothing
 * outlives the run: not after Ctrl-C, and not after a kill -9 of the run itself (the next run ends the orphans).
 */
export class Supervisor {
    private readonly children = new Map<number, { record: Recorded; child: Child }>();
    private stopping = false;

    public constructor(private readonly pidFile: string) {
        mkdirSync(path.dirname(pidFile), { recursive: true });
    }

    public start(request: ChildRequest): Child {
        if (this.stopping) {
            throw new ToolError(`${request.what} is not started: the run is being stopped.`);
        }
        request.signal?.throwIfAborted();
        mkdirSync(path.dirname(request.log), { recursive: true });
        const log = openSync(request.log, "a");
        let process_: ChildProcess;
        try {
            process_ = spawn(request.command[0], request.command.slice(1), {
                cwd: request.cwd,
                env: request.env as NodeJS.ProcessEnv,
                detached: true,
                stdio: ["ignore", log, log],
            });
        } finally {
            closeSync(log);
        }
        const exit = new Promise<ChildExit>((resolve, reject) => {
            process_.once("error", (error) =>
                reject(
                    new ToolError(
                        `${request.what}: ${request.command[0]} cannot be started: ${error.message}. Is it installed?`,
                    ),
                ),
            );
            process_.once("exit", (code, signal) => resolve({ code, signal }));
        });
        const pid = process_.pid;
        if (pid === undefined) {
            // the error event follows; whoever awaits the exit gets it
            return { pid: -1, exit, stop: () => Promise.resolve(), kill: () => undefined };
        }
        const child: Child = {
            pid,
            exit,
            kill: (signal) => killGroup(pid, signal),
            stop: (graceMs = request.graceMs ?? DEFAULT_GRACE_MS) => stopGroup(pid, exit, graceMs),
        };
        const identity = identify(pid) ?? { pid, started: "" };
        this.children.set(pid, { record: { ...identity, what: request.what }, child });
        this.writePidFile();
        const onAbort = () => {
            child.stop().catch(() => undefined);
        };
        request.signal?.addEventListener("abort", onAbort, { once: true });
        const forget = () => {
            request.signal?.removeEventListener("abort", onAbort);
            // whatever the leader left behind in its group
            killGroup(pid, "SIGKILL");
            this.children.delete(pid);
            this.writePidFile();
        };
        exit.then(forget, forget);
        return child;
    }

    /** Ends every child; nothing can be started afterwards. */
    public async stopAll(graceMs = DEFAULT_GRACE_MS): Promise<void> {
        this.stopping = true;
        await Promise.all([...this.children.values()].map(({ child }) => child.stop(graceMs)));
        rmSync(this.pidFile, { force: true });
    }

    /** Without waiting, for the last moment of a dying run. */
    public killAll(): void {
        for (const pid of this.children.keys()) {
            killGroup(pid, "SIGKILL");
        }
    }

    private writePidFile(): void {
        const temporary = `${this.pidFile}.new`;
        try {
            writeFileSync(temporary, JSON.stringify([...this.children.values()].map(({ record }) => record)));
            renameSync(temporary, this.pidFile);
        } catch {
            // a full disk must not keep the run from ending its children; the list only serves a killed run
        }
    }
}

/** Ends what a killed run left behind. Returns what was ended. */
export async function endOrphans(pidFile: string, graceMs = 2000): Promise<readonly string[]> {
    let records: readonly Recorded[];
    try {
        records = JSON.parse(readFileSync(pidFile, "utf8")) as readonly Recorded[];
    } catch {
        return [];
    }
    const orphans = records.filter((record) => record.started !== "" && isRunning(record));
    for (const orphan of orphans) {
        killGroup(orphan.pid, "SIGTERM");
    }
    const deadline = Date.now() + graceMs;
    while (orphans.some((orphan) => isRunning(orphan)) && Date.now() < deadline) {
        await delay(50);
    }
    for (const orphan of orphans) {
        killGroup(orphan.pid, "SIGKILL");
    }
    rmSync(pidFile, { force: true });
    return orphans.map((orphan) => `${orphan.what} (pid ${orphan.pid})`);
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
    try {
        process.kill(-pid, signal);
    } catch {
        // the group is gone
    }
}

async function stopGroup(pid: number, exit: Promise<ChildExit>, graceMs: number): Promise<void> {
    killGroup(pid, "SIGTERM");
    const gone = exit.then(
        () => true,
        () => true,
    );
    const timer = new AbortController();
    const ended = await Promise.race([gone, delay(graceMs, false, { signal: timer.signal }).catch(() => true)]);
    timer.abort();
    if (!ended) {
        killGroup(pid, "SIGKILL");
        await gone;
    }
}
