/**
 * What a run of a stage can cost at most, before it starts. A model's budget bounds all its attempts, so its worst case
 * is budget x instances x the dearest rung; Spot is counted at the on-demand price, which is its upper bound.
 */
import { defined, present } from "../ground/fields";
import type { ModelSettings, StageSettings } from "../workflow/contract";
import type { Prices } from "./prices";

export interface BillLine {
    /** The member, the combiner, a Batch job or "state transitions". */
    readonly item: string;
    /** How the figure comes about, for people. */
    readonly how: string;
    /** US dollars; undefined where a price is unknown. */
    readonly worst: number | undefined;
    /** Longest possible duration in seconds; 0 for what takes no time of its own. */
    readonly seconds: number;
    /** Items whose price nobody knows. */
    readonly unknown: readonly string[];
}

export interface Bill {
    readonly region: string;
    readonly pricesAsOf: string;
    readonly lines: readonly BillLine[];
    /** Sum of what is known: a lower bound of the worst case while {@link unknown} is not empty. */
    readonly known: number;
    /** Prices that are missing; the worst case is proved only when there are none. */
    readonly unknown: readonly string[];
    /** Warning about the age of the prices. */
    readonly warning?: string;
}

/** A Batch job's bound: its time-out (all attempts), and what it runs on. */
export interface BatchJobBound {
    readonly seconds: number;
    readonly vcpu: number;
    readonly gib: number;
}

export interface BillInput {
    readonly settings: StageSettings;
    readonly batchJobs: Readonly<Record<string, BatchJobBound>>;
    /** The most state transitions that an execution can make. */
    readonly transitions: number;
    /** What the run keeps in S3; left out where the size of its data is not known. */
    readonly storage?: StorageBound;
}

export interface StorageBound {
    /** Bytes of the data that the run copies. */
    readonly copiedBytes: number;
    /** Days until a run's copies and models expire, and until checkpoints do. */
    readonly runDays: number;
    readonly checkpointDays: number;
}

/** The worst case of one run; linear in the number of members. */
export function worstCaseBill(input: BillInput, prices: Prices, today: Date): Bill {
    const { settings } = input;
    const { region } = settings;
    const models: [string, ModelSettings][] = [
        ...Object.entries(settings.members),
        [settings.combiner.name, settings.combiner],
    ];
    const lines: BillLine[] = present([
        ...models.map(([name, model]) => trainingLine(name, model, region, prices)),
        ...Object.entries(input.batchJobs).map(([name, job]) => batchLine(name, job, region, prices)),
        transitionsLine(input.transitions, region, prices),
        input.storage === undefined
            ? undefined
            : storageLine(
                  input.storage,
                  models.map(([, model]) => model),
                  region,
                  prices,
              ),
    ]);
    const warning = prices.age(today);
    return defined({
        region,
        pricesAsOf: prices.file.asOf,
        lines,
        known: lines.reduce((sum, line) => sum + (line.worst ?? 0), 0),
        unknown: [...new Set(lines.flatMap((line) => line.unknown))],
        warning,
    });
}

function trainingLine(name: string, model: ModelSettings, region: string, prices: Prices): BillLine {
    const types = [...new Set(model.capacity.map((rung) => rung.instanceType))];
    const found = types.map((type) => ({ type, price: prices.find(`sagemaker-training:${type}`, region)?.price }));
    const unknown = found.filter((entry) => entry.price === undefined).map((entry) => `${entry.type} in ${region}`);
    const dearest = found.reduce<{ type: string; price: number } | undefined>(
        (best, { type, price }) =>
            price !== undefined && (best === undefined || price > best.price) ? { type, price } : best,
        undefined,
    );
    const hours = model.budgetSeconds / 3600;
    return {
        item: name,
        how:
            `${model.instanceCount} x ${unknown.length === 0 ? dearest?.type : types.join(" or ")}, at most ` +
            `${round(hours)} h in all` +
            (unknown.length === 0 && dearest !== undefined ? ` at ${dearest.price} USD/h` : ""),
        // with one unknown rung the dearest is unknown, too
        worst: unknown.length > 0 || dearest === undefined ? undefined : hours * model.instanceCount * dearest.price,
        seconds: model.budgetSeconds,
        unknown,
    };
}

