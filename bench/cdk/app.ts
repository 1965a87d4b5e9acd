/**
 * The same stage as a CDK app: the same states with the same expressions, and the same functions, jobs, roles, topics,
 * alarms and stores. What the stage declares comes from a file that bench/synth.ts writes out of the evaluated Pulumi
 * program, so that nothing is left out; every state is a construct of aws-stepfunctions, and what CDK has a construct
 * for is made with it.
 *
 *     STAGE=<file> node -r ./scripts/typescript.cjs bench/cdk/app.ts
 */
import { readFileSync } from "node:fs";
import * as cdk from "aws-cdk-lib";
import * as batch from "aws-cdk-lib/aws-batch";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import * as actions from "aws-cdk-lib/aws-cloudwatch-actions";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as ecr from "aws-cdk-lib/aws-ecr";
import * as assets from "aws-cdk-lib/aws-ecr-assets";
import * as events from "aws-cdk-lib/aws-events";
import * as iam from "aws-cdk-lib/aws-iam";
import * as kms from "aws-cdk-lib/aws-kms";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";
import * as s3 from "aws-cdk-lib/aws-s3";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import * as sns from "aws-cdk-lib/aws-sns";
import * as sqs from "aws-cdk-lib/aws-sqs";
import * as sfn from "aws-cdk-lib/aws-stepfunctions";
import * as tasks from "aws-cdk-lib/aws-stepfunctions-tasks";
import { Construct } from "constructs";

type Json = Record<string, unknown>;

/** A resource as the Pulumi program declares it. */
interface Declared {
    readonly type: string;
    readonly name: string;
    readonly inputs: Json;
}

interface StageFile {
    readonly stage: string;
    readonly identity: { readonly account: string; readonly region: string };
    readonly resources: readonly Declared[];
    /** Folder with the code of each function, by function name. */
    readonly functions: Record<string, string>;
    readonly images: readonly { readonly context: string; readonly dockerfile: string }[];
    /** Archives of the training scripts. */
    readonly archives: readonly string[];
}

interface Definition {
    readonly StartAt: string;
    readonly States: Record<string, Json>;
    readonly Comment?: string;
    readonly TimeoutSeconds?: number;
}

type Handler = { ErrorEquals: string[]; Next: string; Assign?: Json; Output?: unknown };
interface Retrier {
    readonly ErrorEquals: string[];
    readonly IntervalSeconds?: number;
    readonly MaxAttempts?: number;
    readonly BackoffRate?: number;
    readonly MaxDelaySeconds?: number;
    readonly JitterStrategy?: string;
}

/** Every state can be chained; the common class does not say so. */
type Chainable = sfn.State & sfn.IChainable;

/** A definition as constructs: one a state, and the edges between them. */
class Workflow {
    constructor(
        private readonly scope: Construct,
        private readonly aliases: ReadonlyMap<string, lambda.IFunction>,
        private readonly topic: sns.ITopic,
    ) {}

    graph({ StartAt, States }: Definition): Chainable {
        const made = new Map(Object.entries(States).map(([name, state]) => [name, this.state(name, state)]));
        const find = (name: unknown): Chainable => made.get(name as string) as Chainable;
        for (const [name, state] of Object.entries(States)) {
            const construct = find(name) as unknown as sfn.TaskStateBase;
            for (const retry of (state.Retry ?? []) as Retrier[]) {
                construct.addRetry({
                    errors: retry.ErrorEquals,
                    maxAttempts: retry.MaxAttempts,
                    backoffRate: retry.BackoffRate,
                    jitterStrategy: retry.JitterStrategy as sfn.JitterType,
                    ...(retry.IntervalSeconds === undefined
                        ? {}
                        : { interval: cdk.Duration.seconds(retry.IntervalSeconds) }),
                    ...(retry.MaxDelaySeconds === undefined
                        ? {}
                        : { maxDelay: cdk.Duration.seconds(retry.MaxDelaySeconds) }),
                });
            }
            for (const { ErrorEquals, Next, Assign, Output } of (state.Catch ?? []) as Handler[]) {
                construct.addCatch(find(Next), { errors: ErrorEquals, assign: Assign, outputs: Output });
            }
            for (const rule of (state.Choices ?? []) as Json[]) {
                const condition = sfn.Condition.jsonata(rule.Condition as string);
                const transition = { assign: rule.Assign as Json, outputs: rule.Output };
                (find(name) as unknown as sfn.Choice).when(condition, find(rule.Next), transition);
            }
            if (state.Default !== undefined) {
                (find(name) as unknown as sfn.Choice).otherwise(find(state.Default));
            }
            if (state.Next !== undefined) {
                construct.next(find(state.Next));
            }
        }
        return find(StartAt);
    }

