import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isRunning } from "../../local/process/identity";
import { endOrphans } from "../../local/process/supervisor";
import type { RunResult } from "../../local/run/report";

const root = path.resolve(__dirname, "../..");
const python = path.join(root, ".venv", "bin", "python");

interface Finished {
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly stdout: string;
    readonly stderr: string;
}

interface Running {
    readonly child: ChildProcess;
    readonly finished: Promise<Finished>;
    output(): string;
}

describe("the local run", function () {
    this.timeout(600_000);
    let directory: string;
    let documents: string;
    let folder: string;
    const children: ChildProcess[] = [];

    before(() => {
        directory = mkdtempSync(path.join(tmpdir(), "local-run-"));
        documents = path.join(directory, "documents");
        const made = spawnSync(python, [
            path.join(root, "local/documents/generate.py"),
            "--out",
            documents,
            "--seed",
            "3",
            "--stacks",
            "24",
        ]);
        assert.equal(made.status, 0, String(made.stderr));
    });
    beforeEach(() => {
        folder = mkdtempSync(path.join(directory, "folder-"));
    });
    afterEach(async () => {
        children
            .splice(0)
            .filter((child) => child.exitCode === null && child.signalCode === null)
            .forEach((child) => child.kill("SIGKILL"));
        // a test that failed half-way leaves a killed run's processes behind
        await endOrphans(path.join(folder, "children.json"));
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    function start(...args: readonly string[]): Running {
        const child = spawn(
            process.execPath,
            [path.join(root, "scripts/ensemble.mjs"), "local", "--folder", folder, ...args],
            {
                cwd: root,
                // colours are on where CI is set, and would stand between the words that are looked for
                env: { ...process.env, NO_COLOR: "1" },
            },
        );
        children.push(child);
        let stdout = "";
        let stderr = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
            stdout += text;
        });
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
            stderr += text;
        });
        const finished = new Promise<Finished>((resolve) =>
            child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr })),
        );
        return { child, finished, output: () => stdout + stderr };
    }

    /** The smallest training that still goes through every step. */
    const small = () => [
        "--documents",
        documents,
        "--set",
        "image.epochs=1",
        "--set",
        "sequence.epochs=1",
        "--set",
        "sequence.epoch_seq=100",
    ];

    async function until(run: Running, pattern: RegExp): Promise<void> {
        for (let waited = 0; waited < 240_000; waited += 100) {
            if (pattern.test(run.output())) {
                return;
            }
            assert.ok(run.child.exitCode === null, `it ended before ${pattern}:\n${run.output()}`);
            await delay(100);
        }
        assert.fail(`no ${pattern} in 4 minutes:\n${run.output()}`);
    }

    const recorded = () =>
        JSON.parse(readFileSync(path.join(folder, "children.json"), "utf8")) as {
            pid: number;
            started: string;
            what: string;
        }[];

    it(
        "trains the three models of the sample documents, and the ensemble is better than " + "either base model",
        async () => {
            const run = await start("--json").finished;
            assert.equal(run.code, 0, run.stderr);
            const result = JSON.parse(run.stdout) as RunResult;
            assert.equal(result.status, "SUCCEEDED");
            const accuracy = Object.fromEntries(result.metrics.map((judged) => [judged.model, judged.pageAccuracy]));
            assert.deepEqual(Object.keys(accuracy).sort(), ["image", "sequence", "text"]);
            assert.ok(accuracy.sequence >= Math.max(accuracy.text, accuracy.image) + 0.05, JSON.stringify(accuracy));
            assert.ok(result.reductions.length > 0, "what is smaller than configured is told");
            assert.ok(existsSync(path.join(result.artifacts as string, "manifest.json")));
            const history = readFileSync(result.history, "utf8")
                .trim()
                .split("\n")
                .map((line) => JSON.parse(line) as { id: number; type: string });
            assert.equal(history.length, result.events);
            assert.deepEqual(
                [history[0].type, history[history.length - 1].type],
                ["ExecutionStarted", "ExecutionSucceeded"],
            );
            assert.ok(result.logs.some((log) => log.endsWith("image-model-training.log")));
            assert.equal(existsSync(path.join(folder, "children.json")), false, "nothing is left running");

            const labelled = spawnSync(
                process.execPath,
                [
                    path.join(root, "scripts/ensemble.mjs"),
                    "predict",
                    "--model",
                    result.artifacts as string,
                    documents,
                    "--stack",
                    "stack-0001",
                    "--json",
                ],
                { cwd: root, encoding: "utf8" },
            );
            assert.equal(labelled.status, 0, labelled.stderr);
            const prediction = JSON.parse(labelled.stdout) as { stack: string; pages: unknown[]; segments: unknown[] };
            assert.ok(
                prediction.stack === "stack-0001" && prediction.pages.length > 0 && prediction.segments.length > 0,
            );
        },
    );

    it("Ctrl-C, twice as npm sends it, ends every process; the same command continues", async () => {
        const run = start(...small());
        await until(run, /✔ Register Text Model/);
        await until(run, /begin {2}Image Model Training|✔ Register Image Model/);
        const before = recorded();
        run.child.kill("SIGINT");
        run.child.kill("SIGINT");
        const { code, stderr } = await run.finished;
        assert.equal(code, 130, run.output());
        assert.match(stderr, /Interrupted\. Nothing is left running.*again to continue/);
        assert.deepEqual(before.filter(isRunning), []);
        assert.equal(existsSync(path.join(folder, "run.lock")), false);

        const again = await start(...small()).finished;
        assert.equal(again.code, 0, again.stdout + again.stderr);
        assert.match(again.stdout, /The last run \(.*\) was stopped.*: what it finished is reused/);
        assert.match(again.stdout, /text: reused: same key/);
    });

    it("kill -9 of the run: the next one ends its orphans, says so, and continues", async () => {
        const run = start(...small());
        await until(run, /✔ Register Text Model/);
        const orphans = recorded();
        run.child.kill("SIGKILL");
        await run.finished;
        assert.ok(orphans.some(isRunning), "the children live on");

        const again = await start(...small()).finished;
        assert.equal(again.code, 0, again.stdout + again.stderr);
        assert.match(again.stdout, /The last run was killed; it left .*object store \(pid \d+\).* behind: ended/);
        assert.match(again.stdout, /was killed.*: what it finished is reused/);
        assert.match(again.stdout, /text: reused: same key/);
        assert.deepEqual(orphans.filter(isRunning), []);
    });

    it("two runs at once: the second is told who works", async () => {
        const run = start(...small());
        await until(run, /begin {2}Local object store/);
        const second = await start(...small()).finished;
        assert.equal(second.code, 3);
        assert.match(second.stderr, new RegExp(`Another run works in this checkout: .*\\(pid ${run.child.pid}, since`));
        run.child.kill("SIGTERM");
        assert.equal((await run.finished).code, 130);
    });

    it(
        "a training that is killed fails the run by the workflow's own way, with one message; the rerun " +
            "trains only that",
        async () => {
            const run = await start(
                ...small(),
                "--fail",
                "Text Model Training=Killed",
                "--fail",
                "Image Model Training=CapacityError*2",
            ).finished;
            assert.equal(run.code, 1, run.stdout + run.stderr);
            assert.match(run.stdout, /✖ Image Model Training .*CapacityError/);
            assert.match(run.stdout, /FAILED after .*: Notified\.\w+/);
            assert.match(run.stdout, /text.*SIGKILL/);
            assert.equal(run.stdout.match(/message to arn:aws:sns/g)?.length, 1);

            const again = await start(...small()).finished;
            assert.equal(again.code, 0, again.stdout + again.stderr);
            assert.match(again.stdout, /image: reused: same key/);
            assert.match(again.stdout, /text: trains/);
        },
    );

    it("an object store that dies in the middle of the copy is named as the reason", async () => {
        const run = start(...small());
        await until(run, /begin {2}Fetch Preprocessing Artifacts/);
        const store = recorded().find(({ what }) => what === "object store");
        assert.ok(store);
        process.kill(store.pid, "SIGKILL");
        const { code, stderr } = await run.finished;
        assert.equal(code, 3, run.output());
        assert.match(
            stderr,
            /The run ended FAILED because the local object store ended \(signal SIGKILL\).*Run this again/,
        );
    });

    it("an input without run_training_steps is refused before anything runs, and the field is named", async () => {
        const input = path.join(folder, "input.json");
        writeFileSync(input, JSON.stringify({ initialization: { fetch_data: { preprocessed_data_path: "" } } }));
        const run = await start(...small(), "--input", input).finished;
        assert.equal(run.code, 2, run.stdout + run.stderr);
        assert.match(run.stderr, /nothing was run\.\s+initialization\.run_training_steps: got nothing/);
    });

    const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
        ["a hyperparameter that does not exist", ["--set", "image.epoch=1"], /nearest: epochs/],
        ["a configuration value out of range", ["--set", "folds=1"], /folds/],
        ["a stage that does not exist", ["--stack", "staging"], /no stage "staging".*dev, prod/s],
        ["a state that does not exist", ["--fail", "Image Training=CapacityError"], /nearest: "Image Model Training"/],
        ["documents that are not there", ["--documents", "/nowhere"], /\/nowhere: no such folder/],
        ["an option that does not exist", ["--stak", "dev"], /--stak/],
        ["a seed that is no number", ["--seed", "one"], /whole number/],
        ["an input that is no JSON", ["--input", path.join(root, "README.md")], /--input .*(no JSON|no such file)/],
    ];
    for (const [what, args, message] of refused) {
        it(`${what} ends before anything runs, with exit code 2`, async () => {
            const run = await start(...args).finished;
            assert.equal(run.code, 2, run.stdout + run.stderr);
            assert.match(run.stderr, message);
            assert.equal(existsSync(path.join(folder, "runs")), false);
        });
    }
});
