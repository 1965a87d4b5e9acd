/** What an execution cost, or would have cost on AWS, from what its jobs said about themselves. */
import type { Attempt, Visit } from "../asl/history";
import { formatDuration } from "../ground/duration";
import { defined } from "../ground/fields";
import { worstCaseBill } from "../pricing/bill";
import type { Prices } from "../pricing/prices";
import type { StageSettings } from "../workflow/contract";
import type { PriceLine, PriceReport } from "./model";

type Json = Record<string, unknown>;

/** Fargate bills by the second, at least one minute. Source: https://aws.amazon.com/fargate/pricing/ */
const FARGATE_LEAST_SECONDS = 60;

interface Usage {
    readonly item: string;
    readonly how: string;
    readonly hours: number;
    /** The hours are the time from the request to the end, since the job has not said its own. */
    readonly estimated?: true;
    /** Price items with their factor; undefined where the job does not say what it ran on. */
    readonly rates?: readonly { readonly price: string; readonly factor: number; readonly name: string }[];
}

/**
 * Prices the training jobs, Batch jobs and state transitions of an execution. Not in it: functions, S3, logs, messages.
 * BillableTimeInSeconds is per instance and, of a Spot training, already less its saving, so that it counts at the
 * on-demand price. Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
 * @param modelOf the model that a training job's name belongs to.
 */
export function priceOf(
    visits: readonly Visit[],
    {
        prices,
        settings,
        where,
        modelOf,
        today,
    }: {
        readonly prices: Prices;
        readonly settings: StageSettings;
        readonly where: "aws" | "local";
        readonly today: Date;
        readonly modelOf: (jobName: string) => string | undefined;
    },
): PriceReport {
    const usages = visits.flatMap(({ state, attempts }) =>
        attempts.flatMap((attempt) => usageOf(attempt, state, modelOf)),
    );
    const estimated = usages.some(({ estimated: one }) => one);
    const transitions = visits.reduce((sum, visit) => sum + Math.max(1, visit.attempts.length), 0);
    const priced = [
        ...merged(usages),
        {
            item: "state transitions",
            how: `${transitions}`,
            hours: 1,
            rates: [{ price: "states:transition", factor: transitions, name: "Step Functions" }],
        },
    ].map((usage) => line(usage, prices, settings.region));
    const warning = prices.age(today);
    const worst = worstCaseBill({ settings, batchJobs: {}, transitions: 0 }, prices, today);
    return defined({
        lines: priced.map(({ unknown: _unknown, ...rest }): PriceLine => rest),
        known: priced.reduce((sum, { dollars = 0 }) => sum + dollars, 0),
        unknown: [...new Set(priced.flatMap(({ unknown }) => unknown))],
        pricesAsOf: prices.file.asOf,
        warning,
        trainingsAtMost: worst.unknown.length > 0 ? undefined : worst.known,
        basis: estimated ? `${BASIS[where]} ${ESTIMATED}` : BASIS[where],
    });
}

/** What the figures rest on. */
const BASIS = {
    aws:
        "Billable seconds of each job on the instances that it had, at on-demand prices (a Spot training's billable " +
        "seconds are already less its saving).",
    local:
        "What the jobs of this run would cost on the stage's instances if they took as long there as on this " +
        "machine; smaller hyperparameters and other hardware make that a rough figure.",
};

const ESTIMATED =
    "A job that was stopped or is still running has not said what is billed: the time since it was requested counts, " +
    "which is at most too much.";

/** What one attempt of a Task used, where it was a training or a Batch job. */
function usageOf(attempt: Attempt, state: string, modelOf: (jobName: string) => string | undefined): Usage[] {
    const said = parsed(attempt.output ?? attempt.cause);
    const taken = said === undefined ? unfinished(attempt) : undefined;
    const job = said ?? taken?.job;
    if (job === undefined) {
        return [];
    }
    if (attempt.resource?.startsWith("sagemaker:createTrainingJob") === true) {
        return training(job, modelOf(String(job.TrainingJobName)) ?? state, taken?.note);
    }
    return attempt.resource?.startsWith("batch:submitJob") === true ? batch(job, state, taken?.note) : [];
}

/**
 * A job that the service took and that ended, or goes on, without its own account: what was requested, and how long
 * ago.
 */
