/** The Task state. */
import { adopt, byteSize, NotJsonError, render, takeIn, type Scope } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { CompiledState, Dynamic } from "../compile/compiled";
import { StateFailure, STOPPED } from "../failure";
import type { Details, Shown } from "../history";
import { resourceKind, type ResourceKind } from "../resource";
import { then } from "../then";
import { TaskError } from "../types";
import { attempt } from "./attempt";
import { emit, failureDetails } from "./events";
import { badField, valueOf } from "./failures";
import type { Frame, Outcome } from "./frame";
import { checkSize, finish, inputPath, tooLarge } from "./leave";
import { scopeWith } from "./scope";

/** What the state's fields say of the call. */
interface Call {
    readonly kind: ResourceKind;
    readonly args: JsonValue;
    readonly credentials: JsonObject | undefined;
    readonly timeout: number | undefined;
    readonly heartbeat: number | undefined;
}

export function task(frame: Frame): Outcome | Promise<Outcome> {
    const { state, thread } = frame;
    const kind = resourceKind(state.resource as string);
    if (kind.token) {
        thread.run.tokens += 1;
        frame.taskToken = thread.run.options.taskToken?.() ?? `task-token-${thread.run.tokens}`;
    }
    const input = inputPath(frame);
    const scope = scopeWith(frame, input);
    const given = state.payload === undefined ? input : render(state.payload, scope);
    return then(given, (args) => {
        const { timeout, heartbeat, credentials } = state;
        if (timeout === undefined && heartbeat === undefined && credentials === undefined) {
            return perform(frame, { kind, args, credentials, timeout, heartbeat });
        }
        return bounded(frame, kind, args, scope);
    });
}

/** As task, for a state with a time-out, a heartbeat or a role of its own. */
async function bounded(frame: Frame, kind: ResourceKind, args: JsonValue, scope: Scope): Promise<Outcome> {
    const { state } = frame;
    const timeout = await seconds(frame, state.timeout, scope);
    const heartbeat = await seconds(frame, state.heartbeat, scope);
    const credentials = state.credentials && ((await render(state.credentials, scope)) as JsonObject);
    return perform(frame, { kind, args, credentials, timeout, heartbeat });
}

async function seconds(frame: Frame, field: Dynamic | undefined, scope: Scope): Promise<number | undefined> {
    if (field === undefined) {
        return undefined;
    }
    const value = await valueOf(field, scope);
    if (typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 99_999_999) {
        return value;
    }
    const said = `${field.text} == ${JSON.stringify(value)}`;
    const message = `The ${field.field} parameter does not reference an integer from 1 to 99999999: ${said}`;
    throw badField(frame, field, "positive integer", value, message);
}

/** One attempt, with its events. */
function perform(frame: Frame, call: Call): Promise<Outcome> {
    checkSize(frame, call.args);
    const { kind } = call;
    taskEvent(frame, kind, "Scheduled", scheduled(frame, call), {
        field: kind.kind === "service" ? "parameters" : "input",
        value: call.args,
    });
    const course = new Course(frame, kind);
    const answer = attempt(frame, {
        purpose: "Task",
        resource: frame.state.resource as string,
        args: call.args,
        credentials: call.credentials,
        timeout: call.timeout,
        heartbeat: call.heartbeat,
        onStarted: course.started,
        onSubmitted: course.submitted,
    });
    return answer.then(
        (value) => finish(frame, course.succeeded(value)),
        (error: unknown) => {
            throw course.failed(error);
        },
    );
}

function scheduled({ state }: Frame, { kind, credentials, timeout, heartbeat }: Call): Details {
    const details: { [field: string]: unknown } =
        kind.kind === "service" ? { region: "us-east-1" } : { resource: state.resource };
    if (timeout !== undefined) {
        details.timeoutInSeconds = timeout;
    }
    if (heartbeat !== undefined && kind.kind !== "lambda") {
        details.heartbeatInSeconds = heartbeat;
    }
    if (credentials !== undefined) {
        details.taskCredentials = { roleArn: credentials.RoleArn ?? null };
    }
    return details;
}

/** The events of an attempt behind TaskScheduled. What the handler does not tell is written before its end. */
class Course {
    private isStarted = false;
    private isSubmitted: boolean;

    constructor(
        private readonly frame: Frame,
        private readonly kind: ResourceKind,
    ) {
        this.isSubmitted = !kind.submits;
        if (kind.kind !== "activity") {
            this.started();
        }
    }

    readonly started = (workerName?: string): void => {
        if (!this.isStarted && !this.frame.thread.stopped) {
            this.isStarted = true;
            taskEvent(this.frame, this.kind, "Started", workerName === undefined ? {} : { workerName });
        }
    };

    readonly submitted = (output: JsonValue): void => {
        if (!this.isSubmitted && !this.frame.thread.stopped) {
            this.isSubmitted = true;
            taskEvent(this.frame, this.kind, "Submitted", {}, { field: "output", value: adopt(takeIn(output)) });
        }
    };

    /** @returns the result as the execution's own value: the handler may go on using its object. */
    succeeded(value: JsonValue): JsonValue {
        const { frame, kind } = this;
        if (frame.thread.stopped) {
            throw STOPPED;
        }
        let result: JsonValue;
        try {
            result = takeIn(value);
        } catch (error) {
            throw this.failed(error);
        }
        this.started();
        this.submitted(null);
        if (byteSize(result) > frame.thread.run.limits.payloadBytes) {
            const cause = tooLarge(frame.state.resource as string);
            taskEvent(frame, kind, "Failed", { error: "States.DataLimitExceeded", cause });
            throw new StateFailure("States.DataLimitExceeded", cause);
        }
        taskEvent(frame, kind, "Succeeded", {}, { field: "output", value: result });
        return result;
    }

    /** @returns what the state fails with. */
    failed(error: unknown): unknown {
        const { frame, kind } = this;
        if (error === STOPPED || frame.thread.stopped) {
            return STOPPED;
        }
        const failure = taskFailure(frame.state, error);
        if (failure.error !== "States.Timeout") {
            this.started();
        }
        if (failure.error === "States.TaskFailed" || failure.error === "States.Timeout") {
            this.submitted(null);
        }
        const timedOut = failure.error === "States.Timeout" || failure.alias !== undefined;
        taskEvent(frame, kind, timedOut ? "TimedOut" : "Failed", failureDetails(failure.error, failure.cause));
        return failure;
    }
}

function taskFailure(state: CompiledState, error: unknown): StateFailure {
    if (error instanceof StateFailure) {
        return error;
    }
    if (error instanceof TaskError) {
        return new StateFailure(error.error, error.cause);
    }
    const message = error instanceof Error ? error.message : String(error);
    const cause =
        error instanceof NotJsonError ? `the result of the task '${state.name}' is no JSON: ${message}` : message;
    return new StateFailure("States.TaskFailed", cause);
}

const FAMILIES = { lambda: "LambdaFunction", activity: "Activity", service: "Task" } as const;

function taskEvent(
    { thread }: Frame,
    kind: ResourceKind,
    what: "Scheduled" | "Started" | "Submitted" | "Succeeded" | "Failed" | "TimedOut",
    details: Details,
    shown?: Shown,
): void {
    const family = FAMILIES[kind.kind];
    const type = `${family}${what}`;
    if (kind.kind === "lambda" && what === "Started") {
        emit(thread, type);
        return;
    }
    const key = `${family.charAt(0).toLowerCase()}${family.slice(1)}${what}EventDetails` as const;
    const { resource, resourceType } = kind;
    emit(thread, type, key, kind.kind === "service" ? { ...details, resource, resourceType } : details, shown);
}
