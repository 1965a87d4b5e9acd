import { get } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, isSet, violation } from "../lib/rule";

const SCHEDULE = "aws:scheduler/schedule:Schedule";

export const eventTargetDeadLetter: ResourceRule = {
    kind: "resource",
    name: "event-target-dead-letter",
    description: "A target of EventBridge or of EventBridge Scheduler has a dead-letter queue.",
    why:
        "An event that cannot be delivered is thrown away after 24 hours: a failure notification, or a start, would " +
        "be lost in silence.",
    remediation:
        "Set deadLetterConfig: { arn: queue.arn }, and let the rule, or the schedule's role, send to the queue.",
    severity: "high",
    level: "mandatory",
    types: ["aws:cloudwatch/eventTarget:EventTarget", SCHEDULE],
    references: { cdkNag: ["Serverless-EventBusDLQ"] },
    check(resource) {
        const property = resource.type === SCHEDULE ? "target.deadLetterConfig.arn" : "deadLetterConfig.arn";
        return isSet(get(resource.props, property))
            ? compliant
            : violation(`${property} is not set; expected the ARN of a queue.`);
    },
};
