import { get, isUnknown, list } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, isSet, undecided, violation } from "../lib/rule";

export const alarmHasAction: ResourceRule = {
    kind: "resource",
    name: "alarm-has-action",
    description: "An alarm tells somebody.",
    why: "An alarm without an action turns red where nobody looks.",
    remediation: "Set alarmActions to a topic, and leave actionsEnabled true.",
    severity: "high",
    level: "mandatory",
    types: ["aws:cloudwatch/metricAlarm:MetricAlarm"],
    references: { securityHub: ["CloudWatch.15", "CloudWatch.17"] },
    check(resource) {
        const enabled = get(resource.props, "actionsEnabled");
        if (enabled === false) {
            return violation("actionsEnabled is false.");
        }
        const actions = get(resource.props, "alarmActions");
        if (isUnknown(enabled)) {
            return undecided(enabled);
        }
        return list(actions).some(isSet) ? compliant : violation("alarmActions is empty; expected a topic.");
    },
};
