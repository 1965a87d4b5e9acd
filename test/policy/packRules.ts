/** The rules of this project's pack, with what stacks/policyPack.ts hands them. */
import { rulesWith } from "../../policy/rules";
import { judgeRunBudget } from "../../stacks/runBudget";

export const rules = rulesWith({ judgeBudget: judgeRunBudget });
