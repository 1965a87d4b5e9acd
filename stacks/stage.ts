/**
 * What a stage consists of. Read from top to bottom, it is the order in which a deployment makes it: the key, where the
 * artefacts lie, who is told, the images, the functions and jobs, the state machine that calls them, and the watch over
 * it.
 */
import * as path from "node:path";
import * as s3 from "@pulumi/aws/s3";
import * as pulumi from "@pulumi/pulumi";
import { Alerts } from "../components/alerts";
import { ArtifactStore } from "../components/artifactStore";
import { BatchJobs, jobDefinition } from "../components/batchJobs";
import type { BuildContext } from "../components/contentHash";
import { type DashboardModel, StageDashboard } from "../components/dashboard";
import { DataTrigger } from "../components/dataTrigger";
import { FailureWatch } from "../components/failureWatch";
import { type FunctionSpec, type Release, StageFunction } from "../components/functions";
import { type Statement, trustPolicy } from "../components/iam";
import { FUNCTIONS, type FunctionName, type Identity, JOBS, type JobName, StageNames } from "../components/names";
import { ModelRegistry } from "../components/modelRegistry";
import { Network } from "../components/network";
import { protection } from "../components/protection";
import { StageRole } from "../components/role";
import { StageKey } from "../components/stageKey";
import { stageTags } from "../components/tags";
import { type PushedImages, TrainingImage } from "../components/trainingImage";
import { TrainingSchedule } from "../components/trainingSchedule";
import { TrainingStateMachine } from "../components/trainingStateMachine";
import { defined } from "../ground/fields";
import {
    ensembleTraining,
    executionBound,
    jobNamePrefix,
    type Permission,
    policyDocument,
    type StageSettings,
} from "../workflow";
import { type Bundles, loadBundles } from "./bundles";
import { jobsContext, sourceArchive, trainingContext } from "./code";
import { ConfigError, loadStageConfig, type RawConfig, type StageConfig, type StageOptions } from "./config";
import { builtImages, DOCUMENTS, type EnsembleSpec, modelsOf, problemsOf } from "./models";
import { functionStatements, jobStatements, READ_KEY, trainingStatements, WRITE_KEY } from "./permissions";
import { declaration, pointersOf, proveLifetimes } from "./lifetimes";
import { NO_RELEASES, type Releases } from "./releases";
import {
    type BuiltCode,
    jobParameters,
    locationsOf,
    metricDefinitions,
    stageSettings,
    stageTargets,
    trainingRepositories,
} from "./settings";
import { stageStarts, startingRules } from "./starts";

/** The newest that Lambda has; the bundles are written for Node 20 and later. */
const RUNTIME = "nodejs24.x";

interface FunctionSettings extends Pick<FunctionSpec, "memoryMb" | "timeoutSeconds"> {
    readonly description: string;
    readonly key: readonly string[];
}

/** What the functions are for, their size, and what they do with the stage's key. */
const FUNCTION_SETTINGS: Readonly<Record<FunctionName, FunctionSettings>> = {
    "setup": {
        description: "Checks an execution's input and plans it",
        memoryMb: 1_024,
        timeoutSeconds: 540,
        key: WRITE_KEY,
    },
    "error-cause": {
        description: "Reads what went wrong out of a cause",
        memoryMb: 256,
        timeoutSeconds: 50,
        key: READ_KEY,
    },
    "register": { description: "Marks a trained model as finished", memoryMb: 256, timeoutSeconds: 50, key: WRITE_KEY },
    "describe-failure": {
        description: "Writes the message about a failed execution",
        memoryMb: 256,
        timeoutSeconds: 50,
        key: [],
    },
};

/**
 * What an {@link EnsembleTraining} is made of. All of it is plain, none a `pulumi.Input`: it decides which resources
 * exist and what the definition of the state machine says, and a definition that is unknown at preview can be neither
 * proven nor judged by a policy.
 */
