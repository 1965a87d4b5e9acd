import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { PNG } from "pngjs";
import * as tar from "tar";
import type { Visit } from "../../asl/history";
import { defined } from "../../ground/fields";
import { Prices } from "../../pricing/prices";
import { bucketReader, folderReader, keepingReader, readArchive, Unavailable } from "../../report/artefacts";
import { readHistory } from "../../report/history";
import { maximumSide, shrink } from "../../report/pictures";
import { priceOf } from "../../report/price";
import { Storage } from "../../workloads/common/storage";
import { archive } from "../support/ensemble";
import { s3Client } from "../support/s3";
import { stageSettings } from "../../simulation/sampleStages";
import { picture } from "./sample";

describe("artefacts of a report", () => {
    let directory: string;

    beforeEach(() => {
        directory = mkdtempSync(path.join(tmpdir(), "artefacts-"));
    });
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    it("reads the wanted files of an archive, by path", async () => {
        const files = await readArchive(
            await archive({ "history.json": "{}", "fold-1/history.json": "[1]", "big.bin": "x".repeat(1000) }),
            (name) => name.endsWith("history.json"),
            { entries: 10, bytes: 2000, entryBytes: 100 },
        );
        assert.deepEqual(Object.fromEntries(files), { "history.json": "{}", "fold-1/history.json": "[1]" });
    });

    it("writes nothing for paths that lead out, and follows no link", async () => {
        writeFileSync(path.join(directory, "secret"), "secret");
        symlinkSync("secret", path.join(directory, "history.json"));
        await tar.create(
            {
                file: path.join(directory, "a.tar.gz"),
                gzip: true,
                cwd: directory,
                preservePaths: true,
                prefix: "../../out",
            },
            ["secret"],
        );
        await tar.create({ file: path.join(directory, "b.tar.gz"), gzip: true, cwd: directory }, ["history.json"]);
        const read = (name: string) => readArchive(readFileSync(path.join(directory, name)), () => true);
        assert.deepEqual([...(await read("b.tar.gz")).keys()], []);
        const [escaping] = (await read("a.tar.gz")).keys();
        assert.match(escaping, /\.\./);
    });

    const refused: [string, () => Promise<Uint8Array>, RegExp][] = [
        ["cut", async () => (await archive({ "history.json": "[1, 2, 3]" })).subarray(0, -40), /damaged/],
        ["no archive", () => Promise.resolve(Buffer.from("<html>not found</html>".repeat(100))), /damaged|no archive/],
        ["empty", () => Promise.resolve(Buffer.alloc(0)), /damaged|empty or no archive/],
        ["larger than its limits", () => archive({ "history.json": "x".repeat(101) }), /more than a report reads/],
        [
            "of too many files",
            () => archive(Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`${index}`, ""]))),
            /more than a report reads/,
        ],
    ];
    for (const [what, make, expected] of refused) {
        it(`refuses an archive that is ${what}, with the reason`, async () => {
            await assert.rejects(
                readArchive(await make(), (name) => name === "history.json", {
                    entries: 10,
                    bytes: 10_000,
                    entryBytes: 100,
                }),
                (error: Error) => error instanceof Unavailable && expected.test(error.message),
            );
        });
    }

    it("keeps what was read, and finds it again; what was not read is not there", async () => {
        const reader = keepingReader({ read: (uri) => Promise.resolve(Buffer.from(uri)) }, directory);
        await reader.read("s3://bucket/a/b.json", 100);
        const folder = folderReader(directory);
        assert.equal((await folder.read("s3://bucket/a/b.json", 100)).toString(), "s3://bucket/a/b.json");
        await assert.rejects(
            folder.read("s3://bucket/a/c.json", 100),
            /^DataError: there is no s3:\/\/bucket\/a\/c\.json/,
        );
        await assert.rejects(folder.read("s3://bucket/a/b.json", 3), /has 20 bytes, a report reads at most 3/);
        await assert.rejects(folder.read("s3://bucket/../../etc/passwd", 1000), /leads out of the folder/);
    });

    it("tells a denied object from one that is not there", async () => {
        const server = createServer((request, response) => {
            const [status, code] = request.url?.includes("denied") ? [403, "AccessDenied"] : [404, "NoSuchKey"];
            response.writeHead(status, { "content-type": "application/xml" });
            response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code} it is</Message></Error>`);
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const client = s3Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
        try {
            const reader = bucketReader(new Storage(client));
            await assert.rejects(
                reader.read("s3://bucket/denied", 10),
                (error: Error) => error instanceof Unavailable && /^no permission: could not read/.test(error.message),
            );
            await assert.rejects(
                reader.read("s3://bucket/gone", 10),
                (error: Error) => error instanceof Unavailable && /^there is no s3/.test(error.message),
            );
        } finally {
            client.destroy();
            server.closeAllConnections();
            server.close();
        }
    });
});

describe("learning curves", () => {
    it("reads training and validation by epoch, with the fold", () => {
        const epochs = [1, 2].map((epoch) => ({
            epoch,
            loss: 2 / epoch,
            val_loss: 3,
            accuracy: 0.5,
            learning_rate: 0.1,
        }));
        assert.deepEqual(readHistory(JSON.stringify({ fold: 3, epochs })), {
            curve: { fold: 3, epochs: [1, 2], loss: [2, 1], validationLoss: [3, 3], accuracy: [0.5, 0.5] },
        });
    });

    it("reads the accuracy of folds of a model without epochs", () => {
        const folds = [{ fold: 0, pages: 3, accuracy: 0.5 }];
        assert.deepEqual(readHistory(JSON.stringify({ folds })), { folds });
    });

    it("thins a long curve out, and keeps its end", () => {
        const read = readHistory(
            JSON.stringify({ epochs: Array.from({ length: 10_000 }, (_, index) => ({ epoch: index + 1, loss: 1 })) }),
        );
        assert.ok("curve" in read && read.curve.epochs.length <= 202 && read.curve.epochs.at(-1) === 10_000);
    });

    for (const [text, expected] of [
        ["{", /no JSON/],
        ["{}", /neither epochs/],
        ['{"epochs":[]}', /neither/],
        ['{"epochs":[{"epoch":"x"}]}', /neither/],
    ] as const) {
        it(`says what is wrong with ${text}`, () => assert.throws(() => readHistory(text), expected));
    }
});

describe("pictures of pages", () => {
    it("are shrunk to a bound, in grey, and still show the page", () => {
        const bytes = shrink(picture(900, 1200));
        const { width, height, data } = PNG.sync.read(bytes);
        assert.deepEqual([width, height], [(maximumSide * 3) / 4, maximumSide]);
        const middle = data[(180 * width + 135) * 4];
        assert.ok(middle > 225 && middle < 245 && data[0] < 80, `${middle} ${data[0]}`);
        assert.ok(bytes.length < 5000, String(bytes.length));
    });

    it("are not made larger", () => assert.equal(PNG.sync.read(shrink(picture(60, 80))).height, 80));

    it("of a size that fills the memory are not decoded, and what is no picture is refused", () => {
        const bomb = picture(8, 8);
        bomb.writeUInt32BE(100_000, 16);
        bomb.writeUInt32BE(100_000, 20);
        assert.throws(() => shrink(bomb), /10000000000 pixels, at most/);
        assert.throws(() => shrink(Buffer.from("no picture")));
        assert.throws(() => shrink(picture(50, 50).subarray(0, 90)));
    });
});

describe("the price of an execution", () => {
    const prices = new Prices({
        format: 1,
        asOf: "2026-11-01",
        currency: "USD",
        sources: { s: "https://example.org" },
        prices: [
            { item: "sagemaker-training:ml.a", region: "r", unit: "hour", price: 3.6, source: "s" },
            { item: "fargate:vcpu", region: "r", unit: "hour", price: 0.04, source: "s" },
            { item: "fargate:gib", region: "r", unit: "hour", price: 0.004, source: "s" },
            { item: "states:transition", region: "r", unit: "transition", price: 0.00002, source: "s" },
        ],
    });
    const capacity = [{ instanceType: "ml.a", spot: true }];
    const base = stageSettings("dev", { region: "r" });
    const hour = <T extends object>(model: T): T => ({ ...model, capacity, instanceCount: 1, budgetSeconds: 3600 });
    const settings = { ...base, members: { image: hour(base.members.image) }, combiner: hour(base.combiner) };
    const visit = (state: string, resource: string, ...outputs: object[]): Visit => ({
        state,
        type: "Task",
        from: 0,
        to: 1,
        outcome: "succeeded",
        attempts: outputs.map((output, index) => ({
            from: 0,
            to: 1,
            outcome: index === outputs.length - 1 ? "succeeded" : "failed",
            resource,
            ...(index === outputs.length - 1 ? { output: JSON.stringify(output) } : { cause: JSON.stringify(output) }),
        })),
    });
    const training = (type: string, seconds: number) => ({
        TrainingJobName: "s-d-image-1",
        BillableTimeInSeconds: seconds,
        ResourceConfig: { InstanceType: type, InstanceCount: 4 },
        EnableManagedSpotTraining: true,
    });
    const priced = (...visits: Visit[]) =>
        priceOf(visits, { prices, settings, where: "aws", today: new Date("2026-11-02"), modelOf: () => "image" });

    it("counts every attempt's billable seconds on all instances, failed ones too", () => {
        const { lines, known, unknown, trainingsAtMost } = priced(
            visit("Train", "sagemaker:createTrainingJob.sync", training("ml.a", 100), training("ml.a", 150)),
        );
        assert.deepEqual(lines[0], { item: "training of image", how: "4 x ml.a (Spot), 4 min 10 s", dollars: 1 });
        assert.ok(Math.abs(known - 1 - 2 * 0.00002) < 1e-9);
        assert.deepEqual(unknown, []);
        assert.equal(trainingsAtMost, 7.2, "an hour of two models, by their budgets");
    });

    it("counts Fargate by its size, a minute at least", () => {
        const job = {
            Attempts: [{ StartedAt: 1000, StoppedAt: 2000 }],
            Container: {
                ResourceRequirements: [
                    { Type: "VCPU", Value: "1" },
                    { Type: "MEMORY", Value: "2048" },
                ],
            },
        };
        const { lines } = priced(visit("Fetch", "batch:submitJob.sync", job));
        assert.equal(lines[0].how, "Fargate, 1 vCPU, 2 GiB, 1 min");
        assert.ok(Math.abs((lines[0].dollars ?? 0) - 0.048 / 60) < 1e-9);
    });

    it("counts the time of a job that was stopped, and says so; of one that was refused it counts nothing", () => {
        const attempt = {
            from: 0,
            to: 50_000,
            outcome: "stopped" as const,
            resource: "sagemaker:createTrainingJob.sync",
        };
        const request = JSON.stringify({
            TrainingJobName: "s-d-image-1",
            ResourceConfig: { InstanceType: "ml.a", InstanceCount: 4 },
            EnableManagedSpotTraining: true,
        });
        const stopped = (submitted?: string): Visit => ({
            state: "Train",
            type: "Task",
            from: 0,
            to: 100_000,
            outcome: "stopped",
            attempts: [defined({ ...attempt, submitted })],
        });
        const {
            lines: [line],
            basis,
        } = priced(stopped(request));
        assert.deepEqual(
            [line.item, line.how, line.dollars?.toFixed(6)],
            ["training of image", "4 x ml.a (Spot), stopped, 50 s", "0.200000"],
        );
        assert.match(basis, /stopped.*has not said what is billed/);
        assert.equal(priced(stopped()).lines.length, 1, "transitions alone");
        assert.deepEqual(priced(stopped("")).unknown, ["what training of image ran on"]);
    });

    it("says which prices nobody knows, and does not guess", () => {
        const { lines, unknown } = priced(
            visit("Train", "sagemaker:createTrainingJob.sync", training("ml.b", 100)),
            visit("Fetch", "batch:submitJob.sync", { Attempts: [{ StartedAt: 1000, StoppedAt: 2000 }] }),
        );
        assert.deepEqual(
            lines.map(({ dollars }) => dollars === undefined),
            [true, true, false],
        );
        assert.deepEqual(unknown, ["ml.b in r", "what Fetch ran on"]);
    });
});
