import { budgetParameters, judgeRuns, type JudgeBudget } from "../lib/budget";
import type { StackRule } from "../lib/rule";
import { STATE_MACHINE } from "../lib/stateMachine";

/** @param judge what knows prices; see {@link JudgeBudget} */
export const runBudgetProvable = (judge: JudgeBudget): StackRule => ({
    kind: "stack",
    name: "run-budget-provable",
    description: "Every price is known that the worst case of an execution depends on.",
    why: "With one price missing, nothing says that the budget holds: that must be told, and not pass for an answer.",
    remediation: "Update the prices from AWS's Price List (ensemble prices update), or choose machines that have one.",
    severity: "low",
    level: "advisory",
    types: [STATE_MACHINE],
    references: {},
    parameters: budgetParameters,
    check: (resources, parameters) => judgeRuns(resources, parameters, judge, "unproved"),
});
