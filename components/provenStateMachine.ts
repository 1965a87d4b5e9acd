/**
 * A state machine of one's own, with everything that it stands on, and the proof that none of its failures is silent.
 *
 * ```ts
 * import { callerIdentity, ProvenStateMachine } from "@ensemble-training/pulumi/provenStateMachine";
 *
 * export = async () => {
 *     const machine = new ProvenStateMachine("order-import", {
 *         identity: await callerIdentity(),
 *         machine: stateMachine({ ... }),
 *         failureTopicArn: topic.arn,
 *     });
 *     return { stateMachineArn: machine.arn };
 * };
 * ```
 *
 * @packageDocumentation
 */
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as iam from "@pulumi/aws/iam";
import * as sfn from "@pulumi/aws/sfn";
import * as sqs from "@pulumi/aws/sqs";
import * as pulumi from "@pulumi/pulumi";
import { policyDocument as permissionsDocument, type Machine } from "../asl/states";
import { LOG_RETENTION_DAYS } from "../ground/awsLimits";
import { consoleUrl } from "../ground/console";
import { defined } from "../ground/fields";
import { DELIVERY, failurePattern, UNDELIVERED_SECONDS, undeliveredStatements } from "./failureWatch";
import { observationStatements, policyDocument, trustPolicy } from "./iam";
import type { Identity } from "./names";
import { assertProven } from "./proof";

export { callerIdentity } from "./identity";
export type { Identity } from "./names";
export { assertProven, UnprovenDefinitionError } from "./proof";

/** What a {@link ProvenStateMachine} is made from. */
export interface ProvenStateMachineArgs {
    /** Whose account and which region: what {@link callerIdentity} answers. */
    readonly identity: Identity;
    /**
     * What `stateMachine()` of the typed states has assembled: the definition, and what its Tasks need. Plain, so that
     * it is proved at every preview: the ARNs in it are put together from names, not taken from outputs.
     */
    readonly machine: Machine;
    /** ARN of the topic that is told when an execution ended badly and no state has told of it. */
    readonly failureTopicArn: pulumi.Input<string>;
    /** ARN of the key that the topic is encrypted with. Default: the topic has none of its own. */
    readonly failureTopicKeyArn?: pulumi.Input<string>;
    /**
     * What the Error of a Fail begins with when a state has told of the failure before: the rule leaves these out, and
     * the proof holds that a message went before each. Default: no state tells, and the rule tells of all.
     */
    readonly notifiedPrefix?: string;
    /**
     * The machine's name: 1 to 80 letters, digits, `-` and `_`. Explicit, because its ARN must be known at the first
     * preview. Default: `<component>-<stack>`.
     */
    readonly stateMachineName?: string;
    /** Days until what executions log expires, one of CloudWatch's: 1, 3, 5, 7, 14, 30 ... 3,653. Default: 30. */
    readonly logRetentionDays?: number;
    /** ARN of the key that the log is encrypted with. Default: CloudWatch's own. */
    readonly logKeyArn?: pulumi.Input<string>;
    /** What the definition names by ARN, and what must be there before the first execution. Default: nothing. */
    readonly targets?: readonly pulumi.Resource[];
    /** Default: none. */
    readonly tags?: Readonly<Record<string, string>>;
}

/** Names and ARNs that are known before anything is there. */
interface Names {
    readonly identity: Identity;
    readonly stateMachine: string;
    readonly stateMachineArn: string;
    readonly logGroup: string;
}

function namesOf(name: string, { identity, stateMachineName }: ProvenStateMachineArgs): Names {
    const stateMachine = stateMachineName ?? `${name}-${pulumi.getStack()}`;
    if (!/^[\w-]{1,80}$/.test(stateMachine)) {
        throw new pulumi.RunError(
            `${name}: the state machine's name must be 1 to 80 letters, digits, - and _, received "${stateMachine}"`,
        );
    }
    const { partition, region, account } = identity;
    return {
        identity,
        stateMachine,
        stateMachineArn: `arn:${partition}:states:${region}:${account}:stateMachine:${stateMachine}`,
        // below this prefix CloudWatch needs no statement of its resource policy, whose length is bounded
        logGroup: `/aws/vendedlogs/states/${stateMachine}`,
    };
}

function checkRetention(name: string, days: number): number {
    if (!LOG_RETENTION_DAYS.includes(days)) {
        throw new pulumi.RunError(
            `${name}: logRetentionDays must be one of ${LOG_RETENTION_DAYS.join(", ")}, received ${days}`,
        );
    }
    return days;
}

/**
 * A Standard state machine with its role, its log, and a rule that tells of what no state can see: a time-out, an
 * abort, an execution whose own notification failed. The role may do what the states need and nothing else. A
 * definition that can fail in silence fails the program, with the way to it.
 *
 * @throws UnprovenDefinitionError; RunError for a value out of its bounds.
 */
export class ProvenStateMachine extends pulumi.ComponentResource {
    readonly arn: pulumi.Output<string>;
    readonly stateMachineName: pulumi.Output<string>;
    readonly roleArn: pulumi.Output<string>;
    readonly logGroupName: pulumi.Output<string>;
    /** Where messages lie that could not be delivered. */
    readonly undeliveredQueueUrl: pulumi.Output<string>;

