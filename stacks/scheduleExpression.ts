/** Schedules as EventBridge Scheduler reads them, judged before they are deployed. */
import * as awsCron from "aws-cron-parser";

/** A training costs money each time: nothing is started more often than this, in minutes. */
const LEAST_INTERVAL_MINUTES = 60;

const MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1_440 };
/** So many starts of a cron expression are looked at; with an hour between any two they cover at least a week. */
const STARTS = 200;

const FORMS =
    "rate(<number> minutes|hours|days), cron(<minutes> <hours> <day of month> <month> <day of week> <year>) or " +
    "at(<yyyy-mm-ddThh:mm:ss>)";

/**
 * What is wrong with a schedule expression, as what was expected; undefined where nothing is. Syntax: "Schedule types
 * in EventBridge Scheduler", EventBridge Scheduler User Guide.
 *
 * @param now Starts before this are in the past.
 */
export function scheduleProblem(expression: string, now: Date): string | undefined {
    const [, form, fields] = /^(rate|cron|at)\(([^()]*)\)$/.exec(expression) ?? [];
    switch (form) {
        case "rate":
            return rateProblem(fields!);
        case "cron":
            return cronProblem(fields!, now);
        case "at":
            return atProblem(fields!, now);
        default:
            return `expected ${FORMS}`;
    }
}

function rateProblem(fields: string): string | undefined {
    const [, digits, unit] = /^([1-9]\d{0,5}) (minute|hour|day)s?$/.exec(fields) ?? [];
    if (unit === undefined) {
        return "expected rate(<whole number from 1> <minutes, hours or days>), for example rate(7 days)";
    }
    const minutes = Number(digits) * MINUTES[unit]!;
    return minutes < LEAST_INTERVAL_MINUTES ? tooOften(`${minutes} minutes`) : undefined;
}

function cronProblem(fields: string, now: Date): string | undefined {
    const parts = fields.trim().split(/\s+/);
    if (parts.length !== 6) {
        return (
            "expected six fields in cron(...), minutes hours day-of-month month day-of-week year, not " +
            `${parts.length}; for example cron(0 3 ? * MON *)`
        );
    }
    if ((parts[2] === "?") === (parts[4] === "?")) {
        return "expected ? in exactly one of day of month and day of week";
    }
    let previous: Date | undefined;
    try {
        const cron = awsCron.parse(parts.join(" "));
        for (
            let start = awsCron.next(cron, now), count = 0;
            start && count < STARTS;
            start = awsCron.next(cron, start), count += 1
        ) {
            const minutes = previous === undefined ? Infinity : (start.getTime() - previous.getTime()) / 60_000;
            if (minutes < LEAST_INTERVAL_MINUTES) {
                return tooOften(`${minutes} minutes, at ${previous!.toISOString()} and ${start.toISOString()}`);
            }
            previous = start;
        }
    } catch (error) {
        return `expected a cron expression of AWS (${(error as Error).message})`;
    }
    return previous === undefined ? "expected a cron expression that has a start in the future" : undefined;
}

function atProblem(fields: string, now: Date): string | undefined {
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(fields) ? Date.parse(`${fields}Z`) : NaN;
    // The zone may be fourteen hours ahead of UTC or twelve behind: only what is past everywhere is refused.
    return Number.isNaN(time)
        ? "expected at(<yyyy-mm-ddThh:mm:ss>), without a zone, which is the key timezone"
        : time < now.getTime() - 12 * 3_600_000
          ? "expected a time in the future"
          : undefined;
}

function tooOften(found: string): string {
    return `expected at least ${LEAST_INTERVAL_MINUTES} minutes between two starts, has ${found}`;
}

/** Whether the machine knows the IANA time zone. */
export function isTimeZone(name: string): boolean {
    try {
        new Intl.DateTimeFormat("en", { timeZone: name });
        return true;
    } catch {
        return false;
    }
}
