import assert from "node:assert/strict";
import { endpointRegion, priceChanges, readPriceList } from "../../pricing/priceList";
import { frankfurt, product, servePriceList, type PriceListServer } from "./priceListServer";

const now = new Date("2026-11-23T12:00:00Z");

describe("the Price List, through the real SDK", function () {
    this.timeout(20_000);
    let server: PriceListServer | undefined;
    const saved = { id: process.env.AWS_ACCESS_KEY_ID, key: process.env.AWS_SECRET_ACCESS_KEY };

    before(() => Object.assign(process.env, { AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x" }));
    after(() => {
        for (const [name, value] of [
            ["AWS_ACCESS_KEY_ID", saved.id],
            ["AWS_SECRET_ACCESS_KEY", saved.key],
        ] as const) {
            if (value === undefined) {
                delete process.env[name];
            } else {
                process.env[name] = value;
            }
        }
    });
    afterEach(() => server?.close());

    async function read(
        products: readonly string[],
        options: Parameters<typeof servePriceList>[1] = {},
        regions = ["eu-central-1"],
    ) {
        server = await servePriceList(products, options);
        return readPriceList({ regions, endpoint: server.endpoint, now });
    }

    it("takes what the bill needs, page by page, each with its SKU and the day of publication", async () => {
        const { prices, sources, notes } = await read(frankfurt());
        assert.deepEqual(
            prices.map(({ item, unit, price }) => [item, unit, price]),
            [
                ["sagemaker-training:ml.g5.xlarge", "hour", 1.76],
                ["sagemaker-training:ml.m5.large", "hour", 0.138],
                ["sagemaker-training:ml.p4d.24xlarge", "hour", 43.1],
                ["fargate:gib", "hour", 0.00511],
                ["fargate:vcpu", "hour", 0.04656],
                ["states:transition", "transition", 0.000025],
                ["s3:read", "request", 0.00000043],
                ["s3:storage", "gib-month", 0.0245],
                ["s3:write", "request", 0.0000054],
            ],
        );
        assert.equal(prices[0].sku, "VXE3WDJXX6P8ECXB");
        assert.equal(
            sources[prices[0].source],
            "AWS Price List API, service code AmazonSageMaker, published 2026-11-20",
        );
        assert.deepEqual(notes, []);
        assert.deepEqual(
            server?.asked.map(({ ServiceCode, NextToken = "0" }) => `${ServiceCode} ${NextToken}`),
            [
                "AmazonSageMaker 0",
                "AmazonSageMaker 2",
                "AmazonECS 0",
                "AmazonECS 2",
                "AmazonECS 4",
                "AmazonStates 0",
                "AmazonS3 0",
                "AmazonS3 2",
            ],
        );
        assert.ok(
            server?.asked.every(({ Filters }) =>
                Filters.some(({ Field, Value }) => Field === "regionCode" && Value === "eu-central-1"),
            ),
        );
    });

    it("goes on where AWS throttles", async () => {
        assert.equal((await read(frankfurt(), { throttled: 2 })).prices.length, 9);
    });

    it("refuses prices in another currency, and regions that have only those", async () => {
        const chinese = product({
            service: "AmazonStates",
            usagetype: "EUC1-StateTransition",
            sku: "CHINA",
            unit: "StateTransitions",
            tiers: [{ CNY: "0.0001" }],
        });
        await assert.rejects(
            read([chinese]),
            /states:transition in eu-central-1 \(SKU CHINA\) in CNY, not in USD: nothing was written/,
        );
        await assert.rejects(
            readPriceList({ regions: ["cn-north-1"], now }),
            /^Error: cn-north-1: prices there are in CNY/,
        );
    });

    it("says what it leaves out: a strange unit, no on-demand term; and takes the dearer of two", async () => {
        const training = (sku: string, unit: string, price: string) =>
            product({
                service: "AmazonSageMaker",
                usagetype: "EUC1-Train:ml.m5.large",
                sku,
                unit,
                tiers: [{ USD: price }],
                attributes: { component: "Training" },
            });
        const fargate = JSON.parse(
            product({
                service: "AmazonECS",
                usagetype: "EUC1-Fargate-GB-Hours",
                sku: "NONE",
                unit: "hours",
                tiers: [],
                reserved: { USD: "1" },
            }),
        ) as { terms: { OnDemand?: unknown } };
        delete fargate.terms.OnDemand;
        const { prices, notes } = await read([
            training("A", "Hrs", "1"),
            training("B", "Hrs", "2"),
            training("C", "Fortnights", "3"),
            JSON.stringify(fargate),
        ]);
        assert.deepEqual(
            prices.map(({ item, price, sku }) => [item, price, sku]),
            [["sagemaker-training:ml.m5.large", 2, "B"]],
        );
        assert.match(
            notes.join("\n"),
            /two prices, 1 and 2 USD[\s\S]*SKU C\) is priced by "Fortnights"[\s\S]*SKU NONE\) has no on-demand price/,
        );
    });

    it("takes an empty answer for a wrong region, not for a free one", async () => {
        await assert.rejects(read([], {}, ["eu-central-9"]), /no price for eu-central-9: is that the name of a region/);
    });

    it("asks the endpoint that is nearest", () => {
        assert.deepEqual(["eu-west-1", "us-west-2", "ap-southeast-2", "sa-east-1", "af-south-1"].map(endpointRegion), [
            "eu-central-1",
            "us-east-1",
            "ap-south-1",
            "us-east-1",
            "eu-central-1",
        ]);
    });
});

describe("what differs between two price files", () => {
    const price = (item: string, region: string, value: number) => ({
        item,
        region,
        unit: "hour" as const,
        price: value,
        source: "s",
    });

    it("is told by region and item: new, gone and changed, in the regions that are asked for", () => {
        const before = [price("a", "r", 1), price("b", "r", 2), price("c", "r", 3), price("a", "q", 1)];
        const after = [price("a", "r", 1), price("b", "r", 4), price("d", "r", 5)];
        assert.deepEqual(priceChanges(before, after, ["r"]), [
            { item: "b", region: "r", before: 2, after: 4 },
            { item: "c", region: "r", before: 3 },
            { item: "d", region: "r", after: 5 },
        ]);
        assert.equal(priceChanges(before, after).length, 4);
    });
});
