import type { ResourceRule } from "../lib/rule";
import { analysisCheck, STATE_MACHINE } from "../lib/stateMachine";

export const sfnWarnings: ResourceRule = {
    kind: "resource",
    name: "sfn-warnings",
    description: "The analysis of a definition has no warnings.",
    why: "A warning is what the analysis can neither prove nor refute, or what works and costs.",
    remediation: "Read it; put it right, or suppress it with the reason.",
    severity: "low",
    level: "advisory",
    types: [STATE_MACHINE],
    references: {},
    check: (resource, parameters) => analysisCheck((finding) => finding.severity === "warning", parameters, resource),
};
