import { besideBuckets } from "../lib/buckets";
import type { StackRule } from "../lib/rule";
import { all, property } from "../lib/rule";

const SWITCHES = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

export const s3BucketPublicAccessBlocked: StackRule = {
    kind: "stack",
    name: "s3-bucket-public-access-blocked",
    description: "Every bucket has a public access block with all four switches on.",
    why:
        "The bucket holds customers' papers; the block holds even when somebody later writes a policy or an ACL that " +
        "opens it.",
    remediation:
        "Add a BucketPublicAccessBlock with blockPublicAcls, blockPublicPolicy, ignorePublicAcls and " +
        "restrictPublicBuckets true.",
    severity: "critical",
    level: "mandatory",
    types: ["aws:s3/bucket:Bucket"],
    references: {
        cdkNag: ["AwsSolutions-S2"],
        checkov: ["CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56", "CKV2_AWS_6"],
        securityHub: ["S3.8"],
        trivy: ["AWS-0086", "AWS-0087", "AWS-0091", "AWS-0093", "AWS-0094"],
    },
    check: (resources) =>
        besideBuckets(
            resources,
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "The bucket has no BucketPublicAccessBlock.",
            (block) => all(SWITCHES.map((name) => property(block.props, name, (value) => value === true, "true"))),
        ),
};
