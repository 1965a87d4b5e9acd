/** The Map Runs of one execution, as ListMapRuns and DescribeMapRun tell of them. */
import type { HistoryEvent, MapRunCounts, MapRunProgress } from "../interpreter";
import type { JsonObject } from "../types";

type MapRunStatus = "RUNNING" | "SUCCEEDED" | "FAILED" | "ABORTED";

interface MapRun {
    readonly progress: MapRunProgress;
    readonly startDate: number;
    status: MapRunStatus;
    stopDate?: number;
}

/** Statuses that end a Map Run, by the event that says so. */
const ENDS: Readonly<Record<string, MapRunStatus>> = {
    MapRunSucceeded: "SUCCEEDED",
    MapRunFailed: "FAILED",
    MapRunAborted: "ABORTED",
};

/** Events that end the whole execution. */
const EXECUTION_ENDS = /^Execution(Failed|TimedOut|Aborted)$/;

export class MapRuns {
    private readonly runs = new Map<string, MapRun>();

    constructor(
        private readonly executionArn: string,
        private readonly machineArn: string,
    ) {}

    /** A Map Run that begins; its numbers change while it runs. */
    add(progress: MapRunProgress): void {
        this.runs.set(progress.mapRunArn, { progress, startDate: Date.now(), status: "RUNNING" });
    }

    /** Told every event of the execution. */
    event({ type, timestamp }: HistoryEvent): void {
        const status = ENDS[type] ?? (EXECUTION_ENDS.test(type) ? "ABORTED" : undefined);
        if (status === undefined) {
            return;
        }
        for (const run of this.runs.values()) {
            if (run.status === "RUNNING" && (status === "ABORTED" || run.progress.hasEnded)) {
                run.status = status;
                run.stopDate = timestamp;
            }
        }
    }

    list(): readonly JsonObject[] {
        return [...this.runs.values()].map((run) => this.summary(run));
    }

    describe(mapRunArn: string): JsonObject | undefined {
        const run = this.runs.get(mapRunArn);
        if (run === undefined) {
            return undefined;
        }
        const { progress, status } = run;
        const { stateMachineArn: _machine, ...summary } = this.summary(run);
        return {
            ...summary,
            status,
            maxConcurrency: progress.maxConcurrency,
            toleratedFailureCount: progress.toleratedFailureCount,
            toleratedFailurePercentage: progress.toleratedFailurePercentage,
            itemCounts: countsOf(progress.items, status, progress.writesResults),
            executionCounts: countsOf(progress.executions, status, progress.writesResults),
            redriveCount: 0,
        };
    }

    private summary({ progress, startDate, stopDate }: MapRun): JsonObject {
        const dates: JsonObject = { startDate: startDate / 1000 };
        if (stopDate !== undefined) {
            dates.stopDate = stopDate / 1000;
        }
        return {
            executionArn: this.executionArn,
            mapRunArn: progress.mapRunArn,
            stateMachineArn: `${this.machineArn}/${progress.label}`,
            ...dates,
        };
    }
}

/** Numbers by status; what a Map Run that has ended did not finish was aborted. */
function countsOf(
    { total, started, succeeded, failed }: MapRunCounts,
    status: MapRunStatus,
    writesResults: boolean,
): JsonObject {
    const hasEnded = status !== "RUNNING";
    return {
        pending: hasEnded ? 0 : total - started,
        running: hasEnded ? 0 : started - succeeded - failed,
        succeeded,
        failed,
        timedOut: 0,
        aborted: hasEnded ? total - succeeded - failed : 0,
        total,
        resultsWritten: status === "SUCCEEDED" && writesResults ? succeeded : 0,
    };
}
