/**
 * The budget of a run, as far as the pack goes: which machines and jobs there are. What they cost is not the pack's
 * knowledge; whoever constructs a pack hands it in ({@link JudgeBudget}).
 */
import { JOB_DEFINITION } from "./batch";
import type { Facts, ResourceFacts } from "./facts";
import { get, isUnknown, list, parseJson } from "./facts";
import type { StackRule, Verdict } from "./rule";
import { all, at, compliant, notApplicable, numberParameter, undecided, violation } from "./rule";
import { STATE_MACHINE } from "./stateMachine";

/** What a job of the stack is given at most. */
export interface JobBounds {
    /** All attempts together. */
    readonly seconds: number;
    readonly vcpu: number;
    /** Memory in GiB. */
    readonly gib: number;
}

/** What is asked of whoever knows prices. */
export interface BudgetQuestion {
    /** The definition's text as the state machine has it. */
    readonly definition: string;
    /** By name of the job definition; jobs without size or time-out are left out, other rules ask for both. */
    readonly jobs: Readonly<Record<string, JobBounds>>;
    /** The most that one execution may cost in US dollars; 0 where the pack's configuration names no bound. */
    readonly dollars: number;
}

/**
 * How a run stands to its budget; "notApplicable" where there is none, or the definition is nothing whose price is
 * known.
 */
export type BudgetAnswer =
    | { readonly verdict: "within" }
    | { readonly verdict: "exceeded" | "unproved"; readonly message: string }
    | { readonly verdict: "notApplicable"; readonly reason: string };

/**
 * Says what one execution can cost at most, and holds it against the budget. Pure but for reading prices; never throws.
 */
export type JudgeBudget = (question: BudgetQuestion) => BudgetAnswer;

/** The answer of a pack that was handed no prices. */
export const noPrices: JudgeBudget = () => ({
    verdict: "notApplicable",
    reason: "this pack was handed nothing that knows prices",
});

export const budgetParameters: NonNullable<StackRule["parameters"]> = {
    dollars: {
        type: "number",
        minimum: 0,
        default: 0,
        description:
            "The most that one execution may cost in US dollars, in the worst case; 0 for the stage's own " +
            "(configuration key budget). Of both the lower one counts.",
    },
};

/** Judges every state machine of the stack; `wanted` is the answer that is a violation. */
export function judgeRuns(
    resources: readonly ResourceFacts[],
    parameters: Facts,
    judge: JudgeBudget,
    wanted: "exceeded" | "unproved",
): Verdict {
    const machines = resources.filter((resource) => resource.type === STATE_MACHINE);
    if (machines.length === 0) {
        return notApplicable("the stack has no state machine");
    }
    const dollars = numberParameter(parameters, "dollars", 0);
    const jobs = jobsOf(resources);
    return all(machines.map((machine) => judgeMachine(machine, { jobs, dollars }, judge, wanted)));
}

function judgeMachine(
    machine: ResourceFacts,
    bounds: Omit<BudgetQuestion, "definition">,
    judge: JudgeBudget,
    wanted: "exceeded" | "unproved",
): Verdict {
    const definition = get(machine.props, "definition");
    if (isUnknown(definition)) {
        return undecided(definition);
    }
    const text = typeof definition === "string" ? definition : JSON.stringify(definition ?? null);
    const answer = judge({ ...bounds, definition: text });
    if (answer.verdict === "notApplicable") {
        return notApplicable(answer.reason);
    }
    return at(machine, answer.verdict === wanted ? violation(answer.message) : compliant);
}

function jobsOf(resources: readonly ResourceFacts[]): Record<string, JobBounds> {
    const jobs: Record<string, JobBounds> = {};
    for (const job of resources.filter((resource) => resource.type === JOB_DEFINITION)) {
        const container = parseJson(get(job.props, "containerProperties"));
        const requirements = "problem" in container ? [] : list(get(container.value, "resourceRequirements"));
        const required = (kind: string): number => {
            const requirement = requirements.find((one) => get(one, "type") === kind);
            return Number(get(requirement, "value"));
        };
        const vcpu = required("VCPU");
        const memory = required("MEMORY");
        const seconds = get(job.props, "timeout.attemptDurationSeconds");
        const attempts = get(job.props, "retryStrategy.attempts");
        if (typeof seconds === "number" && vcpu > 0 && memory > 0) {
            const tries = typeof attempts === "number" ? attempts : 1;
            jobs[job.name] = { seconds: seconds * tries, vcpu, gib: memory / 1_024 };
        }
    }
    return jobs;
}
