/**
 * The models of the ensemble: what is the same in every stage. A further base model is one more entry of `MEMBERS`; what differs by stage
 * (hyperparameters, machines, limits) is configuration under the same name.
 */
import type { Capacity, Channel, HyperparameterRule, Hyperparameters } from "../workflow";
import { defaultsOf, HYPERPARAMETERS, schemaOf, SEED, type HyperparameterTable } from "../workflow/hyperparameters";

export { SEED };

/** Which image a model trains in: a framework container in script mode, or an image that is built here. */
export type ContainerKind =
    | { readonly kind: "script"; readonly framework: "tensorflowCpu" | "tensorflowGpu"; readonly program: string }
    | { readonly kind: "image"; readonly image: string };

/** What a model is, whatever the stage. */
export interface ModelSpec {
    readonly container: ContainerKind;
    /** Folder below `workloads/training` that holds its code. */
    readonly folder: string;
    readonly channels: readonly Channel[];
    readonly hyperparameters: HyperparameterTable;
    /** Defaults of the stage configuration. */
    readonly capacity: readonly Capacity[];
    readonly instanceCount: number;
    readonly volumeGb: number;
    readonly maxRuntimeSeconds: number;
    /** Hours of one model in all: attempts, waits and rungs included. */
    readonly maxHours: number;
}

export interface MemberSpec extends ModelSpec {
    readonly splitSet: boolean;
    readonly mergeParameter: string;
    readonly publishParameter: string;
}

const LABELS: Channel = { name: "labels", from: "raw_data", path: "labels.csv" };

/** The base models, in the order of their branches. */
export const MEMBERS: Readonly<Record<string, MemberSpec>> = {
    image: {
        container: { kind: "script", framework: "tensorflowGpu", program: "train_n_folds.py" },
        folder: "image",
        splitSet: true,
        mergeParameter: "INPUT_PATH_CNN",
        publishParameter: "INPUT_PATH_IMAGE",
        channels: [LABELS, { name: "images", from: "raw_data", path: "images" }, { name: "folds", from: "split_set", path: "folds.json" }],
        hyperparameters: HYPERPARAMETERS.image,
        // One fold an instance; each rung is a card that today's containers know (the talk's p2 is gone).
        capacity: [
            { instanceType: "ml.g6.xlarge", spot: false },
            { instanceType: "ml.g5.xlarge", spot: false },
            { instanceType: "ml.g4dn.xlarge", spot: false },
        ],
        instanceCount: 4,
        volumeGb: 10,
        maxRuntimeSeconds: 172_800,
        maxHours: 96,
    },
    text: {
        container: { kind: "image", image: "text" },
        folder: "text",
        splitSet: false,
        mergeParameter: "INPUT_PATH_SVM",
        publishParameter: "INPUT_PATH_TXT",
        channels: [LABELS, { name: "text", from: "raw_data", path: "text" }],
        hyperparameters: HYPERPARAMETERS.text,
        capacity: [{ instanceType: "ml.m5.2xlarge", spot: false }, { instanceType: "ml.m6i.2xlarge", spot: false }],
        instanceCount: 1,
        volumeGb: 10,
        maxRuntimeSeconds: 14_400,
        maxHours: 12,
    },
};

/** The model that learns from the others' predictions. */
export const COMBINER: ModelSpec & { readonly name: string } = {
    name: "sequence",
    container: { kind: "script", framework: "tensorflowCpu", program: "train_sequence.py" },
    folder: "sequence",
    channels: [{ name: "dataframe", from: "dataframe", path: "dataframe.csv" }],
    hyperparameters: HYPERPARAMETERS.sequence,
    capacity: [{ instanceType: "ml.m5.large", spot: false }, { instanceType: "ml.m6i.large", spot: false }],
    instanceCount: 1,
    volumeGb: 10,
    maxRuntimeSeconds: 172_800,
    maxHours: 72,
};

/** Rules and defaults of a model, in the form that the workflow's settings hold them. */
export function hyperparametersOf(model: ModelSpec): { schema: Readonly<Record<string, HyperparameterRule>>; defaults: Hyperparameters } {
    return { schema: schemaOf(model.hyperparameters), defaults: defaultsOf(model.hyperparameters) };
}
