import * as sns from "@pulumi/aws/sns";
import * as pulumi from "@pulumi/pulumi";
import { policyDocument, type Statement } from "./iam";
import type { StageNames } from "./names";
import type { StageTags } from "./tags";

export interface AlertsArgs {
    readonly names: StageNames;
    readonly keyArn: pulumi.Input<string>;
    /**
     * E-mail addresses that get one message for each failed execution (and, where configured, for each that succeeded).
     */
    readonly failureAddresses: readonly string[];
    /** E-mail addresses that get the alarms: of what should have sent a message and did not. */
    readonly operationsAddresses: readonly string[];
    readonly tags: StageTags;
}

/**
 * The policy of a topic: nobody without TLS; alarms of this account where `alarms` says so. Everybody else publishes by
 * a role.
 */
function topicPolicy(names: StageNames, topic: "alerts" | "operations"): Statement[] {
    const arn = names.topicArn(topic);
    const tlsOnly: Statement = {
        Sid: "TlsOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "sns:Publish",
        Resource: arn,
        Condition: { Bool: { "aws:SecureTransport": "false" } },
    };
    return topic === "alerts"
        ? [tlsOnly]
        : [
              tlsOnly,
              {
                  Sid: "AlarmsOfThisAccount",
                  Effect: "Allow",
                  Principal: { Service: "cloudwatch.amazonaws.com" },
                  Action: "sns:Publish",
                  Resource: arn,
                  Condition: {
                      StringEquals: { "aws:SourceAccount": names.identity.account },
                      ArnLike: { "aws:SourceArn": names.arn("cloudwatch", `alarm:${names.prefix}-*`) },
                  },
              },
          ];
}

/**
 * The two topics of a stage: `alerts` tells people that an execution failed, `operations` that this very telling is in
 * trouble. An alarm on the first topic about the first topic would be lost with it.
 */
export class Alerts extends pulumi.ComponentResource {
    readonly alertsTopicArn: pulumi.Output<string>;
    readonly operationsTopicArn: pulumi.Output<string>;
    readonly parts: readonly pulumi.Resource[];

    constructor(name: string, args: AlertsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:sns:Alerts", name, {}, opts);
        const addresses = { alerts: args.failureAddresses, operations: args.operationsAddresses };
        const topics = (["alerts", "operations"] as const).map((kind) => {
            const topic = new sns.Topic(
                `${name}-${kind}`,
                {
                    name: args.names.topic(kind),
                    displayName: `${args.names.prefix} ${kind}`,
                    kmsMasterKeyId: args.keyArn,
                    tags: args.tags,
                },
                { parent: this },
            );
            const policy = new sns.TopicPolicy(
                `${name}-${kind}`,
                {
                    arn: topic.arn,
                    policy: policyDocument(topicPolicy(args.names, kind)),
                },
                { parent: this },
            );
            const subscriptions = addresses[kind].map(
                (address) =>
                    new sns.TopicSubscription(
                        `${name}-${kind}-${address}`,
                        {
                            topic: topic.arn,
                            protocol: "email",
                            endpoint: address,
                        },
                        { parent: this },
                    ),
            );
            return { topic, parts: [topic, policy, ...subscriptions] };
        });
        this.alertsTopicArn = topics[0].topic.arn;
        this.operationsTopicArn = topics[1].topic.arn;
        this.parts = topics.flatMap((topic) => topic.parts);
        this.registerOutputs({ alertsTopicArn: this.alertsTopicArn, operationsTopicArn: this.operationsTopicArn });
    }
}
