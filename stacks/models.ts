/**
 * The models of an ensemble: what is the same in every stage. A further base model is one more entry of its members;
 * what differs by stage (hyperparameters, machines, limits) is configuration under the same name.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { closest } from "fastest-levenshtein";
import type { Capacity, Channel, HyperparameterRule, Hyperparameters, MetricDefinition } from "../workflow";
import {
    defaultsOf,
    EVERY_JOB,
    HYPERPARAMETERS,
    schemaOf,
    SEED,
    type HyperparameterTable,
} from "../workflow/hyperparameters";
import { hyperparameterConflicts, readHyperparameter } from "../workflow/hyperparameterRules";

export { SEED };

const TRAINING = path.resolve(__dirname, "../workloads/training");

/** What the trainings of this package print, by folder; the scripts themselves are tested against it. */
const METRICS = JSON.parse(fs.readFileSync(path.join(TRAINING, "common/metric_definitions.json"), "utf8")) as Readonly<
    Record<"image" | "text" | "sequence", readonly MetricDefinition[]>
>;

/** The figures that the quality gate can judge, of a base model and of the combiner; the trainings write these. */
const HEADLINES = JSON.parse(fs.readFileSync(path.join(TRAINING, "common/headlines.json"), "utf8")) as Readonly<
    Record<"member" | "combiner", readonly string[]>
>;

/** AWS's framework containers that a stage's configuration names: see `containers` there. */
export const FRAMEWORKS = ["tensorflowCpu", "tensorflowGpu"] as const;
/** `tensorflowCpu` or `tensorflowGpu`. */
export type Framework = (typeof FRAMEWORKS)[number];

/** Which image a model trains in, and what of it is started. */
export type ContainerKind =
    /**
     * A framework container of AWS's in script mode: its toolkit unpacks `source` and starts `program`, hyperparameters
     * as arguments.
     */
    | { readonly kind: "script"; readonly framework: Framework; readonly program: string }
    /**
     * The same with an image of your own choice that has SageMaker's training toolkit: an address with tag or digest.
     */
    | { readonly kind: "script"; readonly address: string; readonly program: string }
    /**
     * An image that is built from `source`, which holds a Dockerfile. Models that name the same image share it, and one
     * source.
     */
    | { readonly kind: "image"; readonly image: string };

/**
 * What a model is, whatever the stage. Whatever has a default here is also a key of the stage's configuration
 * (`models.<name>`).
 */
export interface ModelSpec {
    readonly container: ContainerKind;
    /**
     * Absolute path of the folder with the training code. Its last part names the code's archive, or its folder in the
     * image. What the package's own trainings have in common (container contract, labels, predictions, metrics) lies
     * beside it as `common/`.
     */
    readonly source: string;
    /** What SageMaker puts below `/opt/ml/input/data/<name>`. */
    readonly channels: readonly Channel[];
    /** Names, types, bounds and defaults; `seed`, `bucket` and `s3_log_folder` need not be named. Default: none. */
    readonly hyperparameters?: HyperparameterTable;
    /**
     * What SageMaker reads out of the training's log where the stage has a dashboard; at most 40, named `<model>:...`.
     * Default: none.
     */
    readonly metricDefinitions?: readonly MetricDefinition[];
    /**
     * The figures, each at most 1, that the training's metrics.json has at its top: a bound (`minimumMetrics`) on any
     * other is refused. Default: any name and any bound.
     */
    readonly metrics?: readonly string[];
    /** Machines in the order in which they are tried. Default: `ml.m5.large`, then `ml.m6i.large`, both on demand. */
    readonly capacity?: readonly Capacity[];
    /** Machines of one training job, 1 to 20. Default 1. */
    readonly instanceCount?: number;
    /** Disk of each machine in GB. Default 10. */
    readonly volumeGb?: number;
    /** The longest that one training job may run, in seconds, 60 to 2,419,200. Default 3,600. */
    readonly maxRuntimeSeconds?: number;
    /** Hours of one model in all: attempts, waits and rungs included. At least `maxRuntimeSeconds`. Default 4. */
    readonly maxHours?: number;
}

/** A base model. */
export interface MemberSpec extends ModelSpec {
    /**
     * Trains on folds that the split job writes (channel from `split_set`); otherwise the member makes its own. Default
     * false.
     */
    readonly splitSet?: boolean;
    /** Whether the ensemble fails without this member. Default true. */
    readonly required?: boolean;
    /** What the merge job calls its output, A-Z, 0-9 and _. Default `INPUT_PATH_<NAME>`. */
    readonly mergeParameter?: string;
    /** What the fetch and publish jobs call it. Default `INPUT_PATH_<NAME>`. */
    readonly publishParameter?: string;
}

