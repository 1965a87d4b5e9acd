import * as z from "zod";
import type { BudgetVerdict } from "../../pricing/bill";
import { judgeBudget, strictestBudget, worstCaseBill } from "../../pricing/bill";
import { loadPrices } from "../../pricing/prices";
import type { StageSettings } from "../../workflow/contract";
import { JOB_DEFINITION } from "./batch";
import type { Fact, Facts, ResourceFacts, Unknown } from "./facts";
import { get, isFacts, isUnknown, list, parseJson } from "./facts";
import type { StackRule, Verdict } from "./rule";
import { all, at, compliant, notApplicable, numberParameter, undecided, violation } from "./rule";
import { STATE_MACHINE } from "./stateMachine";

/** AWS ends an execution at its 25,000th event, and every transition writes at least two. */
const MOST_TRANSITIONS = 12_500;

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

export const budgetParameters: NonNullable<StackRule["parameters"]> = {
    dollars: {
        type: "number",
        minimum: 0,
        default: 0,
        description:
            "The most that one execution may cost in US dollars, in the worst case; 0 for the stage's own (configuration key budget). " +
            "Of both the lower one counts.",
    },
};

/**
 * Judges what one execution of each state machine can cost at most against the stage's budget and the parameter `dollars`, at the prices of
 * the project's own file, else the bundled ones.
 */
export function judgeRuns(
    resources: readonly ResourceFacts[],
    parameters: Facts,
    judge: (verdict: BudgetVerdict) => string | undefined,
): Verdict {
    const machines = resources.filter((resource) => resource.type === STATE_MACHINE);
    return machines.length === 0
        ? notApplicable("the stack has no state machine")
        : all(
              machines.map((machine) => {
                  const settings = settingsOf(get(machine.props, "definition"));
                  if (isUnknown(settings)) {
                      return undecided(settings);
                  }
                  if (settings === undefined) {
                      return notApplicable("the definition holds no settings of an ensemble");
                  }
                  const budget = strictestBudget(numberParameter(parameters, "dollars", 0), settings.budget);
                  if (budget === undefined) {
                      return notApplicable("the stage has no budget");
                  }
                  // The age of the prices is the plan's matter: a rule that fails by the calendar would stop a deployment that changed nothing.
                  const prices = loadPrices();
                  const input = { settings, batchJobs: jobsOf(resources), transitions: MOST_TRANSITIONS };
                  const bill = worstCaseBill(input, prices, new Date(prices.file.asOf));
                  const message = judge(judgeBudget(bill, budget));
                  return at(machine, message === undefined ? compliant : violation(message));
              }),
          );
}

function settingsOf(definition: Fact | undefined): StageSettings | Unknown | undefined {
    if (isUnknown(definition)) {
        return definition;
    }
    const parsed = parseJson(definition);
    const states = "problem" in parsed ? undefined : get(parsed.value, "States");
    for (const state of isFacts(states) ? Object.values(states) : []) {
        const result = settingsSchema.safeParse(get(state, "Arguments.Payload.settings"));
        if (result.success) {
            return result.data as unknown as StageSettings;
        }
    }
    return undefined;
}

function jobsOf(resources: readonly ResourceFacts[]): Record<string, { seconds: number; vcpu: number; gib: number }> {
    return Object.fromEntries(
        resources
            .filter((resource) => resource.type === JOB_DEFINITION)
            .flatMap((job) => {
                const container = parseJson(get(job.props, "containerProperties"));
                const requirements = "problem" in container ? [] : list(get(container.value, "resourceRequirements"));
                const [vcpu, memory] = ["VCPU", "MEMORY"].map((kind) =>
                    Number(
                        get(
                            requirements.find((one) => get(one, "type") === kind),
                            "value",
                        ),
                    ),
                );
                const seconds = get(job.props, "timeout.attemptDurationSeconds");
                const attempts = get(job.props, "retryStrategy.attempts");
                // Without size or time-out there is no bound to reckon with; other rules ask for both.
                return typeof seconds !== "number" || !(vcpu > 0) || !(memory > 0)
                    ? []
                    : [
                          [
                              job.name,
                              {
                                  seconds: seconds * (typeof attempts === "number" ? attempts : 1),
                                  vcpu,
                                  gib: memory / 1_024,
                              },
                          ],
                      ];
            }),
    );
}
