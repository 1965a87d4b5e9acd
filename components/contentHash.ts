import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

export interface ContextFile {
    readonly content: string | Buffer;
    readonly executable: boolean;
}

/** What an image is built from. */
export interface BuildContext {
    /** What the builder sees: paths in the context to contents. */
    readonly files: Readonly<Record<string, ContextFile>>;
    /** The Dockerfile's path in the context. */
    readonly dockerfile: string;
    readonly buildArgs: Readonly<Record<string, string>>;
    /** For example `linux/amd64`. */
    readonly platform: string;
    /** The base image, by digest where it is pinned: the same Dockerfile on another base is another image. */
    readonly base: string;
}

/** What Python and editors leave behind; never part of what an image or an archive is made of. */
const LEFTOVERS = new Set(["__pycache__", ".pytest_cache", ".DS_Store", "node_modules", ".venv"]);

/** Files below a directory as sorted relative paths with forward slashes; leftovers of tools are passed over. */
export function filesBelow(directory: string): string[] {
    const found: string[] = [];
    const pending = [""];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
        for (const entry of fs.readdirSync(path.join(directory, next), { withFileTypes: true })) {
            if (LEFTOVERS.has(entry.name) || entry.name.endsWith(".pyc")) {
                continue;
            }
            const relative = next === "" ? entry.name : `${next}/${entry.name}`;
            if (entry.isDirectory()) {
                pending.push(relative);
            } else if (entry.isFile()) {
                found.push(relative);
            }
        }
    }
    return found.sort();
}

/** SHA-256 over parts, each with its length before it, so that no two lists of parts run into the same bytes. */
export function hashParts(parts: readonly (string | Buffer)[]): string {
    const hash = createHash("sha256");
    for (const part of parts) {
        const bytes = typeof part === "string" ? Buffer.from(part) : part;
        hash.update(`${bytes.length}:`).update(bytes);
    }
    return hash.digest("hex");
}

/**
 * The hash that an image is tagged with: of the files and their executable bits, the Dockerfile's name, the build
 * arguments, the platform and the base image. Equal hash means equal image, so that nothing is built or pushed again;
 * times and owners of files are not part of it. 64 hexadecimal digits.
 */
export function contextHash(context: BuildContext): string {
    const parts: (string | Buffer)[] = [context.dockerfile, context.platform, context.base];
    for (const name of Object.keys(context.buildArgs).sort()) {
        parts.push(name, context.buildArgs[name]);
    }
    for (const file of Object.keys(context.files).sort()) {
        const { content, executable } = context.files[file];
        parts.push(file, executable ? "executable" : "file", content);
    }
    return hashParts(parts);
}

/** Reads files below a directory into a context, below `prefix`. */
export function readContext(directory: string, prefix = ""): Record<string, ContextFile> {
    return Object.fromEntries(
        filesBelow(directory).map((file) => {
            const full = path.join(directory, file);
            return [
                prefix + file,
                { content: fs.readFileSync(full), executable: (fs.statSync(full).mode & 0o111) !== 0 },
            ];
        }),
    );
}

/**
 * Writes a context where the builder finds it. What lies there already has the same content: the directory is named
 * after its hash.
 */
export function writeContext(context: BuildContext, directory: string): void {
    for (const [file, { content, executable }] of Object.entries(context.files)) {
        const full = path.join(directory, file);
        if (fs.existsSync(full)) {
            continue;
        }
        fs.mkdirSync(path.dirname(full), { recursive: true });
        // Whole or not at all: two programs may run at once.
        const part = `${full}.${process.pid}`;
        fs.writeFileSync(part, content, { mode: executable ? 0o755 : 0o644 });
        fs.renameSync(part, full);
    }
}
