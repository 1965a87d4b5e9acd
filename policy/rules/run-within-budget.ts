import { budgetParameters, judgeRuns } from "../lib/bill";
import type { StackRule } from "../lib/rule";
import { STATE_MACHINE } from "../lib/stateMachine";

export const runWithinBudget: StackRule = {
    kind: "stack",
    name: "run-within-budget",
    description: "One execution costs at most the stage's budget, every attempt, wait and machine counted.",
    why: "A run takes days; what it may cost is decided before it starts, not read off the bill.",
    remediation:
        "Lower a model's budget of hours or its machines, or raise the stage's budget (configuration key budget, parameter dollars).",
    severity: "high",
    level: "mandatory",
    types: [STATE_MACHINE],
    references: {},
    parameters: budgetParameters,
    check: (resources, parameters) =>
        judgeRuns(resources, parameters, (verdict) => (verdict.verdict === "exceeded" ? verdict.message : undefined)),
};