    constructor(name: string, args: ProvenStateMachineArgs, opts?: pulumi.ComponentResourceOptions) {
        const { definition } = args.machine;
        super("ensemble:sfn:ProvenStateMachine", name, { definition }, opts);
        const names = namesOf(name, args);
        assertProven(names.stateMachine, definition, defined({ notifiedPrefix: args.notifiedPrefix }));
        const logs = this.log(name, names, args);
        const { role, policy } = this.role(name, names, args);
        const queue = this.watch(name, names, args);
        const machine = new sfn.StateMachine(
            name,
            {
                name: names.stateMachine,
                type: "STANDARD",
                definition: JSON.stringify(definition),
                roleArn: role.arn,
                loggingConfiguration: {
                    level: "ALL",
                    includeExecutionData: true,
                    // computed and not the group's output: a policy can judge it at the first preview
                    logDestination: `${logGroupArn(names)}:*`,
                },
                tracingConfiguration: { enabled: true },
                tags: args.tags,
            },
            // creation fails where the role's policy is not there yet
            { parent: this, dependsOn: [logs, role, policy, ...(args.targets ?? [])] },
        );
        this.arn = machine.arn;
        this.stateMachineName = machine.name;
        this.roleArn = role.arn;
        this.logGroupName = logs.name;
        this.undeliveredQueueUrl = queue.url;
        this.registerOutputs({ arn: this.arn, stateMachineName: this.stateMachineName });
    }

    private log(name: string, names: Names, args: ProvenStateMachineArgs): cloudwatch.LogGroup {
        return new cloudwatch.LogGroup(
            name,
            {
                name: names.logGroup,
                retentionInDays: checkRetention(name, args.logRetentionDays ?? 30),
                kmsKeyId: args.logKeyArn,
                tags: args.tags,
            },
            { parent: this },
        );
    }

    private role(
        name: string,
        { identity, stateMachineArn, stateMachine }: Names,
        { machine, tags }: ProvenStateMachineArgs,
    ): { readonly role: iam.Role; readonly policy: iam.RolePolicy } {
        const role = new iam.Role(
            name,
            {
                description: `What the states of ${stateMachine} do`,
                assumeRolePolicy: trustPolicy(identity, "states.amazonaws.com", stateMachineArn),
                tags,
            },
            { parent: this },
        );
        const { Version, Statement } = permissionsDocument(machine.permissions);
        const policy = new iam.RolePolicy(
            name,
            {
                name: "tasks",
                role: role.name,
                policy: JSON.stringify({ Version, Statement: [...Statement, ...observationStatements()] }),
            },
            { parent: this },
        );
        return { role, policy };
    }

    /** Rule, role and dead-letter queue that tell of an execution from outside. */
    private watch(name: string, names: Names, args: ProvenStateMachineArgs): sqs.Queue {
        const { failureTopicArn, failureTopicKeyArn, tags } = args;
        const child = { parent: this };
        const rule = new cloudwatch.EventRule(
            name,
            {
                description: `Executions of ${names.stateMachine} that ended badly and of which no state has told`,
                eventPattern: JSON.stringify(failurePattern(names.stateMachineArn, args.notifiedPrefix)),
                tags,
            },
            child,
        );
        const queue = new sqs.Queue(
            `${name}-undelivered`,
            { messageRetentionSeconds: UNDELIVERED_SECONDS, sqsManagedSseEnabled: true, tags },
            child,
        );
        const queuePolicy = new sqs.QueuePolicy(
            `${name}-undelivered`,
            {
                queueUrl: queue.url,
                policy: pulumi
                    .all([queue.arn, rule.arn])
                    .apply(([queueArn, ruleArn]) => policyDocument(undeliveredStatements(queueArn, ruleArn))),
            },
            child,
        );
        const role = new iam.Role(
            `${name}-failure-rule`,
            {
                description: `Tells of executions of ${names.stateMachine} that ended where no state could`,
                assumeRolePolicy: trustPolicy(names.identity, "events.amazonaws.com"),
                tags,
            },
            child,
        );
        const tell = new iam.RolePolicy(
            `${name}-failure-rule`,
            { name: "tell", role: role.name, policy: tellPolicy(failureTopicArn, failureTopicKeyArn) },
            child,
        );
        new cloudwatch.EventTarget(
            name,
            {
                rule: rule.name,
                targetId: "failures",
                arn: failureTopicArn,
                roleArn: role.arn,
                inputTransformer: messageOf(names),
                deadLetterConfig: { arn: queue.arn },
                retryPolicy: DELIVERY,
            },
            { ...child, dependsOn: [tell, queuePolicy] },
        );
        return queue;
    }
}

function logGroupArn({ identity: { partition, region, account }, logGroup }: Names): string {
    return `arn:${partition}:logs:${region}:${account}:log-group:${logGroup}`;
}

function tellPolicy(topicArn: pulumi.Input<string>, keyArn: pulumi.Input<string> | undefined): pulumi.Output<string> {
    return pulumi.all([topicArn, keyArn]).apply(([topic, key]) => {
        const publish = { Sid: "Tell", Effect: "Allow" as const, Action: "sns:Publish", Resource: topic };
        if (key === undefined) {
            return policyDocument([publish]);
        }
        const Action = ["kms:Decrypt", "kms:GenerateDataKey"];
        return policyDocument([publish, { Sid: "TopicKey", Effect: "Allow", Action, Resource: key }]);
    });
}

/** The message of an execution: cause and input stay out, since they can be longer than a message and hold secrets. */
function messageOf({ identity, stateMachine }: Names): {
    readonly inputPaths: Readonly<Record<string, string>>;
    readonly inputTemplate: string;
} {
    const lines = [
        `${stateMachine} ended <status> without a message of its own.`,
        "Execution: <execution>",
        "Error: <error>",
        `Console: ${consoleUrl(identity.region, "states/home", "/v2/executions/details/<execution>")}`,
    ];
    return {
        inputPaths: { status: "$.detail.status", execution: "$.detail.executionArn", error: "$.detail.error" },
        inputTemplate: lines.map((line) => `"${line}"`).join("\n"),
    };
}
