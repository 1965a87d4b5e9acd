import { propertyNotOpen } from "../lib/resourcePolicies";
import type { ResourceRule } from "../lib/rule";

export const snsTopicNotPublic: ResourceRule = {
    kind: "resource",
    name: "sns-topic-not-public",
    description: "An SNS topic's policy lets nobody in that it does not name.",
    why: "Everybody could read the failure messages, or send false ones.",
    remediation: "Name the principals, or bind the statement by aws:SourceArn and aws:SourceAccount.",
    severity: "critical",
    level: "mandatory",
    types: ["aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy"],
    references: { checkov: ["CKV_AWS_169", "CKV_AWS_385"] },
    check: (resource) => propertyNotOpen(resource, "policy"),
};
