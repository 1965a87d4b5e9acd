import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadPrices } from "../../pricing/prices";
import { frankfurt, servePriceList } from "../pricing/priceListServer";
import { pricesCommand } from "../../cli/commands/prices";
import { root, run, type Ended } from "./support";

const prices = (args: readonly string[], environment = {}): Promise<Ended> =>
    run(pricesCommand(root), ["update", ...args], environment);

describe("ensemble prices update", function () {
    this.timeout(20_000);
    let directory: string;
    let out: string;

    beforeEach(() => {
        directory = mkdtempSync(path.join(tmpdir(), "prices-"));
        out = path.join(directory, "prices.json");
    });
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    it("writes a file that plan, policy and report can read, and says what changed", async () => {
        const first = await servePriceList(frankfurt());
        const made = await prices(["--region", "eu-central-1", "--out", out, "--endpoint", first.endpoint]);
        await first.close();
        assert.equal(made.code, 0, made.err);
        assert.match(
            made.out,
            /9 prices of \d{4}-\d\d-\d\d\nWhat differs from the bundled prices:[\s\S]*sagemaker-training:ml\.p4d\.24xlarge/,
        );
        assert.match(made.err, /reading AmazonSageMaker in eu-central-1\nreading AmazonECS/);
        assert.equal(loadPrices(out).find("sagemaker-training:ml.g5.xlarge", "eu-central-1")?.price, 1.76);

        const second = await servePriceList(frankfurt({ m5: "0.2" }));
        const told = await prices(["--stack", "dev", "--out", out, "--endpoint", second.endpoint, "--json"]);
        await second.close();
        assert.deepEqual((JSON.parse(told.out) as { changes: unknown }).changes, [
            { item: "sagemaker-training:ml.m5.large", region: "eu-central-1", before: 0.138, after: 0.2 },
        ]);
        assert.deepEqual(readdirSync(directory), ["prices.json"]);
    });

    it("does not lose prices unless asked to", async () => {
        const all = await servePriceList(frankfurt());
        await prices(["--region", "eu-central-1", "--out", out, "--endpoint", all.endpoint]);
        await all.close();
        const before = readFileSync(out, "utf8");
        const few = await servePriceList(frankfurt().slice(0, 2));
        const args = ["--region", "eu-central-1", "--out", out, "--endpoint", few.endpoint];
        const refused = await prices(args);
        assert.equal(refused.code, 2);
        assert.match(
            refused.err,
            /holds 9 prices, the new file would hold 1: nothing was written\. It would lose fargate:gib in eu-central-1/,
        );
        assert.equal(readFileSync(out, "utf8"), before);
        assert.equal((await prices([...args, "--fewer"])).code, 0);
        assert.equal(loadPrices(out).file.prices.length, 1);
        await few.close();
    });

    it("ends on Ctrl-C without a file", async () => {
        const slow = await servePriceList(frankfurt(), { delay: 3_000 });
        // the signal that the test runner does not listen to, too
        setTimeout(() => process.emit("SIGTERM"), 300);
        const ended = await prices(["--region", "eu-central-1", "--out", out, "--endpoint", slow.endpoint]);
        await slow.close();
        assert.equal(ended.code, 130, ended.err);
        assert.match(ended.err, /Interrupted: nothing was written\.\n$/);
        assert.equal(existsSync(out), false);
    });

    const wrong: [string, string[], number, RegExp][] = [
        ["no region", [], 2, /^No region is given: name one with --region/],
        ["two ways of one", ["--region", "eu-central-1", "--stack", "dev"], 2, /^--region and --stack say the same/],
        ["no name of a region", ["--region", "Frankfurt"], 2, /^--region Frankfurt: the name of a region/],
        [
            "nobody at the endpoint",
            ["--region", "eu-central-1", "--endpoint", "http://127.0.0.1:9"],
            3,
            /Cannot read AWS's prices: AWS cannot be reached/,
        ],
        [
            "a folder that is not there",
            ["--region", "eu-central-1", "--out", "/nowhere/prices.json"],
            2,
            /^--out \/nowhere\/prices\.json: there is no folder/,
        ],
    ];
    for (const [what, args, code, expected] of wrong) {
        it(`says in one line, without a stack: ${what}`, async () => {
            const ended = await prices(["--out", out, ...args], {
                AWS_REGION: undefined,
                AWS_DEFAULT_REGION: undefined,
            });
            assert.equal(ended.code, code, ended.err);
            assert.match(ended.err, expected);
            assert.equal(ended.err.trim().split("\n").length, 1);
        });
    }

    it("says in one line that there are no credentials", async () => {
        const none = {
            AWS_ACCESS_KEY_ID: undefined,
            AWS_SECRET_ACCESS_KEY: undefined,
            AWS_PROFILE: undefined,
            AWS_SHARED_CREDENTIALS_FILE: out,
            AWS_CONFIG_FILE: out,
        };
        const ended = await prices(["--region", "eu-central-1", "--out", out], none);
        assert.equal(ended.code, 3);
        assert.match(ended.err, /^Cannot read AWS's prices: .*credentials.*\n$/);
    });

    it("refuses to read over an old file that is damaged", async () => {
        writeFileSync(out, "{");
        const ended = await prices(["--region", "eu-central-1", "--out", out]);
        assert.equal(ended.code, 2);
        assert.match(ended.err, /cannot be read: .*\nMove it away/);
    });
});
