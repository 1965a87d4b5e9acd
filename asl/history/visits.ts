/**
 * From a history to visits: one for each entry of a state, with its attempts, its time and how it ended.
 *
 * A history is a list, but branches and iterations run side by side, and states of one name may be open several times.
 * What belongs together is told by `previousEventId`: every event names the one that led to it, so an event belongs to
 * the visit of its predecessor. Two things have no event of their own and are derived: a state inside a container that
 * failed (it was stopped with it), and a state that was open when the execution ended.
 */
import { defined } from "../../ground/fields";
import { detailsOf, enteredType, timeOf, type EventDetails, type Failure, type HistoryEventLike } from "./events";

/** How a visit or an attempt ended. A visit is `failed` also where a Catch went on from it. */
export type VisitOutcome = "succeeded" | "failed" | "stopped" | "running";

/** One try of a Task's work; native retries make several. Times in milliseconds since the epoch. */
export interface Attempt {
    readonly from: number;
    readonly to: number;
    readonly outcome: VisitOutcome;
    readonly error?: string;
    readonly cause?: string;
    /** `sagemaker:createTrainingJob.sync`. */
    readonly resource?: string;
    /** Of a job that the service took: its request, JSON; empty where the history has no data. */
    readonly submitted?: string;
    /** What the service answered, JSON. */
    readonly output?: string;
}

/** One entry of a state. Times in milliseconds since the epoch. */
export interface Visit {
    readonly state: string;
    /** `Task`, `Parallel` ... */
    readonly type: string;
    readonly from: number;
    readonly to: number;
    readonly outcome: VisitOutcome;
    /** Of a Task: every attempt, native retries included. */
    readonly attempts: readonly Attempt[];
    /** Of a Parallel or Map: the error that ended it. */
    readonly error?: string;
}

type Changing<T> = { -readonly [Field in keyof T]: T[Field] };

type OpenAttempt = Changing<Pick<Attempt, "from"> & Partial<Attempt>> & { requested?: string };

interface OpenVisit {
    readonly entry: number;
    readonly state: string;
    readonly type: string;
    readonly from: number;
    /** The container that it runs in. */
    readonly parent?: OpenVisit;
    readonly attempts: OpenAttempt[];
    to?: number;
    outcome?: VisitOutcome;
    /** Of a container: its inner machine failed. */
    failed?: Failure;
}

const CONTAINERS: ReadonlySet<string> = new Set(["Parallel", "Map"]);

/**
 * What a state is that was never left, by how the execution ended; else failed. A time-out and a stop write no event of
 * the state.
 */
const OPEN: ReadonlyMap<string, VisitOutcome> = new Map([
    ["RUNNING", "running"],
    ["ABORTED", "stopped"],
    ["TIMED_OUT", "stopped"],
]);

/**
 * Every entry of a state, in the order of entering.
 * @param events the whole history, oldest event first.
 * @param status how the execution ended, as DescribeExecution names it: decides what became of states that never
 * exited; default FAILED.
 * @param now where open states of a running execution end, in milliseconds since the epoch; default the last event.
 */
export function visitsOf(events: readonly HistoryEventLike[], status: string = "FAILED", now?: number): Visit[] {
    const reader = new Reader();
    for (const event of events) {
        reader.take(event);
    }
    const last = events.at(-1);
    return reader.end(now ?? (last === undefined ? 0 : timeOf(last)), OPEN.get(status) ?? "failed");
}

/** Takes a history event by event. */
class Reader {
    /** Event id -> the visit that it belongs to. */
    private readonly owners = new Map<number, OpenVisit>();
    private readonly visits: OpenVisit[] = [];

    take(event: HistoryEventLike): void {
        const owner = this.ownerOf(event);
        if (owner !== undefined && event.id !== undefined) {
            this.owners.set(event.id, owner);
        }
    }

    /** Closes what is open, and gives all. */
    end(at: number, open: VisitOutcome): Visit[] {
        for (const visit of this.visits.filter(({ outcome }) => outcome === undefined)) {
            closeStopped(visit, at, open);
        }
        return this.visits.map((visit) => closed(visit, at, open));
    }

    private ownerOf(event: HistoryEventLike): OpenVisit | undefined {
        const type = event.type ?? "";
        const before = this.owners.get(event.previousEventId ?? -1);
        if (type.endsWith("StateEntered")) {
            return this.enter(event, before);
        }
        if (type.endsWith("StateExited")) {
            return this.exit(event, before);
        }
        if (/^(?:Parallel|Map)/.test(type)) {
            return this.container(event, before);
        }
        if (before !== undefined && !type.startsWith("Execution")) {
            taskEvent(before, type, timeOf(event), detailsOf(event));
        }
        return before;
    }

