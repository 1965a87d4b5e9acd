/**
 * The prices that the bill needs, out of AWS's Price List API. What a product is, its usage type says:
 * `<region's code>-<usage>`, where us-east-1 has the code USE1 with some services and none with others. Source: AWS's
 * public price lists, https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/<service
 * code>/current/<region>/index.json.
 */
import { paginateGetProducts, PricingClient } from "@aws-sdk/client-pricing";
import { defined } from "../ground/fields";
import type { Price, PriceFile } from "./prices";

type Unit = Price["unit"];

interface Wanted {
    /** Usage type without the region's code, to the item; the first group is handed on. */
    readonly usage: RegExp;
    readonly item: (group: string) => string;
    readonly unit: Unit;
    /** What AWS calls that unit. */
    readonly units: RegExp;
}

interface Query {
    readonly service: string;
    /** Narrows the answer at AWS; the usage type decides here. */
    readonly filters: Readonly<Record<string, string>>;
    readonly wanted: readonly Wanted[];
}

const HOURS = /^(hrs?|hours?|(vcpu|gb)-hours?)$/i;
const REQUESTS = /^requests?$/i;

const QUERIES: readonly Query[] = [
    {
        service: "AmazonSageMaker",
        filters: { component: "Training" },
        wanted: [
            {
                usage: /^Train:(ml\.[a-z0-9-]+\.[a-z0-9-]+)$/,
                item: (type) => `sagemaker-training:${type}`,
                unit: "hour",
                units: HOURS,
            },
        ],
    },
    {
        // Linux on x86 is what has neither ARM nor Windows in its name.
        service: "AmazonECS",
        filters: {},
        wanted: [
            { usage: /^(Fargate-vCPU-Hours:perCPU)$/, item: () => "fargate:vcpu", unit: "hour", units: HOURS },
            { usage: /^(Fargate-GB-Hours)$/, item: () => "fargate:gib", unit: "hour", units: HOURS },
        ],
    },
    {
        service: "AmazonStates",
        filters: {},
        wanted: [
            {
                usage: /^(StateTransition)$/,
                item: () => "states:transition",
                unit: "transition",
                units: /^(state ?)?transitions?$/i,
            },
        ],
    },
    {
        service: "AmazonS3",
        filters: {},
        wanted: [
            {
                usage: /^(TimedStorage-ByteHrs)$/,
                item: () => "s3:storage",
                unit: "gib-month",
                units: /^gb-mo(nth)?s?$/i,
            },
            { usage: /^(Requests-Tier1)$/, item: () => "s3:write", unit: "request", units: REQUESTS },
            { usage: /^(Requests-Tier2)$/, item: () => "s3:read", unit: "request", units: REQUESTS },
        ],
    },
];

/** A product of the Price List, as far as it is read; AWS hands it out as a JSON text. */
interface Product {
    readonly product?: { readonly sku?: string; readonly attributes?: Readonly<Record<string, string>> };
    readonly publicationDate?: string;
    readonly terms?: { readonly OnDemand?: Readonly<Record<string, Term>> };
}

interface Term {
    readonly effectiveDate?: string;
    readonly priceDimensions?: Readonly<
        Record<
            string,
            {
                readonly unit?: string;
                readonly pricePerUnit?: Readonly<Record<string, string>>;
            }
        >
    >;
}

/** What one look at the Price List gave. */
export interface PriceListAnswer {
    readonly prices: PriceFile["prices"];
    readonly sources: PriceFile["sources"];
    /** What was found and left out, a line each, with the reason. */
    readonly notes: readonly string[];
}

export interface PriceListOptions {
    readonly regions: readonly string[];
    /** Of the Price List API; default AWS's. */
    readonly endpoint?: string;
    /** Terms that begin later do not count yet. */
    readonly now: Date;
    readonly signal?: AbortSignal;
    /** Told after every page: the service, the region, how many products were seen and how many prices taken so far. */
    readonly onPage?: (progress: { service: string; region: string; products: number; prices: number }) => void;
}

/** A problem with what the Price List answered: its text is for the user. */
export class PriceListError extends Error {}

/**
 * The region whose endpoint answers: the API has three. Source: the documentation of @aws-sdk/client-pricing.
 */
export function endpointRegion(region: string): "us-east-1" | "eu-central-1" | "ap-south-1" {
    return /^(eu|me|af|il)-/.test(region) ? "eu-central-1" : /^ap-/.test(region) ? "ap-south-1" : "us-east-1";
}

/**
 * Asks for every price that the bill may need in the regions. Only on-demand terms in US dollars count; of several
 * tiers the dearest is taken (free quantities are spent by others), of several terms the newest one in force.
 * @throws PriceListError where prices are in another currency, or a region has none at all; errors of the SDK.
 */
export async function readPriceList({
    regions,
    endpoint,
    now,
    signal,
    onPage,
}: PriceListOptions): Promise<PriceListAnswer> {
    const prices: PriceFile["prices"] = [];
    const sources: Record<string, string> = {};
    const notes: string[] = [];
    for (const region of regions) {
        if (region.startsWith("cn-")) {
            throw new PriceListError(
                `${region}: prices there are in CNY and not in this list; the bill reckons in USD. Write a price ` +
                    "file by hand.",
            );
        }
        const client = new PricingClient(
            defined({
                region: endpointRegion(region),
                maxAttempts: 6,
                requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 },
                endpoint,
            }),
        );
        try {
            const before = prices.length;
            for (const query of QUERIES) {
                for (const price of await pricesOf(client, query, region, { now, signal, onPage, notes, sources })) {
                    prices.push(price);
                }
            }
            if (prices.length === before) {
                throw new PriceListError(`The Price List has no price for ${region}: is that the name of a region?`);
            }
        } finally {
            client.destroy();
        }
    }
    return { prices, sources, notes };
}

