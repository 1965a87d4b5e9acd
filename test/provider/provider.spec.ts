/**
 * The real AWS provider judges what the program declares: the one that Terraform runs, from whose code Pulumi's is
 * made, against an account that moto plays. A provider of our own would give back what it is given, and so could never
 * find that a stack which nobody changed is changed at every update.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
    GetBucketEncryptionCommand,
    GetBucketPolicyCommand,
    GetBucketVersioningCommand,
    GetPublicAccessBlockCommand,
    PutObjectCommand,
    type S3Client,
} from "@aws-sdk/client-s3";
import { s3Client, s3Environment } from "../support/s3";
import { CHOICES, pairChoices, pairs, STAGES } from "./stages";
import { Account, configuration, GIVEN } from "./support/account";
import { type Declared, declare, type Stage } from "./support/declared";
import { findTerraform, type Outcome, Terraform } from "./support/terraform";

const root = path.resolve(__dirname, "../..");
const python = path.join(root, ".venv/bin/python");
const guide = readFileSync(path.join(root, "docs/guide.md"), "utf8");

/** Types that are no resources of AWS, and so not the provider's. */
const FOREIGN = ["docker-build:index:Image"];
/** Stages whose data goes with them. */
const OPEN_STAGES = STAGES.filter(({ base }) => base === "dev").map(({ name }) => name);
/** What a bucket with objects must not lose; one stage has a key of somebody else's. */
const KEPT_WITH_OBJECTS = [
    "aws_kms_key.dev_ensemble",
    "aws_kms_key.everything_ensemble",
    "aws_s3_bucket.dev_ensemble",
    "aws_s3_bucket.everything_ensemble",
    "aws_s3_bucket.given_ensemble",
];
const MACHINE = "aws_sfn_state_machine";

