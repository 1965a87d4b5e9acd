/** The packages as their users have them: packed by `npm pack`, installed by npm into a project of its own. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

export const root = path.resolve(__dirname, "../..");
const run = promisify(execFile);
const MEGABYTES_64 = 1 << 26;

/** The peers and what a project compiles with, taken from here: npm would fetch a hundred megabytes. */
const LINKED = ["@pulumi", "@types", "ts-node", "typescript", "undici-types"];

/** The packages, from what stands on nothing to what stands on the others. */
const WORKSPACES = ["asl", "policy", "."];

let tarballs: Promise<readonly string[]> | undefined;
const folders: string[] = [];

function temporary(name: string): string {
    const folder = mkdtempSync(path.join(tmpdir(), `ensemble-${name}-`));
    folders.push(folder);
    return folder;
}

/**
 * Builds and packs all packages once in a process; answers the tarballs' paths. ENSEMBLE_PACKAGES names a folder that
 * has them already.
 */
function pack(): Promise<readonly string[]> {
    const given = process.env.ENSEMBLE_PACKAGES;
    tarballs ??= given === undefined || given === "" ? packed() : Promise.resolve(tarballsIn(given));
    return tarballs;
}

async function packed(): Promise<readonly string[]> {
    const folder = temporary("packages");
    for (const workspace of WORKSPACES) {
        await run("npm", ["pack", "--silent", "--pack-destination", folder], {
            cwd: path.join(root, workspace),
            maxBuffer: MEGABYTES_64,
        });
    }
    return tarballsIn(folder);
}

function tarballsIn(folder: string): string[] {
    const found = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
    return found.map((name) => path.join(folder, name));
}

/** The example as it lies in a checkout in which `npm run packages` has been called. Answers its folder. */
export async function inCheckout(example: string): Promise<string> {
    const archives = await pack();
    const checkout = temporary("checkout");
    const packages = path.join(checkout, ".build/packages");
    mkdirSync(packages, { recursive: true });
    archives.forEach((archive) => cpSync(archive, path.join(packages, path.basename(archive))));
    const folder = path.join(checkout, "examples", example);
    copyExample(example, folder);
    return folder;
}

function copyExample(example: string, folder: string): void {
    cpSync(path.join(root, "examples", example), folder, {
        recursive: true,
        filter: (source) => !/\/(node_modules|\.local|\.build|\.venv|data)$/.test(source),
    });
}

/** A new project with the packages installed: a copy of the example, or an empty one. Answers its folder. */
export async function project(example?: string): Promise<string> {
    const archives = await pack();
    const folder = temporary(example ?? "consumer");
    if (example !== undefined) {
        copyExample(example, folder);
    }
    // Of the example's own packages only these: the rest is linked.
    const installing = temporary("installing");
    await run(
        "npm",
        [
            "install",
            "--prefer-offline",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--omit=peer",
            "--prefix",
            installing,
            ...archives,
        ],
        { cwd: installing },
    );
    mkdirSync(path.join(folder, "node_modules"), { recursive: true });
    cpSync(path.join(installing, "node_modules"), path.join(folder, "node_modules"), {
        recursive: true,
        verbatimSymlinks: true,
    });
    for (const name of LINKED) {
        symlinkSync(path.join(root, "node_modules", name), path.join(folder, "node_modules", name));
    }
    return folder;
}

/** Runs a program in a project; a failure's message has what it printed. */
export async function runIn(
    folder: string,
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const { NODE_OPTIONS: _options, ...inherited } = process.env;
    try {
        return await run(command, [...args], {
            cwd: folder,
            env: { ...inherited, NO_COLOR: "1", ...env },
            maxBuffer: MEGABYTES_64,
        });
    } catch (error) {
        const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
        throw new Error(`${command} ${args.join(" ")}: ${message}\n${stdout}\n${stderr}`);
    }
}

/** Removes everything that this module made. */
export function cleanUp(): void {
    folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true }));
    tarballs = undefined;
}
