/**
 * What a stage consists of. Read from top to bottom, it is the order in which a deployment makes it: the key, where the artefacts lie,
 * who is told, the images, the functions and jobs, the state machine that calls them, and the watch over it.
 */
import * as s3 from "@pulumi/aws/s3";
import * as pulumi from "@pulumi/pulumi";
import { Alerts } from "../components/alerts";
import { ArtifactStore } from "../components/artifactStore";
import { BatchJobs, jobDefinition } from "../components/batchJobs";
import { FailureWatch } from "../components/failureWatch";
import { type FunctionSpec, type Release, StageFunction } from "../components/functions";
import { type Statement, trustPolicy } from "../components/iam";
import { FUNCTIONS, type FunctionName, type Identity, JOBS, type JobName, StageNames } from "../components/names";
import { Network } from "../components/network";
import { protection } from "../components/protection";
import { StageRole } from "../components/role";
import { StageKey } from "../components/stageKey";
import { stageTags } from "../components/tags";
import { type PushedImages, TrainingImage } from "../components/trainingImage";
import { TrainingStateMachine } from "../components/trainingStateMachine";
import { ensembleTraining, type Permission, policyDocument } from "../workflow";
import { type Bundles, loadBundles } from "./bundles";
import { jobsContext, sourceArchive, trainingContext } from "./code";
import type { StageConfig } from "./config";
import { COMBINER, MEMBERS } from "./models";
import { functionStatements, jobStatements, READ_KEY, trainingStatements, WRITE_KEY } from "./permissions";
import type { Releases } from "./releases";
import { type BuiltCode, jobParameters, locationsOf, stageSettings, stageTargets, trainingRepositories } from "./settings";

/** Newest runtime that the jobs' base image has as well; the bundles are written for Node 20 and later. */
const RUNTIME = "nodejs22.x";

interface FunctionSettings extends Pick<FunctionSpec, "memoryMb" | "timeoutSeconds"> {
    readonly description: string;
    readonly key: readonly string[];
}

/** What the functions are for, their size, and what they do with the stage's key. */
const FUNCTION_SETTINGS: Readonly<Record<FunctionName, FunctionSettings>> = {
    setup: { description: "Checks an execution's input and plans it", memoryMb: 1_024, timeoutSeconds: 540, key: WRITE_KEY },
    "error-cause": { description: "Reads what went wrong out of a cause", memoryMb: 256, timeoutSeconds: 50, key: READ_KEY },
    register: { description: "Marks a trained model as finished", memoryMb: 256, timeoutSeconds: 50, key: WRITE_KEY },
    "describe-failure": { description: "Writes the message about a failed execution", memoryMb: 256, timeoutSeconds: 50, key: [] },
};

export interface StageInput {
    readonly config: StageConfig;
    readonly identity: Identity;
    /** What earlier deployments of this stage left for executions that still run. */
    readonly before: Releases;
}

