/** Typed states beyond those that the ensemble uses: what they render, what they refuse, and what their role needs. */
import { strict as assert } from "node:assert";
import { analyse } from "../../asl/analysis";
import { execute, VirtualClock } from "../../asl/interpreter";
import {
    AwsSdkCall,
    BatchSubmitJob,
    CreateTrainingJob,
    DistributedMap,
    DynamoDeleteItem,
    DynamoGetItem,
    DynamoPutItem,
    DynamoUpdateItem,
    EcsRunTask,
    Fail,
    GlueStartJobRun,
    InlineMap,
    jsonata,
    LambdaInvoke,
    mergePermissions,
    Pass,
    SnsPublish,
    SqsSendMessage,
    StartExecution,
    stateMachine,
    states,
    Succeed,
    type StateNode,
} from "../../asl/states";
import type { JsonValue, MapState, TaskState } from "../../asl/types";

const common = { timeoutSeconds: 60, next: "Done", catch: [{ next: "Tell" }] } as const;
const arn = (service: string, resource: string) => `arn:aws:${service}:eu-central-1:123456789012:${resource}`;
const place = { partition: "aws", region: "eu-central-1", account: "123456789012" };
const cluster = arn("ecs", "cluster/main");

function machineOf(...nodes: readonly StateNode[]) {
    const topicArn = arn("sns", "failures");
    const cause = jsonata<string>`$string(${states.input()})`;
    return stateMachine({
        timeoutSeconds: 3_600,
        states: [
            ...nodes,
            new Succeed("Done"),
            new SnsPublish("Tell", {
                topicArn,
                subject: "failed",
                message: cause,
                timeoutSeconds: 30,
                output: { told: true },
                next: "Failed",
                catch: [{ output: { told: false }, next: "Failed" }],
            }),
            new Fail("Failed", { error: "Failed", cause: "see the message" }),
        ],
    });
}

function actionsOf(node: StateNode): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(
        mergePermissions(node.permissions()).map(({ actions, resources }) => [actions.join(" "), resources]),
    );
}

const key = { day: { S: "2026-11-20" } };
const tableArn = arn("dynamodb", "table/orders");

