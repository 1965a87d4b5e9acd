import { besideBuckets } from "../lib/buckets";
import type { StackRule } from "../lib/rule";
import { property } from "../lib/rule";

export const s3BucketVersioned: StackRule = {
    kind: "stack",
    name: "s3-bucket-versioned",
    description: "Every bucket keeps the versions of its objects.",
    why: "A trained model costs days and thousands of dollars; without versions one wrong copy overwrites it for good.",
    remediation: 'Add a BucketVersioning with versioningConfiguration: { status: "Enabled" }.',
    severity: "medium",
    level: "mandatory",
    types: ["aws:s3/bucket:Bucket"],
    references: { checkov: ["CKV_AWS_21"], securityHub: ["S3.14"], trivy: ["AWS-0090"] },
    check: (resources) =>
        besideBuckets(
            resources,
            "aws:s3/bucketVersioning:BucketVersioning",
            "The bucket has no BucketVersioning.",
            (versioning) =>
                property(
                    versioning.props,
                    "versioningConfiguration.status",
                    (value) => value === "Enabled",
                    '"Enabled"',
                ),
        ),
};
