/** The Parallel state. */
import { adopt, render } from "../../expressions/index";
import type { JsonValue } from "../../types";
import { StateFailure } from "../failure";
import { then } from "../then";
import { emit, emitAfter, failBelow, firstFailure } from "./events";
import { childOf, type Frame, type Outcome } from "./frame";
import { checkSize, finish, inputPath } from "./leave";
import { scopeWith } from "./scope";

export function parallel(frame: Frame): Outcome | Promise<Outcome> {
    const { payload } = frame.state;
    const input = inputPath(frame);
    const given = payload === undefined ? input : render(payload, scopeWith(frame, input));
    return then(given, (value) => branches(frame, value));
}

async function branches(frame: Frame, input: JsonValue): Promise<Outcome> {
    const { state, thread } = frame;
    checkSize(frame, input);
    const started = emit(thread, "ParallelStateStarted");
    const children = state.branches.map((_, index) => childOf(frame, index));
    frame.children = children;
    let results: JsonValue[];
    try {
        results = await join(frame, input);
    } catch (error) {
        failBelow(frame, error);
        throw error;
    }
    const last = children.reduce((latest, child) => Math.max(latest, child.previous), started);
    emitAfter(thread, last, "ParallelStateSucceeded");
    return finish(frame, adopt(results), last);
}

/** Runs the branches side by side. The first failure is thrown, and its line of work remembered in `frame.failed`. */
function join(frame: Frame, input: JsonValue): Promise<JsonValue[]> {
    const { state, thread, children } = frame;
    return new Promise((resolve, reject) => {
        const results = new Array<JsonValue>(children.length);
        let open = results.length;
        if (open === 0) {
            resolve(results);
        }
        const done = (value: JsonValue, index: number): void => {
            results[index] = value;
            open -= 1;
            if (open === 0) {
                resolve(results);
            }
        };
        state.branches.forEach((branch, index) => {
            const child = children[index];
            if (child === undefined) {
                return;
            }
            const fail = (error: unknown): void => {
                if (frame.failed === undefined && error instanceof StateFailure && !child.stopped) {
                    firstFailure(frame, child, error);
                }
                reject(error as Error);
            };
            started(() => thread.run.graph(child, branch, input)).then((value) => done(value, index), fail);
        });
    });
}

function started(work: () => JsonValue | Promise<JsonValue>): Promise<JsonValue> {
    try {
        return Promise.resolve(work());
    } catch (error) {
        return Promise.reject(error as Error);
    }
}
