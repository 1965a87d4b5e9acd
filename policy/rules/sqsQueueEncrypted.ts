import { get, isUnknown } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, isSet, undecided, violation } from "../lib/rule";

export const sqsQueueEncrypted: ResourceRule = {
    kind: "resource",
    name: "sqs-queue-encrypted",
    description: "An SQS queue is encrypted, by SQS or with a KMS key.",
    why: "A dead-letter queue holds the failure messages that could not be delivered.",
    remediation: "Set kmsMasterKeyId, or sqsManagedSseEnabled: true.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:sqs/queue:Queue"],
    references: {
        cdkNag: ["AwsSolutions-SQS2"],
        checkov: ["CKV_AWS_27", "CKV2_AWS_73"],
        securityHub: ["SQS.1"],
        trivy: ["AWS-0096", "AWS-0135"],
    },
    check(resource) {
        const managed = get(resource.props, "sqsManagedSseEnabled");
        if (managed === true || isSet(get(resource.props, "kmsMasterKeyId"))) {
            return compliant;
        }
        return isUnknown(managed)
            ? undecided(managed)
            : violation("Neither kmsMasterKeyId nor sqsManagedSseEnabled is set; expected one of them.");
    },
};
