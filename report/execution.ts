/** The one way from an execution to a report: its history, its definition, and whatever artefacts can be read. */
import { detailsOf, visitsOf, type Attempt, type HistoryEventLike, type Visit } from "../asl/history";
import type { StateMachineDefinition } from "../asl/types";
import { logUrl } from "../ground/console";
import { defined } from "../ground/fields";
import { joinS3 } from "../ground/s3Address";
import type { Prices } from "../pricing/prices";
import type { Run, StageSettings, TrainedModel } from "../workflow/contract";
import { advice, classify } from "../workflow/failures";
import { jobNamePrefix } from "../workflow/names";
import type { Plan } from "../workloads/common/plan";
import { messageOf } from "../workloads/common/errors";
import { readArchive, Unavailable, type ArtefactReader } from "./artefacts";
import { readHistory } from "./history";
import { confusionOf, judge, labelOf, readPredictions, readTruth, type JudgedPage } from "./metrics";
import type {
    Curve,
    ExecutionStatus,
    FailureReport,
    Missing,
    Mistake,
    Mistakes,
    ModelReport,
    ModelResult,
    ReportData,
} from "./model";
import { shrink } from "./pictures";
import { priceOf } from "./price";
import { readQuality, type Quality } from "./quality";

/** What is known of an execution without its artefacts. */
export interface ExecutionFacts {
    readonly where: "aws" | "local";
    readonly executionArn: string;
    readonly name: string;
    readonly status: ExecutionStatus;
    readonly error?: string;
    readonly cause?: string;
    /** Milliseconds since the epoch; of a running execution `stoppedAt` is now. */
    readonly startedAt: number;
    readonly stoppedAt: number;
    readonly definition: StateMachineDefinition;
    readonly settings: StageSettings;
    readonly events: readonly HistoryEventLike[];
    readonly remarks: readonly string[];
    /** What could not be had of these facts. */
    readonly missing: readonly Missing[];
}

export interface ReportOptions {
    /** Wrongly read pages to show with their picture: 0 to {@link maximumPages}. */
    readonly pages: number;
    readonly prices: Prices;
    readonly today: Date;
    readonly signal?: AbortSignal;
    /** Told what is read next. */
    readonly onStep?: (what: string) => void;
}

/** Most pages that a report shows. */
export const maximumPages = 48;
/** Bytes of all pictures: with the rest a report stays below 8 MB. */
const maximumPictureBytes = 3_000_000;

const maximumJson = 4 * 1024 ** 2;
const maximumTable = 64 * 1024 ** 2;
const maximumArchive = 256 * 1024 ** 2;
const maximumImage = 16 * 1024 ** 2;
/** What a report reads of output.tar.gz. */
const wanted = /^(?:fold-\d+\/)?(?:predictions\.jsonl|history\.json|metrics\.json)$/;

interface Decided {
    readonly paths: Readonly<Record<string, string>>;
    readonly models: readonly {
        readonly name: string;
        readonly role: ModelReport["role"];
        readonly action: string;
        readonly reason: string;
    }[];
}

