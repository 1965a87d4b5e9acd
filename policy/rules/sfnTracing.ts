import type { ResourceRule } from "../lib/rule";
import { property } from "../lib/rule";

export const sfnTracing: ResourceRule = {
    kind: "resource",
    name: "sfn-tracing",
    description: "A state machine is traced by X-Ray.",
    why: "A trace shows which call of which service was slow or failed, across the functions that a workflow calls.",
    remediation: "Set tracingConfiguration: { enabled: true }, and grant the role the X-Ray actions.",
    severity: "low",
    level: "mandatory",
    types: ["aws:sfn/stateMachine:StateMachine"],
    references: { cdkNag: ["AwsSolutions-SF2"], checkov: ["CKV_AWS_284"] },
    check: (resource) => property(resource.props, "tracingConfiguration.enabled", (value) => value === true, "true"),
};