/** The model that learns from the members' predictions. */
export interface CombinerSpec extends ModelSpec {
    /** 1 to 30 of a-z, 0-9 and _, beginning with a letter; no member's name. */
    readonly name: string;
}

/** The models of an ensemble. */
export interface EnsembleSpec {
    /** By name, 1 to 30 of a-z, 0-9 and _, beginning with a letter; in the order of their branches. */
    readonly members: Readonly<Record<string, MemberSpec>>;
    readonly combiner: CombinerSpec;
    /** How many members must be there. Default: all required ones. */
    readonly quorum?: number;
}

/** What a model is configured with where its specification says nothing. */
export const MODEL_DEFAULTS = {
    capacity: [
        { instanceType: "ml.m5.large", spot: false },
        { instanceType: "ml.m6i.large", spot: false },
    ],
    instanceCount: 1,
    volumeGb: 10,
    maxRuntimeSeconds: 3_600,
    maxHours: 4,
} as const;

/** What the jobs call a member's output. */
export function parametersOf(
    name: string,
    member: MemberSpec,
): { readonly mergeParameter: string; readonly publishParameter: string } {
    const usual = `INPUT_PATH_${name.toUpperCase()}`;
    return { mergeParameter: member.mergeParameter ?? usual, publishParameter: member.publishParameter ?? usual };
}

/** All models of an ensemble by name, the combiner last. */
export function modelsOf({ members, combiner }: EnsembleSpec): readonly (readonly [string, ModelSpec])[] {
    return [...Object.entries(members), [combiner.name, combiner] as const];
}

/** Names of the images that an ensemble builds, each with the folder that it is built from. */
export function builtImages(ensemble: EnsembleSpec): Readonly<Record<string, string>> {
    return Object.fromEntries(
        modelsOf(ensemble).flatMap(([, { container, source }]) =>
            container.kind === "image" ? [[container.image, source]] : [],
        ),
    );
}

const LABELS: Channel = { name: "labels", from: "raw_data", path: "labels.csv" };

/** The base models, in the order of their branches. */
export const MEMBERS: Readonly<Record<string, MemberSpec & Required<ModelSpec>>> = {
    image: {
        container: { kind: "script", framework: "tensorflowGpu", program: "train_n_folds.py" },
        source: path.join(TRAINING, "image"),
        splitSet: true,
        mergeParameter: "INPUT_PATH_CNN",
        publishParameter: "INPUT_PATH_IMAGE",
        channels: [
            LABELS,
            { name: "images", from: "raw_data", path: "images" },
            { name: "folds", from: "split_set", path: "folds.json" },
        ],
        hyperparameters: HYPERPARAMETERS.image,
        metricDefinitions: METRICS.image,
        metrics: HEADLINES.member,
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
        source: path.join(TRAINING, "text"),
        mergeParameter: "INPUT_PATH_SVM",
        publishParameter: "INPUT_PATH_TXT",
        channels: [LABELS, { name: "text", from: "raw_data", path: "text" }],
        hyperparameters: HYPERPARAMETERS.text,
        metricDefinitions: METRICS.text,
        metrics: HEADLINES.member,
        capacity: [
            { instanceType: "ml.m5.2xlarge", spot: false },
            { instanceType: "ml.m6i.2xlarge", spot: false },
        ],
        instanceCount: 1,
        volumeGb: 10,
        maxRuntimeSeconds: 14_400,
        maxHours: 12,
    },
};

/** The model that learns from the others' predictions. */
export const COMBINER: Required<CombinerSpec> = {
    name: "sequence",
    container: { kind: "script", framework: "tensorflowCpu", program: "train_sequence.py" },
    source: path.join(TRAINING, "sequence"),
    channels: [{ name: "dataframe", from: "dataframe", path: "dataframe.csv" }],
    hyperparameters: HYPERPARAMETERS.sequence,
    metricDefinitions: METRICS.sequence,
    metrics: HEADLINES.combiner,
    capacity: [
        { instanceType: "ml.m5.large", spot: false },
        { instanceType: "ml.m6i.large", spot: false },
    ],
    instanceCount: 1,
    volumeGb: 10,
    maxRuntimeSeconds: 172_800,
    maxHours: 72,
};

/** The ensemble that reads stacks of scanned pages: what a stage has unless it names models of its own. */
export const DOCUMENTS: EnsembleSpec = { members: MEMBERS, combiner: COMBINER };

const MODEL_NAME = /^[a-z][a-z0-9_]{0,29}$/;
const IMAGE_NAME = /^[a-z][a-z0-9-]{0,29}$/;

/**
 * What is wrong with an ensemble's specification, all at once: each with the model, what was found and what was
 * expected.
 */
