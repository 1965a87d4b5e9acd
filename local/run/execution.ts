/** One execution of a stage's workflow on this machine: its folder, its Tasks, its progress and what is left of it. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import path from "node:path";
import { RealClock, type ExecutionResult, type HistoryEvent, type TaskHandler } from "../../asl/interpreter";
import type { HistoryEventLike } from "../../asl/history";
import type { StateMachineDefinition } from "../../asl/types";
import { defined } from "../../ground/fields";
import { parseS3Address } from "../../ground/s3Address";
import type { Judgement } from "../../report/metrics";
import type { ModelRun, Run } from "../../workflow/contract";
import { unrehearsed } from "../faults";
import type { ObjectStore } from "../storage/objectStore";
import { concurrently, downloadObject, listObjects } from "../storage/transfer";
import { factsOf, keepEvidence } from "./evidence";
import { writeJson } from "./folder";
import type { Reduction } from "./reductions";
import type { Progress } from "./progress";
import type { RunResult } from "./report";
import type { Prepared, Session } from "./session";
import type { LocalStage } from "./stage";
import { localTasks, type StartedJob } from "./tasks";

const CHECKPOINT_SAVE_MS = 10_000;

export interface LocalExecutionOptions {
    readonly session: Session;
    readonly prepared: Prepared;
    readonly store: ObjectStore;
    /** Names of training jobs used before: SageMaker refuses them for ever. */
    readonly usedNames: Set<string>;
    /** Folder of the execution; its name becomes the result's id. */
    readonly directory: string;
    readonly input: unknown;
    /** Default: the stage's. */
    readonly definition?: Pick<StateMachineDefinition, "StartAt" | "States">;
    readonly reductions: readonly Reduction[];
    /** Put before the states' names, where several executions share the progress. */
    readonly label?: string;
    /** Told which states are at work, whenever that changes. */
    readonly onActive?: (states: readonly string[]) => void;
    /** Told of each training and job, with its log. */
    readonly onJob?: (job: StartedJob) => void;
}

export class LocalExecution {
    public readonly task: TaskHandler;
    public readonly clock: RealClock;
    private readonly begun = Date.now();
    private readonly history: string;
    private readonly active: string[] = [];
    private checkpointSaved = Date.now();
    private messages = 0;
    private plan: Run | undefined;

    public constructor(private readonly options: LocalExecutionOptions) {
        const { session, prepared, directory } = options;
        mkdirSync(path.join(directory, "logs"), { recursive: true });
        writeJson(path.join(directory, "input.json"), options.input);
        this.history = path.join(directory, "history.jsonl");
        this.clock = new RealClock({
            skipWaits: true,
            onSkip: ({ state, kind, milliseconds }) =>
                this.progress.passed(
                    this.label(state),
                    `${kind === "Retry" ? "pause before a retry" : "wait"} of ${milliseconds / 1000} s skipped`,
                ),
        });
        this.task = localTasks({
            stage: prepared.stage,
            store: options.store,
            supervisor: session.supervisor,
            directory,
            python: session.python,
            registry: session.folder.registry,
            faults: prepared.faults,
            slot: prepared.slot,
            usedNames: options.usedNames,
            onJob: options.onJob,
            observer: {
                begin: (request, log) => {
                    const again =
                        request.entered > 1 || request.attempt > 0
                            ? ` (attempt ${request.entered + request.attempt})`
                            : "";
                    this.active.push(request.state);
                    options.onActive?.(this.active);
                    const row = this.progress.begin(this.label(request.state) + again, log);
                    return {
                        end: (outcome, note) => {
                            this.active.splice(this.active.indexOf(request.state), 1);
                            row.end(outcome, note);
                        },
                    };
                },
                message: (message) => {
                    this.messages += 1;
                    this.progress.note(
                        `  message to ${message.topic}\n    ${message.subject}\n${indent(message.message)}`,
                    );
                },
                registered: (file) =>
                    this.progress.note(`      registered, to be approved: ${path.relative(process.cwd(), file)}`),
                finished: async (request, answer) => {
                    if (this.plan === undefined && isRun(answer.Payload)) {
                        this.plan = answer.Payload;
                        for (const [name, model] of modelsOf(this.plan, prepared.stage)) {
                            this.progress.note(`      ${this.label(name)}: ${model.reason}`);
                        }
                    }
                    if (prepared.states.get(request.state) !== "sns") {
                        // best effort: what was not copied is trained again by the next run
                        await this.save().catch((error: Error) =>
                            this.progress.note(`  the copy of the object store was not updated: ${error.message}`),
                        );
                    }
                },
                checkpoint: () => {
                    if (Date.now() - this.checkpointSaved > CHECKPOINT_SAVE_MS) {
                        this.checkpointSaved = Date.now();
                        this.save().catch(() => undefined);
                    }
                },
            },
        });
    }

