/** How long states take: from earlier executions of the same state machine that succeeded. */
import { paginateListExecutions, type HistoryEvent, type SFNClient } from "@aws-sdk/client-sfn";
import { failureOf, historyOf, StateOfEvent } from "./history";

/** Executions that are looked at: the newest ones that succeeded. */
const LOOKED_AT = 5;

export interface Expected {
    /** Executions that it rests on. */
    readonly executions: number;
    /** Median milliseconds of a visit, by state. */
    readonly states: ReadonlyMap<string, number>;
    /** Median milliseconds of a whole execution. */
    readonly execution?: number;
}

/**
 * @param except ARN of the execution that is to be compared: it may have succeeded already.
 * @throws the SDK's error.
 */
export async function expectedTimes(
    client: SFNClient,
    stateMachineArn: string,
    { except, abortSignal }: { readonly except?: string; readonly abortSignal?: AbortSignal } = {},
): Promise<Expected> {
    const pages = paginateListExecutions(
        { client, pageSize: LOOKED_AT + 1 },
        { stateMachineArn, statusFilter: "SUCCEEDED" },
        { abortSignal },
    );
    const { value } = await pages.next();
    const executions = (value?.executions ?? [])
        .filter(({ executionArn }) => executionArn !== except)
        .slice(0, LOOKED_AT);
    const visits = new Map<string, number[]>();
    for (const { executionArn } of executions) {
        for (const { state, milliseconds } of visitsOf(await historyOf(client, executionArn as string, abortSignal))) {
            visits.set(state, [...(visits.get(state) ?? []), milliseconds]);
        }
    }
    return {
        executions: executions.length,
        states: new Map([...visits].map(([state, times]) => [state, median(times) as number])),
        execution: median(
            executions.flatMap(({ startDate, stopDate }) =>
                startDate === undefined || stopDate === undefined ? [] : [stopDate.getTime() - startDate.getTime()],
            ),
        ),
    };
}

/** Visits of a history that came to their end: a state that is left by a catcher has no time that one could expect. */
export function visitsOf(events: readonly HistoryEvent[]): { readonly state: string; readonly milliseconds: number }[] {
    const stateOf = new StateOfEvent();
    const failed = new Set<number>();
    const entered = new Map<number, Date>();
    const visits: { state: string; milliseconds: number }[] = [];
    for (const event of events) {
        const visit = stateOf.take(event);
        if (visit === undefined || event.timestamp === undefined) {
            continue;
        }
        if (event.stateEnteredEventDetails !== undefined) {
            entered.set(visit.id, event.timestamp);
        } else if (failureOf(event) !== undefined) {
            failed.add(visit.id);
        } else if (/Succeeded$/.test(String(event.type))) {
            // a retry that worked
            failed.delete(visit.id);
        } else if (event.stateExitedEventDetails?.name === visit.state && !failed.has(visit.id)) {
            const { timestamp } = event;
            visits.push({
                state: visit.state,
                milliseconds: timestamp.getTime() - (entered.get(visit.id) ?? timestamp).getTime(),
            });
        }
    }
    return visits;
}

function median(values: readonly number[]): number | undefined {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length === 0
        ? undefined
        : sorted.length % 2 === 1
          ? sorted[middle]
          : (sorted[middle - 1] + sorted[middle]) / 2;
}
