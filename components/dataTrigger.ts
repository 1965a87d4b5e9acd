import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as s3 from "@pulumi/aws/s3";
import * as pulumi from "@pulumi/pulumi";
import type { S3Address } from "../ground/s3Address";
import { alarms, type AlarmSpec } from "./alarm";
import { startStatements, trustPolicy } from "./iam";
import type { StageNames } from "./names";
import { StageRole } from "./role";
import type { StageTags } from "./tags";

/**
 * Stands in the input of a triggered execution for the address of the marker. EventBridge puts the event's values in.
 */
export const MARKER_ADDRESS = "s3://<bucket>/<key>";

export interface DataTriggerArgs {
    readonly names: StageNames;
    /**
     * Every folder below it is a data set. Of another bucket than the stage's, whose owner must let it send events to
     * EventBridge.
     */
    readonly prefix: S3Address;
    /** Name of the file that is written last: one data set, one such file, one execution. */
    readonly marker: string;
    /**
     * The input of each execution: JSON, in which {@link MARKER_ADDRESS} stands for the data. At most 8,192 characters.
     */
    readonly input: string;
    readonly keyArn: pulumi.Input<string>;
    readonly tags: StageTags;
}

/** The events of a finished data set: the marker's object is there, however it was uploaded. */
function newDataPattern({ bucket, key }: S3Address, marker: string): Readonly<Record<string, unknown>> {
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": { bucket: { name: [bucket] }, object: { key: [{ wildcard: `${key}/*/${marker}` }] } },
    };
}

/** What says that new data started nothing. */
function triggerAlarms(names: StageNames): AlarmSpec[] {
    const rule = { RuleName: names.newDataRule };
    return [
        {
            name: "trigger-failed",
            metric: "FailedInvocations",
            statistic: "Sum",
            namespace: "AWS/Events",
            dimensions: rule,
            description:
                "New data could not start a training: look at the rule's role and at the queue of undelivered " +
                "messages.",
        },
        {
            name: "trigger-lost",
            metric: "InvocationsFailedToBeSentToDlq",
            statistic: "Sum",
            namespace: "AWS/Events",
            dimensions: rule,
            description: "A start by new data could neither be done nor kept in the queue of undelivered messages.",
        },
    ];
}

/**
 * Starts an execution when a data set is complete. An event delivered twice starts two, of which the later reuses what
 * is there.
 */
export class DataTrigger extends pulumi.ComponentResource {
    readonly ruleArn: pulumi.Output<string>;

    constructor(name: string, args: DataTriggerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:events:DataTrigger", name, {}, opts);
        const { names, tags, prefix, marker } = args;
        const child = { parent: this };
        if (prefix.bucket === names.bucket) {
            new s3.BucketNotification(name, { bucket: names.bucket, eventbridge: true }, child);
        }
        const role = new StageRole(
            `${name}-role`,
            {
                roleName: names.role("new-data-rule"),
                description: "Starts the training on new data",
                trust: trustPolicy(names.identity, "events.amazonaws.com", names.newDataRuleArn),
                statements: startStatements(names),
                keyArn: args.keyArn,
                tags,
            },
            child,
        );
        const rule = new cloudwatch.EventRule(
            name,
            {
                name: names.newDataRule,
                description: `${marker} of a new data set below s3://${prefix.bucket}/${prefix.key}`,
                eventPattern: JSON.stringify(newDataPattern(prefix, marker)),
                tags,
            },
            child,
        );
        new cloudwatch.EventTarget(
            name,
            {
                rule: rule.name,
                targetId: "training",
                arn: names.stateMachineArn,
                roleArn: role.arn,
                inputTransformer: {
                    inputPaths: { bucket: "$.detail.bucket.name", key: "$.detail.object.key" },
                    inputTemplate: args.input,
                },
                deadLetterConfig: { arn: names.undeliveredQueueArn },
                retryPolicy: { maximumEventAgeInSeconds: 24 * 3600, maximumRetryAttempts: 185 },
            },
            { ...child, dependsOn: [...role.parts] },
        );
        alarms(name, names, triggerAlarms(names), tags, child);
        this.ruleArn = rule.arn;
        this.registerOutputs({ ruleArn: this.ruleArn });
    }
}
