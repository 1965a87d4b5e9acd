/**
 * Setup Statemachine: turns the input of an execution into its `run`. Everything that can be refused is refused here, all problems at once,
 * before anything costs money; what exists already is found here, so that it is not trained again. Running it twice gives the same answer.
 */
import { MAXIMUM_PAYLOAD_BYTES } from "../../../ground/awsLimits";
import { joinS3 } from "../../../ground/s3Address";
import type {
    ModelRun,
    ModelSettings,
    Run,
    StageSettings,
    StoredObject,
    TrainedModel,
} from "../../../workflow/contract";
import { encodeHyperparameters } from "../../../workflow/hyperparameters";
import { describeProblem, readInput, showValue, withoutSlash } from "../../../workflow/input";
import type { CompletedInput, CompletedModel, Problem } from "../../../workflow/input";
import { changes, contentKey, dataIdentity, executionId, learningHyperparameters } from "../../../workflow/keys";
import type { CombinerIdentity, ListedObject, MemberIdentity } from "../../../workflow/keys";
import { damage, readTrained, sameObject } from "../../common/artifacts";
import { InputError, PermissionError, StorageError, messageOf } from "../../common/errors";
import type { FetchManifest, GivenModel, Plan, PlannedMember, PlannedModel } from "../../common/plan";
import { Storage, createS3 } from "../../common/storage";
import { defaultQuotas, describeRungs, shortages } from "./quotas";
import type { QuotaDemand, QuotaLookup } from "./quotas";

export interface SetupEvent {
    readonly settings: StageSettings;
    /** ExecutionInput, if it is valid. */
    readonly input: unknown;
    readonly execution: {
        readonly arn: string;
        readonly name: string;
        readonly startTime: string;
        readonly redriveCount: number;
    };
}

export interface SetupDependencies {
    readonly storage: Storage;
    /** Undefined: quotas are not checked, and the plan says so. */
    readonly quotas?: QuotaLookup;
    /** The function's log; by default standard output. */
    readonly print?: (line: string) => void;
}

/** The newest of at most so many earlier models is compared with. */
const maximumMarkers = 5_000;
/** A message with more problems than this says how many more there are. */
const maximumProblems = 100;

/** Families with NVMe disks of their own: the volume's size and key do not apply (the key is refused). */
const nvmeFamilies =
    /^ml\.(p3dn|p4d|p4de|p5|p5e|p5en|p6|g4dn|g5|g6|g6e|g7e|trn1|trn1n|trn2|[a-z]+[0-9]+[a-z]*d[a-z]*)\./;

export const handler = (event: SetupEvent): Promise<Run> =>
    setup(event, { storage: new Storage(createS3()), quotas: defaultQuotas() });

