import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
    CreateStateMachineCommand,
    DescribeExecutionCommand,
    SFNClient,
    StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { TaskError } from "../../asl/interpreter";
import { serveStepFunctions, type StepFunctionsApi } from "../../asl/api/stepFunctions";
import { stageSettings } from "../../simulation/sampleStages";
import { ensemble } from "../cli/support";

const settings = stageSettings("dev");
const input = {
    initialization: {
        fetch_data: { preprocessed_data_path: `${settings.dataLocations[0]}/data` },
        run_training_steps: {
            image_model: true,
            text_model: true,
            fetch_preprocessing_artifacts: true,
            generate_image_model_split: true,
        },
    },
};

describe("start, watch, explain, resume and stop as processes", function () {
    this.timeout(240_000);
    let api: StepFunctionsApi;
    let client: SFNClient;
    let directory: string;
    let file: string;
    /** What the training does. */
    let training: "works" | "fails" | "hangs" = "works";

    before(async () => {
        api = await serveStepFunctions({
            begin: () => ({
                task: async ({ state, signal }) => {
                    if (state === "Train" && training === "hangs") {
                        await new Promise((_resolve, reject) =>
                            signal.addEventListener("abort", () => reject(new TaskError("States.TaskFailed"))),
                        );
                    }
                    if (state === "Train" && training === "fails") {
                        throw new TaskError(
                            "States.TaskFailed",
                            '{"FailureReason":"AlgorithmError: division by zero"}',
                        );
                    }
                    return {};
                },
            }),
        });
        client = new SFNClient({
            endpoint: api.endpoint,
            region: "eu-central-1",
            credentials: { accessKeyId: "x", secretAccessKey: "x" },
        });
        const failed = [{ ErrorEquals: ["States.ALL"], Next: "Failed" }];
        await client.send(
            new CreateStateMachineCommand({
                name: "ensemble-model-training-dev",
                roleArn: "arn:aws:iam::1:role/r",
                definition: JSON.stringify({
                    QueryLanguage: "JSONata",
                    StartAt: "Setup Statemachine",
                    States: {
                        "Setup Statemachine": {
                            Type: "Task",
                            Resource: "arn:aws:states:::lambda:invoke",
                            Arguments: { FunctionName: "f", Payload: { settings } },
                            Next: "Train",
                            Catch: failed,
                        },
                        "Train": {
                            Type: "Task",
                            Resource: "arn:aws:states:::lambda:invoke",
                            Arguments: { FunctionName: "f" },
                            Next: "Done",
                            Catch: failed,
                        },
                        "Done": { Type: "Succeed" },
                        "Failed": { Type: "Fail", Error: "Notified.UserBug", Cause: "told" },
                    },
                }),
            }),
        );
        directory = mkdtempSync(path.join(tmpdir(), "ensemble-commands-"));
        file = path.join(directory, "input.json");
        writeFileSync(file, JSON.stringify(input));
    });

    after(async () => {
        client.destroy();
        await api.close();
        rmSync(directory, { recursive: true, force: true });
    });

    const at = () => ["--stack", "dev", "--endpoint", api.endpoint];

    it("starts, follows state by state, and ends with 0", async () => {
        const { code, out, err } = await ensemble([
            "start",
            ...at(),
            "--input",
            file,
            "--watch",
            "--interval",
            "0.1",
            "--name",
            "good",
        ]);
        assert.equal(code, 0, err);
        assert.match(
            out,
            /Started arn:.*:good\nNo execution .* succeeded yet[\s\S]*begin {2}Setup Statemachine\n[\s\S]*done {3}Train[\s\S]*SUCCEEDED after/,
        );
    });

    it("explains what failed as JSON, and resumes it", async () => {
        training = "fails";
        const followed = await ensemble([
            "start",
            ...at(),
            "--input",
            file,
            "--watch",
            "--interval",
            "0.1",
            "--name",
            "bad",
            "--json",
        ]);
        assert.equal(followed.code, 1, followed.err);
        const told = JSON.parse(followed.out) as Record<string, string>;
        assert.deepEqual([told.status, told.state, told.class], ["FAILED", "Train", "UserBug"]);
        assert.match(told.reason, /division by zero/);
        const text = await ensemble(["explain", ...at(), "bad"]);
        assert.match(text.out, /FAILED after[\s\S]*in: {5}Train\n[\s\S]*do: /);
        training = "works";
        const resumed = await ensemble(["resume", ...at(), "bad", "--watch", "--interval", "0.1"]);
        assert.equal(resumed.code, 0, resumed.err);
        assert.match(resumed.out, /:bad-r2/);
    });

    it("ends the watching, not the execution, on Ctrl-C; stop ends it", async () => {
        training = "hangs";
        const started = JSON.parse(
            (await ensemble(["start", ...at(), "--input", file, "--name", "long", "--json"])).out,
        ) as { executionArn: string };
        const watched = await ensemble(["watch", ...at(), "--interval", "0.1"], (child) => {
            child.stdout?.on("data", (text: string) => (text.includes("Train") ? child.kill("SIGINT") : undefined));
        });
        assert.equal(watched.code, 130, watched.err);
        assert.match(watched.out, /No longer watching\. The execution goes on/);
        const status = async () =>
            (await client.send(new DescribeExecutionCommand({ executionArn: started.executionArn }))).status;
        assert.equal(await status(), "RUNNING");
        assert.equal((await ensemble(["stop", ...at(), "long", "--cause", "test"])).code, 0);
        const ended = await ensemble(["watch", ...at(), "long", "--interval", "0.1"]);
        assert.equal(ended.code, 1);
        assert.equal(await status(), "ABORTED");
        training = "works";
    });

    const wrong: [string, () => string[], number, RegExp][] = [
        [
            "a wrong input",
            () => {
                const bad = path.join(directory, "bad.json");
                writeFileSync(bad, JSON.stringify({ initialization: { ...input.initialization, image_modell: {} } }));
                return ["start", ...at(), "--input", bad];
            },
            2,
            /1 problem; nothing was started:\n.*image_modell/,
        ],
        [
            "a missing file",
            () => ["start", ...at(), "--input", "nowhere.json"],
            2,
            /^--input nowhere\.json: no such file\n$/,
        ],
        [
            "a stage that does not exist",
            () => ["watch", "--stack", "prd", "--endpoint", api.endpoint],
            2,
            /^There is no stage "prd"/,
        ],
        [
            "a stage that is not deployed",
            () => ["watch", "--stack", "prod", "--endpoint", api.endpoint],
            2,
            /^There is no state machine "ensemble-model-training-prod"/,
        ],
        [
            "nobody at the endpoint",
            () => ["watch", "--stack", "dev", "--endpoint", "http://127.0.0.1:9"],
            3,
            /^Cannot watch an execution: AWS cannot be reached/,
        ],
    ];
    for (const [what, args, code, expected] of wrong) {
        it(`says in one message, without a stack: ${what}`, async () => {
            const ended = await ensemble(args());
            assert.equal(ended.code, code, ended.err);
            assert.match(ended.err, expected);
            assert.doesNotMatch(ended.err, /\n {4}at /);
        });
    }
});