    private state(name: string, state: Json): sfn.State {
        const id = name.replaceAll("/", "-");
        const common = {
            stateName: name,
            comment: state.Comment as string,
            assign: state.Assign as Json,
            outputs: state.Output,
        };
        switch (state.Type) {
            case "Pass":
                return sfn.Pass.jsonata(this.scope, id, common);
            case "Choice":
                return sfn.Choice.jsonata(this.scope, id, common);
            case "Wait":
                return sfn.Wait.jsonata(this.scope, id, {
                    ...common,
                    time:
                        typeof state.Seconds === "number"
                            ? sfn.WaitTime.duration(cdk.Duration.seconds(state.Seconds))
                            : sfn.WaitTime.seconds(state.Seconds as string),
                });
            case "Succeed":
                return sfn.Succeed.jsonata(this.scope, id, common);
            case "Fail":
                return sfn.Fail.jsonata(this.scope, id, {
                    ...common,
                    error: state.Error as string,
                    cause: state.Cause as string,
                });
            case "Parallel": {
                const parallel = sfn.Parallel.jsonata(this.scope, id, common);
                for (const branch of state.Branches as Definition[]) {
                    parallel.branch(this.graph(branch));
                }
                return parallel;
            }
            default:
                return this.task(id, state, common);
        }
    }

    private task(id: string, state: Json, common: Json): sfn.State {
        const given = state.Arguments as Json;
        const timed = {
            ...common,
            ...(typeof state.TimeoutSeconds === "number"
                ? { taskTimeout: sfn.Timeout.duration(cdk.Duration.seconds(state.TimeoutSeconds)) }
                : {}),
        };
        switch (state.Resource) {
            case "arn:aws:states:::lambda:invoke":
                return tasks.LambdaInvoke.jsonata(this.scope, id, {
                    ...timed,
                    lambdaFunction: this.aliases.get(given.FunctionName as string)!,
                    payload: sfn.TaskInput.fromObject(given.Payload as Json),
                    retryOnServiceExceptions: false,
                });
            case "arn:aws:states:::sns:publish":
                return tasks.SnsPublish.jsonata(this.scope, id, {
                    ...timed,
                    topic: this.topic,
                    subject: given.Subject as string,
                    message: sfn.TaskInput.fromText(given.Message as string),
                });
            case "arn:aws:states:::batch:submitJob.sync":
                return tasks.BatchSubmitJob.jsonata(this.scope, id, {
                    ...timed,
                    jobName: given.JobName as string,
                    jobDefinitionArn: given.JobDefinition as string,
                    jobQueueArn: given.JobQueue as string,
                    payload: sfn.TaskInput.fromObject(given.Parameters as Json),
                });
            default: {
                // The construct of a training takes no expression for whole parts of its arguments: the state as JSON.
                const { Catch: _catch, Retry: _retry, Next: _next, ...rest } = state;
                return new sfn.CustomState(this.scope, id, { stateJson: rest });
            }
        }
    }
}

class Stage extends cdk.Stack {
    constructor(
        app: cdk.App,
        private readonly file: StageFile,
    ) {
        super(app, "ensemble-training", { env: file.identity });
        const [keySpec] = this.declared("aws:kms/key:Key");
        const key = new kms.Key(this, "key", {
            alias: `alias/ensemble-${file.stage}`,
            enableKeyRotation: true,
            policy: iam.PolicyDocument.fromJson(JSON.parse(keySpec.inputs.policy as string)),
        });
        const groups = new Map(
            this.declared("aws:cloudwatch/logGroup:LogGroup").map(({ name, inputs }) => [
                inputs.name as string,
                new logs.LogGroup(this, `${name}-logs`, {
                    logGroupName: inputs.name as string,
                    retention: inputs.retentionInDays as number,
                    encryptionKey: key,
                }),
            ]),
        );
        const bucket = new s3.Bucket(this, "store", {
            bucketName: this.declared("aws:s3/bucket:Bucket")[0].inputs.bucket as string,
            encryption: s3.BucketEncryption.KMS,
            encryptionKey: key,
            bucketKeyEnabled: true,
            versioned: true,
            enforceSSL: true,
            objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
            lifecycleRules: [
                { id: "runs", prefix: "runs/", expiration: cdk.Duration.days(14) },
                { id: "checkpoints", prefix: "checkpoints/", expiration: cdk.Duration.days(14) },
                {
                    id: "leftovers",
                    noncurrentVersionExpiration: cdk.Duration.days(7),
                    abortIncompleteMultipartUploadAfter: cdk.Duration.days(7),
                },
            ],
        });
        const [alerts, operations] = this.declared("aws:sns/topic:Topic").map(
            ({ name, inputs }) =>
                new sns.Topic(this, name, {
                    topicName: inputs.name as string,
                    displayName: inputs.displayName as string,
                    masterKey: key,
                    enforceSSL: true,
                }),
        );
        for (const { name, inputs } of this.declared("aws:ecr/repository:Repository")) {
            new ecr.Repository(this, `${name}-repository`, {
                repositoryName: inputs.name as string,
                imageTagMutability: ecr.TagMutability.IMMUTABLE,
                imageScanOnPush: true,
                encryptionKey: key,
                lifecycleRules: [{ tagStatus: ecr.TagStatus.UNTAGGED, maxImageAge: cdk.Duration.days(7) }],
            });
        }
        file.images.forEach(({ context, dockerfile }, index) => {
            new assets.DockerImageAsset(this, `image-${index}`, {
                directory: context,
                file: dockerfile,
                platform: assets.Platform.LINUX_AMD64,
            });
        });
        file.archives.forEach((path, index) => {
            new Asset(this, `source-${index}`, { path });
        });

        const roles = this.roles();
        const aliases = this.functions(key, groups, roles);
        this.jobs();
        const machine = this.machine(aliases, alerts, groups, roles);
        this.watch(machine, alerts, operations);
        new cdk.CfnOutput(this, "bucket-name", { value: bucket.bucketName });
        new cdk.CfnOutput(this, "machine-arn", { value: machine.stateMachineArn });
    }

