import assert from "node:assert/strict";
import { request } from "node:http";
import {
    CreateStateMachineCommand,
    DescribeExecutionCommand,
    DescribeStateMachineCommand,
    type DescribeExecutionCommandOutput,
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    GetExecutionHistoryCommand,
    InvalidArn,
    InvalidDefinition,
    ListExecutionsCommand,
    paginateGetExecutionHistory,
    SFNClient,
    StartExecutionCommand,
    StateMachineDoesNotExist,
    StopExecutionCommand,
    UpdateStateMachineCommand,
} from "@aws-sdk/client-sfn";
import { TaskError, VirtualClock } from "../../../asl/interpreter";
import { serveStepFunctions, type StepFunctionsApi } from "../../../asl/api/stepFunctions";

const ROLE_ARN = "arn:aws:iam::000000000000:role/any";
const work = {
    QueryLanguage: "JSONata",
    StartAt: "Work",
    States: {
        Work: {
            Type: "Task",
            Resource: "arn:aws:states:::lambda:invoke",
            Arguments: { FunctionName: "f", Payload: "{% $states.input %}" },
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }],
            Next: "Done",
        },
        Done: { Type: "Succeed" },
        Failed: { Type: "Fail", Error: "Notified.Data", Cause: "the work failed" },
    },
};

