/** What a run and the served API have in common: one holder of a folder, the stage, the documents, the object store. */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { EXIT, explain, ToolError } from "../../ground/errors";
import { pythonOf } from "../python";
import { count } from "../../ground/quantity";
import { parseS3Address, type S3Address } from "../../ground/s3Address";
import { CONFIG_KEYS } from "../../stacks/config";
import { COMBINER, hyperparametersOf, MEMBERS } from "../../stacks/models";
import type { StageSettings } from "../../workflow/contract";
import { describeProblem, mostFolds, readInput as completeInput } from "../../workflow/input";
import { parseFault, type Fault, type TaskKind } from "../faults";
import { takeLock } from "../process/lock";
import { endOrphans, Supervisor } from "../process/supervisor";
import { checkDocumentsInTurns, type Documents } from "../sample/documents";
import { sampleDocuments } from "../sample/generate";
import { Mirror } from "../storage/mirror";
import { startObjectStore, type ObjectStore } from "../storage/objectStore";
import { currentProject, type Project } from "../../project/evaluate";
import { evaluateProgram } from "./evaluate";
import { localFolder, type LocalFolder } from "./folder";
import { executionInput, parseSettings, type Settings } from "./input";
import { parseUpperBounds, type Reduction, type UpperBounds } from "./reductions";
import { Progress, type ProgressStream } from "./progress";
import { localStage, type LocalStage } from "./stage";
import { semaphore, taskStates, type Semaphore } from "./tasks";

export interface SessionOptions {
    readonly root: string;
    /** Where runs, documents and the copy of the object store are kept. */
    readonly folder: string;
    readonly stack: string;
    readonly documents?: string;
    /** Path of an execution input. */
    readonly input?: string;
    readonly set: readonly string[];
    readonly fail: readonly string[];
    readonly seed?: number;
    /** Start over, even where the last run did not finish. */
    readonly fresh: boolean;
    /** Keep the working directories of the jobs. */
    readonly keep: boolean;
    /** Replaces the reductions of local/hyperparameters.json. */
    readonly hyperparameters?: string;
    readonly progress: ProgressStream;
    readonly signal: AbortSignal;
    /** Whose program it is. Default: {@link currentProject}. */
    readonly project?: Project;
    /** The Python that has the trainings' packages and moto. Default: ENSEMBLE_PYTHON, or the project's .venv. */
    readonly python?: string;
    /** Told who must be ended should the run have to leave at once. */
    readonly onSupervisor: (supervisor: Supervisor) => void;
}

/** Models, archives and copies of one run, with room to spare. */
const NEEDED_BYTES = 500 * 1024 * 1024;
/** What a later run does not need from S3: its own copy of the data is made again. */
const NOT_MIRRORED = /^(data|code)\/|^runs\/[^/]+\/(raw_data|image_model_training_split_set|dataframe)\//;

/** Whoever holds the folder: nothing of an earlier holder is left running, and nothing of this one afterwards. */
export interface Session {
    readonly options: SessionOptions;
    readonly folder: LocalFolder;
    readonly supervisor: Supervisor;
    readonly progress: Progress;
    readonly python: string;
    readonly mirror: Mirror;
}

/**
 * Does `work` as the only holder of the folder.
 * @throws ToolError while another run holds it, and where the disk is nearly full.
 */
export async function inSession<T>(
    options: SessionOptions,
    what: string,
    work: (session: Session) => Promise<T>,
): Promise<T> {
    const folder = localFolder(options.folder);
    const progress = new Progress(options.progress);
    let lock: ReturnType<typeof takeLock> | undefined;
    let supervisor: Supervisor | undefined;
    try {
        lock = takeLock(folder.lock, what);
        const orphans = await endOrphans(folder.children);
        if (orphans.length > 0) {
            progress.note(`The last run was killed; it left ${orphans.join(", ")} behind: ended.`);
        }
        supervisor = new Supervisor(folder.children);
        options.onSupervisor(supervisor);
        return await work({
            options,
            folder,
            supervisor,
            progress,
            python: pythonOf(options.root, options.python),
            mirror: new Mirror(folder.store, (key) => !NOT_MIRRORED.test(key)),
        });
    } catch (error) {
        throw explain(error, "The local run stopped");
    } finally {
        progress.close();
        await supervisor?.stopAll();
        lock?.release();
    }
}

