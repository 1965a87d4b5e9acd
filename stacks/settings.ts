/** From a stage's configuration to what the workflow is rendered from. Pure. */
import type { StageNames } from "../components/names";
import { defined } from "../ground/fields";
import {
    type Channel,
    defineEnsemble,
    type Container,
    type MemberSettings,
    type MetricDefinition,
    type ModelSettings,
    type StageSettings,
    type Targets,
    type TrainingPrices,
} from "../workflow";
import { loadPrices, type Prices } from "../pricing/prices";
import { DLC_REGISTRIES, type ModelConfig, type StageConfig } from "./config";
import {
    DOCUMENTS,
    type EnsembleSpec,
    hyperparametersOf,
    modelsOf,
    type ModelSpec,
    parametersOf,
    SEED,
} from "./models";

/** What of a stage's code is known only when it is bundled. */
export interface BuiltCode {
    /** Address and content hash of each image that is built here, by name. */
    readonly images: Readonly<Record<string, { readonly uri: string; readonly hash: string }>>;
    /** Hash and address of each model's source archive, by the source. */
    readonly sources: Readonly<Record<string, { readonly hash: string; readonly uri: string }>>;
}

/** s3:// prefixes of a stage: its own bucket first. */
export function locationsOf(config: StageConfig, names: StageNames): string[] {
    return [`s3://${names.bucket}`, ...config.dataLocations];
}

/**
 * The whole address of a framework's image: what the configuration gives, or repository and digest in AWS's registry of
 * the region.
 *
 * @throws where AWS offers no such registry in the region and the configuration names none.
 */
export function frameworkImage(value: string, names: StageNames): string {
    if (/^[^/]+\.[^/]+\//.test(value)) {
        return value;
    }
    const { region } = names.identity;
    const registry = DLC_REGISTRIES[region];
    if (registry === undefined) {
        throw new Error(
            `containers: AWS's registry of training containers in ${region} is not known here; give the whole ` +
                "address, " +
                `<account>.dkr.ecr.${region}.${names.domain}/${value}.`,
        );
    }
    return `${registry}.dkr.ecr.${region}.${names.domain}/${value}`;
}

/** In isolation a training has neither network nor credentials: its code is a channel, and this is where it appears. */
const ISOLATED_SOURCE = "/opt/ml/input/data/code/sourcedir.tar.gz";

function containerOf(
    spec: ModelSpec,
    model: ModelConfig,
    config: StageConfig,
    code: BuiltCode,
    names: StageNames,
): Container {
    if (spec.container.kind === "image") {
        const built = code.images[spec.container.image];
        const image = model.image ?? config.images[spec.container.image] ?? built.uri;
        // A prebuilt image is known by its address alone.
        return { image, encoding: "plain", codeHash: image === built?.uri ? built.hash : image };
    }
    const source = code.sources[spec.source];
    const image = "address" in spec.container ? spec.container.address : config.containers[spec.container.framework];
    return {
        image: frameworkImage(model.image ?? image, names),
        encoding: "json",
        codeHash: source.hash,
        program: spec.container.program,
        submitDirectory: config.isolation.network ? ISOLATED_SOURCE : source.uri,
    };
}

function codeChannel(spec: ModelSpec, config: StageConfig, code: BuiltCode): Channel[] {
    return config.isolation.network && spec.container.kind === "script"
        ? [{ name: "code", from: "code", path: code.sources[spec.source].uri }]
        : [];
}

function modelSettings(
    spec: ModelSpec,
    model: ModelConfig,
    config: StageConfig,
    code: BuiltCode,
    names: StageNames,
): ModelSettings {
    return {
        container: containerOf(spec, model, config, code, names),
        hyperparameters: { ...model.hyperparameters, seed: config.seed },
        schema: { ...hyperparametersOf(spec).schema, seed: SEED },
        capacity: model.capacity,
        instanceCount: model.instanceCount,
        volumeGb: model.volumeGb,
        maxRuntimeSeconds: model.maxRuntimeSeconds,
        budgetSeconds: Math.round(model.maxHours * 3_600),
        channels: [...spec.channels, ...codeChannel(spec, config, code)],
        minimumMetrics: model.minimumMetrics,
    };
}

/** On-demand prices of the stage's instance types, as far as the price file knows them in its region. */
function trainingPrices(config: StageConfig, region: string, prices: Prices): TrainingPrices {
    const types = Object.values(config.models).flatMap(({ capacity }) =>
        capacity.map(({ instanceType }) => instanceType),
    );
    return {
        asOf: prices.file.asOf,
        perHour: Object.fromEntries(
            [...new Set(types)].sort().flatMap((type) => {
                const found = prices.find(`sagemaker-training:${type}`, region);
                return found?.unit === "hour" ? [[type, found.price]] : [];
            }),
        ),
    };
}