describe("the Step Functions API on the interpreter, through the AWS SDK", () => {
    let api: StepFunctionsApi;
    let client: SFNClient;

    before(async () => {
        api = await serveStepFunctions({
            begin: () => ({
                clock: new VirtualClock(),
                task: async ({ arguments: args, signal }) => {
                    const payload = (args as { Payload: { fail?: boolean; hang?: boolean } }).Payload;
                    if (payload.fail) {
                        throw new TaskError("DataError", "labels.csv:3");
                    }
                    if (payload.hang) {
                        await new Promise((_resolve, reject) =>
                            signal.addEventListener("abort", () => reject(new TaskError("States.TaskFailed"))),
                        );
                    }
                    return { Payload: { ok: true }, StatusCode: 200 };
                },
            }),
        });
        const credentials = { accessKeyId: "x", secretAccessKey: "x" };
        client = new SFNClient({ endpoint: api.endpoint, region: "eu-central-1", credentials, maxAttempts: 1 });
    });

    after(async () => {
        client.destroy();
        await api.close();
    });

    async function create(name: string, definition: unknown = work): Promise<string> {
        const text = JSON.stringify(definition);
        const { stateMachineArn } = await client.send(
            new CreateStateMachineCommand({ name, definition: text, roleArn: ROLE_ARN }),
        );
        assert.ok(stateMachineArn);
        return stateMachineArn;
    }

    async function finished(executionArn: string | undefined): Promise<DescribeExecutionCommandOutput> {
        for (let i = 0; i < 200; i += 1) {
            const answer = await client.send(new DescribeExecutionCommand({ executionArn }));
            if (answer.status !== "RUNNING") {
                return answer;
            }
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
        throw new Error("the execution did not end");
    }

    it("creates, starts, describes and gives the history, page by page", async () => {
        const stateMachineArn = await create("pages");
        const { executionArn, startDate } = await client.send(
            new StartExecutionCommand({ stateMachineArn, name: "one", input: '{"a":1}' }),
        );
        assert.ok(Math.abs((startDate?.getTime() ?? 0) - Date.now()) < 60_000);
        const { status, output } = await finished(executionArn);
        assert.equal(status, "SUCCEEDED");
        assert.deepEqual(JSON.parse(output ?? ""), { Payload: { ok: true }, StatusCode: 200 });
        const types: (string | undefined)[] = [];
        for await (const page of paginateGetExecutionHistory({ client, pageSize: 2 }, { executionArn })) {
            types.push(...(page.events ?? []).map((event) => event.type));
        }
        assert.equal(types[0], "ExecutionStarted");
        assert.equal(types.at(-1), "ExecutionSucceeded");
        const reversed = await client.send(
            new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, includeExecutionData: false }),
        );
        assert.deepEqual(
            reversed.events?.map((event) => event.type),
            [...types].reverse(),
        );
        assert.equal(reversed.events?.[0].executionSucceededEventDetails?.output, undefined);
    });

    it("reports a failure's error and cause and lists executions by status", async () => {
        const stateMachineArn = await create("fails");
        const { executionArn } = await client.send(
            new StartExecutionCommand({ stateMachineArn, input: '{"fail":true}' }),
        );
        const { status, error, cause } = await finished(executionArn);
        assert.deepEqual([status, error, cause], ["FAILED", "Notified.Data", "the work failed"]);
        const listed = await client.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: "FAILED" }));
        assert.deepEqual(
            listed.executions?.map((run) => run.executionArn),
            [executionArn],
        );
        assert.deepEqual(
            (await client.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: "SUCCEEDED" }))).executions,
            [],
        );
    });

    it("stops a running execution: the task is told, the status is ABORTED with the given cause", async () => {
        const stateMachineArn = await create("stops");
        const { executionArn } = await client.send(
            new StartExecutionCommand({ stateMachineArn, input: '{"hang":true}' }),
        );
        await client.send(new StopExecutionCommand({ executionArn, error: "Operator", cause: "wrong data" }));
        const { status, error, cause } = await finished(executionArn);
        assert.deepEqual([status, error, cause], ["ABORTED", "Operator", "wrong data"]);
    });

    it("starts once for the same name and input while it runs, and refuses the name afterwards", async () => {
        const stateMachineArn = await create("once");
        const input = '{"hang":true}';
        const start = () => client.send(new StartExecutionCommand({ stateMachineArn, name: "same", input }));
        const first = await start();
        assert.equal((await start()).executionArn, first.executionArn);
        await assert.rejects(
            client.send(new StartExecutionCommand({ stateMachineArn, name: "same", input: "{}" })),
            ExecutionAlreadyExists,
        );
        await client.send(new StopExecutionCommand({ executionArn: first.executionArn }));
        await finished(first.executionArn);
        await assert.rejects(start(), ExecutionAlreadyExists);
    });

    it("keeps the definition of a running execution when the machine is updated", async () => {
        const stateMachineArn = await create("updates");
        const { executionArn } = await client.send(
            new StartExecutionCommand({ stateMachineArn, input: '{"hang":true}' }),
        );
        const definition = JSON.stringify({ StartAt: "Only", States: { Only: { Type: "Succeed" } } });
        await client.send(new UpdateStateMachineCommand({ stateMachineArn, definition }));
        assert.equal((await client.send(new DescribeStateMachineCommand({ stateMachineArn }))).definition, definition);
        assert.equal((await client.send(new DescribeExecutionCommand({ executionArn }))).status, "RUNNING");
        await client.send(new StopExecutionCommand({ executionArn }));
        assert.equal((await finished(executionArn)).status, "ABORTED");
    });

    it("refuses a definition that AWS would refuse, unknown ARNs, and bad input", async () => {
        await assert.rejects(
            create("bad", { StartAt: "A", States: { A: { Type: "Pass", Next: "Gone" } } }),
            InvalidDefinition,
        );
        await assert.rejects(create("bad name!"), /name/);
        const unknown = "arn:aws:states:x:1:stateMachine:none";
        await assert.rejects(
            client.send(new StartExecutionCommand({ stateMachineArn: unknown })),
            StateMachineDoesNotExist,
        );
        await assert.rejects(client.send(new DescribeExecutionCommand({ executionArn: "none" })), InvalidArn);
        const gone = "arn:aws:states:eu-central-1:000000000000:execution:none:none";
        await assert.rejects(client.send(new DescribeExecutionCommand({ executionArn: gone })), ExecutionDoesNotExist);
        const stateMachineArn = await create("input");
        await assert.rejects(
            client.send(new StartExecutionCommand({ stateMachineArn, input: "{" })),
            /Invalid State Machine Execution Input/,
        );
    });

    it("answers only the loopback address, known operations and requests of bounded size", async () => {
        const ask = (headers: Record<string, string>, body = "{}"): Promise<string> =>
            new Promise((resolve, reject) => {
                const sent = request(api.endpoint, { method: "POST", headers }, (response) => {
                    let text = "";
                    response
                        .on("data", (chunk: Buffer) => (text += chunk.toString()))
                        .on("end", () => resolve(`${response.statusCode} ${text}`));
                });
                sent.on("error", reject);
                sent.end(body);
            });
        assert.match(
            await ask({ "host": "evil.example:80", "x-amz-target": "AWSStepFunctions.ListStateMachines" }),
            /^400 .*AccessDenied/,
        );
        assert.match(await ask({ "x-amz-target": "AWSStepFunctions.constructor" }), /^400 .*UnknownOperation/);
        assert.match(await ask({ "x-amz-target": "AWSStepFunctions.ListStateMachines" }, "{"), /^400 .*Serialization/);
        assert.match(
            await ask({ "x-amz-target": "AWSStepFunctions.ListStateMachines" }, `"${"x".repeat(1_100_000)}"`),
            /^400 .*larger than 1048576/,
        );
    });

    it("says which port is taken", async () => {
        const port = Number(new URL(api.endpoint).port);
        await assert.rejects(
            serveStepFunctions({ begin: () => ({ task: async () => null }), port }),
            new RegExp(`port ${port} .* in use`),
        );
    });
});