interface Reading extends Pick<PriceListOptions, "now" | "signal" | "onPage"> {
    readonly notes: string[];
    readonly sources: Record<string, string>;
}

async function pricesOf(
    client: PricingClient,
    query: Query,
    region: string,
    reading: Reading,
): Promise<PriceFile["prices"]> {
    const { service } = query;
    const found = new Map<string, PriceFile["prices"][number]>();
    let products = 0;
    const input = {
        ServiceCode: service,
        FormatVersion: "aws_v1",
        Filters: Object.entries({ regionCode: region, ...query.filters }).map(([Field, Value]) => ({
            Type: "TERM_MATCH" as const,
            Field,
            Value,
        })),
    };
    const { signal } = reading;
    for await (const page of paginateGetProducts({ client, pageSize: 100 }, input, { abortSignal: signal })) {
        for (const text of page.PriceList ?? []) {
            products++;
            const price = priceOf(parsed(text), query, region, reading);
            const other = price === undefined ? undefined : found.get(price.item);
            if (other !== undefined && other.price !== price?.price) {
                reading.notes.push(
                    `${price?.item} in ${region} has two prices, ${other.price} and ${price?.price} USD: the dearer ` +
                        "one is taken.",
                );
            }
            if (price !== undefined && (other === undefined || price.price > other.price)) {
                found.set(price.item, price);
            }
        }
        reading.onPage?.({ service, region, products, prices: found.size });
    }
    return [...found.values()].sort((a, b) => (a.item < b.item ? -1 : 1));
}

function parsed(text: unknown): Product {
    try {
        // The SDK hands a product out as a text with methods of its own.
        return JSON.parse(String(text)) as Product;
    } catch {
        throw new PriceListError(
            `The Price List answered with a product that is no JSON: ${String(text).slice(0, 80)}`,
        );
    }
}

function priceOf(
    { product, publicationDate, terms }: Product,
    query: Query,
    region: string,
    reading: Reading,
): PriceFile["prices"][number] | undefined {
    const usage = /^(?:[A-Z0-9]+-)?(.+)$/.exec(product?.attributes?.usagetype ?? "")?.[1] ?? "";
    // a region's code has only capitals and digits, as no usage of ours has before its first hyphen
    const wanted = query.wanted.find((one) => one.usage.test(usage));
    if (wanted === undefined) {
        return undefined;
    }
    const item = wanted.item(wanted.usage.exec(usage)?.[1] ?? "");
    const sku = product?.sku ?? "";
    const began = (term: Term): number => Date.parse(term.effectiveDate ?? "1970-01-01");
    const term = Object.values(terms?.OnDemand ?? {})
        .filter((one) => began(one) <= reading.now.getTime())
        .sort((a, b) => began(b) - began(a))
        .at(0);
    const dimensions = Object.values(term?.priceDimensions ?? {});
    if (dimensions.length === 0) {
        reading.notes.push(`${item} in ${region} (SKU ${sku}) has no on-demand price: left out.`);
        return undefined;
    }
    const strange = dimensions.find(({ unit }) => !wanted.units.test(unit ?? ""));
    if (strange !== undefined) {
        reading.notes.push(
            `${item} in ${region} (SKU ${sku}) is priced by "${strange.unit}", not by ${wanted.unit}: left out.`,
        );
        return undefined;
    }
    const amounts = dimensions.map(({ pricePerUnit = {} }) => {
        const amount = Number(pricePerUnit.USD);
        if (pricePerUnit.USD === undefined || !Number.isFinite(amount)) {
            throw new PriceListError(
                `The Price List gives ${item} in ${region} (SKU ${sku}) in ` +
                    `${Object.keys(pricePerUnit).join(", ") || "no currency"}, ` +
                    "not in USD: nothing was written. The bill reckons in USD only.",
            );
        }
        return amount;
    });
    const published = (publicationDate ?? "of an unknown day").slice(0, 10);
    const source = `${query.service} ${published}`;
    reading.sources[source] = `AWS Price List API, service code ${query.service}, published ${published}`;
    return defined({
        item,
        region,
        unit: wanted.unit,
        price: Math.max(...amounts),
        source,
        sku: sku === "" ? undefined : sku,
    });
}

export interface PriceChange {
    readonly item: string;
    readonly region: string;
    /** Undefined: new, or gone. */
    readonly before?: number;
    readonly after?: number;
}

/** What differs between two price files, by region and item; with `regions`, in those only. */
export function priceChanges(
    before: PriceFile["prices"],
    after: PriceFile["prices"],
    regions?: readonly string[],
): PriceChange[] {
    const byKey = (prices: PriceFile["prices"]) =>
        new Map(
            prices
                .filter(({ region }) => regions?.includes(region) ?? true)
                .map((entry) => [`${entry.region} ${entry.item}`, entry]),
        );
    const [left, right] = [byKey(before), byKey(after)];
    return [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((key) => {
        const [old, fresh] = [left.get(key), right.get(key)];
        const { item, region } = (fresh ?? old) as PriceFile["prices"][number];
        return old?.price === fresh?.price
            ? []
            : [
                  defined({
                      item,
                      region,
                      before: old?.price,
                      after: fresh?.price,
                  }),
              ];
    });
}
