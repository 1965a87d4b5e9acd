import { defined } from "../ground/fields";
import { parseS3Address } from "../ground/s3Address";
import type { Identity, StageNames } from "./names";

/** One statement of a policy document, as IAM writes it. */
export interface Statement {
    readonly Sid?: string;
    readonly Effect: "Allow" | "Deny";
    readonly Action: string | readonly string[];
    readonly Resource?: string | readonly string[];
    readonly Principal?: "*" | Readonly<Record<string, string | readonly string[]>>;
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** A policy document as text: the same bytes for the same statements. */
export function policyDocument(statements: readonly Statement[]): string {
    return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

type Condition = Record<string, Readonly<Record<string, string | readonly string[]>>>;

/**
 * A trust policy that lets one AWS service take the role, and only on behalf of this account and of the named source:
 * without the conditions another account's resource could have the service use the role (the confused deputy).
 */
export function trustPolicy(identity: Identity, service: string, sourceArn?: string | readonly string[]): string {
    const condition: Condition = { StringEquals: { "aws:SourceAccount": identity.account } };
    if (sourceArn !== undefined) {
        condition.ArnLike = { "aws:SourceArn": sourceArn };
    }
    return policyDocument([
        { Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole", Condition: condition },
    ]);
}

/** What a state machine does besides its tasks, logs and traces: both services know no resource. */
export function observationStatements(): Statement[] {
    return [
        {
            Sid: "DeliverLogs",
            Effect: "Allow",
            Action: [
                "logs:CreateLogDelivery",
                "logs:GetLogDelivery",
                "logs:UpdateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:DescribeResourcePolicies",
                "logs:DescribeLogGroups",
            ],
            Resource: "*",
        },
        {
            Sid: "Trace",
            Effect: "Allow",
            Action: [
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
            ],
            Resource: "*",
        },
    ];
}

/** What starts executions may start those of this state machine, and nothing else. */
export function startStatements(names: StageNames): Statement[] {
    return [{ Sid: "Start", Effect: "Allow", Action: "states:StartExecution", Resource: names.stateMachineArn }];
}

/** The key of a prefix without the slashes at its end, as a policy's patterns need it. */
function folderKey(address: string): string {
    return parseS3Address(address).key.replace(/\/+$/, "");
}

/** The ARN of all objects below an s3:// prefix. */
export function objectsBelow(identity: Identity, address: string): string {
    const { bucket } = parseS3Address(address);
    const key = folderKey(address);
    return `arn:${identity.partition}:s3:::${bucket}/${key === "" ? "*" : `${key}/*`}`;
}

/** Statements that allow to read and to list what lies below each s3:// prefix, one pair a bucket. */
export function readBelow(identity: Identity, sid: string, addresses: readonly string[]): Statement[] {
    const byBucket = new Map<string, string[]>();
    for (const address of addresses) {
        const { bucket } = parseS3Address(address);
        byBucket.set(bucket, [...(byBucket.get(bucket) ?? []), address]);
    }
    return [...byBucket].flatMap(([bucket, prefixes], index) => {
        const suffix = index === 0 ? "" : String(index + 1);
        const keys = [...new Set(prefixes.map((prefix) => folderKey(prefix)))].sort();
        return [
            {
                Sid: `${sid}Read${suffix}`,
                Effect: "Allow" as const,
                Action: "s3:GetObject",
                Resource: [...new Set(prefixes.map((prefix) => objectsBelow(identity, prefix)))].sort(),
            },
            defined({
                Sid: `${sid}List${suffix}`,
                Effect: "Allow" as const,
                Action: "s3:ListBucket",
                Resource: `arn:${identity.partition}:s3:::${bucket}`,
                // Listing is granted on the bucket; the condition keeps it below the prefixes. The root prefix is the
                // whole bucket. "IfExists", because S3 asks for this permission, without a prefix, before it says that
                // an object is missing and not forbidden; and a source without a manifest is no error.
                Condition: keys.includes("")
                    ? undefined
                    : { StringLikeIfExists: { "s3:prefix": keys.flatMap((key) => [key, `${key}/*`]) } },
            }),
        ];
    });
}
