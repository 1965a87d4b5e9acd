/** What Setup would answer, without asking it. */
import type { ModelRun, ModelSettings, Run, StageSettings } from "../workflow/contract";

/** What a run may be other than the first of all. */
export interface RunChanges {
    /** Changes of what Setup answers, by model. */
    readonly models?: Readonly<Record<string, Partial<ModelRun>>>;
    /** Whether documents are copied; default true. */
    readonly fetch?: boolean;
}

/** What Setup would answer for a run that trains everything. */
export function runOf(settings: StageSettings, { models = {}, fetch = true }: RunChanges = {}): Run {
    const base = `${settings.artifactBase}/runs/simulated`;
    const published = `${settings.artifactBase}/published/simulated`;
    const members = Object.entries(settings.members);
    const model = (name: string, one: ModelSettings, split: ModelRun["split"]): ModelRun => ({
        ...modelRun(settings.artifactBase, base, name, one, split),
        ...models[name],
    });
    return {
        id: "1a2b3c4d",
        data: "d".repeat(64),
        fetch,
        output_artifact_paths: {
            raw_data: `${base}/raw_data`,
            image_model_training_split_set: `${base}/split`,
            ready_to_use_artifacts: published,
            ...Object.fromEntries(
                [...members.map(([name]) => name), settings.combiner.name].map((name) => [
                    `${name}_model_prefix`,
                    `${base}/${name}`,
                ]),
            ),
        },
        parameters: parametersOf(settings, base, published),
        members: Object.fromEntries(
            members.map(([name, member]) => [name, model(name, member, member.splitSet ? "new" : "none")]),
        ),
        combiner: model(settings.combiner.name, settings.combiner, "none"),
    };
}

/** A model that is trained for the first time. */
function modelRun(
    artifactBase: string,
    base: string,
    name: string,
    one: ModelSettings,
    split: ModelRun["split"],
): ModelRun {
    return {
        action: "train",
        split,
        reason: "trains: first time",
        key: Buffer.from(name.padEnd(32, "-")).toString("hex").slice(0, 64),
        hyperparameters: Object.fromEntries(
            Object.entries(one.hyperparameters).map(([key, value]) => [key, JSON.stringify(value)]),
        ),
        rungs: one.capacity.map(({ instanceType, spot }) => ({
            spot,
            resource_config: {
                InstanceType: instanceType,
                InstanceCount: one.instanceCount,
                VolumeSizeInGB: one.volumeGb,
            },
        })),
        input_data_config: one.channels.map((channel) => ({
            ChannelName: channel.name,
            DataSource: { S3DataSource: { S3Uri: `${base}/raw_data/` } },
        })),
        output_path: `${artifactBase}/models/${name}/key`,
        checkpoint_path: `${artifactBase}/checkpoints/${name}/key`,
    };
}

/** Parameters of the Batch jobs. */
function parametersOf(settings: StageSettings, base: string, published: string): Run["parameters"] {
    const members = Object.entries(settings.members);
    const paths = (field: "mergeParameter" | "publishParameter"): Record<string, string> =>
        Object.fromEntries(members.map(([name, member]) => [member[field], `${base}/${name}`]));
    return {
        fetch: {
            INPUT_PATH: "s3://data/in",
            OUTPUT_PATH: `${base}/raw_data`,
            SEED: "1",
            TEST_SHARE: "0.2",
            K_FOLDS: "4",
            COPY: "yes",
            ...Object.fromEntries(members.map(([, member]) => [member.publishParameter, "-"])),
        },
        split: { K_FOLDS: "4", INPUT_PATH: `${base}/raw_data`, OUTPUT_PATH: `${base}/split`, SEED: "1" },
        merge: { INPUT_PATH: `${base}/raw_data`, OUTPUT_PATH: `${base}/dataframe`, ...paths("mergeParameter") },
        publish: {
            OUTPUT_PATH: published,
            TARGET: settings.artifactBase,
            GATE: "{}",
            EXECUTION: "simulated",
            INPUT_PATH_SEQ: `${base}/sequence`,
            ...paths("publishParameter"),
        },
    };
}
