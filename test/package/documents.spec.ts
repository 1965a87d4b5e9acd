import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CreateStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import { VirtualClock } from "../../asl/interpreter";
import { serveStepFunctions, type StepFunctionsApi } from "../../asl/api/stepFunctions";
import { evaluateStage } from "../../project/evaluate";
import { root } from "../docs/commands";
import { copyOfCheckout, fill, shellOf } from "../docs/running";
import { WAYS } from "../docs/ways";
import { cleanUp, project, runIn } from "./installed";

interface Ended {
    readonly code: number | null;
    readonly printed: string;
}

/** The smallest training that still goes through every step. */
const SMALL = ["--set", "image.epochs=1", "--set", "sequence.epochs=1", "--set", "sequence.epoch_seq=100"];
const python = path.join(root, ".venv", "bin", "python");

describe("the commands in the documents, run as they stand", function () {
    this.timeout(600_000);
    let scratch: string;
    /** Generators write into the checkout that they are run in. */
    let checkout: string;
    let api: StepFunctionsApi;
    let client: SFNClient;

    before(async () => {
        scratch = mkdtempSync(path.join(tmpdir(), "documents-"));
        checkout = copyOfCheckout();
        const made = spawnSync(python, [
            path.join(root, "local/documents/generate.py"),
            "--out",
            path.join(scratch, "my-scans"),
            "--seed",
            "3",
            "--stacks",
            "24",
        ]);
        assert.equal(made.status, 0, String(made.stderr));
        for (const name of ["DIR", "documents", "my-new-scans"]) {
            symlinkSync("my-scans", path.join(scratch, name));
        }
        mkdirSync(path.join(scratch, "scan"));
        for (const page of [1, 2, 3]) {
            const name = `stack-0001/${String(page).padStart(3, "0")}`;
            copyFileSync(path.join(scratch, `my-scans/images/${name}.png`), path.join(scratch, `scan/${page}.png`));
            copyFileSync(path.join(scratch, `my-scans/text/${name}.txt`), path.join(scratch, `scan/${page}.txt`));
        }
        api = await serveStepFunctions({
            begin: () => ({ task: () => Promise.resolve({ Payload: {} }), clock: new VirtualClock(Date.now()) }),
        });
        client = new SFNClient({
            endpoint: api.endpoint,
            region: "eu-central-1",
            credentials: { accessKeyId: "x", secretAccessKey: "x" },
        });
        for (const stage of ["dev", "prod"]) {
            const {
                stateMachine: { name, definition },
            } = await evaluateStage(stage);
            const setup = definition.States["Setup Statemachine"] as { readonly Type: "Task" };
            // the stage's own Setup, which holds its settings, and nothing behind it: the interpreter does not train
            const short = {
                QueryLanguage: "JSONata",
                StartAt: "Setup Statemachine",
                States: {
                    "Setup Statemachine": { ...setup, Assign: undefined, Next: "Done" },
                    "Done": { Type: "Succeed" },
                    "Describe Failure": { Type: "Fail", Error: "Notified.Unknown", Cause: "told" },
                },
            };
            await client.send(
                new CreateStateMachineCommand({
                    name,
                    roleArn: "arn:aws:iam::1:role/r",
                    definition: JSON.stringify(short),
                }),
            );
        }
    });

    after(async () => {
        client.destroy();
        await api.close();
        [scratch, path.dirname(checkout)].forEach((folder) => rmSync(folder, { recursive: true, force: true }));
    });

    function run(line: string, cwd: string, until?: RegExp): Promise<Ended> {
        const env = {
            ...process.env,
            NO_COLOR: "1",
            AWS_ACCESS_KEY_ID: "x",
            AWS_SECRET_ACCESS_KEY: "x",
            AWS_EC2_METADATA_DISABLED: "true",
            AWS_ENDPOINT_URL_SFN: api.endpoint,
            GITHUB_BASE_REF: "main",
        };
        // a group of its own, so that Ctrl-C reaches everybody in it
        const child = spawn("bash", ["-c", `set -o pipefail; ${line}`], {
            cwd,
            env,
            stdio: ["ignore", "pipe", "pipe"],
            detached: true,
        });
        let printed = "";
        for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding("utf8").on("data", (text: string) => {
                printed += text;
                if (until?.test(printed) === true && child.pid !== undefined) {
                    process.kill(-child.pid, "SIGINT");
                }
            });
        }
        return new Promise((resolve, reject) =>
            child.once("error", reject).once("close", (code) => resolve({ code, printed })),
        );
    }

    /** The documents' `.local/runs/<run>` is the last run that published. */
    function placeholders(text: string): string {
        const runs = path.join(scratch, ".local/runs");
        const last = !existsSync(runs)
            ? "none"
            : (readdirSync(runs)
                  .sort()
                  .findLast((run) => existsSync(path.join(runs, run, "artifacts/manifest.json"))) ?? "none");
        return text.replace(/\.local\/runs\/(?:<run>|\d{8}-\d{6})/, `.local/runs/${last}`);
    }

    for (const [text, way] of Object.entries(WAYS)) {
        if (way.way !== "slow" || text === "ensemble local --set image.epochs=1") {
            continue;
        }
        it(`\`${text}\``, async function () {
            if (text === "npm run conformance:report" && !existsSync(path.join(root, "../shared/conformance"))) {
                console.log("      skipped: the recorded executions are not here");
                this.skip();
            }
            fill(scratch, /--stack (\w+)/.exec(text)?.[1]);
            const small = text.startsWith("ensemble local") ? ["--folder", ".local", ...SMALL] : [];
            const documents =
                text.startsWith("ensemble local") && !text.includes("--documents") ? ["--documents", "my-scans"] : [];
            // git's branch of a clone may have no name of its own here
            const line = shellOf(placeholders(text), [...small, ...documents, ...(way.with ?? [])]).replace(
                /"?origin\/\$GITHUB_BASE_REF"?|\bmain\b(?= |$)/,
                "HEAD",
            );
            const { code, printed } = await run(
                line,
                /^np[mx] /.test(text) ? checkout : scratch,
                way.until === true ? way.says : undefined,
            );
            assert.equal(code, way.exit ?? 0, printed);
            assert.match(printed.replaceAll("at HEAD", "at main"), way.says ?? /^/);
        });
    }
});

