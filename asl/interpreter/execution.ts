/** One execution of a compiled machine. */
import { MAXIMUM_EVENTS, MAXIMUM_PAYLOAD_BYTES, MAXIMUM_VARIABLES_BYTES } from "../../ground/awsLimits";
import type { JsonObject, JsonValue } from "../types";
import {
    adopt,
    byteSize,
    copyJson,
    ExpressionError,
    fill,
    NotJsonError,
    render,
    seededRandom,
    typeName,
    uuidFrom,
    type Host,
    type JsonataTemplate,
    type PayloadTemplate,
    type Scope,
    type Variables,
} from "../expressions/index";
import { attempt, type Attempt } from "./attempt";
import { VirtualClock, type Clock, type WaitReason } from "./clock";
import type {
    Assignment,
    CompiledCatcher,
    CompiledGraph,
    CompiledMachine,
    CompiledRetrier,
    CompiledState,
    Dynamic,
} from "./compile";
import { isCatchable, StateFailure, STOPPED } from "./failure";
import { History, lazyText, type Details } from "./history";
import { runMap } from "./map";
import { resourceKind, type ResourceKind } from "./resource";
import { parseTimestamp } from "./timestamp";
import {
    TaskError,
    type ExecutionOptions,
    type ExecutionResult,
    type ExecutionStatus,
    type Limits,
    type Readings,
} from "./types";

/** AWS's quotas of an execution. */
export const DEFAULT_LIMITS: Limits = {
    payloadBytes: MAXIMUM_PAYLOAD_BYTES,
    variableBytes: MAXIMUM_VARIABLES_BYTES,
    historyEvents: MAXIMUM_EVENTS,
};
/** How the interpreter reads the rules of AWS that are in doubt, unless it is told otherwise. */
export const DEFAULT_READINGS: Readings = {
    allCatchesDataLimit: true,
    queryErrorsAreCatchable: true,
    noChoiceMatched: "States.Runtime",
    missedHeartbeat: "States.Timeout",
    taskFailedMatchesAll: true,
    unnamed: "null",
};

/** A line of work: the execution itself, a Parallel's branch or a Map's iteration. */
export interface Thread {
    readonly history: History;
    readonly path: readonly string[];
    /** The event that the next one follows. */
    previous: number;
    variables: Variables;
    readonly mapItem?: { readonly Index: number; readonly Value: JsonValue };
    /** The Execution object of the context, in a distributed Map's child execution. */
    readonly execution?: JsonObject;
    /** The state that runs now. */
    frame?: Frame;
    /** A Map's iteration, for its own abort event. */
    readonly iteration?: { readonly name: string; readonly index: number };
    stopped: boolean;
    /** What to do when this line of work is stopped. */
    onStop?: () => void;
}

/** One entry of a state. */
export interface Frame {
    readonly thread: Thread;
    readonly state: CompiledState;
    readonly input: JsonValue;
    readonly enteredId: number;
    readonly beforeId: number;
    readonly enteredTime: number;
    readonly entered: number;
    retryCount: number;
    taskToken?: string;
    /** The lines of work that this state has started. */
    children: readonly Thread[];
    /** The one of them that failed first. */
    failed?: Thread;
    /**
     * Whether ParallelStateFailed or MapStateFailed is due, once it is clear that the state is not retried (recorded).
     */
    failedEvent?: boolean;
}

export interface Outcome {
    readonly output: JsonValue;
    readonly next: CompiledState | undefined;
}

const NO_VARIABLES: Variables = Object.freeze({});
const DETAILS = "stateEnteredEventDetails";

export class Execution {
    readonly clock: Clock;
    readonly limits: Limits;
    readonly readings: Readings;
    private readonly host: Host;
    private readonly random: () => number;
    readonly executionContext: JsonObject;
    private readonly machineContext: JsonObject;
    private readonly entries = new Map<CompiledState, number>();
    private readonly history: History;
    private readonly root: Thread;
    private readonly controller = new AbortController();
    private readonly startTime: number;
    private transitions = 0;
    private tokens = 0;
    private settle?: (status: ExecutionStatus, output: JsonValue | undefined, error?: string, cause?: string) => void;

    constructor(
        private readonly machine: CompiledMachine,
        readonly options: ExecutionOptions,
    ) {
        this.clock = options.clock ?? new VirtualClock();
        this.limits = { ...DEFAULT_LIMITS, ...options.limits };
        this.readings = { ...DEFAULT_READINGS, ...options.readings };
        this.random = options.random ?? seededRandom(1);
        this.host = { now: () => this.clock.now(), random: this.random, uuid: () => uuidFrom(this.random) };
        this.startTime = options.startTime ?? this.clock.now();
        const name = options.name ?? "execution";
        const machineName = options.stateMachineName ?? options.stateMachineArn?.split(":").pop() ?? "machine";
        const input = adopt(options.input);
        this.executionContext = {
            Id: options.executionArn ?? `arn:aws:states:us-east-1:000000000000:execution:${machineName}:${name}`,
            Input: input,
            Name: name,
            RoleArn: options.roleArn ?? "arn:aws:iam::000000000000:role/state-machine",
            StartTime: new Date(this.startTime).toISOString(),
            RedriveCount: options.redriveCount ?? 0,
        };
        this.machineContext = {
            Id: options.stateMachineArn ?? `arn:aws:states:us-east-1:000000000000:stateMachine:${machineName}`,
            Name: machineName,
        };
        this.history = new History(() => this.clock.now(), options.history !== false, options.onEvent);
        this.root = { history: this.history, path: [], previous: 0, variables: NO_VARIABLES, stopped: false };
    }

