/** What cannot be read, and what was read. */
import type { Reported } from "../analysis/findings";
import type { Place } from "../analysis/text";

/** Something that could not be read: one line, with a place where there is one. */
export class Unreadable extends Error {
    constructor(
        readonly file: string,
        message: string,
        readonly place?: Place,
    ) {
        super(message);
    }
}

/** A document of a file. */
export interface Parsed {
    readonly value: unknown;
    readonly position: (path: string) => Place;
    /** Findings of the text itself, such as duplicate keys. */
    readonly problems: readonly (Reported & Place)[];
}
