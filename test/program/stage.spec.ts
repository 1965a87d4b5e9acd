import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { keptReleases, type Release } from "../../components/functions";
import type { StateMachineDefinition } from "../../asl/types";
import type { Statement } from "../../components/iam";
import { assertProven, UnprovenDefinitionError } from "../../components/proof";
import { type Job, JOB_QUEUE_SECONDS, JOB_SECONDS, JOBS } from "../../workflow";
import { type EvaluatedStage, evaluateStage, type RecordedResource } from "../../project/evaluate";

process.env.PULUMI_ERROR_OUTPUT_STRING = "1";

const UNKNOWN = "__pulumiUnknown";
/** What AWS lets nobody tag, or what has no life of its own. */
const UNTAGGED = new Set([
    "aws:iam/rolePolicy:RolePolicy",
    "aws:kms/alias:Alias",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:lambda/alias:Alias",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy",
    "docker-build:index:Image",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
]);

const ofType = (stage: EvaluatedStage, type: string) => stage.resources.filter((resource) => resource.type === type);
const one = (stage: EvaluatedStage, type: string): RecordedResource => {
    const found = ofType(stage, type);
    assert.equal(found.length, 1, `${found.length} of ${type}`);
    return found[0];
};
const statementsOf = (stage: EvaluatedStage): { role: string; statement: Statement }[] =>
    ofType(stage, "aws:iam/rolePolicy:RolePolicy").flatMap(({ inputs }) =>
        (JSON.parse(String(inputs.policy)) as { Statement: Statement[] }).Statement.map((statement) => ({
            role: String(inputs.role),
            statement,
        })),
    );

interface BatchState {
    readonly Arguments: { readonly JobDefinition: string; readonly Parameters: object };
    readonly TimeoutSeconds: number | string;
}

/** The states that submit a job, by the job definition that they name. */
function batchStates(definition: StateMachineDefinition): Map<string, BatchState> {
    const found = new Map<string, BatchState>();
    const pending: Pick<StateMachineDefinition, "States">[] = [definition];
    for (let graph = pending.pop(); graph !== undefined; graph = pending.pop()) {
        for (const state of Object.values(graph.States)) {
            if (state.Type === "Task" && state.Resource.endsWith("batch:submitJob.sync")) {
                found.set((state as unknown as BatchState).Arguments.JobDefinition, state as unknown as BatchState);
            }
            pending.push(...(state.Type === "Parallel" ? state.Branches : []));
        }
    }
    return found;
}

