import { besideBuckets } from "../lib/buckets";
import type { StackRule } from "../lib/rule";
import { property } from "../lib/rule";

export const s3BucketAclsDisabled: StackRule = {
    kind: "stack",
    name: "s3-bucket-acls-disabled",
    description: "Every bucket has its ACLs switched off.",
    why: "With ACLs an object can belong to, and be opened by, somebody whom no policy of the stack mentions.",
    remediation: 'Add a BucketOwnershipControls with rule: { objectOwnership: "BucketOwnerEnforced" }.',
    severity: "medium",
    level: "mandatory",
    types: ["aws:s3/bucket:Bucket"],
    references: { checkov: ["CKV2_AWS_65"], securityHub: ["S3.12"] },
    check: (resources) =>
        besideBuckets(
            resources,
            "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
            "The bucket has no BucketOwnershipControls.",
            (controls) =>
                property(
                    controls.props,
                    "rule.objectOwnership",
                    (value) => value === "BucketOwnerEnforced",
                    '"BucketOwnerEnforced"',
                ),
        ),
};
