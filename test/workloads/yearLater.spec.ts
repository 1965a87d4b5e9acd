import assert from "node:assert/strict";
import { joinS3 } from "../../ground/s3Address";
import { evaluateStage } from "../../project/evaluate";
import { sha256 } from "../../workflow/keys";
import type { Manifest } from "../../workloads/jobs/publish";
import { executionInput, putData, sampleLabels } from "../support/ensemble";
import { Executions } from "../support/executions";
import { AgingBucket, renderedRules } from "../support/lifecycle";
import { useS3 } from "../support/s3";

const DAY_MS = 86_400_000;
const BEGIN = Date.parse("2026-11-28T00:00:00.000Z");
const day = (number: number) => new Date(BEGIN + number * DAY_MS);

/** What published/latest.json points at, every file with the hash that the manifest says. */
async function resolve(executions: Executions, target: string): Promise<Manifest> {
    const { storage } = executions;
    const latest = (await storage.json(joinS3(target, "published/latest.json"))) as { manifest: string };
    const manifest = (await storage.json(latest.manifest)) as Manifest;
    for (const { path, files } of [...Object.values(manifest.members), manifest.combiner]) {
        for (const [file, hash] of Object.entries(files)) {
            const text = await storage.text(joinS3(latest.manifest.replace(/\/manifest\.json$/, ""), path, file));
            assert.equal(sha256(text ?? ""), hash, `${path}${file}`);
        }
    }
    return manifest;
}

describe("a year and a month later", function () {
    this.timeout(120_000);
    const s3 = useS3("kms");

    for (const stage of ["dev", "prod"]) {
        it(`the published ensemble of ${stage} is whole, and a rerun trains nothing`, async () => {
            const bucket = await s3().bucket();
            const rules = renderedRules(await evaluateStage(stage));
            const executions = new Executions(s3().storage);
            // the stage's bucket is the target itself, so that the rules' prefixes are the target's folders
            const changed = { artifactBase: bucket };
            const data = "s3://source-of-" + bucket.slice(5);
            await s3().makeBucket(data);
            await putData(s3().storage, data, sampleLabels(12));
            const aging = new AgingBucket(s3().storage, bucket, rules);
            await aging.comes(day(0));
            await executions.execute(bucket, "first", executionInput(data), { ...changed, dataLocations: [data] });
            await aging.comes(day(1));
            const gone = [...(await aging.comes(day(200))), ...(await aging.comes(day(400)))];
            assert.ok(gone.some((key) => key.startsWith("runs/first/raw_data/")));
            assert.deepEqual(
                gone.filter((key) => !/^(runs|checkpoints|checksums)\//.test(key)),
                [],
            );
            const manifest = await resolve(executions, bucket);
            assert.equal(manifest.execution, "first");

            const { run } = await executions.execute(
                bucket,
                "rerun",
                executionInput(data),
                { ...changed, dataLocations: [data] },
                { startTime: day(400).toISOString(), timeoutSeconds: 8 * 86_400 },
            );
            assert.deepEqual(
                [...Object.values(run.members), run.combiner].map(({ action }) => action),
                ["reuse", "reuse", "reuse"],
            );
            assert.equal((await resolve(executions, bucket)).execution, "rerun");
        });
    }
});