    run(): Promise<ExecutionResult> {
        const input = this.executionContext.Input;
        const size = byteSize(input);
        if (size > this.limits.payloadBytes) {
            return Promise.reject(
                new RangeError(
                    `the execution's input has ${size} bytes, at most ${this.limits.payloadBytes} are allowed:` +
                        " StartExecution refuses it",
                ),
            );
        }
        return new Promise((resolve, reject) => {
            this.settle = (status, output, error, cause) => {
                this.settle = undefined;
                this.finalEvent(status, output, error, cause);
                this.silence(this.root);
                this.controller.abort();
                this.options.signal?.removeEventListener("abort", onAbort);
                resolve({
                    status,
                    ...(output === undefined ? {} : { output: copyJson(output) }),
                    ...(error === undefined ? {} : { error }),
                    ...(cause === undefined ? {} : { cause }),
                    events: this.history.events,
                    eventCount: this.history.count,
                    variables: copyJson(this.root.variables as JsonObject),
                    transitions: this.transitions,
                    startTime: this.startTime,
                    stopTime: this.clock.now(),
                });
            };
            const onAbort = (): void => {
                const reason: unknown = this.options.signal?.reason;
                this.settle?.("ABORTED", undefined, undefined, typeof reason === "string" ? reason : undefined);
            };
            this.history.add(
                "ExecutionStarted",
                0,
                "executionStartedEventDetails",
                lazyText({ roleArn: this.executionContext.RoleArn }, "input", input),
            );
            if (this.options.signal?.aborted === true) {
                onAbort();
                return;
            }
            this.options.signal?.addEventListener("abort", onAbort, { once: true });
            if (this.machine.timeoutSeconds !== undefined) {
                this.clock.sleep(this.machine.timeoutSeconds * 1000, this.controller.signal).then(
                    () => this.settle?.("TIMED_OUT", undefined),
                    () => undefined,
                );
            }
            this.runGraph(this.root, this.machine.graph, input).then(
                (output) => this.settle?.("SUCCEEDED", output),
                (failure: unknown) => {
                    if (failure instanceof StateFailure) {
                        this.settle?.("FAILED", undefined, failure.error, failure.cause);
                    } else if (failure !== STOPPED) {
                        reject(failure as Error);
                    }
                },
            );
        });
    }

    /**
     * The last event. One that ends the execution from outside follows nothing (recorded), and open states write no
     * event of their own.
     */
    private finalEvent(status: ExecutionStatus, output: JsonValue | undefined, error?: string, cause?: string): void {
        const previous = this.root.previous;
        const failure: Details = {
            ...(error === undefined ? {} : { error }),
            ...(cause === undefined ? {} : { cause }),
        };
        switch (status) {
            case "SUCCEEDED":
                this.history.add(
                    "ExecutionSucceeded",
                    previous,
                    "executionSucceededEventDetails",
                    lazyText({}, "output", output as JsonValue),
                );
                break;
            case "FAILED":
                this.history.add("ExecutionFailed", previous, "executionFailedEventDetails", failure);
                break;
            case "TIMED_OUT":
                // The result has no error: AWS names it in the history only.
                this.history.add("ExecutionTimedOut", 0, "executionTimedOutEventDetails", { error: "States.Timeout" });
                break;
            default:
                this.history.add("ExecutionAborted", 0, "executionAbortedEventDetails", failure);
                break;
        }
    }

    // ---- events ----

    /**
     * Adds an event after the thread's last one. @throws STOPPED when the thread no longer runs or the history is full.
     */
    emit(
        thread: Thread,
        type: string,
        key?: `${string}EventDetails`,
        details?: Details,
        after: number = thread.previous,
    ): number {
        if (thread.stopped) {
            throw STOPPED;
        }
        if (thread.history.count >= this.limits.historyEvents - 1) {
            this.historyFull(thread);
        }
        const id = thread.history.add(type, after, key, details);
        thread.previous = id;
        return id;
    }

    private historyFull(thread: Thread): never {
        if (thread.history === this.history) {
            this.root.previous = thread.previous;
            this.settle?.(
                "FAILED",
                undefined,
                "States.Runtime",
                `The execution reached the maximum number of history events (${this.limits.historyEvents}).`,
            );
            throw STOPPED;
        }
        throw new StateFailure(
            "States.Runtime",
            `The execution reached the maximum number of history events (${this.limits.historyEvents}).`,
        );
    }

    /**
     * Stops a line of work, and all below it, since a sibling failed. The abort events, innermost first, follow the
     * event of that failure (recorded).
     */
    private stop(thread: Thread, failure: number): void {
        const frame = thread.frame;
        if (thread.stopped) {
            return;
        }
        for (const child of frame?.children ?? []) {
            this.stop(child, failure);
        }
        const room = thread.history.count < this.limits.historyEvents - 1;
        if (room && frame !== undefined && ABORTED.has(frame.state.type)) {
            thread.history.add(`${frame.state.type}StateAborted`, failure);
        }
        if (room && thread.iteration !== undefined) {
            const iteration = { ...thread.iteration };
            thread.history.add("MapIterationAborted", failure, "mapIterationAbortedEventDetails", iteration);
        }
        thread.stopped = true;
        thread.onStop?.();
    }