/** Reads and judges all there is; what is not there is named in `missing`, and never fails the report. */
export async function reportOf(
    facts: ExecutionFacts,
    reader: ArtefactReader,
    options: ReportOptions,
): Promise<ReportData> {
    const { settings, definition, status } = facts;
    const missing: Missing[] = [...facts.missing];
    const visits = visitsOf(facts.events, status, status === "RUNNING" ? facts.stoppedAt : undefined);
    const attempt = async <T>(what: string, work: () => Promise<T> | T): Promise<T | undefined> => {
        options.signal?.throwIfAborted();
        options.onStep?.(what);
        try {
            return await work();
        } catch (error) {
            options.signal?.throwIfAborted();
            missing.push({ what, why: messageOf(error) });
            return undefined;
        }
    };
    const json = async <T>(uri: string): Promise<T> =>
        parseJson<T>((await reader.read(uri, maximumJson)).toString("utf8"));

    const target =
        facts.events.length === 0 ? settings.artifactBase : (targetOf(facts.events) ?? settings.artifactBase);
    const run = runOf(visits, definition.StartAt);
    const beganSetup = visits.some((visit) => visit.state === definition.StartAt && visit.outcome === "succeeded");
    const plan =
        !beganSetup && facts.events.length > 0
            ? undefined
            : await attempt("plan.json (what Setup decided)", () =>
                  json<Plan>(joinS3(target, "runs", facts.name, "plan.json")),
              );
    const decided =
        run === undefined ? (plan === undefined ? undefined : decisions(plan, settings)) : decisions(run, settings);
    if (decided === undefined) {
        missing.push({
            what: "models",
            why:
                status === "RUNNING"
                    ? "Setup has not decided yet what is trained"
                    : "the execution ended before Setup had decided what is trained",
        });
    }

    const truth = decided === undefined ? undefined : await truthOf(decided, reader, attempt);
    const jobs = trainings(visits, settings);
    const models: ModelReport[] = [];
    for (const model of decided?.models ?? []) {
        const own = jobs.get(model.name) ?? [];
        const base = {
            name: model.name,
            role: model.role,
            reason: model.reason,
            jobs: own.length,
            seconds: own.reduce((sum, { from, to }) => sum + (to - from) / 1000, 0),
        };
        const marker = joinS3(decided?.paths[`${model.name}_model_prefix`] ?? "", "trained.json");
        const outcome = outcomeOf(model.action, own, status);
        const failed =
            model.role === "member" || own.length === 0
                ? []
                : models.filter((one) => one.outcome === "failed").map(({ name }) => name);
        if (outcome === "running" || outcome === "stopped" || outcome === "not trained") {
            models.push({ ...base, reason: without(failed, model.reason), outcome, curves: [], folds: [] });
            continue;
        }
        const trained = await attempt(`${model.name}: trained.json`, () => json<TrainedModel>(marker));
        const files =
            trained === undefined
                ? undefined
                : await attempt(`${model.name}: output.tar.gz`, async () =>
                      readArchive(await reader.read(trained.artifacts.output.uri, maximumArchive), (name) =>
                          wanted.test(name),
                      ),
                  );
        models.push(
            defined({
                ...base,
                reason: without(trained?.missing ?? failed, model.reason),
                outcome: outcome === "failed" && trained !== undefined ? "trained" : outcome,
                ...(files === undefined ? { curves: [], folds: [] } : await learned(model.name, files, attempt)),
                result:
                    files === undefined || truth === undefined
                        ? undefined
                        : await attempt(`${model.name}: predictions of held-out pages`, () =>
                              resultOf(model.name, truth, files),
                          ),
                quality: await qualityOf(model, files?.get("metrics.json"), attempt),
            }),
        );
    }

    return defined({
        title: definition.Comment ?? `Training of the ensemble (${settings.service}, ${settings.stage})`,
        stage: settings.stage,
        execution: facts.executionArn,
        where: facts.where,
        status,
        error: facts.error,
        cause: facts.cause,
        startedAt: facts.startedAt,
        stoppedAt: facts.stoppedAt,
        definition,
        visits,
        failures: failuresOf(visits, settings.region, facts.where),
        models,
        ...(await mistakesOf(models, decided, reader, options, missing)),
        remarks: facts.remarks,
        notes:
            plan === undefined
                ? []
                : [
                      `data: ${plan.data.source}, ${plan.data.objects} objects, ${plan.data.bytes} bytes, identity ` +
                          `${plan.data.hash.slice(0, 12)}`,
                      ...plan.notes,
                  ],
        price: priceOf(visits, {
            prices: options.prices,
            settings,
            where: facts.where,
            today: options.today,
            modelOf: (jobName) => modelOfJob(jobName, settings),
        }),
        missing,
    });
}

async function qualityOf(
    { name, role }: Decided["models"][number],
    metrics: string | undefined,
    attempt: AttemptTo,
): Promise<Quality | undefined> {
    return role !== "combiner" || metrics === undefined
        ? undefined
        : attempt(`${name}: what it measured`, () => readQuality(metrics));
}

type AttemptTo = <T>(what: string, work: () => Promise<T> | T) => Promise<T | undefined>;

/** Where this execution writes: its input may say so. */
function targetOf(events: readonly HistoryEventLike[]): string | undefined {
    const started = events.find(({ type }) => type === "ExecutionStarted");
    try {
        const input = JSON.parse((started && detailsOf(started).input) ?? "{}") as {
            initialization?: { output_artifact_target_base_path?: unknown };
        };
        const target = input.initialization?.output_artifact_target_base_path;
        return typeof target === "string" && target !== "" ? target : undefined;
    } catch {
        return undefined;
    }
}

/** What Setup answered, where the history has it. */
function runOf(visits: readonly Visit[], setup: string): Run | undefined {
    const output = visits
        .find((visit) => visit.state === setup && visit.outcome === "succeeded")
        ?.attempts.at(-1)?.output;
    try {
        const run = (JSON.parse(output ?? "{}") as { Payload?: Run }).Payload;
        return run?.members !== undefined && run.output_artifact_paths !== undefined ? run : undefined;
    } catch {
        // cut, or without its data
        return undefined;
    }
}

