/**
 * What a run will probably cost: usual durations instead of the longest possible ones. What is not known is said, with
 * the reason.
 */
import type { ModelSettings, StageSettings } from "../workflow/contract";
import type { BatchJobBound } from "./bill";
import type { Prices } from "./prices";

/** What something usually takes and who says so, or why nobody knows. */
export type Usual = { readonly amount: number; readonly from: string } | { readonly unknown: string };

export interface ExpectedInput {
    /** With the members that the run trains or may train. */
    readonly settings: StageSettings;
    /**
     * By model: billable seconds of one instance (of a Spot training already less its saving); 0 where nothing is
     * trained.
     */
    readonly trainings: Readonly<Record<string, Usual>>;
    readonly batchJobs: Readonly<Record<string, BatchJobBound>>;
    /** By job: seconds of all its attempts; 0 where it does not run. */
    readonly jobs: Readonly<Record<string, Usual>>;
    readonly transitions: Usual;
    /** What the run writes into S3 and keeps. */
    readonly storage: { readonly gibMonths: Usual; readonly writes: Usual };
}

export interface ExpectedLine {
    /** As in the bill. */
    readonly item: string;
    /** How the figure comes about, or why there is none. */
    readonly how: string;
    /** US dollars. */
    readonly expected: number | undefined;
}

export interface ExpectedBill {
    readonly lines: readonly ExpectedLine[];
    /** Sum of what is known. */
    readonly known: number;
    /** Items without a figure. */
    readonly unknown: readonly string[];
}

/** The expected price of one run, line by line as in the worst-case bill; a training counts on its first rung. */
export function expectedBill(input: ExpectedInput, prices: Prices): ExpectedBill {
    const { settings } = input;
    const { region } = settings;
    const models: [string, ModelSettings][] = [
        ...Object.entries(settings.members),
        [settings.combiner.name, settings.combiner],
    ];
    const lines = [
        ...models.map(([name, model]) =>
            training(name, model, input.trainings[name] ?? { unknown: "no duration is known" }, region, prices),
        ),
        ...Object.entries(input.batchJobs).map(([name, job]) => {
            const rate = (item: string, amount: number) => ({ item, amount });
            return line(
                name,
                input.jobs[name] ?? { unknown: "no duration is known" },
                "Fargate",
                prices,
                region,
                [rate("fargate:vcpu", job.vcpu / 3600), rate("fargate:gib", job.gib / 3600)],
                (seconds) => `${round(seconds / 60)} min`,
            );
        }),
        line(
            "state transitions",
            input.transitions,
            "Step Functions",
            prices,
            region,
            [{ item: "states:transition", amount: 1 }],
            String,
        ),
        line(
            "storage",
            input.storage.gibMonths,
            "S3 storage",
            prices,
            region,
            [{ item: "s3:storage", amount: 1 }],
            (months) => `${round(months)} GiB-months`,
        ),
        line(
            "writing into S3",
            input.storage.writes,
            "S3 requests",
            prices,
            region,
            [{ item: "s3:write", amount: 1 }],
            (count) => `${count} objects`,
        ),
    ];
    return {
        lines,
        known: lines.reduce((sum, { expected }) => sum + (expected ?? 0), 0),
        unknown: lines.filter(({ expected }) => expected === undefined).map(({ item }) => item),
    };
}

function training(name: string, model: ModelSettings, usual: Usual, region: string, prices: Prices): ExpectedLine {
    const type = model.capacity[0]?.instanceType ?? "no machine";
    return line(
        name,
        usual,
        type,
        prices,
        region,
        [{ item: `sagemaker-training:${type}`, amount: model.instanceCount / 3600 }],
        (seconds) => `${model.instanceCount} x ${type}, ${round(seconds / 3600)} h billed`,
    );
}

function line(
    item: string,
    usual: Usual,
    what: string,
    prices: Prices,
    region: string,
    rates: readonly { item: string; amount: number }[],
    shown: (amount: number) => string,
): ExpectedLine {
    if ("unknown" in usual) {
        return { item, how: usual.unknown, expected: undefined };
    }
    if (usual.amount === 0) {
        return { item, how: usual.from, expected: 0 };
    }
    const found = rates.map((rate) => ({ price: prices.find(rate.item, region)?.price, amount: rate.amount }));
    const how = `${shown(usual.amount)} (${usual.from})`;
    return found.some(({ price }) => price === undefined)
        ? { item, how: `${how}; no price is known for ${what} in ${region}`, expected: undefined }
        : {
              item,
              how,
              expected: usual.amount * found.reduce((sum, { price, amount }) => sum + (price ?? 0) * amount, 0),
          };
}

function round(value: number): number {
    return Math.round(value * 100) / 100;
}

/** The middle one; of an even number the mean of the two. @throws RangeError without a value. */
export function median(values: readonly number[]): number {
    if (values.length === 0) {
        throw new RangeError("median: got no value, expected at least one");
    }
    const sorted = [...values].sort((a, b) => a - b);
    return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