    /** A Task that fails the Parallel or Map around it is aborted, too (recorded); a Fail or Pass is not. */
    abortFailed(thread: Thread): void {
        if (thread.frame?.state.type === "Task" && thread.history.count < this.limits.historyEvents - 1) {
            thread.history.add("TaskStateAborted", thread.previous);
        }
    }

    /** Stops a line of work and all below it without an event. */
    private silence(thread: Thread): void {
        thread.frame?.children.forEach((child) => this.silence(child));
        thread.stopped = true;
        thread.onStop?.();
    }

    // ---- states ----

    async runGraph(thread: Thread, graph: CompiledGraph, input: JsonValue): Promise<JsonValue> {
        let state = graph.start;
        let value = input;
        for (;;) {
            const running = this.runState(thread, state, value);
            const { output, next } = running instanceof Promise ? await running : running;
            if (next === undefined) {
                return output;
            }
            state = next;
            value = output;
        }
    }

    private runState(thread: Thread, state: CompiledState, input: JsonValue): Outcome | Promise<Outcome> {
        this.transitions++;
        const entered = (this.entries.get(state) ?? 0) + 1;
        this.entries.set(state, entered);
        const beforeId = thread.previous;
        const details = thread.history.watched ? lazyText({ name: state.name }, "input", input) : undefined;
        const enteredId = this.emit(thread, ENTERED[state.type], DETAILS, details);
        const frame: Frame = {
            thread,
            state,
            input,
            enteredId,
            beforeId,
            enteredTime: this.clock.now(),
            entered,
            retryCount: 0,
            children: [],
        };
        thread.frame = frame;
        try {
            switch (state.type) {
                case "Pass":
                    return state.jsonata ? this.guard(frame, this.finishJsonata(frame, input)) : this.pass(frame);
                case "Succeed":
                    return state.jsonata ? this.guard(frame, this.finishJsonata(frame, input)) : this.succeed(frame);
                case "Choice":
                    return state.jsonata ? this.guard(frame, this.choiceJsonata(frame)) : this.choice(frame);
                case "Wait":
                    return this.guard(frame, this.wait(frame));
                case "Fail":
                    return this.guard(frame, this.fail(frame));
                case "Task":
                    return this.catchable(frame, () => this.task(frame));
                case "Parallel":
                    return this.catchable(frame, () => this.parallel(frame));
                default:
                    return this.catchable(frame, () => runMap(this, frame));
            }
        } catch (error) {
            throw this.failure(frame, error);
        }
    }

    private async guard(frame: Frame, outcome: Promise<Outcome>): Promise<Outcome> {
        try {
            return await outcome;
        } catch (error) {
            throw this.failure(frame, error);
        }
    }

    /** What an error means for the state: an expression's failure gets the name and the words that AWS gives it. */
    failure(frame: Frame, error: unknown): unknown {
        if (error instanceof ExpressionError) {
            return error.kind === "JSONata"
                ? this.queryFailure(frame, error.message, error.field)
                : this.runtimeFailure(frame, error.message);
        }
        return error;
    }

    runtimeFailure(frame: Frame, message: string): StateFailure {
        return new StateFailure("States.Runtime", `${this.prefix(frame)} ${message}`);
    }

    /** States.QueryEvaluationError, with its EvaluationFailed event. */
    queryFailure(
        frame: Frame,
        message: string,
        location?: string,
        // Recorded: this event follows the one before the state was entered.
        after: number = frame.thread.previous === frame.enteredId ? frame.beforeId : frame.thread.previous,
    ): StateFailure | typeof STOPPED {
        const cause = `${this.prefix(frame)} ${message}`;
        if (frame.thread.stopped) {
            return STOPPED;
        }
        this.emit(
            frame.thread,
            "EvaluationFailed",
            "evaluationFailedEventDetails",
            {
                cause,
                error: "States.QueryEvaluationError",
                ...(location === undefined ? {} : { location }),
                state: frame.state.name,
            },
            after,
        );
        return new StateFailure("States.QueryEvaluationError", cause);
    }

    private prefix(frame: Frame): string {
        return `An error occurred while executing the state '${frame.state.name}' (entered at the event id #${frame.enteredId}).`;
    }

    /** What the state's expressions see. */
    scope(
        frame: Frame,
        more?: {
            readonly input?: JsonValue;
            readonly result?: JsonValue;
            readonly errorOutput?: JsonValue;
            readonly mapItem?: Thread["mapItem"];
        },
    ): Scope {
        return {
            input: frame.input,
            variables: frame.thread.variables,
            host: this.host,
            ...more,
            context: () => this.context(frame, more?.mapItem ?? frame.thread.mapItem),
        };
    }

    private context(frame: Frame, mapItem: Thread["mapItem"]): JsonObject {
        return {
            Execution: frame.thread.execution ?? this.executionContext,
            State: {
                EnteredTime: new Date(frame.enteredTime).toISOString(),
                Name: frame.state.name,
                // Only states that can be retried count.
                ...(["Task", "Parallel", "Map"].includes(frame.state.type) ? { RetryCount: frame.retryCount } : {}),
            },
            StateMachine: this.machineContext,
            ...(mapItem === undefined ? {} : { Map: { Item: mapItem } }),
            ...(frame.taskToken === undefined ? {} : { Task: { Token: frame.taskToken } }),
        };
    }

