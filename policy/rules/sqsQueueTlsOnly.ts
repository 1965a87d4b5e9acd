import { QUEUES, tlsOnly } from "../lib/resourcePolicies";
import type { StackRule } from "../lib/rule";

export const sqsQueueTlsOnly: StackRule = {
    kind: "stack",
    name: "sqs-queue-tls-only",
    description: "An SQS queue's policy refuses every request that does not come by TLS.",
    why: "A message would travel readable for everybody on the way.",
    remediation:
        'Add a statement: Deny, Principal "*", Action "sqs:*", Condition { Bool: { "aws:SecureTransport": "false" } }.',
    severity: "medium",
    level: "mandatory",
    types: [QUEUES.type],
    references: { cdkNag: ["AwsSolutions-SQS4"] },
    check: (resources) => tlsOnly(QUEUES, resources),
};
