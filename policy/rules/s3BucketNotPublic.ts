import { propertyNotOpen } from "../lib/resourcePolicies";
import type { ResourceRule } from "../lib/rule";

export const s3BucketNotPublic: ResourceRule = {
    kind: "resource",
    name: "s3-bucket-not-public",
    description: "A bucket's policy lets nobody in that it does not name.",
    why: "Everybody could read the documents, or change what is trained on.",
    remediation: "Name the principals, or bind the statement by aws:SourceArn and aws:SourceAccount.",
    severity: "critical",
    level: "mandatory",
    types: ["aws:s3/bucketPolicy:BucketPolicy"],
    references: { checkov: ["CKV_AWS_70"], securityHub: ["S3.2", "S3.3"] },
    check: (resource) => propertyNotOpen(resource, "policy"),
};
