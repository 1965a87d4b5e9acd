/**
 * AWS's TestState, without AWS: one state, once, with its work mocked. Source: the API reference of TestState, and
 * calls recorded on AWS, which a test replays.
 */
import { defined } from "../../../ground/fields";
import { adopt, isObject } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import { VirtualClock } from "../clock";
import type { CompiledState } from "../compile/compiled";
import { backoff, caught, isCaught, matches } from "../execution/catch";
import { failureOf } from "../execution/failures";
import { frameOf, threadOf, type Frame, type Outcome, type Run } from "../execution/frame";
import { DEFAULT_LIMITS, runOf } from "../execution/run";
import { StateFailure } from "../failure";
import { History } from "../history";
import type { TaskHandler } from "../types";
import { course, type Test } from "./course";
import { testedState } from "./definition";
import { mockOf } from "./mock";
import { TestStateError, type ErrorDetails, type TestStateRequest, type TestStateResponse } from "./types";

/** What TestState cannot know by itself. */
export interface TestStateOptions {
    /** Does the work of a Task that has no mock; default: such a Task is refused. */
    readonly task?: TaskHandler;
}

/**
 * Tests a state.
 * @returns what the API answers.
 * @throws TestStateError (as a rejection) where the API refuses the request, under AWS's name and in AWS's words where
 * these are recorded.
 */
export async function testState(request: TestStateRequest, options: TestStateOptions = {}): Promise<TestStateResponse> {
    const { state } = testedState(request.definition, request.stateName);
    const mocked = mockOf(request, state);
    const frame = enter(state, request, options);
    if (state.type === "Task" && mocked === undefined && options.task === undefined) {
        throw new TestStateError(
            "ValidationException",
            `the Task '${state.name}' needs a mock: nothing here does its work`,
        );
    }
    const test: Test = { frame, mocked, configuration: request.stateConfiguration ?? {}, seen: {} };
    const response = await answer(test);
    if (request.inspectionLevel === "DEBUG" || request.inspectionLevel === "TRACE") {
        if (Object.keys(frame.thread.variables).length > 0) {
            test.seen.variables = JSON.stringify(frame.thread.variables);
        }
        response.inspectionData = test.seen;
    }
    return response;
}

async function answer(test: Test): Promise<TestStateResponse> {
    try {
        return left("SUCCEEDED", await course(test));
    } catch (error) {
        return failed(test, failureIn(test, error));
    }
}

/** @throws what is no failure of the state. */
function failureIn({ frame }: Test, error: unknown): StateFailure {
    const failure = failureOf(frame, error);
    if (!(failure instanceof StateFailure)) {
        throw failure;
    }
    return failure;
}

/** What the failure is called, in the response. */
function saidOf({ error, cause }: StateFailure): Pick<TestStateResponse, "error" | "cause"> {
    return defined({ error, cause });
}

function left(status: TestStateResponse["status"], { output, next }: Outcome): TestStateResponse {
    const response: TestStateResponse = { status, output: JSON.stringify(output) };
    if (next !== undefined) {
        response.nextState = next.name;
    }
    return response;
}

async function failed(test: Test, failure: StateFailure): Promise<TestStateResponse> {
    const { frame, configuration, seen } = test;
    const { readings } = frame.thread.run;
    const said = saidOf(failure);
    if (!isCaught(failure, readings)) {
        return { status: "FAILED", ...said };
    }
    const { retriers, catchers } = frame.state;
    const details: ErrorDetails = {};
    const retryIndex = retriers.findIndex(({ errors }) => matches(errors, failure, readings));
    const retrier = retriers[retryIndex];
    if (retrier !== undefined) {
        const done = configuration.retrierRetryCount ?? 0;
        seen.errorDetails = details;
        details.retryIndex = retryIndex;
        if (done < retrier.maxAttempts) {
            details.retryBackoffIntervalSeconds = backoff(retrier, done);
            return { status: "RETRIABLE", ...said };
        }
    }
    const catchIndex = catchers.findIndex(({ errors }) => matches(errors, failure, readings));
    const catcher = catchers[catchIndex];
    if (catcher === undefined) {
        return { status: "FAILED", ...said };
    }
    seen.errorDetails = details;
    details.catchIndex = catchIndex;
    try {
        return { ...left("CAUGHT_ERROR", await caught(frame, catcher, failure)), ...said };
    } catch (error) {
        // A catcher that fails is not caught by its own state.
        return { status: "FAILED", ...saidOf(failureIn(test, error)) };
    }
}

/** The frame of the tested state in a run that has nothing else. */
function enter(state: CompiledState, request: TestStateRequest, options: TestStateOptions): Frame {
    const input = json(request.input ?? "{}", "InvalidExecutionInput", "Invalid State Machine Execution Input");
    const run = newRun(input, request, options);
    const thread = threadOf(run, { history: run.history, path: [], previous: 0, variables: variablesOf(request) });
    const frame = frameOf(thread, state, adopt(input), { enteredId: 0, beforeId: 0, entered: 1 });
    thread.frame = frame;
    return frame;
}

function newRun(input: JsonValue, request: TestStateRequest, { task }: TestStateOptions): Run {
    const clock = new VirtualClock();
    const refuse: TaskHandler = () => Promise.reject(new Error("a test without a mock needs a handler"));
    const name = "00000000-0000-0000-0000-000000000000";
    const account = "arn:aws:states:us-east-1:000000000000";
    const context = request.context === undefined ? undefined : object(request.context, "context");
    return runOf({ input, task: task ?? refuse }, clock, DEFAULT_LIMITS, {
        context,
        execution: {
            Id: `${account}:express:test-state:${name}`,
            Input: input,
            Name: name,
            RoleArn: request.roleArn ?? null,
            StartTime: new Date(clock.now()).toISOString(),
        },
        machine: { Id: `${account}:stateMachine:test-state`, Name: "test-state" },
        history: new History(() => clock.now(), false),
        fail: (_thread, error, cause) => {
            throw new StateFailure(error, cause);
        },
        graph: () => {
            throw new TestStateError("ValidationException", "a state is tested without the states inside it");
        },
    });
}

function variablesOf({ variables }: TestStateRequest): JsonObject {
    return variables === undefined ? {} : object(variables, "variables");
}

function object(text: string, field: string): JsonObject {
    const value = json(text, "ValidationException", `Invalid JSON in ${field}`);
    if (!isObject(value)) {
        throw new TestStateError("ValidationException", `${field} must be a JSON object`);
    }
    return adopt(value) as JsonObject;
}

function json(text: string, code: TestStateError["code"], words: string): JsonValue {
    try {
        return JSON.parse(text) as JsonValue;
    } catch (error) {
        throw new TestStateError(code, `${words}: '${error instanceof Error ? error.message : String(error)}'`);
    }
}
