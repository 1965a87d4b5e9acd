/**
 * Evaluates a stage as another git revision declares it: in a worktree of its own, which never outlives the command.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { EXIT, ToolError } from "../../ground/errors";

/**
 * Runs in the other checkout, with that checkout's evaluation; what it needs of the stage goes into a file. Its
 * node_modules is a link: unless links are kept, the bundles hold the paths that it leads to, and unchanged code gets
 * another hash. Where node_modules is a link here too, both sides follow theirs.
 */
const SCRIPT = `
const esbuild = require("esbuild");
require.cache[require.resolve("esbuild")].exports = { ...esbuild, buildSync: (given) => esbuild.buildSync({ preserveSymlinks: process.argv[3] === "keep", ...given }) };
const { evaluateStage } = require(process.argv[4]);
evaluateStage(process.argv[1]).then((stage) => {
    const policies = stage.resources.filter(({ type }) => type === "aws:iam/rolePolicy:RolePolicy");
    require("node:fs").writeFileSync(process.argv[2], JSON.stringify({ stateMachine: stage.stateMachine, resources: policies }));
}).catch((error) => { console.error(error.message); process.exitCode = 1; });
`;

/** Where a revision evaluates a stage: today's place first, then that of older revisions. */
const EVALUATIONS = ["project/evaluate", "stacks/evaluate"] as const;

/** @throws ToolError where the revision is unknown or its program does not evaluate. */
export async function evaluateRevision<T>(
    root: string,
    revision: string,
    stage: string,
    read: (result: unknown) => T,
): Promise<T> {
    const commit = resolve(root, revision);
    const directory = mkdtempSync(path.join(tmpdir(), "ensemble-diff-"));
    const checkout = path.join(directory, "checkout");
    const remove = (): void => {
        // the link first: what it leads to must survive
        rmSync(path.join(checkout, "node_modules"), { force: true });
        rmSync(directory, { recursive: true, force: true });
        git(root, ["worktree", "prune"]);
    };
    const abort = new AbortController();
    const interrupt = (): void => abort.abort();
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    try {
        git(root, ["worktree", "add", "--quiet", "--detach", checkout, commit]);
        const evaluation = EVALUATIONS.find((file) => existsSync(path.join(checkout, `${file}.ts`)));
        if (evaluation === undefined) {
            throw new ToolError(
                `--against ${revision}: that revision has no ${EVALUATIONS[0]}.ts, which a comparison needs.`,
                EXIT.usage,
            );
        }
        symlinkSync(path.join(root, "node_modules"), path.join(checkout, "node_modules"), "dir");
        const result = path.join(directory, "stage.json");
        const links = lstatSync(path.join(root, "node_modules")).isSymbolicLink() ? "follow" : "keep";
        await run(
            checkout,
            [stage, result, links, `./${evaluation}`],
            abort.signal,
            `--against ${revision}: the program of that revision cannot be evaluated`,
        );
        return read(JSON.parse(readFileSync(result, "utf8")));
    } finally {
        process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
        remove();
    }
}

function resolve(root: string, revision: string): string {
    try {
        return git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`]).trim();
    } catch {
        throw new ToolError(`--against ${revision}: git knows no such revision in ${root}`, EXIT.usage);
    }
}

function git(root: string, given: readonly string[]): string {
    return execFileSync("git", ["-C", root, ...given], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function run(directory: string, given: readonly string[], signal: AbortSignal, failed: string): Promise<void> {
    return new Promise((settle, reject) => {
        const child = spawn(
            process.execPath,
            ["--no-warnings", "-r", "ts-node/register/transpile-only", "-e", SCRIPT, ...given],
            { cwd: directory, stdio: ["ignore", "ignore", "pipe"], signal },
        );
        let told = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
            told = `${told}${text}`.slice(-4_000);
        });
        child.once("error", (error) =>
            reject(signal.aborted ? new ToolError("Interrupted.", EXIT.interrupted) : error),
        );
        child.once("close", (code) =>
            code === 0
                ? settle()
                : reject(
                      signal.aborted
                          ? new ToolError("Interrupted.", EXIT.interrupted)
                          : new ToolError(`${failed}: ${told.trim()}`, EXIT.usage),
                  ),
        );
    });
}
