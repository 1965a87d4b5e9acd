import type { ResourceRule } from "../lib/rule";
import { errorsOf, STATE_MACHINE } from "../lib/stateMachine";

export const sfnLoopsBounded: ResourceRule = {
    kind: "resource",
    name: "sfn-loops-bounded",
    description: "Every loop has a way out and a bound, and a Wait lasts as long as its name says.",
    why: "A loop without a bound ends in the execution's time-out, which no state can catch: days later, and paid for.",
    remediation: "Count the rounds in a variable and leave the loop by a Choice on it.",
    severity: "high",
    level: "mandatory",
    types: [STATE_MACHINE],
    references: {},
    check: errorsOf("loops"),
};
