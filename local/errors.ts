/** Exit codes of the command-line tool, documented in docs/local-run.md. */
export const EXIT = {
    ok: 0,
    /** The execution ran and failed. */
    failed: 1,
    /** An argument, the input, the documents or the configuration are wrong; nothing was run. */
    usage: 2,
    /** This machine: a missing program, a full disk, another run, a dead storage endpoint. */
    machine: 3,
    /** Ctrl-C or a termination signal. */
    interrupted: 130,
} as const;

/** A problem that its reader can solve: printed as it is, without a stack. */
export class LocalError extends Error {
    public constructor(
        message: string,
        public readonly exitCode: number = EXIT.machine,
    ) {
        super(message);
        this.name = "LocalError";
    }
}

const explanations: Readonly<Record<string, string>> = {
    ENOSPC: "the disk is full: free some space, then run this again; what was finished is kept",
    EDQUOT: "the disk quota is used up: free some space, then run this again; what was finished is kept",
    EACCES: "permission denied: check the owner of the checkout",
    EROFS: "the file system is read-only: move the checkout",
    EMFILE: "too many open files: raise the limit (ulimit -n 4096), then run this again",
};

/** Errors of the operating system that a user can do something about, in one line; others come back as they are. */
export function explain(error: unknown, doing: string): unknown {
    const { code, path } = error as { code?: string; path?: string };
    const what = code === undefined ? undefined : explanations[code];
    if (what === undefined || error instanceof LocalError) {
        return error;
    }
    return new LocalError(`${doing}${path ? ` (${path})` : ""}: ${what} (${code}).`);
}
