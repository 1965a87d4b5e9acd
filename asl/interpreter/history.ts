import type { JsonObject, JsonValue } from "../types";
import type { HistoryEvent } from "./types";

/** What an event tells. Values that AWS shows as JSON text stand aside, since most of those texts are never read. */
export interface Details {
    readonly [field: string]: unknown;
}

/** A JSON value that an event shows as text in one of its fields. */
export interface Shown {
    readonly field: "input" | "output" | "parameters";
    readonly value: JsonValue;
    /** What the state assigned, for the exit of a state. */
    readonly assigned?: JsonObject;
}

export type DetailsKey = `${string}EventDetails`;

interface Entry {
    readonly id: number;
    readonly previousEventId: number;
    readonly type: string;
    readonly timestamp: number;
    readonly key: DetailsKey | undefined;
    readonly details: Details | undefined;
    readonly shown: Shown | undefined;
}

/** The events of one execution; a distributed Map's children have histories of their own. */
export class History {
    /** Each an entry as it was added, or the event that was made of it. */
    private readonly entries: (Entry | HistoryEvent)[] = [];
    private made = 0;
    count = 0;
    /** Whether anybody looks at the events: when nobody does, details need not be made. */
    readonly watched: boolean;

    constructor(
        private readonly now: () => number,
        private readonly keep: boolean,
        private readonly listener?: (event: HistoryEvent) => void,
    ) {
        this.watched = keep || listener !== undefined;
    }

    /** @returns the event's id. */
    add(type: string, previousEventId: number, key?: DetailsKey, details?: Details, shown?: Shown): number {
        this.count += 1;
        const id = this.count;
        if (this.watched) {
            const entry: Entry = { id, previousEventId, type, timestamp: this.now(), key, details, shown };
            if (this.listener === undefined) {
                this.entries.push(entry);
            } else {
                this.tell(eventOf(entry));
            }
        }
        return id;
    }

    private tell(event: HistoryEvent): void {
        if (this.keep) {
            this.entries.push(event);
        }
        this.listener?.(event);
    }

    /** The events so far, in order. */
    get events(): readonly HistoryEvent[] {
        if (this.listener === undefined) {
            for (; this.made < this.entries.length; this.made += 1) {
                this.entries[this.made] = eventOf(this.entries[this.made] as Entry);
            }
        }
        return this.entries as HistoryEvent[];
    }
}

const NOT_TRUNCATED = Object.freeze({ truncated: false });

function eventOf({ id, previousEventId, type, timestamp, key, details, shown }: Entry): HistoryEvent {
    const event: { [field: string]: unknown } = { id, previousEventId, type, timestamp };
    if (key !== undefined) {
        event[key] = shown === undefined ? (details ?? {}) : withText({ ...details }, shown);
    }
    return event as unknown as HistoryEvent;
}

/** The details with a text that is made when it is first read. */
function withText(details: { [field: string]: unknown }, { field, value, assigned }: Shown): Details {
    let text: string | undefined;
    Object.defineProperty(details, field, {
        enumerable: true,
        configurable: true,
        get: () => {
            text ??= JSON.stringify(value);
            return text;
        },
    });
    if (field !== "parameters") {
        details[`${field}Details`] = NOT_TRUNCATED;
    }
    if (assigned !== undefined) {
        const texts = Object.entries(assigned).map(([name, part]) => [name, JSON.stringify(part)]);
        details.assignedVariables = Object.fromEntries(texts);
        details.assignedVariablesDetails = NOT_TRUNCATED;
    }
    return details;
}
