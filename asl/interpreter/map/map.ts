/** The Map state. */
import { ExpressionError } from "../../expressions/index";
import type { CompiledMap } from "../compile/compiled";
import { failureOf } from "../execution/failures";
import type { Frame, Outcome } from "../execution/frame";
import { inputPath } from "../execution/leave";
import { scopeWith } from "../execution/scope";
import { StateFailure, STOPPED } from "../failure";
import { distributedMap } from "./distributed";
import { wholeNumber } from "./fields";
import { inlineMap } from "./inline";
import { itemsOf } from "./items";

export async function runMap(frame: Frame): Promise<Outcome> {
    const { thread } = frame;
    try {
        return await attempted(frame, frame.state.map as CompiledMap);
    } catch (error) {
        if (error === STOPPED || thread.stopped) {
            throw STOPPED;
        }
        const failure = failureOf(frame, error);
        // An iteration's failure has asked for this event already; a failure of the Map's own fields has not.
        const isQuery = failure instanceof StateFailure && failure.error === "States.QueryEvaluationError";
        if (error instanceof ExpressionError && isQuery) {
            frame.failedEvent = true;
        }
        throw failure;
    }
}

async function attempted(frame: Frame, map: CompiledMap): Promise<Outcome> {
    const input = inputPath(frame);
    const scope = scopeWith(frame, input);
    const concurrency = (await wholeNumber(frame, map.maxConcurrency, scope)) ?? 0;
    if (map.distributed) {
        return distributedMap(frame, map, scope, concurrency);
    }
    const items = await itemsOf(frame, map, scope);
    return inlineMap(frame, map, input, items, concurrency);
}
