import { get } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, isSet, violation } from "../lib/rule";

export const snsTopicEncrypted: ResourceRule = {
    kind: "resource",
    name: "sns-topic-encrypted",
    description: "An SNS topic is encrypted with a KMS key of the account's own.",
    why:
        "A failure message holds causes, and a cause holds what the failing code put there. " +
        "The AWS managed key aws/sns cannot be granted to EventBridge or CloudWatch, whose messages are then lost.",
    remediation: "Set kmsMasterKeyId to a key whose policy lets the publishing services use it.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:sns/topic:Topic"],
    references: { checkov: ["CKV_AWS_26"], securityHub: ["SNS.1"], trivy: ["AWS-0095", "AWS-0136"] },
    check(resource) {
        const key = get(resource.props, "kmsMasterKeyId");
        if (!isSet(key)) {
            return violation("kmsMasterKeyId is not set; expected a KMS key.");
        }
        return key === "alias/aws/sns"
            ? violation(
                  'kmsMasterKeyId is the AWS managed key "alias/aws/sns", which EventBridge and CloudWatch cannot ' +
                      "publish with.",
              )
            : compliant;
    },
};
