/** The operations through AWS's own SDK, with the names and texts that AWS was recorded with. */
import assert from "node:assert/strict";
import {
    CreateStateMachineAliasCommand,
    CreateStateMachineCommand,
    DeleteStateMachineAliasCommand,
    DeleteStateMachineCommand,
    DeleteStateMachineVersionCommand,
    DescribeExecutionCommand,
    DescribeMapRunCommand,
    DescribeStateMachineAliasCommand,
    DescribeStateMachineCommand,
    DescribeStateMachineForExecutionCommand,
    ListExecutionsCommand,
    ListMapRunsCommand,
    ListStateMachineAliasesCommand,
    ListStateMachinesCommand,
    ListStateMachineVersionsCommand,
    ListTagsForResourceCommand,
    paginateListExecutions,
    PublishStateMachineVersionCommand,
    SendTaskFailureCommand,
    SendTaskHeartbeatCommand,
    SendTaskSuccessCommand,
    SFNClient,
    StartExecutionCommand,
    StartSyncExecutionCommand,
    StopExecutionCommand,
    TagResourceCommand,
    TestStateCommand,
    UntagResourceCommand,
    UpdateStateMachineAliasCommand,
    UpdateStateMachineCommand,
    ValidateStateMachineDefinitionCommand,
    type CreateStateMachineCommandInput,
} from "@aws-sdk/client-sfn";
import { serveStepFunctions, type RequestLog, type StepFunctionsApi } from "../../../asl/api/stepFunctions";
import { VirtualClock } from "../../../asl/interpreter";

const ROLE_ARN = "arn:aws:iam::000000000000:role/any";
const pass = (comment: string) =>
    JSON.stringify({ Comment: comment, StartAt: "A", States: { A: { Type: "Pass", End: true } } });

