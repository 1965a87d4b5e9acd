/** A whole execution by the real functions and jobs, with trainings that leave what SageMaker leaves. */
import assert from "node:assert/strict";
import { joinS3 } from "../../ground/s3Address";
import type { ModelRun, Run } from "../../workflow/contract";
import type { Storage } from "../../workloads/common/storage";
import { register } from "../../workloads/functions/register/index";
import { setup } from "../../workloads/functions/setup/index";
import type { Page } from "../../workloads/documents/pages";
import { parseLabels } from "../../workloads/jobs/labels";
import { run as runJob } from "../../workloads/jobs/run";
import { execution, imageLines, jsonLines, putArchives, stageSettings, textLines } from "./ensemble";

export interface Trained {
    readonly run: Run;
    readonly pages: readonly Page[];
}

/** Runs executions of the small stage in one bucket. */
export class Executions {
    constructor(readonly storage: Storage) {}

    /** What Setup needs, without its log. */
    get quietly() {
        return { storage: this.storage, print: () => undefined };
    }

    async job(
        name: string,
        parameters: Readonly<Record<string, string>>,
        storage = this.storage,
    ): Promise<{ code: number; lines: string[]; errors: string[] }> {
        const lines: string[] = [];
        const errors: string[] = [];
        const args = Object.entries(parameters).flatMap(([key, value]) => [`--${key}`, value]);
        const code = await runJob([name, ...args], {
            out: (line) => lines.push(line),
            error: (line) => errors.push(line),
            signal: new AbortController().signal,
            createStorage: () => storage,
        });
        return { code, lines, errors };
    }

    async succeed(name: string, parameters: Readonly<Record<string, string>>): Promise<string[]> {
        const { code, lines, errors } = await this.job(name, parameters);
        assert.deepEqual([code, errors], [0, []]);
        return lines;
    }

    /** Stands in for a training: leaves archives where SageMaker does, and registers them. */
    async train(name: string, run: Run, executionName: string, output: Record<string, string>): Promise<void> {
        const model: ModelRun = run.members[name] ?? run.combiner;
        const jobName = `documents-dev-${name}-${executionName}-0-0-0`;
        await putArchives(this.storage, joinS3(model.output_path, jobName, "output"), {
            model: { "model.json": JSON.stringify({ name }), "weights/a.bin": `weights of ${name}` },
            output: { "metrics.json": JSON.stringify({ page_accuracy: 0.9, classes: ["bill", "letter"] }), ...output },
        });
        await register(
            {
                model: name,
                key: model.key,
                outputPath: model.output_path,
                prefix: run.output_artifact_paths[`${name}_model_prefix`] ?? "",
                execution: executionName,
                job: {
                    TrainingJobName: jobName,
                    TrainingJobStatus: "Completed",
                    BillableTimeInSeconds: 60,
                    S3ModelArtifacts: joinS3(model.output_path, jobName, "output", "model.tar.gz"),
                },
            },
            this.storage,
        );
    }

    /** The whole way of an execution, with the trainings that Setup asks for. */
    async execute(bucket: string, name: string, input: unknown, changed = {}, started = {}): Promise<Trained> {
        const settings = stageSettings(bucket, changed);
        const run = await setup({ settings, input, execution: { ...execution(name), ...started } }, this.quietly);
        if (run.fetch) {
            await this.succeed("fetch", run.parameters.fetch);
        }
        const labels = joinS3(run.output_artifact_paths.raw_data ?? "", "labels.csv");
        const pages = parseLabels((await this.storage.text(labels)) ?? "", "labels.csv");
        if (run.members.image?.action === "train") {
            await this.trainImage(run, name, pages);
        }
        if (run.members.text?.action === "train") {
            await this.train("text", run, name, { "predictions.jsonl": jsonLines(textLines(pages)) });
        }
        if (run.combiner.action === "train") {
            await this.succeed("merge", run.parameters.merge);
            await this.train("sequence", run, name, { "predictions.jsonl": jsonLines([]) });
        }
        await this.succeed("publish", run.parameters.publish);
        return { run, pages };
    }

    private async trainImage(run: Run, name: string, pages: readonly Page[]): Promise<void> {
        if (run.members.image?.split === "new") {
            await this.succeed("split", run.parameters.split);
        }
        const split = joinS3(run.output_artifact_paths.image_model_training_split_set ?? "", "folds.json");
        const { folds } = (await this.storage.json(split)) as { folds: Record<string, number> };
        await this.train("image", run, name, {
            "fold-0/predictions.jsonl": jsonLines(imageLines(pages, 0, folds)),
            "fold-1/predictions.jsonl": jsonLines(imageLines(pages, 1, folds)),
        });
    }
}
