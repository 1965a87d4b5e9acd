/** The Map state, inline and distributed. */
import { parse as parseCsv } from "csv-parse/sync";
import type { JsonObject, JsonValue } from "../types";
import {
    adopt,
    byteSize,
    ExpressionError,
    fill,
    isObject,
    render,
    setKey,
    typeName,
    type JsonataTemplate,
    type PayloadTemplate,
    type Scope,
} from "../expressions/index";
import type { CompiledIo, CompiledMap, Dynamic } from "./compile";
import { inherited, type Execution, type Frame, type Outcome, type Thread } from "./execution";
import { StateFailure, STOPPED } from "./failure";
import { History, type Details } from "./history";

// Inline Maps run at most this many iterations at once; distributed ones up to 10,000 child executions.
const INLINE_CONCURRENCY = 40;
const DISTRIBUTED_CONCURRENCY = 10_000;

export async function runMap(execution: Execution, frame: Frame): Promise<Outcome> {
    const { state, thread } = frame;
    const map = state.map as CompiledMap;
    try {
        return await attempt(execution, frame, map);
    } catch (error) {
        if (error === STOPPED || thread.stopped) {
            throw STOPPED;
        }
        const failure = execution.failure(frame, error);
        // An iteration's failure has written this event already; a failure of the Map's own fields has not.
        if (
            error instanceof ExpressionError &&
            failure instanceof StateFailure &&
            failure.error === "States.QueryEvaluationError"
        ) {
            frame.failedEvent = true;
        }
        throw failure;
    }
}

async function attempt(execution: Execution, frame: Frame, map: CompiledMap): Promise<Outcome> {
    const { state, thread } = frame;
    const input = state.jsonata ? frame.input : execution.inputPath(frame);
    const scope = execution.scope(frame, { input });
    const concurrency = (await wholeNumber(execution, frame, map.maxConcurrency, scope)) ?? 0;
    let items: JsonValue[] = [];
    if (map.reader === undefined) {
        items = await itemsOf(execution, frame, map, scope);
    }
    const selected = async (item: JsonValue, index: number): Promise<JsonValue> =>
        map.selector === undefined
            ? item
            : value(
                  state.jsonata,
                  map.selector,
                  execution.scope(frame, { input, mapItem: { Index: index, Value: item } }),
              );
    if (!map.distributed) {
        execution.emit(thread, "MapStateStarted", "mapStateStartedEventDetails", { length: items.length });
        const limit = concurrency > 0 ? Math.min(concurrency, INLINE_CONCURRENCY) : INLINE_CONCURRENCY;
        const { results, last } = await inline(execution, frame, map, items, selected, limit);
        execution.emit(thread, "MapStateSucceeded", undefined, undefined, last);
        return finish(execution, frame, results, last);
    }
    // The items that a reader will find are not known yet (recorded).
    execution.emit(thread, "MapStateStarted", "mapStateStartedEventDetails", { length: items.length });
    const tolerated = await tolerance(execution, frame, map, scope);
    const machine = execution.executionContext.Id as string;
    const mapRunArn = `${machine.replace(":execution:", ":mapRun:")}/${state.name}:${frame.enteredId}`;
    const run = execution.emit(thread, "MapRunStarted", "mapRunStartedEventDetails", { mapRunArn });
    if (map.reader !== undefined) {
        items = await readItems(execution, frame, map.reader, scope).catch((error: unknown) => {
            throw runFailed(execution, frame, error);
        });
    }
    const batched = await batches(execution, frame, map, scope, items, selected);
    return distributed(execution, frame, map, { arn: mapRunArn, started: run }, batched, tolerated, concurrency);
}

function finish(execution: Execution, frame: Frame, results: JsonValue, after: number): Outcome | Promise<Outcome> {
    const clean = adopt(results);
    return frame.state.jsonata
        ? execution.finishJsonata(frame, clean, clean, after)
        : execution.finishPath(frame, clean, after);
}

async function value(jsonata: boolean, template: JsonataTemplate | PayloadTemplate, scope: Scope): Promise<JsonValue> {
    return jsonata ? render(template as JsonataTemplate, scope) : fill(template as PayloadTemplate, scope);
}

async function itemsOf(execution: Execution, frame: Frame, map: CompiledMap, scope: Scope): Promise<JsonValue[]> {
    const found = map.items === undefined ? scope.input : await execution.dynamic(map.items, scope);
    if (Array.isArray(found)) {
        return found;
    }
    if (!frame.state.jsonata) {
        throw execution.runtimeFailure(frame, `Reference path "${map.items?.text ?? "$"}" must point to array.`);
    }
    if (map.items === undefined) {
        // The failure is the input's, not an expression's, so the event names no field.
        const failure = execution.queryFailure(
            frame,
            `Map state input must be an array but was: ${JSON.stringify(found)}`,
        );
        frame.failedEvent = failure !== STOPPED;
        throw failure;
    }
    throw execution.badField(frame, map.items, "array", found, "");
}