/** @throws InputError with one problem a line. */
export async function setup(
    event: SetupEvent,
    { storage, quotas, print = console.log }: SetupDependencies,
): Promise<Run> {
    const { settings, execution } = event;
    const { input, problems } = readInput(event.input, settings);
    if (input === undefined) {
        throw refusal(problems);
    }
    const found: Problem[] = [];
    const notes = [...input.notes];
    const base = joinS3(input.target, "runs", execution.name);
    const data = await readData(storage, settings, input, found);
    const split = await readSplit(storage, settings, input, found);

    const members: Record<string, Decision & { readonly given?: GivenModel }> = {};
    for (const [name, member] of Object.entries(settings.members)) {
        const wanted = input.members[name];
        const identity: MemberIdentity = {
            ...parts(member, wanted),
            seed: settings.seed,
            data: data.hash,
            ...(data.testShare === undefined ? {} : { testShare: data.testShare }),
            ...(member.splitSet ? { folds: split ?? settings.folds } : {}),
        };
        members[name] =
            wanted.given === undefined
                ? await decide(storage, input.target, name, identity, wanted.forced)
                : await useGiven(storage, input.target, name, wanted.given, identity, found);
    }
    await checkQuotas(settings, input, (name) => members[name].action === "train", quotas, found, notes);
    if (found.length > 0) {
        throw refusal(found);
    }
    const combiner = await decideCombiner(storage, settings, input, members);

    const prefix = (name: string) =>
        members[name]?.action === "skip"
            ? joinS3(base, "given", settings.members[name].publishParameter.replace(/^INPUT_PATH_/, ""))
            : joinS3(base, name);
    const fetchModels = Object.values(members).some(({ action }) => action === "skip");
    const rawData = input.fetchData ? joinS3(base, "raw_data") : input.dataPath;
    const splitSet = input.generateSplit
        ? joinS3(base, "image_model_training_split_set")
        : (input.splitPath ?? joinS3(base, "image_model_training_split_set"));
    const paths = {
        raw_data: rawData,
        image_model_training_split_set: splitSet,
        ...Object.fromEntries(Object.keys(members).map((name) => [`${name}_model_prefix`, prefix(name)])),
        [`${settings.combiner.name}_model_prefix`]: joinS3(base, settings.combiner.name),
        sequence_model_training_dataframe: joinS3(base, "dataframe"),
        ready_to_use_artifacts: joinS3(base, "ready_to_use_artifacts"),
    };
    const id = executionId(execution.arn);
    const places = { raw_data: rawData, split_set: splitSet, dataframe: paths.sequence_model_training_dataframe };
    const modelRun = (
        name: string,
        model: ModelSettings,
        wanted: CompletedModel,
        decision: Decision,
        modelSplit: ModelRun["split"],
    ): ModelRun => ({
        action: decision.action,
        split: modelSplit,
        reason: decision.reason,
        key: decision.key,
        hyperparameters: encodeHyperparameters(wanted.hyperparameters, model.container, settings.region),
        rungs: wanted.capacity.map(({ instanceType, spot }) => ({
            spot,
            resource_config: resourceConfig(settings, model, instanceType),
        })),
        input_data_config: model.channels.map(({ name: channel, from, path }) =>
            inputChannel(
                channel,
                from === "code" ? path : path === "" ? `${places[from]}/` : joinS3(places[from], path),
            ),
        ),
        output_path: prefix(name),
        // A forced training is to train: the checkpoint of the finished one would leave it nothing to do.
        checkpoint_path: joinS3(
            input.target,
            "checkpoints",
            name,
            wanted.forced ? `${decision.key}-forced-${id}` : decision.key,
        ),
    });
    const run: Run = {
        id,
        data: data.hash,
        fetch: input.fetchData || fetchModels,
        output_artifact_paths: paths,
        parameters: {
            fetch: {
                INPUT_PATH: input.dataPath,
                OUTPUT_PATH: joinS3(base, "raw_data"),
                SEED: String(settings.seed),
                TEST_SHARE: String(settings.testShare),
                COPY: input.fetchData ? "yes" : "no",
                ...byMember(settings, "publishParameter", (name) => members[name].given?.prefix ?? "-"),
            },
            split: {
                K_FOLDS: String(settings.folds),
                INPUT_PATH: rawData,
                OUTPUT_PATH: splitSet,
                SEED: String(settings.seed),
            },
            merge: {
                INPUT_PATH: rawData,
                ...byMember(settings, "mergeParameter", prefix),
                OUTPUT_PATH: paths.sequence_model_training_dataframe,
            },
            publish: {
                ...byMember(settings, "publishParameter", prefix),
                INPUT_PATH_SEQ: joinS3(base, settings.combiner.name),
                OUTPUT_PATH: paths.ready_to_use_artifacts,
                TARGET: input.target,
                GATE: JSON.stringify(gate(settings)),
                EXECUTION: execution.name,
            },
        },
        members: Object.fromEntries(
            Object.entries(settings.members).map(([name, member]) => {
                const decision = members[name];
                const modelSplit =
                    !member.splitSet || decision.action !== "train" ? "none" : input.generateSplit ? "new" : "existing";
                return [name, modelRun(name, member, input.members[name], decision, modelSplit)];
            }),
        ),
        combiner: modelRun(settings.combiner.name, settings.combiner, input.combiner, combiner, "none"),
    };
    const bytes = Buffer.byteLength(JSON.stringify(run));
    if (bytes > MAXIMUM_PAYLOAD_BYTES) {
        throw new InputError(
            `the run has ${bytes} bytes with ${Object.keys(members).length} members, Step Functions holds at most ${MAXIMUM_PAYLOAD_BYTES}: ` +
                "use fewer members, channels, rungs or hyperparameters, or shorter paths",
        );
    }

    for (const [name, decision] of [...Object.entries(members), [settings.combiner.name, combiner] as const]) {
        if (decision.action === "reuse" && decision.trained !== undefined) {
            await storage.putJson(joinS3(prefix(name), "trained.json"), decision.trained);
        }
    }
    const planned = (model: ModelSettings, wanted: CompletedModel, decision: Decision): PlannedModel => ({
        action: decision.action,
        reason: decision.reason,
        key: decision.key,
        identity: { ...decision.identity },
        instances: wanted.capacity.map((rung) => ({ ...rung, count: model.instanceCount })),
        maxRuntimeSeconds: model.maxRuntimeSeconds,
        budgetSeconds: model.budgetSeconds,
    });
    const plan: Plan = {
        format: 1,
        service: settings.service,
        stage: settings.stage,
        execution,
        target: input.target,
        data: { source: input.dataPath, hash: data.hash, objects: data.objects, bytes: data.bytes },
        members: Object.fromEntries(
            Object.entries(settings.members).map(([name, member]): [string, PlannedMember] => [
                name,
                {
                    ...planned(member, input.members[name], members[name]),
                    required: member.required,
                    mergeParameter: member.mergeParameter,
                    publishParameter: member.publishParameter,
                    ...(members[name].given === undefined ? {} : { given: members[name].given }),
                },
            ]),
        ),
        combiner: { ...planned(settings.combiner, input.combiner, combiner), name: settings.combiner.name },
        output_artifact_paths: paths,
        notes,
    };
    await storage.putJson(joinS3(base, "plan.json"), plan);
    for (const [name, { reason }] of [
        ...Object.entries(run.members),
        [settings.combiner.name, run.combiner] as const,
    ]) {
        print(`${name}: ${reason}`);
    }
    notes.forEach((note) => print(`note: ${note}`));
    return run;
}