describe("a stage", function () {
    this.timeout(60_000);
    const stages = new Map<string, EvaluatedStage>();
    before(async () => {
        for (const stage of ["dev", "prod"]) {
            stages.set(stage, await evaluateStage(stage));
        }
    });

    for (const name of ["dev", "prod"]) {
        describe(name, () => {
            let stage: EvaluatedStage;
            before(() => {
                stage = stages.get(name) as EvaluatedStage;
            });

            it("declares everything that the system consists of", () => {
                const count = (type: string) => ofType(stage, type).length;
                const emails = name === "prod" ? 2 : 0;
                assert.deepEqual(
                    {
                        machines: count("aws:sfn/stateMachine:StateMachine"),
                        functions: count("aws:lambda/function:Function"),
                        aliases: count("aws:lambda/alias:Alias"),
                        environments: count("aws:batch/computeEnvironment:ComputeEnvironment"),
                        queues: count("aws:batch/jobQueue:JobQueue"),
                        jobs: count("aws:batch/jobDefinition:JobDefinition"),
                        topics: count("aws:sns/topic:Topic"),
                        subscriptions: count("aws:sns/topicSubscription:TopicSubscription"),
                        repositories: count("aws:ecr/repository:Repository"),
                        images: count("docker-build:index:Image"),
                        buckets: count("aws:s3/bucket:Bucket"),
                        sourcesAndPointers: count("aws:s3/bucketObjectv2:BucketObjectv2"),
                        keys: count("aws:kms/key:Key"),
                        logGroups: count("aws:cloudwatch/logGroup:LogGroup"),
                        rules: count("aws:cloudwatch/eventRule:EventRule"),
                        deadLetters: count("aws:sqs/queue:Queue"),
                        alarms: count("aws:cloudwatch/metricAlarm:MetricAlarm"),
                        roles: count("aws:iam/role:Role"),
                    },
                    {
                        machines: 1,
                        functions: 4,
                        aliases: 4,
                        // dev runs on Fargate Spot and falls back to Fargate
                        environments: name === "dev" ? 2 : 1,
                        queues: 1,
                        jobs: 4,
                        topics: 2,
                        subscriptions: emails,
                        repositories: 2,
                        images: 2,
                        buckets: 1,
                        sourcesAndPointers: 3,
                        keys: 1,
                        logGroups: 6,
                        rules: 2,
                        deadLetters: 1,
                        alarms: 8,
                        roles: 12,
                    },
                );
            });

            it("tags everything that takes tags", () => {
                for (const { type, name: resource, inputs } of stage.resources.filter(
                    (taken) => taken.custom && !UNTAGGED.has(taken.type),
                )) {
                    const { service, subservice, stage: tagged } = (inputs.tags ?? {}) as Record<string, string>;
                    assert.deepEqual(
                        { service, subservice, tagged },
                        { service: "ensemble", subservice: "training", tagged: name },
                        `${type} ${resource}`,
                    );
                }
            });

            it("leaks no Output's text into any string", () => {
                const leaked = /.{0,60}(__pulumiUnknown|OutputImpl|Calling \[to).{0,60}/.exec(
                    JSON.stringify(stage.resources),
                );
                assert.equal(leaked?.[0], undefined);
            });

            it("logs everything of the state machine and traces it", () => {
                const { inputs } = one(stage, "aws:sfn/stateMachine:StateMachine");
                assert.deepEqual(inputs.loggingConfiguration, {
                    level: "ALL",
                    includeExecutionData: true,
                    logDestination: `arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vendedlogs/states/ensemble-model-training-${name}:*`,
                });
                assert.deepEqual(inputs.tracingConfiguration, { enabled: true });
            });

            it("calls only functions, jobs, queue, topic and role that it declares", () => {
                const text = JSON.stringify(stage.stateMachine.definition);
                const called = [
                    ...new Set(text.match(/arn:aws:(lambda|batch|sns|iam)[A-Za-z0-9:/_.-]+/g) ?? []),
                ].filter((arn) => !arn.startsWith("arn:aws:states"));
                const aliases = ofType(stage, "aws:lambda/alias:Alias").map(
                    ({ inputs }) =>
                        `arn:aws:lambda:eu-central-1:123456789012:function:${String(inputs.functionName)}:` +
                        `${String(inputs.name)}`,
                );
                const known = new Set([
                    ...aliases,
                    ...stage.jobDefinitions.map((job) => job.arn),
                    "arn:aws:batch:eu-central-1:123456789012:job-queue/" +
                        `${String(one(stage, "aws:batch/jobQueue:JobQueue").inputs.name)}`,
                    ...ofType(stage, "aws:sns/topic:Topic").map(
                        ({ inputs }) => `arn:aws:sns:eu-central-1:123456789012:${String(inputs.name)}`,
                    ),
                    ...ofType(stage, "aws:iam/role:Role").map(
                        ({ inputs }) => `arn:aws:iam::123456789012:role/${String(inputs.name)}`,
                    ),
                ]);
                assert.ok(called.length >= 4 + 4 + 1 + 1 + 1, called.join("\n"));
                assert.deepEqual(
                    called.filter((arn) => !known.has(arn)),
                    [],
                );
            });

            it("gives every job's command a place for each parameter that the definition sends, and no other", () => {
                const sent = new Map(
                    [...batchStates(stage.stateMachine.definition)].map(([arn, state]) => [
                        arn,
                        Object.keys(state.Arguments.Parameters).sort(),
                    ]),
                );
                assert.equal(sent.size, 4);
                for (const {
                    arn,
                    containerProperties: { command },
                } of stage.jobDefinitions) {
                    assert.deepEqual(command.slice(0, 2), ["node", "jobs.js"]);
                    const places = command
                        .filter((word) => word.startsWith("Ref::"))
                        .map((word) => word.slice(5))
                        .sort();
                    assert.deepEqual(places, sent.get(arn), arn);
                }
            });

            it("lets no job outlive its state", () => {
                const states = batchStates(stage.stateMachine.definition);
                for (const { arn, name: definition, timeoutSeconds } of stage.jobDefinitions) {
                    const job = JOBS.find((candidate) => definition.includes(`-${candidate}-`)) as Job;
                    assert.ok(
                        timeoutSeconds < JOB_SECONDS[job],
                        `${arn}: ${timeoutSeconds} s, its state ${JOB_SECONDS[job]} s`,
                    );
                    // Within a member's budget the limit is the least of this one and of what is left.
                    assert.ok(String(states.get(arn)?.TimeoutSeconds).includes(String(JOB_SECONDS[job])), arn);
                }
            });

            it("names job definitions and aliases by their content", () => {
                stage.jobDefinitions.forEach((job) =>
                    assert.match(job.name, /-(fetch|split|merge|publish)-[0-9a-f]{12}$/),
                );
                ofType(stage, "aws:lambda/alias:Alias").forEach(({ inputs }) =>
                    assert.match(String(inputs.name), /^h-[0-9a-f]{12}$/),
                );
            });

            it("has no resource name twice and none that AWS would refuse for its length", () => {
                const limits: Record<string, number> = {
                    "aws:iam/role:Role": 64,
                    "aws:s3/bucket:Bucket": 63,
                    "aws:lambda/function:Function": 64,
                };
                for (const { type, inputs } of stage.resources) {
                    const physical = String(inputs.name ?? inputs.bucket ?? "");
                    assert.ok(physical.length <= (limits[type] ?? 128), `${type} ${physical}`);
                }
                const keys = stage.resources.map(({ type, name: resource }) => `${type} ${resource}`);
                assert.equal(new Set(keys).size, keys.length);
            });

            it("gives a function an environment, and a key for it, only with a variable", () => {
                for (const { name: declared, inputs } of ofType(stage, "aws:lambda/function:Function")) {
                    const { variables } = (inputs.environment ?? {}) as { variables?: Record<string, string> };
                    const expected = declared === "ensemble-setup" ? ["KMS_KEY_ARN"] : [];
                    assert.deepEqual(Object.keys(variables ?? {}), expected, declared);
                    assert.equal("environment" in inputs, expected.length > 0, declared);
                    assert.equal("kmsKeyArn" in inputs, expected.length > 0, declared);
                }
            });

            it("allows a wildcard resource only where AWS knows no other", () => {
                const unavoidable = new Set([
                    "batch:DescribeJobs",
                    "ecr:GetAuthorizationToken",
                    "cloudwatch:PutMetricData",
                    "servicequotas:ListServiceQuotas",
                    "logs:CreateLogDelivery",
                    "logs:GetLogDelivery",
                    "logs:UpdateLogDelivery",
                    "logs:DeleteLogDelivery",
                    "logs:ListLogDeliveries",
                    "logs:PutResourcePolicy",
                    "logs:DescribeResourcePolicies",
                    "logs:DescribeLogGroups",
                    "xray:PutTraceSegments",
                    "xray:PutTelemetryRecords",
                    "xray:GetSamplingRules",
                    "xray:GetSamplingTargets",
                ]);
                for (const { role, statement } of statementsOf(stage)) {
                    const actions = [statement.Action].flat() as string[];
                    assert.ok(
                        actions.every((action) => !action.includes("*")),
                        `${role}: ${actions.join()}`,
                    );
                    if ([statement.Resource].flat().includes("*")) {
                        assert.deepEqual(
                            actions.filter((action) => !unavoidable.has(action)),
                            [],
                            role,
                        );
                    }
                }
            });

            it("passes the training role to SageMaker only", () => {
                const passing = statementsOf(stage).filter(({ statement }) =>
                    [statement.Action].flat().includes("iam:PassRole"),
                );
                assert.equal(passing.length, 1);
                assert.deepEqual(passing[0].statement.Condition, {
                    StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" },
                });
                assert.deepEqual([passing[0].statement.Resource].flat(), [
                    `arn:aws:iam::123456789012:role/ensemble-${name}-training`,
                ]);
            });

            it(
                "lets no role but the state machine's and the rule's tell anybody, and no job or " +
                    "function delete data",
                () => {
                    for (const { role, statement } of statementsOf(stage)) {
                        const actions = [statement.Action].flat() as string[];
                        if (actions.includes("sns:Publish")) {
                            assert.match(role, /-(state-machine|failure-rule)$/);
                        }
                        if (actions.includes("s3:DeleteObject")) {
                            [statement.Resource]
                                .flat()
                                .forEach((resource) =>
                                    assert.match(
                                        String(resource),
                                        /\/(runs|published)\/\*\/(failure\.txt|manifest\.json|mismatches\.json)$/,
                                    ),
                                );
                        }
                    }
                },
            );

            it("has the outputs that it had", () => {
                const file = path.join(__dirname, "golden", `outputs.${name}.json`);
                // Hashes change with every line of code; what the outputs are does not.
                const text = `${JSON.stringify(stage.outputs, null, 2)
                    .replace(/[0-9a-f]{64}/g, "<sha256>")
                    .replace(/h-[0-9a-f]{12}/g, "h-<hash>")}\n`;
                if (process.env.UPDATE_GOLDEN === "1") {
                    fs.mkdirSync(path.dirname(file), { recursive: true });
                    fs.writeFileSync(file, text);
                }
                assert.equal(
                    text,
                    fs.readFileSync(file, "utf8"),
                    "stack outputs changed; if that is meant, run with UPDATE_GOLDEN=1",
                );
            });
        });
    }

    it(
        "knows definition, names, images and policies at a new stage's first preview, when AWS has told " + "nothing",
        async () => {
            const { resources, stateMachine } = await evaluateStage("dev", { preview: true });
            const { definition } = (
                resources.find(({ type }) => type === "aws:sfn/stateMachine:StateMachine") as RecordedResource
            ).inputs;
            assert.equal(typeof definition, "string");
            assert.equal(definition, JSON.stringify(stages.get("dev")?.stateMachine.definition));
            assert.deepEqual(stateMachine.definition, stages.get("dev")?.stateMachine.definition);
            const mustBeKnown: Record<string, string> = {
                "aws:batch/jobDefinition:JobDefinition": "containerProperties",
                "docker-build:index:Image": "tags",
                "aws:cloudwatch/eventRule:EventRule": "eventPattern",
                "aws:iam/role:Role": "assumeRolePolicy",
                "aws:s3/bucketPolicy:BucketPolicy": "policy",
                "aws:kms/key:Key": "policy",
            };
            for (const { type, name, inputs } of resources) {
                const field = mustBeKnown[type];
                assert.ok(
                    field === undefined || !JSON.stringify(inputs[field]).includes(UNKNOWN),
                    `${type} ${name}: ${field} is unknown`,
                );
            }
            const unknown = resources.filter(
                ({ type, inputs }) => type === "aws:iam/rolePolicy:RolePolicy" && typeof inputs.policy !== "string",
            );
            unknown.forEach(({ inputs }) => assert.equal(inputs.name, "key", "only what names the key may be unknown"));
        },
    );

    it("is the same, byte by byte, when it is evaluated again", async () => {
        const strip = ({ resources }: EvaluatedStage) =>
            resources.map(({ type, name, inputs }) => JSON.stringify([type, name, inputs])).sort();
        assert.deepEqual(strip(await evaluateStage("dev")), strip(stages.get("dev") as EvaluatedStage));
    });

    it(
        "keeps what running executions call when the code changes, and takes an old alias again " + "when it goes back",
        async () => {
            const dev = stages.get("dev") as EvaluatedStage;
            const { setup } = dev.outputs.functionAliases as Record<string, string>;
            const before = {
                functions: {
                    setup: [
                        { alias: "h-000000000000", version: "7" },
                        { alias: setup, version: "4" },
                    ],
                },
                images: {},
            };
            const next = await evaluateStage("dev", { before });
            const aliases = ofType(next, "aws:lambda/alias:Alias")
                .filter(({ inputs }) => String(inputs.functionName).endsWith("-setup"))
                .map(({ inputs }) => [inputs.name, inputs.functionVersion]);
            assert.deepEqual(
                aliases.sort(),
                [
                    [setup, "4"],
                    ["h-000000000000", "7"],
                ].sort(),
            );
            const { functions } = next.outputs.releases as { functions: Record<string, Release[]> };
            assert.deepEqual(
                functions.setup?.map(({ alias, version, retired }) => [alias, version, retired !== undefined]),
                [
                    [setup, "4", false],
                    ["h-000000000000", "7", true],
                ],
            );
        },
    );

    it("forgets the oldest aliases beyond the configured number", async () => {
        const releases = Array.from({ length: 5 }, (_, index) => ({
            alias: `h-00000000000${index}`,
            version: String(index),
            retired: index === 0 ? undefined : "2020-01-01T00:00:00.000Z",
        }));
        const next = await evaluateStage("dev", {
            before: { functions: { setup: releases }, images: {} },
            overrides: { keptReleases: 3 },
        });
        const names = ofType(next, "aws:lambda/alias:Alias")
            .filter(({ inputs }) => String(inputs.functionName).endsWith("-setup"))
            .map(({ inputs }) => String(inputs.name))
            .sort();
        const { setup } = next.outputs.functionAliases as Record<string, string>;
        assert.deepEqual(names, ["h-000000000000", "h-000000000001", setup].sort());
    });

    describe("releases of a function", () => {
        const now = new Date("2026-11-28T00:00:00.000Z");
        const policy = { remembered: 2, executionSeconds: 8 * 86_400, now };
        const retired = (daysAgo: number) => new Date(now.getTime() - daysAgo * 86_400_000).toISOString();
        const before: Release[] = [
            { alias: "h-current", version: "9" },
            { alias: "h-week", version: "8", retired: retired(7) },
            { alias: "h-fortnight", version: "7", retired: retired(14) },
        ];

        it("stay as long as an execution may call them, however many deployments there were meanwhile", () => {
            const kept = keptReleases(before, "h-new", policy);
            assert.deepEqual(
                kept.map(({ alias }) => alias),
                ["h-new", "h-current", "h-week"],
            );
            assert.equal(kept[1]?.retired, now.toISOString());
        });

        it("stay all where nothing changed, so that an unchanged stack is unchanged", () => {
            assert.deepEqual(keptReleases(before, "h-current", { ...policy, now: new Date("2030-01-01") }), before);
        });

        it("come back where a deployment goes back to them", () => {
            const [first] = keptReleases(before, "h-week", policy);
            assert.deepEqual(first, { alias: "h-week", version: "8" });
        });
    });

    it("gives a changed job another definition, so that a running execution keeps its own", async () => {
        const changed = await evaluateStage("dev", { overrides: { jobs: { merge: { vcpu: 2 } } } });
        const nameOf = (stage: EvaluatedStage, job: string) =>
            stage.jobDefinitions.find(({ name }) => name.includes(`-${job}-`))?.name;
        const dev = stages.get("dev") as EvaluatedStage;
        assert.notEqual(nameOf(changed, "merge"), nameOf(dev, "merge"));
        assert.equal(nameOf(changed, "fetch"), nameOf(dev, "fetch"));
    });

    it("changes nothing but the state machine when a hyperparameter changes", async () => {
        const changed = await evaluateStage("dev", {
            overrides: { models: { image: { hyperparameters: { epochs: 11 } } } },
        });
        const dev = stages.get("dev") as EvaluatedStage;
        const different = changed.resources.filter(
            ({ type, name, inputs }) =>
                JSON.stringify(dev.resources.find((other) => other.type === type && other.name === name)?.inputs) !==
                JSON.stringify(inputs),
        );
        assert.deepEqual(different.map(({ type }) => type).sort(), [
            "aws:sfn/stateMachine:StateMachine",
            "ensemble:sfn:TrainingStateMachine",
        ]);
    });

    it("builds no image that is given, and makes no key that exists", async () => {
        const keyArn = "arn:aws:kms:eu-central-1:123456789012:key/99999999-2222-3333-4444-555555555555";
        const image = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/mine@sha256:${"ab".repeat(32)}`;
        const given = await evaluateStage("dev", { overrides: { images: { text: image, jobs: image }, keyArn } });
        assert.equal(ofType(given, "docker-build:index:Image").length, 0);
        assert.equal(ofType(given, "aws:kms/key:Key").length, 0);
        assert.ok(given.jobDefinitions.every(({ containerProperties }) => containerProperties.image === image));
        assert.equal(given.outputs.keyArn, keyArn);
        assert.ok(JSON.stringify(given.stateMachine.definition).includes(keyArn));
    });

    it("runs its jobs in a network of its own, in given subnets, on instances", async () => {
        const created = await evaluateStage("dev", {
            overrides: { network: { kind: "created" }, compute: { type: "SPOT", instanceTypes: ["m7i"] } },
        });
        assert.equal(ofType(created, "aws:ec2/subnet:Subnet").length, 2);
        const environments = ofType(created, "aws:batch/computeEnvironment:ComputeEnvironment").map(
            ({ inputs }) => (inputs as { computeResources: Record<string, unknown> }).computeResources,
        );
        assert.deepEqual(
            environments.map(({ type, allocationStrategy }) => [type, allocationStrategy]),
            [
                ["SPOT", "SPOT_PRICE_CAPACITY_OPTIMIZED"],
                ["EC2", "BEST_FIT_PROGRESSIVE"],
            ],
        );
        assert.equal(ofType(created, "aws:iam/instanceProfile:InstanceProfile").length, 1);
        assert.ok(
            created.jobDefinitions.every(
                ({ containerProperties }) => containerProperties.networkConfiguration === undefined,
            ),
        );
        const given = await evaluateStage("dev", {
            overrides: { network: { kind: "given", vpcId: "vpc-1", subnetIds: ["subnet-1"] } },
        });
        for (const { inputs } of ofType(given, "aws:batch/computeEnvironment:ComputeEnvironment")) {
            assert.deepEqual((inputs as { computeResources: { subnets: string[] } }).computeResources.subnets, [
                "subnet-1",
            ]);
        }
        assert.ok(
            given.jobDefinitions.every(
                ({ containerProperties }) =>
                    (containerProperties.networkConfiguration as { assignPublicIp: string }).assignPublicIp ===
                    "DISABLED",
            ),
        );
    });

    it("gives a job the disk that is configured, on Fargate only", async () => {
        const jobs = { fetch: { ephemeralGb: 100 } };
        const dev = await evaluateStage("dev", { overrides: { jobs } });
        const disks = dev.jobDefinitions.map(({ name, containerProperties }) => [
            name.includes("-fetch-"),
            containerProperties.ephemeralStorage,
        ]);
        assert.equal(disks.filter(([, disk]) => disk !== undefined).length, 1);
        assert.deepEqual(disks.find(([isFetch]) => isFetch)?.[1], { sizeInGiB: 100 });
        const onHosts = { overrides: { jobs, compute: { type: "EC2", instanceTypes: ["m7i"] } } };
        await assert.rejects(evaluateStage("dev", onHosts), /jobs\.fetch\.ephemeralGb.*expected none/);
    });

    it("gives up a job that cannot be placed before the state's time-out does, and tells of it with the reason", () => {
        const dev = stages.get("dev") as EvaluatedStage;
        const { inputs } = one(dev, "aws:batch/jobQueue:JobQueue");
        const limits = inputs.jobStateTimeLimitActions as { state: string; reason: string; maxTimeSeconds: number }[];
        assert.deepEqual(
            limits.map(({ state, reason }) => [state, reason.split(":")[0]]),
            [
                ["RUNNABLE", "CAPACITY"],
                ["RUNNABLE", "MISCONFIGURATION"],
                ["RUNNABLE", "MISCONFIGURATION"],
            ],
        );
        assert.ok(limits.every(({ maxTimeSeconds }) => maxTimeSeconds >= 600 && maxTimeSeconds < JOB_QUEUE_SECONDS));
        const rule = ofType(dev, "aws:cloudwatch/eventRule:EventRule").find(({ name }) => name.endsWith("-blocked"));
        const pattern = JSON.parse(String(rule?.inputs.eventPattern)) as { detail: { jobQueue: string[] } };
        assert.match(pattern.detail.jobQueue[0] ?? "", new RegExp(`:job-queue/${String(inputs.name)}$`));
        const target = ofType(dev, "aws:cloudwatch/eventTarget:EventTarget").find(({ name }) =>
            name.endsWith("-blocked"),
        );
        assert.match(String(target?.inputs.arn), /:ensemble-dev-operations$/);
        const { inputPaths, inputTemplate } = target?.inputs.inputTransformer as {
            inputPaths: Record<string, string>;
            inputTemplate: string;
        };
        assert.equal(inputPaths.reason, "$.detail.statusReason");
        assert.match(inputTemplate, /Reason: <reason>/);
    });

    it("trains in a VPC and without network where that is configured", async () => {
        const vpc = { subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] };
        const isolated = await evaluateStage("dev", { overrides: { isolation: { network: true, vpc } } });
        const text = JSON.stringify(isolated.stateMachine.definition);
        assert.ok(text.includes('"VpcConfig":{"Subnets":["subnet-1"],"SecurityGroupIds":["sg-1"]}'));
        assert.equal(text.split('"EnableNetworkIsolation":true').length - 1, 3);
        assert.ok(text.includes("/opt/ml/input/data/code/sourcedir.tar.gz"));
        assert.match(
            text,
            /"name":"code","from":"code","path":"s3:\/\/ensemble-dev-[^"]+\/code\/image\/[0-9a-f]{64}\/sourcedir\.tar\.gz"/,
        );
        assert.ok(
            statementsOf(isolated).some(
                ({ role, statement }) =>
                    role.endsWith("-training") && [statement.Action].flat().includes("ec2:CreateNetworkInterface"),
            ),
        );
    });

    it("says which stages there are when one is asked for that is not", async () => {
        await assert.rejects(
            evaluateStage("staging"),
            /There is no stage "staging": Pulumi\.staging\.yaml is missing; there are dev, prod\./,
        );
    });
});

describe("a definition that fails in silence", () => {
    it("fails the program with the way to it", () => {
        const silent: StateMachineDefinition = {
            StartAt: "Train",
            QueryLanguage: "JSONata",
            TimeoutSeconds: 100,
            States: {
                Train: {
                    Type: "Task",
                    Resource: "arn:aws:states:::lambda:invoke",
                    Arguments: { FunctionName: "f" },
                    TimeoutSeconds: 10,
                    Catch: [{ ErrorEquals: ["States.ALL"], Next: "Done" }],
                    Next: "Done",
                },
                Done: { Type: "Succeed" },
            },
        };
        assert.throws(
            () => assertProven("m", silent),
            (error: unknown) => {
                assert.ok(error instanceof UnprovenDefinitionError);
                assert.match(error.message, /The state machine m is not deployed: its definition has \d+ errors?\./);
                assert.match(error.message, /Train -.*-> .*Done/);
                return true;
            },
        );
    });
});