function decisions(from: Run | Plan, settings: StageSettings): Decided {
    type Model = { readonly action: string; readonly reason: string };
    const member = ([name, { action, reason }]: readonly [string, Model]) => ({ name, action, reason });
    return {
        paths: from.output_artifact_paths,
        models: [
            ...Object.entries(from.members).map((entry) => ({ ...member(entry), role: "member" as const })),
            { ...member([settings.combiner.name, from.combiner]), role: "combiner" as const },
        ],
    };
}

/** The table of the merger, or, before there is one, the labels as they were fetched. */
async function truthOf(
    decided: Decided,
    reader: ArtefactReader,
    attempt: AttemptTo,
): Promise<readonly JudgedPage[] | undefined> {
    return attempt("labels of the held-out pages (dataframe.csv or labels.csv)", async () => {
        const read = async (uri: string) => readTruth((await reader.read(uri, maximumTable)).toString("utf8"));
        try {
            return await read(joinS3(decided.paths.sequence_model_training_dataframe ?? "", "dataframe.csv"));
        } catch (error) {
            if (!(error instanceof Unavailable)) {
                throw error;
            }
            return read(joinS3(decided.paths.raw_data ?? "", "labels.csv"));
        }
    });
}

/** Training jobs by model. */
function trainings(visits: readonly Visit[], settings: StageSettings): ReadonlyMap<string, readonly Attempt[]> {
    const found = new Map<string, Attempt[]>();
    const models = [...Object.keys(settings.members), settings.combiner.name];
    for (const visit of visits) {
        const own = visit.attempts.filter(
            ({ resource }) => resource?.startsWith("sagemaker:createTrainingJob") === true,
        );
        const named = own.map(({ output, cause, submitted }) =>
            modelOfJob(
                /"TrainingJobName"\s*:\s*"([^"]+)"/.exec([output, cause, submitted].join("\n"))?.[1] ?? "",
                settings,
            ),
        );
        const model =
            own.length === 0
                ? undefined
                : (named.find((name) => name !== undefined) ??
                  // a job that was refused has no name in the history
                  models.find((name) =>
                      visit.state.toLowerCase().startsWith(`${name.replace(/[^a-z0-9]+/gi, " ").toLowerCase()} model`),
                  ));
        if (model !== undefined) {
            found.set(model, [...(found.get(model) ?? []), ...own]);
        }
    }
    return found;
}

function modelOfJob(jobName: string, settings: StageSettings): string | undefined {
    // the longest prefix, since one model's name may begin like another's
    return [...Object.keys(settings.members), settings.combiner.name]
        .filter((model) => jobName.startsWith(jobNamePrefix(settings.service, settings.stage, model)))
        .sort((a, b) => b.length - a.length)[0];
}

/** Setup's reason, and the members that a combiner then had to do without. */
function without(members: readonly string[], reason: string): string {
    return members.length === 0
        ? reason
        : `trained without ${members.join(", ")}, which failed in this execution (planned: ${reason})`;
}

function outcomeOf(action: string, jobs: readonly Attempt[], status: ExecutionStatus): ModelReport["outcome"] {
    if (action !== "train") {
        return action === "reuse" ? "reused" : "given";
    }
    const last = jobs.at(-1)?.outcome;
    if (last === "succeeded") {
        return "trained";
    }
    if (last === "running" || (last !== undefined && status === "RUNNING")) {
        // after a failure the ladder goes on
        return "running";
    }
    return last === undefined ? "not trained" : last;
}

async function learned(
    model: string,
    files: ReadonlyMap<string, string>,
    attempt: AttemptTo,
): Promise<Pick<ModelReport, "curves" | "folds">> {
    const names = [...files.keys()].filter((name) => name.endsWith("history.json")).sort();
    const curves: Curve[] = [];
    const folds: ModelReport["folds"][number][] = [];
    if (names.length === 0) {
        await attempt(`${model}: learning curves`, () => {
            throw new Unavailable("its output.tar.gz has no history.json");
        });
    }
    for (const name of names) {
        const found = await attempt(`${model}: ${name}`, () => readHistory(files.get(name) ?? ""));
        if (found !== undefined && "curve" in found) {
            curves.push(found.curve);
        } else if (found !== undefined) {
            folds.push(...found.folds);
        }
    }
    return { curves: curves.sort((a, b) => (a.fold ?? -1) - (b.fold ?? -1)), folds };
}