function unfinished({
    submitted,
    from,
    to,
    outcome,
}: Attempt): { readonly job: Json; readonly note: string } | undefined {
    return submitted === undefined
        ? undefined
        : {
              job: {
                  ...parsed(submitted),
                  BillableTimeInSeconds: (to - from) / 1000,
                  Attempts: [{ StartedAt: from, StoppedAt: to }],
              },
              note: outcome === "running" ? ", still running" : ", stopped",
          };
}

function training(said: Json, model: string, note = ""): Usage[] {
    type Config = { readonly InstanceType?: string; readonly InstanceCount?: number };
    const { InstanceType: type, InstanceCount: count = 1 } = (said.ResourceConfig ?? {}) as Config;
    const seconds = Number(said.BillableTimeInSeconds ?? 0);
    if (!(seconds > 0)) {
        return [];
    }
    return [
        defined({
            item: `training of ${model}`,
            how:
                `${count} x ${type ?? "an unknown instance"}` +
                `${said.EnableManagedSpotTraining === true ? " (Spot)" : ""}${note}`,
            hours: seconds / 3600,
            estimated: note === "" ? undefined : (true as const),
            rates:
                type === undefined ? undefined : [{ price: `sagemaker-training:${type}`, factor: count, name: type }],
        }),
    ];
}

function batch(said: Json, state: string, note = ""): Usage[] {
    const attempts = (Array.isArray(said.Attempts) ? said.Attempts : []) as {
        StartedAt?: number;
        StoppedAt?: number;
    }[];
    const seconds = attempts.reduce(
        (sum, { StartedAt = 0, StoppedAt = 0 }) =>
            sum +
            (StoppedAt > StartedAt && StartedAt > 0
                ? Math.max(FARGATE_LEAST_SECONDS, (StoppedAt - StartedAt) / 1000)
                : 0),
        0,
    );
    if (seconds === 0) {
        return [];
    }
    const container = (said.Container ?? {}) as { ResourceRequirements?: { Type?: string; Value?: string }[] };
    const amount = (type: string): number =>
        Number(container.ResourceRequirements?.find((one) => one.Type === type)?.Value ?? 0);
    const [vcpu, gib] = [amount("VCPU"), amount("MEMORY") / 1024];
    const known = vcpu > 0 && gib > 0;
    return [
        defined({
            item: state,
            how: `Fargate, ${known ? `${vcpu} vCPU, ${gib} GiB` : "of unknown size"}${note}`,
            hours: seconds / 3600,
            estimated: note === "" ? undefined : (true as const),
            rates: known
                ? [
                      { price: "fargate:vcpu", factor: vcpu, name: "Fargate" },
                      { price: "fargate:gib", factor: gib, name: "Fargate" },
                  ]
                : undefined,
        }),
    ];
}

/** One line for what is equal but in time. */
function merged(usages: readonly Usage[]): Usage[] {
    const found = new Map<string, Usage>();
    for (const usage of usages) {
        const key = `${usage.item} ${usage.how}`;
        found.set(key, { ...usage, hours: usage.hours + (found.get(key)?.hours ?? 0) });
    }
    return [...found.values()].map((usage) => ({
        ...usage,
        how: `${usage.how}, ${formatDuration(usage.hours * 3600)}`,
    }));
}

function line(usage: Usage, prices: Prices, region: string): PriceLine & { readonly unknown: readonly string[] } {
    const rates = (usage.rates ?? []).map((rate) => ({ ...rate, found: prices.find(rate.price, region)?.price }));
    const unknown =
        usage.rates === undefined
            ? [`what ${usage.item} ran on`]
            : rates.filter(({ found }) => found === undefined).map(({ name }) => `${name} in ${region}`);
    return defined({
        item: usage.item,
        how: usage.how,
        unknown,
        dollars:
            unknown.length > 0
                ? undefined
                : usage.hours * rates.reduce((sum, { factor, found = 0 }) => sum + factor * found, 0),
    });
}

function parsed(text: string | undefined): Json | undefined {
    try {
        const value = JSON.parse(text ?? "null") as unknown;
        return typeof value === "object" && value !== null ? (value as Json) : undefined;
    } catch {
        return undefined;
    }
}
