/**
 * Functions and jobs as single JavaScript files: equal sources give equal bytes, wherever the checkout lies, so their
 * hash can name them.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { buildSync } from "esbuild";

const root = path.resolve(__dirname, "..");

export const functionNames = ["setup", "error-cause", "register", "describe-failure"] as const;

/** `jobs` or the name of a function. */
export type BundleName = (typeof functionNames)[number] | "jobs";

export interface Bundle {
    /** CommonJS; a function's exports `handler`. */
    readonly code: string;
    /** SHA-256 of the code, 64 hexadecimal digits. */
    readonly sha256: string;
}

/**
 * Bundles all functions and the jobs in one go (modules are read once), the AWS SDK included. Throws what esbuild
 * finds.
 */
export function bundleAll(): Readonly<Record<BundleName, Bundle>> {
    const entries = {
        ...Object.fromEntries(functionNames.map((name) => [name, entry(`workloads/functions/${name}/index`)])),
        jobs: entry("workloads/jobs/index"),
    };
    const result = buildSync({
        entryPoints: entries,
        outdir: "bundle",
        bundle: true,
        platform: "node",
        target: "node20",
        format: "cjs",
        minifyWhitespace: true,
        minifySyntax: true,
        legalComments: "none",
        // Absolute paths of a checkout would make the bytes depend on where it lies.
        absWorkingDir: root,
        write: false,
        logLevel: "silent",
    });
    return Object.fromEntries(
        result.outputFiles.map((file) => [
            path.basename(file.path, ".js"),
            { code: file.text, sha256: createHash("sha256").update(file.contents).digest("hex") },
        ]),
    ) as Record<BundleName, Bundle>;
}

/** The source in a checkout, or what it was compiled to in an installed package. */
function entry(module: string): string {
    const source = path.join(root, `${module}.ts`);
    return existsSync(source) ? source : path.join(root, `${module}.js`);
}
