// Builds the pack of this project (stacks/policyPack.ts) into policy/bin/: one file, so that it loads fast, and a stamp
// of its sources, so that a stale build is noticed.
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { BUILD, hashSources, STAMP } from "./sources.cjs";

const folder = path.dirname(fileURLToPath(import.meta.url));

const result = await build({
    absWorkingDir: folder,
    entryPoints: ["../stacks/policyPack.ts"],
    outfile: BUILD,
    write: false,
    bundle: true,
    platform: "node",
    target: "node20",
    // Some packages' main is a UMD build, whose requires no bundler can follow.
    mainFields: ["module", "main"],
    format: "cjs",
    sourcemap: false,
    metafile: true,
    logLevel: "error",
    // The SDK is the engine's other half and must be the one that the runner loads, too.
    external: ["@pulumi/*"],
});
const inputs = Object.keys(result.metafile.inputs).filter((file) => !file.includes("node_modules/"));
await mkdir(path.dirname(BUILD), { recursive: true });
// A preview may be loading the pack right now: it sees the old build or the new one, never half of one.
for (const [file, text] of [
    [BUILD, result.outputFiles[0].text],
    [STAMP, `${JSON.stringify(hashSources(inputs), null, 4)}\n`],
]) {
    await writeFile(`${file}.${process.pid}`, text);
    await rename(`${file}.${process.pid}`, file);
}