async function inline(
    execution: Execution,
    frame: Frame,
    map: CompiledMap,
    items: readonly JsonValue[],
    selected: (item: JsonValue, index: number) => Promise<JsonValue>,
    limit: number,
): Promise<{ results: JsonValue[]; last: number }> {
    const { state, thread } = frame;
    const started = thread.previous;
    const results = new Array<JsonValue>(items.length);
    const children: Thread[] = [];
    frame.children = children;
    let next = 0;
    let last = started;
    const worker = async (): Promise<void> => {
        let previous = started;
        while (next < items.length) {
            const index = next++;
            const child: Thread = {
                history: thread.history,
                path: [...thread.path, state.name, String(index)],
                previous,
                variables: thread.variables,
                ...inherited(thread),
                mapItem: { Index: index, Value: items[index] },
                iteration: { name: state.name, index },
                stopped: thread.stopped,
            };
            const input = await selected(items[index], index);
            execution.checkSize(frame, input);
            if (frame.failed !== undefined || thread.stopped) {
                throw STOPPED;
            }
            children.push(child);
            execution.emit(child, "MapIterationStarted", "mapIterationStartedEventDetails", {
                index,
                name: state.name,
            });
            try {
                results[index] = await execution.runGraph(child, map.processor, input);
            } catch (error) {
                if (error instanceof StateFailure && frame.failed === undefined && !child.stopped) {
                    frame.failed = child;
                    previous = child.previous;
                    if (error.error !== "States.Runtime") {
                        execution.abortFailed(child);
                        execution.emit(child, "MapIterationFailed", "mapIterationFailedEventDetails", {
                            index,
                            name: state.name,
                        });
                        child.previous = previous;
                    }
                }
                throw error;
            }
            previous = child.previous;
            last = Math.max(
                last,
                execution.emit(child, "MapIterationSucceeded", "mapIterationSucceededEventDetails", {
                    index,
                    name: state.name,
                }),
            );
            child.stopped = true;
        }
    };
    try {
        await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
    } catch (error) {
        execution.failBelow(frame, error);
        throw error;
    }
    return { results, last };
}

/** A failure of the Map run as a whole, with its event. */
function runFailed(execution: Execution, frame: Frame, error: unknown): unknown {
    if (error instanceof StateFailure && error.error !== "States.Runtime") {
        const details: Details = {};
        if (error.error !== undefined) {
            details.error = error.error;
        }
        if (error.cause !== undefined) {
            details.cause = error.cause;
        }
        execution.emit(frame.thread, "MapRunFailed", "mapRunFailedEventDetails", details);
        frame.failedEvent = true;
    }
    return error;
}

interface MapRun {
    readonly arn: string;
    /** The id of MapRunStarted. */
    readonly started: number;
}

interface Tolerance {
    readonly count: number;
    readonly percentage: number;
}

async function distributed(
    execution: Execution,
    frame: Frame,
    map: CompiledMap,
    run: MapRun,
    items: readonly JsonValue[],
    tolerated: Tolerance,
    concurrency: number,
): Promise<Outcome> {
    const { state, thread } = frame;
    const machine = execution.executionContext.Id as string;
    const outcomes: ({ readonly output: JsonValue } | { readonly failure: StateFailure } | undefined)[] = new Array(
        items.length,
    );
    const children: Thread[] = [];
    frame.children = children;
    let next = 0;
    let failed = 0;
    const exceeded = (): boolean => failed > tolerated.count && failed * 100 > tolerated.percentage * items.length;
    const worker = async (): Promise<void> => {
        while (next < items.length && !exceeded()) {
            const index = next++;
            const name = `${execution.executionContext.Name as string}-${state.name}-${index}`;
            const child: Thread = {
                // A child execution has a history of its own, which the parent's does not show.
                history: new History(() => execution.clock.now(), false),
                path: [...thread.path, state.name, String(index)],
                previous: 0,
                variables: {},
                mapItem: { Index: index, Value: items[index] },
                stopped: thread.stopped,
                execution: {
                    ...execution.executionContext,
                    Id: `${machine}/${state.name}:${index}`,
                    Name: name,
                    Input: items[index],
                },
            };
            children.push(child);
            child.history.add("ExecutionStarted", 0);
            try {
                const output = await execution.runGraph(child, map.processor, items[index]);
                outcomes[index] = { output };
            } catch (error) {
                if (!(error instanceof StateFailure) || thread.stopped) {
                    throw error;
                }
                failed++;
                outcomes[index] = { failure: error };
            }
            child.stopped = true;
        }
    };
    const limit = concurrency > 0 ? Math.min(concurrency, DISTRIBUTED_CONCURRENCY) : DISTRIBUTED_CONCURRENCY;
    await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
    if (exceeded()) {
        const cause = "The specified tolerated failure threshold was exceeded";
        throw runFailed(execution, frame, new StateFailure(EXCEEDED, cause));
    }
    let output: JsonValue = outcomes.flatMap((outcome) =>
        outcome !== undefined && "output" in outcome ? [outcome.output] : [],
    );
    if (map.writer?.resource !== undefined) {
        output = await writeResults(execution, frame, map.writer, run.arn, output);
    }
    execution.emit(thread, "MapRunSucceeded");
    execution.emit(thread, "MapStateSucceeded");
    return finish(execution, frame, output, run.started);
}

