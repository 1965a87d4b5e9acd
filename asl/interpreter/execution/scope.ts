/** What a state's expressions see. */
import type { Scope } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { Frame, MapItem } from "./frame";

/** A scope of the state's own input and nothing more. */
export function scopeOf(frame: Frame): Scope {
    return scopeWith(frame, frame.input);
}

/** A scope in which `$`, or `$states.input`, is the given value. */
export function scopeWith(frame: Frame, input: JsonValue, mapItem: MapItem | undefined = frame.thread.mapItem): Scope {
    return {
        input,
        variables: frame.thread.variables,
        host: frame.thread.run.host,
        context: () => contextOf(frame, mapItem),
    };
}

/** A scope after the state's work. */
export function scopeAfter(frame: Frame, result: JsonValue): Scope {
    return { ...scopeOf(frame), result };
}

/** A catcher's scope. */
export function scopeOfError(frame: Frame, errorOutput: JsonObject): Scope {
    return { ...scopeOf(frame), errorOutput };
}

/** Only states that can be retried count their retries. */
const COUNTING: ReadonlySet<string> = new Set(["Task", "Parallel", "Map"]);

/** The context object. */
export function contextOf(frame: Frame, mapItem: MapItem | undefined = frame.thread.mapItem): JsonObject {
    const { thread, state } = frame;
    if (thread.run.context !== undefined) {
        return thread.run.context;
    }
    const State: JsonObject = { EnteredTime: new Date(frame.enteredTime).toISOString(), Name: state.name };
    if (COUNTING.has(state.type)) {
        State.RetryCount = frame.retryCount;
    }
    const context: JsonObject = {
        Execution: thread.execution ?? thread.run.execution,
        State,
        StateMachine: thread.run.machine,
    };
    if (mapItem !== undefined) {
        context.Map = { Item: { ...mapItem } };
    }
    if (frame.taskToken !== undefined) {
        context.Task = { Token: frame.taskToken };
    }
    return context;
}
