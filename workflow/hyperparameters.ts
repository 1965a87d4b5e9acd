/**
 * Hyperparameters of the three models: names, types, bounds, defaults (the talk's, where it has them), and how a
 * container reads them. The training scripts read the same tables: `npm run schema:hyperparameters` writes them to
 * workloads/training/common/schema.json.
 */
import type { Container, HyperparameterEncoding, HyperparameterRule, Hyperparameters } from "./contract";

/** A hyperparameter's rule with its default and its meaning. */
export type HyperparameterSpec = HyperparameterRule & {
    readonly default: string | number | boolean;
    readonly description: string;
};
/** Hyperparameters by name. */
export type HyperparameterTable = Readonly<Record<string, HyperparameterSpec>>;

/** SageMaker's bounds: number of hyperparameters, length of a name and of a value. */
const MAXIMUM_HYPERPARAMETERS = 100;
const MAXIMUM_HYPERPARAMETER_NAME = 256;
const MAXIMUM_HYPERPARAMETER_VALUE = 2_500;

type Bounds = Pick<HyperparameterRule, "exclusiveMinimum" | "exclusiveMaximum" | "atMost">;

function integer(
    value: number,
    minimum: number,
    maximum: number,
    description: string,
    learning = true,
): HyperparameterSpec {
    return { type: "integer", minimum, maximum, learning, default: value, description };
}

function number(
    value: number,
    minimum: number,
    maximum: number,
    description: string,
    bounds: Bounds = {},
): HyperparameterSpec {
    return { type: "number", minimum, maximum, ...bounds, learning: true, default: value, description };
}

function oneOf(value: string, values: readonly string[], description: string): HyperparameterSpec {
    return { type: "string", values, learning: true, default: value, description };
}

const ABOVE_MINIMUM: Bounds = { exclusiveMinimum: true };
const BELOW_MAXIMUM: Bounds = { exclusiveMaximum: true };
/** Each block of the image model halves its pages. */
const HALVED = { halvedBy: "depth" } as const;

/** What no model learns from: where copies of logs go. */
export const EVERY_JOB: HyperparameterTable = {
    bucket: {
        type: "string",
        learning: false,
        default: "",
        description: "Bucket for a copy of metrics and history; empty: none.",
    },
    s3_log_folder: {
        type: "string",
        learning: false,
        default: "logs/sagemaker",
        description: "Folder of that bucket.",
    },
};

/** What the toolkit of AWS's framework containers reads, as far as a stage may choose it. */
export const SCRIPT_MODE: HyperparameterTable = {
    sagemaker_container_log_level: integer(
        20,
        0,
        50,
        "Log level of the container, as Python's logging counts them.",
        false,
    ),
    sagemaker_enable_cloudwatch_metrics: {
        type: "boolean",
        learning: false,
        default: false,
        description: "The container's own metrics in CloudWatch.",
    },
};

/** The seed reaches every script as a hyperparameter; it is the stage's, so no table has it. */
export const SEED: HyperparameterRule = {
    type: "integer",
    minimum: 0,
    maximum: 2 ** 31 - 1,
    learning: true,
    description: "Start of everything that is drawn.",
};

/** Tables by kind of model. */
export const HYPERPARAMETERS = {
    text: {
        k_folds: integer(4, 2, 20, "Folds of the training pages, for predictions of pages that a model has not seen."),
        c: number(0.3, 0, 10_000, "Inverse strength of the SVM's regularisation.", ABOVE_MINIMUM),
        analyzer: oneOf(
            "char_wb",
            ["word", "char_wb"],
            "What the n-grams consist of: words, or characters within words.",
        ),
        ngram_max: integer(4, 1, 6, "Longest n-gram."),
        max_features: integer(200_000, 10, 10_000_000, "Size of the vocabulary: the most frequent n-grams."),
        min_df: integer(2, 1, 1_000, "An n-gram counts when so many pages hold it."),
        calibration: oneOf("sigmoid", ["sigmoid", "isotonic", "none"], "How the SVM's margins become probabilities."),
        calibration_folds: integer(3, 2, 10, "Folds of the calibration."),
        max_iter: integer(1_000, 10, 100_000, "Iterations of the solver at most."),
        begins_c: number(
            10,
            0,
            10_000,
            "Inverse strength of the regularisation of the regression that says whether a document begins on a page.",
            ABOVE_MINIMUM,
        ),
        begins_surroundings: number(
            0.3,
            0,
            100,
            "In that regression, weight of page numbers, running heads and likeness of neighbours; 0: words only.",
        ),
        ...EVERY_JOB,
    },
    image: {
        epochs: integer(80, 1, 10_000, "Passes over the training pages."),
        batch_size: integer(128, 1, 4_096, "Pages in a step."),
        conv_block_length: integer(2, 1, 8, "Convolutions in a block."),
        cycle_length: integer(10, 1, 10_000, "Epochs of a cycle of the learning rate."),
        depth: integer(5, 1, 8, "Blocks; each halves the page's width and height."),
        dropout: number(0.5, 0, 1, "Share of activations dropped before the last layer.", BELOW_MAXIMUM),
        max_lr: number(0.1, 0, 10, "Learning rate at the top of a cycle.", ABOVE_MINIMUM),
        min_lr: number(0.0001, 0, 10, "Learning rate at the bottom of a cycle.", { atMost: "max_lr" }),
        start_filter: integer(4, 1, 256, "Filters of the first block; each further block has twice as many."),
        worker: integer(4, 1, 64, "Threads that load pages.", false),
        image_width: { ...integer(192, 8, 2_048, "Pages are scaled to this width, in pixels."), ...HALVED },
        image_height: { ...integer(256, 8, 2_048, "Pages are scaled to this height, in pixels."), ...HALVED },
        ...EVERY_JOB,
        ...SCRIPT_MODE,
    },
    sequence: {
        epochs: integer(20, 1, 10_000, "Passes at most, each over `epoch_seq` sequences; the best one is kept."),
        patience: integer(4, 1, 10_000, "A network's training ends when so many passes have brought no improvement."),
        networks: integer(
            4,
            2,
            20,
            "Networks, each validated on its own share of the training stacks; the model is their mean.",
        ),
        epoch_seq: integer(10_000, 1, 10_000_000, "Training sequences drawn per epoch."),
        max_pages: integer(64, 8, 10_000, "Of a longer stack, documents of so many pages together are drawn."),
        val_seq: integer(3_000, 1, 10_000_000, "Validation sequences drawn."),
        batch_size: integer(64, 1, 4_096, "Sequences in a step."),
        dropout: number(0, 0, 1, "Share of activations dropped between layers.", BELOW_MAXIMUM),
        learning_rate: number(0.001, 0, 10, "Learning rate at the start.", ABOVE_MINIMUM),
        weight_decay: number(
            0.01,
            0,
            1,
            "Share, of the learning rate, by which weights shrink at each step.",
            BELOW_MAXIMUM,
        ),
        lr_schedule_epoch: integer(1, 1, 10_000, "The learning rate is multiplied after every so many epochs."),
        lr_schedule_factor: number(0.5, 0, 1, "By this factor.", ABOVE_MINIMUM),
        mode: {
            type: "string",
            members: true,
            learning: true,
            default: "both",
            description: "Whose outputs are read: both (all members), or one member's name.",
        },
        net_layers: integer(2, 1, 16, "Recurrent layers."),
        net_width: integer(300, 1, 4_096, "Units of a layer."),
        optimizer: oneOf("rmsprop", ["rmsprop", "adam", "sgd"], "How weights are moved."),
        rnn_type: oneOf("gru", ["gru", "lstm"], "Kind of the recurrent layers."),
        ...EVERY_JOB,
        ...SCRIPT_MODE,
    },
} as const satisfies Readonly<Record<string, HyperparameterTable>>;

