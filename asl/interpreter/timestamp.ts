import type { JsonValue } from "../types";

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/u;

/**
 * A timestamp as Step Functions takes it: RFC 3339 with an upper-case T and Z (or an offset).
 * @returns milliseconds since the epoch; undefined for anything else.
 */
export function parseTimestamp(value: JsonValue | undefined): number | undefined {
    const match = typeof value === "string" ? TIMESTAMP.exec(value) : null;
    if (match === null) {
        return undefined;
    }
    const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
    const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
    if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) {
        return undefined;
    }
    const zone = match[8];
    const offset =
        zone === "Z" ? 0 : (zone.startsWith("-") ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)));
    return date.getTime() + Number(`0.${match[7] ?? "0"}`) * 1000 - offset * 60_000;
}