/** A stage and its documents, checked: nothing has run yet. */
export interface Prepared {
    readonly stage: LocalStage;
    readonly states: ReadonlyMap<string, TaskKind>;
    readonly faults: readonly Fault[];
    readonly documents: Documents;
    /** s3:// prefix of the documents in the local object store. */
    readonly dataPath: string;
    readonly slot: Semaphore;
    /** The execution's input, and what it makes smaller than the stage is configured. */
    input(force: boolean): { readonly input: unknown; readonly reductions: readonly Reduction[] };
}

/** @throws ToolError with what is wrong: arguments, configuration, documents. */
export async function prepare(session: Session): Promise<Prepared> {
    const { options, folder, progress } = session;
    const { root, signal } = options;
    const settings: Settings = parseSettings(options.set, modelHyperparameters(), Object.keys(CONFIG_KEYS));
    const given = readInput(options.input);
    const bounds = readUpperBounds(root, options.hyperparameters);
    const project = options.project ?? currentProject();
    await checkDisk(folder);
    const seeded = options.seed === undefined ? {} : { seed: options.seed };
    const evaluating = progress.begin(`Pulumi program, stage ${options.stack}`);
    const evaluated = await evaluateProgram(options.stack, {
        project,
        overrides: { ...settings.configuration, ...seeded },
    }).catch((error: unknown) => {
        evaluating.end("failed");
        throw error;
    });
    const stage = await localStage(evaluated, root, folder.functions);
    evaluating.end("done", `${evaluated.resources.length} resources; state machine ${stage.stateMachine.name}`);
    const states = taskStates(stage.stateMachine.definition);
    const faults = options.fail.map((text) => parseFault(text, states));
    signal.throwIfAborted();
    const dataPath = `${stage.settings.artifactBase}/data/documents`;
    const input = (force: boolean) =>
        executionInput({ settings: stage.settings, given, dataPath, bounds, changes: settings.input, force });
    refuseInput(input(false).input, stage.settings);
    const documents = await prepareDocuments(session, stage.settings, input(false).input);
    signal.throwIfAborted();
    return {
        stage,
        states,
        faults,
        documents,
        dataPath,
        slot: semaphore(availableParallelism()),
        input,
    };
}

/** @throws ToolError with all that Setup would refuse: then nothing is run. */
export function refuseInput(input: unknown, settings: StageSettings): void {
    const { problems } = completeInput(input, settings);
    if (problems.length > 0) {
        throw new ToolError(
            `The execution's input (--set, --input) has ${count(problems.length, "problem")}; nothing was run.\n` +
                problems.map((problem) => describeProblem(problem)).join("\n"),
            EXIT.usage,
        );
    }
}

/** Starts the object store with what earlier runs left, the program's own objects and the documents. */
export async function openStore(
    session: Session,
    prepared: Prepared,
    log: string,
    port?: number,
): Promise<{ readonly store: ObjectStore; readonly death: StoreDeath }> {
    const { options, supervisor, progress, python, mirror } = session;
    const { stage, documents } = prepared;
    // the address of an earlier store must not be read out of its log
    rmSync(log, { force: true });
    mkdirSync(path.dirname(log), { recursive: true });
    const storing = progress.begin("Local object store", log);
    const store = await startObjectStore({
        supervisor,
        python,
        region: stage.region,
        port,
        cwd: options.root,
        log,
        objects: await firstObjects(stage, mirror, documents, parseS3Address(prepared.dataPath)),
    });
    storing.end("done", `${store.endpoint}, ${documents.files.length} files of documents`);
    return { store, death: watch(store, options.signal, progress) };
}

function modelHyperparameters(): Record<string, string[]> {
    return Object.fromEntries(
        [...Object.entries(MEMBERS), [COMBINER.name, COMBINER] as const].map(([name, spec]) => [
            name,
            Object.keys(hyperparametersOf(spec).schema),
        ]),
    );
}

function readInput(file: string | undefined): unknown {
    if (file === undefined) {
        return undefined;
    }
    const text = readText(file, "--input");
    try {
        return JSON.parse(text);
    } catch (error) {
        throw new ToolError(`--input ${file}: no JSON: ${(error as Error).message}`, EXIT.usage);
    }
}

/** Only the checkout has bounds of its own: a project that uses the package trains what it is configured with. */
function readUpperBounds(root: string, file: string | undefined): UpperBounds {
    const source = file ?? path.join(root, "local", "hyperparameters.json");
    if (file === undefined && !existsSync(source)) {
        return {};
    }
    return parseUpperBounds(readText(source, "--hyperparameters"), file ?? "local/hyperparameters.json");
}

