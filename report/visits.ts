/** From an execution's event history to what a timeline shows. */
import { defined } from "../ground/fields";
import type { Attempt, Outcome, Visit } from "./model";

/**
 * The part of an event that a timeline needs: as GetExecutionHistory gives it, timestamps in milliseconds, as Date or
 * as text.
 */
export interface TimelineEvent {
    readonly id?: number;
    readonly previousEventId?: number;
    readonly type?: string;
    readonly timestamp?: number | Date | string;
    readonly [details: string]: unknown;
}

interface OpenAttempt {
    from: number;
    to?: number;
    outcome?: Outcome;
    error?: string;
    cause?: string;
    resource?: string;
    requested?: string;
    submitted?: string;
    output?: string;
}

interface OpenVisit {
    readonly entry: number;
    readonly state: string;
    readonly type: string;
    readonly from: number;
    readonly parent?: OpenVisit;
    readonly attempts: OpenAttempt[];
    to?: number;
    outcome?: Outcome;
    /** Of a container: its inner machine failed. */
    failed?: { readonly error?: string; readonly cause?: string };
}

interface Details {
    readonly name?: string;
    readonly error?: string;
    readonly cause?: string;
    readonly output?: string;
    readonly resource?: string;
    readonly resourceType?: string;
    readonly parameters?: string;
}

const CONTAINERS = new Set(["Parallel", "Map"]);

/**
 * What a state is that was never left, by how the execution ended; else failed. A time-out and a stop write no event of
 * the state.
 */
const OPEN: ReadonlyMap<string, Outcome> = new Map([
    ["RUNNING", "running"],
    ["ABORTED", "stopped"],
    ["TIMED_OUT", "stopped"],
]);

/**
 * Pairs each state's entry with its exit, by the chain of previousEventId; concurrent branches may hold states of one
 * name.
 * @param status how the execution ended: decides what became of states that never exited.
 * @param now where open states of a running execution end, in milliseconds; default the last event.
 */
export function visitsOf(events: readonly TimelineEvent[], status: string = "FAILED", now?: number): Visit[] {
    /** Event id -> the visit that it belongs to. */
    const owners = new Map<number, OpenVisit>();
    const visits: OpenVisit[] = [];
    for (const event of events) {
        const type = event.type ?? "";
        const at = timeOf(event);
        const before = owners.get(event.previousEventId ?? -1);
        let owner = before;
        if (type.endsWith("StateEntered")) {
            const parent =
                before === undefined || (before.outcome === undefined && CONTAINERS.has(before.type))
                    ? before
                    : before.parent;
            owner = defined({
                entry: event.id ?? 0,
                state: details(event).name ?? "(unnamed)",
                type: type.replace(/StateEntered$/, ""),
                from: at,
                attempts: [],
                parent,
            });
            visits.push(owner);
        } else if (type.endsWith("StateExited")) {
            const name = details(event).name;
            owner =
                climb(before, (visit) => visit.state === name) ??
                visits.findLast((visit) => visit.outcome === undefined && visit.state === name);
            if (owner !== undefined) {
                close(
                    owner,
                    at,
                    owner.failed !== undefined || owner.attempts.at(-1)?.outcome === "failed" ? "failed" : "succeeded",
                );
            }
        } else if (/^(Parallel|Map)/.test(type)) {
            const kind = type.startsWith("Map") ? "Map" : "Parallel";
            owner = climb(before, (visit) => visit.type === kind) ?? before;
            if (owner !== undefined && /State(Failed|TimedOut)$/.test(type)) {
                owner.failed = details(event);
                closeInner(visits, owner, at);
            } else if (owner !== undefined && type.endsWith("StateStarted")) {
                // A retry: what ran inside was stopped.
                closeInner(visits, owner, at);
            }
        } else if (owner !== undefined && !type.startsWith("Execution")) {
            taskEvent(owner, type, at, details(event));
        }
        if (owner !== undefined && event.id !== undefined) {
            owners.set(event.id, owner);
        }
    }
    const last = events.at(-1);
    const end = now ?? (last === undefined ? 0 : timeOf(last));
    const open = OPEN.get(status) ?? "failed";
    for (const visit of visits.filter(({ outcome }) => outcome === undefined)) {
        closeStopped(visit, end, open);
    }
    return visits.map(({ state, type, from, to = end, outcome = open, failed, attempts }) =>
        defined({
            state,
            type,
            from,
            to,
            outcome,
            attempts: attempts.map(({ requested: _requested, ...attempt }): Attempt => ({
                ...attempt,
                to: attempt.to ?? to,
                outcome: attempt.outcome ?? outcome,
            })),
            error: failed?.error,
        }),
    );
}