describe("the operations of the Step Functions API", () => {
    let api: StepFunctionsApi;
    let client: SFNClient;
    const requests: RequestLog[] = [];
    let seen: { state: string; args: unknown }[] = [];

    before(async () => {
        api = await serveStepFunctions({
            keepEnded: 3,
            onRequest: (log) => requests.push(log),
            begin: () => ({
                clock: new VirtualClock(),
                task: ({ state, resource, arguments: args }) => {
                    seen.push({ state, args });
                    return resource.endsWith(".waitForTaskToken")
                        ? new Promise<never>(() => undefined)
                        : Promise.resolve({ Payload: args });
                },
            }),
        });
        client = new SFNClient({
            endpoint: api.endpoint,
            region: "eu-central-1",
            credentials: { accessKeyId: "x", secretAccessKey: "x" },
            maxAttempts: 1,
            disableHostPrefix: true,
        });
    });

    beforeEach(() => {
        seen = [];
    });

    after(async () => {
        client.destroy();
        await api.close();
    });

    async function create(
        name: string,
        more: Partial<CreateStateMachineCommandInput> = {},
    ): Promise<{ readonly arn: string; readonly version: string | undefined }> {
        const answered = await client.send(
            new CreateStateMachineCommand({ name, definition: pass(name), roleArn: ROLE_ARN, ...more }),
        );
        return { arn: answered.stateMachineArn ?? "", version: answered.stateMachineVersionArn };
    }

    async function ended(executionArn: string | undefined) {
        for (let attempt = 0; attempt < 400; attempt += 1) {
            const answered = await client.send(new DescribeExecutionCommand({ executionArn }));
            if (answered.status !== "RUNNING") {
                return answered;
            }
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
        throw new Error("the execution did not end");
    }

    async function run(stateMachineArn: string, input = "{}") {
        const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, input }));
        return ended(executionArn);
    }

    const fails = (sent: Promise<unknown>, name: string, message: string | RegExp) =>
        assert.rejects(sent, (error: Error) => {
            assert.equal(error.name, name);
            if (typeof message === "string") {
                assert.equal(error.message, message);
            } else {
                assert.match(error.message, message);
            }
            return true;
        });

    describe("of state machines", () => {
        it("make one, and the same one again, but none with the same name and another definition", async () => {
            const { arn } = await create("twice");
            assert.equal((await create("twice", { roleArn: `${ROLE_ARN}-2` })).arn, arn);
            await fails(
                create("twice", { definition: `${pass("twice")} ` }),
                "StateMachineAlreadyExists",
                `State Machine Already Exists: '${arn}'`,
            );
            await fails(create("a b"), "InvalidName", "Invalid Name: 'a b'");
            await fails(create("role", { roleArn: "nobody" }), "InvalidArn", "Invalid Role Arn: 'nobody'");
        });

        it("describe what is configured, as AWS does where nothing is", async () => {
            const { arn } = await create("plain");
            const {
                $metadata: _metadata,
                creationDate,
                ...plain
            } = await client.send(new DescribeStateMachineCommand({ stateMachineArn: arn }));
            assert.ok(creationDate instanceof Date);
            assert.deepEqual(plain, {
                stateMachineArn: arn,
                name: "plain",
                status: "ACTIVE",
                definition: pass("plain"),
                roleArn: ROLE_ARN,
                type: "STANDARD",
                loggingConfiguration: { level: "OFF", includeExecutionData: false },
                tracingConfiguration: { enabled: false },
            });
            const logGroupArn = "arn:aws:logs:eu-central-1:000000000000:log-group:g:*";
            const destinations = [{ cloudWatchLogsLogGroup: { logGroupArn } }];
            await create("logged", { loggingConfiguration: { level: "ALL", destinations } });
            await fails(
                create("half", { loggingConfiguration: { level: "ALL" } }),
                "InvalidLoggingConfiguration",
                "Invalid Logging Configuration: Must specify exactly one Log Destination.",
            );
        });

        it("change one: a new revision where something has changed, none where nothing has", async () => {
            const { arn: stateMachineArn } = await create("changing");
            const update = (more: object) => client.send(new UpdateStateMachineCommand({ stateMachineArn, ...more }));
            const first = await update({ definition: pass("new") });
            assert.match(first.revisionId ?? "", /^[0-9a-f-]{36}$/);
            assert.equal((await update({ definition: pass("new") })).revisionId, first.revisionId);
            assert.notEqual((await update({ roleArn: `${ROLE_ARN}-2` })).revisionId, first.revisionId);
            await fails(update({}), "MissingRequiredParameter", /^Either the definition, the role ARN/);
            await fails(update({ definition: "{}" }), "InvalidDefinition", /needs the field States/);
            await fails(
                update({ roleArn: ROLE_ARN, versionDescription: "d" }),
                "ValidationException",
                "Version description can only be set when publish is true",
            );
        });

        it("delete one: its executions end, nothing new starts, it is gone, and may be deleted again", async () => {
            const definition = JSON.stringify({
                StartAt: "Wait",
                States: {
                    Wait: {
                        Type: "Task",
                        Resource: "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                        Parameters: { "MessageBody.$": "$$.Task.Token", "QueueUrl": "q" },
                        End: true,
                    },
                },
            });
            const { arn: stateMachineArn } = await create("deleted", { definition });
            const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
            const remove = () => client.send(new DeleteStateMachineCommand({ stateMachineArn }));
            await remove();
            assert.equal((await ended(executionArn)).status, "ABORTED");
            await fails(
                client.send(new StartExecutionCommand({ stateMachineArn })),
                "StateMachineDoesNotExist",
                `State Machine Does Not Exist: '${stateMachineArn}'`,
            );
            await remove();
        });

        it("list them page by page, and refuse a token of another list", async () => {
            await create("listed-1");
            await create("listed-2");
            const first = await client.send(new ListStateMachinesCommand({ maxResults: 1 }));
            const { nextToken } = first;
            const second = await client.send(new ListStateMachinesCommand({ maxResults: 1, nextToken }));
            assert.notEqual(first.stateMachines?.[0]?.name, second.stateMachines?.[0]?.name);
            await fails(
                client.send(new ListStateMachinesCommand({ nextToken: "none" })),
                "InvalidToken",
                "Invalid Token: 'Invalid token'",
            );
        });

        it("tag them", async () => {
            const { arn: resourceArn } = await create("tagged", { tags: [{ key: "a", value: "1" }] });
            await client.send(new TagResourceCommand({ resourceArn, tags: [{ key: "b", value: "2" }] }));
            await client.send(new UntagResourceCommand({ resourceArn, tagKeys: ["a", "none"] }));
            const { tags } = await client.send(new ListTagsForResourceCommand({ resourceArn }));
            assert.deepEqual(tags, [{ key: "b", value: "2" }]);
            const gone = `${resourceArn}-gone`;
            await fails(
                client.send(new ListTagsForResourceCommand({ resourceArn: gone })),
                "ResourceNotFound",
                `Resource not found: '${gone}'`,
            );
        });
    });

    describe("of versions and aliases", () => {
        it("publish revisions under numbers that are never given twice", async () => {
            const { arn: stateMachineArn, version } = await create("published", { publish: true });
            assert.equal(version, `${stateMachineArn}:1`);
            const publish = async (more = {}) =>
                (await client.send(new PublishStateMachineVersionCommand({ stateMachineArn, ...more })))
                    .stateMachineVersionArn;
            assert.equal(await publish(), version, "an unchanged revision is published once");
            await client.send(new UpdateStateMachineCommand({ stateMachineArn, definition: pass("v2") }));
            await fails(
                publish({ revisionId: "other" }),
                "ConflictException",
                /^Failed to publish the State Machine version for revision other\. The current .* revision is /,
            );
            assert.equal(await publish({ description: "two" }), `${stateMachineArn}:2`);
            const versions = async () =>
                (await client.send(new ListStateMachineVersionsCommand({ stateMachineArn }))).stateMachineVersions?.map(
                    ({ stateMachineVersionArn }) => stateMachineVersionArn?.split(":").at(-1),
                );
            assert.deepEqual(await versions(), ["2", "1"]);
            const described = await client.send(
                new DescribeStateMachineCommand({ stateMachineArn: `${stateMachineArn}:2` }),
            );
            assert.deepEqual([described.description, described.definition], ["two", pass("v2")]);
            const remove = { stateMachineVersionArn: `${stateMachineArn}:2` };
            await client.send(new DeleteStateMachineVersionCommand(remove));
            await client.send(new DeleteStateMachineVersionCommand(remove));
            assert.deepEqual(await versions(), ["1"]);
            assert.equal(await publish(), `${stateMachineArn}:3`);
        });

        it("route executions of an alias to its versions, and keep these from being deleted", async () => {
            const { arn: stateMachineArn } = await create("aliased", { publish: true });
            await client.send(
                new UpdateStateMachineCommand({ stateMachineArn, definition: pass("v2"), publish: true }),
            );
            const [one, two] = [`${stateMachineArn}:1`, `${stateMachineArn}:2`];
            const routing = (...weights: [string, number][]) =>
                weights.map(([stateMachineVersionArn, weight]) => ({ stateMachineVersionArn, weight }));
            const make = (routingConfiguration: ReturnType<typeof routing>, name = "live") =>
                client.send(new CreateStateMachineAliasCommand({ name, routingConfiguration }));
            await make(routing([one, 100]));
            await make(routing([one, 100]));
            await fails(make(routing([two, 100])), "ConflictException", /^Failed to create alias because an alias/);
            await fails(
                make(routing([one, 70], [two, 29]), "sum"),
                "ValidationException",
                "Sum of routing configuration weights must equal 100. Received: [70, 29]",
            );
            await fails(
                make(routing([stateMachineArn, 100]), "machine"),
                "ValidationException",
                `Routing configuration must contain state machine version ARNs. Received: [${stateMachineArn}]`,
            );
            await fails(
                make(routing([one, 50], [one, 50]), "same"),
                "ValidationException",
                /^Routing configuration must contain distinct/,
            );
            const alias = `${stateMachineArn}:live`;
            const executed = await run(alias);
            assert.deepEqual([executed.stateMachineVersionArn, executed.stateMachineAliasArn], [one, alias]);
            await client.send(
                new UpdateStateMachineAliasCommand({
                    stateMachineAliasArn: alias,
                    routingConfiguration: routing([two, 100]),
                    description: "the newest",
                }),
            );
            const described = await client.send(new DescribeStateMachineAliasCommand({ stateMachineAliasArn: alias }));
            assert.deepEqual(
                [described.name, described.description, described.routingConfiguration],
                ["live", "the newest", routing([two, 100])],
            );
            assert.equal((await run(alias)).stateMachineVersionArn, two);
            await fails(
                client.send(new DeleteStateMachineVersionCommand({ stateMachineVersionArn: two })),
                "ConflictException",
                "Version to be deleted must not be referenced by an alias. " +
                    "Current list of aliases referencing this version: [live]",
            );
            const listed = await client.send(new ListStateMachineAliasesCommand({ stateMachineArn: two }));
            assert.deepEqual(
                listed.stateMachineAliases?.map(({ stateMachineAliasArn }) => stateMachineAliasArn),
                [alias],
            );
            await client.send(new DeleteStateMachineAliasCommand({ stateMachineAliasArn: alias }));
            await fails(
                client.send(new DescribeStateMachineAliasCommand({ stateMachineAliasArn: alias })),
                "ResourceNotFound",
                "Request references a resource that does not exist.",
            );
        });
    });

    describe("of executions", () => {
        it("describe one with its data, or without", async () => {
            const { arn } = await create("described");
            const full = await run(arn, '{"a":1}');
            assert.deepEqual(
                [full.input, full.inputDetails?.included, full.output, full.redriveCount, full.redriveStatus],
                ['{"a":1}', true, '{"a":1}', 0, "NOT_REDRIVABLE"],
            );
            assert.equal(full.redriveStatusReason, "Execution is SUCCEEDED and cannot be redriven");
            const { executionArn } = full;
            const bare = await client.send(
                new DescribeExecutionCommand({ executionArn, includedData: "METADATA_ONLY" }),
            );
            assert.deepEqual([bare.input, bare.inputDetails?.included, bare.output], [undefined, false, undefined]);
            const ofMachine = await client.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
            assert.equal(ofMachine.definition, pass("described"));
        });

        it("keep those that have ended up to a bound, oldest first, and go on paging", async () => {
            const { arn: stateMachineArn } = await create("kept");
            const arns: (string | undefined)[] = [];
            for (let count = 0; count < 5; count += 1) {
                arns.push((await run(stateMachineArn)).executionArn);
            }
            const listed: (string | undefined)[] = [];
            for await (const { executions = [] } of paginateListExecutions(
                { client, pageSize: 1 },
                { stateMachineArn },
            )) {
                listed.push(...executions.map(({ executionArn }) => executionArn));
            }
            assert.deepEqual(listed, arns.slice(2).reverse());
            await fails(
                client.send(new DescribeExecutionCommand({ executionArn: arns[0] })),
                "ExecutionDoesNotExist",
                `Execution Does Not Exist: '${arns[0]}'`,
            );
        });

        it("run Express machines to their end, and keep nothing of them", async () => {
            const { arn: stateMachineArn } = await create("express", { type: "EXPRESS" });
            const sync = await client.send(new StartSyncExecutionCommand({ stateMachineArn, input: "[1]" }));
            assert.deepEqual(
                [sync.status, sync.output, sync.billingDetails?.billedMemoryUsedInMB],
                ["SUCCEEDED", "[1]", 64],
            );
            assert.match(sync.executionArn ?? "", /:express:express:[0-9a-f-]+:[0-9a-f-]+$/);
            const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
            await fails(
                client.send(new DescribeExecutionCommand({ executionArn })),
                "InvalidArn",
                "Invalid Arn: 'Resource type not valid in this context: express'",
            );
            await fails(
                client.send(new ListExecutionsCommand({ stateMachineArn })),
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            );
            const { arn } = await create("standard");
            await fails(
                client.send(new StartSyncExecutionCommand({ stateMachineArn: arn })),
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            );
        });

        it("end tasks by their tokens, which differ between executions", async () => {
            const definition = JSON.stringify({
                QueryLanguage: "JSONata",
                StartAt: "Ask",
                States: {
                    Ask: {
                        Type: "Task",
                        Resource: "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                        Arguments: { MessageBody: "{% $states.context.Task.Token %}", QueueUrl: "q" },
                        End: true,
                    },
                },
            });
            const { arn: stateMachineArn } = await create("asks", { definition });
            const started = [
                await client.send(new StartExecutionCommand({ stateMachineArn })),
                await client.send(new StartExecutionCommand({ stateMachineArn })),
            ];
            while (seen.length < 2) {
                await new Promise((resolve) => setTimeout(resolve, 5));
            }
            const [first, second] = seen.map(({ args }) => (args as { MessageBody: string }).MessageBody);
            assert.notEqual(first, second);
            await client.send(new SendTaskHeartbeatCommand({ taskToken: first }));
            await client.send(new SendTaskSuccessCommand({ taskToken: first, output: '{"yes":true}' }));
            await client.send(new SendTaskFailureCommand({ taskToken: second, error: "No", cause: "never" }));
            assert.equal((await ended(started[0]?.executionArn)).output, '{"yes":true}');
            const refusal = await ended(started[1]?.executionArn);
            assert.deepEqual([refusal.status, refusal.error, refusal.cause], ["FAILED", "No", "never"]);
            assert.equal(refusal.redriveStatus, "REDRIVABLE");
            await fails(
                client.send(new SendTaskSuccessCommand({ taskToken: first, output: "{}" })),
                "TaskTimedOut",
                /^Task Timed Out/,
            );
        });

        it("tell of the Map Runs in them", async () => {
            const definition = JSON.stringify({
                QueryLanguage: "JSONata",
                StartAt: "Each",
                States: {
                    Each: {
                        Type: "Map",
                        Label: "orders",
                        MaxConcurrency: 2,
                        ItemBatcher: { MaxItemsPerBatch: 2 },
                        ItemProcessor: {
                            ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
                            StartAt: "One",
                            States: { One: { Type: "Pass", End: true } },
                        },
                        End: true,
                    },
                },
            });
            const { arn } = await create("maps", { definition });
            const { executionArn } = await run(arn, "[1,2,3]");
            const { mapRuns = [] } = await client.send(new ListMapRunsCommand({ executionArn }));
            assert.deepEqual(
                mapRuns.map(({ stateMachineArn }) => stateMachineArn),
                [`${arn}/orders`],
            );
            const { mapRunArn } = mapRuns[0] ?? {};
            const described = await client.send(new DescribeMapRunCommand({ mapRunArn }));
            assert.deepEqual([described.status, described.maxConcurrency], ["SUCCEEDED", 2]);
            assert.deepEqual([described.executionCounts?.total, described.executionCounts?.succeeded], [2, 2]);
            assert.deepEqual([described.itemCounts?.total, described.itemCounts?.succeeded], [3, 3]);
            await fails(
                client.send(new DescribeMapRunCommand({ mapRunArn: `${mapRunArn}x` })),
                "ResourceNotFound",
                "Request references a resource that does not exist.",
            );
        });
    });

    describe("of definitions", () => {
        const validate = (definition: unknown, more = {}) =>
            client.send(new ValidateStateMachineDefinitionCommand({ definition: JSON.stringify(definition), ...more }));
        const silent = {
            StartAt: "Work",
            States: {
                Work: {
                    Type: "Task",
                    Resource: "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                    Parameters: { "MessageBody.$": "$$.Task.Token", "QueueUrl": "q" },
                    Catch: [{ ErrorEquals: ["States.ALL"], Next: "Done" }],
                    Next: "Done",
                },
                Done: { Type: "Succeed" },
            },
        };

        it("say what AWS refuses as errors, and what the analysis finds besides as warnings, when asked", async () => {
            const broken = await validate({ States: {} });
            assert.equal(broken.result, "FAIL");
            assert.ok(broken.diagnostics?.every(({ severity }) => severity === "ERROR"));
            assert.match(broken.diagnostics?.[0]?.code ?? "", /SCHEMA_VALIDATION_FAILED/);
            const fine = await validate(silent);
            assert.deepEqual([fine.result, fine.diagnostics], ["OK", []]);
            const warned = await validate(silent, { severity: "WARNING" });
            assert.equal(warned.result, "OK");
            const swallowed = warned.diagnostics?.find(({ code }) => code === "FAILURE_SWALLOWED");
            assert.equal(swallowed?.severity, "WARNING");
            assert.match(swallowed?.message ?? "", /Way: Work -.* the execution SUCCEEDS/);
            assert.match(swallowed?.location ?? "", /^\/States\/Work/);
        });

        it("are cut to as many as are asked for", async () => {
            const cut = await validate(silent, { severity: "WARNING", maxResults: 1 });
            assert.deepEqual([cut.diagnostics?.length, cut.truncated], [1, true]);
        });

        it("know what an Express machine must not have", async () => {
            const express = await validate(silent, { type: "EXPRESS" });
            assert.deepEqual(
                express.diagnostics?.map(({ message, location }) => [message, location]),
                [
                    [
                        "Express state machine does not support '.waitForTaskToken' service integration",
                        "/States/Work/Resource",
                    ],
                ],
            );
        });
    });

    it("end with the service: Express executions, which nobody can ask for, are aborted as well", async () => {
        let told = false;
        const other = await serveStepFunctions({
            begin: () => ({
                task: ({ signal }) =>
                    new Promise<never>((_resolve, reject) => {
                        signal.addEventListener("abort", () => {
                            told = true;
                            reject(signal.reason as Error);
                        });
                    }),
            }),
        });
        const own = new SFNClient({
            endpoint: other.endpoint,
            region: "eu-central-1",
            credentials: { accessKeyId: "x", secretAccessKey: "x" },
        });
        const task = { Type: "Task", Resource: "arn:aws:lambda:eu-central-1:000000000000:function:long", End: true };
        const { stateMachineArn } = await own.send(
            new CreateStateMachineCommand({
                name: "long",
                type: "EXPRESS",
                roleArn: ROLE_ARN,
                definition: JSON.stringify({ StartAt: "Long", States: { Long: task } }),
            }),
        );
        await own.send(new StartExecutionCommand({ stateMachineArn }));
        own.destroy();
        await other.close();
        assert.ok(told);
    });

    it("test one state, its work mocked, and refuse in AWS's words what does not fit", async () => {
        const definition = JSON.stringify({
            Type: "Task",
            QueryLanguage: "JSONata",
            Resource: "arn:aws:states:::lambda:invoke",
            Arguments: { FunctionName: "f", Payload: "{% $states.input %}" },
            Output: "{% $states.result.Payload %}",
            Retry: [{ ErrorEquals: ["Busy"], IntervalSeconds: 3 }],
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }],
            Next: "Done",
        });
        const test = (more: object) =>
            client.send(new TestStateCommand({ definition, roleArn: ROLE_ARN, input: '{"day":1}', ...more }));
        const done = await test({ mock: { result: '{"Payload":7,"StatusCode":200}' }, inspectionLevel: "DEBUG" });
        assert.deepEqual([done.status, done.output, done.nextState], ["SUCCEEDED", "7", "Done"]);
        const { afterArguments = "{}" } = done.inspectionData ?? {};
        assert.deepEqual(JSON.parse(afterArguments), { FunctionName: "f", Payload: { day: 1 } });
        const busy = await test({ mock: { errorOutput: { error: "Busy", cause: "later" } }, inspectionLevel: "DEBUG" });
        assert.equal(busy.status, "RETRIABLE");
        assert.equal(busy.inspectionData?.errorDetails?.retryBackoffIntervalSeconds, 3);
        const other = await test({ mock: { errorOutput: { error: "Broken", cause: "for good" } } });
        assert.deepEqual([other.status, other.error, other.nextState], ["CAUGHT_ERROR", "Broken", "Failed"]);
        await fails(test({ definition: "{" }), "InvalidDefinition", /./);
        await fails(test({}), "ValidationException", /needs a mock: nothing here does its work/);
    });

    it("are logged, with what was refused", async () => {
        requests.length = 0;
        const stateMachineArn = "arn:aws:states:eu-central-1:000000000000:stateMachine:gone";
        await assert.rejects(client.send(new StartExecutionCommand({ stateMachineArn })));
        assert.deepEqual(
            requests.map(({ operation, status, error, subject }) => [operation, status, error, subject]),
            [["StartExecution", 400, "StateMachineDoesNotExist", stateMachineArn]],
        );
    });

    it("say that an execution that is gone cannot be stopped", async () => {
        const executionArn = "arn:aws:states:eu-central-1:000000000000:execution:gone:gone";
        await fails(
            client.send(new StopExecutionCommand({ executionArn })),
            "ExecutionDoesNotExist",
            `Execution Does Not Exist: '${executionArn}'`,
        );
    });
});
