import { get } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, isSet, violation } from "../lib/rule";

export const eventTargetDeadLetter: ResourceRule = {
    kind: "resource",
    name: "event-target-dead-letter",
    description: "An EventBridge target has a dead-letter queue.",
    why: "An event that cannot be delivered is thrown away after 24 hours: a failure notification would be lost in silence.",
    remediation: "Set deadLetterConfig: { arn: queue.arn }, and let the rule send to the queue.",
    severity: "high",
    level: "mandatory",
    types: ["aws:cloudwatch/eventTarget:EventTarget"],
    references: { cdkNag: ["Serverless-EventBusDLQ"] },
    check: resource => isSet(get(resource.props, "deadLetterConfig.arn"))
        ? compliant
        : violation("deadLetterConfig.arn is not set; expected the ARN of a queue."),
};
