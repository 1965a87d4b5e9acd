/**
 * Dated prices. The bundled file holds only figures that were found in a source that one can open; whatever it lacks is
 * `undefined`, and everything computed from it says "unknown" rather than guess.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
// Imported, not read: bundles (the policy pack, a function) have no file beside them.
import bundled from "./bundled.json";

const units = ["transition", "hour", "gib-month", "request"] as const;

const priceFile = z.strictObject({
    format: z.literal(1),
    /** The day on which the figures were looked up. */
    asOf: z.iso.date(),
    currency: z.literal("USD"),
    sources: z.record(z.string(), z.string().min(1)),
    prices: z.array(
        z.strictObject({
            /**
             * `sagemaker-training:<type>`, `fargate:vcpu`, `fargate:gib`, `states:transition`, `s3:storage`,
             * `s3:write`, `s3:read`.
             */
            item: z.string().min(1),
            region: z.string().min(1),
            unit: z.enum(units),
            price: z.number().nonnegative(),
            source: z.string().min(1),
            /** AWS's stock keeping unit, where the source names it. */
            sku: z.string().min(1).optional(),
        }),
    ),
});

export type PriceFile = z.infer<typeof priceFile>;

export interface Price {
    /** US dollars per unit. */
    readonly price: number;
    readonly unit: (typeof units)[number];
    readonly source: string;
}

/** Name of a project's own price file, beside its Pulumi.yaml; `ensemble prices update` writes it. */
export const PROJECT_PRICES = "prices.json";

/** The days after which a price file is called old. */
export const oldAfterDays = 180;

export class Prices {
    private readonly byKey: ReadonlyMap<string, Price>;

    constructor(readonly file: PriceFile) {
        this.byKey = new Map(
            file.prices.map((entry) => [
                `${entry.region} ${entry.item}`,
                { price: entry.price, unit: entry.unit, source: file.sources[entry.source] },
            ]),
        );
    }

    /**
     * The price of an item in a region, or undefined where no source gave one: other regions' prices never stand in.
     */
    find(item: string, region: string): Price | undefined {
        return this.byKey.get(`${region} ${item}`);
    }

    /** A warning where the figures are older than {@link oldAfterDays}. */
    age(today: Date): string | undefined {
        const days = Math.floor((today.getTime() - Date.parse(this.file.asOf)) / 86_400_000);
        return days <= oldAfterDays
            ? undefined
            : `The prices are of ${this.file.asOf}, ${days} days old (more than ${oldAfterDays}): update them ` +
                  "before you rely on the bill.";
    }
}

/**
 * The project's own price file: beside the nearest Pulumi.yaml from a folder upwards; undefined where the project has
 * none.
 */
export function projectPrices(from: string = process.cwd()): string | undefined {
    for (let folder = resolve(from); ; folder = dirname(folder)) {
        if (existsSync(join(folder, "Pulumi.yaml"))) {
            const file = join(folder, PROJECT_PRICES);
            return existsSync(file) ? file : undefined;
        }
        if (dirname(folder) === folder) {
            return undefined;
        }
    }
}

/** The prices that come with the project. */
export function bundledPrices(): Prices {
    return new Prices(checked(bundled, "pricing/bundled.json"));
}

/**
 * The prices that count: those of the given file, else the project's own ({@link projectPrices}), else the bundled
 * ones. Everything that reckons with prices (plan, policy pack, report) asks here, so that they cannot disagree.
 * @param path A price file.
 * @param from The folder from which the project is looked for; default the working directory.
 * @throws Error naming the file and each thing that is wrong in it.
 */
export function loadPrices(path?: string, from?: string): Prices {
    const file = path ?? projectPrices(from);
    if (file === undefined) {
        return bundledPrices();
    }
    let content: unknown;
    try {
        content = JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
        throw new Error(`The price file ${file} cannot be read: ${(error as Error).message}`);
    }
    return new Prices(checked(content, file));
}

function checked(content: unknown, file: string): PriceFile {
    const parsed = priceFile.safeParse(content);
    if (!parsed.success) {
        const problems = parsed.error.issues.map((issue) => `  ${issue.path.join(".") || "(top)"}: ${issue.message}`);
        throw new Error(`The price file ${file} is not valid:\n${problems.join("\n")}`);
    }
    const unnamed = parsed.data.prices.filter((entry) => !(entry.source in parsed.data.sources));
    if (unnamed.length > 0) {
        throw new Error(
            `The price file ${file} has prices without a source: ` +
                `${unnamed.map((entry) => `${entry.item} in ${entry.region} names "${entry.source}"`).join("; ")}. ` +
                `Add it to "sources".`,
        );
    }
    return parsed.data;
}