    /** Leaves the state: checks the output's size, sets the variables, writes the event. */
    exit(
        frame: Frame,
        output: JsonValue,
        assigned: JsonObject | undefined,
        next: CompiledState | undefined,
        after?: number,
    ): Outcome {
        const { thread, state } = frame;
        this.checkSize(frame, output);
        if (assigned !== undefined) {
            const variables = { ...thread.variables, ...assigned };
            if (byteSize(assigned) > this.limits.payloadBytes || byteSize(variables) > this.limits.variableBytes) {
                throw new StateFailure(
                    "States.DataLimitExceeded",
                    `The variables assigned in the state '${state.name}' exceed the maximum number of bytes service limit.`,
                );
            }
            thread.variables = variables;
        }
        if (thread.history.watched) {
            const details = lazyText({ name: state.name }, "output", output);
            if (assigned !== undefined) {
                details.assignedVariables = Object.fromEntries(
                    Object.entries(assigned).map(([name, value]) => [name, JSON.stringify(value)]),
                );
                details.assignedVariablesDetails = { truncated: false };
            }
            this.emit(thread, EXITED[state.type], "stateExitedEventDetails", details, after);
        } else {
            this.emit(thread, EXITED[state.type]);
        }
        thread.frame = undefined;
        return { output, next };
    }

