import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rename, rm, statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import * as tar from "tar";
import type { JsonValue } from "../../asl/types";
import { execute, RealClock, type ExecutionResult, type HistoryEvent } from "../../asl/interpreter";
import { CONFIG_KEYS } from "../../stacks/config";
import { COMBINER, MEMBERS } from "../../stacks/models";
import type { Hyperparameters, ModelRun, Run, TrainedModel } from "../../workflow/contract";
import { EXIT, explain, LocalError } from "../errors";
import { parseFault } from "../faults";
import { takeLock } from "../process/lock";
import { endOrphans, Supervisor } from "../process/supervisor";
import { checkDocuments, type Documents } from "../sample/documents";
import { sampleDocuments } from "../sample/generate";
import { Mirror } from "../storage/mirror";
import { startObjectStore, type ObjectStore } from "../storage/objectStore";
import { concurrently, downloadObject, listObjects, parseS3Uri, type S3Address } from "../storage/transfer";
import { evaluateProgram } from "./evaluate";
import { localFolder, newRunId, pruneRuns, readLastRun, writeJson, writeLastRun, type LocalFolder } from "./folder";
import { executionInput, parseSettings } from "./input";
import { judgeCombiner, judgeMember, readDataframe, type Judgement } from "./metrics";
import { Progress, type ProgressStream } from "./progress";
import type { RunResult } from "./report";
import { localStage, type LocalStage } from "./stage";
import { localTasks, taskStates } from "./tasks";

export interface LocalRunOptions {
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
    readonly port?: number;
    /** Keep the working directories of the jobs. */
    readonly keep: boolean;
    /** Reuse what an earlier run trained, even where nothing failed. */
    readonly reuse: boolean;
    /** Start over, even where the last run did not finish. */
    readonly fresh: boolean;
    /** Replaces the reductions of local/hyperparameters.json. */
    readonly hyperparameters?: string;
    readonly progress: ProgressStream;
    readonly signal: AbortSignal;
    /** Told who must be ended should the run have to leave at once. */
    readonly onSupervisor: (supervisor: Supervisor) => void;
}

const KEPT_RUNS = 10;
/** Models, archives and copies of one run, with room to spare. */
const NEEDED_BYTES = 500 * 1024 * 1024;
const CHECKPOINT_SAVE_MS = 10_000;
/** What a later run does not need from S3: its own copy of the data is made again. */
const NOT_MIRRORED = /^(data|code)\/|^runs\/[^/]+\/(raw_data|image_model_training_split_set|dataframe)\//;

/** One local run, from the lock to the report. A failed execution is a result; a problem of this machine or of the arguments is thrown. */
export async function localRun(options: LocalRunOptions): Promise<RunResult> {
    const folder = localFolder(options.folder);
    const progress = new Progress(options.progress);
    let lock: ReturnType<typeof takeLock> | undefined;
    let supervisor: Supervisor | undefined;
    try {
        lock = takeLock(folder.lock, `a local run of the stage ${options.stack}`);
        const orphans = await endOrphans(folder.children);
        if (orphans.length > 0) {
            progress.note(`The last run was killed; it left ${orphans.join(", ")} behind: ended.`);
        }
        supervisor = new Supervisor(folder.children);
        options.onSupervisor(supervisor);
        return await lockedRun(options, folder, supervisor, progress);
    } catch (error) {
        throw explain(error, "The local run stopped");
    } finally {
        progress.close();
        await supervisor?.stopAll();
        lock?.release();
    }
}