/** One of each, with the Arguments that it must have. */
const TASKS: readonly (readonly [StateNode, resource: string, args: unknown])[] = [
    [
        new AwsSdkCall("Put", {
            ...common,
            service: "s3",
            action: "putObject",
            arguments: { Bucket: "b", Key: "k", Body: states.input() },
            permissions: [{ actions: ["s3:PutObject"], resources: ["arn:aws:s3:::b/k"] }],
        }),
        "aws-sdk:s3:putObject",
        { Bucket: "b", Key: "k", Body: "{% $states.input %}" },
    ],
    [new DynamoGetItem("Get", { ...common, tableArn, key }), "dynamodb:getItem", { TableName: "orders", Key: key }],
    [
        new DynamoPutItem("Insert", {
            ...common,
            tableArn,
            item: { ...key, count: { N: jsonata`$string(${states.input<{ count: number }>().count})` } },
            condition: "attribute_not_exists(#day)",
            names: { "#day": "day" },
        }),
        "dynamodb:putItem",
        {
            TableName: "orders",
            Item: { ...key, count: { N: "{% $string($states.input.count) %}" } },
            ConditionExpression: "attribute_not_exists(#day)",
            ExpressionAttributeNames: { "#day": "day" },
        },
    ],
    [
        new DynamoUpdateItem("Count", {
            ...common,
            tableArn,
            key,
            update: "ADD orders :one",
            values: { ":one": { N: "1" } },
            returnValues: "ALL_NEW",
        }),
        "dynamodb:updateItem",
        {
            TableName: "orders",
            Key: key,
            UpdateExpression: "ADD orders :one",
            ExpressionAttributeValues: { ":one": { N: "1" } },
            ReturnValues: "ALL_NEW",
        },
    ],
    [
        new DynamoDeleteItem("Delete", { ...common, tableArn, key }),
        "dynamodb:deleteItem",
        { TableName: "orders", Key: key },
    ],
    [
        new SqsSendMessage("Send", {
            ...common,
            queueArn: arn("sqs", "orders.fifo"),
            body: { token: states.context.Task.Token },
            groupId: "one",
            waitForToken: true,
        }),
        "sqs:sendMessage.waitForTaskToken",
        {
            QueueUrl: "https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo",
            MessageBody: { token: "{% $states.context.Task.Token %}" },
            MessageGroupId: "one",
        },
    ],
    [
        new EcsRunTask("Run", {
            ...common,
            clusterArn: cluster,
            taskDefinitionArn: arn("ecs", "task-definition/import"),
            passedRoleArns: ["arn:aws:iam::123456789012:role/task"],
            launchType: "FARGATE",
            network: { subnetIds: ["subnet-1"] },
            containerOverrides: [{ name: "main", command: ["import"], environment: { DAY: states.input<string>() } }],
        }),
        "ecs:runTask.sync",
        {
            Cluster: cluster,
            TaskDefinition: arn("ecs", "task-definition/import"),
            LaunchType: "FARGATE",
            NetworkConfiguration: { AwsvpcConfiguration: { Subnets: ["subnet-1"], AssignPublicIp: "DISABLED" } },
            Overrides: {
                ContainerOverrides: [
                    {
                        Name: "main",
                        Command: ["import"],
                        Environment: [{ Name: "DAY", Value: "{% $states.input %}" }],
                    },
                ],
            },
        },
    ],
    [
        new GlueStartJobRun("Transform", {
            ...common,
            place,
            jobName: "transform",
            arguments: { "--day": states.input<string>() },
            workerType: "G.1X",
            numberOfWorkers: 2,
        }),
        "glue:startJobRun.sync",
        {
            JobName: "transform",
            Arguments: { "--day": "{% $states.input %}" },
            WorkerType: "G.1X",
            NumberOfWorkers: 2,
        },
    ],
    [
        new StartExecution("Nested", {
            ...common,
            stateMachineArn: arn("states", "stateMachine:inner"),
            input: { day: states.input() },
        }),
        "states:startExecution.sync:2",
        { StateMachineArn: arn("states", "stateMachine:inner"), Input: { day: "{% $states.input %}" } },
    ],
    [
        new BatchSubmitJob("Job", {
            ...common,
            jobName: "job-1",
            jobDefinitionArn: arn("batch", "job-definition/work-0123456789ab"),
            jobQueueArn: arn("batch", "job-queue/jobs"),
            arraySize: 2,
            attempts: 10,
            attemptSeconds: 60,
            command: ["work"],
        }),
        "batch:submitJob.sync",
        {
            JobName: "job-1",
            JobDefinition: arn("batch", "job-definition/work-0123456789ab"),
            JobQueue: arn("batch", "job-queue/jobs"),
            ArrayProperties: { Size: 2 },
            RetryStrategy: { Attempts: 10 },
            Timeout: { AttemptDurationSeconds: 60 },
            ContainerOverrides: { Command: ["work"] },
        },
    ],
];

