import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";
import { cleanUp, project, root, runIn } from "./installed";

const ENTRIES = ["asl", "asl/states", "asl/api", "policy", "pulumi", "pulumi/local", "pulumi/provenStateMachine"];

describe("the package, installed", () => {
    let consumer: string;
    let installed: string;
    let files: string[];

    before(async () => {
        consumer = await project();
        installed = path.join(consumer, "node_modules/@ensemble-training/pulumi");
        files = readdirSync(installed, { recursive: true })
            .map(String)
            .filter((file) => statSync(path.join(installed, file)).isFile());
        writeFileSync(path.join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true }));
    });

    after(cleanUp);

    it(
        "has code, declarations and what the component needs; no tests, no sources, no data, nothing of this " +
            "machine",
        () => {
            const strange = files.filter(
                (file) =>
                    /(^|\/)(test|bench|docs|examples|shared|node_modules|\.[^/]+)\//.test(file) ||
                    (file.endsWith(".ts") && !file.endsWith(".d.ts")) ||
                    /\.(map|tgz|pyc|log)$/.test(file),
            );
            assert.deepEqual(strange, []);
            for (const needed of [
                "dist/bundles.json",
                "dist/workloads/jobs/Dockerfile",
                "dist/workloads/training/common/container.py",
                "dist/workloads/training/image/train_n_folds.py",
                "dist/workloads/training/text/train",
                "dist/policy-pack/PulumiPolicy.yaml",
                "LICENSE",
                "README.md",
                "CHANGELOG.md",
            ]) {
                assert.ok(files.includes(needed), `${needed} is missing`);
            }
            const home = process.env.HOME ?? root;
            const telling = files.filter((file) => {
                const text = readFileSync(path.join(installed, file), "utf8");
                return text.includes(root) || (home.length > 5 && text.includes(`${home}/`));
            });
            assert.deepEqual(telling, []);
        },
    );

    it("stays small: the tree, the sizes", async () => {
        const names = readdirSync(path.join(consumer, "node_modules"), { withFileTypes: true })
            .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
            .map((entry) => entry.name);
        assert.ok(names.length <= 20, names.join(", "));
        const bytes = files.reduce((sum, file) => sum + statSync(path.join(installed, file)).size, 0);
        assert.ok(bytes < 25 * 1024 * 1024, `${bytes} bytes`);
    });

    it("declares every package that it loads", () => {
        const { dependencies, peerDependencies } = JSON.parse(
            readFileSync(path.join(installed, "package.json"), "utf8"),
        ) as Record<string, Record<string, string>>;
        const declared = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
        const loaded = new Set<string>();
        for (const file of files.filter(
            (name) =>
                name.startsWith("dist/") &&
                /\.(js|d\.ts)$/.test(name) &&
                !/^dist\/(tool|policy-pack|workloads)\//.test(name),
        )) {
            for (const [, name] of readFileSync(path.join(installed, file), "utf8").matchAll(
                /(?:require\(|from )"([^."][^"]*)"/g,
            )) {
                loaded.add(/^(@[^/]+\/)?[^/]+/.exec(name.replace(/^node:/, ""))?.[0] as string);
            }
        }
        // Names itself in an example in a comment; and not every quotation mark belongs to an import.
        const names = [...loaded].filter(
            (name) => name !== "@ensemble-training/pulumi" && /^[@a-z][\w./-]*$/.test(name),
        );
        assert.deepEqual(
            names.filter((name) => !declared.has(name) && !builtinModules.includes(name)),
            [],
        );
    });

    for (const entry of ENTRIES) {
        it(
            `@ensemble-training/${entry} loads without side ` +
                `effects${/asl/.test(entry) ? ", and without Pulumi or an AWS SDK" : ""}`,
            async () => {
                const script = `
                const before = { argv: process.argv.length, env: JSON.stringify(process.env), listeners: process.eventNames().length };
                const start = process.hrtime.bigint();
                const module_ = require("@ensemble-training/${entry}");
                const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
                const after = { argv: process.argv.length, env: JSON.stringify(process.env), listeners: process.eventNames().length };
                process.on("exit", () => console.log(JSON.stringify({
                    milliseconds, names: Object.keys(module_), changed: JSON.stringify(before) !== JSON.stringify(after),
                    loaded: Object.keys(require.cache).filter(file => /@pulumi|@aws-sdk/.test(file)).length,
                })));`;
                // It ends by itself: nothing that was opened keeps the process alive.
                const { stdout, stderr } = await runIn(consumer, process.execPath, ["-e", script]);
                assert.equal(stderr, "");
                const lines = stdout.trim().split("\n");
                assert.equal(lines.length, 1, stdout);
                const { milliseconds, names, changed, loaded } = JSON.parse(lines[0]) as {
                    milliseconds: number;
                    names: string[];
                    changed: boolean;
                    loaded: number;
                };
                assert.notEqual(names.length, 0);
                // The Pulumi SDK listens to the process, and that is its own affair.
                if (/asl|policy/.test(entry)) {
                    assert.equal(changed, false);
                    assert.equal(loaded, 0);
                    assert.ok(milliseconds < 3_000, `${milliseconds} ms`);
                }
                console.log(`        ${Math.round(milliseconds)} ms`);
            },
        );
    }

    it("is type-checked in a strict consumer, its own declarations included, as CommonJS and as ESM", async () => {
        const source = (ending: string) => `
import * as pulumi from "@pulumi/pulumi";
import { EnsembleTraining, surroundings, type EnsembleSpec, type EnsembleTrainingArgs } from "@ensemble-training/pulumi";
import { analyse, execute, toMermaid, VirtualClock, type StateMachineDefinition } from "@ensemble-training/asl";
import { runLocally, type LocalResult } from "@ensemble-training/pulumi/local";
import { policies, rules, type Rule } from "@ensemble-training/policy";
import { Fail, policyDocument, stateMachine, Succeed, type Machine } from "@ensemble-training/asl/states";

export async function deploy(models: EnsembleSpec): Promise<pulumi.Output<string>> {
    const args: EnsembleTrainingArgs = { ...await surroundings(), models, settings: { folds: 3, network: { kind: "created", cidr: "10.0.0.0/20" } } };
    return new EnsembleTraining("${ending}", args, { protect: true }).outputs.stateMachineArn;
}
// @ts-expect-error a setting that does not exist
export const wrong: EnsembleTrainingArgs["settings"] = { fold: 3 };
// @ts-expect-error a Fail without a cause
export const silent = new Fail("Failed", { error: "Failed" });
export const machine: Machine = stateMachine({ timeoutSeconds: 60, states: [new Succeed("Done")] });
export const definition: StateMachineDefinition = machine.definition;
export const names: string[] = rules.map((rule: Rule) => rule.name);
export const run: (options: Parameters<typeof runLocally>[0]) => Promise<LocalResult> = runLocally;
if (process.argv.includes("--run")) {
    execute(definition, { input: {}, clock: new VirtualClock(), task: async () => null }).then((result) => console.log(JSON.stringify({
        findings: analyse(definition).length, status: result.status, drawn: toMermaid(definition).length > 0,
        statements: policyDocument(machine.permissions).Statement.length, policies: Array.isArray(policies()) && names.length,
        component: typeof EnsembleTraining,
    })));
}
`;
        writeFileSync(path.join(consumer, "consumer.cts"), source("cjs"));
        writeFileSync(path.join(consumer, "consumer.mts"), source("esm"));
        writeFileSync(
            path.join(consumer, "tsconfig.json"),
            JSON.stringify({
                compilerOptions: {
                    target: "ES2022",
                    module: "nodenext",
                    moduleResolution: "nodenext",
                    strict: true,
                    exactOptionalPropertyTypes: false,
                    skipLibCheck: false,
                    types: ["node"],
                    outDir: "out",
                },
                files: ["consumer.cts", "consumer.mts"],
            }),
        );
        const compiled = await runIn(consumer, process.execPath, [
            path.join(root, "node_modules/typescript/bin/tsc"),
            "-p",
            ".",
        ]).then(
            () => "",
            (error: Error) => error.message,
        );
        // Declarations of @pulumi/policy itself do not hold together: they are nobody's here.
        const errors = compiled
            .split("\n")
            .filter((line) => /error TS/.test(line) && !/node_modules\/@pulumi\/policy\//.test(line));
        assert.deepEqual(errors, []);
        for (const file of ["out/consumer.cjs", "out/consumer.mjs"]) {
            const { stdout } = await runIn(consumer, process.execPath, [file, "--run"]);
            const { policies, ...result } = JSON.parse(stdout) as { policies: number };
            assert.deepEqual(
                result,
                { findings: 0, status: "SUCCEEDED", drawn: true, statements: 0, component: "function" },
                stdout,
            );
            assert.ok(policies > 40);
        }
    });

    it("leaves named rules out of one's own pack, and tells of a name that is no rule's", async () => {
        const script = `
            const { policies, rules } = require("@ensemble-training/policy");
            try { policies({ without: ["no-such-rule"] }); } catch (error) { console.log(error.message); }
            console.log(rules.length - policies({ without: ["iam-wildcards"] }).length);`;
        const { stdout } = await runIn(consumer, process.execPath, ["-e", script]);
        assert.match(stdout, /there is no rule no-such-rule; there are .*iam-wildcards/);
        assert.match(stdout, /\n1\n$/);
    });

    it("brings asl-check and ensemble", async () => {
        const bin = path.join(consumer, "node_modules/.bin");
        writeFileSync(
            path.join(consumer, "machine.asl.json"),
            readFileSync(path.join(root, "docs/silent-failure.asl.json")),
        );
        await assert.rejects(runIn(consumer, path.join(bin, "asl-check"), ["machine.asl.json"]), /failure-swallowed/);
        const { stdout } = await runIn(consumer, path.join(bin, "ensemble"), ["--help"]);
        assert.match(stdout, /Usage: ensemble/);
        await assert.rejects(
            runIn(consumer, path.join(bin, "ensemble"), ["local"], { ENSEMBLE_PYTHON: process.execPath }),
            /Pulumi\.yaml/,
        );
    });
});
