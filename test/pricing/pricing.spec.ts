import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { judgeBudget, worstCaseBill } from "../../pricing/bill";
import { bundledPrices, loadPrices, oldAfterDays, Prices, projectPrices } from "../../pricing/prices";
import type { ModelSettings, StageSettings } from "../../workflow/contract";

function model(instanceTypes: string[], budgetSeconds: number, instanceCount = 1): ModelSettings {
    return {
        container: { image: "image@sha256:0", encoding: "plain", codeHash: "0" },
        hyperparameters: {},
        schema: {},
        channels: [],
        minimumMetrics: {},
        capacity: instanceTypes.map((instanceType) => ({ instanceType, spot: false })),
        instanceCount,
        volumeGb: 10,
        maxRuntimeSeconds: budgetSeconds,
        budgetSeconds,
    };
}

function stage(region: string, image: ModelSettings, sequence: ModelSettings): StageSettings {
    return {
        service: "s",
        stage: "dev",
        region,
        artifactBase: "s3://b",
        dataLocations: ["s3://b"],
        folds: 4,
        testShare: 0.2,
        seed: 1,
        quorum: 1,
        members: {
            image: {
                ...image,
                required: true,
                splitSet: true,
                mergeParameter: "INPUT_PATH_CNN",
                publishParameter: "INPUT_PATH_IMAGE",
            },
        },
        combiner: { ...sequence, name: "sequence" },
    };
}

const prices = new Prices({
    format: 1,
    asOf: "2026-01-01",
    currency: "USD",
    sources: { here: "https://example.org/prices" },
    prices: [
        { item: "sagemaker-training:ml.a", region: "r", unit: "hour", price: 2, source: "here" },
        { item: "sagemaker-training:ml.b", region: "r", unit: "hour", price: 3, source: "here" },
        { item: "fargate:vcpu", region: "r", unit: "hour", price: 0.1, source: "here" },
        { item: "fargate:gib", region: "r", unit: "hour", price: 0.01, source: "here" },
        { item: "states:transition", region: "r", unit: "transition", price: 0.001, source: "here" },
    ],
});
const day = new Date("2026-01-02T00:00:00Z");
const jobs = { fetch: { seconds: 7200, vcpu: 2, gib: 4 } };

describe("the worst-case bill", () => {
    it("is budget x instances x the dearest rung, plus Batch jobs and transitions", () => {
        const bill = worstCaseBill(
            {
                settings: stage("r", model(["ml.a", "ml.b"], 36_000, 4), model(["ml.a"], 3600)),
                batchJobs: jobs,
                transitions: 500,
            },
            prices,
            day,
        );
        assert.deepEqual(
            bill.lines.map((line) => [line.item, line.worst]),
            [
                ["image", 120],
                ["sequence", 2],
                ["fetch", 2 * (2 * 0.1 + 4 * 0.01)],
                ["state transitions", 0.5],
            ],
        );
        assert.equal(bill.known, 122.98);
        assert.deepEqual(bill.unknown, []);
        assert.equal(bill.warning, undefined);
    });

    it("counts what the run keeps, where the size of its data is known", () => {
        const own = new Prices({
            ...prices.file,
            prices: [
                ...prices.file.prices,
                { item: "s3:storage", region: "r", unit: "gib-month", price: 0.02, source: "here" },
            ],
        });
        const input = {
            settings: stage("r", model(["ml.a"], 3600, 2), model(["ml.a"], 3600)),
            batchJobs: {},
            transitions: 0,
            storage: { copiedBytes: 5 * 2 ** 30, runDays: 60, checkpointDays: 30 },
        };
        // 5 GiB of data and three volumes of 10 for two months, the volumes once more for one
        assert.equal(worstCaseBill(input, own, day).lines.at(-1)?.worst, (35 * 2 + 30) * 0.02);
        assert.deepEqual(worstCaseBill(input, prices, day).unknown, ["S3 storage in r"]);
    });

    it("says unknown where a single rung has no price, and never takes another region's", () => {
        const bill = worstCaseBill(
            {
                settings: stage("r", model(["ml.a", "ml.c"], 3600), model(["ml.a"], 3600)),
                batchJobs: {},
                transitions: 0,
            },
            prices,
            day,
        );
        assert.equal(bill.lines[0].worst, undefined);
        assert.deepEqual(bill.unknown, ["ml.c in r"]);
        const elsewhere = worstCaseBill(
            { settings: stage("q", model(["ml.a"], 3600), model(["ml.a"], 3600)), batchJobs: jobs, transitions: 1 },
            prices,
            day,
        );
        assert.equal(elsewhere.known, 0);
        assert.deepEqual(elsewhere.unknown, ["ml.a in q", "Fargate in q", "Step Functions in q"]);
    });

    it("warns when the prices are old", () => {
        assert.equal(prices.age(new Date(Date.parse("2026-01-01") + oldAfterDays * 86_400_000)), undefined);
        assert.match(
            prices.age(new Date(Date.parse("2026-01-01") + (oldAfterDays + 1) * 86_400_000)) ?? "",
            /181 days old/,
        );
    });

    it("grows with the budget and the number of instances", () => {
        fc.assert(
            fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 20 }), (seconds, count) => {
                const known = (s: number, n: number): number =>
                    worstCaseBill(
                        {
                            settings: stage("r", model(["ml.b"], s, n), model(["ml.a"], 60)),
                            batchJobs: {},
                            transitions: 0,
                        },
                        prices,
                        day,
                    ).known;
                return (
                    known(seconds + 1, count) > known(seconds, count) &&
                    known(seconds, count + 1) > known(seconds, count)
                );
            }),
        );
    });
});