interface Decision {
    readonly action: "train" | "reuse" | "skip";
    readonly reason: string;
    readonly key: string;
    readonly identity: Readonly<Record<string, unknown>>;
    readonly trained?: TrainedModel;
}

interface ReadData {
    readonly hash: string;
    /** Set where the fetch job draws, or drew, the held-out stacks. */
    readonly testShare?: number;
    readonly objects: number;
    readonly bytes: number;
}

function refusal(problems: readonly Problem[]): InputError {
    const shown = problems.slice(0, maximumProblems).map(describeProblem);
    const more = problems.length - shown.length;
    return new InputError(
        [
            `${problems.length} problem${problems.length === 1 ? "" : "s"} in the execution's input, nothing was started:`,
            // numbered, since a reason is told in one line
            ...shown.map((problem, index) => `(${index + 1}) ${problem}`),
            ...(more > 0 ? [`and ${more} more`] : []),
        ].join("\n"),
    );
}

/** A storage problem of something that the input names is a problem of the input; a fault of the storage itself is not. */
async function check<T>(path: string, uri: string, found: Problem[], read: () => Promise<T>): Promise<T | undefined> {
    try {
        return await read();
    } catch (error) {
        if (error instanceof StorageError) {
            throw error;
        }
        const denied = error instanceof PermissionError;
        found.push({
            path: `initialization.${path}`,
            got: showValue(uri),
            expected: denied ? "a place that the stage's roles may read" : "a readable place in S3",
            advice: messageOf(error),
        });
        return undefined;
    }
}

const dataField = "fetch_data.preprocessed_data_path";

