import { BUCKETS, tlsOnly } from "../lib/resourcePolicies";
import type { StackRule } from "../lib/rule";

export const s3BucketTlsOnly: StackRule = {
    kind: "stack",
    name: "s3-bucket-tls-only",
    description: "A bucket's policy refuses every request that does not come by TLS.",
    why: "Documents and models would travel readable for everybody on the way.",
    remediation:
        'Add a statement: Deny, Principal "*", Action "s3:*", Condition { Bool: { "aws:SecureTransport": "false" } }.',
    severity: "medium",
    level: "mandatory",
    types: [BUCKETS.type],
    references: { cdkNag: ["AwsSolutions-S10"], securityHub: ["S3.5"] },
    check: (resources) => tlsOnly(BUCKETS, resources),
};
