/**
 * Runs the ensemble on this machine: the deployed definition, the functions and jobs, real trainings. ENSEMBLE_PYTHON
 * names a Python that has training/requirements.txt and moto[s3,server]; without it, .venv/bin/python is taken.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { runLocally } from "@ensemble-training/pulumi/local";
import program from "../index";

const root = path.resolve(__dirname, "..");
const python = process.env.ENSEMBLE_PYTHON ?? path.join(root, ".venv/bin/python");

test("the ensemble is trained, published, and no worse than its best member", { timeout: 300_000 }, async () => {
    const data = path.join(root, "data");
    execFileSync(python, ["generate.py", data], { cwd: root });
    const result = await runLocally({ root, program, data, python });
    assert.equal(result.status, "SUCCEEDED", `${result.error}: ${result.cause}; see ${result.directory}`);
    const accuracy = Object.fromEntries(result.metrics.map(({ model, pageAccuracy }) => [model, pageAccuracy]));
    assert.deepEqual(Object.keys(accuracy).sort(), ["boosting", "forest", "logistic", "neighbours", "stacking"]);
    const { stacking, ...members } = accuracy;
    console.log(JSON.stringify(accuracy));
    assert.ok(
        stacking >= Math.max(...Object.values(members)),
        `stacking ${stacking}, members ${JSON.stringify(members)}`,
    );

    assert.ok(result.artifacts !== undefined);
    const manifest = JSON.parse(readFileSync(path.join(result.artifacts, "manifest.json"), "utf8")) as {
        missing: string[];
    };
    assert.deepEqual(manifest.missing, []);
    for (const model of Object.keys(accuracy)) {
        assert.ok(existsSync(path.join(result.artifacts, model, "model.joblib")), model);
    }
});
