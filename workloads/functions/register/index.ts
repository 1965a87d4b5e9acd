/**
 * Registers a finished training: checks that it completed and that its artefacts are there, then writes the completion
 * markers, the one that later executions look for last.
 */
import { defined } from "../../../ground/fields";
import { joinS3, parentOfS3 } from "../../../ground/s3Address";
import type { StoredObject, TrainedModel } from "../../../workflow/contract";
import { DataError, InputError } from "../../common/errors";
import { readPlan } from "../../common/plan";
import { Storage, createS3 } from "../../common/storage";

export interface RegisterEvent {
    readonly model: string;
    readonly key: string;
    readonly identity?: Readonly<Record<string, unknown>>;
    readonly job: TrainingJob;
    /** Where the training job wrote: below `models/`. */
    readonly outputPath: string;
    /** Where the execution looks for its marker: `runs/<execution>/<model>`. */
    readonly prefix: string;
    /** The execution's name. */
    readonly execution: string;
}

/** What is used of DescribeTrainingJob's answer. */
export interface TrainingJob {
    readonly TrainingJobName: string;
    readonly TrainingJobStatus: string;
    readonly SecondaryStatus?: string;
    readonly FailureReason?: string;
    readonly S3ModelArtifacts?: string;
    readonly ModelArtifacts?: { readonly S3ModelArtifacts?: string };
    readonly BillableTimeInSeconds?: number;
}

export interface RegisterAnswer {
    readonly model: string;
    readonly outcome: "trained";
    readonly jobName: string;
}

export const handler = (event: RegisterEvent): Promise<RegisterAnswer> => register(event, new Storage(createS3()));

/**
 * @throws DataError where the job did not complete or an artefact is missing; Error with the job's own words where it
 * was stopped.
 */
export async function register(
    event: RegisterEvent,
    storage: Storage,
    now: () => Date = () => new Date(),
): Promise<RegisterAnswer> {
    const { model, key, job, outputPath, prefix, execution } = event;
    if (!/^[0-9a-f]{64}$/.test(key ?? "")) {
        throw new InputError(
            `register: key of ${model}: got ${JSON.stringify(key)}, expected 64 hexadecimal digits; pass the key of ` +
                "the run",
        );
    }
    if (job.TrainingJobStatus !== "Completed") {
        throw new DataError(
            `training job ${job.TrainingJobName} of ${model} is ${job.TrainingJobStatus}` +
                `${job.SecondaryStatus === undefined ? "" : ` (${job.SecondaryStatus})`}, expected Completed; its ` +
                "output is not used",
        );
    }
    const archive =
        job.S3ModelArtifacts ??
        job.ModelArtifacts?.S3ModelArtifacts ??
        joinS3(outputPath, job.TrainingJobName, "output", "model.tar.gz");
    const artifacts = {
        model: await stored(storage, job.TrainingJobName, archive, "the trained model (/opt/ml/model)"),
        output: await stored(
            storage,
            job.TrainingJobName,
            joinS3(parentOfS3(archive), "output.tar.gz"),
            "predictions and metrics (/opt/ml/output/data)",
        ),
    };
    const run = parentOfS3(prefix);
    const plan = await readPlan(storage, run);
    const planned = plan === undefined ? undefined : plan.combiner.name === model ? plan.combiner : plan.members[model];
    const dataframe =
        plan?.combiner.name === model ? plan.output_artifact_paths.sequence_model_training_dataframe : undefined;
    const missing = dataframe === undefined ? [] : await missingMembers(storage, dataframe);
    const previous = (await storage.json(joinS3(prefix, "trained.json"))) as Partial<TrainedModel> | undefined;
    const trained: TrainedModel = defined({
        format: 1,
        model,
        key,
        jobName: job.TrainingJobName,
        execution,
        // A second call for the same job (a retried invocation) writes the same bytes.
        trainedAt:
            previous?.jobName === job.TrainingJobName && previous.trainedAt !== undefined
                ? previous.trainedAt
                : now().toISOString(),
        billableSeconds: job.BillableTimeInSeconds,
        artifacts,
        ...why(event.identity ?? planned?.identity ?? {}, planned?.reason, missing),
    });
    await storage.putJson(joinS3(prefix, "trained.json"), trained);
    if (missing.length > 0) {
        // The key promises all members: a combiner that learned from fewer must not be found by it.
        console.log(`${model}: kept for this execution only, it was trained without ${missing.join(", ")}`);
    } else {
        await storage.putJson(
            joinS3(plan?.target ?? parentOfS3(parentOfS3(run)), "trained", model, `${key}.json`),
            trained,
        );
    }
    return { model, outcome: "trained", jobName: job.TrainingJobName };
}

async function stored(storage: Storage, jobName: string, uri: string, what: string): Promise<StoredObject> {
    const object = await storage.head(uri);
    if (object === undefined || object.bytes === 0) {
        throw new DataError(
            `training job ${jobName} completed, but ${uri} ${object === undefined ? "does not exist" : "is empty"}: ` +
                `the training must write ${what}; look into its log`,
        );
    }
    return { uri, bytes: object.bytes, etag: object.etag, checksum: object.checksum };
}

/** What the model was made of and why: the plan, except for a combiner that had to do without members that failed. */
function why(
    identity: Readonly<Record<string, unknown>>,
    reason: string | undefined,
    missing: readonly string[],
): Pick<TrainedModel, "identity" | "reason" | "missing"> {
    if (missing.length === 0) {
        return defined({ identity, reason });
    }
    const members = Object.entries((identity.members ?? {}) as Readonly<Record<string, string>>);
    return {
        identity: { ...identity, members: Object.fromEntries(members.filter(([member]) => !missing.includes(member))) },
        reason: `trains: without ${missing.join(", ")}, which failed in this execution`,
        missing,
    };
}

async function missingMembers(storage: Storage, dataframe: string): Promise<readonly string[]> {
    const manifest = (await storage.json(joinS3(dataframe, "manifest.json"))) as
        { missing?: readonly string[] } | undefined;
    return manifest?.missing ?? [];
}
