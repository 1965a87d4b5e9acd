/** Events of an execution's history, whoever wrote them: AWS, its SDK, the interpreter, or a recording. */

/**
 * An event as GetExecutionHistory gives it.
 *
 * `timestamp` is a Date (the SDK), milliseconds since the epoch (the interpreter) or a text that Date reads (a
 * recording, the AWS CLI). An event carries at most one object `...EventDetails` that says something.
 */
export interface HistoryEventLike {
    readonly id?: number;
    /** The event that led to this one; 0 for the first. With it a history is a tree, as concurrent branches need. */
    readonly previousEventId?: number;
    /** `TaskStateEntered`, `TaskFailed` ... */
    readonly type?: string;
    readonly timestamp?: number | Date | string;
}

/** Fields that details of several kinds share. */
export interface EventDetails {
    readonly name?: string;
    readonly error?: string;
    readonly cause?: string;
    readonly input?: string;
    readonly output?: string;
    readonly resource?: string;
    readonly resourceType?: string;
    readonly parameters?: string;
}

/** What a failure says; either may be missing, and AWS leaves out both for a time-out. */
export interface Failure {
    readonly error?: string;
    readonly cause?: string;
}

/** An event's details; empty where it has none. */
export function detailsOf(event: HistoryEventLike): EventDetails {
    const entry = Object.entries(event).find(
        ([name, value]) => name.endsWith("EventDetails") && typeof value === "object" && value !== null,
    );
    return (entry?.[1] ?? {}) as EventDetails;
}

/** Milliseconds since the epoch; 0 where the event does not say. */
export function timeOf(event: HistoryEventLike): number {
    return new Date(event.timestamp ?? 0).getTime();
}

/** `Task` of `TaskStateEntered`; undefined for other events. */
export function enteredType(event: HistoryEventLike): string | undefined {
    return /^(\w+)StateEntered$/.exec(event.type ?? "")?.[1];
}

/** All that a state's own work can end with, the ways of not even beginning included. */
const FAILURE = /^(?:Task|LambdaFunction|Activity|Evaluation)(?:Schedule|Start|Submit)?(?:Failed|TimedOut)$/;

/** What a state's work says that failed: a task, a function, an activity, an expression. Undefined for other events. */
export function failureOf(event: HistoryEventLike): Failure | undefined {
    return FAILURE.test(event.type ?? "") ? detailsOf(event) : undefined;
}

/** An entry of a state: the event that entered it, and its name. */
export interface StateEntry {
    readonly id: number;
    readonly state: string;
}

/** Says of each event of a history, taken in order, to which entry of a state it belongs. */
export class StateOfEvent {
    private readonly entries = new Map<number, StateEntry>();

    /** @returns undefined for events that stand before the first state. */
    take(event: HistoryEventLike): StateEntry | undefined {
        const id = event.id ?? 0;
        const entry =
            enteredType(event) === undefined
                ? this.entries.get(event.previousEventId ?? 0)
                : { id, state: detailsOf(event).name ?? "(unnamed)" };
        if (entry !== undefined) {
            this.entries.set(id, entry);
        }
        return entry;
    }
}