async function lockedRun(options: LocalRunOptions, folder: LocalFolder, supervisor: Supervisor, progress: Progress): Promise<RunResult> {
    const begun = Date.now();
    const { signal, root } = options;
    const settings = parseSettings(options.set, modelHyperparameters(), Object.keys(CONFIG_KEYS));
    const given = readInput(options.input);
    const reductions = readReductions(root, options.hyperparameters);
    const python = path.join(root, ".venv", "bin", "python");
    await checkDisk(folder);

    const evaluating = progress.begin(`Pulumi program, stage ${options.stack}`);
    const evaluated = await evaluateProgram(options.stack, {
        overrides: { ...settings.configuration, ...(options.seed === undefined ? {} : { seed: options.seed }) },
    }).catch((error: unknown) => {
        evaluating.end("failed");
        throw error;
    });
    const stage = await localStage(evaluated, root, folder.functions);
    evaluating.end("done", `${evaluated.resources.length} resources; state machine ${stage.stateMachine.name}`);
    const states = taskStates(stage.stateMachine.definition);
    const faults = options.fail.map((text) => parseFault(text, states));
    signal.throwIfAborted();

    const documents = await prepareDocuments(options, folder, supervisor, progress, stage.settings.folds);
    signal.throwIfAborted();

    const last = readLastRun(folder);
    const unfinished = last !== undefined && last.outcome !== "SUCCEEDED";
    const continuing = unfinished && !options.fresh;
    const mirror = new Mirror(folder.store, (key) => !NOT_MIRRORED.test(key));
    if (continuing) {
        progress.note(`The last run (${last.id}) ${ended(last.outcome, last.active)}: what it finished is reused. --fresh starts over.`);
    } else if (!options.reuse) {
        await mirror.clear();
    }
    const id = newRunId(folder, new Date());
    const directory = path.join(folder.runs, id);
    mkdirSync(path.join(directory, "logs"), { recursive: true });
    const active = new Set<string>();
    const remember = (outcome: "running" | RunResult["status"]) => writeLastRun(folder, { id, stage: stage.name, outcome, active: [...active] });

    const dataPath = `${stage.settings.artifactBase}/data/documents`;
    const data = parseS3Uri(dataPath);
    const storing = progress.begin("Local object store", path.join(directory, "logs", "object-store.log"));
    const store = await startObjectStore({
        supervisor, python, region: stage.region, port: options.port, cwd: root, log: path.join(directory, "logs", "object-store.log"),
        objects: await firstObjects(stage, mirror, documents, data),
    });
    storing.end("done", `${store.endpoint}, ${documents.files.length} files of documents`);
    const storeDeath = watch(store, signal, progress);
    remember("running");

    const { input, reductions: reduced } = executionInput({
        settings: stage.settings, given, dataPath, reductions, changes: settings.input, force: !continuing && !options.reuse,
    });
    writeJson(path.join(directory, "input.json"), input);
    const history = path.join(directory, "history.jsonl");
    const save = () => mirror.save(store.s3, stage.buckets);
    let checkpointSaved = Date.now();
    let messages = 0;
    let plan: Run | undefined;
    const clock = new RealClock({
        skipWaits: true,
        onSkip: ({ state, kind, milliseconds }) =>
            progress.passed(state, `${kind === "Retry" ? "pause before a retry" : "wait"} of ${milliseconds / 1000} s skipped`),
    });
    const started = Date.now();
    const execution: ExecutionResult = await execute(stage.stateMachine.definition, {
        input: input as JsonValue,
        clock,
        signal,
        name: id,
        executionArn: `${stage.stateMachine.arn.replace(":stateMachine:", ":execution:")}:${id}`,
        stateMachineArn: stage.stateMachine.arn,
        stateMachineName: stage.stateMachine.name,
        roleArn: stage.stateMachine.roleArn,
        onEvent: (event) => {
            appendFileSync(history, `${JSON.stringify(event)}\n`);
            showEvent(event, progress);
        },
        task: localTasks({
            stage, store, supervisor, directory, python, faults,
            processors: availableParallelism(),
            observer: {
                begin: (request, log) => {
                    const label = request.entered > 1 || request.attempt > 0
                        ? `${request.state} (attempt ${request.entered + request.attempt})` : request.state;
                    active.add(request.state);
                    remember("running");
                    const row = progress.begin(label, log);
                    return {
                        end: (outcome, note) => {
                            active.delete(request.state);
                            row.end(outcome, note);
                        },
                    };
                },
                message: (message) => {
                    messages += 1;
                    progress.note(`  message to ${message.topic}\n    ${message.subject}\n${indent(message.message)}`);
                },
                finished: async (request, answer) => {
                    if (plan === undefined && isRun(answer.Payload)) {
                        plan = answer.Payload;
                        showPlan(plan, stage, progress);
                    }
                    if (states.get(request.state) !== "sns") {
                        // best effort: what was not copied is trained again by the next run
                        await save().catch((error: Error) => progress.note(`  the copy of the object store was not updated: ${error.message}`));
                    }
                },
                checkpoint: () => {
                    if (Date.now() - checkpointSaved > CHECKPOINT_SAVE_MS) {
                        checkpointSaved = Date.now();
                        save().catch(() => undefined);
                    }
                },
            },
        }),
    });
    const executionMilliseconds = Date.now() - started;
    if (execution.status !== "SUCCEEDED") {
        await save().catch(() => undefined);
    }
    let artifacts: string | undefined;
    let metrics: readonly Judgement[] = [];
    if (execution.status === "SUCCEEDED" && plan !== undefined) {
        const collecting = progress.begin("Artefacts and metrics");
        artifacts = await exportArtifacts(store, plan, directory);
        metrics = await judge(store, stage, plan, directory);
        collecting.end("done");
    }
    await mirror.prune();
    await store.stop();
    rmSync(path.join(directory, "scratch"), { recursive: true, force: true });
    if (execution.status === "SUCCEEDED" && !options.keep) {
        rmSync(path.join(directory, "jobs"), { recursive: true, force: true });
    }
    remember(execution.status);
    pruneRuns(folder, KEPT_RUNS);
    const result: RunResult = {
        format: 1,
        id,
        stage: stage.name,
        status: execution.status,
        ...(execution.error === undefined ? {} : { error: execution.error }),
        ...(execution.cause === undefined ? {} : { cause: execution.cause }),
        startedAt: new Date(begun).toISOString(),
        milliseconds: Date.now() - begun,
        executionMilliseconds,
        stateMachine: stage.stateMachine.name,
        documents: {
            directory: documents.directory, stacks: documents.stacks, documents: documents.documents, pages: documents.pages.length,
        },
        models: Object.fromEntries((plan === undefined ? [] : modelsOf(plan, stage))
            .map(([name, { action, reason }]) => [name, { action, reason }])),
        metrics,
        reductions: reduced,
        skippedWaits: clock.skipped.map(({ state, kind, milliseconds }) => ({ state, kind, seconds: milliseconds / 1000 })),
        messages,
        transitions: execution.transitions,
        events: execution.eventCount,
        directory,
        ...(artifacts === undefined ? {} : { artifacts }),
        history,
        logs: readdirSync(path.join(directory, "logs")).sort().map((name) => path.join(directory, "logs", name)),
    };
    writeJson(path.join(directory, "definition.json"), stage.stateMachine.definition);
    writeJson(path.join(directory, "result.json"), result);
    if (storeDeath.reason !== undefined && !signal.aborted) {
        throw new LocalError(`The run ended ${execution.status} because ${storeDeath.reason}. Run this again: what was finished is reused.`);
    }
    return result;
}