describe("a typed Task", () => {
    for (const [node, resource, args] of TASKS) {
        it(`renders ${resource}, without a fault that the prover finds`, () => {
            const { definition, permissions } = machineOf(node);
            const state = definition.States[node.name] as TaskState;
            assert.equal(state.Resource, `arn:aws:states:::${resource}`);
            assert.deepEqual(state.Arguments, args);
            assert.deepEqual(
                analyse(definition).filter(({ severity }) => severity === "error"),
                [],
            );
            for (const { resources, reason } of permissions) {
                assert.ok(
                    reason !== undefined || !resources.some((one) => one.includes("*")),
                    JSON.stringify(resources),
                );
            }
        });
    }

    it("needs what its call needs, and nothing else", () => {
        const [sdk, get, , , , queue, ecs, glue, nested] = TASKS.map(([node]) => actionsOf(node));
        assert.deepEqual(sdk, { "s3:PutObject": ["arn:aws:s3:::b/k"] });
        assert.deepEqual(get, { "dynamodb:GetItem": [tableArn] });
        assert.deepEqual(queue, { "sqs:SendMessage": [arn("sqs", "orders.fifo")] });
        assert.deepEqual(ecs, {
            "ecs:RunTask": [arn("ecs", "task-definition/import:*")],
            "ecs:DescribeTasks ecs:StopTask": [arn("ecs", "task/main/*")],
            "iam:PassRole": ["arn:aws:iam::123456789012:role/task"],
            "events:DescribeRule events:PutRule events:PutTargets": [
                arn("events", "rule/StepFunctionsGetEventsForECSTaskRule"),
            ],
        });
        assert.deepEqual(glue, {
            "glue:BatchStopJobRun glue:GetJobRun glue:GetJobRuns glue:StartJobRun": [arn("glue", "job/transform")],
        });
        assert.deepEqual(nested, {
            "states:StartExecution": [arn("states", "stateMachine:inner")],
            "states:DescribeExecution states:StopExecution": [arn("states", "execution:inner:*")],
            "events:DescribeRule events:PutRule events:PutTargets": [
                arn("events", "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"),
            ],
        });
    });

    const batch = {
        jobName: "j",
        jobDefinitionArn: arn("batch", "job-definition/d"),
        jobQueueArn: arn("batch", "job-queue/q"),
    };
    const ecsTask = { clusterArn: cluster, taskDefinitionArn: "t", passedRoleArns: [] };
    const refused: readonly (readonly [() => StateNode, RegExp])[] = [
        [
            () => new BatchSubmitJob("J", { ...common, ...batch, arraySize: 1 }),
            /arraySize must be between 2 and 10,000, received 1$/,
        ],
        [
            () => new BatchSubmitJob("J", { ...common, ...batch, attempts: 11 }),
            /attempts must be between 1 and 10, received 11/,
        ],
        [
            () => new BatchSubmitJob("J", { ...common, ...batch, attemptSeconds: 59 }),
            /attemptSeconds must be between 60 and/,
        ],
        [
            () => new BatchSubmitJob("J", { ...common, ...batch, jobName: "a b" }),
            /jobName must have .* of letters, digits/,
        ],
        [
            () => new BatchSubmitJob("J", { ...common, ...batch, jobName: "j".repeat(129) }),
            /1 and 128 characters, received 129/,
        ],
        [
            () => new SqsSendMessage("S", { ...common, queueArn: arn("sqs", "q"), body: "x", delaySeconds: 901 }),
            /delaySeconds must be between 0 and 900 seconds, received 901/,
        ],
        [
            () => new SqsSendMessage("S", { ...common, queueArn: arn("sqs", "q.fifo"), body: "x" }),
            /groupId must be given/,
        ],
        [
            () => new EcsRunTask("E", { ...common, ...ecsTask, count: 11 }),
            /count must be between 1 and 10 tasks, received 11/,
        ],
        [() => new EcsRunTask("E", { ...common, ...ecsTask, launchType: "FARGATE" }), /network must be given/],
        [
            () => new GlueStartJobRun("G", { ...common, place, jobName: "g", workerType: "G.1X" }),
            /must be given together/,
        ],
        [() => new GlueStartJobRun("G", { ...common, place, jobName: "g", arguments: { day: "1" } }), /begin with --/],
        [
            () => new StartExecution("N", { ...common, stateMachineArn: "a", name: "a b" }),
            /name must have .* without blanks/,
        ],
        [
            () => new DynamoGetItem("D", { ...common, tableArn, key: {} }),
            /key must have between 1 and 2 attributes, received 0/,
        ],
        [
            () =>
                new AwsSdkCall("A", {
                    ...common,
                    service: "S3",
                    action: "get",
                    permissions: [{ actions: ["a"], resources: ["b"] }],
                }),
            /service must be lower case letters and digits, .* received "S3"/,
        ],
        [
            () => new SnsPublish("S", { ...common, topicArn: "t", subject: "ä", message: "m" }),
            /subject must have .* of ASCII/,
        ],
    ];
    for (const [make, expected] of refused) {
        it(`refuses what is out of bounds: ${expected.source}`, () => {
            assert.throws(make, expected);
        });
    }
});

