import { besideBuckets } from "../lib/buckets";
import { get, isUnknown, list } from "../lib/facts";
import type { StackRule } from "../lib/rule";
import { compliant, isSet, undecided, violation } from "../lib/rule";

export const s3BucketEncrypted: StackRule = {
    kind: "stack",
    name: "s3-bucket-encrypted",
    description: "Every bucket encrypts with a KMS key of the account's own by default.",
    why: "Access to customers' papers then needs the key as well as the bucket, and every use of the key is recorded.",
    remediation:
        'Add a BucketServerSideEncryptionConfiguration with sseAlgorithm "aws:kms", the key, and ' +
        "bucketKeyEnabled: true.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:s3/bucket:Bucket"],
    references: { checkov: ["CKV_AWS_19", "CKV_AWS_145"], securityHub: ["S3.17"], trivy: ["AWS-0088", "AWS-0132"] },
    check: (resources) =>
        besideBuckets(
            resources,
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "The bucket has no BucketServerSideEncryptionConfiguration.",
            (configuration) => {
                const rules = get(configuration.props, "rules");
                if (isUnknown(rules)) {
                    return undecided(rules);
                }
                const withKey = list(rules).some((rule) => {
                    const byDefault = get(rule, "applyServerSideEncryptionByDefault");
                    return (
                        String(get(byDefault, "sseAlgorithm")).startsWith("aws:kms") &&
                        isSet(get(byDefault, "kmsMasterKeyId"))
                    );
                });
                return withKey ? compliant : violation('No rule applies sseAlgorithm "aws:kms" with a kmsMasterKeyId.');
            },
        ),
};
