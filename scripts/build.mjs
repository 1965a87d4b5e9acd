/**
 * Builds what `npm pack` packs, into the `dist/` of a workspace: `node scripts/build.mjs asl`, `... policy`, and
 * `... .` for the root.
 *
 * The library is CommonJS with declarations, file by file, and nothing that its entry points do not reach. Sources
 * import each other by path, in every room; where a path leads into another workspace, the build writes that package's
 * name in its place, and refuses a path that its `exports` do not name. So a checkout needs no build to run, and a
 * package no copy of another.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import ts from "typescript";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(path.join(root, "package.json"));

/** The workspaces with their entry points: `exports` name the same, which a test holds. */
export const WORKSPACES = {
    "asl": {
        entries: [
            "index",
            "analysis/index",
            "api/index",
            "diff",
            "drawing",
            "history/index",
            "interpreter/index",
            "states/index",
            "types",
            "walk",
        ],
        finish: finishAsl,
    },
    "policy": { entries: ["index"], finish: finishPolicy },
    // The run on this machine loads much that a library user has not: its code is one file, its declarations are files.
    ".": { entries: ["stacks/index", "components/provenStateMachine"], declared: ["local/index"], finish: finishRoot },
};

/** What every bundle has in common. */
const BUNDLE = {
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
    // Pulumi's state is the process's, so it must be the one that the program loads; the others are of use in a
    // checkout only.
    external: ["@pulumi/*", "esbuild", "ts-node", "typescript"],
};

/** The sources of a workspace as CommonJS with declarations. */
function compile(workspace, entries, declarationOnly = false) {
    const dist = path.join(root, workspace, "dist");
    const { config } = ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.convertCompilerOptionsFromJson(
        { ...config.compilerOptions, types: ["node"], noEmit: false, declaration: true, sourceMap: false },
        root,
    );
    const files = entries.map((entry) => path.join(root, workspace, `${entry}.ts`));
    const program = ts.createProgram(files, { ...options, outDir: dist, rootDir: root });
    // What is only declared stands by itself: its interfaces name none of the files behind it, and these stay away.
    const isShipped = ({ fileName }) =>
        declarationOnly ? files.includes(path.resolve(fileName)) : ownerOf(fileName, workspace) === workspace;
    const rename = byPackageName(workspace);
    const { diagnostics } = program.emit(
        undefined,
        (file, text, mark, _onError, sources) => {
            if ((sources ?? []).every(isShipped)) {
                ts.sys.writeFile(file, text, mark);
            }
        },
        undefined,
        declarationOnly,
        { before: [rename], afterDeclarations: [rename] },
    );
    const problems = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
    if (problems.length > 0) {
        const host = { getCurrentDirectory: () => root, getCanonicalFileName: (name) => name, getNewLine: () => "\n" };
        throw new Error(ts.formatDiagnostics(problems, host));
    }
}

/**
 * The workspace that ships a file: asl and policy what lies in them and, each for itself, the ground room; the root the
 * rest.
 */
function ownerOf(file, asking) {
    const [room] = path.relative(root, file).split(path.sep);
    if (room === "ground") {
        return asking;
    }
    return Object.hasOwn(WORKSPACES, room) ? room : ".";
}

