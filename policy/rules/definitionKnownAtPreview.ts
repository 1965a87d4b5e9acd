import { get, isUnknown } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, violation } from "../lib/rule";

export const definitionKnownAtPreview: ResourceRule = {
    kind: "resource",
    name: "definition-known-at-preview",
    description: "A state machine's definition is known at preview.",
    why:
        "One value that is not known yet makes the whole definition unknown, and then neither this pack nor AWS's " +
        "own validation " +
        "looks at it before the update has begun.",
    remediation:
        "Give every target an explicit name and build its ARN from partition, region, account and name; " +
        "keep the order by dependsOn.",
    severity: "high",
    level: "advisory",
    types: ["aws:sfn/stateMachine:StateMachine"],
    references: {},
    check(resource) {
        const definition = get(resource.props, "definition");
        return isUnknown(definition)
            ? violation(
                  "The definition is not known yet, so nothing in it is proved: not that a failure is seen, not that " +
                      "it is valid.",
              )
            : compliant;
    },
};