    private declared(type: string): readonly Declared[] {
        return this.file.resources.filter((resource) => resource.type === type);
    }

    private roles(): Map<string, iam.Role> {
        const policies = this.declared("aws:iam/rolePolicy:RolePolicy");
        return new Map(
            this.declared("aws:iam/role:Role").map(({ name, inputs }) => {
                const trust = JSON.parse(inputs.assumeRolePolicy as string) as {
                    Statement: { Principal: { Service: string }; Condition?: Json }[];
                };
                const [{ Principal, Condition }] = trust.Statement;
                const role = new iam.Role(this, `${name}-role`, {
                    roleName: inputs.name as string,
                    description: inputs.description as string,
                    assumedBy: new iam.ServicePrincipal(
                        Principal.Service,
                        Condition === undefined ? {} : { conditions: Condition as never },
                    ),
                });
                for (const policy of policies.filter(({ inputs: { role: of } }) => of === inputs.name)) {
                    const { Statement } = JSON.parse(policy.inputs.policy as string) as { Statement: Json[] };
                    Statement.forEach((statement) => role.addToPolicy(iam.PolicyStatement.fromJson(statement)));
                }
                return [inputs.name as string, role];
            }),
        );
    }

    private functions(
        key: kms.Key,
        groups: Map<string, logs.LogGroup>,
        roles: Map<string, iam.Role>,
    ): Map<string, lambda.IFunction> {
        const aliases = this.declared("aws:lambda/alias:Alias");
        return new Map(
            this.declared("aws:lambda/function:Function").map(({ name, inputs }) => {
                const made = new lambda.Function(this, name, {
                    functionName: inputs.name as string,
                    description: inputs.description as string,
                    handler: "index.handler",
                    runtime: lambda.Runtime.NODEJS_22_X,
                    memorySize: inputs.memorySize as number,
                    code: lambda.Code.fromAsset(this.file.functions[inputs.name as string]),
                    timeout: cdk.Duration.seconds(inputs.timeout as number),
                    environmentEncryption: key,
                    tracing: lambda.Tracing.ACTIVE,
                    role: roles.get((inputs.role as string).split("/").at(-1)!),
                    loggingFormat: lambda.LoggingFormat.JSON,
                    logGroup: groups.get(`/aws/lambda/${inputs.name as string}`),
                });
                const alias = aliases.find(({ inputs: { functionName } }) => functionName === inputs.name)!;
                const aliasName = alias.inputs.name as string;
                return [
                    `arn:aws:lambda:${this.region}:${this.account}:function:${inputs.name as string}:${aliasName}`,
                    new lambda.Alias(this, alias.name, { aliasName, version: made.currentVersion }),
                ];
            }),
        );
    }

