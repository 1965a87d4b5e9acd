import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { settingsOf } from "../../cli/aws/executions";
import { wordsOf } from "../../cli/diff/words";
import { evaluateStage } from "../../project/evaluate";
import { root } from "../cli/support";

async function side(stage: string, overrides: Record<string, unknown> = {}) {
    const {
        stateMachine: { name, definition },
    } = await evaluateStage(stage, { overrides });
    return { definition, settings: settingsOf(definition, name) };
}

describe("what changed in a stage, in words", function () {
    this.timeout(60_000);
    let prod: Awaited<ReturnType<typeof side>>;

    before(async () => {
        prod = await side("prod");
    });

    const image = {
        capacity: [
            { instanceType: "ml.g6.xlarge" },
            { instanceType: "ml.g5.2xlarge" },
            { instanceType: "ml.g4dn.xlarge" },
        ],
    };
    const changes: [string, Record<string, unknown>, string[]][] = [
        ["nothing", {}, []],
        ["another machine on one rung", { models: { image } }, ["image: instance ml.g5.xlarge -> ml.g5.2xlarge"]],
        [
            "another ladder",
            { models: { text: { capacity: [{ instanceType: "ml.m5.4xlarge", spot: true }] } } },
            [
                "text: machines ml.m5.2xlarge, ml.m6i.2xlarge -> ml.m5.4xlarge (Spot)",
                "Is Text Model Capacity Error?: decides differently (15 changes, see --json)",
            ],
        ],
        [
            "a hyperparameter and a gate",
            { models: { sequence: { hyperparameters: { epochs: 30 }, minimumMetrics: { segment_f1: 0.4 } } } },
            ["sequence: epochs 20 -> 30", "sequence: quality gate segment_f1 is new: 0.4"],
        ],
        [
            "a budget and limits",
            { budget: 500, models: { text: { maxHours: 24 } } },
            ["text: all attempts at most 12 h -> 1 d", "stage: budget is new: 500"],
        ],
    ];
    for (const [what, overrides, expected] of changes) {
        it(`tells ${what}, and no more`, async () => {
            assert.deepEqual(wordsOf(prod, await side("prod", overrides)).lines, expected);
        });
    }

    it("counts what follows instead of telling it, also between two stages", async () => {
        const words = wordsOf(await side("dev"), prod);
        assert.ok(words.lines.includes("image: one job at most 2 h -> 2 d"), words.lines.join("\n"));
        assert.ok(words.lines.some((line) => line.startsWith("execution: at most ")));
        assert.ok(words.following > 5);
        assert.deepEqual(
            words.lines.filter((line) => /ensemble-dev|\{%|StoppingCondition/.test(line)),
            [],
        );
    });
});

describe("ensemble diff --against a revision", function () {
    this.timeout(300_000);
    let directory: string;
    let checkout: string;
    const git = (...given: string[]): string =>
        execFileSync("git", ["-C", checkout, "-c", "user.name=t", "-c", "user.email=t@example.org", ...given], {
            encoding: "utf8",
            stdio: ["ignore", "pipe", "pipe"],
        });

    before(function () {
        if (!existsSync(path.join(root, ".git"))) {
            console.log("      skipped: the project is no git repository here");
            this.skip();
        }
        directory = mkdtempSync(path.join(tmpdir(), "against-"));
        checkout = path.join(directory, "project");
        execFileSync("git", ["clone", "--quiet", "--shared", root, checkout], { stdio: ["ignore", "ignore", "pipe"] });
        // real folders, as a user has them; the comparison itself links to them
        const modules = [path.join(root, "node_modules"), path.join(checkout, "node_modules")];
        try {
            execFileSync("cp", ["-al", ...modules], { stdio: "ignore" });
        } catch {
            rmSync(modules[1], { recursive: true, force: true });
            execFileSync("cp", ["-R", ...modules]);
        }
        const file = path.join(checkout, "Pulumi.dev.yaml");
        writeFileSync(
            file,
            readFileSync(file, "utf8").replace("maxHours: 4", "maxHours: 6").replace("epochs: 10", "epochs: 12"),
        );
        git("commit", "--quiet", "-am", "longer");
    });
    after(() => rmSync(directory ?? "", { recursive: true, force: true }));

    const diff = (...more: string[]): string =>
        execFileSync(
            process.execPath,
            [
                "--no-warnings",
                "-r",
                "ts-node/register/transpile-only",
                "-e",
                "require('./cli/ensemble.ts').main(['node', 'ensemble', ...process.argv.slice(1)])",
                "--",
                "diff",
                "--stack",
                "dev",
                "--against",
                "HEAD~1",
                ...more,
            ],
            { cwd: checkout, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
        );

    it("tells what the program declares now and declared then, and leaves no worktree behind", () => {
        const told = diff();
        assert.equal(
            told,
            [
                "stage dev at HEAD~1 -> stage dev",
                "  image: epochs 10 -> 12",
                "  text: all attempts at most 4 h -> 6 h",
                ...told.split("\n").filter((line) => line.includes(" follow")),
                "No change in what the roles may do.",
                "",
            ].join("\n"),
        );
        assert.equal(git("worktree", "list").trim().split("\n").length, 1);
    });

    it("as JSON, with every change of the definition", () => {
        const told = JSON.parse(diff("--json")) as {
            summary: string[];
            code: string[];
            changes: unknown[];
            permissions: { added: string[]; removed: string[] };
        };
        assert.deepEqual(told.summary, ["image: epochs 10 -> 12", "text: all attempts at most 4 h -> 6 h"]);
        assert.ok(told.changes.length >= 2);
        assert.deepEqual(told.permissions, { added: [], removed: [] });
        assert.deepEqual(told.code, [], "code that did not change is not told as new");
    });

    it("names a wrong key of the configuration in one message, without a stack trace", () => {
        const file = path.join(checkout, "Pulumi.dev.yaml");
        const before = readFileSync(file, "utf8");
        writeFileSync(file, `${before.trimEnd()}\n  ensemble-training:fodls: 3\n`);
        try {
            assert.throws(
                () => diff(),
                (error: { status?: number; stderr?: string }) =>
                    error.status === 2 &&
                    /fodls: unknown key; did you mean "folds"/.test(String(error.stderr)) &&
                    !/\n\s+at /.test(String(error.stderr)),
            );
        } finally {
            writeFileSync(file, before);
        }
    });
});