/** Declares all resources of a stage; what it returns are the stack's outputs. */
export function ensembleTrainingStage({ config, identity, before }: StageInput): Record<string, unknown> {
    const names = new StageNames(identity, config);
    const tags = stageTags(config);
    const service = config.service;
    const protectedStage = config.protect;
    const key = new StageKey(service, { names, existingKeyArn: config.keyArn, protectedStage, tags });
    const common = { names, keyArn: key.arn, protectedStage, tags };
    const afterKey = { dependsOn: [...key.parts] };
    const { logDays, ...expiry } = config.retention;
    const store = new ArtifactStore(service, { ...common, ...expiry }, afterKey);
    const alerts = new Alerts(service, {
        ...common, failureAddresses: config.notifications.failures, operationsAddresses: config.notifications.operations,
    }, afterKey);
    const network = new Network(service, { names, choice: config.network, tags });

    const bundles = loadBundles();
    const images = stageImages(config, bundles, common, before, afterKey);
    const sources = sourceArchives(config, names, store);
    const jobsImage = config.images.jobs ?? images.built.jobs.uri;
    const settings = stageSettings(config, names, { images: images.built, sources: sources.addresses });

    const places = { names, locations: locationsOf(config, names) };
    const functions = stageFunctions(config, bundles, common, before, functionStatements(places), afterKey);
    const parameters = jobParameters(settings);
    const definitions = Object.fromEntries(JOBS.map(job => [job, jobDefinition({
        names, job,
        size: config.jobs[job],
        compute: config.compute,
        image: jobsImage,
        parameters: parameters[job],
        environment: { AWS_REGION: identity.region },
        assignPublicIp: network.assignPublicIp,
    })])) as Record<JobName, ReturnType<typeof jobDefinition>>;
    const jobs = new BatchJobs(`${service}-jobs`, {
        ...common,
        compute: config.compute,
        definitions,
        jobStatements: jobStatements(places),
        jobKeyActions: WRITE_KEY,
        repositories: [names.repositoryArn("jobs")],
        subnetIds: network.subnetIds,
        securityGroupId: network.securityGroupId,
        logDays,
    }, afterKey);
    const trainingRole = new StageRole(`${service}-trainings`, {
        roleName: names.role("training"),
        description: "What the trainings do",
        trust: trustPolicy(identity, "sagemaker.amazonaws.com", names.arn("sagemaker", "training-job/*")),
        statements: trainingStatements(places, trainingRepositories(settings), config.isolation.vpc !== undefined),
        keyActions: [...WRITE_KEY, "kms:DescribeKey"],
        keyGrants: true,
        keyArn: key.arn,
        tags,
    });

    const aliases = Object.fromEntries(FUNCTIONS.map(name => [name, functions[name].alias])) as Record<FunctionName, string>;
    const jobArns = Object.fromEntries(JOBS.map(job => [job, names.arn("batch", `job-definition/${definitions[job].name}`)])) as Record<JobName, string>;
    const workflow = ensembleTraining(settings, stageTargets(config, names, aliases, jobArns, tags));
    const needed = taskStatements(workflow.permissions);
    const machine = new TrainingStateMachine(`${service}-training`, {
        ...common,
        definition: workflow.definition,
        statements: needed.statements,
        keyActions: needed.keyActions,
        logDays,
        dependsOn: [
            ...store.parts, ...alerts.parts, ...jobs.parts, ...trainingRole.parts, ...sources.parts, ...images.parts,
            ...FUNCTIONS.flatMap(name => functions[name].parts),
        ],
    }, afterKey);
    const watch = new FailureWatch(`${service}-failures`, common, { dependsOn: [machine, ...alerts.parts] });

    return {
        stateMachineName: machine.stateMachineName,
        stateMachineArn: machine.arn,
        stateMachineConsole: names.console("states/home", `/statemachines/view/${names.stateMachineArn}`),
        artifactBucket: store.bucket,
        artifactBase: settings.artifactBase,
        artifactConsole: names.console(`s3/buckets/${names.bucket}`),
        jobQueueArn: jobs.queueArn,
        jobsConsole: names.console("batch/home", "jobs"),
        jobsImage,
        textImage: settings.members.text.container.image,
        trainingRoleArn: trainingRole.arn,
        alertsTopicArn: alerts.alertsTopicArn,
        operationsTopicArn: alerts.operationsTopicArn,
        failureRuleArn: watch.ruleArn,
        undeliveredQueueUrl: watch.undeliveredQueueUrl,
        keyArn: key.arn,
        functionAliases: aliases,
        logGroups: { stateMachine: names.stateMachineLogGroup, jobs: names.jobLogGroup, functions: names.functionLogGroups },
        releases: pulumi.output({
            functions: Object.fromEntries(FUNCTIONS.map(name => [name, functions[name].releases])),
            images: images.record,
        }),
    };
}

/**
 * Sorts what the Tasks need into statements and actions on the stage's key: the definition names the key by its alias, and a
 * policy must name the key itself.
 */