describe("a Map", () => {
    const inner = [
        new LambdaInvoke("Work", {
            functionArn: arn("lambda", "function:work"),
            payload: states.input(),
            timeoutSeconds: 10,
            output: states.result<{ Payload: unknown }>().Payload,
            catch: [{ next: "Not Worked" }],
        }),
        new Fail("Not Worked", { error: "NotWorked", cause: "see the function's log" }),
    ];

    it("within the execution gives each item to its states, and its results in order", async () => {
        const map = new InlineMap("Each", {
            items: states.input<{ list: number[] }>().list,
            itemSelector: { item: states.context.Map.Item.Value, place: states.context.Map.Item.Index },
            states: inner,
            next: "Done",
            catch: [{ next: "Tell" }],
        });
        const { definition, permissions } = machineOf(map);
        assert.deepEqual(
            analyse(definition).filter(({ severity }) => severity === "error"),
            [],
        );
        assert.ok(permissions.some(({ actions }) => actions.includes("lambda:InvokeFunction")));
        const ended = await execute(definition, {
            input: { list: [5, 7] },
            clock: new VirtualClock(),
            task: async ({ arguments: sent }) => ({ Payload: (sent as { Payload: JsonValue }).Payload }),
        });
        assert.deepEqual(ended.output, [
            { item: 5, place: 0 },
            { item: 7, place: 1 },
        ]);
    });

    const distributed = (given: Partial<ConstructorParameters<typeof DistributedMap>[1]> = {}) =>
        new DistributedMap("Each", {
            stateMachineArn: arn("states", "stateMachine:machine"),
            states: inner,
            next: "Done",
            catch: [{ next: "Tell" }],
            ...given,
        });

    it("of executions reads, batches and writes, with the permissions of each", () => {
        const map = distributed({
            reader: { kind: "csv", bucket: "data", key: "orders.csv", headers: ["id"], maxItems: 10 },
            batcher: { maxItems: 100, input: { day: states.input<{ day: string }>().day } },
            writer: { bucket: "results", prefix: "orders/" },
            comment: "records-failure-for: Done",
            toleratedFailurePercentage: 5,
            maxConcurrency: 50,
            label: "orders",
        });
        const { definition, permissions } = machineOf(map);
        assert.deepEqual(
            analyse(definition).filter(({ severity }) => severity === "error"),
            [],
        );
        const { States: _states, ...rest } = (definition.States.Each as MapState).ItemProcessor ?? { States: {} };
        assert.deepEqual(rest, {
            ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
            StartAt: "Work",
        });
        const { ItemReader, ItemBatcher, ResultWriter, Label } = definition.States.Each as MapState;
        assert.deepEqual(
            { ItemReader, ItemBatcher, ResultWriter, Label },
            {
                ItemReader: {
                    Resource: "arn:aws:states:::s3:getObject",
                    ReaderConfig: { InputType: "CSV", CSVHeaderLocation: "GIVEN", CSVHeaders: ["id"], MaxItems: 10 },
                    Arguments: { Bucket: "data", Key: "orders.csv" },
                },
                ItemBatcher: { MaxItemsPerBatch: 100, BatchInput: { day: "{% $states.input.day %}" } },
                ResultWriter: {
                    Resource: "arn:aws:states:::s3:putObject",
                    Arguments: { Bucket: "results", Prefix: "orders/" },
                },
                Label: "orders",
            },
        );
        const allowed = new Map(permissions.map(({ actions, resources }) => [actions.join(" "), resources]));
        assert.deepEqual(allowed.get("states:StartExecution"), [arn("states", "stateMachine:machine")]);
        assert.deepEqual(allowed.get("states:RedriveExecution"), [arn("states", "execution:machine/*:*")]);
        assert.deepEqual(allowed.get("s3:GetObject"), ["arn:aws:s3:::data/orders.csv"]);
        assert.deepEqual(allowed.get("s3:AbortMultipartUpload s3:GetObject s3:ListMultipartUploadParts s3:PutObject"), [
            "arn:aws:s3:::results/orders/*",
        ]);
    });

    it("lists a bucket below the prefix that it reads, and no further", () => {
        const { permissions } = machineOf(distributed({ reader: { kind: "objects", bucket: "data", prefix: "in/" } }));
        const list = permissions.find(({ actions }) => actions.includes("s3:ListBucket"));
        assert.deepEqual(list?.conditions, { StringLike: { "s3:prefix": "in/*" } });
    });

    it("of executions does not see outer variables", () => {
        const set = new Pass("Set", { assign: { day: "today" }, next: "Each" });
        const reads = [new Pass("Read", { output: jsonata`$day` })];
        assert.throws(
            () => machineOf(set, distributed({ states: reads })),
            /state "Read", Output: the variable \$day is read/,
        );
        const inline = new InlineMap("Each", { states: reads, next: "Done", catch: [{ next: "Tell" }] });
        assert.doesNotThrow(() => machineOf(set, inline));
    });

    it("refuses what is out of bounds", () => {
        assert.throws(() => distributed({ label: "a b" }), /label must have .* without blanks/);
        assert.throws(() => distributed({ batcher: {} }), /batcher must have maxItems, maxBytes or both/);
        assert.throws(
            () => distributed({ toleratedFailurePercentage: 101 }),
            /between 0 and 100 percent, received 101/,
        );
        const reader = { kind: "json", bucket: "b", key: "k" } as const;
        assert.throws(() => distributed({ reader, items: [1] }), /items and reader must not both be given/);
    });

    it("may be stubbed, and so may a state inside", () => {
        const map = new InlineMap("Each", { states: inner, next: "Done", catch: [{ next: "Tell" }] });
        const { definition } = stateMachine({
            timeoutSeconds: 600,
            states: [map, new Succeed("Done"), new Fail("Tell", { error: "E", cause: "c" })],
            stubs: { Work: { Payload: 1 } },
        });
        assert.deepEqual(Object.keys((definition.States.Each as MapState).ItemProcessor?.States ?? {}), ["Work"]);
    });
});

