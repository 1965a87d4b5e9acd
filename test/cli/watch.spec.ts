import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CreateStateMachineCommand, type HistoryEvent, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { VirtualClock } from "../../asl/interpreter";
import { clientsAt, type Clients } from "../../cli/aws/clients";
import { isDenied } from "../../cli/aws/errors";
import { expectedTimes, timesOf } from "../../cli/aws/expected";
import { Follower } from "../../cli/aws/follow";
import { newestLogLine } from "../../cli/aws/logs";
import { serveStepFunctions } from "../../asl/api/stepFunctions";

const start = Date.UTC(2026, 10, 20);
const at = (seconds: number): Date => new Date(start + seconds * 1000);

/** A Task that is entered, runs a training, fails or succeeds, and is left. */
function training(
    firstId: number,
    since: number,
    until: number,
    outcome: "TaskSucceeded" | "TaskFailed",
): HistoryEvent[] {
    const name = "Image Model Training";
    const details = { resourceType: "sagemaker", resource: "createTrainingJob.sync" };
    const ids = [0, 1, 2, 3].map((offset) => firstId + offset);
    return [
        {
            id: ids[0],
            previousEventId: firstId - 1,
            type: "TaskStateEntered",
            timestamp: at(since),
            stateEnteredEventDetails: { name },
        },
        {
            id: ids[1],
            previousEventId: ids[0],
            type: "TaskScheduled",
            timestamp: at(since),
            taskScheduledEventDetails: {
                ...details,
                region: "eu-central-1",
                parameters: JSON.stringify({ TrainingJobName: "job-1" }),
            },
        },
        outcome === "TaskFailed"
            ? {
                  id: ids[2],
                  previousEventId: ids[1],
                  type: outcome,
                  timestamp: at(until),
                  taskFailedEventDetails: { ...details, error: "CapacityError" },
              }
            : {
                  id: ids[2],
                  previousEventId: ids[1],
                  type: outcome,
                  timestamp: at(until),
                  taskSucceededEventDetails: { ...details, output: "{}" },
              },
        {
            id: ids[3],
            previousEventId: ids[2],
            type: "TaskStateExited",
            timestamp: at(until),
            stateExitedEventDetails: { name, output: "{}" },
        },
    ];
}

describe("expected times", () => {
    it("counts visits that came to their end, not those that a catcher ended", () => {
        const events = [...training(2, 0, 100, "TaskFailed"), ...training(6, 100, 400, "TaskSucceeded")];
        assert.deepEqual(timesOf(events), [{ state: "Image Model Training", milliseconds: 300_000 }]);
    });

    it("are the medians of the executions that succeeded, and none before the first", async () => {
        const seconds: Readonly<Record<string, number>> = { a: 10, b: 30, c: 20 };
        const api = await serveStepFunctions({
            begin: ({ name }) => ({
                clock: new VirtualClock(start),
                task: ({ clock, signal }) => clock.sleep(seconds[name] * 1000, signal).then(() => ({})),
            }),
        });
        const { executions, destroy } = clientsAt("eu-central-1", api.endpoint);
        try {
            const work = { Type: "Task", Resource: "arn:aws:states:::lambda:invoke", End: true };
            const definition = JSON.stringify({ StartAt: "Work", States: { Work: work } });
            const { stateMachineArn = "" } = await executions.send(
                new CreateStateMachineCommand({ name: "m", roleArn: "arn:aws:iam::1:role/r", definition }),
            );
            assert.equal((await expectedTimes(executions, stateMachineArn)).executions, 0);
            for (const name of ["a", "b", "c"]) {
                await executions.send(new StartExecutionCommand({ stateMachineArn, name }));
            }
            for (
                let looks = 0;
                looks < 200 && (await expectedTimes(executions, stateMachineArn)).executions < 3;
                looks += 1
            ) {
                await new Promise((resolve) => setTimeout(resolve, 5));
            }
            assert.deepEqual((await expectedTimes(executions, stateMachineArn)).states, new Map([["Work", 20_000]]));
            const except = `${stateMachineArn.replace(":stateMachine:", ":execution:")}:b`;
            assert.deepEqual(
                (await expectedTimes(executions, stateMachineArn, { except })).states,
                new Map([["Work", 15_000]]),
            );
        } finally {
            destroy();
            await api.close();
        }
    });
});