    /** Keeps an event of the history, and shows what took no time. */
    public event(event: HistoryEvent): void {
        appendFileSync(this.history, `${JSON.stringify(event)}\n`);
        const entered = event.stateEnteredEventDetails as { name?: string } | undefined;
        if (event.type === "PassStateEntered" && entered?.name?.startsWith("Skip ")) {
            this.progress.passed(this.label(entered.name), "");
        }
    }

    /**
     * Collects artefacts and metrics, and writes what the report is drawn from.
     * @param startedAt milliseconds since the epoch: of the whole run, where more than the execution counts.
     */
    public async finish(execution: ExecutionResult, startedAt: number = this.begun): Promise<RunResult> {
        const { session, prepared, store, directory, reductions } = this.options;
        const { stage, documents } = prepared;
        const executionMilliseconds = Date.now() - this.begun;
        if (execution.status !== "SUCCEEDED") {
            await this.save().catch(() => undefined);
        }
        let artifacts: string | undefined;
        let metrics: readonly Judgement[] = [];
        if (execution.status === "SUCCEEDED" && this.plan !== undefined) {
            const collecting = this.progress.begin(this.label("Artefacts"));
            artifacts = await exportArtifacts(store, this.plan, directory);
            collecting.end("done");
        }
        const id = path.basename(directory);
        const executionArn = `${stage.stateMachine.arn.replace(":stateMachine:", ":execution:")}:${id}`;
        const definition = { ...stage.stateMachine.definition, ...this.options.definition };
        // after an interruption the store may be gone
        if (execution.status !== "ABORTED") {
            const judging = this.progress.begin(this.label("Metrics"));
            const events = readFileSync(this.history, "utf8")
                .trim()
                .split("\n")
                .map((line) => JSON.parse(line) as HistoryEventLike);
            metrics = await keepEvidence(
                factsOf({
                    ...execution,
                    id,
                    executionArn,
                    reductions,
                    events,
                    definition,
                    settings: stage.settings,
                }),
                store,
                directory,
            );
            judging.end("done");
        }
        rmSync(path.join(directory, "scratch"), { recursive: true, force: true });
        if (execution.status === "SUCCEEDED" && !session.options.keep) {
            rmSync(path.join(directory, "jobs"), { recursive: true, force: true });
        }
        const result: RunResult = defined({
            format: 1,
            id,
            stage: stage.name,
            status: execution.status,
            error: execution.error,
            cause: execution.cause,
            startedAt: new Date(startedAt).toISOString(),
            milliseconds: Date.now() - startedAt,
            executionMilliseconds,
            stateMachine: stage.stateMachine.name,
            executionArn,
            documents: {
                directory: documents.directory,
                stacks: documents.stacks,
                documents: documents.documents,
                pages: documents.pages.length,
                sample: session.options.documents === undefined,
            },
            models: Object.fromEntries(
                (this.plan === undefined ? [] : modelsOf(this.plan, stage)).map(([name, { action, reason }]) => [
                    name,
                    { action, reason },
                ]),
            ),
            metrics,
            reductions,
            unrehearsed: execution.status === "ABORTED" ? [] : unrehearsed(prepared.faults),
            skippedWaits: this.clock.skipped.map(({ state, kind, milliseconds }) => ({
                state,
                kind,
                seconds: milliseconds / 1000,
            })),
            messages: this.messages,
            transitions: execution.transitions,
            events: execution.eventCount,
            directory,
            artifacts,
            history: this.history,
            logs: readdirSync(path.join(directory, "logs"))
                .sort()
                .map((name) => path.join(directory, "logs", name)),
        });
        writeJson(path.join(directory, "definition.json"), definition);
        writeJson(path.join(directory, "result.json"), result);
        return result;
    }

    private get progress(): Progress {
        return this.options.session.progress;
    }

    private label(state: string): string {
        return this.options.label === undefined ? state : `${this.options.label}: ${state}`;
    }

    private save(): Promise<void> {
        return this.options.session.mirror.save(this.options.store.s3, this.options.prepared.stage.buckets);
    }
}

function modelsOf(run: Run, stage: LocalStage): [string, ModelRun][] {
    return [...Object.entries(run.members), [stage.settings.combiner.name, run.combiner]];
}

function isRun(value: unknown): value is Run {
    return typeof value === "object" && value !== null && "output_artifact_paths" in value && "members" in value;
}

/** What was published, as files, whole or not at all. */
async function exportArtifacts(store: ObjectStore, run: Run, directory: string): Promise<string> {
    const { bucket, key } = parseS3Address(`${run.output_artifact_paths.ready_to_use_artifacts}/`);
    const target = path.join(directory, "artifacts");
    await concurrently(await listObjects(store.s3, bucket, key), (object) =>
        downloadObject(
            store.s3,
            { bucket, key: object.key },
            path.join(`${target}.part`, object.key.slice(key.length)),
        ),
    );
    await rename(`${target}.part`, target);
    return target;
}

function indent(text: string): string {
    return text
        .split("\n")
        .map((line) => `    ${line}`)
        .join("\n");
}
