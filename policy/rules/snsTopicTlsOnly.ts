import { TOPICS, tlsOnly } from "../lib/resourcePolicies";
import type { StackRule } from "../lib/rule";

export const snsTopicTlsOnly: StackRule = {
    kind: "stack",
    name: "sns-topic-tls-only",
    description: "An SNS topic's policy refuses every request that does not come by TLS.",
    why: "A message would travel readable for everybody on the way.",
    remediation:
        'Add a statement: Deny, Principal "*", Action "sns:Publish", Condition { Bool: { "aws:SecureTransport": ' +
        '"false" } }.',
    severity: "medium",
    level: "mandatory",
    types: [TOPICS.type],
    references: { cdkNag: ["AwsSolutions-SNS3"] },
    check: (resources) => tlsOnly(TOPICS, resources),
};