async function readData(
    storage: Storage,
    settings: StageSettings,
    input: CompletedInput,
    found: Problem[],
): Promise<ReadData> {
    const objects: ListedObject[] = [];
    const read = await check(dataField, input.dataPath, found, async () => {
        for await (const object of storage.list(input.dataPath)) {
            objects.push(object);
        }
        return true;
    });
    const path = `initialization.${dataField}`;
    const problem = (expected: string, advice: string) =>
        found.push({ path, got: showValue(input.dataPath), expected, advice });
    const bytes = objects.reduce((sum, object) => sum + object.bytes, 0);
    if (read === undefined) {
        return { hash: "", objects: 0, bytes };
    }
    if (objects.length === 0) {
        problem(
            "documents below it",
            "there is no object below this prefix: correct the path, or upload the data first",
        );
        return { hash: "", objects: 0, bytes };
    }
    const labels = objects.find(({ key }) => key === "labels.csv");
    if (labels === undefined) {
        problem(
            "labels.csv directly below it",
            `there are ${objects.length} objects, the first is ${objects[0].key}: name the folder that holds labels.csv`,
        );
    } else if (labels.bytes === 0) {
        problem("a labels.csv that is not empty", "write the labels: stack,page,class,begins_document,split");
    }
    if (!input.fetchData && !objects.some(({ key }) => key === "manifest.json")) {
        problem(
            "data as the fetch job leaves it (with manifest.json), since fetch_preprocessing_artifacts is false",
            "name raw_data of an earlier execution, or set fetch_preprocessing_artifacts to true",
        );
    }
    for (const [name, member] of Object.entries(settings.members)) {
        if (!input.members[name].train) {
            continue;
        }
        let needed = 0;
        for (const channel of member.channels.filter(({ from }) => from === "raw_data")) {
            const bare = withoutSlash(channel.path);
            const below = objects.filter(({ key }) => bare === "" || key === bare || key.startsWith(`${bare}/`));
            needed += below.reduce((sum, object) => sum + object.bytes, 0);
            if (below.length === 0) {
                problem(
                    `objects below ${channel.path} for the ${name} model`,
                    `upload them, or set run_training_steps.${name}_model to false`,
                );
            }
            const empty = below.find((object) => object.bytes === 0 && /\.(png|jpe?g|tiff?)$/i.test(object.key));
            if (empty !== undefined) {
                problem(
                    `page images that are not empty for the ${name} model`,
                    `${empty.key} has 0 bytes: upload it again`,
                );
            }
        }
        const small = input.members[name].capacity.find((rung) => !nvmeFamilies.test(rung.instanceType));
        if (small !== undefined && needed > member.volumeGb * 1e9) {
            problem(
                `at most ${member.volumeGb} GB for the ${name} model's volume`,
                `its channels hold ${(needed / 1e9).toFixed(1)} GB: raise volumeGb`,
            );
        }
    }
    return { ...(await identify(storage, settings, input, objects)), objects: objects.length, bytes };
}

/** Data that an earlier execution fetched has the identity of what it was fetched from, as long as nobody changed it. */
async function identify(
    storage: Storage,
    settings: StageSettings,
    input: CompletedInput,
    objects: readonly ListedObject[],
): Promise<Pick<ReadData, "hash" | "testShare">> {
    const hash = dataIdentity(objects);
    if (objects.some(({ key }) => key === "manifest.json")) {
        const manifest = (await storage.json(joinS3(input.dataPath, "manifest.json"))) as
            Partial<FetchManifest> | undefined;
        if (manifest?.job === "fetch" && manifest.content === hash && typeof manifest.data === "string") {
            return {
                hash: manifest.data,
                ...(typeof manifest.testShare === "number" ? { testShare: manifest.testShare } : {}),
            };
        }
    }
    return { hash, ...(input.fetchData ? { testShare: settings.testShare } : {}) };
}

/** Hash of a given split set; undefined where the split job makes one. */
async function readSplit(
    storage: Storage,
    settings: StageSettings,
    input: CompletedInput,
    found: Problem[],
): Promise<string | undefined> {
    const uri = input.splitPath;
    const needed = Object.keys(settings.members).some(
        (name) => settings.members[name].splitSet && input.members[name].train,
    );
    if (uri === undefined || !needed) {
        return undefined;
    }
    const field = "fetch_data.image_model_split_path";
    const object = await check(field, uri, found, async () => (await storage.head(joinS3(uri, "folds.json"))) ?? null);
    if (object === null) {
        found.push({
            path: `initialization.${field}`,
            got: showValue(uri),
            expected: "a split set: folds.json directly below it",
            advice: "name image_model_training_split_set of an earlier execution, or set generate_image_model_split to true",
        });
    }
    return object?.etag;
}