/** Writes the package's name where an import leads into another workspace. */
function byPackageName(workspace) {
    const renamed = (literal, from) => {
        if (!literal.text.startsWith(".")) {
            return literal;
        }
        const target = path.resolve(path.dirname(from), literal.text);
        const owner = ownerOf(target, workspace);
        return owner === workspace ? literal : ts.factory.createStringLiteral(nameOf(owner, target, from));
    };
    return (context) => (file) => {
        if (!ts.isSourceFile(file) || ownerOf(file.fileName, workspace) !== workspace) {
            return file;
        }
        const { factory } = context;
        const visit = (node) => {
            if (ts.isImportDeclaration(node)) {
                const { modifiers, importClause, moduleSpecifier, attributes } = node;
                const specifier = renamed(moduleSpecifier, file.fileName);
                return factory.updateImportDeclaration(node, modifiers, importClause, specifier, attributes);
            }
            if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
                const { modifiers, isTypeOnly, exportClause, moduleSpecifier, attributes } = node;
                const specifier = renamed(moduleSpecifier, file.fileName);
                return factory.updateExportDeclaration(
                    node,
                    modifiers,
                    isTypeOnly,
                    exportClause,
                    specifier,
                    attributes,
                );
            }
            if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
                const { argument, attributes, qualifier, typeArguments, isTypeOf } = node;
                const literal = factory.createLiteralTypeNode(renamed(argument.literal, file.fileName));
                return factory.updateImportTypeNode(node, literal, attributes, qualifier, typeArguments, isTypeOf);
            }
            return ts.visitEachChild(node, visit, context);
        };
        return ts.visitNode(file, visit);
    };
}

/** `asl/analysis` -> `@ensemble-training/asl/analysis`. @throws where the package's exports do not name it. */
function nameOf(workspace, target, from) {
    const { name, exports } = manifest(workspace);
    const inside = path.relative(path.join(root, workspace), target).split(path.sep).join("/");
    const entry = inside === "" || inside === "index" ? "." : `./${inside.replace(/\/index$/, "")}`;
    if (exports[entry] === undefined) {
        throw new Error(`${path.relative(root, from)} imports ${workspace}/${inside}, which ${name} does not export`);
    }
    return entry === "." ? name : `${name}${entry.slice(1)}`;
}

function manifest(workspace) {
    return JSON.parse(readFileSync(path.join(root, workspace, "package.json"), "utf8"));
}

/** The command as one file: it starts in a tenth of the time that its modules take one by one. */
function finishAsl(dist) {
    buildSync({ ...BUNDLE, entryPoints: { "asl-check": "asl/check/main.ts" }, outdir: dist });
}

/** The pack for programs that have no other: with all rules but those that need to be handed something. */
function finishPolicy(dist) {
    writePack("policy/pack.ts", path.join(dist, "pack"));
}

/** The commands, this project's pack, the code of functions and jobs, and what the component reads at run time. */
function finishRoot(dist) {
    buildSync({
        ...BUNDLE,
        // One level below dist/, as the sources lie one level below the project: what they find beside them is found
        // here, too.
        entryPoints: { "tool/ensemble": "cli/ensemble.ts", "tool/local": "local/index.ts" },
        outdir: dist,
    });
    writePack("stacks/policyPack.ts", path.join(dist, "policy-pack"));
    require("ts-node/register/transpile-only");
    writeJson(path.join(dist, "bundles.json"), require(path.join(root, "workloads/bundle.ts")).bundleAll());
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

/** A folder for `--policy-pack`, in one file of code. */
function writePack(entry, folder) {
    buildSync({ ...BUNDLE, entryPoints: { policy: entry }, outdir: folder });
    const { version, description, license } = manifest("policy");
    writeJson(path.join(folder, "package.json"), {
        name: "ensemble-training-policy",
        version,
        description,
        license,
        main: "policy.js",
    });
    const declared = readFileSync(path.join(root, "policy/PulumiPolicy.yaml"), "utf8");
    writeFileSync(path.join(folder, "PulumiPolicy.yaml"), declared.replace("load.cjs", "policy.js"));
    cpSync(path.join(root, "policy/RULES.md"), path.join(folder, "RULES.md"));
}

function writeJson(file, value) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(value, null, 4)}\n`);
}

/** Builds one workspace anew. */
export function build(workspace) {
    const found = WORKSPACES[workspace];
    if (found === undefined) {
        throw new Error(`there is no workspace ${workspace}; expected ${Object.keys(WORKSPACES).join(", ")}`);
    }
    const dist = path.join(root, workspace, "dist");
    rmSync(dist, { recursive: true, force: true });
    compile(workspace, found.entries);
    if (found.declared !== undefined) {
        compile(workspace, found.declared, true);
    }
    found.finish(dist);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    build(process.argv[2] ?? ".");
}
