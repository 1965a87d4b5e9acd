/** One state after the other. */
import type { JsonValue } from "../../types";
import type { CompiledGraph, CompiledState } from "../compile/compiled";
import { catching } from "./catch";
import { emit } from "./events";
import { failureOf } from "./failures";
import { frameOf, type Frame, type Outcome, type Thread } from "./frame";
import { stateEvents } from "./leave";
import { runMap } from "../map/map";
import { parallel } from "./parallel";
import { choice, fail, pass, succeed } from "./simple";
import { task } from "./task";
import { wait } from "./wait";

/** Runs a graph's states from its start to its end. @returns its output, at once where no state had to wait. */
export function runGraph(thread: Thread, graph: CompiledGraph, input: JsonValue): JsonValue | Promise<JsonValue> {
    let state = graph.start;
    let value = input;
    for (;;) {
        const outcome = runState(thread, state, value);
        if (outcome instanceof Promise) {
            return goOn(thread, outcome);
        }
        if (outcome.next === undefined) {
            return outcome.output;
        }
        state = outcome.next;
        value = outcome.output;
    }
}

/** As runGraph, behind a state that had to wait. */
async function goOn(thread: Thread, first: Promise<Outcome>): Promise<JsonValue> {
    let { output, next } = await first;
    while (next !== undefined) {
        const outcome = runState(thread, next, output);
        ({ output, next } = outcome instanceof Promise ? await outcome : outcome);
    }
    return output;
}

function runState(thread: Thread, state: CompiledState, input: JsonValue): Outcome | Promise<Outcome> {
    const frame = enter(thread, state, input);
    switch (state.type) {
        case "Pass":
            return guarded(frame, pass);
        case "Succeed":
            return guarded(frame, succeed);
        case "Choice":
            return guarded(frame, choice);
        case "Wait":
            return guarded(frame, wait);
        case "Fail":
            return guarded(frame, fail);
        case "Task":
            return catching(frame, task);
        case "Parallel":
            return catching(frame, parallel);
        default:
            return catching(frame, runMap);
    }
}

const ENTERED = stateEvents("Entered");

function enter(thread: Thread, state: CompiledState, input: JsonValue): Frame {
    const { run } = thread;
    run.transitions += 1;
    const entered = (run.entries.get(state) ?? 0) + 1;
    run.entries.set(state, entered);
    const beforeId = thread.previous;
    const enteredId = thread.history.watched
        ? emit(thread, ENTERED[state.type], DETAILS, { name: state.name }, { field: "input", value: input })
        : emit(thread, ENTERED[state.type]);
    const frame = frameOf(thread, state, input, { enteredId, beforeId, entered });
    thread.frame = frame;
    return frame;
}

const DETAILS = "stateEnteredEventDetails";

/** Gives the failure of a state that nothing catches the state's name. */
function guarded(frame: Frame, work: (frame: Frame) => Outcome | Promise<Outcome>): Outcome | Promise<Outcome> {
    let outcome: Outcome | Promise<Outcome>;
    try {
        outcome = work(frame);
    } catch (error) {
        throw failureOf(frame, error);
    }
    return outcome instanceof Promise
        ? outcome.catch((error: unknown) => {
              throw failureOf(frame, error);
          })
        : outcome;
}
