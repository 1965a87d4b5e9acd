import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as sqs from "@pulumi/aws/sqs";
import * as pulumi from "@pulumi/pulumi";
import { defined } from "../ground/fields";
import { alarms, type AlarmSpec } from "./alarm";
import { policyDocument, trustPolicy, type Statement } from "./iam";
import type { StageNames } from "./names";
import { StageRole } from "./role";
import type { StageTags } from "./tags";

/** What the Error of a Fail state begins with when a message went out before it. */
export const NOTIFIED_PREFIX = "Notified.";

/**
 * The events that the rule answers to: executions of this state machine that ended badly and that no state has told of.
 * A timeout, an abort, States.Runtime, States.DataLimitExceeded and a failed notification reach no state.
 *
 * `anything-but` alone does not match where the field is missing, as in a timeout or an abort without an error.
 *
 * @param notifiedPrefix What the Error of a Fail begins with when a state has told of the failure; undefined where none
 * does, and every execution that ended badly is an event.
 */
export function failurePattern(
    stateMachineArn: string,
    notifiedPrefix: string | undefined,
): Readonly<Record<string, unknown>> {
    const untold = [{ "anything-but": { prefix: notifiedPrefix } }, null, { exists: false }];
    return {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": defined({
            stateMachineArn: [stateMachineArn],
            status: ["FAILED", "TIMED_OUT", "ABORTED"],
            error: notifiedPrefix === undefined ? undefined : untold,
        }),
    };
}

/** What the rule writes: which parts of the event, and the lines that they go into. */
export interface FailureMessage {
    /** Names of the variables to their JSON paths in the event. */
    readonly inputPaths: Readonly<Record<string, string>>;
    /** Quoted lines; `<name>` is replaced by the variable. At most 8,192 characters. */
    readonly inputTemplate: string;
}

/**
 * The message of an execution that ended where no state could tell of it. It has the identity `<execution>#<redrive>`,
 * because AWS delivers at least once. Cause and input stay out: they can be longer than a message and hold what a mail
 * should not.
 */
export function failureMessage(names: StageNames): FailureMessage {
    const console = names.console("states/home", "/v2/executions/details/<execution>");
    const lines = [
        `${names.name.service} (${names.name.stage}): model training ended <status> without a message of its own.`,
        "Execution: <execution>",
        "Error: <error>",
        "Console: " + console,
        "Explain: npx ensemble explain <execution>",
        "Resume: start a new execution with the same input; what was trained is reused.",
        "Message: <execution>#<redrive>",
    ];
    return {
        inputPaths: {
            status: "$.detail.status",
            execution: "$.detail.executionArn",
            error: "$.detail.error",
            redrive: "$.detail.redriveCount",
        },
        inputTemplate: lines.map((line) => `"${line}"`).join("\n"),
    };
}

/** The events that Batch sends of a job that cannot be placed at the head of the stage's queue. */
function blockedQueuePattern(jobQueueArn: string): Readonly<Record<string, unknown>> {
    return {
        "source": ["aws.batch"],
        "detail-type": ["Batch Job Queue Blocked"],
        "detail": { jobQueue: [jobQueueArn] },
    };
}

/** What the operations topic is told of such a job, with Batch's reason. */
function blockedQueueMessage(names: StageNames): FailureMessage {
    const lines = [
        `${names.name.service} (${names.name.stage}): job <job> waits for a machine and holds up the queue.`,
        "Reason: <reason>",
        "Queue: <queue>",
        "Batch cancels the job when the queue's limit is reached; for want of capacity it is tried again.",
        "What to do: compare jobs and compute of the stage's configuration, and its subnets, with the reason.",
        "Message: <id>",
    ];
    return {
        inputPaths: {
            job: "$.detail.jobName",
            reason: "$.detail.statusReason",
            queue: "$.detail.jobQueue",
            id: "$.detail.jobId",
        },
        inputTemplate: lines.map((line) => `"${line}"`).join("\n"),
    };
}

/**
 * The alarms of a stage: that executions fail, or that the telling of it does.
 *
 * @param starts Whether the queue of undelivered messages also holds starts by a schedule or by new data.
 */
function alarmSpecs(names: StageNames, starts = false): AlarmSpec[] {
    const machine = { StateMachineArn: names.stateMachineArn };
    const execution = (name: string, metric: string, what: string): AlarmSpec => ({
        name,
        metric,
        statistic: "Sum",
        namespace: "AWS/States",
        dimensions: machine,
        description: `${what}. Backs up the message about it: AWS delivers events by best effort.`,
    });
    return [
        execution("executions-failed", "ExecutionsFailed", "A training failed"),
        execution("executions-timed-out", "ExecutionsTimedOut", "A training ran out of time"),
        execution("executions-aborted", "ExecutionsAborted", "A training was aborted"),
        execution("executions-throttled", "ExecutionThrottled", "Step Functions throttles the state machine"),
        {
            name: "failure-rule",
            metric: "FailedInvocations",
            statistic: "Sum",
            namespace: "AWS/Events",
            dimensions: { RuleName: names.failureRule },
            description: "The rule could not tell of a failed execution: look at its role and at the topic.",
        },
        {
            name: "failure-undelivered",
            metric: "ApproximateNumberOfMessagesVisible",
            statistic: "Maximum",
            namespace: "AWS/SQS",
            dimensions: { QueueName: names.undeliveredQueue },
            description:
                `A message about a failed execution${starts ? ", or the start of one," : ""} could not be delivered; ` +
                "it lies in the queue.",
        },
        {
            name: "failure-lost",
            metric: "InvocationsFailedToBeSentToDlq",
            statistic: "Sum",
            namespace: "AWS/Events",
            dimensions: { RuleName: names.failureRule },
            description: "A message about a failed execution could neither be delivered nor kept.",
        },
        {
            name: "alerts-undelivered",
            metric: "NumberOfNotificationsFailed",
            statistic: "Sum",
            namespace: "AWS/SNS",
            dimensions: { TopicName: names.topic("alerts") },
            description: "The alerts topic could not reach a subscriber.",
        },
    ];
}

