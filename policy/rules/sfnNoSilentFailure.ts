import type { ResourceRule } from "../lib/rule";
import { errorsOf, STATE_MACHINE } from "../lib/stateMachine";

export const sfnNoSilentFailure: ResourceRule = {
    kind: "resource",
    name: "sfn-no-silent-failure",
    description:
        "Every Task, Parallel and Map catches States.ALL, and every way from a Catch leads through one notification " +
        "to a Fail state.",
    why:
        "A failure that ends in success, or in nothing that anybody is told of, is found days later by what is " +
        "missing.",
    remediation:
        "Follow the counter-example: add the Catch, or lead it to the notification and a Fail state with " +
        "Error and Cause.",
    severity: "critical",
    level: "mandatory",
    types: [STATE_MACHINE],
    references: {},
    parameters: {
        tolerance: {
            type: "string",
            enum: ["declared", "forbidden"],
            default: "declared",
            description:
                "Whether a failure may be recorded and decided on at a join (a Pass whose Comment begins " +
                '"records-failure-for: <join state>").',
        },
        notifiedPrefix: {
            type: "string",
            default: "",
            description:
                "What the Error of a Fail begins with exactly where a notification was sent before, so that the rule " +
                "on failed executions " +
                "leaves it out; empty: not checked.",
        },
    },
    check: errorsOf("failure"),
};
