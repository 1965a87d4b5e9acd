import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { PolicyPackConfig } from "@pulumi/policy";
import { policies, withLevels } from "../../policy/index";
import { projectName } from "../../project/evaluate";
import { rules } from "./packRules";

const root = path.resolve(__dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

describe("the configuration of the policy pack", () => {
    type Settings = Record<string, unknown> & { readonly stacks?: Record<string, object> };
    const config = JSON.parse(read("policy/config.json")) as Record<string, string | Settings>;
    const stages = ["dev", "prod"];

    it("names rules, parameters and stacks that exist", () => {
        for (const [name, settings] of Object.entries(config)) {
            const rule = rules.find((one) => one.name === name);
            assert.ok(rule !== undefined, `there is no rule ${name}`);
            const { stacks = {}, enforcementLevel: _level, ...general } = typeof settings === "string" ? {} : settings;
            for (const key of [general, ...Object.values(stacks)].flatMap((one) => Object.keys(one))) {
                assert.ok(
                    ["suppressions", ...Object.keys(rule.parameters ?? {})].includes(key),
                    `${name} has no ${key}`,
                );
            }
            const known = ["*", ...stages].map((stage) => `${projectName()}/${stage}`);
            assert.deepEqual(
                Object.keys(stacks).filter((key) => !known.includes(key)),
                [],
            );
        }
    });

    it("lets no definition pass that is not known at preview", () => {
        assert.equal(config["definition-known-at-preview"], "mandatory");
    });

    it("switches no rule off", () => {
        for (const [name, settings] of Object.entries(config)) {
            assert.notEqual(typeof settings === "string" ? settings : settings.enforcementLevel, "disabled", name);
        }
    });

    it("is that of `pulumi preview --policy-pack policy`, which the scripts run for each stage", () => {
        const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
        for (const stage of stages) {
            for (const command of ["preview", "up"]) {
                assert.equal(scripts[`${command}:${stage}`], `pulumi ${command} --stack ${stage} --policy-pack policy`);
            }
        }
    });
});

describe("the policy pack's own files", () => {
    it("say what the engine and the SDK ask for: a runtime, an entry point that is there, a version", () => {
        const project = parse(read("policy/PulumiPolicy.yaml")) as { runtime: string; main: string };
        const manifest = JSON.parse(read("policy/package.json")) as { main: string; version: string };
        assert.equal(project.runtime, "nodejs");
        assert.equal(project.main, manifest.main);
        assert.ok(existsSync(path.join(root, "policy", manifest.main)));
        assert.match(manifest.version, /^\d+\.\d+\.\d+$/);
    });

    it("are built whenever the packages are installed", () => {
        const { scripts, devDependencies } = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
        assert.match(scripts.prepare, /node policy\/build\.mjs/);
        assert.ok("esbuild" in devDependencies);
        // The package's consumers do not need the checkout's tools; a checkout does, also where NODE_ENV=production
        // leaves them out.
        assert.match(read(".npmrc"), /^include=dev$/m);
    });
});

describe("the levels of a pack's own configuration", () => {
    const all = policies();
    const own = JSON.parse(readFileSync(path.join(root, "policy/config.json"), "utf8")) as PolicyPackConfig;

    it("are the rules' own where it says none: without one the engine would only warn", () => {
        const levels = new Map(all.map(({ name, enforcementLevel }) => [name, enforcementLevel]));
        const levelOf = (entry: PolicyPackConfig[string]) =>
            typeof entry === "string" ? entry : entry.enforcementLevel;
        const silent = Object.keys(own).filter((name) => levelOf(own[name]) === undefined);
        assert.ok(silent.includes("log-group-retention"));
        for (const name of silent) {
            assert.equal(levelOf(withLevels(own, all)[name]), levels.get(name), name);
        }
    });

    it("stay what it says", () => {
        const said = {
            "tags-required": "disabled",
            "log-group-retention": { enforcementLevel: "advisory", minDays: 1 },
        };
        assert.deepEqual(withLevels(said as PolicyPackConfig, all), said);
    });
});