/**
 * Everything about a stage that the workflow and its Setup need; `prices` are the project's unless others are given.
 */
export function stageSettings(
    config: StageConfig,
    names: StageNames,
    code: BuiltCode,
    ensemble: EnsembleSpec,
    prices: Prices = loadPrices(),
): StageSettings {
    const members = Object.fromEntries(
        Object.entries(ensemble.members).map(([name, spec]): [string, MemberSettings] => [
            name,
            {
                ...modelSettings(spec, config.models[name], config, code, names),
                required: config.models[name].required,
                splitSet: spec.splitSet ?? false,
                ...parametersOf(name, spec),
            },
        ]),
    );
    const { name } = ensemble.combiner;
    const combiner = { ...modelSettings(ensemble.combiner, config.models[name], config, code, names), name };
    const quorum = config.quorum ?? ensemble.quorum;
    return defined({
        service: config.service,
        stage: config.stage,
        region: names.identity.region,
        artifactBase: `s3://${names.bucket}`,
        dataLocations: locationsOf(config, names),
        folds: config.folds,
        testShare: config.testShare,
        seed: config.seed,
        ...defineEnsemble(defined({ members, combiner, quorum })),
        maximumRegression: config.maximumRegression,
        minimumGain: config.minimumGain,
        budget: config.budget,
        // The alias: the key's own ARN is not known before the key exists.
        kmsKeyArn: config.keyArn ?? names.keyAliasArn,
        prices: trainingPrices(config, names.identity.region, prices),
    });
}

/** Names of a job's parameters; each stands in its command. */
export function jobParameters(
    settings: StageSettings,
): Readonly<Record<"fetch" | "split" | "merge" | "publish", readonly string[]>> {
    const members = Object.values(settings.members);
    const publish = members.map((member) => member.publishParameter);
    return {
        fetch: ["INPUT_PATH", "OUTPUT_PATH", "SEED", "TEST_SHARE", "K_FOLDS", "COPY", ...publish],
        split: ["K_FOLDS", "INPUT_PATH", "OUTPUT_PATH", "SEED"],
        merge: ["INPUT_PATH", ...members.map((member) => member.mergeParameter), "OUTPUT_PATH"],
        publish: [...publish, "INPUT_PATH_SEQ", "OUTPUT_PATH", "TARGET", "GATE", "EXECUTION"],
    };
}

/**
 * ARNs of the repositories that trainings pull from: this stage's own and, for frameworks and prebuilt images, those
 * they name.
 */
export function trainingRepositories(settings: StageSettings): string[] {
    const models = [...Object.values(settings.members), settings.combiner];
    const arns = models.map(({ container }) => {
        const match = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?)\/([^:@]+)/.exec(container.image);
        return match === null
            ? undefined
            : `arn:${match[3].endsWith(".cn") ? "aws-cn" : "aws"}:ecr:${match[2]}:${match[1]}:repository/${match[4]}`;
    });
    return [...new Set(arns.filter((arn) => arn !== undefined))].sort();
}

/** What SageMaker reads out of each model's log. */
export function metricDefinitions(models: EnsembleSpec): Readonly<Record<string, readonly MetricDefinition[]>> {
    return Object.fromEntries(modelsOf(models).map(([name, model]) => [name, model.metricDefinitions ?? []]));
}

/** What the definition calls. */
export function stageTargets(
    config: StageConfig,
    names: StageNames,
    aliases: Readonly<Record<"setup" | "error-cause" | "register" | "describe-failure", string>>,
    jobDefinitions: Targets["jobDefinitions"],
    tags: Readonly<Record<string, string>>,
    models: EnsembleSpec = DOCUMENTS,
): Targets {
    const alias = (name: keyof typeof aliases) => `${names.functionArn(name)}:${aliases[name]}`;
    return defined({
        functions: {
            setup: alias("setup"),
            errorCause: alias("error-cause"),
            register: alias("register"),
            describeFailure: alias("describe-failure"),
        },
        jobDefinitions,
        jobQueueArn: names.jobQueueArn,
        trainingRoleArn: names.roleArn("training"),
        topicArn: names.topicArn("alerts"),
        kmsKeyArn: config.keyArn ?? names.keyAliasArn,
        vpc: config.isolation.vpc,
        networkIsolation: config.isolation.network,
        tags,
        metricDefinitions: config.dashboard ? metricDefinitions(models) : undefined,
        modelPackageGroup: config.modelRegistry ? names.modelPackageGroup : undefined,
        notifySuccess: config.notifications.success,
        stubs: config.stubs,
    });
}
