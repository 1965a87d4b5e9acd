/**
 * Makes the checkout ready to run: checks Node and Python, installs what is missing, fetches nothing that is there
 * already. Plain JavaScript without dependencies, because it runs before anything is installed.
 *
 *     node scripts/bootstrap.mjs            npm packages and Python environment
 *     node scripts/bootstrap.mjs --npm      npm packages only
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const minimumNode = [20, 19, 0];
/** TensorFlow has wheels for these; the training containers use 3.12. */
const pythonVersions = [
    [3, 11],
    [3, 12],
    [3, 13],
];
const requirementFiles = ["requirements.txt"];

/** A problem of this machine that the reader can solve; printed without a stack. */
export class BootstrapError extends Error {}

export function checkNode(version = process.versions.node) {
    const got = version.split(".").map(Number);
    for (const [index, want] of minimumNode.entries()) {
        if (got[index] > want) {
            return;
        }
        if (got[index] < want) {
            throw new BootstrapError(
                `Node ${minimumNode.join(".")} or newer is needed, this is ${version} (${process.execPath}). ` +
                    "Install it from https://nodejs.org or with your version manager, then run this again.",
            );
        }
    }
}

/**
 * Why the installed packages do not fit the lock file, or undefined when they do. Compares versions, not times:
 * a fresh clone has arbitrary times.
 */
export function npmProblem(directory = root) {
    const installed = path.join(directory, "node_modules", ".package-lock.json");
    if (!existsSync(installed)) {
        return "node_modules is missing or was not installed completely";
    }
    const wanted = readLock(path.join(directory, "package-lock.json"));
    const got = readLock(installed);
    for (const [name, entry] of Object.entries(wanted)) {
        if (name === "" || entry.link) {
            continue;
        }
        if (got[name] === undefined) {
            // packages for other systems are left out by npm
            if (entry.optional || entry.peer || entry.devOptional) {
                continue;
            }
            return `${name} ${entry.version} is not installed`;
        }
        if (got[name].version !== entry.version) {
            return `${name} is ${got[name].version}, the lock file says ${entry.version}`;
        }
    }
    return undefined;
}

function readLock(file) {
    try {
        return JSON.parse(readFileSync(file, "utf8")).packages ?? {};
    } catch (error) {
        throw new BootstrapError(
            `${file} cannot be read: ${error.message}. Restore it (git checkout package-lock.json) and run this again.`,
        );
    }
}

/** The first Python that fits, or an error that lists what was found. `ENSEMBLE_PYTHON` names one explicitly. */
export function findPython(candidates = pythonCandidates()) {
    const seen = [];
    for (const candidate of candidates) {
        const version = pythonVersion(candidate);
        if (version === undefined) {
            continue;
        }
        if (fits(version)) {
            return { command: candidate, version };
        }
        seen.push(`${candidate} is ${version.join(".")}`);
    }
    const range = pythonVersions.map((version) => version.join(".")).join(", ");
    throw new BootstrapError(
        `Python ${range} is needed for the training scripts; ` +
            `${seen.length > 0 ? seen.join(", ") : `none of ${candidates.join(", ")} is there`}. ` +
            "Install one (Debian: apt-get install python3 python3-venv; macOS: brew install python@3.12), " +
            "or name it: ENSEMBLE_PYTHON=/path/to/python3.12 npm start",
    );
}

function fits(version) {
    return pythonVersions.some(([major, minor]) => version[0] === major && version[1] === minor);
}

function pythonCandidates() {
    const named = process.env.ENSEMBLE_PYTHON;
    return named ? [named] : ["python3.12", "python3.11", "python3.13", "python3", "python"];
}

function pythonVersion(command) {
    const result = spawnSync(command, ["-c", "import sys; print(*sys.version_info[:3])"], { encoding: "utf8" });
    return result.status === 0 ? result.stdout.trim().split(" ").map(Number) : undefined;
}

/** Hash of what the environment must hold; kept in the environment as its stamp. */
export function requirementsHash(directory = root) {
    const hash = createHash("sha256");
    for (const file of requirementFiles) {
        hash.update(`${file}\n`).update(readFileSync(path.join(directory, file)));
    }
    return hash.digest("hex");
}

