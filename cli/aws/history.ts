/** Reading an execution's history. */
import { paginateGetExecutionHistory, type HistoryEvent, type SFNClient } from "@aws-sdk/client-sfn";

/** The whole history so far, oldest event first. */
export async function historyOf(
    client: SFNClient,
    executionArn: string,
    abortSignal?: AbortSignal,
): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    for await (const page of paginateGetExecutionHistory(
        { client, pageSize: 1000 },
        { executionArn },
        { abortSignal },
    )) {
        events.push(...(page.events ?? []));
    }
    return events;
}

/** A visit of a state: the event that entered it, and its name. */
export interface Visit {
    readonly id: number;
    readonly state: string;
}

/** Says of each event of a history, taken in order, to which visit of a state it belongs. */
export class StateOfEvent {
    private readonly visits = new Map<number, Visit>();

    public take(event: HistoryEvent): Visit | undefined {
        const id = event.id ?? 0;
        const name = event.stateEnteredEventDetails?.name;
        const visit = name === undefined ? this.visits.get(event.previousEventId ?? 0) : { id, state: name };
        if (visit !== undefined) {
            this.visits.set(id, visit);
        }
        return visit;
    }
}

/** What a failed task says; undefined for every other event. */
export function failureOf(event: HistoryEvent): { readonly error?: string; readonly cause?: string } | undefined {
    return (
        event.taskFailedEventDetails ??
        event.taskTimedOutEventDetails ??
        event.taskSubmitFailedEventDetails ??
        event.taskStartFailedEventDetails ??
        event.evaluationFailedEventDetails ??
        event.lambdaFunctionFailedEventDetails
    );
}