function resultOf(model: string, truth: readonly JudgedPage[], files: ReadonlyMap<string, string>): ModelResult {
    const own = [...files].filter(([name]) => name.endsWith("predictions.jsonl")).map(([, text]) => text);
    if (own.length === 0) {
        throw new Unavailable("its output.tar.gz has no predictions.jsonl");
    }
    const predictions = readPredictions(own);
    const judgement = judge(model, truth, predictions);
    const nothing = { probabilities: {} };
    const predicted = truth.map(({ stack, page }) => labelOf(predictions.get(`${stack}/${page}`) ?? nothing));
    return {
        ...judgement,
        ...confusionOf(
            truth,
            predicted.map(([label]) => label),
        ),
        predicted,
        pagesJudged: truth,
    };
}

/**
 * The surest errors first, one a stack before a second of any; of the combiner, or of the best member where there is
 * none.
 */
async function mistakesOf(
    models: readonly ModelReport[],
    decided: Decided | undefined,
    reader: ArtefactReader,
    options: ReportOptions,
    missing: Missing[],
): Promise<{ readonly mistakes?: Mistakes }> {
    const judged = models.flatMap((model) =>
        model.result === undefined ? [] : [{ role: model.role, result: model.result }],
    );
    const chosen =
        judged.find(({ role }) => role === "combiner") ??
        judged.sort((a, b) => b.result.pageAccuracy - a.result.pageAccuracy)[0];
    if (chosen === undefined || decided === undefined) {
        return {};
    }
    const {
        result: { model, pagesJudged, predicted },
    } = chosen;
    const wrong = pagesJudged
        .flatMap(({ stack, page, class: truth }, index): Mistake[] => {
            const [label, probability] = predicted[index];
            return label === truth ? [] : [{ stack, page, truth, predicted: label, probability }];
        })
        .sort((a, b) => b.probability - a.probability);
    const seen = new Set<string>();
    const first = wrong.filter(({ stack }) => !seen.has(stack) && seen.add(stack));
    const order = [...first, ...wrong.filter((mistake) => !first.includes(mistake))].slice(0, options.pages);
    const shown: Mistake[] = [];
    const problems: string[] = [];
    let bytes = 0;
    for (const mistake of order) {
        options.signal?.throwIfAborted();
        options.onStep?.(`page ${mistake.page} of ${mistake.stack}`);
        try {
            const uri = joinS3(
                decided.paths.raw_data ?? "",
                "images",
                mistake.stack,
                `${String(mistake.page).padStart(3, "0")}.png`,
            );
            const image = shrink(await reader.read(uri, maximumImage));
            if (bytes + image.length > maximumPictureBytes) {
                throw new Unavailable(`all pictures together would exceed ${maximumPictureBytes} bytes`);
            }
            bytes += image.length;
            shown.push({ ...mistake, image });
        } catch (error) {
            options.signal?.throwIfAborted();
            problems.push(messageOf(error));
            shown.push(mistake);
        }
    }
    if (problems.length > 0) {
        missing.push({
            what: `pictures of ${problems.length} wrongly read page${problems.length === 1 ? "" : "s"}`,
            why: problems[0],
        });
    }
    return {
        mistakes: defined({
            model,
            total: wrong.length,
            shown,
            note:
                options.pages > 0 || wrong.length === 0
                    ? undefined
                    : "Pages may hold personal data, so none is in this report. `ensemble report --pages N` " +
                      "shows N of them.",
        }),
    };
}

/** Every failed attempt in words; equal ones are counted. */
function failuresOf(visits: readonly Visit[], region: string, where: "aws" | "local"): FailureReport[] {
    const found = new Map<string, FailureReport>();
    for (const [index, visit] of visits.entries()) {
        for (const { outcome, error, cause, to } of visit.attempts) {
            if (outcome !== "failed") {
                continue;
            }
            const told = classify({ error, cause });
            const key = [visit.state, error, told.reason.replace(/\d+/g, "0")].join("\n");
            const before = found.get(key);
            found.set(
                key,
                before === undefined
                    ? defined({
                          state: visit.state,
                          error: error ?? "without a name",
                          class: told.class,
                          reason: told.reason,
                          advice: advice[told.class],
                          count: 1,
                          at: to,
                          overcome: visits
                              .slice(index)
                              .some((later) => later.state === visit.state && later.outcome === "succeeded"),
                          // a local job's log is a file of the run, not CloudWatch's
                          logUrl:
                              told.log === undefined || where === "local"
                                  ? undefined
                                  : logUrl(told.log, told.region ?? region),
                      })
                    : { ...before, count: before.count + 1 },
            );
        }
    }
    return [...found.values()];
}

function parseJson<T>(text: string): T {
    try {
        return JSON.parse(text) as T;
    } catch (error) {
        throw new Unavailable(`it is no JSON (${(error as Error).message})`);
    }
}
