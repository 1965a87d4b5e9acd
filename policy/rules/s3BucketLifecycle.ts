import { besideBuckets } from "../lib/buckets";
import { get, isUnknown, list } from "../lib/facts";
import type { StackRule } from "../lib/rule";
import { compliant, undecided, violation } from "../lib/rule";

export const s3BucketLifecycle: StackRule = {
    kind: "stack",
    name: "s3-bucket-lifecycle",
    description: "Every bucket has an enabled lifecycle rule, and one that ends unfinished multipart uploads.",
    why: "Each execution copies its data: without an end to old versions and half-written uploads the bill only grows.",
    remediation:
        "Add a BucketLifecycleConfiguration with enabled rules, one of them with abortIncompleteMultipartUpload.",
    severity: "low",
    level: "mandatory",
    types: ["aws:s3/bucket:Bucket"],
    references: { checkov: ["CKV_AWS_300", "CKV2_AWS_61"], securityHub: ["S3.10", "S3.13"] },
    check: (resources) =>
        besideBuckets(
            resources,
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            "The bucket has no BucketLifecycleConfiguration.",
            (configuration) => {
                const rules = get(configuration.props, "rules");
                if (isUnknown(rules)) {
                    return undecided(rules);
                }
                const enabled = list(rules).filter((rule) => get(rule, "status") === "Enabled");
                if (enabled.length === 0) {
                    return violation("No lifecycle rule is enabled.");
                }
                return enabled.some((rule) => get(rule, "abortIncompleteMultipartUpload") !== undefined)
                    ? compliant
                    : violation("No enabled lifecycle rule has abortIncompleteMultipartUpload.");
            },
        ),
};
