/** A Price List API on this machine: answers GetProducts page by page as AWS's does, products as JSON texts. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { defined } from "../../ground/fields";

export interface Asked {
    readonly ServiceCode: string;
    readonly Filters: readonly { readonly Type: string; readonly Field: string; readonly Value: string }[];
    readonly NextToken?: string;
    readonly MaxResults?: number;
}

export interface PriceListServer {
    readonly endpoint: string;
    readonly asked: readonly Asked[];
    readonly close: () => Promise<void>;
}

type Price = Readonly<Record<string, string>>;

export interface ProductOptions {
    readonly service: string;
    readonly region?: string;
    readonly usagetype: string;
    readonly sku: string;
    readonly unit: string;
    /** One entry a tier. */
    readonly tiers: readonly Price[];
    readonly attributes?: Readonly<Record<string, string>>;
    /** Further terms by the day on which they begin. */
    readonly terms?: Readonly<Record<string, readonly Price[]>>;
    readonly reserved?: Price;
}

/** A product in the shape in which the API hands it out (format aws_v1). */
export function product({
    service,
    region = "eu-central-1",
    usagetype,
    sku,
    unit,
    tiers,
    attributes,
    terms = {},
    reserved,
}: ProductOptions): string {
    const term = (code: string, began: string, prices: readonly Price[]) => ({
        [`${sku}.${code}`]: {
            sku,
            offerTermCode: code,
            effectiveDate: `${began}T00:00:00Z`,
            termAttributes: {},
            priceDimensions: Object.fromEntries(
                prices.map((pricePerUnit, index) => [
                    `${sku}.${code}.${index}`,
                    {
                        unit,
                        beginRange: String(index * 1000),
                        endRange: index === prices.length - 1 ? "Inf" : String((index + 1) * 1000),
                        description: `of ${usagetype}`,
                        appliesTo: [],
                        rateCode: `${sku}.${code}.${index}`,
                        pricePerUnit,
                    },
                ]),
            ),
        },
    });
    return JSON.stringify({
        product: {
            productFamily: "ML Instance",
            sku,
            attributes: {
                regionCode: region,
                servicecode: service,
                location: "EU (Frankfurt)",
                locationType: "AWS Region",
                usagetype,
                operation: "",
                ...attributes,
            },
        },
        serviceCode: service,
        terms: defined({
            OnDemand: {
                ...term("JRTCKXETXF", "2026-11-01", tiers),
                ...(Object.assign(
                    {},
                    ...Object.entries(terms).map(([began, prices], index) => term(`TERM${index}`, began, prices)),
                ) as object),
            },
            Reserved: reserved === undefined ? undefined : term("4NA7Y494T4", "2026-11-01", [reserved]),
        }),
        version: "20261120000000",
        publicationDate: "2026-11-20T12:00:00Z",
    });
}

/** @param throttled How many calls are answered by a ThrottlingException before the first good one. */
export async function servePriceList(
    products: readonly string[],
    { pageSize = 2, throttled = 0, delay = 0 } = {},
): Promise<PriceListServer> {
    const asked: Asked[] = [];
    let refuse = throttled;
    const server = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request
            .on("data", (chunk: Buffer) => chunks.push(chunk))
            .on("end", () => {
                const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Asked;
                response.setHeader("content-type", "application/x-amz-json-1.1");
                if (request.headers["x-amz-target"] !== "AWSPriceListService.GetProducts" || refuse-- > 0) {
                    response.statusCode = 400;
                    response.end(JSON.stringify({ __type: "ThrottlingException", message: "Rate exceeded" }));
                    return;
                }
                asked.push(body);
                const fitting = products.filter((text) => {
                    const one = JSON.parse(text) as {
                        serviceCode: string;
                        product: { attributes: Record<string, string> };
                    };
                    return (
                        one.serviceCode === body.ServiceCode &&
                        body.Filters.every(({ Field, Value }) => one.product.attributes[Field] === Value)
                    );
                });
                const from = Number(body.NextToken ?? 0);
                const next = from + pageSize < fitting.length ? { NextToken: String(from + pageSize) } : {};
                setTimeout(
                    () =>
                        response.end(
                            JSON.stringify({
                                FormatVersion: "aws_v1",
                                PriceList: fitting.slice(from, from + pageSize),
                                ...next,
                            }),
                        ),
                    delay,
                );
            });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        asked,
        close: () =>
            new Promise((resolve) => {
                server.closeAllConnections();
                server.close(() => resolve());
            }),
    };
}

