import type { StackRule, SuppressionRecord } from "../lib/rule";
import { compliant, MIN_REASON, notApplicable, violation } from "../lib/rule";

export const suppressionsNeeded: StackRule = {
    kind: "stack",
    name: "suppressions-needed",
    description: "Every suppression gives a reason, and is still needed.",
    why: "A suppression outlives its cause, and then hides the next violation.",
    remediation: "Delete the suppression from the pack's configuration, or write why it is there.",
    severity: "medium",
    level: "mandatory",
    types: "any",
    references: {},
    check(_resources, _parameters, context) {
        if (context.suppressions.length === 0) {
            return notApplicable("nothing is suppressed");
        }
        const messages = context.suppressions.flatMap((record) => problemOf(record) ?? []);
        return messages.length === 0 ? compliant : violation(...messages);
    },
};

function problemOf(record: SuppressionRecord): string | undefined {
    const what = `The suppression of ${record.rule} for ${record.resource || "no resource"}`;
    if (record.reason.trim().length < MIN_REASON) {
        return `${what} has no reason of at least ${MIN_REASON} characters, so it does not count.`;
    }
    return record.used ? undefined : `${what} is not needed any more: nothing was suppressed by it.`;
}