    checkSize(frame: Frame, value: JsonValue): void {
        if (byteSize(value) > this.limits.payloadBytes) {
            throw new StateFailure(
                "States.DataLimitExceeded",
                `The state/task '${frame.state.name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
            );
        }
    }

    private async assignJsonata(assign: Assignment | undefined, scope: Scope): Promise<JsonObject | undefined> {
        return assign === undefined
            ? undefined
            : ((await render(assign.template as JsonataTemplate, scope)) as JsonObject);
    }

    private assignPath(assign: Assignment | undefined, scope: Scope): JsonObject | undefined {
        return assign === undefined ? undefined : (fill(assign.template as PayloadTemplate, scope) as JsonObject);
    }

    /** Output and Assign of a JSONata state; both see the values from before. */
    async finishJsonata(frame: Frame, fallback: JsonValue, result?: JsonValue, after?: number): Promise<Outcome> {
        const { state } = frame;
        if (state.output === undefined && state.assign === undefined) {
            return this.exit(frame, fallback, undefined, state.next, after);
        }
        const scope = this.scope(frame, result === undefined ? undefined : { result });
        const output = state.output === undefined ? fallback : await render(state.output, scope);
        return this.exit(frame, output, await this.assignJsonata(state.assign, scope), state.next, after);
    }

    /** ResultSelector, Assign, ResultPath and OutputPath of a JSONPath state. */
    finishPath(frame: Frame, result: JsonValue, after?: number): Outcome {
        const { state } = frame;
        const selector = state.resultSelector;
        const selected = selector === undefined ? result : fill(selector, this.scope(frame, { input: result }));
        const assigned =
            state.assign === undefined
                ? undefined
                : this.assignPath(state.assign, this.scope(frame, { input: selected }));
        let output = selected;
        if (state.resultPath === null) {
            output = frame.input;
        } else if (state.resultPath !== undefined) {
            output = state.resultPath.write(frame.input, selected);
        }
        return this.exit(frame, this.outputPath(frame, output), assigned, state.next, after);
    }

    private outputPath(frame: Frame, output: JsonValue): JsonValue {
        const path = frame.state.outputPath;
        return path === undefined ? output : path === null ? {} : path.read(this.scope(frame, { input: output }));
    }

    /** The input after InputPath. */
    inputPath(frame: Frame): JsonValue {
        const path = frame.state.inputPath;
        return path === undefined ? frame.input : path === null ? {} : path.read(this.scope(frame));
    }

    private pass(frame: Frame): Outcome {
        const { state } = frame;
        const input = this.inputPath(frame);
        const parameters = state.parameters;
        const effective = parameters === undefined ? input : fill(parameters, this.scope(frame, { input }));
        return this.finishPath(frame, state.result ?? effective);
    }

    private succeed(frame: Frame): Outcome {
        return this.exit(frame, this.outputPath(frame, this.inputPath(frame)), undefined, undefined);
    }

    private choice(frame: Frame): Outcome {
        const { state } = frame;
        const input = this.inputPath(frame);
        const scope = this.scope(frame, { input });
        const rule = state.rules.find((candidate) => candidate.comparison?.(scope) === true);
        const next = rule?.next ?? state.fallback ?? this.noChoice(frame);
        const assigned = this.assignPath((rule ?? state).assign, scope);
        return this.exit(frame, this.outputPath(frame, input), assigned, next);
    }

    private async choiceJsonata(frame: Frame): Promise<Outcome> {
        const { state } = frame;
        const scope = this.scope(frame);
        for (const rule of state.rules) {
            const condition = await render(rule.condition as JsonataTemplate, scope);
            if (typeof condition !== "boolean") {
                throw new ExpressionError(
                    "JSONata",
                    "Condition",
                    `The JSONata expression specified for the field 'Condition' returned an unexpected result type.` +
                        ` Expected 'boolean', but was '${typeName(condition)}' for value: ${JSON.stringify(condition)}`,
                );
            }
            if (condition) {
                const output = rule.output === undefined ? frame.input : await render(rule.output, scope);
                return this.exit(frame, output, await this.assignJsonata(rule.assign, scope), rule.next);
            }
        }
        const next = state.fallback ?? this.noChoice(frame);
        const output = state.output === undefined ? frame.input : await render(state.output, scope);
        return this.exit(frame, output, await this.assignJsonata(state.assign, scope), next);
    }

    private noChoice(frame: Frame): never {
        throw new StateFailure(
            this.readings.noChoiceMatched,
            `${this.prefix(frame)} Failed to transition out of the state. The state does not point to a next state.`,
        );
    }

    /** The value of a field that may be an expression or a path. */
    async dynamic(field: Dynamic, scope: Scope): Promise<JsonValue> {
        return field.template !== undefined
            ? render(field.template, scope)
            : field.path !== undefined
              ? field.path(scope)
              : (field.value ?? null);
    }

    /** A failure about a field's value: of the query in JSONata, of the run time in JSONPath. */
    badField(frame: Frame, field: Dynamic, expected: string, value: JsonValue, path: string): unknown {
        return frame.state.jsonata
            ? new ExpressionError(
                  "JSONata",
                  field.field,
                  `The JSONata expression '${field.text ?? ""}' specified for the field '${field.field}' returned an unexpected` +
                      ` result type. Expected '${expected}', but was '${typeName(value)}' for value: ${JSON.stringify(value)}`,
              )
            : this.runtimeFailure(frame, path);
    }

    private async wait(frame: Frame): Promise<Outcome> {
        const { state } = frame;
        const input = state.jsonata ? frame.input : this.inputPath(frame);
        const scope = this.scope(frame, { input });
        const milliseconds =
            state.seconds === undefined
                ? await this.untilTimestamp(frame, state.timestamp as Dynamic, scope)
                : await this.waitSeconds(frame, state.seconds, scope);
        if (milliseconds > LONGEST_WAIT) {
            throw this.runtimeFailure(frame, "Wait state delay is too long.");
        }
        await this.pause(frame.thread, milliseconds, { state: state.name, kind: "Wait" });
        if (state.jsonata) {
            return this.finishJsonata(frame, frame.input);
        }
        return this.exit(frame, this.outputPath(frame, input), this.assignPath(state.assign, scope), state.next);
    }

    /** The value of a Wait's field. A path that leads nowhere has its own words here (recorded). */
    private async waitField(frame: Frame, field: Dynamic, scope: Scope): Promise<JsonValue> {
        try {
            return await this.dynamic(field, scope);
        } catch (error) {
            if (error instanceof ExpressionError && error.kind === "JSONPath" && field.text !== undefined) {
                const message = `The ${field.field} parameter does not reference an input value: ${field.text}`;
                throw this.runtimeFailure(frame, message);
            }
            throw error;
        }
    }

    private async waitSeconds(frame: Frame, field: Dynamic, scope: Scope): Promise<number> {
        const value = await this.waitField(frame, field, scope);
        const shown = typeof value === "string" ? value : JSON.stringify(value);
        if (typeof value !== "number" || !Number.isInteger(value)) {
            const message = `The ${field.field} parameter cannot be parsed as a long value: ${field.text} == ${shown}`;
            throw this.badField(frame, field, "integer", value, message);
        }
        if (value < 0) {
            const message = `The ${field.field} parameter references a negative value: ${field.text} == ${shown}`;
            throw this.badField(frame, field, "positive integer", value, message);
        }
        return value * 1000;
    }

    private async untilTimestamp(frame: Frame, field: Dynamic, scope: Scope): Promise<number> {
        const value = await this.waitField(frame, field, scope);
        const until = parseTimestamp(value);
        if (until !== undefined) {
            return Math.max(0, until - this.clock.now());
        }
        const format = "ISO-8601 extended offset date-time format string";
        if (!frame.state.jsonata) {
            const shown = typeof value === "string" ? value : JSON.stringify(value);
            const message = `The ${field.field} parameter does not reference a valid ${format}: ${field.text} == ${shown}`;
            throw this.runtimeFailure(frame, message);
        }
        if (typeof value !== "string") {
            throw this.badField(frame, field, "string", value, "");
        }
        const message = `The ${field.field} field cannot be parsed as an ${format}: ${value}`;
        throw this.queryFailure(frame, message, field.field, frame.enteredId);
    }

    /** Waits on the clock. @throws STOPPED when the thread is stopped meanwhile. */
    private async pause(thread: Thread, milliseconds: number, reason: WaitReason): Promise<void> {
        const controller = new AbortController();
        thread.onStop = () => controller.abort(STOPPED);
        try {
            await (this.clock.wait === undefined
                ? this.clock.sleep(milliseconds, controller.signal)
                : this.clock.wait(milliseconds, reason, controller.signal));
        } finally {
            thread.onStop = undefined;
        }
        if (thread.stopped) {
            throw STOPPED;
        }
    }

    private async fail(frame: Frame): Promise<never> {
        const { state } = frame;
        const scope = this.scope(frame);
        const read = async (field: Dynamic | undefined): Promise<string | undefined> => {
            if (field === undefined) {
                return undefined;
            }
            const value = await this.dynamic(field, scope);
            if (typeof value !== "string") {
                throw this.badField(
                    frame,
                    field,
                    "string",
                    value,
                    `The ${field.field} field refers to value ${JSON.stringify(value)} which is not a string: ${field.text}`,
                );
            }
            return value;
        };
        const error = await read(state.error);
        const cause = await read(state.cause);
        throw new StateFailure(error, cause);
    }

    // ---- Retry and Catch ----

    private async catchable(frame: Frame, attempt: () => Promise<Outcome>): Promise<Outcome> {
        const { state, thread } = frame;
        const attempts = state.retriers.map(() => 0);
        for (;;) {
            try {
                return await attempt();
            } catch (error) {
                let failure: unknown;
                try {
                    failure = this.failure(frame, error);
                } catch (stopped) {
                    failure = stopped;
                }
                if (!(failure instanceof StateFailure) || thread.stopped) {
                    throw failure;
                }
                const catchable =
                    isCatchable(failure) &&
                    (failure.error !== "States.QueryEvaluationError" || this.readings.queryErrorsAreCatchable);
                const index = catchable
                    ? state.retriers.findIndex((retrier) => this.matches(retrier.errors, failure))
                    : -1;
                if (index >= 0 && attempts[index] < state.retriers[index].maxAttempts) {
                    const milliseconds = this.interval(state.retriers[index], attempts[index]) * 1000;
                    await this.pause(thread, milliseconds, { state: state.name, kind: "Retry" });
                    attempts[index]++;
                    frame.retryCount++;
                    frame.children = [];
                    frame.failed = undefined;
                    frame.failedEvent = undefined;
                    this.transitions++;
                    continue;
                }
                if (frame.failedEvent === true) {
                    this.emit(thread, state.type === "Map" ? "MapStateFailed" : "ParallelStateFailed");
                }
                const catcher = catchable
                    ? state.catchers.find((candidate) => this.matches(candidate.errors, failure))
                    : undefined;
                if (catcher === undefined) {
                    throw failure;
                }
                return this.guard(frame, this.caught(frame, catcher, failure));
            }
        }
    }

    private interval(retrier: CompiledRetrier, done: number): number {
        const seconds = Math.min(retrier.intervalSeconds * retrier.backoffRate ** done, retrier.maxDelaySeconds);
        return retrier.fullJitter ? seconds * this.random() : seconds;
    }

    private matches(names: readonly string[], failure: StateFailure): boolean {
        const { error, alias } = failure;
        return names.some((name) => {
            if (name === "States.ALL") {
                return error !== "States.DataLimitExceeded" || this.readings.allCatchesDataLimit;
            }
            if (name === "States.TaskFailed" && error !== name) {
                return (
                    error !== undefined &&
                    error !== "States.Timeout" &&
                    (this.readings.taskFailedMatchesAll ||
                        (error !== "States.HeartbeatTimeout" && error !== "States.QueryEvaluationError"))
                );
            }
            return name === error || name === alias;
        });
    }

    private errorOutput({ error, cause }: StateFailure): JsonObject {
        const output: JsonObject = {};
        const { unnamed } = this.readings;
        const put = (field: string, text: string | undefined): void => {
            if (text !== undefined) {
                output[field] = text;
            } else if (unnamed !== "absent") {
                output[field] = unnamed === "null" ? null : "";
            }
        };
        put("Error", error);
        // Recorded: a time-out, whose event has no cause, is caught with an empty one.
        put("Cause", cause ?? (error === "States.Timeout" ? "" : undefined));
        return output;
    }

    private async caught(frame: Frame, catcher: CompiledCatcher, failure: StateFailure): Promise<Outcome> {
        const errorOutput = this.errorOutput(failure);
        if (frame.state.jsonata) {
            const scope = this.scope(frame, { errorOutput });
            const output = catcher.output === undefined ? errorOutput : await render(catcher.output, scope);
            return this.exit(frame, output, await this.assignJsonata(catcher.assign, scope), catcher.next);
        }
        const output =
            catcher.resultPath === null
                ? frame.input
                : catcher.resultPath === undefined
                  ? errorOutput
                  : catcher.resultPath.write(frame.input, errorOutput);
        const assigned = this.assignPath(catcher.assign, this.scope(frame, { input: errorOutput }));
        return this.exit(frame, output, assigned, catcher.next);
    }

    // ---- Task ----

    private async task(frame: Frame): Promise<Outcome> {
        const { state } = frame;
        const kind = resourceKind(state.resource as string);
        if (kind.token) {
            frame.taskToken = `task-token-${++this.tokens}`;
        }
        let args: JsonValue;
        let scope: Scope;
        if (state.jsonata) {
            scope = this.scope(frame);
            args = state.arguments === undefined ? frame.input : await render(state.arguments, scope);
        } else {
            const input = this.inputPath(frame);
            scope = this.scope(frame, { input });
            args = state.parameters === undefined ? input : fill(state.parameters, scope);
        }
        const timeout = await this.seconds(frame, state.timeout, scope);
        const heartbeat = await this.seconds(frame, state.heartbeat, scope);
        const credentials = await this.credentials(frame, scope);
        this.checkSize(frame, args);
        const result = await this.attempt(frame, kind, args, credentials, timeout, heartbeat);
        return state.jsonata ? this.finishJsonata(frame, result, result) : this.finishPath(frame, result);
    }

    /** The role that the task is called with. @throws a failure when it is no text. */
    private async credentials(frame: Frame, scope: Scope): Promise<JsonObject | undefined> {
        const template = frame.state.credentials;
        if (template === undefined) {
            return undefined;
        }
        return (await (frame.state.jsonata
            ? render(template as JsonataTemplate, scope)
            : fill(template as PayloadTemplate, scope))) as JsonObject;
    }

    private async seconds(frame: Frame, field: Dynamic | undefined, scope: Scope): Promise<number | undefined> {
        if (field === undefined) {
            return undefined;
        }
        const value = await this.dynamic(field, scope);
        if (typeof value !== "number" || !Number.isInteger(value) || value <= 0 || value > 99_999_999) {
            throw this.badField(
                frame,
                field,
                "positive integer",
                value,
                `The ${field.field} parameter does not reference an integer from 1 to 99999999:` +
                    ` ${field.text} == ${JSON.stringify(value)}`,
            );
        }
        return value;
    }

    private taskEvent(
        frame: Frame,
        kind: ResourceKind,
        what: "Scheduled" | "Started" | "Submitted" | "Succeeded" | "Failed" | "TimedOut",
        details: Details = {},
    ): void {
        const family = kind.kind === "lambda" ? "LambdaFunction" : kind.kind === "activity" ? "Activity" : "Task";
        const all =
            kind.kind !== "service"
                ? details
                : Object.assign(details, { resource: kind.resource, resourceType: kind.resourceType });
        const key = `${family[0].toLowerCase()}${family.slice(1)}${what}EventDetails` as const;
        const empty = kind.kind === "lambda" && what === "Started";
        this.emit(frame.thread, `${family}${what}`, empty ? undefined : key, empty ? undefined : all);
    }

    /** One attempt of a task: the handler against time-out, heartbeat and stop. */
    private async attempt(
        frame: Frame,
        kind: ResourceKind,
        args: JsonValue,
        credentials: JsonObject | undefined,
        timeout: number | undefined,
        heartbeat: number | undefined,
    ): Promise<JsonValue> {
        const { state, thread } = frame;
        const times: Details = {};
        if (timeout !== undefined) {
            times.timeoutInSeconds = timeout;
        }
        if (heartbeat !== undefined) {
            times.heartbeatInSeconds = heartbeat;
        }
        if (credentials !== undefined) {
            times.taskCredentials = { roleArn: credentials.RoleArn ?? null };
        }
        if (kind.kind === "service") {
            const parameters: Details = { ...times, region: "us-east-1" };
            lazyText(parameters, "parameters", args);
            delete parameters.parametersDetails;
            this.taskEvent(frame, kind, "Scheduled", parameters);
        } else {
            this.taskEvent(frame, kind, "Scheduled", lazyText({ ...times, resource: state.resource }, "input", args));
        }
        let started = false;
        const start = (workerName?: string): void => {
            if (!started && !thread.stopped) {
                started = true;
                this.taskEvent(frame, kind, "Started", workerName === undefined ? {} : { workerName });
            }
        };
        if (kind.kind !== "activity") {
            start();
        }
        let submitted = !kind.submits;
        const submit = (output: JsonValue): void => {
            if (!submitted && !thread.stopped) {
                submitted = true;
                this.taskEvent(frame, kind, "Submitted", lazyText({}, "output", adopt(output)));
            }
        };
        let result: JsonValue;
        try {
            const value = await this.race(frame, {
                args,
                credentials,
                timeout,
                heartbeat,
                started: start,
                submitted: submit,
            });
            // The handler may go on using its object: the execution works with its own.
            result = adopt(value === undefined ? null : copyPlain(value));
        } catch (error) {
            if (error === STOPPED || thread.stopped) {
                throw STOPPED;
            }
            const failure = this.taskFailure(state, error);
            if (failure.error !== "States.Timeout") {
                start();
            }
            if (failure.error === "States.TaskFailed" || failure.error === "States.Timeout") {
                submit(null);
            }
            this.taskEvent(
                frame,
                kind,
                failure.error === "States.Timeout" || failure.alias !== undefined ? "TimedOut" : "Failed",
                {
                    ...(failure.error === undefined ? {} : { error: failure.error }),
                    ...(failure.cause === undefined ? {} : { cause: failure.cause }),
                },
            );
            throw failure;
        }
        if (thread.stopped) {
            throw STOPPED;
        }
        start();
        submit(null);
        if (byteSize(result) > this.limits.payloadBytes) {
            const cause = `The state/task '${state.resource}' returned a result with a size exceeding the maximum number of bytes service limit.`;
            this.taskEvent(frame, kind, "Failed", { error: "States.DataLimitExceeded", cause });
            throw new StateFailure("States.DataLimitExceeded", cause);
        }
        this.taskEvent(frame, kind, "Succeeded", lazyText({}, "output", result));
        return result;
    }

    private taskFailure(state: CompiledState, error: unknown): StateFailure {
        if (error instanceof StateFailure) {
            return error;
        }
        if (error instanceof TaskError) {
            return new StateFailure(error.error, error.cause);
        }
        if (error instanceof NotJsonError) {
            return new StateFailure(
                "States.TaskFailed",
                `the result of the task '${state.name}' is no JSON: ${error.message}`,
            );
        }
        return new StateFailure("States.TaskFailed", error instanceof Error ? error.message : String(error));
    }

    private race(
        frame: Frame,
        options: Pick<Attempt, "args" | "credentials" | "timeout" | "heartbeat" | "started" | "submitted">,
        resource: string = frame.state.resource as string,
        purpose: Attempt["purpose"] = "Task",
    ): Promise<JsonValue> {
        return attempt({
            ...options,
            frame,
            resource,
            purpose,
            machineClock: this.clock,
            missedHeartbeat: this.readings.missedHeartbeat,
            task: this.options.task,
            context: () => copyJson(this.context(frame, frame.thread.mapItem)),
        });
    }

    /** Calls the task handler for a Map's ItemReader or ResultWriter. */
    call(frame: Frame, purpose: "ItemReader" | "ResultWriter", resource: string, args: JsonValue): Promise<JsonValue> {
        const nothing = (): void => undefined;
        const options = { args, timeout: undefined, heartbeat: undefined, started: nothing, submitted: nothing };
        return this.race(frame, options, resource, purpose);
    }

    // ---- Parallel ----

    private async parallel(frame: Frame): Promise<Outcome> {
        const { state, thread } = frame;
        let input: JsonValue;
        if (state.jsonata) {
            input = state.arguments === undefined ? frame.input : await render(state.arguments, this.scope(frame));
        } else {
            const effective = this.inputPath(frame);
            input =
                state.parameters === undefined
                    ? effective
                    : fill(state.parameters, this.scope(frame, { input: effective }));
        }
        this.checkSize(frame, input);
        const started = this.emit(thread, "ParallelStateStarted");
        const children = state.branches.map((_, index): Thread => ({
            history: thread.history,
            path: [...thread.path, state.name, String(index)],
            previous: started,
            variables: thread.variables,
            stopped: false,
            ...inherited(thread),
        }));
        frame.children = children;
        let results: JsonValue[];
        try {
            results = await this.join(frame, (child, index) => this.runGraph(child, state.branches[index], input));
        } catch (error) {
            this.failBelow(frame, error);
            throw error;
        }
        const last = children.reduce((latest, child) => Math.max(latest, child.previous), started);
        this.emit(thread, "ParallelStateSucceeded", undefined, undefined, last);
        const value = adopt(results);
        return state.jsonata ? this.finishJsonata(frame, value, value, last) : this.finishPath(frame, value, last);
    }

    /** Runs lines of work side by side. The first failure is thrown, and its line remembered in `frame.failed`. */
    private join(frame: Frame, run: (child: Thread, index: number) => Promise<JsonValue>): Promise<JsonValue[]> {
        return new Promise((resolve, reject) => {
            const results = new Array<JsonValue>(frame.children.length);
            let open = results.length;
            if (open === 0) {
                resolve(results);
            }
            frame.children.forEach((child, index) => {
                run(child, index).then(
                    (value) => {
                        results[index] = value;
                        if (--open === 0) {
                            resolve(results);
                        }
                    },
                    (error: unknown) => {
                        if (frame.failed === undefined && error instanceof StateFailure && !child.stopped) {
                            frame.failed = child;
                            if (isCatchable(error)) {
                                this.abortFailed(child);
                            }
                        }
                        reject(error as Error);
                    },
                );
            });
        });
    }

    /**
     * After a failure below a Parallel or Map: stops what still runs there. States.Runtime ends the execution where it
     * happened, without an event of the states around it.
     */
    failBelow(frame: Frame, error: unknown): void {
        const { thread, failed } = frame;
        if (thread.stopped || failed === undefined || !(error instanceof StateFailure)) {
            return;
        }
        failed.stopped = true;
        thread.previous = failed.previous;
        if (!isCatchable(error)) {
            frame.children.forEach((child) => this.silence(child));
            return;
        }
        frame.children.forEach((child) => this.stop(child, failed.previous));
        frame.failedEvent = true;
    }
}

/** Recorded: 24,855 days are waited for, 2^31 seconds are not. */
const LONGEST_WAIT = 2_147_483_647 * 1000;

/** Types of states that have an abort event. */
const ABORTED: ReadonlySet<string> = new Set(["Task", "Wait", "Parallel", "Map"]);

/** What a branch takes over from the line of work that it belongs to. */
export function inherited(thread: Thread): Pick<Thread, "mapItem" | "execution"> {
    return {
        ...(thread.mapItem === undefined ? {} : { mapItem: thread.mapItem }),
        ...(thread.execution === undefined ? {} : { execution: thread.execution }),
    };
}

/** A JSON copy of what a handler gave, such as an instance of a class with a toJSON. */
function copyPlain(value: JsonValue): JsonValue {
    const text = JSON.stringify(value);
    if (text === undefined) {
        throw new NotJsonError("", `a ${typeof value}`);
    }
    return JSON.parse(text) as JsonValue;
}

const ENTERED = names("Entered");
const EXITED = names("Exited");

function names(suffix: string): { readonly [type in CompiledState["type"]]: string } {
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