    /** A state follows the one before it, or is the first inside a container that is open. */
    private enter(event: HistoryEventLike, before: OpenVisit | undefined): OpenVisit {
        const isInside = before !== undefined && before.outcome === undefined && CONTAINERS.has(before.type);
        const visit = defined({
            entry: event.id ?? 0,
            state: detailsOf(event).name ?? "(unnamed)",
            type: enteredType(event) ?? "",
            from: timeOf(event),
            attempts: [],
            parent: isInside ? before : before?.parent,
        });
        this.visits.push(visit);
        return visit;
    }

    private exit(event: HistoryEventLike, before: OpenVisit | undefined): OpenVisit | undefined {
        const { name } = detailsOf(event);
        const visit =
            climb(before, ({ state }) => state === name) ??
            this.visits.findLast(({ outcome, state }) => outcome === undefined && state === name);
        if (visit !== undefined) {
            const isFailed = visit.failed !== undefined || visit.attempts.at(-1)?.outcome === "failed";
            close(visit, timeOf(event), isFailed ? "failed" : "succeeded");
        }
        return visit;
    }

    /** Events of a Parallel or a Map itself; those of a Map's iterations belong to the Map. */
    private container(event: HistoryEventLike, before: OpenVisit | undefined): OpenVisit | undefined {
        const type = event.type ?? "";
        const kind = type.startsWith("Map") ? "Map" : "Parallel";
        const visit = climb(before, (outer) => outer.type === kind) ?? before;
        if (visit === undefined) {
            return undefined;
        }
        const isFailed = /State(?:Failed|TimedOut)$/.test(type);
        if (isFailed) {
            visit.failed = detailsOf(event);
        }
        // a start after a start is a retry: what ran inside was stopped, as it is by a failure
        if (isFailed || type.endsWith("StateStarted")) {
            this.closeInner(visit, timeOf(event));
        }
        return visit;
    }

    /** What is still open inside a container that failed was stopped with it. */
    private closeInner(container: OpenVisit, at: number): void {
        for (const visit of this.visits) {
            const isOpen = visit.outcome === undefined && visit !== container;
            if (isOpen && climb(visit.parent, (outer) => outer === container) !== undefined) {
                closeStopped(visit, at);
            }
        }
    }
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

function closed(visit: OpenVisit, end: number, open: VisitOutcome): Visit {
    const { state, type, from, to = end, outcome = open, failed, attempts } = visit;
    return defined({
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
    });
}

function close(visit: OpenVisit, at: number, outcome: VisitOutcome): void {
    visit.to = at;
    visit.outcome = outcome;
    const attempt = visit.attempts.at(-1);
    if (attempt !== undefined && attempt.outcome === undefined) {
        attempt.to = at;
        attempt.outcome = outcome;
    }
}

/** A Fail, or a Task whose last attempt failed, is failed; whatever else was open is stopped. */
function closeStopped(visit: OpenVisit, at: number, open: VisitOutcome = "stopped"): void {
    if (visit.type === "Fail") {
        close(visit, visit.from, "failed");
        return;
    }
    close(visit, at, visit.attempts.at(-1)?.outcome === "failed" ? "failed" : open);
}

function taskEvent(visit: OpenVisit, type: string, at: number, said: EventDetails): void {
    const last = visit.attempts.at(-1);
    const open = last?.outcome === undefined ? last : undefined;
    if (type.endsWith("Scheduled")) {
        visit.attempts.push(scheduled(at, said));
    } else if (type === "TaskSubmitted" && open !== undefined) {
        open.submitted = open.requested ?? "";
    } else if (/^(?:Task|LambdaFunction|Activity)Succeeded$/.test(type) && open !== undefined) {
        succeed(open, at, said.output);
    } else if (type.endsWith("StateAborted")) {
        // follows the failure, of this state or of a sibling that is closed with the state around it
        if (type.startsWith(visit.type) && visit.outcome === undefined) {
            closeStopped(visit, at);
        }
    } else if (/(?:Failed|TimedOut)$/.test(type)) {
        const failed = open ?? { from: at };
        if (open === undefined) {
            visit.attempts.push(failed);
        }
        Object.assign(failed, defined({ to: at, outcome: "failed", error: said.error ?? type, cause: said.cause }));
    }
}

function scheduled(at: number, { resource, resourceType, parameters }: EventDetails): OpenAttempt {
    return defined({
        from: at,
        resource: resource === undefined ? undefined : `${resourceType ?? ""}:${resource}`,
        requested: parameters,
    });
}

function succeed(attempt: OpenAttempt, at: number, output: string | undefined): void {
    Object.assign(attempt, defined({ to: at, outcome: "succeeded", output }));
    // SageMaker's own end of a job that was stopped (Spot, time) is no error of the Task
    if (output !== undefined && /"TrainingJobStatus"\s*:\s*"Stopped"/.test(output)) {
        Object.assign(attempt, { outcome: "failed", error: "SageMaker.TrainingJobStopped", cause: output });
    }
}
