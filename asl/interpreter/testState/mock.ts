/** What a mock may be, by the type of state that it stands in for. */
import { isObject } from "../../expressions/index";
import type { JsonValue } from "../../types";
import type { CompiledState } from "../compile/compiled";
import { checkAnswer } from "./answerCheck";
import { TestStateError, type TestStateRequest } from "./types";

/** What the state's work results in. */
export type Mocked =
    | { readonly kind: "result"; readonly value: JsonValue }
    | { readonly kind: "error"; readonly error: string | undefined; readonly cause: string | undefined };

const MOCKED: ReadonlySet<string> = new Set(["Task", "Parallel", "Map"]);

/** @returns undefined where there is no mock. @throws TestStateError in AWS's words. */
export function mockOf(request: TestStateRequest, state: CompiledState): Mocked | undefined {
    const { mock, stateConfiguration } = request;
    if (mock === undefined) {
        checkWithout(request, state);
        return undefined;
    }
    if (request.revealSecrets === true) {
        throw invalid("TestState does not support RevealSecrets when a mock is specified.");
    }
    if (!MOCKED.has(state.type)) {
        throw invalid(`State type '${state.type}' is not supported when a mock is specified`);
    }
    if ((mock.result === undefined) === (mock.errorOutput === undefined)) {
        throw invalid("A test mock should have only one of the following fields: [result, errorOutput].");
    }
    if (mock.errorOutput !== undefined) {
        return { kind: "error", error: mock.errorOutput.error, cause: mock.errorOutput.cause };
    }
    const value = resultOf(mock.result ?? "");
    checkShape(state, value, stateConfiguration?.mapIterationFailureCount ?? 0);
    if (state.type === "Task") {
        checkAnswer(state.resource ?? "", value, mock.fieldValidationMode ?? "STRICT");
    }
    return { kind: "result", value };
}

function invalid(message: string): TestStateError {
    return new TestStateError("ValidationException", message);
}

function checkWithout({ stateConfiguration }: TestStateRequest, { type }: CompiledState): void {
    if (stateConfiguration?.mapIterationFailureCount !== undefined) {
        throw invalid("TestState does not support MapIterationFailureCount when a mock is not specified.");
    }
    if (type === "Map" || type === "Parallel") {
        const types = "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]";
        throw new TestStateError(
            "InvalidDefinition",
            `TestState API does not support Map or Parallel states. ${types}`,
        );
    }
}

function resultOf(text: string): JsonValue {
    try {
        return JSON.parse(text) as JsonValue;
    } catch {
        throw invalid("Mocked result must be valid JSON.");
    }
}

function checkShape(state: CompiledState, value: JsonValue, failures: number): void {
    if (state.type === "Map" && state.map?.writer?.resource !== undefined) {
        if (!isObject(value)) {
            throw invalid("Mocked result must be a JSON object.");
        }
        return;
    }
    if (state.type === "Task") {
        return;
    }
    if (!Array.isArray(value)) {
        throw invalid("Mocked result must be an array.");
    }
    if (state.type === "Parallel" && value.length !== state.branches.length) {
        throw invalid("Mocked result must contain the same number of items as number of Parallel branches.");
    }
    if (state.type === "Map" && failures > value.length) {
        throw invalid("Map iteration failure count must be less than or equal to the number of Map iterations");
    }
}
