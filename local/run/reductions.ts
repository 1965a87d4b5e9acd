import { z } from "zod";
import { EXIT, ToolError } from "../../ground/errors";
import type { Hyperparameters } from "../../workflow/contract";

/** A hyperparameter that is smaller here than in the stage. */
export interface Reduction {
    readonly model: string;
    readonly name: string;
    readonly configured: number;
    readonly local: number;
    readonly because: string;
}

const UPPER_BOUNDS = z.record(
    z.string(),
    z.record(z.string(), z.strictObject({ atMost: z.number(), because: z.string().min(1) })),
);

/** By model and hyperparameter: at most which value is trained on this machine, and why that suffices here. */
export type UpperBounds = z.infer<typeof UPPER_BOUNDS>;

/**
 * @param text content of local/hyperparameters.json, or of the file that `--hyperparameters` names
 * @throws ToolError where it is no such file; `source` is its name
 */
export function parseUpperBounds(text: string, source: string): UpperBounds {
    const expected = 'expected {"image": {"epochs": {"atMost": 6, "because": "..."}}}';
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch (error) {
        throw new ToolError(`${source}: no JSON: ${(error as Error).message}; ${expected}`, EXIT.usage);
    }
    const parsed = UPPER_BOUNDS.safeParse(value);
    if (!parsed.success) {
        const [{ path, message }] = parsed.error.issues;
        throw new ToolError(
            `${source}: ${path.join(".") || "the file"}: ${message}; ${expected}. ` +
                "It makes hyperparameters smaller; what is to be another value is set: --set text.analyzer=word.",
            EXIT.usage,
        );
    }
    return parsed.data;
}

/**
 * What of a model's configured values is above a bound, in the bounds' order.
 * @param fixed names that stand as they are: the user has set them
 */
export function reductionsOf(
    model: string,
    configured: Hyperparameters,
    bounds: UpperBounds,
    fixed: ReadonlySet<string> = new Set(),
): readonly Reduction[] {
    const found: Reduction[] = [];
    for (const [name, { atMost, because }] of Object.entries(bounds[model] ?? {})) {
        const value = configured[name];
        if (typeof value === "number" && value > atMost && !fixed.has(name)) {
            found.push({ model, name, configured: value, local: atMost, because });
        }
    }
    return found;
}
