/**
 * The bundles of functions and jobs, kept between runs of the program: bundling takes longer than everything else
 * together, and most previews change no code.
 */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { filesBelow, hashParts } from "../components/contentHash";
import type { Bundle, BundleName } from "../workloads/bundle";

export type Bundles = Readonly<Record<BundleName, Bundle>>;

const ROOT = path.resolve(__dirname, "..");
/** Only the installed package has it: what was bundled when it was built. */
const BUILT = path.join(ROOT, "bundles.json");
const CACHE = path.join(ROOT, ".build/bundles");

/** Folders that functions and jobs are made from; what they take from packages is named by the lock file. */
export const BUNDLED_ROOMS = ["asl", "ground", "pricing", "workflow", "workloads"] as const;

/** What the bundles depend on: equal key, equal bundles. */
function cacheKey(): string {
    const parts: (string | Buffer)[] = [process.version];
    for (const file of ["package-lock.json", "tsconfig.json"]) {
        const full = path.join(ROOT, file);
        parts.push(file, fs.existsSync(full) ? fs.readFileSync(full) : "");
    }
    for (const room of BUNDLED_ROOMS) {
        for (const file of filesBelow(path.join(ROOT, room)).filter((name) =>
            /\.(ts|js|json|cts|mjs|cjs)$/.test(name),
        )) {
            parts.push(`${room}/${file}`, fs.readFileSync(path.join(ROOT, room, file)));
        }
    }
    return hashParts(parts);
}

/** The bundles of the sources as they are now: from the cache, or made and put there. The cache holds one entry. */
export function loadBundles(): Bundles {
    const file = fs.existsSync(BUILT) ? BUILT : path.join(CACHE, `${cacheKey()}.json`);
    if (fs.existsSync(file)) {
        return JSON.parse(fs.readFileSync(file, "utf8")) as Bundles;
    }
    // Loaded here, because it loads esbuild, which the installed package does without.
    const { bundleAll } = createRequire(__filename)("../workloads/bundle") as typeof import("../workloads/bundle");
    const bundles = bundleAll();
    fs.mkdirSync(CACHE, { recursive: true });
    for (const old of fs.readdirSync(CACHE)) {
        fs.rmSync(path.join(CACHE, old), { force: true });
    }
    // Whole or not at all: two programs may run at once.
    const part = `${file}.${process.pid}`;
    fs.writeFileSync(part, JSON.stringify(bundles));
    fs.renameSync(part, file);
    return bundles;
}