function readText(file: string, option: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch (error) {
        throw new ToolError(
            `${option} ${file}: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message}`,
            EXIT.usage,
        );
    }
}

async function checkDisk(folder: LocalFolder): Promise<void> {
    mkdirSync(folder.base, { recursive: true });
    const { bavail, bsize } = await statfs(folder.base);
    if (bavail * bsize < NEEDED_BYTES) {
        throw new ToolError(
            `${folder.base}: ${Math.floor((bavail * bsize) / 1024 / 1024)} MB are free, a run needs up to ` +
                `${NEEDED_BYTES / 1024 / 1024} MB; ` +
                `free some space (older runs lie in ${folder.runs}), then run this again.`,
        );
    }
}

/** What the members' channels take from the data besides the labels: folders of pages, or files. */
function wantedData({ members }: StageSettings): string[] {
    const paths = Object.values(members)
        .flatMap(({ channels }) => channels)
        .filter(({ from }) => from === "raw_data")
        .map((channel) => channel.path);
    return [...new Set(paths)]
        .filter((file) => file !== "" && file !== "labels.csv")
        .map((file) => file.replace(/\/+$/, ""));
}

async function prepareDocuments(
    { options, folder, supervisor, progress, python }: Session,
    settings: StageSettings,
    input: unknown,
): Promise<Documents> {
    const wanted = wantedData(settings);
    if (options.documents === undefined && !wanted.every((file) => file === "text" || file === "images")) {
        throw new ToolError(
            `The members read ${wanted.join(", ")}, which the sample does not have: name your data, --documents ` +
                "<folder>.",
            EXIT.usage,
        );
    }
    const row = progress.begin(
        options.documents === undefined ? "Sample documents" : `Documents of ${options.documents}`,
    );
    try {
        const { directory, made } =
            options.documents !== undefined
                ? { directory: path.resolve(options.documents), made: false }
                : await sampleDocuments({
                      supervisor,
                      root: options.root,
                      cache: folder.documents,
                      python,
                      seed: options.seed ?? 1,
                      signal: options.signal,
                  });
        const { input: completed } = completeInput(input, settings);
        // what is wrong with the input, Setup says, as it does on AWS
        const folds = completed === undefined ? settings.folds : mostFolds(settings, completed);
        const documents = await checkDocumentsInTurns(
            directory,
            { folds, wanted, draw: settings },
            {
                progress: (done, of) => row.say(`${done} of ${of} files read`),
                signal: options.signal,
            },
        );
        row.end(
            "done",
            `${documents.stacks} stacks, ${documents.documents} documents, ${documents.pages.length} pages, ` +
                `${documents.classes.length} classes${made ? ", newly made" : ""}`,
        );
        return documents;
    } catch (error) {
        row.end("failed");
        throw error;
    }
}

/** Everything that the store holds from the start: what earlier runs left, the program's own objects, the documents. */
async function firstObjects(
    stage: LocalStage,
    mirror: Mirror,
    documents: Documents,
    data: S3Address,
): Promise<Record<string, Record<string, string>>> {
    const buckets: Record<string, Record<string, string>> = Object.fromEntries(
        stage.buckets.map((bucket) => [bucket, {}]),
    );
    for (const [bucket, objects] of Object.entries(await mirror.objects())) {
        buckets[bucket] = { ...buckets[bucket], ...objects };
    }
    for (const { bucket, key, file } of stage.objects) {
        buckets[bucket] = { ...buckets[bucket], [key]: file };
    }
    buckets[data.bucket] = {
        ...buckets[data.bucket],
        ...Object.fromEntries(
            documents.files.map((file) => [`${data.key}/${file}`, path.join(documents.directory, file)]),
        ),
    };
    return buckets;
}

/** Why the store ended by itself, once it has. */
export interface StoreDeath {
    reason?: string;
}

/**
 * The store is a process like any other and may be killed; the workflow then fails by its own ways, and the end says
 * why.
 */
function watch(store: ObjectStore, signal: AbortSignal, progress: Progress): StoreDeath {
    const death: StoreDeath = {};
    let expected = false;
    const stop = store.stop.bind(store);
    Object.assign(store, {
        stop: () => {
            expected = true;
            return stop();
        },
    });
    store.died.then(
        (reason) => {
            if (!expected && !signal.aborted) {
                death.reason = reason;
                progress.note(`  ${reason}`);
            }
        },
        () => undefined,
    );
    return death;
}