describe("diff as a process", function () {
    this.timeout(300_000);

    it("compares two stages: states and permissions", async () => {
        const { code, out } = await ensemble(["diff", "--from-stack", "dev", "--to-stack", "prod", "--json"]);
        assert.equal(code, 0);
        const found = JSON.parse(out) as { summary: string[]; permissions: { added: string[] } };
        assert.ok(found.summary.includes("image: instanceCount 2 -> 4"), found.summary.join("\n"));
        // the roles of both stages may do the same, each in its own stage
        assert.deepEqual(found.permissions.added, []);
    });

    it("refuses half a pair, a text that is no definition and an unknown revision, in one line each", async () => {
        const half = await ensemble(["diff", "--from", "package.json"]);
        assert.equal(half.code, 2);
        assert.match(half.err, /^--from and --to belong together/);
        const none = await ensemble(["diff", "--from", "package.json", "--to", "package.json"]);
        assert.match(none.err, /^--from package\.json: no definition.*\n$/);
        const unknown = await ensemble(["diff", "--against", "no-such-revision"]);
        assert.equal(unknown.code, 2);
        assert.match(unknown.err, /^--against no-such-revision: git knows no such revision/);
    });
});

describe("serve as a process", function () {
    this.timeout(240_000);

    it("answers an SDK, one recorded result for each attempt, until Ctrl-C", async () => {
        const directory = mkdtempSync(path.join(tmpdir(), "ensemble-serve-"));
        const results = path.join(directory, "results.json");
        writeFileSync(results, JSON.stringify({ Train: [{ error: "Busy" }, { result: { ok: true } }] }));
        let output: string | undefined;
        const { code, err } = await ensemble(
            ["serve", "--port", "0", "--results", results, "--skip-waits"],
            (child) => {
                child.stdout?.once("data", (text: string) => {
                    const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
                    void run(endpoint)
                        .then((answer) => void (output = answer))
                        .finally(() => child.kill("SIGINT"));
                });
            },
        );
        rmSync(directory, { recursive: true, force: true });
        assert.equal(code, 0, err);
        assert.equal(output, '{"ok":true}');
    });

    async function run(endpoint: string | undefined): Promise<string | undefined> {
        const client = new SFNClient({
            endpoint,
            region: "eu-central-1",
            credentials: { accessKeyId: "x", secretAccessKey: "x" },
        });
        const { stateMachineArn } = await client.send(
            new CreateStateMachineCommand({
                name: "m",
                roleArn: "arn:aws:iam::1:role/r",
                definition: JSON.stringify({
                    StartAt: "Train",
                    States: {
                        Train: {
                            Type: "Task",
                            Resource: "arn:aws:states:::lambda:invoke",
                            Parameters: { FunctionName: "f" },
                            End: true,
                            Retry: [{ ErrorEquals: ["Busy"], IntervalSeconds: 60 }],
                        },
                    },
                }),
            }),
        );
        const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, input: "{}" }));
        for (;;) {
            const { status, output } = await client.send(new DescribeExecutionCommand({ executionArn }));
            if (status !== "RUNNING") {
                client.destroy();
                return output;
            }
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }
});