describe("the real AWS provider", function () {
    this.timeout(1_800_000);
    const folder = mkdtempSync(path.join(tmpdir(), "provider-suite-"));
    let account: Account;
    let terraform: Terraform;
    let s3: S3Client;
    const declared = new Map<string, Declared>();

    /** Declares a stage, or declares it anew with other overrides. */
    async function declareStage(stage: Stage): Promise<void> {
        declared.set(stage.name, await declare(stage, await terraform.schemas(), path.join(folder, "files"), GIVEN));
    }
    const write = () => terraform.write(configuration(account.endpoint, [...declared.values()]));
    const types = (outcome: Outcome) => outcome.changes.map(({ address, action }) => `${action} ${address}`).sort();
    const bucketOf = (stage: string) => `ensemble-${stage}-123456789012-eu-central-1`;

    before(async function () {
        const found = findTerraform();
        if (typeof found === "string" || !existsSync(python)) {
            console.log(`    skipped: ${typeof found === "string" ? found : "moto is not installed in .venv"}`);
            this.skip();
        }
        terraform = new Terraform(found, folder);
        account = await Account.start(folder);
        s3 = s3Client(account.endpoint);
        await terraform.start();
        terraform.write(configuration(account.endpoint, []));
        await terraform.init();
    });

    after(() => {
        terraform?.stop();
        account?.stop();
        s3?.destroy();
        rmSync(folder, { recursive: true, force: true });
    });

    it(`knows everything that ${STAGES.length} stages declare`, async () => {
        for (const stage of STAGES) {
            await declareStage(stage);
        }
        const foreign = new Set([...declared.values()].flatMap((stage) => stage.foreign));
        assert.deepEqual([...foreign], FOREIGN);
        write();
        assert.deepEqual(await terraform.validate(), { changes: [], errors: [], warnings: [] });
    });

    it("makes them all, side by side in one account", async () => {
        const outcome = await terraform.apply();
        assert.deepEqual([outcome.errors, outcome.warnings], [[], []]);
        const machines = outcome.changes.filter(({ address }) => address.startsWith(`${MACHINE}.`));
        assert.equal(machines.length, STAGES.length);
    });

    it("finds nothing to change in what was just made", async () => {
        const outcome = await terraform.plan();
        assert.deepEqual([types(outcome), outcome.errors], [[], []], await difference(outcome));
    });

    it("changes the state machine in place, and nothing else, for one hyperparameter", async () => {
        await declareStage({
            ...STAGES[0],
            overrides: { models: { image: { hyperparameters: { epochs: 11 } } } },
        });
        write();
        const outcome = await terraform.plan();
        assert.deepEqual(
            [types(outcome), outcome.errors],
            [["update aws_sfn_state_machine.dev_ensemble_training"], []],
        );
    });

    it("refuses to destroy a bucket that is not empty, and keeps the key to what is in it", async () => {
        const versions = OPEN_STAGES.flatMap((name) =>
            ["first", "second"].map((body) => ({ Bucket: bucketOf(name), Key: "runs/1/page.txt", Body: body })),
        );
        await Promise.all(versions.map((version) => s3.send(new PutObjectCommand(version))));
        await terraform.forget([...declared.values()].flatMap(({ kept }) => kept));
        const outcome = await terraform.destroy();
        const refused = outcome.errors.map((error) => /\(ensemble-([a-z]+)-.*BucketNotEmpty/s.exec(error)?.[1]);
        assert.deepEqual(refused.sort(), [...OPEN_STAGES].sort(), outcome.errors.join("\n"));
        const left = (await terraform.addresses()).filter((address) => /^aws_(s3_bucket|kms_key)\./.test(address));
        assert.deepEqual(left, KEPT_WITH_OBJECTS);
    });

    it("destroys the rest once they are emptied as the guide says", async () => {
        const [, program] = /^\.venv\/bin\/python -c "(.*object_versions\.delete\(\))"$/m.exec(guide) ?? [];
        assert.ok(program !== undefined, "the guide no longer says how a bucket is emptied");
        for (const name of OPEN_STAGES) {
            const environment = { ...process.env, ...s3Environment(account.endpoint) };
            execFileSync(python, ["-c", program.replace("$bucket", bucketOf(name))], { env: environment });
        }
        const outcome = await terraform.destroy();
        assert.deepEqual(outcome.errors, []);
        assert.deepEqual(await terraform.addresses(), []);
    });

    it("leaves the data of a protected stage as it is", async () => {
        const bucket = { Bucket: bucketOf("prod") };
        const { Status: versioning } = await s3.send(new GetBucketVersioningCommand(bucket));
        const { PublicAccessBlockConfiguration: access } = await s3.send(new GetPublicAccessBlockCommand(bucket));
        const { ServerSideEncryptionConfiguration: encryption } = await s3.send(new GetBucketEncryptionCommand(bucket));
        const { Policy: policy } = await s3.send(new GetBucketPolicyCommand(bucket));
        assert.equal(versioning, "Enabled");
        assert.equal(access?.RestrictPublicBuckets, true);
        assert.equal(encryption?.Rules?.[0].ApplyServerSideEncryptionByDefault?.SSEAlgorithm, "aws:kms");
        assert.match(policy ?? "", /TlsOnly/);
    });

    it("is asked of every pair of choices", () => {
        const stages = pairChoices();
        const met = (one: readonly [string, string], other: readonly [string, string]) =>
            stages.some((choices) => choices[one[0]] === one[1] && choices[other[0]] === other[1]);
        const all = Object.entries(CHOICES).flatMap(([key, choices]) =>
            Object.keys(choices).map((choice): [string, string] => [key, choice]),
        );
        const missing = all.flatMap((one) => all.filter((other) => one[0] < other[0] && !met(one, other)));
        assert.deepEqual(missing, []);
    });

    it("can plan every one of them", async () => {
        declared.clear();
        for (const stage of pairs()) {
            await declareStage(stage);
        }
        write();
        const outcome = await terraform.plan();
        assert.deepEqual([outcome.errors, outcome.warnings], [[], []]);
    });

    /** What a plan would change, as people read it. */
    async function difference(outcome: Outcome): Promise<string> {
        return outcome.changes.length === 0 ? "" : `an unchanged stack is changed:\n${await terraform.explain()}`;
    }
});
