import assert from "node:assert/strict";
import fc from "fast-check";
import { worstCaseBill } from "../../pricing/bill";
import { expectedBill, median, type ExpectedInput } from "../../pricing/expected";
import { Prices } from "../../pricing/prices";
import { stageSettings } from "../support/ensemble";

const settings = stageSettings("s3://bucket");
const price = (item: string, value: number, unit: "hour" | "transition" | "gib-month" | "request" = "hour") => ({
    item,
    region: "eu-central-1",
    unit,
    price: value,
    source: "here",
});
const prices = new Prices({
    format: 1,
    asOf: "2026-11-20",
    currency: "USD",
    sources: { here: "https://example.org" },
    prices: [
        price("sagemaker-training:ml.m5.2xlarge", 0.5),
        price("sagemaker-training:ml.m6i.2xlarge", 0.6),
        price("sagemaker-training:ml.g6.xlarge", 2),
        price("sagemaker-training:ml.g5.xlarge", 3),
        price("fargate:vcpu", 0.04),
        price("fargate:gib", 0.005),
        price("states:transition", 0.00002, "transition"),
        price("s3:storage", 0.02, "gib-month"),
        price("s3:write", 0.000005, "request"),
    ],
});
const input = (changes: Partial<ExpectedInput> = {}): ExpectedInput => ({
    settings,
    trainings: {
        image: { amount: 7_200, from: "median" },
        text: { amount: 0, from: "reused" },
        sequence: { unknown: "nobody knows" },
    },
    batchJobs: { "job fetch": { seconds: 19_800, vcpu: 2, gib: 4 } },
    jobs: { "job fetch": { amount: 1_800, from: "as before" } },
    transitions: { amount: 50, from: "as before" },
    storage: { gibMonths: { amount: 10, from: "the data" }, writes: { amount: 1_000, from: "the data" } },
    ...changes,
});

describe("the expected price of a run", () => {
    it("is the usual time on the first machine, nothing for what is reused, and unknown with its reason", () => {
        const { lines, known, unknown } = expectedBill(input(), prices);
        assert.deepEqual(
            lines.map(({ item, expected }) => [
                item,
                expected === undefined ? undefined : Math.round(expected * 1e6) / 1e6,
            ]),
            [
                // 2 hours on four machines at 2 dollars; half an hour of 2 vCPU and 4 GiB
                ["text", 0],
                ["image", 16],
                ["sequence", undefined],
                ["job fetch", 0.05],
                ["state transitions", 0.001],
                ["storage", 0.2],
                ["writing into S3", 0.005],
            ],
        );
        assert.equal(lines.find(({ item }) => item === "sequence")?.how, "nobody knows");
        assert.deepEqual(unknown, ["sequence"]);
        assert.equal(Math.round(known * 1e6) / 1e6, 16.256);
    });

    it("names the price that is missing", () => {
        const { lines } = expectedBill(input(), new Prices({ ...prices.file, prices: [] }));
        assert.match(
            lines[1].how,
            /^4 x ml\.g6\.xlarge, 2 h billed \(median\); no price is known for ml\.g6\.xlarge in eu-central-1$/,
        );
        assert.equal(lines[0].expected, 0, "what is not trained needs no price");
    });

    it("is never above the worst case while no training takes longer than its budget", () => {
        fc.assert(
            fc.property(fc.integer({ min: 0, max: 86_400 }), fc.integer({ min: 0, max: 19_800 }), (training, job) => {
                const usual = { amount: training, from: "a property" };
                const expected = expectedBill(
                    input({
                        trainings: { image: usual, text: usual, sequence: usual },
                        jobs: { "job fetch": { amount: job, from: "a property" } },
                    }),
                    prices,
                );
                const worst = worstCaseBill(
                    { settings, batchJobs: input().batchJobs, transitions: 12_500 },
                    prices,
                    new Date("2026-11-21"),
                );
                const of = (item: string): number => expected.lines.find((line) => line.item === item)?.expected ?? 0;
                return worst.lines.every((line) => of(line.item) <= (line.worst ?? 0) + 1e-9);
            }),
        );
    });
});

describe("the median", () => {
    it("is the middle value, or the mean of the two middle ones", () => {
        assert.deepEqual([median([3]), median([5, 1, 3]), median([4, 1, 2, 9])], [3, 3, 3]);
        assert.throws(() => median([]), RangeError);
    });
});