describe("a stage's budget", () => {
    const bill = (types: string[]) =>
        worstCaseBill(
            { settings: stage("r", model(types, 3600), model(["ml.a"], 3600)), batchJobs: {}, transitions: 0 },
            prices,
            day,
        );

    it("is kept, exceeded with the largest part named, or cannot be proved", () => {
        assert.deepEqual(judgeBudget(bill(["ml.b"]), 5), { verdict: "within" });
        const exceeded = judgeBudget(bill(["ml.b"]), 4.99);
        assert.equal(exceeded.verdict, "exceeded");
        assert.match(
            "message" in exceeded ? exceeded.message : "",
            /5\.00 USD .* 4\.99 USD.*largest part is image: 1 x ml\.b/s,
        );
        const unproved = judgeBudget(bill(["ml.c"]), 100);
        assert.equal(unproved.verdict, "unproved");
        assert.match("message" in unproved ? unproved.message : "", /ml\.c in r/);
    });

    it("is exceeded, not unproved, when the known part alone is above it", () => {
        assert.equal(judgeBudget(bill(["ml.c"]), 1).verdict, "exceeded");
    });
});

describe("the bundled price file", () => {
    it("is valid, and each figure names a source that one can open", () => {
        const { prices: bundled, sources } = bundledPrices().file;
        for (const entry of bundled) {
            assert.match(sources[entry.source], /^https:\/\//, entry.item);
        }
    });

    it("gives way to the project's own beside Pulumi.yaml, which is found from any folder of the project", () => {
        const directory = mkdtempSync(join(tmpdir(), "prices-"));
        try {
            const folder = join(directory, "policy", "bin");
            mkdirSync(folder, { recursive: true });
            writeFileSync(
                join(directory, "prices.json"),
                JSON.stringify({ ...bundledPrices().file, asOf: "2030-01-01" }),
            );
            assert.equal(
                loadPrices(undefined, folder).file.asOf,
                bundledPrices().file.asOf,
                "no Pulumi.yaml, no project",
            );
            writeFileSync(join(directory, "Pulumi.yaml"), "name: p");
            assert.equal(loadPrices(undefined, folder).file.asOf, "2030-01-01");
            assert.equal(projectPrices(folder), join(directory, "prices.json"));
            rmSync(join(directory, "prices.json"));
            assert.equal(projectPrices(folder), undefined);
        } finally {
            rmSync(directory, { recursive: true });
        }
    });

    it("is refused with all problems when damaged", () => {
        const directory = mkdtempSync(join(tmpdir(), "prices-"));
        try {
            const path = join(directory, "prices.json");
            writeFileSync(
                path,
                JSON.stringify({ format: 1, asOf: "yesterday", currency: "EUR", sources: {}, prices: [] }),
            );
            assert.throws(() => loadPrices(path), /asOf: .*\n.*currency: /s);
            writeFileSync(path, "{");
            assert.throws(() => loadPrices(path), /cannot be read/);
            writeFileSync(
                path,
                JSON.stringify({
                    format: 1,
                    asOf: "2026-01-01",
                    currency: "USD",
                    sources: {},
                    prices: [{ item: "x", region: "r", unit: "hour", price: 1, source: "memory" }],
                }),
            );
            assert.throws(() => loadPrices(path), /x in r names "memory"/);
        } finally {
            rmSync(directory, { recursive: true });
        }
    });
});
