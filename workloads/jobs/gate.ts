/**
 * The quality gate: every model above its minimum metrics, and none worse than the last published ensemble by more than
 * is allowed.
 */

/** Values by metric, by model. */
export type Metrics = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Gate {
    /** Lowest allowed value by metric, by model. */
    readonly minimum?: Metrics;
    /** How much lower than in the published ensemble a metric may be. */
    readonly maximumRegression?: number;
    /**
     * Least gain of the ensemble over its best member: the lower bound of its 95 % interval may not lie below it.
     * By default minus the noise of the best member's own figure on the held-out stacks: an ensemble that may harm by
     * more than that is refused.
     */
    readonly minimumGain?: number;
}

/** What a combiner measures beside its best member: lower bound of the gain, and the noise, by what is gained. */
const GAINS = [
    { what: "page accuracy", low: "gain_low", noise: "gain_noise", gain: "gain" },
    { what: "segment F1", low: "segment_gain_low", noise: "segment_gain_noise", gain: "segment_gain" },
] as const;

/** Rounding of a difference must not decide. */
const ROUNDING = 1e-9;

/** Metrics of which more is better: regressions are judged on these, and on those that have a minimum. */
const higherIsBetter = /accuracy|f1|precision|recall|auc/i;

/** What the gate refuses, each in words; empty: it passes. A model that is missing is not judged. */
export function judge(gate: Gate, metrics: Metrics, published: Metrics | undefined): string[] {
    const refused: string[] = [];
    for (const [model, minimum] of Object.entries(gate.minimum ?? {})) {
        for (const [metric, bound] of Object.entries(minimum)) {
            const value = metrics[model]?.[metric];
            if (metrics[model] !== undefined && !(value >= bound)) {
                refused.push(
                    `${model} ${metric} is ${value === undefined ? "not measured" : show(value)}, at least ` +
                        `${show(bound)} is required`,
                );
            }
        }
    }
    if (gate.maximumRegression !== undefined && published !== undefined) {
        for (const [model, before] of Object.entries(published)) {
            for (const [metric, value] of Object.entries(before)) {
                const now = metrics[model]?.[metric];
                const judged = higherIsBetter.test(metric) || gate.minimum?.[model]?.[metric] !== undefined;
                if (judged && now !== undefined && value - now > gate.maximumRegression + ROUNDING) {
                    refused.push(
                        `${model} ${metric} fell from ${show(value)} to ${show(now)}, at most ` +
                            `${show(gate.maximumRegression)} is allowed`,
                    );
                }
            }
        }
    }
    return [...refused, ...Object.entries(metrics).flatMap(([model, own]) => harms(gate, model, own))];
}

/** Where a combiner may be worse than its best member; nothing of a model that was not compared with any. */
function harms({ minimumGain }: Gate, model: string, metrics: Readonly<Record<string, number>>): string[] {
    return GAINS.flatMap(({ what, low, noise, gain }) => {
        const lowest = metrics[low];
        if (lowest === undefined) {
            return [];
        }
        const bound = minimumGain ?? -(metrics[noise] ?? 0);
        if (lowest >= bound - ROUNDING) {
            return [];
        }
        const required = `${show(bound)} is required (${minimumGain === undefined ? "the noise" : "minimumGain"})`;
        return [
            `${model} gains ${show(metrics[gain] ?? lowest)} in ${what} over the best member, at least ` +
                `${show(lowest)} with 95 % certainty, where ${required}: ` +
                "the ensemble may do worse than that member alone",
        ];
    });
}

/** Numbers of a metrics.json's top level. */
export function numbersOf(value: unknown): Record<string, number> {
    return Object.fromEntries(
        Object.entries(Object(value) as Record<string, unknown>).filter(
            (entry): entry is [string, number] =>
                typeof entry[1] === "number" && Number.isFinite(entry[1]) && entry[0] !== "fold",
        ),
    );
}

/** Means of what several folds measured. */
export function meanOf(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
    const names = Object.keys(all[0] ?? {}).filter((name) => all.every((metrics) => name in metrics));
    return Object.fromEntries(
        names.map((name) => [name, all.reduce((sum, metrics) => sum + metrics[name], 0) / all.length]),
    );
}

function show(value: number): string {
    return String(Number(value.toFixed(4)));
}