describe("a training job", () => {
    it("refuses what SageMaker refuses", () => {
        const training = {
            ...common,
            jobName: jsonata<string>`'a'`,
            jobNamePrefix: "a-",
            region: "eu-central-1",
            image: "image",
            roleArn: "arn:aws:iam::123456789012:role/training",
            hyperparameters: {},
            inputDataConfig: [],
            outputDataConfig: {},
            resourceConfig: {},
            stoppingCondition: {},
            managedSpot: false,
            checkpointS3Uri: "s3://b/k",
            encryptTrafficBetweenHosts: false,
        };
        const metric = { Name: "loss", Regex: "loss=(.*)" };
        assert.doesNotThrow(() => new CreateTrainingJob("T", training));
        assert.throws(
            () =>
                new CreateTrainingJob("T", {
                    ...training,
                    metricDefinitions: Array.from({ length: 41 }, () => metric),
                }),
            /metricDefinitions must have between 0 and 40 entries, received 41/,
        );
        assert.throws(
            () => new CreateTrainingJob("T", { ...training, jobNamePrefix: "a_" }),
            /jobNamePrefix must have .* of letters, digits and hyphens/,
        );
        assert.throws(
            () => new CreateTrainingJob("T", { ...training, image: "i".repeat(256) }),
            /image must have .* 256/,
        );
    });
});
