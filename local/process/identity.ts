import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process, beyond its reusable number: the same pid with another start is another process. */
export interface ProcessIdentity {
    readonly pid: number;
    /** When it started, in a form that only serves comparison. */
    readonly started: string;
}

/** The identity of a running process, or undefined when there is none (a zombie counts as none). */
export function identify(pid: number): ProcessIdentity | undefined {
    const started = process.platform === "linux" ? startedLinux(pid) : startedPosix(pid);
    return started === undefined ? undefined : { pid, started };
}

export function isRunning(identity: ProcessIdentity): boolean {
    return identify(identity.pid)?.started === identity.started;
}

let bootId: string | undefined;

function startedLinux(pid: number): string | undefined {
    try {
        bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        // proc(5): the command in parentheses may hold anything; state is field 3, start time in ticks is field 22
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return fields[0] === "Z" || fields[0] === "X" ? undefined : `${bootId}/${fields[19]}`;
    } catch {
        return undefined;
    }
}

function startedPosix(pid: number): string | undefined {
    try {
        const [state, ...started] = execFileSync("ps", ["-o", "state=", "-o", "lstart=", "-p", String(pid)], {
            encoding: "utf8",
        })
            .trim()
            .split(/\s+/);
        return state === undefined || state.startsWith("Z") ? undefined : started.join(" ");
    } catch {
        return undefined;
    }
}
