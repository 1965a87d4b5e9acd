/** What an error means for the state that it happened in, in AWS's names and words. */
import { ExpressionError, render, typeName, type Scope } from "../../expressions/index";
import type { JsonValue } from "../../types";
import type { Dynamic } from "../compile/compiled";
import { StateFailure, STOPPED } from "../failure";
import type { Details } from "../history";
import { emitAfter } from "./events";
import type { Frame } from "./frame";

/** An expression's failure as the state's; anything else as it is. */
export function failureOf(frame: Frame, error: unknown): unknown {
    if (!(error instanceof ExpressionError)) {
        return error;
    }
    return error.kind === "JSONata"
        ? queryFailure(frame, error.message, error.field)
        : runtimeFailure(frame, error.message);
}

export function runtimeFailure(frame: Frame, message: string): StateFailure {
    return new StateFailure("States.Runtime", `${prefix(frame)} ${message}`);
}

/** States.QueryEvaluationError, with its EvaluationFailed event. */
export function queryFailure(
    frame: Frame,
    message: string,
    location?: string,
    // Recorded: this event follows the one before the state was entered.
    after: number = frame.thread.previous === frame.enteredId ? frame.beforeId : frame.thread.previous,
): StateFailure | typeof STOPPED {
    const { thread, state } = frame;
    const cause = `${prefix(frame)} ${message}`;
    if (thread.stopped) {
        return STOPPED;
    }
    const error = "States.QueryEvaluationError";
    const details: Details =
        location === undefined ? { cause, error, state: state.name } : { cause, error, location, state: state.name };
    try {
        emitAfter(thread, after, "EvaluationFailed", "evaluationFailedEventDetails", details);
    } catch (stopped) {
        return stopped as typeof STOPPED;
    }
    return new StateFailure(error, cause);
}

export function prefix({ state, enteredId }: Frame): string {
    return `An error occurred while executing the state '${state.name}' (entered at the event id #${enteredId}).`;
}

/** The value of a field that may be an expression or a path. */
export function valueOf(field: Dynamic, scope: Scope): JsonValue | Promise<JsonValue> {
    if (field.template !== undefined) {
        return render(field.template, scope);
    }
    return field.path === undefined ? (field.value ?? null) : field.path(scope);
}

/** A failure about a field's value: of the query in JSONata, of the run time, in the words of `path`, in JSONPath. */
export function badField(frame: Frame, field: Dynamic, expected: string, value: JsonValue, path: string): unknown {
    if (!frame.state.jsonata) {
        return runtimeFailure(frame, path);
    }
    return new ExpressionError(
        "JSONata",
        field.field,
        `The JSONata expression '${field.text ?? ""}' specified for the field '${field.field}' returned an unexpected` +
            ` result type. Expected '${expected}', but was '${typeName(value)}' for value: ${JSON.stringify(value)}`,
    );
}

/** A value in a message: text without quotes. */
export function shown(value: JsonValue): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}