const EXCEEDED = "States.ExceedToleratedFailureThreshold";

/** A field that must be a whole number of at least 0; text that is one counts (recorded). */
async function wholeNumber(
    execution: Execution,
    frame: Frame,
    field: Dynamic | undefined,
    scope: Scope,
): Promise<number | undefined> {
    if (field === undefined) {
        return undefined;
    }
    const found = await execution.dynamic(field, scope);
    const number = numeric(found);
    if (number === undefined || !Number.isInteger(number)) {
        throw execution.badField(
            frame,
            field,
            "integer",
            found,
            `The ${field.field} field refers to value "${shown(found)}" which is not a valid integer: ${field.text}`,
        );
    }
    if (number < 0) {
        throw execution.badField(
            frame,
            field,
            "non-negative integer",
            found,
            `${field.field.replace(/Path$/u, "")} must be at least 0.`,
        );
    }
    return number;
}

function numeric(found: JsonValue): number | undefined {
    return typeof found === "number"
        ? found
        : typeof found === "string" && /^-?\d+(\.\d+)?$/u.test(found)
          ? Number(found)
          : undefined;
}

function shown(found: JsonValue): string {
    return typeof found === "string" ? found : JSON.stringify(found);
}

async function tolerance(execution: Execution, frame: Frame, map: CompiledMap, scope: Scope): Promise<Tolerance> {
    const count = await wholeNumber(execution, frame, map.toleratedCount, scope);
    let percentage: number | undefined;
    if (map.toleratedPercentage !== undefined) {
        const field = map.toleratedPercentage;
        const found = await execution.dynamic(field, scope);
        percentage = numeric(found);
        if (percentage === undefined) {
            throw execution.badField(
                frame,
                field,
                "number",
                found,
                `The ${field.field} field refers to value "${shown(found)}" which is not a valid float: ${field.text}`,
            );
        }
        if (percentage < 0 || percentage > 100) {
            throw execution.badField(
                frame,
                field,
                "number from 0 to 100",
                found,
                "ToleratedFailurePercentage must be between 0 and 100.",
            );
        }
    }
    return { count: count ?? 0, percentage: percentage ?? 0 };
}

/** The inputs of the child executions: one an item, or with ItemBatcher one a batch. */
async function batches(
    execution: Execution,
    frame: Frame,
    map: CompiledMap,
    scope: Scope,
    items: readonly JsonValue[],
    selected: (item: JsonValue, index: number) => Promise<JsonValue>,
): Promise<JsonValue[]> {
    const inputs: JsonValue[] = [];
    for (let index = 0; index < items.length; index++) {
        inputs.push(await selected(items[index], index));
    }
    const batcher = map.batcher;
    if (batcher === undefined) {
        return inputs;
    }
    const most = (await wholeNumber(execution, frame, batcher.maxItems, scope)) ?? Infinity;
    const bytes = (await wholeNumber(execution, frame, batcher.maxBytes, scope)) ?? execution.limits.payloadBytes;
    const common = batcher.input === undefined ? undefined : await value(frame.state.jsonata, batcher.input, scope);
    const result: JsonValue[] = [];
    let batch: JsonValue[] = [];
    const wrap = (group: JsonValue[]): JsonObject => ({
        Items: group,
        ...(common === undefined ? {} : { BatchInput: common }),
    });
    for (const item of inputs) {
        if (batch.length > 0 && (batch.length >= most || byteSize(wrap([...batch, item])) > bytes)) {
            result.push(adopt(wrap(batch)));
            batch = [];
        }
        batch.push(item);
    }
    if (batch.length > 0) {
        result.push(adopt(wrap(batch)));
    }
    return result;
}

