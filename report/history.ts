/** A model's `history.json`: curves by epoch, or the accuracy of each fold. */
import { z } from "zod";
import { defined } from "../ground/fields";
import type { Curve, ModelReport } from "./model";

/** Points of a curve that are drawn: more than a chart has pixels for say nothing more. */
const maximumPoints = 200;

const number = z.number();
const epoch = z.looseObject({
    epoch: z.number(),
    loss: number.optional(),
    val_loss: number.optional(),
    accuracy: number.optional(),
    val_accuracy: number.optional(),
});
const history = z.union([
    z.object({ epochs: z.array(epoch).min(1), fold: z.number().int().optional() }),
    z.object({ folds: z.array(z.object({ fold: z.number().int(), pages: z.number(), accuracy: z.number() })).min(1) }),
]);

/**
 * Reads one history.json.
 * @throws Error saying what is wrong with it.
 */
export function readHistory(text: string): { readonly curve: Curve } | Pick<ModelReport, "folds"> {
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch (error) {
        throw new Error(`it is no JSON (${(error as Error).message})`);
    }
    const parsed = history.safeParse(value);
    if (!parsed.success) {
        throw new Error("it has neither epochs with their numbers nor folds with their accuracy");
    }
    if ("folds" in parsed.data) {
        return { folds: parsed.data.folds };
    }
    const points = thinned(parsed.data.epochs);
    const series = (name: "loss" | "val_loss" | "accuracy" | "val_accuracy"): readonly number[] | undefined => {
        const values = points.map((point) => point[name]);
        return values.every((one) => one !== undefined) ? values : undefined;
    };
    const named = {
        loss: series("loss"),
        validationLoss: series("val_loss"),
        accuracy: series("accuracy"),
        validationAccuracy: series("val_accuracy"),
    };
    return {
        curve: defined({
            fold: parsed.data.fold,
            epochs: points.map((point) => point.epoch),
            ...Object.fromEntries(Object.entries(named).filter(([, values]) => values !== undefined)),
        }),
    };
}

/** Every n-th point, and the last. */
function thinned<T>(points: readonly T[]): readonly T[] {
    const step = Math.ceil(points.length / maximumPoints);
    return points.filter((_, index) => index % step === 0 || index === points.length - 1);
}