export function taskStatements(permissions: readonly Permission[]): { statements: Statement[]; keyActions: string[] } {
    const onKey = (permission: Permission) => permission.actions.every(action => action.startsWith("kms:"));
    return {
        statements: [...policyDocument(permissions.filter(permission => !onKey(permission))).Statement],
        // SageMaker asks its caller, too, for a grant of the volumes' key.
        keyActions: [...new Set(permissions.filter(onKey).flatMap(permission => permission.actions)).add("kms:DescribeKey")].sort(),
    };
}

/** What almost every component of a stage is given. */
interface Common {
    readonly names: StageNames;
    readonly keyArn: pulumi.Input<string>;
    readonly protectedStage: boolean;
    readonly tags: ReturnType<typeof stageTags>;
}

function stageImages(config: StageConfig, bundles: Bundles, common: Common, before: Releases, opts: pulumi.ComponentResourceOptions) {
    const { pythonBase, nodeBase, platform } = config.images;
    const contexts = {
        ...(config.images.jobs === undefined ? { jobs: jobsContext(bundles.jobs.code, nodeBase, platform) } : {}),
        ...(config.images.text === undefined && config.models.text.image === undefined ? { text: trainingContext("text", pythonBase, platform) } : {}),
    };
    const made = Object.entries(contexts).map(([image, context]) => [image, new TrainingImage(`${config.service}-image-${image}`, {
        ...common, image, context, before: before.images[image] ?? { pushed: [] }, remembered: config.keptReleases,
    }, opts)] as const);
    const built: Record<string, { uri: string; hash: string }> = {};
    const record: Record<string, PushedImages> = {};
    for (const [image, { uri, hash, record: pushed }] of made) {
        built[image] = { uri, hash };
        record[image] = pushed;
    }
    return { built, record, parts: made.flatMap(([, image]) => image.parts) };
}

function sourceArchives(config: StageConfig, names: StageNames, store: ArtifactStore) {
    const scripts = [...Object.values(MEMBERS), COMBINER].filter(spec => spec.container.kind === "script");
    const addresses: Record<string, BuiltCode["sources"][string]> = {};
    const parts = scripts.map(({ folder }) => {
        const archive = sourceArchive(folder);
        const objectKey = `code/${folder}/${archive.hash}/sourcedir.tar.gz`;
        addresses[folder] = { hash: archive.hash, uri: `s3://${names.bucket}/${objectKey}` };
        return new s3.BucketObjectv2(`${config.service}-source-${folder}-${archive.hash.slice(0, 12)}`, {
            bucket: store.bucket,
            key: objectKey,
            source: new pulumi.asset.FileAsset(archive.file),
            sourceHash: archive.hash,
            tags: stageTags(config),
        }, { ...protection("release", config.protect), dependsOn: [...store.parts] });
    });
    return { addresses, parts };
}

function stageFunctions(
    config: StageConfig, bundles: Bundles, common: Common, before: Releases, statements: ReturnType<typeof functionStatements>,
    opts: pulumi.ComponentResourceOptions,
): Record<FunctionName, StageFunction> {
    const entries = FUNCTIONS.map(name => {
        const { description, key, ...size } = FUNCTION_SETTINGS[name];
        const spec: FunctionSpec = {
            code: bundles[name].code, handler: "index.handler", runtime: RUNTIME, ...size, environment: {},
        };
        const earlier: readonly Release[] = before.functions[name] ?? [];
        return [name, new StageFunction(`${config.service}-${name}`, {
            ...common, function: name, description, spec, statements: statements[name], keyActions: key, before: earlier,
            remembered: config.keptReleases, logDays: config.retention.logDays,
            // SageMaker takes an alias of a key for outputs, but not for volumes.
            ...(name === "setup" ? { addresses: { KMS_KEY_ARN: common.keyArn } } : {}),
        }, opts)] as const;
    });
    return Object.fromEntries(entries) as Record<FunctionName, StageFunction>;
}
