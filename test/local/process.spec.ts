import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ToolError } from "../../ground/errors";
import { identify, isRunning } from "../../local/process/identity";
import { takeLock } from "../../local/process/lock";
import { endOrphans, Supervisor } from "../../local/process/supervisor";
import { sandbox, type Sandbox } from "./support";

const env = { PATH: process.env.PATH ?? "" };

async function until(condition: () => boolean, what: string): Promise<void> {
    for (let waited = 0; waited < 10_000; waited += 25) {
        if (condition()) {
            return;
        }
        await delay(25);
    }
    assert.fail(`waited 10 s for: ${what}`);
}

describe("local/process", () => {
    let box: Sandbox;
    beforeEach(() => {
        box = sandbox();
    });
    afterEach(() => box.clean());

    describe("lock", () => {
        const file = () => path.join(box.directory, "run.lock");

        it("is taken once; the second is told who has it, since when, and what to do", () => {
            const lock = takeLock(file(), "npm start");
            assert.throws(
                () => takeLock(file(), "npm start"),
                (error: ToolError) => {
                    assert.equal(error.exitCode, 3);
                    assert.match(
                        error.message,
                        new RegExp(
                            `Another run works in this checkout: npm start \\(pid ${process.pid}, since 20.*kill`,
                        ),
                    );
                    return true;
                },
            );
            lock.release();
            takeLock(file(), "again").release();
            assert.equal(existsSync(file()), false);
        });

        it("of a dead process is taken over, and named", () => {
            writeFileSync(
                file(),
                JSON.stringify({ pid: 2 ** 22 + 1, started: "never", since: "2026-01-01", what: "run 1" }),
            );
            const lock = takeLock(file(), "run 2");
            assert.equal(lock.stale?.what, "run 1");
            lock.release();
        });

        it("of a living process with another start time (a reused pid) is taken over", () => {
            writeFileSync(
                file(),
                JSON.stringify({ pid: process.pid, started: "long ago", since: "2026-01-01", what: "run 1" }),
            );
            takeLock(file(), "run 2").release();
        });

        it("with half-written content is taken over", () => {
            writeFileSync(file(), '{"pid": 1');
            takeLock(file(), "run 2").release();
        });

        it("does not remove a lock that somebody else took", () => {
            const lock = takeLock(file(), "run 1");
            writeFileSync(file(), JSON.stringify({ pid: 1, started: "x", since: "", what: "other" }));
            lock.release();
            assert.equal(existsSync(file()), true);
        });
    });

    describe("supervisor", () => {
        const request = (script: string) => ({
            what: "a test child",
            command: ["sh", "-c", script],
            cwd: box.directory,
            env,
            log: path.join(box.directory, "child.log"),
        });

        it("gives the exit code and keeps both outputs in the log", async () => {
            assert.deepEqual(await box.supervisor.start(request("echo out; echo err >&2; exit 3")).exit, {
                code: 3,
                signal: null,
            });
            assert.equal(readFileSync(path.join(box.directory, "child.log"), "utf8"), "out\nerr\n");
        });

        it("gives the child no other environment than the one named", async () => {
            await box.supervisor.start(request("env | cut -d= -f1 | sort | tr '\\n' ' '")).exit;
            const names = readFileSync(path.join(box.directory, "child.log"), "utf8").trim().split(" ");
            assert.deepEqual(
                names.filter((name) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(name)),
                ["PATH"],
            );
        });

        it("ends grandchildren with the group", async () => {
            const child = box.supervisor.start(request("sleep 60 & echo $!; wait"));
            const log = path.join(box.directory, "child.log");
            await until(() => existsSync(log) && readFileSync(log, "utf8").includes("\n"), "the grandchild's pid");
            const grandchild = Number(readFileSync(log, "utf8"));
            await child.stop();
            await until(() => identify(grandchild) === undefined, "the end of the grandchild");
        });

        it("kills a child that ignores the termination signal, after the grace", async () => {
            const child = box.supervisor.start(request("trap '' TERM; echo ready; while :; do sleep 0.1; done"));
            await until(
                () => readFileSync(path.join(box.directory, "child.log"), "utf8").includes("ready"),
                "the trap",
            );
            await child.stop(200);
            assert.equal((await child.exit).signal, "SIGKILL");
        });

        it("stops a child when its signal is aborted, and starts none after that", async () => {
            const abort = new AbortController();
            const child = box.supervisor.start({ ...request("sleep 60"), signal: abort.signal });
            abort.abort();
            assert.equal((await child.exit).signal, "SIGTERM");
            assert.throws(() => box.supervisor.start({ ...request("true"), signal: abort.signal }));
        });

        it("tells which program cannot be started", async () => {
            const child = box.supervisor.start({ ...request(""), command: ["no-such-program"] });
            await assert.rejects(child.exit, /a test child: no-such-program cannot be started/);
        });

        it("the children of a run that was killed are ended by the next, and only those", async () => {
            const pidFile = path.join(box.directory, "other.json");
            const script =
                "const { Supervisor } = require(process.argv[1]);" +
                "new Supervisor(process.argv[2]).start({ what: 'orphan', command: ['sleep', '60'], cwd: '.', env: " +
                "{}, log: process.argv[3] });" +
                "process.kill(process.pid, 'SIGKILL');";
            const run = spawn(process.execPath, [
                "-r",
                "ts-node/register/transpile-only",
                "-e",
                script,
                path.resolve(__dirname, "../../local/process/supervisor.ts"),
                pidFile,
                path.join(box.directory, "orphan.log"),
            ]);
            await new Promise((resolve) => run.once("exit", resolve));
            const [record] = JSON.parse(readFileSync(pidFile, "utf8")) as { pid: number; started: string }[];
            assert.equal(isRunning(record), true, "the orphan lives after its run was killed");
            const bystander = box.supervisor.start(request("sleep 60"));
            assert.deepEqual(await endOrphans(pidFile), [`orphan (pid ${record.pid})`]);
            await until(() => !isRunning(record), "the end of the orphan");
            assert.notEqual(identify(bystander.pid), undefined);
            assert.deepEqual(await endOrphans(pidFile), []);
        });

        it("does not touch a process that only has the orphan's number", async () => {
            const bystander = box.supervisor.start(request("sleep 60"));
            const pidFile = path.join(box.directory, "other.json");
            writeFileSync(pidFile, JSON.stringify([{ pid: bystander.pid, started: "another time", what: "gone" }]));
            assert.deepEqual(await endOrphans(pidFile), []);
            assert.notEqual(identify(bystander.pid), undefined);
        });
    });

    it("a supervisor that is being stopped starts nothing more", async () => {
        const supervisor = new Supervisor(path.join(box.directory, "s.json"));
        await supervisor.stopAll();
        assert.throws(
            () =>
                supervisor.start({
                    what: "late",
                    command: ["true"],
                    cwd: ".",
                    env,
                    log: path.join(box.directory, "l"),
                }),
            /being stopped/,
        );
    });
});
