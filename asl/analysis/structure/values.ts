/** Numbers: durations, counts, percentages. In JSONata an expression may stand for each of them. */
import { isReplaced } from "../placeholders";
import { show, type Place } from "./report";

const LONGEST_DURATION = 99_999_999;

/** What a number must be. */
export interface Bounds {
    readonly least: number;
    /** Default: none. */
    readonly most?: number;
    readonly isWhole?: boolean;
}

/** May the value be a number when it is needed? */
export const isOpen = (value: unknown, isJsonata: boolean): boolean =>
    value === undefined || isReplaced(value) || (isJsonata && typeof value === "string" && value.startsWith("{%"));

function fits(value: unknown, { least, most = Infinity, isWhole = false }: Bounds): boolean {
    return typeof value === "number" && value >= least && value <= most && (!isWhole || Number.isInteger(value));
}

function inWords({ least, most = Infinity, isWhole = false }: Bounds): string {
    const kind = isWhole ? "a whole number" : "a number";
    return most === Infinity ? `${kind} of at least ${least}` : `${kind} from ${least} to ${most}`;
}

export function checkNumber(
    place: Place,
    field: string,
    bounds: Bounds,
    isJsonata: boolean,
    rule = "wrong-value",
): void {
    const value = place.fields[field];
    if (!isOpen(value, isJsonata) && !fits(value, bounds)) {
        place.wrong(field, inWords(bounds), rule);
    }
}

/** Seconds, from `least` to the longest duration that AWS takes. */
export function checkDuration(place: Place, field: string, least: number, isJsonata: boolean): void {
    const value = place.fields[field];
    if (!isOpen(value, isJsonata) && !fits(value, { least, most: LONGEST_DURATION, isWhole: true })) {
        const most = LONGEST_DURATION.toLocaleString("en");
        const expression = isJsonata ? ", or an expression {% ... %}" : "";
        place.add(
            "time-limits",
            field,
            `${field} is ${show(value)}, expected a whole number of seconds from ${least} to ${most}${expression}.`,
        );
    }
}

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

export const isTimestamp = (value: unknown): boolean => typeof value === "string" && TIMESTAMP.test(value);
