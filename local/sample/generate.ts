import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { ToolError } from "../../ground/errors";
import type { Supervisor } from "../process/supervisor";

export interface SampleOptions {
    readonly supervisor: Supervisor;
    readonly root: string;
    readonly cache: string;
    readonly python: string;
    readonly seed: number;
    readonly signal: AbortSignal;
}

/** The bundled sample documents, made once for each seed and version of their generator. Returns their folder. */
export async function sampleDocuments(
    options: SampleOptions,
): Promise<{ readonly directory: string; readonly made: boolean }> {
    const generator = path.join(options.root, "local", "documents", "generate.py");
    const version = createHash("sha256").update(readFileSync(generator)).digest("hex").slice(0, 12);
    const directory = path.join(options.cache, `seed-${options.seed}-${version}`);
    if (existsSync(directory)) {
        return { directory, made: false };
    }
    const temporary = `${directory}.part`;
    rmSync(temporary, { recursive: true, force: true });
    const log = path.join(options.cache, "generate.log");
    const { code, signal } = await options.supervisor.start({
        what: "sample documents",
        command: [options.python, generator, "--out", temporary, "--seed", String(options.seed)],
        cwd: options.root,
        env: { PATH: process.env.PATH ?? "/usr/bin:/bin", PYTHONUNBUFFERED: "1", LANG: "C.UTF-8" },
        log,
        signal: options.signal,
    }).exit;
    options.signal.throwIfAborted();
    if (code !== 0) {
        const last = readFileSync(log, "utf8").trimEnd().split("\n").at(-1) ?? "";
        throw new ToolError(
            `The sample documents were not made (${signal ?? `exit code ${code}`}): ${last}; log: ${log}`,
        );
    }
    renameSync(temporary, directory);
    return { directory, made: true };
}