export interface EnsembleTrainingArgs {
    /** Where the stage lives: `await surroundings()` asks the provider. Names and ARNs are computed from it. */
    readonly identity: Identity;
    /**
     * What earlier deployments of this stage left for executions that still run: `await surroundings()` reads it from
     * the stack's own output `releases`, so export {@link EnsembleTraining.releases} under this name. Default: nothing.
     */
    readonly before?: Releases;
    /** Name of the stage, 2 to 16 of a-z, 0-9 and -: part of every name in AWS. Default: the stack's. */
    readonly stage?: string;
    /** Members and combiner. Default: text, image and sequence model, which read stacks of scanned pages. */
    readonly models?: EnsembleSpec;
    /**
     * Everything else that may differ by stage: the keys of docs/configuration.md. `service` is by default the
     * component's name.
     */
    readonly settings?: StageOptions;
}

/** Names and addresses of a stage. */
export interface EnsembleTrainingOutputs {
    readonly stateMachineName: pulumi.Output<string>;
    readonly stateMachineArn: pulumi.Output<string>;
    readonly stateMachineConsole: string;
    readonly artifactBucket: pulumi.Output<string>;
    /** s3:// prefix below which executions write. */
    readonly artifactBase: string;
    readonly artifactConsole: string;
    readonly jobQueueArn: pulumi.Output<string>;
    readonly jobsConsole: string;
    readonly jobsImage: string;
    readonly trainingRoleArn: pulumi.Output<string>;
    /** One message per failed execution goes here. */
    readonly alertsTopicArn: pulumi.Output<string>;
    /** What alarms say. */
    readonly operationsTopicArn: pulumi.Output<string>;
    readonly failureRuleArn: pulumi.Output<string>;
    readonly undeliveredQueueUrl: pulumi.Output<string>;
    readonly keyArn: pulumi.Output<string>;
    /** By function, the alias that new executions call. */
    readonly functionAliases: Readonly<Record<FunctionName, string>>;
    readonly logGroups: { readonly stateMachine: string; readonly jobs: string; readonly functions: readonly string[] };
    /** Where the stage has a schedule. */
    readonly scheduleArn?: pulumi.Output<string>;
    /** Where the stage has a trigger on new data. */
    readonly newDataRuleArn?: pulumi.Output<string>;
    /** Where published ensembles are registered. */
    readonly modelPackageGroup?: pulumi.Output<string>;
    /** Where the stage has a dashboard. */
    readonly dashboardConsole?: string;
    /** By model, the image that it trains in. */
    readonly modelImages: Readonly<Record<string, string>>;
}

/**
 * One stage of the training of an ensemble: state machine, functions, Batch jobs, images, roles, bucket, key, topics,
 * and the watch over failed executions.
 *
 * @throws ConfigError with all problems of `models` and `settings`; UnprovenDefinitionError where the definition could
 * fail in silence.
 */
export class EnsembleTraining extends pulumi.ComponentResource {
    readonly outputs: EnsembleTrainingOutputs;
    /**
     * What this deployment leaves for executions that still run after the next one: export it as the stack's output
     * `releases`.
     */
    readonly releases: pulumi.Output<Releases>;

    constructor(name: string, args: EnsembleTrainingArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:training:EnsembleTraining", name, {}, opts);
        const models = args.models ?? DOCUMENTS;
        const problems = problemsOf(models);
        if (problems.length > 0) {
            throw new ConfigError(problems, "The ensemble's models have");
        }
        const config = loadStageConfig(
            args.stage ?? pulumi.getStack(),
            { service: name, ...args.settings } as RawConfig,
            models,
        );
        const before = args.before ?? NO_RELEASES;
        const { outputs, releases } = declareStage(name, this, { config, models, identity: args.identity, before });
        this.outputs = outputs;
        this.releases = releases;
        this.registerOutputs({ stateMachineArn: outputs.stateMachineArn, artifactBucket: outputs.artifactBucket });
    }
}

interface StageInput {
    readonly config: StageConfig;
    readonly models: EnsembleSpec;
    readonly identity: Identity;
    readonly before: Releases;
}

/**
 * Declares all resources of a stage below its component, from top to bottom in the order in which a deployment makes
 * them.
 */
