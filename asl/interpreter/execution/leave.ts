/** How a state takes its input and is left: paths, Output, Assign, sizes, and the exit event. */
import { byteSize, fill, render, type Scope } from "../../expressions/index";
import type { JsonObject, JsonValue, StateType } from "../../types";
import type { Assignment, CompiledState } from "../compile/compiled";
import { StateFailure } from "../failure";
import { then } from "../then";
import { emit, emitAfter } from "./events";
import type { Frame, Outcome } from "./frame";
import { scopeAfter, scopeOf, scopeWith } from "./scope";

/** The input after InputPath; in JSONata the input. */
export function inputPath(frame: Frame): JsonValue {
    const path = frame.state.inputPath;
    if (path === undefined) {
        return frame.input;
    }
    return path === null ? {} : path.read(scopeOf(frame));
}

/** The output after OutputPath. */
export function outputPath(frame: Frame, output: JsonValue): JsonValue {
    const path = frame.state.outputPath;
    if (path === undefined) {
        return output;
    }
    return path === null ? {} : path.read(scopeWith(frame, output));
}

/** What Assign sets. */
export function assigned(assign: Assignment | undefined, scope: Scope): JsonObject | undefined | Promise<JsonObject> {
    return assign && (render(assign.template, scope) as JsonObject | Promise<JsonObject>);
}

/** Output and Assign of a JSONata state; both see the values from before. `after`: the event that the exit follows. */
export function finishJsonata(
    frame: Frame,
    fallback: JsonValue,
    result?: JsonValue,
    after?: number,
): Outcome | Promise<Outcome> {
    const { state } = frame;
    if (state.output === undefined && state.assign === undefined) {
        return exit(frame, fallback, undefined, state.next, after);
    }
    const scope = result === undefined ? scopeOf(frame) : scopeAfter(frame, result);
    const output = state.output === undefined ? fallback : render(state.output, scope);
    return then(output, (value) =>
        then(assigned(state.assign, scope), (variables) => exit(frame, value, variables, state.next, after)),
    );
}

/** A JSONPath state's result after ResultSelector. */
export function resultSelected(frame: Frame, result: JsonValue): JsonValue {
    const selector = frame.state.resultSelector;
    return selector === undefined ? result : fill(selector, scopeWith(frame, result));
}

/** What ResultPath makes of the selected result. */
export function resultPlaced({ state, input }: Frame, selected: JsonValue): JsonValue {
    if (state.resultPath === null) {
        return input;
    }
    return state.resultPath === undefined ? selected : state.resultPath.write(input, selected);
}

/** ResultSelector, Assign, ResultPath and OutputPath of a JSONPath state. */
export function finishPath(frame: Frame, result: JsonValue, after?: number): Outcome {
    const { state } = frame;
    const selected = resultSelected(frame, result);
    const variables = assigned(state.assign, scopeWith(frame, selected)) as JsonObject | undefined;
    return exit(frame, outputPath(frame, resultPlaced(frame, selected)), variables, state.next, after);
}

/** The end of a state that has done work, in its language. */
export function finish(frame: Frame, result: JsonValue, after?: number): Outcome | Promise<Outcome> {
    return frame.state.jsonata ? finishJsonata(frame, result, result, after) : finishPath(frame, result, after);
}

/** Leaves the state: checks the output's size, sets the variables, writes the event. */
export function exit(
    frame: Frame,
    output: JsonValue,
    variables: JsonObject | undefined,
    next: CompiledState | undefined,
    after?: number,
): Outcome {
    const { thread, state } = frame;
    checkSize(frame, output);
    if (variables !== undefined) {
        assign(frame, variables);
    }
    if (thread.history.watched) {
        const shown = { field: "output", value: output, assigned: variables } as const;
        const details = { name: state.name };
        emitAfter(thread, after ?? thread.previous, EXITED[state.type], "stateExitedEventDetails", details, shown);
    } else {
        emit(thread, EXITED[state.type]);
    }
    thread.frame = undefined;
    return { output, next };
}

function assign({ thread, state }: Frame, variables: JsonObject): void {
    const { limits } = thread.run;
    const all = { ...thread.variables, ...variables };
    if (byteSize(variables) > limits.payloadBytes || byteSize(all) > limits.variableBytes) {
        throw new StateFailure(
            "States.DataLimitExceeded",
            `The variables assigned in the state '${state.name}' exceed the maximum number of bytes service limit.`,
        );
    }
    thread.variables = all;
}

/** @throws States.DataLimitExceeded. */
export function checkSize({ thread, state }: Frame, value: JsonValue): void {
    if (byteSize(value) > thread.run.limits.payloadBytes) {
        throw new StateFailure("States.DataLimitExceeded", tooLarge(state.name));
    }
}

/** AWS's words for a value that is too large. */
export function tooLarge(what: string): string {
    return (
        `The state/task '${what}' returned a result with a size exceeding the maximum number of bytes` +
        " service limit."
    );
}

const EXITED = stateEvents("Exited");

/** The name of an event of every type of state, such as TaskStateEntered. */
export function stateEvents(suffix: string): { readonly [type in StateType]: string } {
    return {
        Task: `TaskState${suffix}`,
        Pass: `PassState${suffix}`,
        Choice: `ChoiceState${suffix}`,
        Wait: `WaitState${suffix}`,
        Succeed: `SucceedState${suffix}`,
        Fail: `FailState${suffix}`,
        Parallel: `ParallelState${suffix}`,
        Map: `MapState${suffix}`,
    };
}