describe("the commands in the examples' documents, with the package as it is packed", function () {
    this.timeout(900_000);
    const folders = new Map<string, string>();

    before(async () => {
        for (const example of ["tabular", "workflow"]) {
            folders.set(example, await project(example));
        }
        symlinkSync(path.join(root, ".venv"), path.join(folders.get("tabular") as string, ".venv"));
    });
    after(cleanUp);

    for (const [text, { way }] of Object.entries(WAYS)) {
        const [, example, line] = /^\(examples\/(\w+)\) (.+)$/.exec(text) ?? [];
        if (way === "example") {
            it(`${example}: \`${line}\``, () =>
                runIn(folders.get(example) as string, "bash", ["-c", line], { ENSEMBLE_PYTHON: python }));
        }
    }
});

describe("the guide's way to a further member", function () {
    this.timeout(900_000);

    it("trains a fourth model in a copy of the checkout, with nothing else edited", async () => {
        const copy = copyOfCheckout();
        try {
            const guide = readFileSync(path.join(copy, "docs/guide.md"), "utf8");
            const entry = /```ts\n( *chars: \{[\s\S]*?\n *\},)\n *```/.exec(guide)?.[1];
            assert.ok(entry !== undefined, "the guide shows the entry");
            const training = path.join(copy, "workloads/training");
            mkdirSync(path.join(training, "chars"));
            for (const name of readdirSync(path.join(training, "text"))) {
                const text = readFileSync(path.join(training, "text", name), "utf8");
                const edited = ["Dockerfile", "train"].includes(name)
                    ? text.replaceAll("text/", "chars/").replaceAll("train_text", "train_chars")
                    : text;
                writeFileSync(path.join(training, "chars", name.replace("train_text", "train_chars")), edited);
            }
            const models = path.join(copy, "stacks/models.ts");
            const before = readFileSync(models, "utf8");
            const end = before.indexOf("\n};", before.indexOf("export const MEMBERS"));
            writeFileSync(models, `${before.slice(0, end)}\n${entry}${before.slice(end)}`);

            const documents = path.join(copy, "my-scans");
            assert.equal(
                spawnSync(
                    python,
                    ["local/documents/generate.py", "--out", documents, "--seed", "3", "--stacks", "24"],
                    { cwd: copy },
                ).status,
                0,
            );
            const tool = path.join(copy, "scripts/ensemble.mjs");
            const ended = spawnSync(process.execPath, [tool, "local", ...SMALL, "--documents", documents, "--json"], {
                cwd: copy,
                encoding: "utf8",
                env: { ...process.env, NO_COLOR: "1" },
            });
            assert.equal(ended.status, 0, ended.stdout + ended.stderr);
            const result = JSON.parse(ended.stdout) as {
                status: string;
                artifacts: string;
                metrics: { model: string }[];
            };
            assert.deepEqual(result.metrics.map(({ model }) => model).sort(), ["chars", "image", "sequence", "text"]);
            const predicted = spawnSync(
                process.execPath,
                [tool, "predict", "--model", result.artifacts, documents, "--stack", "stack-0001"],
                { cwd: copy, encoding: "utf8" },
            );
            assert.equal(predicted.status, 0, predicted.stderr);
        } finally {
            rmSync(path.dirname(copy), { recursive: true, force: true });
        }
    });
});

describe("the workflows of the CI", function () {
    this.timeout(300_000);
    const lint = ["run", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"];

    it("hold against actionlint", function () {
        const version = spawnSync("go", [...lint, "-version"], { cwd: tmpdir(), encoding: "utf8" });
        if (version.status !== 0) {
            console.log(
                "      skipped: actionlint cannot be built here " +
                    `(${version.error?.message ?? version.stderr.trim().split("\n").at(-1)})`,
            );
            this.skip();
        }
        const found = spawnSync(
            "go",
            [
                ...lint,
                "-no-color",
                ...readdirSync(path.join(root, ".github/workflows")).map((file) =>
                    path.join(root, ".github/workflows", file),
                ),
            ],
            { cwd: tmpdir(), encoding: "utf8" },
        );
        assert.equal(found.status, 0, found.stdout + found.stderr);
    });
});
