/** From what a local run leaves in its folder to a report's data. What a run did not get to is left out. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { StateMachineDefinition } from "../asl/types";
import { readDataframe, type Dataframe } from "../local/run/metrics";
import type { RunResult } from "../local/run/report";
import type { Mistake, ModelReport, ReportData } from "./model";
import { visitsOf, type TimelineEvent } from "./visits";

/** Wrongly read pages that are shown, one a stack as far as possible. */
const MISTAKES = 12;

/** A folder that is none of a run: its message says what is missing. */
export class NoRun extends Error {}

type Probabilities = Readonly<Record<string, number>>;

/**
 * Reads `.local/runs/<id>`.
 * @throws NoRun where result.json, definition.json or history.jsonl is missing or no JSON.
 */
export function reportOfRun(directory: string): ReportData {
    const result = json<RunResult>(directory, "result.json");
    const definition = json<StateMachineDefinition>(directory, "definition.json");
    const events = text(directory, "history.jsonl").trim().split("\n").map((line) => JSON.parse(line) as TimelineEvent);
    const startedAt = new Date(events[0].timestamp).getTime();
    const evaluation = path.join(directory, "evaluation");
    const table = existsSync(path.join(evaluation, "dataframe.csv")) ? readDataframe(text(evaluation, "dataframe.csv")) : undefined;
    const combined = table === undefined || !existsSync(path.join(evaluation, "predictions.jsonl")) ? undefined
        : predictionsOf(table, text(evaluation, "predictions.jsonl"));
    return {
        title: definition.Comment ?? result.stateMachine,
        stage: result.stage,
        execution: `${result.id} on this machine`,
        status: result.status,
        ...result.error === undefined ? {} : { error: result.error },
        ...result.cause === undefined ? {} : { cause: result.cause },
        startedAt,
        stoppedAt: new Date(events[events.length - 1].timestamp).getTime(),
        definition,
        visits: visitsOf(events),
        models: table === undefined ? [] : result.metrics.map(({ model, pageAccuracy, segmentF1 }): ModelReport => ({
            name: model, reason: result.models[model]?.reason ?? "", pageAccuracy, segmentF1,
            ...confusion(table, table.probabilities[model] ?? combined ?? []),
            curves: model in table.probabilities ? {} : curvesOf(evaluation),
        })),
        mistakes: table === undefined || combined === undefined ? [] : mistakesOf(table, combined, result.documents.directory),
        remarks: result.reductions.map(({ model, name, configured, local }) => `${model}: ${name} ${configured} -> ${local}`),
        price: "not known: times of this machine say nothing about AWS's; ensemble plan tells what a run can cost at most",
    };
}

function text(directory: string, name: string): string {
    try {
        return readFileSync(path.join(directory, name), "utf8");
    } catch (error) {
        throw new NoRun(`${path.join(directory, name)}: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message}; `
            + "a folder of .local/runs whose run came to its end is expected");
    }
}

function json<T>(directory: string, name: string): T {
    const content = text(directory, name);
    try {
        return JSON.parse(content) as T;
    } catch (error) {
        throw new NoRun(`${path.join(directory, name)}: no JSON: ${(error as Error).message}`);
    }
}

function predictionsOf(table: Dataframe, lines: string): Probabilities[] {
    const byPage = new Map(lines.trim().split("\n").map((line) => {
        const value = JSON.parse(line) as { stack: string; page: number; probabilities: Probabilities };
        return [`${value.stack}/${value.page}`, value.probabilities] as const;
    }));
    return table.pages.map(({ stack, page }) => byPage.get(`${stack}/${page}`) ?? {});
}

function best(probabilities: Probabilities): readonly [string, number] {
    return Object.entries(probabilities).reduce((top, entry) => entry[1] > top[1] ? entry : top, ["none", 0] as const);
}

function confusion({ pages }: Dataframe, predicted: readonly Probabilities[]): Pick<ModelReport, "classes" | "confusion"> {
    const read = pages.map((_, index) => best(predicted[index] ?? {})[0]);
    const classes = [...new Set([...pages.map((page) => page.class), ...read])].sort();
    const matrix = classes.map(() => classes.map(() => 0));
    pages.forEach((page, index) => {
        matrix[classes.indexOf(page.class)][classes.indexOf(read[index])] += 1;
    });
    return { classes, confusion: matrix };
}

function curvesOf(evaluation: string): Record<string, number[]> {
    if (!existsSync(path.join(evaluation, "history.json"))) {
        return {};
    }
    const { epochs = [] } = json<{ epochs?: readonly Readonly<Record<string, unknown>>[] }>(evaluation, "history.json");
    const names = Object.keys(epochs[0] ?? {}).filter((name) => name !== "epoch" && epochs.every((epoch) => typeof epoch[name] === "number"));
    return Object.fromEntries(names.map((name) => [name.replaceAll("_", " "), epochs.map((epoch) => epoch[name] as number)]));
}

/** The surest errors first, one a stack before a second of any. */
function mistakesOf(table: Dataframe, predicted: readonly Probabilities[], documents: string): Mistake[] {
    const wrong = table.pages.flatMap(({ stack, page, class: truth }, index) => {
        const [label, probability] = best(predicted[index]);
        return label === truth ? [] : [{ stack, page, truth, predicted: label, probability }];
    }).sort((a, b) => b.probability - a.probability);
    const seen = new Set<string>();
    const first = wrong.filter(({ stack }) => !seen.has(stack) && seen.add(stack));
    return [...first, ...wrong.filter((mistake) => !first.includes(mistake))].slice(0, MISTAKES).map((mistake) => {
        const image = imageOf(documents, mistake.stack, mistake.page);
        return { ...mistake, ...image === undefined ? {} : { image } };
    });
}

/** The page's PNG; other formats are not shown. */
function imageOf(documents: string, stack: string, page: number): Uint8Array | undefined {
    const folder = path.join(documents, "images", stack);
    const name = !existsSync(folder) ? undefined : readdirSync(folder).find((file) => /^0*(\d+)\.png$/.exec(file)?.[1] === String(page));
    return name === undefined ? undefined : readFileSync(path.join(folder, name));
}