export function problemsOf(ensemble: EnsembleSpec): string[] {
    const problems = unknownKeys(ensemble);
    const sources = new Map<string, string>();
    const images = new Map<string, string>();
    const same = (known: Map<string, string>, key: string, source: string) =>
        (known.get(key) ?? source) === source && known.set(key, source);
    if (Object.hasOwn(ensemble.members, ensemble.combiner.name)) {
        problems.push(`combiner.name: got "${ensemble.combiner.name}", which is a member's name; expected another one`);
    }
    for (const [name, { container, source, hyperparameters = {} }] of modelsOf(ensemble)) {
        const folder = path.basename(source);
        if (!MODEL_NAME.test(name)) {
            problems.push(
                `${name}: got this name of a model, expected 1 to 30 of a-z, 0-9 and _, beginning with a letter`,
            );
        }
        if (!path.isAbsolute(source) || !fs.existsSync(source)) {
            problems.push(
                `${name}.source: got "${source}", expected the absolute path of a folder that exists, for example ` +
                    'path.join(__dirname, "training")',
            );
            continue;
        }
        if (folder === "common") {
            problems.push(
                `${name}.source: got a folder named "common", expected another name: the shared code has this one`,
            );
        }
        if (!same(sources, folder, source)) {
            problems.push(
                `${name}.source: got "${source}", expected another folder name: ${sources.get(folder)} ends in ` +
                    `"${folder}", too`,
            );
        }
        const needed = container.kind === "script" ? container.program : "Dockerfile";
        if (!fs.existsSync(path.join(source, needed))) {
            problems.push(`${name}.source: ${needed} is missing in ${source}`);
        }
        if (container.kind === "image" && (!IMAGE_NAME.test(container.image) || container.image === "jobs")) {
            problems.push(
                `${name}.container.image: got "${container.image}", expected 1 to 30 of a-z, 0-9 and -, beginning ` +
                    `with a letter, and not "jobs"`,
            );
        }
        if (container.kind === "image" && !same(images, container.image, source)) {
            problems.push(
                `${name}.container.image: got "${container.image}", which is built from ` +
                    `${images.get(container.image)}; expected one source an image`,
            );
        }
        problems.push(...problemsOfDefaults(name, hyperparameters, Object.keys(ensemble.members)));
    }
    return problems;
}

const MODEL_KEYS = [
    "container",
    "source",
    "channels",
    "hyperparameters",
    "metricDefinitions",
    "metrics",
    "capacity",
    "instanceCount",
    "volumeGb",
    "maxRuntimeSeconds",
    "maxHours",
] as const satisfies readonly (keyof ModelSpec)[];
const MEMBER_KEYS = [
    ...MODEL_KEYS,
    "splitSet",
    "required",
    "mergeParameter",
    "publishParameter",
] as const satisfies readonly (keyof MemberSpec)[];
const COMBINER_KEYS = [...MODEL_KEYS, "name"] as const satisfies readonly (keyof CombinerSpec)[];
const ENSEMBLE_KEYS = ["members", "combiner", "quorum"] as const satisfies readonly (keyof EnsembleSpec)[];

/** Keys that nobody reads: a program in JavaScript, or a spread object, can have them. */
function unknownKeys(ensemble: EnsembleSpec): string[] {
    const unknown = (where: string, value: object, known: readonly string[]) =>
        Object.keys(value)
            .filter((key) => !known.includes(key))
            .map((key) => `${where}${key}: unknown key; did you mean "${closest(key, [...known])}"?`);
    return [
        ...unknown("", ensemble, ENSEMBLE_KEYS),
        ...Object.entries(ensemble.members).flatMap(([name, member]) => unknown(`${name}.`, member, MEMBER_KEYS)),
        ...unknown(`${ensemble.combiner.name}.`, ensemble.combiner, COMBINER_KEYS),
    ];
}

function problemsOfDefaults(name: string, table: HyperparameterTable, members: readonly string[]): string[] {
    const wrong = Object.entries(table).flatMap(([parameter, { default: value, ...rule }]) => {
        const read = readHyperparameter(value, rule);
        return "expected" in read ? [{ name: parameter, value, expected: read.expected }] : [];
    });
    const misfits = wrong.length > 0 ? wrong : hyperparameterConflicts(defaultsOf(table), schemaOf(table), members);
    return misfits.map(
        ({ name: parameter, value, expected }) =>
            `${name}.hyperparameters.${parameter}.default: got ${JSON.stringify(value)}, expected ${expected}`,
    );
}

/** Rules and defaults of a model, in the form that the workflow's settings hold them. */
export function hyperparametersOf(model: ModelSpec): {
    schema: Readonly<Record<string, HyperparameterRule>>;
    defaults: Hyperparameters;
} {
    const table = { ...model.hyperparameters, ...EVERY_JOB };
    return { schema: schemaOf(table), defaults: defaultsOf(table) };
}
