/** What a distributed Map tells of itself while it runs. */
import type { JsonValue } from "../../types";

/** Numbers of iterations, or of the items in them. */
export interface MapRunCounts {
    readonly total: number;
    started: number;
    succeeded: number;
    failed: number;
}

/** A Map Run; its numbers change while it runs. */
export interface MapRunProgress {
    readonly mapRunArn: string;
    /** Label, or else the state's name. */
    readonly label: string;
    /** 0: as many as there may be. */
    readonly maxConcurrency: number;
    readonly toleratedFailureCount: number;
    readonly toleratedFailurePercentage: number;
    /** Whether a ResultWriter writes what iterations put out. */
    readonly writesResults: boolean;
    /** Child executions. */
    readonly executions: MapRunCounts;
    /** Items: with an ItemBatcher several an execution. */
    readonly items: MapRunCounts;
    hasEnded: boolean;
}

/** What is known when a Map Run begins. */
export type NewMapRun = Omit<MapRunProgress, "executions" | "items" | "hasEnded"> & {
    /** One input an execution. */
    readonly inputs: readonly JsonValue[];
    readonly isBatched: boolean;
};

/** Counts a Map Run's iterations, and the items in them. */
export class MapRunCounter {
    readonly progress: MapRunProgress;
    private readonly sizes: readonly number[];

    constructor({ inputs, isBatched, ...known }: NewMapRun) {
        this.sizes = inputs.map((input) => (isBatched ? sizeOf(input) : 1));
        const none = { started: 0, succeeded: 0, failed: 0 };
        const items = this.sizes.reduce((sum, size) => sum + size, 0);
        this.progress = {
            ...known,
            executions: { total: inputs.length, ...none },
            items: { total: items, ...none },
            hasEnded: false,
        };
    }

    count(what: "started" | "succeeded" | "failed", iteration: number): void {
        this.progress.executions[what] += 1;
        this.progress.items[what] += this.sizes[iteration] ?? 0;
    }
}

function sizeOf(batch: JsonValue): number {
    const { Items: items } = (batch ?? {}) as { readonly Items?: unknown };
    return Array.isArray(items) ? items.length : 1;
}
