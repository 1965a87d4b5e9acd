/** What AWS bounds, and what follows from it for the number of attempts and for the time that everything may take. */
import { LAMBDA_RETRY } from "../asl/states";
import { MAXIMUM_EVENTS } from "../ground/awsLimits";

/** Time-out of the helper functions that classify, register and describe, in seconds. */
export const FUNCTION_SECONDS = 60;
/** Time-out of Setup, which lists the data of all members. */
export const SETUP_SECONDS = 600;

/**
 * Events of one failed attempt at most: Task entered, scheduled, started, submitted, failed, left (6); the function
 * that classifies entered, scheduled, started, succeeded, left (5) and three more for each of its retries; the Choice
 * behind it, the Wait, and the Choice before the next attempt, two each.
 */
const EVENTS_PER_ATTEMPT = 6 + 5 + 3 * LAMBDA_RETRY.attempts + 3 * 2;
/** What is left to Setup, the notification, the Parallels and the states that run once in each model. */
const FIXED_EVENTS = 1_000;
const EVENTS_ONCE_PER_UNIT = 40;

/**
 * How often each model and each job may be tried, so that the worst case of all together stays within the event
 * history.
 * @param units models and jobs together.
 */
export function attemptsPerUnit(units: number): number {
    return Math.floor(((MAXIMUM_EVENTS - FIXED_EVENTS) / units - EVENTS_ONCE_PER_UNIT) / EVENTS_PER_ATTEMPT);
}

/** Longest time of a function with its retries, in seconds. */
export function functionBound(timeoutSeconds: number): number {
    const { attempts, seconds, backoff, maximumSeconds } = LAMBDA_RETRY;
    let waits = 0;
    for (let retry = 0; retry < attempts; retry++) {
        waits += Math.min(maximumSeconds, seconds * backoff ** retry);
    }
    return timeoutSeconds * (attempts + 1) + waits;
}