function declareStage(
    service: string,
    parent: EnsembleTraining,
    { config, models, identity, before }: StageInput,
): Declared {
    // Stages that were deployed before there was the component keep what they have.
    const child = { parent, aliases: [{ parent: pulumi.rootStackResource }] };
    const names = new StageNames(identity, config);
    const tags = stageTags(config);
    const protectedStage = config.protect;
    const key = new StageKey(service, { names, existingKeyArn: config.keyArn, protectedStage, tags }, child);
    const common = { service, names, keyArn: key.arn, protectedStage, tags };
    const afterKey = { ...child, dependsOn: [...key.parts] };
    const { logDays, ...expiry } = config.retention;
    const store = new ArtifactStore(service, { ...common, ...expiry }, afterKey);
    const alerts = new Alerts(
        service,
        {
            ...common,
            failureAddresses: config.notifications.failures,
            operationsAddresses: config.notifications.operations,
        },
        afterKey,
    );
    const network = new Network(service, { names, choice: config.network, tags }, child);

    const bundles = loadBundles();
    const images = stageImages(config, models, bundles, common, before, afterKey);
    const sources = sourceArchives(config, models, common, store, child);
    const jobsImage = config.images.jobs ?? images.built.jobs.uri;
    const settings = stageSettings(config, names, { images: images.built, sources: sources.addresses }, models);
    declarePointers(config, settings, common, store, child);

    const places = { names, locations: locationsOf(config, names), keys: config.dataKeys };
    const functions = stageFunctions(
        config,
        bundles,
        common,
        before,
        functionStatements(places),
        executionBound(settings, config.modelRegistry ? { modelPackageGroup: names.modelPackageGroup } : {}),
        afterKey,
    );
    const parameters = jobParameters(settings);
    const definitions = Object.fromEntries(
        JOBS.map((job) => [
            job,
            jobDefinition({
                names,
                job,
                size: config.jobs[job],
                compute: config.compute,
                image: jobsImage,
                parameters: parameters[job],
                environment: { AWS_REGION: identity.region },
                assignPublicIp: network.assignPublicIp,
            }),
        ]),
    ) as Record<JobName, ReturnType<typeof jobDefinition>>;
    const jobs = new BatchJobs(
        `${service}-jobs`,
        {
            ...common,
            compute: config.compute,
            definitions,
            jobStatements: jobStatements(places),
            jobKeyActions: WRITE_KEY,
            repositories: [names.repositoryArn("jobs")],
            subnetIds: network.subnetIds,
            securityGroupId: network.securityGroupId,
            logDays,
        },
        afterKey,
    );
    const trainingRole = new StageRole(
        `${service}-trainings`,
        {
            roleName: names.role("training"),
            description: "What the trainings do",
            trust: trustPolicy(identity, "sagemaker.amazonaws.com", names.arn("sagemaker", "training-job/*")),
            statements: trainingStatements(places, trainingRepositories(settings), config.isolation.vpc !== undefined),
            // Encrypt, because OutputDataConfig names the key by its alias.
            keyActions: [...WRITE_KEY, "kms:DescribeKey", "kms:Encrypt"],
            keyGrants: true,
            keyArn: key.arn,
            tags,
        },
        child,
    );

    const aliases = Object.fromEntries(FUNCTIONS.map((name) => [name, functions[name].alias])) as Record<
        FunctionName,
        string
    >;
    const jobArns = Object.fromEntries(
        JOBS.map((job) => [job, names.arn("batch", `job-definition/${definitions[job].name}`)]),
    ) as Record<JobName, string>;
    const starts = stageStarts(config, names, settings);
    const registry = config.modelRegistry ? new ModelRegistry(`${service}-registry`, common, child) : undefined;
    const workflow = ensembleTraining(settings, stageTargets(config, names, aliases, jobArns, tags, models));
    const needed = taskStatements(workflow.permissions);
    const machine = new TrainingStateMachine(
        `${service}-training`,
        {
            ...common,
            definition: workflow.definition,
            statements: needed.statements,
            keyActions: needed.keyActions,
            logDays,
            dependsOn: [
                ...store.parts,
                ...alerts.parts,
                ...jobs.parts,
                ...trainingRole.parts,
                ...sources.parts,
                ...images.parts,
                ...FUNCTIONS.flatMap((name) => functions[name].parts),
                ...(registry?.parts ?? []),
            ],
        },
        afterKey,
    );
    const watch = new FailureWatch(
        `${service}-failures`,
        defined({ ...common, startingRules: startingRules(starts, names) }),
        // Not the machine, whose ARN is known: the watch stands before the first execution can start.
        { ...child, dependsOn: [...alerts.parts] },
    );
    // What starts executions comes last: by then a failed one is told of.
    const afterWatch = { ...child, dependsOn: [machine, watch, ...store.parts, ...alerts.parts] };
    const schedule =
        starts.schedule && new TrainingSchedule(`${service}-schedule`, { ...common, ...starts.schedule }, afterWatch);
    const trigger =
        starts.trigger && new DataTrigger(`${service}-new-data`, { ...common, ...starts.trigger }, afterWatch);
    const dashboard = config.dashboard
        ? new StageDashboard(`${service}-dashboard`, { names, models: dashboardModels(names, models) }, child)
        : undefined;

    const outputs: EnsembleTrainingOutputs = defined({
        stateMachineName: machine.stateMachineName,
        stateMachineArn: machine.arn,
        stateMachineConsole: names.console("states/home", `/statemachines/view/${names.stateMachineArn}`),
        artifactBucket: store.bucket,
        artifactBase: settings.artifactBase,
        artifactConsole: names.console(`s3/buckets/${names.bucket}`),
        jobQueueArn: jobs.queueArn,
        jobsConsole: names.console("batch/home", "jobs"),
        jobsImage,
        trainingRoleArn: trainingRole.arn,
        alertsTopicArn: alerts.alertsTopicArn,
        operationsTopicArn: alerts.operationsTopicArn,
        failureRuleArn: watch.ruleArn,
        undeliveredQueueUrl: watch.undeliveredQueueUrl,
        keyArn: key.arn,
        functionAliases: aliases,
        logGroups: {
            stateMachine: names.stateMachineLogGroup,
            jobs: names.jobLogGroup,
            functions: names.functionLogGroups,
        },
        scheduleArn: schedule?.arn,
        newDataRuleArn: trigger?.ruleArn,
        modelPackageGroup: registry?.groupName,
        dashboardConsole:
            dashboard === undefined
                ? undefined
                : names.console("cloudwatch/home", `dashboards:name=${names.dashboard}`),
        modelImages: Object.fromEntries(
            [...Object.entries(settings.members), [settings.combiner.name, settings.combiner] as const].map(
                ([model, { container }]) => [model, container.image],
            ),
        ),
    });
    return {
        outputs,
        releases: pulumi.output({
            functions: Object.fromEntries(FUNCTIONS.map((name) => [name, functions[name].releases])),
            images: images.record,
        }),
    };
}

