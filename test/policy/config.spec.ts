import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { rules } from "./packRules";

const root = path.resolve(__dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

for (const stage of ["dev", "prod"]) {
    describe(`the configuration of the policy pack for ${stage}`, () => {
        const config = JSON.parse(read(`policy/config.${stage}.json`)) as Record<
            string,
            string | Record<string, unknown>
        >;

        it("names rules and parameters that exist", () => {
            for (const [name, settings] of Object.entries(config)) {
                const rule = rules.find((one) => one.name === name);
                assert.ok(rule !== undefined, `there is no rule ${name}`);
                for (const key of typeof settings === "string" ? [] : Object.keys(settings)) {
                    assert.ok(
                        ["enforcementLevel", "suppressions", ...Object.keys(rule.parameters ?? {})].includes(key),
                        `${name} has no parameter ${key}`,
                    );
                }
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

        for (const command of ["preview", "up"]) {
            it(`is carried by npm run ${command}:${stage}`, () => {
                const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
                assert.equal(
                    scripts[`${command}:${stage}`],
                    `pulumi ${command} --stack ${stage} --policy-pack policy --policy-pack-config ` +
                        `policy/config.${stage}.json`,
                );
            });
        }
    });
}

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
