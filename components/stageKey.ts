import * as kms from "@pulumi/aws/kms";
import * as pulumi from "@pulumi/pulumi";
import { policyDocument, type Statement } from "./iam";
import type { StageNames } from "./names";
import { protection } from "./protection";
import type { StageTags } from "./tags";

export interface StageKeyArgs {
    readonly names: StageNames;
    /** ARN of a key to use instead of an own one. Its policy must allow what `stageKeyPolicy` writes. */
    readonly existingKeyArn?: string;
    readonly protectedStage: boolean;
    readonly tags: StageTags;
}

/**
 * The policy of a stage's key: the account decides by its roles' policies; besides, CloudWatch Logs for the stage's own
 * log groups, and CloudWatch's alarms, which publish to an encrypted topic without a role.
 */
function stageKeyPolicy(names: StageNames, logGroups: readonly string[]): Statement[] {
    const { partition, account, region } = names.identity;
    return [
        {
            Sid: "AccountDecidesByRoles",
            Effect: "Allow",
            Principal: { AWS: `arn:${partition}:iam::${account}:root` },
            Action: "kms:*",
            // In a key's own policy the only resource is the key.
            Resource: "*",
        },
        {
            Sid: "LogsOfThisStage",
            Effect: "Allow",
            Principal: { Service: `logs.${region}.${names.domain}` },
            Action: ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            Resource: "*",
            Condition: {
                ArnEquals: { "kms:EncryptionContext:aws:logs:arn": logGroups.map((group) => names.logGroupArn(group)) },
            },
        },
        {
            Sid: "AlarmsOfThisAccount",
            Effect: "Allow",
            Principal: { Service: "cloudwatch.amazonaws.com" },
            Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
            Resource: "*",
            Condition: { StringEquals: { "aws:SourceAccount": account } },
        },
    ];
}

/**
 * The key of a stage: for its bucket, training volumes and outputs, log groups, topics and repositories. Rotated every
 * year.
 */
export class StageKey extends pulumi.ComponentResource {
    /** ARN of the key; not known before it exists. */
    readonly arn: pulumi.Output<string>;
    /** What has to exist before anything is encrypted. */
    readonly parts: readonly pulumi.Resource[];

    constructor(name: string, args: StageKeyArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:kms:StageKey", name, {}, opts);
        const { names } = args;
        if (args.existingKeyArn !== undefined) {
            this.arn = pulumi.output(args.existingKeyArn);
            this.parts = [];
        } else {
            const logGroups = [names.stateMachineLogGroup, names.jobLogGroup, ...names.functionLogGroups];
            const key = new kms.Key(
                name,
                {
                    description: `Data, logs and messages of ${names.prefix}`,
                    enableKeyRotation: true,
                    deletionWindowInDays: 30,
                    policy: policyDocument(stageKeyPolicy(names, logGroups)),
                    tags: args.tags,
                },
                { parent: this, ...protection("data", args.protectedStage) },
            );
            const alias = new kms.Alias(name, { name: names.keyAlias, targetKeyId: key.keyId }, { parent: this });
            this.arn = key.arn;
            this.parts = [key, alias];
        }
        this.registerOutputs({ arn: this.arn });
    }
}