function batchLine(name: string, job: BatchJobBound, region: string, prices: Prices): BillLine {
    const vcpu = prices.find("fargate:vcpu", region)?.price;
    const gib = prices.find("fargate:gib", region)?.price;
    const hours = job.seconds / 3600;
    return {
        item: name,
        how: `Fargate, ${job.vcpu} vCPU and ${job.gib} GiB, at most ${round(hours)} h`,
        worst: vcpu === undefined || gib === undefined ? undefined : hours * (job.vcpu * vcpu + job.gib * gib),
        seconds: job.seconds,
        unknown: vcpu === undefined || gib === undefined ? [`Fargate in ${region}`] : [],
    };
}

function transitionsLine(transitions: number, region: string, prices: Prices): BillLine {
    const price = prices.find("states:transition", region)?.price;
    return {
        item: "state transitions",
        how: `at most ${transitions}`,
        worst: price === undefined ? undefined : transitions * price,
        seconds: 0,
        unknown: price === undefined ? [`Step Functions in ${region}`] : [],
    };
}

/** A model and its checkpoints come from its machines' volumes, so neither is larger. */
function storageLine(
    storage: StorageBound,
    models: readonly ModelSettings[],
    region: string,
    prices: Prices,
): BillLine {
    const { copiedBytes, runDays, checkpointDays } = storage;
    const price = prices.find("s3:storage", region)?.price;
    const volumes = models.reduce((sum, { volumeGb, instanceCount }) => sum + volumeGb * instanceCount, 0);
    const data = copiedBytes / 2 ** 30;
    return {
        item: "storage",
        how:
            `${round(data)} GiB of data and at most ${volumes} GiB of models for ${runDays} days, as much of ` +
            `checkpoints for ${checkpointDays} days`,
        worst: price === undefined ? undefined : (((data + volumes) * runDays + volumes * checkpointDays) / 30) * price,
        seconds: 0,
        unknown: price === undefined ? [`S3 storage in ${region}`] : [],
    };
}

function round(value: number): number {
    return Math.round(value * 100) / 100;
}

/**
 * The budget that counts: the lower one of those that are set.
 * @param budgets US dollars per run; undefined or 0 where there is none.
 */
export function strictestBudget(...budgets: readonly (number | undefined)[]): number | undefined {
    const set = budgets.filter((budget) => budget !== undefined && budget > 0) as number[];
    return set.length === 0 ? undefined : Math.min(...set);
}

export type BudgetVerdict =
    | { readonly verdict: "within" }
    | { readonly verdict: "exceeded"; readonly message: string }
    | { readonly verdict: "unproved"; readonly message: string };

/**
 * Holds a stage's budget against its bill. Exceeded already by what is known is "exceeded"; with unknown prices and the
 * known part below the budget nothing is proved, and that is said, not passed over.
 * @param budget US dollars per run.
 */
export function judgeBudget(bill: Bill, budget: number): BudgetVerdict {
    if (bill.known > budget) {
        const dearest = [...bill.lines].sort((a, b) => (b.worst ?? 0) - (a.worst ?? 0))[0];
        return {
            verdict: "exceeded",
            message:
                `A run can cost ${bill.known.toFixed(2)} USD (prices of ${bill.pricesAsOf}), the stage's budget is ` +
                `${budget.toFixed(2)} USD. ` +
                `The largest part is ${dearest.item}: ${dearest.how}. Lower its maxHours or its instances, or raise ` +
                "the budget.",
        };
    }
    return bill.unknown.length === 0
        ? { verdict: "within" }
        : {
              verdict: "unproved",
              message:
                  `That a run stays below ${budget.toFixed(2)} USD cannot be proved: no price is known for ` +
                  `${bill.unknown.join(", ")}. ` +
                  `What is known sums to ${bill.known.toFixed(2)} USD. Update the prices (ensemble prices update), ` +
                  "or choose what has one.",
          };
}
