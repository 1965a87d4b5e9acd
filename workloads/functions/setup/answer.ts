/**
 * What Setup answers and what it writes down: the execution's `run`, and its plan for everything that runs later and
 * for people.
 */
import { folderOfS3, joinS3, parentOfS3 } from "../../../ground/s3Address";
import type { Channel, ModelRun, ModelSettings, Run, StageSettings } from "../../../workflow/contract";
import { encodeHyperparameters } from "../../../workflow/hyperparameters";
import { mostFolds, type CompletedInput, type CompletedModel } from "../../../workflow/input";
import { channelFolder, executionId } from "../../../workflow/keys";
import type { Plan, PlannedMember, PlannedModel } from "../../common/plan";
import { NVME_FAMILIES, type ReadData } from "./data";
import type { Decision } from "./decisions";

/** The execution as Step Functions knows it. */
export interface Execution {
    readonly arn: string;
    readonly name: string;
    readonly startTime: string;
    readonly redriveCount: number;
    /** When it ends at the latest: the state machine's time-out. Undefined: nothing that expires is refused. */
    readonly timeoutSeconds?: number;
}

/** All that was found out and decided. */
export interface Findings {
    readonly settings: StageSettings;
    readonly input: CompletedInput;
    readonly execution: Execution;
    readonly data: ReadData;
    readonly members: Readonly<Record<string, Decision>>;
    readonly combiner: Decision;
    readonly notes: readonly string[];
}

/** The addresses of one execution. */
export class Paths {
    /** The execution's own folder, which expires. */
    readonly base: string;

    constructor(
        private readonly settings: StageSettings,
        private readonly input: CompletedInput,
        private readonly executionName: string,
    ) {
        this.base = joinS3(input.target, "runs", executionName);
    }

    /** Where the fetch job copies the data to. */
    get copiedData(): string {
        return joinS3(this.base, "raw_data");
    }

    get rawData(): string {
        return this.input.fetchData ? this.copiedData : this.input.dataPath;
    }

    get splitSet(): string {
        const own = joinS3(this.base, "image_model_training_split_set");
        return this.input.generateSplit ? own : (this.input.splitPath ?? own);
    }

    get dataframe(): string {
        return joinS3(this.base, "dataframe");
    }

    /** Where the ensemble is published: kept, unlike the execution's own folder. */
    get published(): string {
        return joinS3(this.input.target, "published", this.executionName);
    }

    /** Where an execution finds the marker of one of its models. */
    prefix(model: string, { action }: Decision): string {
        const member = this.settings.members[model];
        return action === "skip" && member !== undefined
            ? joinS3(this.base, "given", member.publishParameter.replace(/^INPUT_PATH_/, ""))
            : joinS3(this.base, model);
    }

    /** `output_artifact_paths` of the run. */
    all(members: Findings["members"], combiner: Decision): Record<string, string> {
        const models = [...Object.entries(members), [this.settings.combiner.name, combiner] as const];
        return {
            raw_data: this.rawData,
            image_model_training_split_set: this.splitSet,
            ...Object.fromEntries(models.map(([name, one]) => [`${name}_model_prefix`, this.prefix(name, one)])),
            sequence_model_training_dataframe: this.dataframe,
            ready_to_use_artifacts: this.published,
        };
    }
}

/** The workflow's variable `run`. */
export function runOf(findings: Findings, paths: Paths): Run {
    const { settings, input, execution, data, members, combiner } = findings;
    const bringsIn = Object.values(members).some(({ action }) => action === "skip");
    const builder = new ModelRuns(findings, paths);
    return {
        id: executionId(execution.arn),
        data: data.hash,
        fetch: input.fetchData || bringsIn,
        output_artifact_paths: paths.all(members, combiner),
        parameters: parametersOf(findings, paths),
        members: Object.fromEntries(
            Object.entries(settings.members).map(([name, member]) => [
                name,
                builder.of(name, member, input.members[name]!, members[name]!, splitOf(findings, name)),
            ]),
        ),
        combiner: builder.of(settings.combiner.name, settings.combiner, input.combiner, combiner, "none"),
    };
}

function splitOf({ settings, input, members }: Findings, name: string): ModelRun["split"] {
    const isSplit = settings.members[name]?.splitSet === true && members[name]?.action === "train";
    if (!isSplit) {
        return "none";
    }
    return input.generateSplit ? "new" : "existing";
}

function parametersOf({ settings, input, execution, members, combiner }: Findings, paths: Paths): Run["parameters"] {
    const prefix = (name: string) => paths.prefix(name, members[name]!);
    return {
        fetch: {
            INPUT_PATH: input.dataPath,
            OUTPUT_PATH: paths.copiedData,
            SEED: String(settings.seed),
            TEST_SHARE: String(settings.testShare),
            K_FOLDS: String(mostFolds(settings, input)),
            COPY: input.fetchData ? "yes" : "no",
            ...byMember(settings, "publishParameter", (name) => members[name]?.given?.prefix ?? "-"),
        },
        split: {
            K_FOLDS: String(settings.folds),
            INPUT_PATH: paths.rawData,
            OUTPUT_PATH: paths.splitSet,
            SEED: String(settings.seed),
        },
        merge: {
            INPUT_PATH: paths.rawData,
            ...byMember(settings, "mergeParameter", prefix),
            OUTPUT_PATH: paths.dataframe,
        },
        publish: {
            ...byMember(settings, "publishParameter", prefix),
            INPUT_PATH_SEQ: paths.prefix(settings.combiner.name, combiner),
            OUTPUT_PATH: paths.published,
            TARGET: input.target,
            GATE: JSON.stringify(gate(settings)),
            EXECUTION: execution.name,
        },
    };
}

