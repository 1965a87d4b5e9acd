/**
 * Dated prices. The bundled file holds only figures that were found in a source that one can open; whatever it lacks is
 * `undefined`, and everything computed from it says "unknown" rather than guess.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const priceFile = z.strictObject({
    format: z.literal(1),
    /** The day on which the figures were looked up. */
    asOf: z.iso.date(),
    currency: z.literal("USD"),
    sources: z.record(z.string(), z.string().min(1)),
    prices: z.array(z.strictObject({
        /** `states:transition`, `fargate:vcpu`, `fargate:gib`, `sagemaker-training:<instance type>`, ... */
        item: z.string().min(1),
        region: z.string().min(1),
        unit: z.enum(["transition", "hour", "gib-month"]),
        price: z.number().nonnegative(),
        source: z.string().min(1),
    })),
});

export type PriceFile = z.infer<typeof priceFile>;

export interface Price {
    /** US dollars per unit. */
    readonly price: number;
    readonly unit: "transition" | "hour" | "gib-month";
    readonly source: string;
}

/** The days after which a price file is called old. */
export const oldAfterDays = 180;

export class Prices {
    private readonly byKey: ReadonlyMap<string, Price>;

    constructor(readonly file: PriceFile) {
        this.byKey = new Map(file.prices.map((entry) => [
            `${entry.region} ${entry.item}`,
            { price: entry.price, unit: entry.unit, source: file.sources[entry.source] },
        ]));
    }

    /** The price of an item in a region, or undefined where no source gave one: other regions' prices never stand in. */
    find(item: string, region: string): Price | undefined {
        return this.byKey.get(`${region} ${item}`);
    }

    /** A warning where the figures are older than {@link oldAfterDays}. */
    age(today: Date): string | undefined {
        const days = Math.floor((today.getTime() - Date.parse(this.file.asOf)) / 86_400_000);
        return days <= oldAfterDays ? undefined
            : `The prices are of ${this.file.asOf}, ${days} days old (more than ${oldAfterDays}): update them before you rely on the bill.`;
    }
}

/**
 * Reads a price file; without a path, the bundled one.
 * @throws Error naming the file and each thing that is wrong in it.
 */
export function loadPrices(path: string = join(__dirname, "bundled.json")): Prices {
    let content: unknown;
    try {
        content = JSON.parse(readFileSync(path, "utf8"));
    } catch (error) {
        throw new Error(`The price file ${path} cannot be read: ${(error as Error).message}`);
    }
    const parsed = priceFile.safeParse(content);
    if (!parsed.success) {
        const problems = parsed.error.issues.map((issue) => `  ${issue.path.join(".") || "(top)"}: ${issue.message}`);
        throw new Error(`The price file ${path} is not valid:\n${problems.join("\n")}`);
    }
    const unnamed = parsed.data.prices.filter((entry) => !(entry.source in parsed.data.sources));
    if (unnamed.length > 0) {
        throw new Error(`The price file ${path} has prices without a source: `
            + `${unnamed.map((entry) => `${entry.item} in ${entry.region} names "${entry.source}"`).join("; ")}. Add it to "sources".`);
    }
    return new Prices(parsed.data);
}
