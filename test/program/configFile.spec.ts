import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { evaluateStage } from "../../project/evaluate";
import { ConfigError } from "../../stacks/config";
import { namespaceProblems } from "../../stacks/configFile";
import { program } from "../../stacks/program";

describe("a stage's file", () => {
    let root: string;

    before(() => {
        root = mkdtempSync(path.join(tmpdir(), "stage-"));
        writeFileSync(path.join(root, "Pulumi.yaml"), "name: ensemble-training\nruntime: nodejs\n");
    });

    after(() => rmSync(root, { recursive: true }));

    async function problemsOf(lines: readonly string[], overrides = {}): Promise<readonly string[]> {
        writeFileSync(path.join(root, "Pulumi.dev.yaml"), lines.join("\n"));
        try {
            await evaluateStage("dev", { project: { root, program, configured: true }, overrides });
        } catch (error) {
            assert.ok(error instanceof ConfigError, String(error));
            return error.problems;
        }
        return [];
    }

    it("has every problem told with its line", async () => {
        const problems = await problemsOf([
            "config:",
            "  ensemble-training:folds: 1",
            "  ensemble-training:models:",
            "    text:",
            "      capacity:",
            "        - instanceType: ml.m5.large",
            "        - instanceType: ml.m5.huge",
        ]);
        assert.match(problems[0], /^Pulumi\.dev\.yaml:2: folds: got 1, expected at least 2/);
        assert.match(problems[1], /^Pulumi\.dev\.yaml:7: models\.text\.capacity\.1\.instanceType: got "ml\.m5\.huge"/);
        assert.ok(problems.some((problem) => /^Pulumi\.dev\.yaml:3: models\.image\.instanceCount: is 4/.test(problem)));
    });

    it("is not blamed for what was given elsewhere", async () => {
        const problems = await problemsOf(["config:", "  ensemble-training:seed: -1"], { folds: 1 });
        assert.match(problems.join("\n"), /^folds: got 1/m);
        assert.match(problems.join("\n"), /^Pulumi\.dev\.yaml:2: seed: got -1/m);
    });

    for (const [what, line, told] of [
        [
            "a mistyped namespace",
            "ensemble-trainig:budget: 5",
            /:2: ensemble-trainig:budget: .*"ensemble-training:budget"/,
        ],
        ["no namespace", "budget: 5", /:2: budget: got no namespace, expected ensemble-training:budget/],
    ] as const) {
        it(`is refused for a key with ${what}`, async () => {
            assert.match((await problemsOf(["config:", `  ${line}`])).join("\n"), told);
        });
    }

    it("that is empty says so", async () => {
        for (const lines of [[], ["config:"], ["# nothing yet"]]) {
            assert.match((await problemsOf(lines)).join("\n"), /^Pulumi\.dev\.yaml: holds no configuration, expected/);
        }
    });

    it("may hold what Pulumi and the program's providers read", () => {
        const keys = ["ensemble-training:folds", "aws:region", "pulumi:tags", "docker-build:host"];
        assert.deepEqual(namespaceProblems(keys, "ensemble-training"), []);
    });
});