/**
 * Sorts what the Tasks need into statements and actions on the stage's key: the definition names the key by its alias,
 * and a policy must name the key itself.
 */
function taskStatements(permissions: readonly Permission[]): { statements: Statement[]; keyActions: string[] } {
    const onKey = (permission: Permission) => permission.actions.every((action) => action.startsWith("kms:"));
    return {
        statements: [...policyDocument(permissions.filter((permission) => !onKey(permission))).Statement],
        // SageMaker asks its caller, too, for a grant of the volumes' key.
        keyActions: [
            ...new Set(permissions.filter(onKey).flatMap((permission) => permission.actions)).add("kms:DescribeKey"),
        ].sort(),
    };
}

interface Declared {
    readonly outputs: EnsembleTrainingOutputs;
    readonly releases: pulumi.Output<Releases>;
}

/** What the dashboard shows of each model. */
function dashboardModels({ name: { service, stage } }: StageNames, models: EnsembleSpec): DashboardModel[] {
    return Object.entries(metricDefinitions(models)).map(([name, definitions]) => ({
        name,
        jobPrefix: jobNamePrefix(service, stage, name),
        metrics: definitions.map((definition) => definition.Name),
    }));
}

/** What almost every component of a stage is given. */
interface Common {
    /** What the resources' names in Pulumi begin with. */
    readonly service: string;
    readonly names: StageNames;
    readonly keyArn: pulumi.Input<string>;
    readonly protectedStage: boolean;
    readonly tags: ReturnType<typeof stageTags>;
}

