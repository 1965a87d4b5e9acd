import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { diffCommand } from "../../cli/commands/diff";
import type { StateMachineDefinition } from "../../asl/types";
import { root, run } from "./support";

describe("ensemble diff of two definitions", () => {
    const catchAll = [{ ErrorEquals: ["States.ALL"], Next: "Failed" }];
    const machine = (train: Record<string, unknown>): StateMachineDefinition =>
        ({
            StartAt: "Train",
            States: {
                Train: {
                    Type: "Task",
                    Resource: "arn:aws:states:::sagemaker:createTrainingJob.sync",
                    Catch: catchAll,
                    End: true,
                    ...train,
                },
                Failed: { Type: "Fail", Error: "E", Cause: "C" },
            },
        }) as StateMachineDefinition;
    let directory: string;
    let files: string[];

    before(() => {
        directory = mkdtempSync(path.join(tmpdir(), "diff-"));
        const retry = [
            { ErrorEquals: ["SageMaker.ThrottlingException"], IntervalSeconds: 5, MaxAttempts: 4, BackoffRate: 2 },
        ];
        files = [
            machine({ Arguments: { ResourceConfig: { InstanceType: "ml.g5.xlarge" } } }),
            machine({ Arguments: { ResourceConfig: { InstanceType: "ml.g6.xlarge" } }, Retry: retry }),
        ].map((definition, index) => {
            const file = path.join(directory, `${index}.asl.json`);
            writeFileSync(file, JSON.stringify(definition));
            return file;
        });
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    const diff = (...more: string[]) => run(diffCommand(root), ["--from", files[0], "--to", files[1], ...more]);

    it("is a short list in words", async () => {
        const { code, out } = await diff();
        assert.equal(code, 0);
        assert.deepEqual(out.split("\n").slice(1, 3), [
            "  Train: Arguments.ResourceConfig.InstanceType ml.g5.xlarge -> ml.g6.xlarge",
            "  Train: new retry on throttling (SageMaker.ThrottlingException)",
        ]);
    });

    it("is a Markdown list for a pull request", async () => {
        assert.match(
            (await diff("--markdown")).out,
            /^### Workflow: .*\n\n- Train: Arguments.ResourceConfig.InstanceType ml.g5.xlarge -\\> ml.g6.xlarge\n- /,
        );
    });

    it("is JSON with the words and every single change", async () => {
        const told = JSON.parse((await diff("--json")).out) as {
            summary: string[];
            changes: { field: string; before?: string; after?: string }[];
        };
        assert.equal(told.summary.length, 2);
        assert.deepEqual(
            told.changes.find(({ field }) => field.endsWith("InstanceType")),
            {
                kind: "changed",
                state: "Train",
                field: "Arguments.ResourceConfig.InstanceType",
                before: "ml.g5.xlarge",
                after: "ml.g6.xlarge",
                text: '"Train": Arguments.ResourceConfig.InstanceType ml.g5.xlarge -> ml.g6.xlarge',
            },
        );
        assert.ok(told.changes.some(({ field }) => field.endsWith("MaxAttempts")));
    });
});