/**
 * Reads the items through the task handler, which stands for S3: getObject gives {Body: text}, listObjectsV2 {Contents:
 * [...]}.
 */
async function readItems(execution: Execution, frame: Frame, reader: CompiledIo, scope: Scope): Promise<JsonValue[]> {
    const fail = (message: string): never => {
        throw new StateFailure("States.ItemReaderFailed", message);
    };
    const most = await mostItems(execution, frame, reader, scope);
    const args = await value(frame.state.jsonata, reader.arguments, scope);
    let answer: JsonValue;
    try {
        answer = adopt(await execution.call(frame, "ItemReader", reader.resource ?? "", args));
    } catch (error) {
        if (error === STOPPED) {
            throw error;
        }
        return fail(error instanceof Error ? error.message : String(error));
    }
    let items: JsonValue;
    if (isObject(answer) && Array.isArray(answer.Contents)) {
        items = answer.Contents;
    } else {
        const body = isObject(answer) ? answer.Body : answer;
        try {
            items = typeof body === "string" ? parseBody(body, reader.config) : body;
        } catch (error) {
            return fail(error instanceof Error ? error.message : String(error));
        }
    }
    if (!Array.isArray(items)) {
        return fail(`the items read by ${reader.resource} are no array but ${typeName(items ?? null)}`);
    }
    return adopt(most === 0 ? items : items.slice(0, most)) as JsonValue[];
}

/** ReaderConfig's MaxItems or MaxItemsPath; 0 means all. */
async function mostItems(execution: Execution, frame: Frame, reader: CompiledIo, scope: Scope): Promise<number> {
    const field = reader.maxItems;
    if (field === undefined) {
        return 0;
    }
    const found = numeric(await execution.dynamic(field, scope));
    if (found === undefined || !Number.isInteger(found)) {
        throw new StateFailure("States.ItemReaderFailed", `field ${field.field} must be an integer`);
    }
    if (found < 0) {
        throw new StateFailure("States.ItemReaderFailed", "field MaxItems must be positive");
    }
    return found;
}

function parseBody(body: string, config: JsonObject): JsonValue {
    switch (config.InputType) {
        case "JSON":
        case undefined:
            return JSON.parse(body) as JsonValue;
        case "JSONL":
            return body
                .split("\n")
                .filter((line) => line.trim() !== "")
                .map((line) => JSON.parse(line) as JsonValue);
        case "CSV":
            return csvRows(body, config);
        default:
            throw new Error(
                `ReaderConfig.InputType ${JSON.stringify(config.InputType)} is not supported; supported: JSON, JSONL, CSV`,
            );
    }
}

/** Rows under their headers: what is missing at a row's end is "", what is too much is left away (recorded). */
function csvRows(body: string, config: JsonObject): JsonObject[] {
    const rows = parseCsv(body, {
        delimiter: DELIMITERS[String(config.CSVDelimiter ?? "COMMA")] ?? ",",
        relax_column_count: true,
        skip_empty_lines: true,
    }) as string[][];
    const headers = config.CSVHeaderLocation === "GIVEN" ? (config.CSVHeaders as string[]) : (rows.shift() ?? []);
    if (new Set(headers).size < headers.length) {
        throw new Error("CSV headers cannot contain duplicates.");
    }
    return rows.map((row) => {
        const item: JsonObject = {};
        headers.forEach((header, index) => setKey(item, header, row[index] ?? ""));
        return item;
    });
}

const DELIMITERS: { readonly [name: string]: string } = {
    COMMA: ",",
    PIPE: "|",
    SEMICOLON: ";",
    SPACE: " ",
    TAB: "\t",
};

/** Hands the results to the task handler, which stands for S3, and gives what the Map's output then is. */
async function writeResults(
    execution: Execution,
    frame: Frame,
    writer: CompiledIo,
    mapRunArn: string,
    output: JsonValue,
): Promise<JsonValue> {
    const args = await value(frame.state.jsonata, writer.arguments, execution.scope(frame));
    const place = isObject(args) ? args : {};
    const prefix = typeof place.Prefix === "string" ? `${place.Prefix}/` : "";
    const key = `${prefix}${mapRunArn.split(":").pop()}/manifest.json`;
    try {
        const body = { ...place, Key: key, Body: JSON.stringify(output) };
        await execution.call(frame, "ResultWriter", writer.resource as string, body);
    } catch (error) {
        throw error === STOPPED
            ? error
            : new StateFailure("States.ResultWriterFailed", error instanceof Error ? error.message : String(error));
    }
    return { MapRunArn: mapRunArn, ResultWriterDetails: { Bucket: place.Bucket ?? null, Key: key } };
}