function stageImages(
    config: StageConfig,
    models: EnsembleSpec,
    bundles: Bundles,
    common: Common,
    before: Releases,
    opts: pulumi.ComponentResourceOptions,
) {
    const { pythonBase, nodeBase, platform } = config.images;
    /** Some model trains in it: its configuration names no other. */
    const isNeeded = (image: string) =>
        config.images[image] === undefined &&
        modelsOf(models).some(
            ([name, { container }]) =>
                container.kind === "image" && container.image === image && config.models[name].image === undefined,
        );
    const contexts: Record<string, BuildContext> = {};
    if (config.images.jobs === undefined) {
        contexts.jobs = jobsContext(bundles.jobs.code, nodeBase, platform);
    }
    for (const [image, source] of Object.entries(builtImages(models))) {
        if (isNeeded(image)) {
            contexts[image] = trainingContext(source, pythonBase, platform);
        }
    }
    const made = Object.entries(contexts).map(
        ([image, context]) =>
            [
                image,
                new TrainingImage(
                    `${common.service}-image-${image}`,
                    {
                        ...common,
                        image,
                        context,
                        before: before.images[image] ?? { pushed: [] },
                        remembered: config.keptReleases,
                    },
                    opts,
                ),
            ] as const,
    );
    const built: Record<string, { uri: string; hash: string }> = {};
    const record: Record<string, PushedImages> = {};
    for (const [image, { uri, hash, record: pushed }] of made) {
        built[image] = { uri, hash };
        record[image] = pushed;
    }
    return { built, record, parts: made.flatMap(([, image]) => image.parts) };
}

function sourceArchives(
    config: StageConfig,
    models: EnsembleSpec,
    common: Common,
    store: ArtifactStore,
    opts: pulumi.CustomResourceOptions,
) {
    const scripts = new Set(
        modelsOf(models)
            .filter(([, { container }]) => container.kind === "script")
            .map(([, { source }]) => source),
    );
    const addresses: Record<string, BuiltCode["sources"][string]> = {};
    const parts = [...scripts].map((source) => {
        const archive = sourceArchive(source);
        const folder = path.basename(source);
        const objectKey = `code/${folder}/${archive.hash}/sourcedir.tar.gz`;
        addresses[source] = { hash: archive.hash, uri: `s3://${common.names.bucket}/${objectKey}` };
        return new s3.BucketObjectv2(
            `${common.service}-source-${folder}-${archive.hash.slice(0, 12)}`,
            {
                bucket: store.bucket,
                key: objectKey,
                source: new pulumi.asset.FileAsset(archive.file),
                sourceHash: archive.hash,
                tags: common.tags,
            },
            { ...opts, ...protection("release", config.protect), dependsOn: [...store.parts] },
        );
    });
    return { addresses, parts };
}

/** Proves that what the stage points at stays, and says in the bucket what that is. */
function declarePointers(
    config: StageConfig,
    settings: StageSettings,
    { service, tags }: Common,
    store: ArtifactStore,
    opts: pulumi.CustomResourceOptions,
): void {
    const pointers = pointersOf(settings, config);
    proveLifetimes(pointers, config);
    new s3.BucketObjectv2(
        `${service}-pointers`,
        {
            bucket: store.bucket,
            key: "pointers.json",
            content: declaration(pointers),
            contentType: "application/json",
            tags,
        },
        { ...opts, dependsOn: [...store.parts] },
    );
}

function stageFunctions(
    config: StageConfig,
    bundles: Bundles,
    common: Common,
    before: Releases,
    statements: ReturnType<typeof functionStatements>,
    executionSeconds: number,
    opts: pulumi.ComponentResourceOptions,
): Record<FunctionName, StageFunction> {
    const entries = FUNCTIONS.map((name) => {
        const { description, key, ...size } = FUNCTION_SETTINGS[name];
        const spec: FunctionSpec = {
            code: bundles[name].code,
            handler: "index.handler",
            runtime: RUNTIME,
            ...size,
            environment: {},
        };
        const earlier: readonly Release[] = before.functions[name] ?? [];
        return [
            name,
            new StageFunction(
                `${common.service}-${name}`,
                defined({
                    ...common,
                    function: name,
                    description,
                    spec,
                    statements: statements[name],
                    keyActions: key,
                    before: earlier,
                    remembered: config.keptReleases,
                    executionSeconds,
                    now: new Date(),
                    logDays: config.retention.logDays,
                    // SageMaker takes an alias of a key for outputs, but not for volumes.
                    addresses: name === "setup" ? { KMS_KEY_ARN: common.keyArn } : undefined,
                }),
                opts,
            ),
        ] as const;
    });
    return Object.fromEntries(entries) as Record<FunctionName, StageFunction>;
}
