/** What a state does once, with its work mocked, and what one sees of it on the way. */
import { render } from "../../expressions/index";
import type { JsonValue } from "../../types";
import type { CompiledMap } from "../compile/compiled";
import { askHandler } from "../execution/ask";
import type { Frame, Outcome } from "../execution/frame";
import { checkSize, finish, inputPath, resultPlaced, resultSelected } from "../execution/leave";
import { scopeWith } from "../execution/scope";
import { choice, fail, pass, succeed } from "../execution/simple";
import { wait } from "../execution/wait";
import { StateFailure } from "../failure";
import { toleranceOf, wholeNumber } from "../map/fields";
import { itemsOf, listed, selected } from "../map/items";
import type { Mocked } from "./mock";
import { TestStateError, type InspectionData, type StateConfiguration } from "./types";

/** A test that runs. */
export interface Test {
    readonly frame: Frame;
    readonly mocked: Mocked | undefined;
    readonly configuration: StateConfiguration;
    readonly seen: InspectionData;
}

type Seen = Exclude<keyof InspectionData, "errorDetails" | `max${string}` | `tolerated${string}`>;

/** @throws (as a rejection) the state's failure, as the interpreter throws it. */
export async function course(test: Test): Promise<Outcome> {
    const { frame } = test;
    see(test, "input", frame.input);
    switch (frame.state.type) {
        case "Task":
            return work(test, await taskResult(test));
        case "Parallel":
            return work(test, await parallelResult(test));
        case "Map":
            return work(test, await mapResult(test));
        case "Pass":
            passSeen(test);
            return pass(frame);
        default:
            seeInput(test);
            return leave(frame);
    }
}

async function leave(frame: Frame): Promise<Outcome> {
    switch (frame.state.type) {
        case "Choice":
            return choice(frame);
        case "Wait":
            return wait(frame);
        case "Fail":
            return fail(frame);
        default:
            return succeed(frame);
    }
}

function see({ seen }: Test, name: Seen, value: JsonValue): void {
    seen[name] = JSON.stringify(value);
}

/** The input of the state's work. */
function seeInput(test: Test): JsonValue {
    const input = inputPath(test.frame);
    if (!test.frame.state.jsonata) {
        see(test, "afterInputPath", input);
    }
    return input;
}

/** Of a Pass, what its result is made of; a Result takes no input (recorded). */
function passSeen(test: Test): void {
    const { frame } = test;
    const { state } = frame;
    if (state.jsonata) {
        return;
    }
    if (state.result !== undefined) {
        see(test, "result", state.result);
        seeResult(test, state.result);
        return;
    }
    const input = seeInput(test);
    const parameters =
        state.payload === undefined ? input : (render(state.payload, scopeWith(frame, input)) as JsonValue);
    see(test, "afterParameters", parameters);
    seeResult(test, parameters);
}

function seeResult(test: Test, result: JsonValue): void {
    const chosen = resultSelected(test.frame, result);
    see(test, "afterResultSelector", chosen);
    see(test, "afterResultPath", resultPlaced(test.frame, chosen));
}

/** What becomes of the result of a state's work. */
function work(test: Test, result: JsonValue): Outcome | Promise<Outcome> {
    if (!test.frame.state.jsonata) {
        seeResult(test, result);
    }
    return finish(test.frame, result);
}

async function taskResult(test: Test): Promise<JsonValue> {
    const { frame } = test;
    const { payload, jsonata, resource } = frame.state;
    const input = seeInput(test);
    const args = payload === undefined ? input : await render(payload, scopeWith(frame, input));
    if (!jsonata || payload !== undefined) {
        see(test, jsonata ? "afterArguments" : "afterParameters", args);
    }
    checkSize(frame, args);
    const result =
        test.mocked === undefined ? await askHandler(frame, "Task", resource ?? "", args) : mockedResult(test.mocked);
    see(test, "result", result);
    return result;
}

/** @throws the mocked error. */
function mockedResult(mocked: Mocked | undefined): JsonValue {
    if (mocked === undefined) {
        throw new TestStateError("ValidationException", "a mock is needed for the state's work");
    }
    if (mocked.kind === "error") {
        throw new StateFailure(mocked.error, mocked.cause);
    }
    return mocked.value;
}

async function parallelResult(test: Test): Promise<JsonValue> {
    const { frame, mocked } = test;
    const { payload, jsonata } = frame.state;
    const input = seeInput(test);
    const args = payload === undefined ? input : await render(payload, scopeWith(frame, input));
    if (!jsonata) {
        see(test, "afterParameters", args);
    }
    return mockedResult(mocked);
}

async function mapResult(test: Test): Promise<JsonValue> {
    const { frame, mocked, configuration, seen } = test;
    const map = frame.state.map as CompiledMap;
    const input = seeInput(test);
    const scope = scopeWith(frame, input);
    seen.maxConcurrency = (await wholeNumber(frame, map.maxConcurrency, scope)) ?? 0;
    const count = await seeItems(test, map, input);
    const { toleratedCount, toleratedPercentage } = map;
    const tolerated = await toleranceOf(frame, map, scope);
    if (toleratedCount !== undefined) {
        seen.toleratedFailureCount = tolerated.count;
    }
    if (toleratedPercentage !== undefined) {
        seen.toleratedFailurePercentage = tolerated.percentage;
    }
    // Recorded: a Map that says nothing of tolerance succeeds, whatever the number of failures.
    const isBounded = toleratedCount !== undefined || toleratedPercentage !== undefined;
    const failures = configuration.mapIterationFailureCount ?? 0;
    if (isBounded && failures > tolerated.count && failures * 100 > tolerated.percentage * count) {
        const cause = "The specified tolerated failure threshold was exceeded";
        throw new StateFailure("States.ExceedToleratedFailureThreshold", cause);
    }
    return mockedResult(mocked);
}

/** @returns the number of items. */
async function seeItems(test: Test, map: CompiledMap, input: JsonValue): Promise<number> {
    const { frame, configuration, mocked } = test;
    if (map.reader !== undefined && configuration.mapItemReaderData === undefined) {
        return mocked?.kind === "result" && Array.isArray(mocked.value) ? mocked.value.length : 0;
    }
    const read = map.reader === undefined ? undefined : readerData(configuration.mapItemReaderData ?? "");
    const items = read ?? (await itemsOf(frame, map, scopeWith(frame, input)));
    if (!frame.state.jsonata) {
        see(
            test,
            "afterItemsPath",
            items.map(({ Value }) => Value),
        );
    }
    if (map.selector !== undefined) {
        const chosen = await Promise.all(items.map((item) => selected(frame, map, input, item)));
        see(test, "afterItemSelector", chosen);
    }
    return items.length;
}

function readerData(text: string): ReturnType<typeof listed> {
    try {
        const data = JSON.parse(text) as JsonValue;
        return listed(Array.isArray(data) ? data : [data]);
    } catch {
        throw new TestStateError("ValidationException", "mapItemReaderData must be valid JSON.");
    }
}