function ended(outcome: string, active: readonly string[]): string {
    const during = active.length > 0 ? ` during ${active.join(" and ")}` : "";
    const verbs: Readonly<Record<string, string>> = {
        running: `was killed${during}`, ABORTED: `was stopped${during}`, FAILED: "failed", TIMED_OUT: "timed out",
    };
    return verbs[outcome] ?? "did not finish";
}

function modelHyperparameters(): Record<string, string[]> {
    return Object.fromEntries([...Object.entries(MEMBERS), [COMBINER.name, COMBINER] as const]
        .map(([name, spec]) => [name, Object.keys(spec.hyperparameters)]));
}

function readInput(file: string | undefined): unknown {
    if (file === undefined) {
        return undefined;
    }
    const text = readText(file, "--input");
    try {
        return JSON.parse(text);
    } catch (error) {
        throw new LocalError(`--input ${file}: no JSON: ${(error as Error).message}`, EXIT.usage);
    }
}

function readReductions(root: string, file: string | undefined): Record<string, Hyperparameters> {
    const source = file ?? path.join(root, "local", "hyperparameters.json");
    try {
        return JSON.parse(readText(source, "--hyperparameters")) as Record<string, Hyperparameters>;
    } catch (error) {
        throw error instanceof LocalError ? error : new LocalError(`${source}: no JSON: ${(error as Error).message}`, EXIT.usage);
    }
}

function readText(file: string, option: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch (error) {
        throw new LocalError(`${option} ${file}: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message}`,
            EXIT.usage);
    }
}

async function checkDisk(folder: LocalFolder): Promise<void> {
    mkdirSync(folder.base, { recursive: true });
    const { bavail, bsize } = await statfs(folder.base);
    if (bavail * bsize < NEEDED_BYTES) {
        throw new LocalError(`${folder.base}: ${Math.floor(bavail * bsize / 1024 / 1024)} MB are free, a run needs up to ${NEEDED_BYTES / 1024 / 1024} MB; `
            + `free some space (older runs lie in ${folder.runs}), then run this again.`);
    }
}