/** What the account may run at once, of the members that train and the combiner; what is reused or given needs no instance. */
async function checkQuotas(
    settings: StageSettings,
    input: CompletedInput,
    trains: (member: string) => boolean,
    quotas: QuotaLookup | undefined,
    found: Problem[],
    notes: string[],
): Promise<void> {
    if (quotas === undefined) {
        notes.push("instance quotas were not checked: S3 is a local endpoint");
        return;
    }
    const demand = async (name: string, model: ModelSettings, wanted: CompletedModel): Promise<QuotaDemand> => ({
        model: name,
        instances: model.instanceCount,
        rungs: await Promise.all(
            wanted.capacity.map(async (rung) => ({ ...rung, quota: await quotas(rung.instanceType, rung.spot) })),
        ),
    });
    const members: QuotaDemand[] = [];
    let combiner: QuotaDemand;
    try {
        for (const [name, model] of Object.entries(settings.members).filter(([member]) => trains(member))) {
            members.push(await demand(name, model, input.members[name]));
        }
        combiner = await demand(settings.combiner.name, settings.combiner, input.combiner);
    } catch (error) {
        notes.push(`instance quotas were not checked: ${messageOf(error)}`);
        return;
    }
    const all = [...members, combiner];
    const alone: QuotaDemand[] = [];
    for (const wanted of all) {
        const { model, instances, rungs } = wanted;
        if (rungs.length > 0 && rungs.every(({ quota }) => quota !== undefined && quota < instances)) {
            alone.push(wanted);
            found.push({
                path: `initialization.${model}_model.instance_type`,
                got: showValue(rungs.map(({ instanceType }) => instanceType).join(", ")),
                expected: `a rung whose quota allows ${instances} instance${instances === 1 ? "" : "s"} (quotas: ${describeRungs(rungs)})`,
                advice: "ask for a higher quota in Service Quotas (Amazon SageMaker), or add another instance type to the capacity ladder",
            });
        } else if (rungs.some(({ quota }) => quota !== undefined && quota < instances)) {
            notes.push(`${model}: the quota of a rung is below ${instances} (${describeRungs(rungs)})`);
        }
    }
    // The members train side by side, the combiner when they have ended.
    for (const { models, instances, quotas: allowed, described } of shortages(
        members.filter((member) => !alone.includes(member)),
    )) {
        found.push({
            path: models.map((model) => `initialization.${model}_model.instance_type`).join(", "),
            got: `${instances} instances at the same time`,
            expected: `at most ${allowed}, what the quotas of their rungs allow together (${described})`,
            advice:
                `${models.join(" and ")} train side by side: ask for a higher quota in Service Quotas (Amazon SageMaker), or add another ` +
                "instance type to the capacity ladder of one of them",
        });
    }
    const unknown = all
        .flatMap(({ rungs }) => rungs)
        .filter(({ quota }) => quota === undefined)
        .map(({ instanceType }) => instanceType);
    if (unknown.length > 0) {
        notes.push(`no training quota is known for ${[...new Set(unknown)].join(", ")}`);
    }
}

function parts(model: ModelSettings, wanted: CompletedModel) {
    return {
        image: model.container.image,
        code: model.container.codeHash,
        hyperparameters: learningHyperparameters(wanted.hyperparameters, model.schema),
    };
}

