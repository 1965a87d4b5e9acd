/** From an execution's event history to what a timeline shows. */
import type { Visit } from "./model";

/** The part of an event that a timeline needs: as GetExecutionHistory gives it, timestamps in milliseconds or as Date. */
export interface TimelineEvent {
    readonly id: number;
    readonly previousEventId?: number;
    readonly type: string;
    readonly timestamp: number | Date | string;
    readonly [details: string]: unknown;
}

/**
 * Pairs each state's entry with its exit. An exit's state is known by name; with several entries of one name open (a Map's
 * iterations) the chain of previousEventId decides. A state that never exits ends with the execution, as failed.
 */
export function visitsOf(events: readonly TimelineEvent[]): Visit[] {
    const time = (event: TimelineEvent): number => new Date(event.timestamp).getTime();
    const open = new Map<number, { state: string; type: string; from: number; errors: string[] }>();
    /** Event id -> id of the entry that it belongs to. */
    const owner = new Map<number, number>();
    const visits: (Visit & { readonly entry: number })[] = [];
    const end = events.length === 0 ? 0 : time(events[events.length - 1]);
    for (const event of events) {
        if (event.type.endsWith("StateEntered")) {
            const details = event.stateEnteredEventDetails as { name?: string } | undefined;
            open.set(event.id, {
                state: details?.name ?? "(unnamed)", type: event.type.replace(/StateEntered$/, ""), from: time(event), errors: [],
            });
            owner.set(event.id, event.id);
            continue;
        }
        const entry = owner.get(event.previousEventId ?? -1);
        const visit = entry === undefined ? undefined : open.get(entry);
        if (event.type.endsWith("StateExited")) {
            const name = (event.stateExitedEventDetails as { name?: string } | undefined)?.name;
            const match = visit?.state === name && entry !== undefined ? entry
                : [...open].reverse().find(([, candidate]) => candidate.state === name)?.[0];
            const closing = match === undefined ? undefined : open.get(match);
            if (match !== undefined && closing !== undefined) {
                visits.push({ ...closing, to: time(event), outcome: failedBeforeExit(closing), entry: match });
                open.delete(match);
            }
            continue;
        }
        if (entry !== undefined && visit !== undefined) {
            owner.set(event.id, entry);
            if (/(Failed|TimedOut|Aborted)$/.test(event.type) && !event.type.startsWith("Execution")) {
                const details = Object.values(event).find((value): value is { error?: string } =>
                    typeof value === "object" && value !== null && "error" in value);
                visit.errors.push(details?.error ?? event.type);
            }
        }
    }
    for (const [entry, visit] of open) {
        visits.push({ ...visit, to: end, outcome: "failed", entry });
    }
    return visits.sort((a, b) => a.entry - b.entry).map(({ entry: _entry, ...visit }) => visit);
}

/** A state whose last attempt failed and that was left all the same was left by a Catch. */
function failedBeforeExit(visit: { readonly errors: readonly string[]; readonly type: string }): "succeeded" | "failed" {
    return visit.type === "Fail" || visit.errors.length > 0 ? "failed" : "succeeded";
}
