import type { JsonValue } from "../types";
import type { HistoryEvent } from "./types";

/** A field of an event that is JSON text: made when it is first read, since most are never. */
export type Details = Record<string, unknown>;

/** Event details whose input or output becomes JSON text on demand. */
export function lazyText(details: Details, key: string, value: JsonValue): Details {
    let text: string | undefined;
    Object.defineProperty(details, key, {
        enumerable: true,
        configurable: true,
        get: () => (text ??= JSON.stringify(value)),
    });
    details[`${key}Details`] = NOT_TRUNCATED;
    return details;
}

const NOT_TRUNCATED = Object.freeze({ truncated: false });

/** The events of one execution; a distributed Map's children have histories of their own. */
export class History {
    readonly events: HistoryEvent[] = [];
    count = 0;

    constructor(
        private readonly now: () => number,
        private readonly keep: boolean,
        private readonly listener?: (event: HistoryEvent) => void,
    ) {}

    /** Whether anybody looks at the events: when nobody does, details need not be made. */
    get watched(): boolean {
        return this.keep || this.listener !== undefined;
    }

    add(type: string, previousEventId: number, key?: `${string}EventDetails`, details?: Details): number {
        const id = ++this.count;
        if (this.watched) {
            const event: { [field: string]: unknown } = { id, previousEventId, type, timestamp: this.now() };
            if (key !== undefined) {
                event[key] = details;
            }
            if (this.keep) {
                this.events.push(event as unknown as HistoryEvent);
            }
            this.listener?.(event as unknown as HistoryEvent);
        }
        return id;
    }
}
