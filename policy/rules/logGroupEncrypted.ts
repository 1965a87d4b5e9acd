import { get } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, isSet, violation } from "../lib/rule";

export const logGroupEncrypted: ResourceRule = {
    kind: "resource",
    name: "log-group-encrypted",
    description: "A log group is encrypted with a KMS key of the account's own.",
    why: "A state machine's log holds the inputs and outputs of its states.",
    remediation: "Set kmsKeyId to a key whose policy lets logs.<region>.amazonaws.com use it.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:cloudwatch/logGroup:LogGroup"],
    references: { checkov: ["CKV_AWS_158"], trivy: ["AWS-0017"] },
    check: (resource) =>
        isSet(get(resource.props, "kmsKeyId"))
            ? compliant
            : violation("kmsKeyId is not set; expected the ARN of a KMS key."),
};
