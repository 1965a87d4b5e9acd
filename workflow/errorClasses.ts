/**
 * What is done about each class of error: one table for the state machine (how often, how long, on which capacity) and
 * for the functions that classify an error or describe it to people.
 */
import type { ErrorClass } from "./contract";

export interface ErrorPolicy {
    /** One sentence for the person who gets the message. */
    readonly description: string;
    /** Another rung of the capacity ladder may help: move on at once, and wait only after the last one. */
    readonly nextRung: boolean;
    /**
     * How many waits with a new attempt after each; 0: never retried. For a `nextRung` class, waits after the last
     * rung.
     */
    readonly retries: number;
    /** Seconds of the first wait; 0 where nothing is retried. */
    readonly waitSeconds: number;
    /** Each further wait is this many times longer. */
    readonly backoff: number;
    /** No wait is longer than this, in seconds. */
    readonly maximumWaitSeconds: number;
    /** A wait is drawn between its half and its whole, so that members refused together do not come back together. */
    readonly jitter: boolean;
}

const NEVER = {
    nextRung: false,
    retries: 0,
    waitSeconds: 0,
    backoff: 1,
    maximumWaitSeconds: 0,
    jitter: false,
} as const;

/** After the last rung capacity is asked for again this many seconds later. */
export const CAPACITY_WAIT_SECONDS = 600;

const LADDER = {
    nextRung: true,
    retries: 12,
    waitSeconds: CAPACITY_WAIT_SECONDS,
    backoff: 1,
    maximumWaitSeconds: CAPACITY_WAIT_SECONDS,
    jitter: false,
} as const;

export const ERROR_CLASSES: Readonly<Record<ErrorClass, ErrorPolicy>> = {
    Capacity: { ...LADDER, description: "AWS has no instance of this type to give at the moment." },
    Quota: { ...LADDER, description: "The account's quota for this instance type is used up." },
    SpotInterrupted: {
        ...LADDER,
        description: "A Spot training was reclaimed or did not start within its maximum wait.",
    },
    // 60 waits of at most 60 s are at most one hour in all.
    Throttling: {
        nextRung: false,
        retries: 60,
        waitSeconds: 4,
        backoff: 2,
        maximumWaitSeconds: 60,
        jitter: true,
        description: "AWS refused the request because too many came at once.",
    },
    ServiceFault: {
        nextRung: false,
        retries: 3,
        waitSeconds: 60,
        backoff: 2,
        maximumWaitSeconds: 300,
        jitter: true,
        description: "A fault inside an AWS service or its storage.",
    },
    TimeLimit: { ...NEVER, description: "A step or a model's whole budget ran out of time." },
    UserBug: { ...NEVER, description: "The code that runs in the container failed." },
    Permission: { ...NEVER, description: "A role lacks a permission." },
    Data: { ...NEVER, description: "The data is not as the step needs it." },
    Input: { ...NEVER, description: "The input of the execution is not valid." },
    QualityGate: {
        ...NEVER,
        description: "The models were trained, but a metric is below its configured bound: nothing was published.",
    },
    Unknown: {
        ...NEVER,
        description:
            "An error that no rule knows; it is not retried, since a retry may cost as much as the first attempt.",
    },
};

/** The classes for which a predicate of the policy holds, in the order of the table. */
export function classesWhere(predicate: (policy: ErrorPolicy) => boolean): readonly ErrorClass[] {
    return (Object.keys(ERROR_CLASSES) as ErrorClass[]).filter((name) => predicate(ERROR_CLASSES[name]));
}
