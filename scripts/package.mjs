/**
 * Builds what `npm pack` packs into dist/: the library as CommonJS with declarations, and nothing that its entry points do not reach; the
 * commands and the policy pack as one file each, so that a library user installs none of their packages; the code of functions and jobs,
 * bundled; and what the component reads at run time.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const dist = path.join(root, "dist");
const require = createRequire(path.join(root, "package.json"));
const ENTRIES = ["index", "states", "asl", "policy"];

rmSync(dist, { recursive: true, force: true });
compile();
prune();
bundle();
copy();

/** JavaScript and declarations of everything that the entry points reach. */
function compile() {
    const tsc = require.resolve("typescript/bin/tsc");
    const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
    if (status !== 0) {
        process.exit(1);
    }
}

/** The compiler writes what types alone need as code, too, and the other way round: each goes where no entry point leads to it. */
function prune() {
    const kept = new Set([
        ...reached(
            ENTRIES.map((name) => `package/${name}.js`),
            ".js",
            /require\("(\.[^"]+)"\)/g,
        ),
        ...reached(
            [...ENTRIES, "local"].map((name) => `package/${name}.d.ts`),
            ".d.ts",
            /(?:from |import\()"(\.[^"]+)"/g,
        ),
    ]);
    for (const file of readdirSync(dist, { recursive: true }).map(String)) {
        const full = path.join(dist, file);
        if (statSync(full).isFile() && !kept.has(full)) {
            rmSync(full);
        }
    }
}

function reached(entries, extension, imports) {
    const found = new Set();
    const pending = entries.map((entry) => path.join(dist, entry));
    for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
        if (found.has(file)) {
            continue;
        }
        found.add(file);
        if (file.endsWith(".json")) {
            continue;
        }
        for (const [, target] of readFileSync(file, "utf8").matchAll(imports)) {
            const full = path.resolve(path.dirname(file), target);
            const candidates = [full, `${full}${extension}`, path.join(full, `index${extension}`)];
            const next = candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
            if (next === undefined) {
                throw new Error(`${path.relative(root, file)} imports ${target}, which is not there`);
            }
            pending.push(next);
        }
    }
    return found;
}

function bundle() {
    const common = {
        absWorkingDir: root,
        bundle: true,
        platform: "node",
        target: "node20",
        format: "cjs",
        legalComments: "none",
        logLevel: "error",
        minifyWhitespace: true,
        minifySyntax: true,
        // Some packages' main is a UMD build, whose requires no bundler can follow.
        mainFields: ["module", "main"],
        // Pulumi's state is the process's, so it must be the one that the program loads; esbuild is of use in a checkout only.
        external: ["@pulumi/*", "esbuild", "ts-node", "typescript"],
    };
    buildSync({
        ...common,
        // One level below dist/, as the sources lie one level below the project: what they find beside them is found here, too.
        entryPoints: {
            "tool/ensemble": "cli/ensemble.ts",
            "tool/local": "package/local.ts",
            "tool/asl-check": "asl/check/main.ts",
        },
        outdir: dist,
    });
    buildSync({ ...common, entryPoints: { policy: "policy/index.ts" }, outdir: path.join(dist, "policy-pack") });
    require("ts-node/register/transpile-only");
    const bundles = require(path.join(root, "workloads/bundle.ts")).bundleAll();
    write("bundles.json", bundles);
}

function copy() {
    const pack = path.join(root, "policy");
    const { name, version, description, license } = JSON.parse(readFileSync(path.join(pack, "package.json"), "utf8"));
    write("policy-pack/package.json", { name, version, description, license, main: "policy.js" });
    writeFileSync(
        path.join(dist, "policy-pack/PulumiPolicy.yaml"),
        readFileSync(path.join(pack, "PulumiPolicy.yaml"), "utf8").replace("load.cjs", "policy.js"),
    );
    cpSync(path.join(pack, "RULES.md"), path.join(dist, "policy-pack/RULES.md"));
    const leftovers = /(^|\/)(__pycache__|\.pytest_cache|\.DS_Store)(\/|$)|\.pyc$/;
    cpSync(path.join(root, "workloads/training"), path.join(dist, "workloads/training"), {
        recursive: true,
        filter: (source) => !leftovers.test(source),
    });
    mkdirSync(path.join(dist, "workloads/jobs"), { recursive: true });
    cpSync(path.join(root, "workloads/jobs/Dockerfile"), path.join(dist, "workloads/jobs/Dockerfile"));
    cpSync(path.join(root, "local/services/lambdaHost.mjs"), path.join(dist, "tool/lambdaHost.mjs"));
    cpSync(path.join(root, "local/storage/serve.py"), path.join(dist, "tool/serve.py"));
}

function write(file, value) {
    writeFileSync(path.join(dist, file), `${JSON.stringify(value, null, 4)}\n`);
}