/** Runs a long installation with its output in a log, the last line and the elapsed time on the terminal. */
async function install(title, command, args, log) {
    const started = Date.now();
    const elapsed = () => `${Math.round((Date.now() - started) / 1000)} s`;
    const tty = process.stderr.isTTY;
    process.stderr.write(`${title} ...\n`);
    const output = openSync(log, "w");
    let tail = "";
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8");
        stream.on("data", (text) => {
            writeFileSync(output, text);
            tail = (tail + text).slice(-8000);
        });
    }
    const ticker = setInterval(() => {
        const last = tail.trimEnd().split("\n").at(-1) ?? "";
        if (tty) {
            process.stderr.write(`\r\x1b[2K  ${elapsed()}  ${last.slice(0, (process.stderr.columns ?? 100) - 12)}`);
        } else if (Math.round((Date.now() - started) / 1000) % 30 === 0) {
            process.stderr.write(`  ${elapsed()}  ${last.slice(0, 160)}\n`);
        }
    }, 1000);
    const forward = (signal) => child.kill(signal);
    process.on("SIGINT", forward);
    process.on("SIGTERM", forward);
    const result = await new Promise((resolve) => {
        child.on("error", (error) => resolve({ code: 127, reason: error.message }));
        child.on("close", (code, signal) =>
            resolve({ code, reason: signal ? `signal ${signal}` : `exit code ${code}` }),
        );
    });
    clearInterval(ticker);
    process.off("SIGINT", forward);
    process.off("SIGTERM", forward);
    closeSync(output);
    if (tty) {
        process.stderr.write("\r\x1b[2K");
    }
    if (result.code !== 0) {
        const lines = tail
            .trimEnd()
            .split("\n")
            .slice(-15)
            .map((line) => `    ${line}`)
            .join("\n");
        throw new BootstrapError(
            `${title} failed after ${elapsed()} (${result.reason}). Last lines of ` +
                `${path.relative(root, log)}:\n${lines}\n` +
                "What was fetched is kept; check the network, the registry settings and the free disk space, then " +
                "run this again.",
        );
    }
    process.stderr.write(`  done in ${elapsed()}\n`);
}

/** Only one installation at a time in a checkout; the file holds the pid, a dead one's is taken over. */
function lockInstallation() {
    const file = path.join(root, ".local", "install.lock");
    for (let attempt = 0; attempt < 3; attempt += 1) {
        try {
            writeFileSync(file, String(process.pid), { flag: "wx" });
            return () => rmSync(file, { force: true });
        } catch (error) {
            if (error.code !== "EEXIST") {
                throw error;
            }
        }
        const pid = Number(readFileSync(file, "utf8"));
        // a lock without a pid is one that is just being written, or was cut by a full disk
        if (pid > 0 ? isAlive(pid) : Date.now() - statSync(file).mtimeMs < 5000) {
            throw new BootstrapError(
                `Another installation is under way in this checkout (pid ${pid || "unknown"}). Wait until it ends, ` +
                    "then run this again. " +
                    `If there is none, remove ${path.relative(root, file)}.`,
            );
        }
        rmSync(file, { force: true });
    }
    throw new BootstrapError(`The lock file ${file} cannot be taken; remove it and run this again.`);
}

function isAlive(pid) {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return error.code === "EPERM";
    }
}

/** Installs what is missing. */
export async function bootstrap({ npm = true, python = true } = {}) {
    checkNode();
    const problem = npm ? npmProblem() : undefined;
    const stamp = path.join(root, ".venv", ".requirements.sha256");
    const hash = python ? requirementsHash() : "";
    const pythonReady =
        !python ||
        (existsSync(stamp) &&
            readFileSync(stamp, "utf8").trim() === hash &&
            existsSync(path.join(root, ".venv", "bin", "python")));
    if (problem === undefined && pythonReady) {
        return;
    }
    // before npm ci, which takes its time: a missing Python is told at once
    const interpreter = pythonReady ? undefined : findPython();
    mkdirSync(path.join(root, ".local"), { recursive: true });
    const unlock = lockInstallation();
    try {
        if (problem !== undefined) {
            await install(
                `Installing npm packages (${problem})`,
                "npm",
                ["ci", "--no-audit", "--no-fund"],
                path.join(root, ".local", "install-npm.log"),
            );
        }
        if (interpreter !== undefined) {
            const environment = path.join(root, ".venv");
            const own = path.join(environment, "bin", "python");
            const current = existsSync(own) ? pythonVersion(own) : undefined;
            const pip = current !== undefined && spawnSync(own, ["-m", "pip", "--version"]).status === 0;
            if (current === undefined || !fits(current) || !pip) {
                await install(
                    `Making a Python environment in .venv with ${interpreter.command} ${interpreter.version.join(".")}`,
                    interpreter.command,
                    ["-m", "venv", "--clear", environment],
                    path.join(root, ".local", "install-venv.log"),
                );
            }
            await install(
                "Installing Python packages (first time: some 1.8 GB, a minute or two)",
                own,
                [
                    "-m",
                    "pip",
                    "install",
                    "--disable-pip-version-check",
                    "--progress-bar",
                    "off",
                    ...requirementFiles.flatMap((file) => ["-r", path.join(root, file)]),
                ],
                path.join(root, ".local", "install-python.log"),
            );
            writeFileSync(stamp, `${hash}\n`);
        }
    } finally {
        unlock();
    }
}

/** Runs `main` and turns a BootstrapError into one message and exit code 3. */
export async function guarded(main) {
    try {
        await main();
    } catch (error) {
        if (!(error instanceof BootstrapError)) {
            throw error;
        }
        process.stderr.write(`${error.message}\n`);
        process.exitCode = 3;
    }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
    await guarded(() => bootstrap({ python: !process.argv.includes("--npm") }));
}
