import type { ResourceRule } from "../lib/rule";
import { property } from "../lib/rule";

export const kmsKeyRotation: ResourceRule = {
    kind: "resource",
    name: "kms-key-rotation",
    description: "A KMS key is rotated every year.",
    why: "The less is encrypted with one key, the less is lost with it.",
    remediation: "Set enableKeyRotation: true.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:kms/key:Key"],
    references: { cdkNag: ["AwsSolutions-KMS5"], checkov: ["CKV_AWS_7"], securityHub: ["KMS.4"], trivy: ["AWS-0065"] },
    check: (resource) => property(resource.props, "enableKeyRotation", (value) => value === true, "true"),
};
