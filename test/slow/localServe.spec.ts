import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
    DescribeExecutionCommand,
    ListStateMachinesCommand,
    SFNClient,
    StartExecutionCommand,
    StopExecutionCommand,
} from "@aws-sdk/client-sfn";
import { isRunning } from "../../local/process/identity";
import { endOrphans } from "../../local/process/supervisor";
import type { Served } from "../../local/run/serve";
import { ensemble, root } from "../cli/support";

describe("ensemble local --serve: the real workflow behind the Step Functions API", function () {
    this.timeout(600_000);
    let folder: string;
    let server: ChildProcess;
    let told: Served;
    let client: SFNClient;
    let stderr = "";
    const small = ["--set", "image.epochs=1", "--set", "sequence.epochs=1", "--set", "sequence.epoch_seq=100"];

    const recorded = () =>
        existsSync(path.join(folder, "children.json"))
            ? (JSON.parse(readFileSync(path.join(folder, "children.json"), "utf8")) as {
                  pid: number;
                  started: string;
                  what: string;
              }[])
            : [];

    async function until(what: string, condition: () => boolean): Promise<void> {
        for (let waited = 0; waited < 240_000; waited += 100) {
            if (condition()) {
                return;
            }
            assert.equal(server.exitCode, null, `the server ended before: ${what}\n${stderr}`);
            await delay(100);
        }
        assert.fail(`not in 4 minutes: ${what}\n${stderr}`);
    }

    before(async () => {
        folder = mkdtempSync(path.join(tmpdir(), "local-serve-"));
        server = spawn(
            process.execPath,
            [
                path.join(root, "scripts/ensemble.mjs"),
                "local",
                "--serve",
                "--port",
                "0",
                "--folder",
                folder,
                "--json",
                ...small,
                "--fail",
                "Text Model Training=AlgorithmError",
            ],
            { cwd: root, env: { ...process.env, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "pipe"] },
        );
        let stdout = "";
        server.stdout?.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
        server.stderr?.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
        await until("it serves", () => stdout.includes("\n"));
        told = JSON.parse(stdout) as Served;
        client = new SFNClient({
            endpoint: told.endpoint,
            region: told.region,
            credentials: { accessKeyId: "x", secretAccessKey: "x" },
        });
    });

    after(async () => {
        client?.destroy();
        server?.kill("SIGKILL");
        await endOrphans(path.join(folder, "children.json"));
        rmSync(folder, { recursive: true, force: true });
    });

    const at = () => ["--stack", "dev", "--endpoint", told.endpoint];

    it("has the stage's state machine", async () => {
        const { stateMachines = [] } = await client.send(new ListStateMachinesCommand({}));
        assert.deepEqual(
            stateMachines.map(({ stateMachineArn }) => stateMachineArn),
            [told.stateMachineArn],
        );
    });

    it("runs what is started, explains its failure, and resumes it with only what had not finished", async () => {
        const failed = await ensemble([
            "start",
            ...at(),
            "--input",
            told.input,
            "--name",
            "first",
            "--watch",
            "--interval",
            "0.5",
        ]);
        assert.equal(failed.code, 1, failed.out + failed.err);
        assert.match(failed.out, /there are no expected times/);
        assert.match(failed.out, /failed Text Model Training {2}States\.TaskFailed/);
        assert.match(failed.out, /done {3}Register Image Model/);
        const explained = JSON.parse((await ensemble(["explain", ...at(), "first", "--json"])).out) as Record<
            string,
            string
        >;
        assert.deepEqual(
            [explained.status, explained.state, explained.class],
            ["FAILED", "Text Model Training", "UserBug"],
        );

        const resumed = await ensemble(["resume", ...at(), "first", "--watch", "--interval", "0.5"]);
        assert.equal(resumed.code, 0, resumed.out + resumed.err);
        assert.match(resumed.out, /done {3}Text Model Training/);
        assert.doesNotMatch(resumed.out, /begin {2}Image Model Training/);
        assert.match(stderr, /first-r2: image: reused: same key/);
        assert.match(stderr, /Report: .*report\.html/);
    });

    it("leaves no process of an execution that is stopped, nor of any when it is ended itself", async () => {
        const { initialization } = JSON.parse(readFileSync(told.input, "utf8")) as { initialization: object };
        const forced = JSON.stringify({ initialization: { ...initialization, force: ["text", "image"] } });
        const start = async (name: string) =>
            (
                await client.send(
                    new StartExecutionCommand({ stateMachineArn: told.stateMachineArn, name, input: forced }),
                )
            ).executionArn;
        const trainings = () => recorded().filter(({ what }) => what.startsWith("training job"));

        const executionArn = await start("stopped");
        await until("a training runs", () => trainings().length > 0);
        const stopped = trainings();
        await client.send(new StopExecutionCommand({ executionArn, error: "Test", cause: "enough" }));
        await until("its processes are gone", () => !stopped.some(isRunning));
        const { status, error } = await client.send(new DescribeExecutionCommand({ executionArn }));
        assert.deepEqual([status, error], ["ABORTED", "Test"]);

        await start("interrupted");
        await until("a training runs again", () => trainings().some(isRunning));
        const left = recorded();
        const ended = new Promise<number | null>((resolve) => server.once("close", resolve));
        server.kill("SIGINT");
        assert.equal(await ended, 0, stderr);
        assert.match(stderr, /Nothing is left running/);
        assert.deepEqual(left.filter(isRunning), []);
        assert.equal(existsSync(path.join(folder, "run.lock")), false);
    });
});