/** The defaults of a table: prod's values. */
export function defaultsOf(table: HyperparameterTable): Hyperparameters {
    return Object.fromEntries(Object.entries(table).map(([name, { default: value }]) => [name, value]));
}

/** A table as the contract's schema, without defaults. */
export function schemaOf(table: HyperparameterTable): Readonly<Record<string, HyperparameterRule>> {
    return Object.fromEntries(Object.entries(table).map(([name, { default: _default, ...rule }]) => [name, rule]));
}

/**
 * One value as the container reads it. AWS's toolkit passes every value through `json.loads` and keeps the raw string
 * where that fails, so a text that looks like a number must be quoted and nothing may depend on the author's memory;
 * other containers read the string.
 */
export function encodeHyperparameter(value: string | number | boolean, encoding: HyperparameterEncoding): string {
    if (typeof value === "number" && !Number.isFinite(value)) {
        throw new RangeError(`hyperparameter value ${value}: no container can read it; expected a finite number`);
    }
    return encoding === "json" ? JSON.stringify(value) : String(value);
}

/**
 * All hyperparameters of a training job but `job_name`, which differs by attempt: encoded, with those that script mode
 * itself needs. Empty texts are left out: a script takes a missing one as empty, and not every container reads an empty
 * argument.
 * @throws RangeError for more, longer names or longer values than SageMaker takes.
 */
export function encodeHyperparameters(
    hyperparameters: Hyperparameters,
    container: Pick<Container, "encoding" | "program" | "submitDirectory">,
    region: string,
): Readonly<Record<string, string>> {
    const all: Record<string, string | number | boolean> = { ...hyperparameters };
    if (container.program !== undefined) {
        all.sagemaker_program = container.program;
    }
    if (container.submitDirectory !== undefined) {
        all.sagemaker_submit_directory = container.submitDirectory;
    }
    if (container.encoding === "json") {
        all.sagemaker_region = region;
    }
    const entries = Object.entries(all).filter(([, value]) => value !== "");
    // One more place is job_name's.
    if (entries.length + 1 > MAXIMUM_HYPERPARAMETERS) {
        throw new RangeError(
            `${entries.length + 1} hyperparameters, job_name included; SageMaker takes ${MAXIMUM_HYPERPARAMETERS}`,
        );
    }
    return Object.fromEntries(
        entries
            .sort(([left], [right]) => (left < right ? -1 : 1))
            .map(([name, value]) => {
                const encoded = encodeHyperparameter(value, container.encoding);
                if (name.length > MAXIMUM_HYPERPARAMETER_NAME) {
                    throw new RangeError(
                        `hyperparameter "${name.slice(0, 40)}...": the name has ${name.length} characters; SageMaker ` +
                            `takes ${MAXIMUM_HYPERPARAMETER_NAME}`,
                    );
                }
                if (encoded.length > MAXIMUM_HYPERPARAMETER_VALUE) {
                    throw new RangeError(
                        `hyperparameter "${name}": ${encoded.length} characters encoded; SageMaker takes ` +
                            `${MAXIMUM_HYPERPARAMETER_VALUE}`,
                    );
                }
                return [name, encoded];
            }),
    );
}