/** What the policy of a queue says that keeps what rules could not deliver. */
export function undeliveredStatements(queueArn: string, ruleArns: string | readonly string[]): Statement[] {
    return [
        {
            Sid: "UndeliveredOfTheRule",
            Effect: "Allow",
            Principal: { Service: "events.amazonaws.com" },
            Action: "sqs:SendMessage",
            Resource: queueArn,
            Condition: { ArnEquals: { "aws:SourceArn": ruleArns } },
        },
        {
            Sid: "TlsOnly",
            Effect: "Deny",
            Principal: "*",
            Action: "sqs:*",
            Resource: queueArn,
            Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
    ];
}

/** How long, and how often, EventBridge tries to deliver what it was told. */
export const DELIVERY = { maximumEventAgeInSeconds: 24 * 3600, maximumRetryAttempts: 185 };

/** Days that SQS keeps a message at most, in seconds. */
export const UNDELIVERED_SECONDS = 14 * 24 * 3600;

export interface FailureWatchArgs {
    readonly names: StageNames;
    readonly keyArn: pulumi.Input<string>;
    /**
     * Where executions are started by AWS: what could not be started goes into the same queue, and so into the same
     * alarm. ARNs of the rules that do so; empty where only a schedule does, which sends with a role.
     */
    readonly startingRules?: readonly string[];
    readonly tags: StageTags;
}

/** Everything that notices a failed execution from outside: rule, role, dead-letter queue and alarms. */
export class FailureWatch extends pulumi.ComponentResource {
    readonly ruleArn: pulumi.Output<string>;
    readonly undeliveredQueueUrl: pulumi.Output<string>;
    /** What must exist before anything else delivers into the queue. */
    readonly queueParts: readonly pulumi.Resource[];

    constructor(name: string, args: FailureWatchArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:events:FailureWatch", name, {}, opts);
        const { names, tags, startingRules = [] } = args;
        const ownRules = [names.failureRuleArn, names.blockedQueueRuleArn];
        const child = { parent: this };
        const queue = new sqs.Queue(
            `${name}-undelivered`,
            {
                name: names.undeliveredQueue,
                messageRetentionSeconds: UNDELIVERED_SECONDS,
                // SQS's own key: EventBridge could use the stage's key only by a statement for the service without any
                // source condition.
                sqsManagedSseEnabled: true,
                tags,
            },
            child,
        );
        const queuePolicy = new sqs.QueuePolicy(
            `${name}-undelivered`,
            {
                queueUrl: queue.url,
                policy: policyDocument(
                    undeliveredStatements(names.undeliveredQueueArn, [...ownRules, ...startingRules]),
                ),
            },
            child,
        );
        const role = new StageRole(
            `${name}-role`,
            {
                roleName: names.role("failure-rule"),
                description: "Tells of executions that ended where no state could",
                // A role, because conditions do not work in the policy of a topic that EventBridge publishes to.
                trust: trustPolicy(names.identity, "events.amazonaws.com", ownRules),
                statements: [
                    {
                        Sid: "Tell",
                        Effect: "Allow",
                        Action: "sns:Publish",
                        Resource: [names.topicArn("alerts"), names.topicArn("operations")],
                    },
                ],
                keyActions: ["kms:Decrypt", "kms:GenerateDataKey"],
                keyArn: args.keyArn,
                tags,
            },
            child,
        );
        const rule = new cloudwatch.EventRule(
            name,
            {
                name: names.failureRule,
                description: `Executions of ${names.stateMachine} that ended badly and of which no state has told`,
                eventPattern: JSON.stringify(failurePattern(names.stateMachineArn, NOTIFIED_PREFIX)),
                tags,
            },
            child,
        );
        new cloudwatch.EventTarget(
            name,
            {
                rule: rule.name,
                targetId: "alerts",
                arn: names.topicArn("alerts"),
                roleArn: role.arn,
                inputTransformer: failureMessage(names),
                deadLetterConfig: { arn: queue.arn },
                retryPolicy: DELIVERY,
            },
            { ...child, dependsOn: [...role.parts, queuePolicy] },
        );
        const blocked = new cloudwatch.EventRule(
            `${name}-blocked`,
            {
                name: names.blockedQueueRule,
                description: `Jobs of ${names.jobQueue} that cannot be placed`,
                eventPattern: JSON.stringify(blockedQueuePattern(names.jobQueueArn)),
                tags,
            },
            child,
        );
        new cloudwatch.EventTarget(
            `${name}-blocked`,
            {
                rule: blocked.name,
                targetId: "operations",
                arn: names.topicArn("operations"),
                roleArn: role.arn,
                inputTransformer: blockedQueueMessage(names),
                deadLetterConfig: { arn: queue.arn },
                retryPolicy: { maximumEventAgeInSeconds: 24 * 3600, maximumRetryAttempts: 185 },
            },
            { ...child, dependsOn: [...role.parts, queuePolicy] },
        );
        alarms(name, names, alarmSpecs(names, args.startingRules !== undefined), tags, child);
        this.ruleArn = rule.arn;
        this.undeliveredQueueUrl = queue.url;
        this.queueParts = [queue, queuePolicy];
        this.registerOutputs({ ruleArn: this.ruleArn, undeliveredQueueUrl: this.undeliveredQueueUrl });
    }
}