function byMember(
    settings: StageSettings,
    parameter: "mergeParameter" | "publishParameter",
    value: (name: string) => string,
): Record<string, string> {
    return Object.fromEntries(
        Object.entries(settings.members).map(([name, member]) => [member[parameter], value(name)]),
    );
}

/** What the publish job checks before it publishes. */
function gate(settings: StageSettings): Readonly<Record<string, unknown>> {
    const models = [...Object.entries(settings.members), [settings.combiner.name, settings.combiner] as const];
    const bounded = models.filter(([, model]) => Object.keys(model.minimumMetrics).length > 0);
    return {
        minimum: Object.fromEntries(bounded.map(([name, model]) => [name, model.minimumMetrics])),
        maximumRegression: settings.maximumRegression,
        minimumGain: settings.minimumGain,
    };
}

/** What the trainings of one execution are given. */
class ModelRuns {
    constructor(
        private readonly findings: Findings,
        private readonly paths: Paths,
    ) {}

    of(
        name: string,
        model: ModelSettings,
        wanted: CompletedModel,
        decision: Decision,
        split: ModelRun["split"],
    ): ModelRun {
        const { settings, input, execution } = this.findings;
        const { key } = decision;
        // A forced training is to train: the checkpoint of the finished one would leave it nothing to do.
        const checkpoint = wanted.forced ? `${key}-forced-${executionId(execution.arn)}` : key;
        return {
            action: decision.action,
            split,
            reason: decision.reason,
            key,
            hyperparameters: encodeHyperparameters(wanted.hyperparameters, model.container, settings.region),
            rungs: wanted.capacity.map(({ instanceType, spot }) => ({
                spot,
                resource_config: resourceConfig(settings, model, instanceType),
            })),
            input_data_config: model.channels.map((channel) => inputChannel(channel.name, this.channelPrefix(channel))),
            output_path: joinS3(input.target, "models", name, key === "" ? "unknown" : key),
            checkpoint_path: joinS3(input.target, "checkpoints", name, checkpoint),
        };
    }

    /**
     * S3 takes every key that begins like a channel: so it ends in a slash, and a single file has a folder of its
     * own.
     */
    private channelPrefix({ from, path }: Channel): string {
        if (from === "code") {
            return folderOfS3(parentOfS3(path));
        }
        if (from === "raw_data") {
            const isFile = this.findings.data.channelFiles.includes(path);
            return folderOfS3(joinS3(this.paths.rawData, isFile ? channelFolder(path) : path));
        }
        const place = from === "split_set" ? this.paths.splitSet : this.paths.dataframe;
        // The jobs' folders hold one file that a training reads: folds.json, dataframe.csv.
        const folder = /\.[A-Za-z0-9]+$/.test(path) ? path.replace(/\/?[^/]*$/, "") : path;
        return folderOfS3(joinS3(place, folder));
    }
}

function resourceConfig(
    settings: StageSettings,
    model: ModelSettings,
    instanceType: string,
): Readonly<Record<string, string | number>> {
    const config: Record<string, string | number> = {
        InstanceType: instanceType,
        InstanceCount: model.instanceCount,
        VolumeSizeInGB: model.volumeGb,
    };
    if (settings.kmsKeyArn !== undefined && !NVME_FAMILIES.test(instanceType)) {
        // The settings name the key by its alias, which is known before the key; volumes take no alias.
        config.VolumeKmsKeyId = process.env.KMS_KEY_ARN ?? settings.kmsKeyArn;
    }
    return config;
}

function inputChannel(name: string, uri: string): unknown {
    return {
        ChannelName: name,
        DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: uri, S3DataDistributionType: "FullyReplicated" } },
        CompressionType: "None",
        InputMode: "File",
    };
}

/** `runs/<execution>/plan.json`. */
export function planOf(findings: Findings, paths: Paths): Plan {
    const { settings, input, execution, data, members, combiner, notes } = findings;
    return {
        format: 1,
        service: settings.service,
        stage: settings.stage,
        execution,
        target: input.target,
        data: {
            source: input.dataPath,
            hash: data.hash,
            listing: data.listing,
            objects: data.objects,
            bytes: data.bytes,
            channelFiles: data.channelFiles,
        },
        members: Object.fromEntries(
            Object.entries(settings.members).map(([name, member]): [string, PlannedMember] => [
                name,
                {
                    ...planned(member, input.members[name]!, members[name]!),
                    required: member.required,
                    mergeParameter: member.mergeParameter,
                    publishParameter: member.publishParameter,
                    given: members[name]?.given,
                },
            ]),
        ),
        combiner: { ...planned(settings.combiner, input.combiner, combiner), name: settings.combiner.name },
        output_artifact_paths: paths.all(members, combiner),
        notes,
    };
}

function planned(model: ModelSettings, wanted: CompletedModel, decision: Decision): PlannedModel {
    return {
        action: decision.action,
        reason: decision.reason,
        key: decision.key,
        identity: { ...decision.identity },
        instances: wanted.capacity.map((rung) => ({ ...rung, count: model.instanceCount })),
        maxRuntimeSeconds: model.maxRuntimeSeconds,
        budgetSeconds: model.budgetSeconds,
    };
}