/** Reuse what has this key and is whole; otherwise say why it trains. */
async function decide(
    storage: Storage,
    target: string,
    model: string,
    identity: MemberIdentity | CombinerIdentity,
    forced: boolean,
): Promise<Decision> {
    const key = contentKey(identity);
    const known = { ...identity } as Readonly<Record<string, unknown>>;
    const train = (why: string): Decision => ({ action: "train", reason: `trains: ${why}`, key, identity: known });
    if (forced) {
        return train("force");
    }
    const marker = joinS3(target, "trained", model, `${key}.json`);
    let trained: TrainedModel | undefined;
    try {
        trained = await readTrained(storage, marker);
    } catch (error) {
        if (error instanceof StorageError || error instanceof PermissionError) {
            throw error;
        }
        return train(`the marker of the same key cannot be used (${messageOf(error)})`);
    }
    if (trained !== undefined && (trained.key !== key || trained.model !== model)) {
        return train(`${marker} belongs to another model (${trained.model}, key ${trained.key.slice(0, 8)})`);
    }
    if (trained !== undefined) {
        const damaged = await damage(storage, trained);
        return damaged === undefined
            ? { action: "reuse", reason: reused(trained), key, identity: known, trained }
            : train(`the model of the same key is not whole: ${damaged}`);
    }
    const earlier = await newestMarker(storage, target, model);
    if (earlier === undefined) {
        return train("first training");
    }
    const differences = changes(earlier.identity, identity);
    return train(
        differences.length === 0
            ? "no model of the same key"
            : differences.slice(0, 5).join("; ") +
                  (differences.length > 5 ? `; and ${differences.length - 5} more` : ""),
    );
}

function reused(trained: TrainedModel): string {
    return `reused: same key ${trained.key.slice(0, 8)}, trained ${trained.trainedAt.slice(0, 10)} by execution ${trained.execution}`;
}

/** The newest readable marker of a model; markers that cannot be read are passed over. */
async function newestMarker(storage: Storage, target: string, model: string): Promise<TrainedModel | undefined> {
    const folder = joinS3(target, "trained", model);
    const listed: (ListedObject & { modified: Date })[] = [];
    for await (const object of storage.list(folder)) {
        listed.push(object);
        if (listed.length === maximumMarkers) {
            break;
        }
    }
    listed.sort((a, b) => b.modified.getTime() - a.modified.getTime());
    for (const { key } of listed.slice(0, 3)) {
        try {
            const trained = await readTrained(storage, joinS3(folder, key));
            if (trained !== undefined) {
                return trained;
            }
        } catch (error) {
            console.log(`note: ${messageOf(error)}`);
        }
    }
    return undefined;
}

/** The combiner is reused only with the very members it was trained on: none of them trains in this execution. */
async function decideCombiner(
    storage: Storage,
    settings: StageSettings,
    input: CompletedInput,
    members: Readonly<Record<string, Decision>>,
): Promise<Decision> {
    const { name } = settings.combiner;
    const identity: CombinerIdentity = {
        ...parts(settings.combiner, input.combiner),
        seed: settings.seed,
        members: Object.fromEntries(Object.entries(members).map(([member, { key }]) => [member, key])),
    };
    const decision = await decide(storage, input.target, name, identity, input.combiner.forced);
    const training = Object.keys(members).filter((member) => members[member].action === "train");
    return decision.action === "reuse" && training.length > 0
        ? {
              action: "train",
              reason: `trains: so do ${training.join(", ")} that it learns from`,
              key: decision.key,
              identity: decision.identity,
          }
        : decision;
}

