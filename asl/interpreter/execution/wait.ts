/** The Wait state, and the pauses of Wait and Retry on the clock. */
import { ExpressionError, type Scope } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { WaitReason } from "../clock";
import type { Dynamic } from "../compile/compiled";
import { STOPPED } from "../failure";
import { parseTimestamp } from "../timestamp";
import { badField, queryFailure, runtimeFailure, shown, valueOf } from "./failures";
import type { Frame, Outcome, Thread } from "./frame";
import { assigned, exit, finishJsonata, inputPath, outputPath } from "./leave";
import { scopeWith } from "./scope";

/** Recorded: 24,855 days are waited for, 2^31 seconds are not. */
const LONGEST_WAIT = 2_147_483_647 * 1000;

export async function wait(frame: Frame): Promise<Outcome> {
    const { state } = frame;
    const input = inputPath(frame);
    const scope = scopeWith(frame, input);
    const milliseconds =
        state.seconds === undefined
            ? await untilTimestamp(frame, state.timestamp as Dynamic, scope)
            : await waitSeconds(frame, state.seconds, scope);
    if (milliseconds > LONGEST_WAIT) {
        throw runtimeFailure(frame, "Wait state delay is too long.");
    }
    await pause(frame.thread, milliseconds, { state: state.name, kind: "Wait" });
    if (state.jsonata) {
        return finishJsonata(frame, frame.input);
    }
    const variables = assigned(state.assign, scope) as JsonObject | undefined;
    return exit(frame, outputPath(frame, input), variables, state.next);
}

/** The value of a Wait's field. A path that leads nowhere has its own words here (recorded). */
async function fieldValue(frame: Frame, field: Dynamic, scope: Scope): Promise<JsonValue> {
    try {
        return await valueOf(field, scope);
    } catch (error) {
        if (error instanceof ExpressionError && error.kind === "JSONPath" && field.text !== undefined) {
            const message = `The ${field.field} parameter does not reference an input value: ${field.text}`;
            throw runtimeFailure(frame, message);
        }
        throw error;
    }
}

async function waitSeconds(frame: Frame, field: Dynamic, scope: Scope): Promise<number> {
    const value = await fieldValue(frame, field, scope);
    const said = `${field.text} == ${shown(value)}`;
    if (typeof value !== "number" || !Number.isInteger(value)) {
        const message = `The ${field.field} parameter cannot be parsed as a long value: ${said}`;
        throw badField(frame, field, "integer", value, message);
    }
    if (value < 0) {
        const message = `The ${field.field} parameter references a negative value: ${said}`;
        throw badField(frame, field, "positive integer", value, message);
    }
    return value * 1000;
}

const FORMAT = "ISO-8601 extended offset date-time format string";

async function untilTimestamp(frame: Frame, field: Dynamic, scope: Scope): Promise<number> {
    const value = await fieldValue(frame, field, scope);
    const until = parseTimestamp(value);
    if (until !== undefined) {
        return Math.max(0, until - frame.thread.run.clock.now());
    }
    if (!frame.state.jsonata) {
        const said = `${field.text} == ${shown(value)}`;
        const message = `The ${field.field} parameter does not reference a valid ${FORMAT}: ${said}`;
        throw runtimeFailure(frame, message);
    }
    if (typeof value !== "string") {
        throw badField(frame, field, "string", value, "");
    }
    const message = `The ${field.field} field cannot be parsed as an ${FORMAT}: ${value}`;
    throw queryFailure(frame, message, field.field, frame.enteredId);
}

/** Waits on the clock. @throws STOPPED when the thread is stopped meanwhile. */
export async function pause(thread: Thread, milliseconds: number, reason: WaitReason): Promise<void> {
    const { clock } = thread.run;
    const controller = new AbortController();
    thread.onStop = () => controller.abort(STOPPED);
    try {
        await (clock.wait === undefined
            ? clock.sleep(milliseconds, controller.signal)
            : clock.wait(milliseconds, reason, controller.signal));
    } finally {
        thread.onStop = undefined;
    }
    if (thread.stopped) {
        throw STOPPED;
    }
}
