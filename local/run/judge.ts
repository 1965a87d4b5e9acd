import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import * as tar from "tar";
import type { Run, TrainedModel } from "../../workflow/contract";
import type { ObjectStore } from "../storage/objectStore";
import { downloadObject, parseS3Uri } from "../storage/transfer";
import { judgeCombiner, judgeMember, readDataframe, type Judgement } from "./metrics";
import type { LocalStage } from "./stage";

/** Page accuracy and segment F1 of every model on the held-out stacks, from the merged table and the combiner's own predictions. */
export async function judge(store: ObjectStore, stage: LocalStage, run: Run, directory: string): Promise<readonly Judgement[]> {
    const scratch = await mkdtemp(path.join(directory, "metrics-"));
    try {
        const combiner = stage.settings.combiner.name;
        const table = path.join(scratch, "dataframe.csv");
        await downloadObject(store.s3, parseS3Uri(`${run.output_artifact_paths.sequence_model_training_dataframe}/dataframe.csv`), table);
        const marker = path.join(scratch, "trained.json");
        await downloadObject(store.s3, parseS3Uri(`${run.combiner.output_path}/trained.json`), marker);
        const trained = JSON.parse(readFileSync(marker, "utf8")) as TrainedModel;
        const archive = path.join(scratch, "output.tar.gz");
        await downloadObject(store.s3, parseS3Uri(trained.artifacts.output.uri), archive);
        await tar.x({ file: archive, cwd: scratch });
        const dataframe = readDataframe(readFileSync(table, "utf8"));
        const predictions = path.join(scratch, "predictions.jsonl");
        // what the report is drawn from
        const evaluation = path.join(directory, "evaluation");
        await mkdir(evaluation, { recursive: true });
        for (const name of ["dataframe.csv", "predictions.jsonl", "history.json"].filter((file) => existsSync(path.join(scratch, file)))) {
            await copyFile(path.join(scratch, name), path.join(evaluation, name));
        }
        return [
            ...dataframe.members.map((member) => judgeMember(dataframe, member)),
            ...(existsSync(predictions) ? [judgeCombiner(dataframe, combiner, readFileSync(predictions, "utf8"))] : []),
        ];
    } finally {
        await rm(scratch, { recursive: true, force: true });
    }
}
