import { get, isUnknown, show } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, numberParameter, undecided, violation } from "../lib/rule";

export const logGroupRetention: ResourceRule = {
    kind: "resource",
    name: "log-group-retention",
    description: "A log group keeps what it holds long enough, and not for ever.",
    why:
        "Without a retention logs are kept, and paid, for ever; with a short one the cause of last month's failure " +
        "is gone.",
    remediation: "Set retentionInDays within the bounds.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:cloudwatch/logGroup:LogGroup"],
    references: { checkov: ["CKV_AWS_66", "CKV_AWS_338"], securityHub: ["CloudWatch.16"] },
    parameters: {
        minDays: { type: "number", minimum: 1, default: 365, description: "The shortest retention allowed, in days." },
        maxDays: { type: "number", minimum: 1, default: 3653, description: "The longest retention allowed, in days." },
    },
    check(resource, parameters) {
        const days = get(resource.props, "retentionInDays");
        if (isUnknown(days)) {
            return undecided(days);
        }
        const min = numberParameter(parameters, "minDays", 365);
        const max = numberParameter(parameters, "maxDays", 3653);
        // 0 is AWS's way to say: never expire.
        return typeof days === "number" && days >= min && days <= max
            ? compliant
            : violation(`retentionInDays is ${days === 0 ? "0 (for ever)" : show(days)}; expected ${min} to ${max}.`);
    },
};
