import { budgetParameters, judgeRuns, type JudgeBudget } from "../lib/budget";
import type { StackRule } from "../lib/rule";
import { STATE_MACHINE } from "../lib/stateMachine";

/** @param judge what knows prices; see {@link JudgeBudget} */
export const runWithinBudget = (judge: JudgeBudget): StackRule => ({
    kind: "stack",
    name: "run-within-budget",
    description: "One execution costs at most the stage's budget, every attempt, wait and machine counted.",
    why: "A run takes days; what it may cost is decided before it starts, not read off the bill.",
    remediation:
        "Lower a model's budget of hours or its machines, or raise the stage's budget (configuration key budget, " +
        "parameter dollars).",
    severity: "high",
    level: "mandatory",
    types: [STATE_MACHINE],
    references: {},
    parameters: budgetParameters,
    check: (resources, parameters) => judgeRuns(resources, parameters, judge, "exceeded"),
});
