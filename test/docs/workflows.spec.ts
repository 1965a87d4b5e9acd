import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "yaml";
import { root } from "./commands";

interface Job {
    readonly if?: string;
    readonly needs?: string | readonly string[];
    readonly strategy?: {
        readonly matrix?: { readonly include?: readonly { readonly suite: string; readonly run: string }[] };
    };
    readonly permissions?: Readonly<Record<string, string>>;
    readonly concurrency?: { readonly "cancel-in-progress"?: boolean };
    readonly uses?: string;
    readonly steps?: readonly {
        readonly uses?: string;
        readonly run?: string;
        readonly with?: Readonly<Record<string, unknown>>;
    }[];
}

interface Workflow {
    readonly permissions: Readonly<Record<string, string>>;
    readonly concurrency?: { readonly "cancel-in-progress"?: boolean };
    readonly jobs: Readonly<Record<string, Job>>;
}

const folder = path.join(root, ".github/workflows");
const files = readdirSync(folder);
const text = (file: string): string => readFileSync(path.join(folder, file), "utf8");

describe("the workflows of the CI", () => {
    for (const file of files) {
        const workflow = parse(text(file)) as Workflow;
        const jobs = Object.entries(workflow.jobs);
        const steps = jobs.flatMap(([, { steps: own = [] }]) => own);

        it(`${file}: every action is pinned by a commit, with its version beside it`, () => {
            const used = [...text(file).matchAll(/uses: (\S+)(.*)/g)].filter(([, action]) => !action.startsWith("./"));
            assert.deepEqual(
                used
                    .filter(([, action, note]) => !/@[0-9a-f]{40}$/.test(action) || !/^ # v\d+\.\d+\.\d+$/.test(note))
                    .map(([line]) => line),
                [],
            );
        });

        it(`${file}: reads only, unless a job says what more it needs`, () => {
            assert.deepEqual(workflow.permissions, { contents: "read" });
            // only a release writes into the repository
            const writing = file === "release.yml" ? ["contents: write"] : [];
            const known = ["contents: read", "id-token: write", "pull-requests: write", ...writing];
            const asked = jobs.flatMap(([, { permissions = {} }]) =>
                Object.entries(permissions).map(([what, how]) => `${what}: ${how}`),
            );
            assert.deepEqual(
                asked.filter((permission) => !known.includes(permission)),
                [],
            );
            assert.ok(
                jobs.every(
                    ([, { permissions = {} }]) =>
                        permissions["id-token"] === undefined || permissions["pull-requests"] === undefined,
                ),
                "no job has both AWS and the pull request",
            );
        });

        it(`${file}: nothing that runs is cancelled`, () => {
            const groups = [workflow.concurrency, ...jobs.map(([, { concurrency }]) => concurrency)].filter(
                (group) => group !== undefined,
            );
            assert.deepEqual(
                groups.filter((group) => group["cancel-in-progress"] !== false),
                [],
            );
        });

        it(`${file}: checkouts keep no credentials, and no expression of an event stands in a script`, () => {
            assert.ok(
                steps
                    .filter(({ uses }) => uses?.startsWith("actions/checkout@"))
                    .every((step) => step.with?.["persist-credentials"] === false),
            );
            assert.deepEqual(
                steps.filter(({ run }) => run?.includes("${{ github.") === true),
                [],
            );
        });
    }

    it("every suite that .ci/run runs is run, by the same command", () => {
        const matrix = (parse(text("suites.yml")) as Workflow).jobs.suite?.strategy?.matrix?.include ?? [];
        const here = new Map(matrix.map(({ suite, run }) => [suite, run]));
        const script = readFileSync(path.join(root, ".ci/run"), "utf8");
        const suites = [...script.matchAll(/^ *step (\S+) (npm .*)$/gm)];
        assert.ok(suites.length >= 10, "steps are found");
        for (const [, name = "", command] of suites) {
            assert.equal(here.get(name), command, name);
        }
    });

    it("whatever deploys or releases waits for every suite", () => {
        for (const [file, name] of [
            ["ensemble.yml", "deploy-dev"],
            ["release.yml", "release"],
        ] as const) {
            const { jobs } = parse(text(file)) as Workflow;
            assert.deepEqual(jobs[name]?.needs, "suites", `${file}: ${name}`);
            assert.equal(jobs.suites?.uses, "./.github/workflows/suites.yml", file);
            assert.equal(jobs.suites?.if, undefined, file);
        }
        assert.equal((parse(text("ensemble.yml")) as Workflow).jobs["deploy-prod"]?.needs, "deploy-dev");
    });

    it("a fork's pull request gets no role, no secret and no right to write", () => {
        const { jobs } = parse(text("ensemble.yml")) as Workflow;
        for (const [name, { permissions = {}, ...job }] of Object.entries(jobs)) {
            const trusted = /github\.event_name == 'push'|head\.repo\.full_name == github\.repository/.test(
                job.if ?? "",
            );
            const wants = Object.values(permissions).includes("write") || JSON.stringify(job).includes("secrets.");
            assert.ok(trusted || !wants, name);
        }
    });
});

describe("the comment on a pull request", () => {
    /** A `gh` that keeps its comments in a file, as far as the script asks. */
    const fake = `#!/usr/bin/env node
const fs = require("node:fs");
const store = process.env.STORE;
const args = process.argv.slice(2);
const comments = fs.existsSync(store) ? JSON.parse(fs.readFileSync(store, "utf8")) : [{ id: 1, body: "LGTM" }];
const at = args.indexOf("--raw-field");
const body = at < 0 ? undefined : args[at + 1].replace(/^body=/, "");
const where = args.find((arg) => arg.startsWith("repos/"));
if (args.includes("POST")) {
    comments.push({ id: comments.length + 1, body });
} else if (args.includes("PATCH")) {
    comments.find(({ id }) => id === Number(where.split("/").at(-1))).body = body;
} else {
    const mark = /startswith\\("(.*)"\\)/.exec(args[args.indexOf("--jq") + 1])[1];
    process.stdout.write(comments.filter((one) => one.body.startsWith(mark)).map(({ id }) => id + "\\n").join(""));
}
fs.writeFileSync(store, JSON.stringify(comments));
`;

    it("is made once and then updated, also with what a shell would take for its own", () => {
        const scratch = mkdtempSync(path.join(tmpdir(), "comment-"));
        try {
            const file = path.join(scratch, "change.md");
            const store = path.join(scratch, "comments.json");
            writeFileSync(path.join(scratch, "gh"), fake);
            chmodSync(path.join(scratch, "gh"), 0o755);
            const comment = (body: string): void => {
                writeFileSync(file, body);
                const env = {
                    ...process.env,
                    PATH: `${scratch}:${process.env.PATH}`,
                    STORE: store,
                    GITHUB_REPOSITORY: "owner/name",
                    GH_TOKEN: "x",
                };
                const { status, stderr } = spawnSync("bash", [".ci/comment", "7", file], {
                    cwd: root,
                    encoding: "utf8",
                    env,
                });
                assert.equal(status, 0, stderr);
            };
            comment('image: $(rm -rf /) `ml.g5.xlarge` -> "ml.g6.xlarge"\n');
            comment("no change\n");
            comment(`${"long ".repeat(20_000)}\n`);
            const comments = JSON.parse(readFileSync(store, "utf8")) as { body: string }[];
            assert.deepEqual(
                comments.map(({ body }) => body.slice(0, 40)),
                ["LGTM", "<!-- ensemble: what changes -->\nlong lon"],
            );
            assert.ok(comments[1].body.length <= 65_536);
        } finally {
            rmSync(scratch, { recursive: true, force: true });
        }
    });
});
