import { propertyNotOpen } from "../lib/resourcePolicies";
import type { ResourceRule } from "../lib/rule";

export const sqsQueueNotPublic: ResourceRule = {
    kind: "resource",
    name: "sqs-queue-not-public",
    description: "An SQS queue's policy lets nobody in that it does not name.",
    why: "Everybody could read or fill the queue.",
    remediation: "Name the principals, or bind the statement by aws:SourceArn and aws:SourceAccount.",
    severity: "critical",
    level: "mandatory",
    types: ["aws:sqs/queue:Queue", "aws:sqs/queuePolicy:QueuePolicy"],
    references: { checkov: ["CKV_AWS_168", "CKV_AWS_387"] },
    check: (resource) => propertyNotOpen(resource, "policy"),
};
