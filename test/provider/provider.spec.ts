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
import * as lambda from "@pulumi/aws/types/enums/lambda";
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
import { Account, configuration, GIVEN, OF_OTHERS } from "./support/account";
import { NEWER, type Schemas } from "./support/conversion";
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
    let schemas: Schemas;
    let made: Promise<Outcome>;
    let planned: Promise<Outcome>;
    const declared = new Map<string, Declared>();

    const declareStage = (stage: Stage) => declare(stage, schemas, path.join(folder, "files"), GIVEN);
    const types = (outcome: Outcome) => outcome.changes.map(({ address, action }) => `${action} ${address}`).sort();
    const bucketOf = (stage: string) => `ensemble-${stage}-123456789012-eu-central-1`;

    async function declareAll(stages: readonly Stage[]): Promise<Map<string, Declared>> {
        const all = new Map<string, Declared>();
        for (const stage of stages) {
            all.set(stage.name, await declareStage(stage));
        }
        return all;
    }

    before(async function () {
        const found = findTerraform();
        if (typeof found === "string" || !existsSync(python)) {
            console.log(`    skipped: ${typeof found === "string" ? found : "moto is not installed in .venv"}`);
            this.skip();
        }
        terraform = new Terraform(found, path.join(folder, "stages"));
        account = await Account.start(folder);
        s3 = s3Client(account.endpoint);
        await terraform.start();
        terraform.write(configuration(account.endpoint, []));
        await terraform.init();
        schemas = await terraform.schemas();
        (await declareAll(STAGES)).forEach((stage, name) => declared.set(name, stage));
        terraform.write(configuration(account.endpoint, [...declared.values()]));
        // Making is waiting, for the most part: the combinations are planned meanwhile.
        made = terraform.apply();
        const combinations = terraform.beside(path.join(folder, "pairs"));
        combinations.write(configuration(account.endpoint, [...(await declareAll(pairs())).values()]));
        await combinations.init();
        planned = combinations.plan();
    });

    after(() => {
        terraform?.stop();
        account?.stop();
        s3?.destroy();
        rmSync(folder, { recursive: true, force: true });
    });

    it("knows every type that a stage declares", () => {
        const foreign = new Set([...declared.values()].flatMap((stage) => stage.foreign));
        assert.deepEqual([...foreign], FOREIGN);
    });

    it("is too old only for runtimes that the provider which deploys knows", () => {
        const newer = Object.keys(NEWER.aws_lambda_function.runtime);
        const deployed = Object.values<string>(lambda.Runtime);
        assert.deepEqual(
            newer.filter((runtime) => !deployed.includes(runtime)),
            [],
        );
    });

    it(`makes ${STAGES.length} stages, side by side in one account`, async () => {
        const outcome = await made;
        assert.deepEqual([outcome.errors, outcome.warnings], [[], []]);
        const machines = outcome.changes.filter(({ address }) => address.startsWith(`${MACHINE}.`));
        assert.equal(machines.length, STAGES.length);
    });

    it("can plan every pair of choices", async () => {
        const outcome = await planned;
        assert.deepEqual([outcome.errors, outcome.warnings], [[], []]);
    });

    it("changes one state machine in place, and nothing that was just made, for one hyperparameter", async () => {
        const overrides = { models: { image: { hyperparameters: { epochs: 11 } } } };
        declared.set("dev", await declareStage({ name: "dev", base: "dev", overrides }));
        terraform.write(configuration(account.endpoint, [...declared.values()]));
        const outcome = await terraform.plan();
        const wanted = ["update aws_sfn_state_machine.dev_ensemble_training"];
        const explained = types(outcome).join() === wanted.join() ? "" : await terraform.explain();
        assert.deepEqual([types(outcome), outcome.errors], [wanted, []], explained);
    });

    it("refuses to destroy a bucket that is not empty, and keeps the key to what is in it", async () => {
        const versions = OPEN_STAGES.flatMap((name) =>
            ["first", "second"].map((body) => ({ Bucket: bucketOf(name), Key: "runs/1/page.txt", Body: body })),
        );
        await Promise.all(versions.map((version) => s3.send(new PutObjectCommand(version))));
        const kept = [...declared.values()].flatMap((stage) => stage.kept);
        terraform.write(configuration(account.endpoint, [], kept));
        const outcome = await terraform.apply();
        const refused = outcome.errors.map((error) => /\(ensemble-([a-z]+)-.*BucketNotEmpty/s.exec(error)?.[1]);
        assert.deepEqual(refused.sort(), [...OPEN_STAGES].sort(), outcome.errors.join("\n"));
        const left = terraform.addresses().filter((address) => !OF_OTHERS.includes(address));
        assert.deepEqual(
            left.filter((address) => /^aws_(s3_bucket|kms_key)\./.test(address)),
            KEPT_WITH_OBJECTS,
        );
    });

    it("destroys the rest once they are emptied as the guide says", async () => {
        const [, program] = /^\.venv\/bin\/python -c "(.*object_versions\.delete\(\))"$/m.exec(guide) ?? [];
        assert.ok(program !== undefined, "the guide no longer says how a bucket is emptied");
        for (const name of OPEN_STAGES) {
            const environment = { ...process.env, ...s3Environment(account.endpoint) };
            execFileSync(python, ["-c", program.replace("$bucket", bucketOf(name))], { env: environment });
        }
        const outcome = await terraform.apply();
        assert.deepEqual(outcome.errors, []);
        assert.deepEqual(terraform.addresses(), OF_OTHERS);
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
});
