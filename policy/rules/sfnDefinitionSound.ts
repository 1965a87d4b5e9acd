import type { ResourceRule } from "../lib/rule";
import { violation } from "../lib/rule";
import { analysisCheck, STATE_MACHINE } from "../lib/stateMachine";

export const sfnDefinitionSound: ResourceRule = {
    kind: "resource",
    name: "sfn-definition-sound",
    description: "A definition keeps the Amazon States Language's specification.",
    why:
        "What AWS refuses is otherwise found in the middle of the update; what it does not look at, in the middle of " +
        "the run.",
    remediation: "Put right what the message names; `asl-check --explain RULE` says more about a rule.",
    severity: "high",
    level: "mandatory",
    types: [STATE_MACHINE],
    references: {},
    check: (resource, parameters) =>
        analysisCheck(
            (finding, group) => finding.severity === "error" && group === "structure",
            parameters,
            resource,
            (problem) => violation(`definition ${problem}.`),
        ),
};