/** A given model: a prefix with trained.json, or with the two archives of a model that is registered somewhere below the target. */
async function useGiven(
    storage: Storage,
    target: string,
    model: string,
    prefix: string,
    wanted: MemberIdentity,
    found: Problem[],
): Promise<Decision & { readonly given?: GivenModel }> {
    const field = `fetch_data.${model}_model_artifact_path`;
    const none: Decision = { action: "skip", reason: "", key: "", identity: {} };
    const problem = (expected: string, advice: string) => {
        found.push({ path: `initialization.${field}`, got: showValue(prefix), expected, advice });
        return none;
    };
    const trained = await check(field, prefix, found, async () => {
        const marker = await readTrained(storage, joinS3(prefix, "trained.json"));
        if (marker !== undefined) {
            return marker;
        }
        const archives = await Promise.all(
            ["model.tar.gz", "output.tar.gz"].map((file) => storage.head(joinS3(prefix, file))),
        );
        return archives.every((archive) => archive !== undefined)
            ? ((await registered(storage, target, model, archives[0] as StoredObject, archives[1] as StoredObject)) ??
                  "unregistered")
            : "empty";
    });
    if (trained === undefined) {
        return none;
    }
    if (trained === "empty") {
        return problem(
            "a trained model: trained.json, or model.tar.gz and output.tar.gz",
            "correct the path, or set the model's step to true",
        );
    }
    if (trained === "unregistered") {
        return problem(
            "a model whose data is known (trained.json)",
            "nothing says on which data these archives were trained, so predictions could leak: put its trained.json beside them, or train",
        );
    }
    if (trained.model !== model) {
        return problem(`a ${model} model`, `it holds a ${trained.model} model: correct the path`);
    }
    // Seed and share decide which stacks are held out: with others the model may have learned from this execution's test pages.
    const differences = changes(trained.identity, {
        ...(trained.identity as unknown as MemberIdentity),
        data: wanted.data,
        seed: wanted.seed,
        testShare: wanted.testShare,
    });
    if (differences.length > 0) {
        return problem(
            "a model trained on this very data with the same pages held out",
            `${differences.join("; ")}: its predictions are worthless for other pages; use its data, or train`,
        );
    }
    const damaged = await damage(storage, trained);
    if (damaged !== undefined) {
        return problem("a whole model", `${damaged}: name another, or train`);
    }
    const { jobName, execution, trainedAt, artifacts, key, identity } = trained;
    return {
        action: "skip",
        key,
        identity,
        trained,
        given: { prefix, jobName, execution, trainedAt, artifacts },
        reason: `given: ${prefix}, key ${key.slice(0, 8)}, trained ${trainedAt.slice(0, 10)} by execution ${execution}`,
    };
}

/** The marker among those below the target whose archives are the same bytes. */
async function registered(
    storage: Storage,
    target: string,
    model: string,
    archive: StoredObject,
    output: StoredObject,
): Promise<TrainedModel | undefined> {
    const folder = joinS3(target, "trained", model);
    let looked = 0;
    for await (const { key } of storage.list(folder)) {
        const trained = await readTrained(storage, joinS3(folder, key));
        if (
            trained !== undefined &&
            sameObject(trained.artifacts.model, archive) &&
            sameObject(trained.artifacts.output, output)
        ) {
            return { ...trained, artifacts: { model: archive, output } };
        }
        if (++looked === 200) {
            break;
        }
    }
    return undefined;
}

function resourceConfig(
    settings: StageSettings,
    model: ModelSettings,
    instanceType: string,
): Readonly<Record<string, string | number>> {
    // The settings name the key by its alias, which is known before the key; volumes take no alias.
    const key = settings.kmsKeyArn === undefined ? undefined : (process.env.KMS_KEY_ARN ?? settings.kmsKeyArn);
    return {
        InstanceType: instanceType,
        InstanceCount: model.instanceCount,
        VolumeSizeInGB: model.volumeGb,
        ...(key === undefined || nvmeFamilies.test(instanceType) ? {} : { VolumeKmsKeyId: key }),
    };
}

function inputChannel(name: string, uri: string): unknown {
    return {
        ChannelName: name,
        DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: uri, S3DataDistributionType: "FullyReplicated" } },
        CompressionType: "None",
        InputMode: "File",
    };
}

function byMember(
    settings: StageSettings,
    parameter: "mergeParameter" | "publishParameter",
    value: (name: string) => string,
) {
    return Object.fromEntries(
        Object.entries(settings.members).map(([name, member]) => [member[parameter], value(name)]),
    );
}

/** What the publish job checks before it publishes. */
function gate(settings: StageSettings) {
    const models = [...Object.entries(settings.members), [settings.combiner.name, settings.combiner] as const];
    return {
        minimum: Object.fromEntries(
            models
                .filter(([, model]) => Object.keys(model.minimumMetrics).length > 0)
                .map(([name, model]) => [name, model.minimumMetrics]),
        ),
        ...(settings.maximumRegression === undefined ? {} : { maximumRegression: settings.maximumRegression }),
    };
}