async function prepareDocuments(
    options: LocalRunOptions,
    folder: LocalFolder,
    supervisor: Supervisor,
    progress: Progress,
    folds: number,
): Promise<Documents> {
    const row = progress.begin(options.documents === undefined ? "Sample documents" : `Documents of ${options.documents}`);
    try {
        const { directory, made } = options.documents !== undefined
            ? { directory: path.resolve(options.documents), made: false }
            : await sampleDocuments({
                supervisor,
                root: options.root,
                cache: folder.documents,
                python: path.join(options.root, ".venv", "bin", "python"),
                seed: options.seed ?? 1,
                signal: options.signal,
            });
        const documents = checkDocuments(directory, folds);
        row.end("done", `${documents.stacks} stacks, ${documents.documents} documents, ${documents.pages.length} pages, `
            + `${documents.classes.length} classes${made ? ", newly made" : ""}`);
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
    const buckets: Record<string, Record<string, string>> = Object.fromEntries(stage.buckets.map((bucket) => [bucket, {}]));
    for (const [bucket, objects] of Object.entries(await mirror.objects())) {
        buckets[bucket] = { ...buckets[bucket], ...objects };
    }
    for (const { bucket, key, file } of stage.objects) {
        buckets[bucket] = { ...buckets[bucket], [key]: file };
    }
    buckets[data.bucket] = {
        ...buckets[data.bucket],
        ...Object.fromEntries(documents.files.map((file) => [`${data.key}/${file}`, path.join(documents.directory, file)])),
    };
    return buckets;
}

/** The store is a process like any other and may be killed; the workflow then fails by its own ways, and the end says why. */
function watch(store: ObjectStore, signal: AbortSignal, progress: Progress): { reason?: string } {
    const death: { reason?: string } = {};
    let expected = false;
    const stop = store.stop.bind(store);
    Object.assign(store, { stop: () => {
        expected = true;
        return stop();
    } });
    store.died.then((reason) => {
        if (!expected && !signal.aborted) {
            death.reason = reason;
            progress.note(`  ${reason}`);
        }
    }, () => undefined);
    return death;
}

function showEvent(event: HistoryEvent, progress: Progress): void {
    const entered = event.stateEnteredEventDetails as { name?: string } | undefined;
    if (event.type === "PassStateEntered" && entered?.name?.startsWith("Skip ")) {
        progress.passed(entered.name, "");
    }
}

function modelsOf(run: Run, stage: LocalStage): [string, ModelRun][] {
    return [...Object.entries(run.members), [stage.settings.combiner.name, run.combiner]];
}

function showPlan(run: Run, stage: LocalStage, progress: Progress): void {
    for (const [name, model] of modelsOf(run, stage)) {
        progress.note(`      ${name}: ${model.reason}`);
    }
}

function isRun(value: unknown): value is Run {
    return typeof value === "object" && value !== null && "output_artifact_paths" in value && "members" in value;
}

/** What was published, as files, whole or not at all. */
async function exportArtifacts(store: ObjectStore, run: Run, directory: string): Promise<string> {
    const { bucket, key } = parseS3Uri(`${run.output_artifact_paths.ready_to_use_artifacts}/`);
    const target = path.join(directory, "artifacts");
    await concurrently(await listObjects(store.s3, bucket, key), (object) =>
        downloadObject(store.s3, { bucket, key: object.key }, path.join(`${target}.part`, object.key.slice(key.length))));
    await rename(`${target}.part`, target);
    return target;
}

/** Page accuracy and segment F1 of every model on the held-out stacks, from the merged table and the combiner's own predictions. */
async function judge(store: ObjectStore, stage: LocalStage, run: Run, directory: string): Promise<readonly Judgement[]> {
    const scratch = await mkdtemp(path.join(directory, "metrics-"));
    try {
        const combiner = stage.settings.combiner.name;
        const table = path.join(scratch, "dataframe.csv");
        await downloadObject(store.s3, parseS3Uri(`${run.output_artifact_paths.sequence_model_training_dataframe}/dataframe.csv`), table);
        const marker = path.join(scratch, "trained.json");
        await downloadObject(store.s3, parseS3Uri(`${run.combiner.output_path}/trained.json`), marker);
        const trained = JSON.parse(readFileSync(marker, "utf8")) as TrainedModel;
        const archive = path.join(scratch, "output.tar.gz");
        await downloadObject(store.s3, parseS3Uri(trained.artifacts.output.uri), archive);
        await tar.x({ file: archive, cwd: scratch });
        const dataframe = readDataframe(readFileSync(table, "utf8"));
        const predictions = path.join(scratch, "predictions.jsonl");
        // what the report is drawn from
        const evaluation = path.join(directory, "evaluation");
        await mkdir(evaluation, { recursive: true });
        for (const name of ["dataframe.csv", "predictions.jsonl", "history.json"].filter((file) => existsSync(path.join(scratch, file)))) {
            await copyFile(path.join(scratch, name), path.join(evaluation, name));
        }
        return [
            ...dataframe.members.map((member) => judgeMember(dataframe, member)),
            ...(existsSync(predictions) ? [judgeCombiner(dataframe, combiner, readFileSync(predictions, "utf8"))] : []),
        ];
    } finally {
        await rm(scratch, { recursive: true, force: true });
    }
}

function indent(text: string): string {
    return text.split("\n").map((line) => `    ${line}`).join("\n");
}