    private jobs(): void {
        const [environmentSpec] = this.declared("aws:batch/computeEnvironment:ComputeEnvironment");
        const computing = environmentSpec.inputs.computeResources as {
            maxVcpus: number;
            subnets: string[];
            type: string;
        };
        const vpc = ec2.Vpc.fromVpcAttributes(this, "vpc", {
            vpcId: "vpc-0123456789abcdef0",
            availabilityZones: [`${this.region}a`, `${this.region}b`],
            publicSubnetIds: computing.subnets,
        });
        const group = new ec2.SecurityGroup(this, "jobs-security", { vpc, allowAllOutbound: false });
        group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), "AWS services");
        const environment = new batch.FargateComputeEnvironment(this, "environment", {
            vpc,
            vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
            securityGroups: [group],
            maxvCpus: computing.maxVcpus,
            spot: computing.type === "FARGATE_SPOT",
        });
        const queue = new batch.JobQueue(this, "queue", {
            jobQueueName: this.declared("aws:batch/jobQueue:JobQueue")[0].inputs.name as string,
        });
        queue.addComputeEnvironment(environment, 0);
        for (const { name, inputs } of this.declared("aws:batch/jobDefinition:JobDefinition")) {
            const container = JSON.parse(inputs.containerProperties as string) as Json;
            new batch.CfnJobDefinition(this, name, {
                jobDefinitionName: inputs.name as string,
                type: "container",
                platformCapabilities: inputs.platformCapabilities as string[],
                containerProperties: container as unknown as batch.CfnJobDefinition.ContainerPropertiesProperty,
                timeout: inputs.timeout as batch.CfnJobDefinition.JobTimeoutProperty,
                retryStrategy: { attempts: (inputs.retryStrategy as { attempts: number }).attempts },
                propagateTags: true,
            });
        }
    }

    private machine(
        aliases: Map<string, lambda.IFunction>,
        alerts: sns.ITopic,
        groups: Map<string, logs.LogGroup>,
        roles: Map<string, iam.Role>,
    ): sfn.StateMachine {
        const [spec] = this.declared("aws:sfn/stateMachine:StateMachine");
        const definition = JSON.parse(spec.inputs.definition as string) as Definition;
        const workflow = new Workflow(this, aliases, alerts);
        return new sfn.StateMachine(this, "machine", {
            stateMachineName: spec.inputs.name as string,
            queryLanguage: sfn.QueryLanguage.JSONATA,
            comment: definition.Comment,
            timeout: cdk.Duration.seconds(definition.TimeoutSeconds!),
            role: roles.get((spec.inputs.roleArn as string).split("/").at(-1)!),
            definitionBody: sfn.DefinitionBody.fromChainable(workflow.graph(definition)),
            tracingEnabled: true,
            logs: {
                destination: groups.get(`/aws/vendedlogs/states/${spec.inputs.name as string}`)!,
                level: sfn.LogLevel.ALL,
                includeExecutionData: true,
            },
        });
    }

    private watch(machine: sfn.StateMachine, alerts: sns.Topic, operations: sns.Topic): void {
        const [ruleSpec] = this.declared("aws:cloudwatch/eventRule:EventRule");
        const undelivered = new sqs.Queue(this, "undelivered", {
            retentionPeriod: cdk.Duration.days(14),
            encryption: sqs.QueueEncryption.SQS_MANAGED,
            enforceSSL: true,
        });
        const [targetSpec] = this.declared("aws:cloudwatch/eventTarget:EventTarget");
        const { inputPaths, inputTemplate } = targetSpec.inputs.inputTransformer as {
            inputPaths: Record<string, string>;
            inputTemplate: string;
        };
        const rule = new events.CfnRule(this, "rule", {
            name: ruleSpec.inputs.name as string,
            description: ruleSpec.inputs.description as string,
            eventPattern: JSON.parse(ruleSpec.inputs.eventPattern as string),
            targets: [
                {
                    id: "alerts",
                    arn: alerts.topicArn,
                    roleArn: targetSpec.inputs.roleArn as string,
                    deadLetterConfig: { arn: undelivered.queueArn },
                    inputTransformer: { inputPathsMap: inputPaths, inputTemplate },
                },
            ],
        });
        undelivered.grantSendMessages(new iam.ServicePrincipal("events.amazonaws.com"));
        rule.addResourceDependency(machine.node.defaultChild as cdk.CfnResource);
        for (const { name, inputs } of this.declared("aws:cloudwatch/metricAlarm:MetricAlarm")) {
            const metric = new cloudwatch.Metric({
                namespace: inputs.namespace as string,
                metricName: inputs.metricName as string,
                dimensionsMap: inputs.dimensions as Record<string, string>,
                period: cdk.Duration.seconds(inputs.period as number),
                statistic: inputs.statistic as string,
            });
            new cloudwatch.Alarm(this, name, {
                metric,
                alarmName: inputs.name as string,
                alarmDescription: inputs.alarmDescription as string,
                threshold: inputs.threshold as number,
                evaluationPeriods: inputs.evaluationPeriods as number,
                comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            }).addAlarmAction(new actions.SnsAction(operations));
        }
    }
}

const app = new cdk.App();
const stage = new Stage(app, JSON.parse(readFileSync(process.env.STAGE!, "utf8")) as StageFile);
for (const [key, value] of Object.entries({ service: "ensemble", stage: "dev", subservice: "training" })) {
    cdk.Tags.of(stage).add(key, value);
}
app.synth();