/** What eu-central-1 answers: everything that the bill needs between what it does not. */
export function frankfurt(changes: Partial<Record<"m5" | "g5", string>> = {}): string[] {
    const training = (type: string, price: string, sku: string, more: Partial<ProductOptions> = {}) =>
        product({
            service: "AmazonSageMaker",
            usagetype: `EUC1-Train:${type}`,
            sku,
            unit: "Hrs",
            tiers: [{ USD: price }],
            attributes: { component: "Training", instanceName: type, instanceType: `${type}-Training` },
            ...more,
        });
    const sagemaker = (usagetype: string, component: string) =>
        product({
            service: "AmazonSageMaker",
            usagetype,
            sku: `OTHER${usagetype}`,
            unit: "Hrs",
            tiers: [{ USD: "99" }],
            attributes: { component },
        });
    const usage = (service: string, usagetype: string, unit: string, ...tiers: string[]) =>
        product({ service, usagetype, sku: `SKU${usagetype}`, unit, tiers: tiers.map((USD) => ({ USD })) });
    return [
        training("ml.m5.large", changes.m5 ?? "0.138", "SKUM5LARGE"),
        sagemaker("EUC1-Host:ml.m5.large", "Hosting"),
        // cheaper last year, dearer from next year on, and with a saving for those who commit themselves
        training("ml.g5.xlarge", changes.g5 ?? "1.76", "VXE3WDJXX6P8ECXB", {
            terms: { "2025-01-01": [{ USD: "1.5" }], "2027-01-01": [{ USD: "2.5" }] },
            reserved: { USD: "0.5" },
        }),
        sagemaker("EUC1-TrainWarmPool:ml.m5.large", "Training"),
        training("ml.p4d.24xlarge", "43.1", "SKUP4D"),
        usage("AmazonECS", "EUC1-Fargate-vCPU-Hours:perCPU", "hours", "0.04656"),
        usage("AmazonECS", "EUC1-Fargate-ARM-vCPU-Hours:perCPU", "hours", "0.03725"),
        usage("AmazonECS", "EUC1-Fargate-Windows-vCPU-Hours:perCPU", "hours", "0.105"),
        usage("AmazonECS", "EUC1-Fargate-GB-Hours", "hours", "0.00511"),
        usage("AmazonECS", "EUC1-Fargate-ARM-GB-Hours", "hours", "0.00409"),
        usage("AmazonStates", "EUC1-StateTransition", "StateTransitions", "0", "0.000025"),
        usage("AmazonStates", "EUC1-StepFunctions-Request", "Requests", "0.000001"),
        usage("AmazonS3", "EUC1-TimedStorage-ByteHrs", "GB-Mo", "0.0245", "0.0235", "0.0225"),
        usage("AmazonS3", "EUC1-TimedStorage-SIA-ByteHrs", "GB-Mo", "0.0135"),
        usage("AmazonS3", "EUC1-Requests-Tier1", "Requests", "0.0000054"),
        usage("AmazonS3", "EUC1-Requests-Tier2", "Requests", "0.00000043"),
        product({
            service: "AmazonECS",
            region: "us-east-1",
            usagetype: "USE1-Fargate-GB-Hours",
            sku: "ELSEWHERE",
            unit: "hours",
            tiers: [{ USD: "9" }],
        }),
    ];
}
