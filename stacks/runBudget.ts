/**
 * What the policy pack's rules about the budget are handed: the worst case of an execution of the ensemble, at known
 * prices.
 */
import * as z from "zod";
import { MAXIMUM_TRANSITIONS } from "../ground/awsLimits";
import type { BudgetAnswer, BudgetQuestion } from "../policy";
import { judgeBudget, strictestBudget, worstCaseBill } from "../pricing/bill";
import { loadPrices } from "../pricing/prices";
import { batchRunBound } from "../workflow";
import type { StageSettings } from "../workflow/contract";

const model = z.object({
    capacity: z.array(z.object({ instanceType: z.string() })),
    budgetSeconds: z.number().nonnegative(),
    instanceCount: z.number().nonnegative(),
});

/** What the bill reads of a stage's settings, as Setup gets them in the definition. */
const settingsSchema = z.object({
    region: z.string(),
    members: z.record(z.string(), model),
    combiner: model.extend({ name: z.string() }),
    budget: z.number().positive().optional(),
});

const setupSchema = z.object({ Arguments: z.object({ Payload: z.object({ settings: settingsSchema }) }) });

/**
 * Judges what one execution can cost at most against the stage's budget and the pack's `dollars`, whichever is lower,
 * at the prices of the project's own file, else the bundled ones.
 */
export function judgeRunBudget({ definition, jobs, dollars }: BudgetQuestion): BudgetAnswer {
    const settings = settingsOf(definition);
    if (settings === undefined) {
        return { verdict: "notApplicable", reason: "the definition holds no settings of an ensemble" };
    }
    const budget = strictestBudget(dollars, settings.budget);
    if (budget === undefined) {
        return { verdict: "notApplicable", reason: "the stage has no budget" };
    }
    // The age of the prices is the plan's matter: a rule that fails by the calendar would stop a deployment that
    // changed nothing.
    const prices = loadPrices();
    const input = { settings, batchJobs: triedAgain(jobs), transitions: MAXIMUM_TRANSITIONS };
    return judgeBudget(worstCaseBill(input, prices, new Date(prices.file.asOf)), budget);
}

/** The workflow tries a job again; the pack knows one attempt of it. */
function triedAgain(jobs: BudgetQuestion["jobs"]): BudgetQuestion["jobs"] {
    return Object.fromEntries(
        Object.entries(jobs).map(([name, bound]) => [name, { ...bound, seconds: batchRunBound(name, bound.seconds) }]),
    );
}

function settingsOf(definition: string): StageSettings | undefined {
    let states: unknown;
    try {
        states = (JSON.parse(definition) as { States?: unknown } | null)?.States;
    } catch {
        return undefined;
    }
    for (const state of Object.values(states ?? {})) {
        const result = setupSchema.safeParse(state);
        if (result.success) {
            return result.data.Arguments.Payload.settings as unknown as StageSettings;
        }
    }
    return undefined;
}
