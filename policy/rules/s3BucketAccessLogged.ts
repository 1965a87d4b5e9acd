import { besideBuckets } from "../lib/buckets";
import { get } from "../lib/facts";
import type { StackRule } from "../lib/rule";
import { compliant, isSet, violation } from "../lib/rule";

export const s3BucketAccessLogged: StackRule = {
    kind: "stack",
    name: "s3-bucket-access-logged",
    description: "Every bucket logs who reads and writes it.",
    why: "After a leak one has to say which papers were read.",
    remediation:
        "Add a BucketLogging with a targetBucket of its own, or suppress with where the reads are recorded instead " +
        "(CloudTrail data events).",
    severity: "medium",
    level: "mandatory",
    types: ["aws:s3/bucket:Bucket"],
    references: { cdkNag: ["AwsSolutions-S1"], checkov: ["CKV_AWS_18"], securityHub: ["S3.9"], trivy: ["AWS-0089"] },
    check: (resources) =>
        besideBuckets(resources, "aws:s3/bucketLogging:BucketLogging", "The bucket has no BucketLogging.", (logging) =>
            isSet(get(logging.props, "targetBucket")) ? compliant : violation("The BucketLogging has no targetBucket."),
        ),
};
