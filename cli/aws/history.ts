/** Getting an execution's history; asl/history reads it. */
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