describe("following an execution", () => {
    function follow(isTTY: boolean) {
        const written: string[] = [];
        return { written, follower: new Follower({ isTTY, columns: 200, write: (text) => void written.push(text) }) };
    }

    it("tells elapsed and usual time, and the newest log line of the job, in plain lines", () => {
        const { written, follower } = follow(false);
        follower.expect({
            executions: 2,
            states: new Map([["Image Model Training", 7_200_000]]),
            execution: 9_000_000,
        });
        const [entered, scheduled, ...rest] = training(2, 0, 300, "TaskSucceeded");
        follower.take([entered, scheduled], at(1));
        assert.deepEqual(follower.jobs(), [{ kind: "training", id: "job-1" }]);
        follower.line({ kind: "training", id: "job-1" }, "epoch 3/80 loss=0.4");
        follower.take([], new Date(Date.now() + 60_000));
        follower.take(rest, at(300));
        const text = written.join("");
        assert.match(text, /medians of the last 2 executions that succeeded; the whole took 2 h 30 min/);
        assert.match(text, /begin {2}Image Model Training {2}\(usually 2 h\)/);
        assert.match(text, /works {2}Image Model Training .*, usually 2 h {2}epoch 3\/80 loss=0\.4\n/);
        assert.match(text, /done.* Image Model Training {2}5 min, usually 2 h/);
        assert.deepEqual(follower.jobs(), []);
    });

    it("repaints on a terminal, with the log line beside the state, and says when nothing is expected", () => {
        const { written, follower } = follow(true);
        follower.expect({ executions: 0, states: new Map() });
        const [entered, scheduled] = training(2, 0, 300, "TaskSucceeded");
        follower.take([entered, scheduled], at(1));
        follower.line({ kind: "training", id: "job-1" }, "epoch 4/80");
        follower.take([], at(61));
        const text = written.join("");
        assert.match(text, /there are no expected times/);
        assert.ok(text.includes("\x1b[1A\x1b[0J"));
        assert.match(written.at(-1) ?? "", /▸ Image Model Training {2}1 min 1 s.*epoch 4\/80/);
    });
});

describe("the newest log line of a job", () => {
    let server: Server;
    let clients: Clients;
    let answers: Readonly<Record<string, (body: Record<string, unknown>) => { status?: number; body: object }>> = {};

    before(async () => {
        server = createServer((request, response) => {
            let text = "";
            request
                .on("data", (chunk: Buffer) => void (text += String(chunk)))
                .on("end", () => {
                    const operation = String(request.headers["x-amz-target"] ?? request.url).replace(/^.*[./]/, "");
                    const { status = 200, body } = answers[operation](JSON.parse(text) as Record<string, unknown>);
                    response
                        .writeHead(status, { "Content-Type": "application/x-amz-json-1.1" })
                        .end(JSON.stringify(body));
                });
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        clients = clientsAt("eu-central-1", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
    after(() => {
        clients.destroy();
        server.close();
    });

    it("of a training is the newest over its hosts, without TensorFlow's own lines", async () => {
        answers = {
            DescribeLogStreams: ({ logGroupName, logStreamNamePrefix }) => ({
                body: {
                    logStreams:
                        logGroupName === "/aws/sagemaker/TrainingJobs" && logStreamNamePrefix === "job-1/"
                            ? [{ logStreamName: "job-1/algo-1-17" }, { logStreamName: "job-1/algo-2-17" }]
                            : [],
                },
            }),
            GetLogEvents: ({ logStreamName }) => ({
                body: {
                    events:
                        logStreamName === "job-1/algo-1-17"
                            ? [
                                  { timestamp: 5, message: "epoch 2/80" },
                                  { timestamp: 9, message: "W0000 00:00:17.1 cuda" },
                              ]
                            : [{ timestamp: 3, message: "epoch 1/80" }],
                },
            }),
        };
        assert.equal(await newestLogLine(clients, { kind: "training", id: "job-1" }), "epoch 2/80");
    });

    it("of a Batch job is in the stream and group that Batch names; there is none before its container", async () => {
        const streams: unknown[] = [];
        const logConfiguration = { logDriver: "awslogs", options: { "awslogs-group": "/aws/batch/ensemble-dev" } };
        const containers: Readonly<Record<string, object>> = {
            waits: {},
            runs: { logStreamName: "merge/default/abc", logConfiguration },
        };
        answers = {
            describejobs: ({ jobs }) => ({
                body: { jobs: (jobs as string[]).map((jobId) => ({ jobId, container: containers[jobId] })) },
            }),
            GetLogEvents: ({ logGroupName, logStreamName }) => {
                streams.push([logGroupName, logStreamName]);
                return { body: { events: [{ timestamp: 1, message: "copied 20 of 80 objects\n" }] } };
            },
        };
        assert.equal(await newestLogLine(clients, { kind: "batch", id: "waits" }), undefined);
        assert.equal(await newestLogLine(clients, { kind: "batch", id: "runs" }), "copied 20 of 80 objects");
        assert.deepEqual(streams, [["/aws/batch/ensemble-dev", "merge/default/abc"]]);
    });

    it("is missing while the log group is, and an error only when it is one", async () => {
        const refused = (type: string, message: string) => ({
            DescribeLogStreams: () => ({ status: 400, body: { __type: type, message } }),
        });
        answers = refused("ResourceNotFoundException", "The specified log group does not exist.");
        assert.equal(await newestLogLine(clients, { kind: "training", id: "job-1" }), undefined);
        answers = refused("AccessDeniedException", "not authorized to perform: logs:DescribeLogStreams");
        await assert.rejects(newestLogLine(clients, { kind: "training", id: "job-1" }), (error: Error) =>
            isDenied(error),
        );
    });
});
