/** Runs the definition of a recorded execution again: tasks answer what they answered on AWS, S3 holds what it held. */
import {
    execute,
    TaskError,
    VirtualClock,
    type ExecutionResult,
    type TaskHandler,
    type TaskRequest,
} from "../../../asl/interpreter/index";
import type { JsonValue } from "../../../asl/types";
import { detailsOf, inputOf, opened, type RecordedEvent, type Recording } from "./recordings";

/** The events of one attempt of a Task. */
interface Attempt {
    readonly started?: RecordedEvent;
    readonly submitted?: RecordedEvent;
    readonly ended?: RecordedEvent;
}

const SCHEDULED = /^(?:Task|LambdaFunction|Activity)Scheduled$/u;
const STARTED = /^(?:Task|LambdaFunction|Activity)Started$/u;
const ENDED =
    /^(?:Task|LambdaFunction|Activity)(?:Succeeded|Failed|TimedOut|StartFailed|SubmitFailed|ScheduleFailed)$/u;

/**
 * The attempts in the order in which they were scheduled. Events are matched by their order where their ids are lost.
 */
function attempts(events: readonly RecordedEvent[]): Attempt[] {
    const nth = (pattern: RegExp): RecordedEvent[] => events.filter((event) => pattern.test(event.type));
    const scheduled = nth(SCHEDULED);
    if (scheduled.every((event) => typeof event.id === "number" && event.id > 0)) {
        return scheduled.map((event) => chain(events, event));
    }
    const [started, submitted, ended] = [nth(STARTED), nth(/^TaskSubmitted$/u), nth(ENDED)];
    return scheduled.map((_, index) => ({
        started: started[index],
        submitted: submitted[index],
        ended: ended[index],
    }));
}

/** The events that follow a TaskScheduled, each the next one's previous. */
function chain(events: readonly RecordedEvent[], first: RecordedEvent): Attempt {
    const after = (event: RecordedEvent | undefined, pattern: RegExp): RecordedEvent | undefined =>
        events.find((next) => event !== undefined && next.previousEventId === event.id && pattern.test(next.type));
    const started = after(first, STARTED);
    const submitted = after(started ?? first, /^TaskSubmitted$/u);
    const ended = after(submitted ?? started ?? first, ENDED);
    return { started, submitted, ended };
}

/** The handler that gives each attempt its recorded answer. */
function recordedTasks(recording: Recording): TaskHandler {
    const left = attempts(recording.events);
    return async (request) => {
        if (request.purpose !== "Task") {
            return objectStore(recording, request);
        }
        const attempt = left.shift();
        if (attempt?.ended === undefined) {
            if (attempt !== undefined) {
                await request.clock.sleep(Infinity, request.signal);
            }
            // A distributed Map's children are not in the recording of their parent.
            return request.arguments;
        }
        if (attempt.started !== undefined) {
            request.started(detailsOf(attempt.started).workerName as string | undefined);
        }
        if (attempt.submitted !== undefined) {
            request.submitted(opened(detailsOf(attempt.submitted).output) as JsonValue);
        }
        return answer(attempt.ended);
    };
}

function answer(event: RecordedEvent): JsonValue {
    const { output, error, cause } = detailsOf(event);
    if (event.type.endsWith("Succeeded")) {
        return opened(output) as JsonValue;
    }
    const text = cause === undefined || typeof cause === "string" ? cause : JSON.stringify(cause);
    throw new TaskError(error as string | undefined, text);
}

/** S3 as an ItemReader or ResultWriter sees it. */
function objectStore(recording: Recording, request: TaskRequest): JsonValue {
    const { Key, Prefix } = request.arguments as { readonly Key?: string; readonly Prefix?: string };
    const objects = recording.s3 ?? [];
    if (request.resource.endsWith("listObjectsV2")) {
        const listed = objects.filter((object) => object.Key.startsWith(Prefix ?? ""));
        return { Contents: listed.map((object) => ({ Key: object.Key, Size: Buffer.byteLength(object.Body) })) };
    }
    if (request.resource.endsWith("putObject")) {
        return {};
    }
    const found = objects.find((object) => object.Key === Key);
    if (found === undefined) {
        throw new TaskError("S3.NoSuchKeyException", "The specified key does not exist.");
    }
    return { Body: found.Body };
}

/**
 * Runs the recording's definition. An execution that was stopped, or still ran, is stopped where its recording ends.
 */
export async function replay(recording: Recording): Promise<ExecutionResult> {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const unfinished = recording.status === undefined || recording.status === null;
    const cut = unfinished || recording.status === "ABORTED";
    const last = recording.events.length - (unfinished ? 0 : 1);
    return execute(recording.definition, {
        input: inputOf(recording),
        clock,
        executionArn: "arn:aws:states:us-east-1:111111111111:execution:machine:execution",
        stateMachineArn: "arn:aws:states:us-east-1:111111111111:stateMachine:machine",
        task: recordedTasks(recording),
        signal: controller.signal,
        onEvent: (event) => {
            if (cut && event.id === last) {
                // Time stands still, so whatever does not wait happens before the stop.
                clock.hold();
                setImmediate(() => controller.abort());
            }
        },
    });
}
