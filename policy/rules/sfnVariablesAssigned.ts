import type { ResourceRule } from "../lib/rule";
import { errorsOf, STATE_MACHINE } from "../lib/stateMachine";

export const sfnVariablesAssigned: ResourceRule = {
    kind: "resource",
    name: "sfn-variables-assigned",
    description: "A variable is assigned on every way to where it is read, and never shadows an outer scope's.",
    why: "Reading a variable that was not assigned is an error at run time, on exactly the way that nobody tried.",
    remediation: "Assign the variable before the ways part, or read it only behind the assignment.",
    severity: "high",
    level: "mandatory",
    types: [STATE_MACHINE],
    references: {},
    check: errorsOf("variables"),
};
