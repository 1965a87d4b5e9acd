import { propertyNotOpen } from "../lib/resourcePolicies";
import type { ResourceRule } from "../lib/rule";

export const kmsKeyNotPublic: ResourceRule = {
    kind: "resource",
    name: "kms-key-not-public",
    description: "A KMS key's policy lets nobody in that it does not name.",
    why: "Everybody could decrypt what the key protects.",
    remediation: "Name the principals, or bind the statement by aws:SourceArn and aws:SourceAccount.",
    severity: "critical",
    level: "mandatory",
    types: ["aws:kms/key:Key", "aws:kms/keyPolicy:KeyPolicy"],
    references: { checkov: ["CKV_AWS_33"] },
    check: (resource) => propertyNotOpen(resource, "policy"),
};