function timeOf(event: TimelineEvent): number {
    return new Date(event.timestamp ?? 0).getTime();
}

/** An event carries at most one object of details that says something. */
function details(event: TimelineEvent): Details {
    const entry = Object.entries(event).find(
        ([name, value]) => name.endsWith("EventDetails") && typeof value === "object" && value !== null,
    );
    return (entry?.[1] ?? {}) as Details;
}

/** The nearest open visit, from one outwards, for which `matches` holds. */
function climb(from: OpenVisit | undefined, matches: (visit: OpenVisit) => boolean): OpenVisit | undefined {
    for (let visit = from; visit !== undefined; visit = visit.parent) {
        if (visit.outcome === undefined && matches(visit)) {
            return visit;
        }
    }
    return undefined;
}

function close(visit: OpenVisit, at: number, outcome: Outcome): void {
    visit.to = at;
    visit.outcome = outcome;
    const attempt = visit.attempts.at(-1);
    if (attempt !== undefined && attempt.outcome === undefined) {
        attempt.to = at;
        attempt.outcome = outcome;
    }
}

/** A Fail, or a Task whose last attempt failed, is failed; whatever else was open is stopped. */
function closeStopped(visit: OpenVisit, at: number, open: Outcome = "stopped"): void {
    if (visit.type === "Fail") {
        close(visit, visit.from, "failed");
    } else {
        close(visit, at, visit.attempts.at(-1)?.outcome === "failed" ? "failed" : open);
    }
}

/** What is still open inside a container that failed was stopped with it. */
function closeInner(visits: readonly OpenVisit[], container: OpenVisit, at: number): void {
    for (const visit of visits) {
        if (
            visit.outcome === undefined &&
            visit !== container &&
            climb(visit.parent, (outer) => outer === container) !== undefined
        ) {
            closeStopped(visit, at);
        }
    }
}

function taskEvent(visit: OpenVisit, type: string, at: number, said: Details): void {
    const { error, cause, output, resource, resourceType, parameters } = said;
    const open = visit.attempts.at(-1)?.outcome === undefined ? visit.attempts.at(-1) : undefined;
    if (type.endsWith("Scheduled")) {
        visit.attempts.push(
            defined({
                from: at,
                resource: resource === undefined ? undefined : `${resourceType ?? ""}:${resource}`,
                requested: parameters,
            }),
        );
    } else if (type === "TaskSubmitted" && open !== undefined) {
        open.submitted = open.requested ?? "";
    } else if (/^(Task|LambdaFunction|Activity)Succeeded$/.test(type) && open !== undefined) {
        // SageMaker's own end of a job that was stopped (Spot, time) is no error of the Task
        const stopped = output !== undefined && /"TrainingJobStatus"\s*:\s*"Stopped"/.test(output);
        Object.assign(
            open,
            { to: at, outcome: stopped ? "failed" : "succeeded" },
            output === undefined ? {} : { output },
            stopped ? { error: "SageMaker.TrainingJobStopped", cause: output } : {},
        );
    } else if (type.endsWith("StateAborted")) {
        // Follows the failure, of this state or of a sibling that is closed with the state around it.
        if (type.startsWith(visit.type) && visit.outcome === undefined) {
            closeStopped(visit, at);
        }
    } else if (/(Failed|TimedOut)$/.test(type)) {
        const failed = open ?? { from: at };
        if (open === undefined) {
            visit.attempts.push(failed);
        }
        Object.assign(
            failed,
            { to: at, outcome: "failed", error: error ?? type },
            cause === undefined ? {} : { cause },
        );
    }
}
