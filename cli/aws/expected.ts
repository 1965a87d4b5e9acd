/** How long states take: from earlier executions of the same state machine that succeeded. */
import { paginateListExecutions, type HistoryEvent, type SFNClient } from "@aws-sdk/client-sfn";
import { visitsOf } from "../../asl/history";
import { defined } from "../../ground/fields";
import { median } from "../../pricing/expected";
import { historyOf } from "./history";

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
        for (const { state, milliseconds } of timesOf(await historyOf(client, executionArn as string, abortSignal))) {
            visits.set(state, [...(visits.get(state) ?? []), milliseconds]);
        }
    }
    const times = executions.flatMap(({ startDate, stopDate }) =>
        startDate === undefined || stopDate === undefined ? [] : [stopDate.getTime() - startDate.getTime()],
    );
    return defined({
        executions: executions.length,
        states: new Map([...visits].map(([state, milliseconds]) => [state, median(milliseconds)])),
        execution: times.length === 0 ? undefined : median(times),
    });
}

/** Milliseconds of each visit that came to its end: one that a catcher took has no time that one could expect. */
export function timesOf(events: readonly HistoryEvent[]): { readonly state: string; readonly milliseconds: number }[] {
    return visitsOf(events, "SUCCEEDED")
        .filter(({ outcome }) => outcome === "succeeded")
        .map(({ state, from, to }) => ({ state, milliseconds: to - from }));
}
