import type { ResourceRule } from "../lib/rule";
import { property } from "../lib/rule";

export const lambdaTracing: ResourceRule = {
    kind: "resource",
    name: "lambda-tracing",
    description: "A function is traced by X-Ray.",
    why: "The state machine's trace would end at the function's door.",
    remediation: 'Set tracingConfig: { mode: "Active" }.',
    severity: "low",
    level: "mandatory",
    types: ["aws:lambda/function:Function"],
    references: { checkov: ["CKV_AWS_50"], trivy: ["AWS-0066"] },
    check: (resource) => property(resource.props, "tracingConfig.mode", (value) => value === "Active", '"Active"'),
};
