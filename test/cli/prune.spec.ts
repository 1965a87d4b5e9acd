import assert from "node:assert/strict";
import { joinS3 } from "../../ground/s3Address";
import { CreateStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import { serveStepFunctions, type StepFunctionsApi } from "../../asl/api/stepFunctions";
import { pruneCommand } from "../../cli/commands/prune";
import { findGarbage, removeGarbage, type PruneOptions } from "../../cli/prune/prune";
import type { Outside } from "../../cli/prune/references";
import { Storage } from "../../workloads/common/storage";
import { executionInput, putData, sampleLabels } from "../support/ensemble";
import { Executions, type Trained } from "../support/executions";
import { evaluateStage } from "../../project/evaluate";
import { s3Environment, useS3 } from "../support/s3";
import { run } from "./support";

const NOBODY: Outside = { registered: [], running: [], definitions: [] };
const LATER = new Date(Date.now() + 400 * 86_400_000);

describe("prune", function () {
    this.timeout(120_000);
    const s3 = useS3("kms");
    let target: string;
    let data: string;
    let executions: Executions;
    let first: Trained;
    let second: Trained;

    beforeEach(async () => {
        const bucket = await s3().bucket();
        target = `${bucket}/model_training_data`;
        data = `${bucket}/data`;
        executions = new Executions(s3().storage);
        await putData(s3().storage, data, sampleLabels(12));
        first = await executions.execute(bucket, "first", executionInput(data));
        const input = executionInput(data, { text_model: { hyperparameters: { c: 3 } } });
        second = await executions.execute(bucket, "second", input);
    });

    const options = (changed: Partial<PruneOptions> = {}, outside: Partial<Outside> = {}): PruneOptions => ({
        storage: s3().storage,
        target,
        outside: () => Promise.resolve({ ...NOBODY, ...outside }),
        keep: 1,
        days: 30,
        now: LATER,
        ...changed,
    });

    /** As lifecycle rules do when their time has come. */
    async function expireRuns(): Promise<void> {
        for await (const { key } of s3().storage.list(joinS3(target, "runs"))) {
            await s3().storage.remove(joinS3(target, "runs", key));
        }
    }

    const found = async (changed: Partial<PruneOptions> = {}, outside: Partial<Outside> = {}): Promise<string[]> =>
        (await findGarbage(options(changed, outside))).garbage.map(({ name }) => name).sort();

    const keyOf = ({ run }: Trained, model: string): string => (run.members[model] ?? run.combiner).key;
    const old = (): string[] =>
        [
            ...["text", "sequence"].flatMap((model) => [
                `models/${model}/${keyOf(first, model)}/documents-dev-${model}-first-0-0-0`,
                `trained/${model}/${keyOf(first, model)}.json`,
            ]),
            "published/first",
        ].sort();

    it("leaves everything alone that an execution used whose folder is still there", async () => {
        assert.deepEqual(await found(), ["published/first"]);
    });

    it("finds what nothing points at: the older ensemble, and the models that only it was made of", async () => {
        await expireRuns();
        assert.deepEqual(await found(), old());
    });

    it("leaves what is young, the newest ensembles, and what the registry or a running execution has", async () => {
        await expireRuns();
        assert.deepEqual(await found({ days: 500 }), []);
        assert.deepEqual(await found({ keep: 2 }), []);
        assert.deepEqual(await found({}, { registered: [joinS3(target, "published/first/manifest.json")] }), []);
        const running = await found({}, { running: ["first"] });
        assert.ok(!running.includes("published/first"));
    });

    it("leaves source archives that a definition names, and no others", async () => {
        await expireRuns();
        for (const hash of ["aa", "bb"]) {
            await s3().storage.put(joinS3(target, `code/image/${hash}/sourcedir.tar.gz`), "x");
        }
        const names = await found({}, { definitions: [`{"x": "${target}/code/image/aa/sourcedir.tar.gz"}`] });
        assert.deepEqual(
            names.filter((name) => name.startsWith("code/")),
            ["code/image/bb"],
        );
    });

    it("removes it, and leaves an ensemble that is whole and models that are reused", async () => {
        await expireRuns();
        const { garbage } = await findGarbage(options());
        const removed = await removeGarbage(options(), garbage);
        assert.equal(removed.rescued.length, 0);
        assert.deepEqual(await found(), []);
        const bucket = target.replace(/\/model_training_data$/, "");
        const input = executionInput(data, { text_model: { hyperparameters: { c: 3 } } });
        const { run } = await executions.execute(bucket, "third", input);
        assert.deepEqual(
            [...Object.values(run.members), run.combiner].map(({ action }) => action),
            ["reuse", "reuse", "reuse"],
        );
        assert.equal(keyOf({ run, pages: [] }, "image"), keyOf(second, "image"));
    });

    it("puts a marker back that an execution began to use while it was removed", async () => {
        await expireRuns();
        const { garbage } = await findGarbage(options());
        /** Setup writes its use down as soon as the marker is gone. */
        class Raced extends Storage {
            override async remove(uri: string): Promise<void> {
                await super.remove(uri);
                if (uri.includes("/trained/text/")) {
                    const run = joinS3(target, "runs/late");
                    await this.putJson(joinS3(run, "plan.json"), {
                        format: 1,
                        members: { text: { key: keyOf(first, "text") } },
                        combiner: { name: "sequence", key: "" },
                        output_artifact_paths: {},
                    });
                }
            }
        }
        const removed = await removeGarbage(options({ storage: new Raced(s3().client) }), garbage);
        const marker = `trained/text/${keyOf(first, "text")}.json`;
        assert.deepEqual(removed.rescued, [marker]);
        assert.notEqual(await s3().storage.head(joinS3(target, marker)), undefined);
        const archives = `models/text/${keyOf(first, "text")}/documents-dev-text-first-0-0-0/output/model.tar.gz`;
        assert.notEqual(await s3().storage.head(joinS3(target, archives)), undefined);
    });

    describe("as a command", () => {
        let api: StepFunctionsApi;
        let client: SFNClient;

        before(async () => {
            const stage = await evaluateStage("dev");
            api = await serveStepFunctions({ begin: () => ({ task: () => Promise.resolve({}) }) });
            client = new SFNClient({
                endpoint: api.endpoint,
                region: "eu-central-1",
                credentials: { accessKeyId: "x", secretAccessKey: "x" },
            });
            await client.send(
                new CreateStateMachineCommand({
                    name: stage.stateMachine.name,
                    roleArn: "arn:aws:iam::123456789012:role/r",
                    definition: JSON.stringify(stage.stateMachine.definition),
                }),
            );
        });

        after(async () => {
            client?.destroy();
            await api?.close();
        });

        const call = (...args: string[]) =>
            run(
                pruneCommand(),
                ["--stack", "dev", "--endpoint", api.endpoint, "--target", target, "--keep", "1", ...args],
                s3Environment(s3().endpoint),
            );

        it("only says what it would remove, until it is told to", async () => {
            await expireRuns();
            const told = await call();
            assert.equal(told.code, 0, told.err);
            assert.match(told.out, /Nothing to remove\.\n$/, "all of it is younger than 30 days");
            assert.notEqual(await s3().storage.head(joinS3(target, "published/first/manifest.json")), undefined);
        });

        it("refuses a bound below the longest execution, and says what it is", async () => {
            const { code, err } = await call("--days", "1");
            assert.equal(code, 2);
            assert.match(err, /^--days 1: at least \d+ is expected, since an execution of this stage may take as long/);
        });

        it("answers machines with JSON", async () => {
            const { out } = await call("--json", "--yes");
            assert.equal((JSON.parse(out) as { removed: boolean }).removed, true);
        });
    });
});
