/**
 * The models of the ensemble: what is the same in every stage. A further base model is one more entry of `MEMBERS`; what differs by stage
 * (hyperparameters, machines, limits) is configuration under the same name.
 */
import type { Capacity, Channel, HyperparameterRule, Hyperparameters } from "../workflow";

/** Which image a model trains in: a framework container in script mode, or an image that is built here. */
export type ContainerKind =
    | { readonly kind: "script"; readonly framework: "tensorflowCpu" | "tensorflowGpu"; readonly program: string }
    | { readonly kind: "image"; readonly image: string };

/** A hyperparameter with its default. */
export interface HyperparameterSpec extends HyperparameterRule {
    readonly default: string | number | boolean;
}

/** What a model is, whatever the stage. */
export interface ModelSpec {
    readonly container: ContainerKind;
    /** Folder below `workloads/training` that holds its code. */
    readonly folder: string;
    readonly channels: readonly Channel[];
    readonly hyperparameters: Readonly<Record<string, HyperparameterSpec>>;
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

const SEED_MAXIMUM = 2 ** 31 - 1;

const integer = (value: number, minimum: number, maximum: number, description: string, learning = true): HyperparameterSpec =>
    ({ type: "integer", default: value, minimum, maximum, learning, description });
const number = (
    value: number, minimum: number, maximum: number, description: string, open: Pick<HyperparameterRule, "exclusiveMinimum" | "exclusiveMaximum"> = {},
): HyperparameterSpec => ({ type: "number", default: value, minimum, maximum, ...open, learning: true, description });
const choice = (values: readonly string[], description: string): HyperparameterSpec =>
    ({ type: "string", default: values[0], values, learning: true, description });

/** What every job gets and no model learns from. */
const JOB_LEVEL: Readonly<Record<string, HyperparameterSpec>> = {
    bucket: { type: "string", default: "", learning: false, description: "Bucket for a copy of metrics and history; empty: none." },
    s3_log_folder: { type: "string", default: "logs/sagemaker", learning: false, description: "Folder in that bucket." },
};

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
        hyperparameters: {
            ...JOB_LEVEL,
            epochs: integer(80, 1, 10_000, "Passes over the training pages."),
            batch_size: integer(128, 1, 4_096, "Pages a step."),
            conv_block_length: integer(2, 1, 8, "Convolutions a block."),
            cycle_length: integer(10, 1, 10_000, "Epochs of one cycle of the learning rate."),
            depth: integer(5, 1, 8, "Blocks; each halves the image."),
            dropout: number(0.5, 0, 1, "Share of the last features left out in a step.", { exclusiveMaximum: true }),
            max_lr: number(0.1, 0, 10, "Learning rate at a cycle's start.", { exclusiveMinimum: true }),
            min_lr: number(0.0001, 0, 10, "Learning rate at a cycle's end."),
            start_filter: integer(4, 1, 256, "Filters of the first block; each further one doubles them."),
            worker: integer(4, 1, 64, "Threads that read images.", false),
            image_width: integer(192, 8, 2_048, "Pixels that a page is scaled to."),
            image_height: integer(256, 8, 2_048, "Pixels that a page is scaled to."),
        },
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
        hyperparameters: {
            ...JOB_LEVEL,
            k_folds: integer(4, 2, 20, "Folds of the training pages for the out-of-fold predictions."),
            c: number(1, 0, 10_000, "Inverse strength of the regularisation.", { exclusiveMinimum: true }),
            analyzer: choice(["word", "char_wb"], "What a feature is made of."),
            ngram_max: integer(2, 1, 6, "Longest sequence of words or characters."),
            max_features: integer(200_000, 10, 10_000_000, "Features kept, the most frequent first."),
            min_df: integer(2, 1, 1_000, "Pages that a feature must occur on."),
            calibration: choice(["sigmoid", "isotonic", "none"], "How margins become probabilities."),
            calibration_folds: integer(3, 2, 10, "Folds of the calibration."),
            max_iter: integer(1_000, 10, 100_000, "Steps of the solver."),
        },
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
    hyperparameters: {
        ...JOB_LEVEL,
        epochs: integer(20, 1, 10_000, "Rounds of epoch_seq sequences."),
        epoch_seq: integer(10_000, 1, 10_000_000, "Training sequences drawn an epoch."),
        val_seq: integer(3_000, 1, 10_000_000, "Sequences drawn for validation."),
        batch_size: integer(64, 1, 4_096, "Sequences a step."),
        dropout: number(0, 0, 1, "Share of a layer's inputs left out in a step.", { exclusiveMaximum: true }),
        learning_rate: number(0.001, 0, 10, "Learning rate of the first epochs.", { exclusiveMinimum: true }),
        lr_schedule_epoch: integer(1, 1, 10_000, "Epochs between two cuts of the learning rate."),
        lr_schedule_factor: number(0.5, 0, 1, "What the learning rate is multiplied with at a cut.", { exclusiveMinimum: true }),
        mode: { type: "string", default: "both", learning: true, description: "Whose outputs it learns from: both (all members), or a member's name." },
        net_layers: integer(2, 1, 16, "Recurrent layers."),
        net_width: integer(300, 1, 4_096, "Units a layer."),
        optimizer: choice(["rmsprop", "adam", "sgd"], "Optimiser."),
        rnn_type: choice(["gru", "lstm"], "Kind of recurrent unit."),
    },
    capacity: [{ instanceType: "ml.m5.large", spot: false }, { instanceType: "ml.m6i.large", spot: false }],
    instanceCount: 1,
    volumeGb: 10,
    maxRuntimeSeconds: 172_800,
    maxHours: 72,
};

/** The seed reaches every script as a hyperparameter; it is the stage's, so that it is no model's own. */
export const SEED: HyperparameterRule = {
    type: "integer", minimum: 0, maximum: SEED_MAXIMUM, learning: true, description: "Start of every random choice.",
};

/** Rules and defaults of a model, in the form that the workflow's settings hold them. */
export function hyperparametersOf(model: ModelSpec): { schema: Record<string, HyperparameterRule>; defaults: Hyperparameters } {
    const entries = Object.entries(model.hyperparameters);
    return {
        schema: Object.fromEntries(entries.map(([name, { default: _default, ...rule }]) => [name, rule])),
        defaults: Object.fromEntries(entries.map(([name, rule]) => [name, rule.default])),
    };
}
