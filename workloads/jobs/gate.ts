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
}

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
                // Rounding of the difference must not decide.
                if (judged && now !== undefined && value - now > gate.maximumRegression + 1e-9) {
                    refused.push(
                        `${model} ${metric} fell from ${show(value)} to ${show(now)}, at most ` +
                            `${show(gate.maximumRegression)} is allowed`,
                    );
                }
            }
        }
    }
    return refused;
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
