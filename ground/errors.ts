/** Errors of the command-line tools: one line for their reader, and the exit code that goes with it. */

/** Exit codes of every command, documented in docs/cli.md. */
export const EXIT = {
    ok: 0,
    /** The execution ran and failed; a check found something. */
    failed: 1,
    /** An argument, the input, the documents or the configuration are wrong; nothing was run. */
    usage: 2,
    /** AWS or this machine: a missing program, a full disk, another run, a dead endpoint. */
    machine: 3,
    /** Ctrl-C or a termination signal. */
    interrupted: 130,
} as const;

/** A problem that its reader can solve: printed as it is, without a stack. */
export class ToolError extends Error {
    /** @param exitCode Default: {@link EXIT.machine}. */
    constructor(
        message: string,
        readonly exitCode: number = EXIT.machine,
    ) {
        super(message);
        this.name = "ToolError";
    }
}

const DISK_FULL = "free some space, then run this again; what was finished is kept";
const EXPLANATIONS: Readonly<Record<string, string>> = {
    ENOSPC: `the disk is full: ${DISK_FULL}`,
    EDQUOT: `the disk quota is used up: ${DISK_FULL}`,
    EACCES: "permission denied: check the owner of the checkout",
    EROFS: "the file system is read-only: move the checkout",
    EFBIG: "the file is larger than the file system or the limit of this shell (ulimit -f) allows",
    ENOTDIR: "a part of the path is a file where a folder is needed: choose another path",
    EISDIR: "there is a folder where a file is needed: choose another path",
    EMFILE: "too many open files: raise the limit (ulimit -n 4096), then run this again",
};

/** The folder for temporary files is the environment's: where it cannot be used, its path alone says nothing. */
function temporaryFolder(error: unknown): string | undefined {
    const { syscall, code } = error as { syscall?: string; code?: string };
    const isMissing = syscall === "mkdtemp" && ["ENOENT", "ENOTDIR", "EACCES"].includes(code ?? "");
    return isMissing ? "no temporary folder can be made there: let TMPDIR name one that is there" : undefined;
}

/**
 * Errors of the operating system that a user can do something about, in one line; others come back as they are.
 * @param doing what was tried, as the sentence's beginning: `Cannot write the report`.
 */
export function explain(error: unknown, doing: string): unknown {
    const { code, path } = error as { code?: string; path?: string };
    const what = code === undefined ? undefined : (temporaryFolder(error) ?? EXPLANATIONS[code]);
    if (what === undefined || error instanceof ToolError) {
        return error;
    }
    const where = path === undefined || path === "" ? "" : ` (${path})`;
    return new ToolError(`${doing}${where}: ${what} (${code}).`);
}
