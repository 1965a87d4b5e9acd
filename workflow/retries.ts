/** Variables and states of a loop that tries a job again: the same for Batch and for training jobs. */
import type { ErrorClass } from "./contract";
import { CAPACITY_WAIT_SECONDS, classesWhere, ERROR_CLASSES } from "./errorClasses";
import { FUNCTION_SECONDS } from "./limits";
import {
    jsonata,
    LambdaInvoke,
    states,
    text,
    variable,
    Wait,
    type Assignments,
    type Expression,
    type Handle,
} from "../asl/states";

/** What the error-cause function answers. */
export interface Classified {
    readonly class: ErrorClass;
    readonly reason: string;
    readonly jobName?: string;
    readonly logUrl?: string;
    readonly billableSeconds?: number;
}

/** Classes for which another machine, or the same one later, may help. */
export const WAITING_CLASSES = classesWhere((policy) => policy.nextRung);

/** The variables of one loop. Their names begin with the loop's, where several loops share a scope. */
export interface LoopVariables {
    /** Failed attempts so far; number of the current one, from 0. */
    readonly attempt: Handle<number>;
    readonly throttles: Handle<number>;
    readonly faults: Handle<number>;
    /** Waits for capacity, for a quota, or after a Spot interruption. */
    readonly waits: Handle<number>;
    /** Seconds of the next wait. */
    readonly pause: Handle<number>;
    readonly errorName: Handle<string>;
    readonly errorCause: Handle<string>;
    readonly errorClass: Handle<string>;
    readonly reason: Handle<string>;
}

const NAMES = [
    "attempt",
    "throttles",
    "faults",
    "waits",
    "pause",
    "errorName",
    "errorCause",
    "errorClass",
    "reason",
] as const;

function prefixed(loop: string, name: string): string {
    return loop === "" ? name : `${loop}${name[0]!.toUpperCase()}${name.slice(1)}`;
}

export function loopVariables(loop: string): LoopVariables {
    return Object.fromEntries(NAMES.map((name) => [name, variable(prefixed(loop, name))])) as unknown as LoopVariables;
}

/** Sets some of a loop's variables. */
export function set(loop: string, values: Partial<Record<(typeof NAMES)[number], Assignments[string]>>): Assignments {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefixed(loop, name), value]));
}

/** What a loop's variables are before its first attempt. */
export function initial(loop: string): Assignments {
    return set(loop, {
        attempt: 0,
        throttles: 0,
        faults: 0,
        waits: 0,
        pause: 1,
        errorName: "none",
        errorCause: "none",
        errorClass: "Unknown" satisfies ErrorClass,
        reason: "none",
    });
}

/** In a Catch: keeps what was caught. Error and Cause may be missing, so they are never read without a stand-in. */
export function caught(loop: string): Assignments {
    return set(loop, { errorName: text(states.errorOutput.Error), errorCause: text(states.errorOutput.Cause) });
}

/** After a Spot host was taken away a Batch job goes back into its queue, which may have another kind of capacity. */
const SPOT_PAUSE_SECONDS = 60;
/** The longest that {@link pauseState} waits, in seconds. */
export const LONGEST_PAUSE_SECONDS = Math.max(
    CAPACITY_WAIT_SECONDS,
    ERROR_CLASSES.Throttling.maximumWaitSeconds,
    ERROR_CLASSES.ServiceFault.maximumWaitSeconds,
);

/**
 * Seconds before the next attempt, by the table of error classes.
 *
 * @param queued Whether it waits for capacity, too; a training has its ladder for that.
 */
function pauseExpression(
    errorClass: Expression<string>,
    { throttles, faults }: Pick<LoopVariables, "throttles" | "faults">,
    queued: boolean,
): Expression<number> {
    const wait = (name: ErrorClass, retry: Expression<number>) => {
        const { waitSeconds, backoff, maximumWaitSeconds, jitter } = ERROR_CLASSES[name];
        const whole = jsonata<number>`$min([${maximumWaitSeconds}, ${waitSeconds} * $power(${backoff}, ${retry})])`;
        return jitter ? jsonata<number>`$ceil(${whole} * (0.5 + 0.5 * $random()))` : whole;
    };
    const throttled = wait("Throttling", throttles);
    const pause = jsonata<number>`${errorClass} = 'Throttling' ? ${throttled} : ${wait("ServiceFault", faults)}`;
    if (!queued) {
        return pause;
    }
    const isSpot = jsonata<boolean>`${errorClass} = 'SpotInterrupted'`;
    const waiting = jsonata<number>`${isSpot} ? ${SPOT_PAUSE_SECONDS} : ${CAPACITY_WAIT_SECONDS}`;
    return jsonata`${errorClass} in ${WAITING_CLASSES} ? (${waiting}) : (${pause})`;
}

/** The wait before the next attempt. A Wait cannot catch, so what it waits is bounded where it is read, too. */
export function pauseState(name: string, loop: string, next: string): Wait {
    const { pause } = loopVariables(loop);
    return new Wait(name, {
        seconds: jsonata<number>`$max([1, $min([${LONGEST_PAUSE_SECONDS}, ${pause}])])`,
        next,
    });
}

/** What is known when an error could not be classified. */
export interface Unclassified {
    readonly errorClass: ErrorClass;
    readonly reason: Expression<string>;
    readonly attempt: Expression<number>;
}

export interface ClassifyOptions {
    readonly name: string;
    readonly loop: string;
    readonly functionArn: string;
    /** Name of the step that failed. */
    readonly step: string | Expression<string>;
    /** Name of the model, or null for a job that belongs to none. */
    readonly model: string | null;
    readonly spot: boolean | Expression<boolean>;
    /** Where the step writes, and so its failure.txt; null where it leaves none. */
    readonly outputPath: Expression<string> | null;
    readonly maximumReason: number;
    /** What is tried again waits for capacity as well. */
    readonly queued?: boolean;
    readonly next: string;
    /** Where it goes when the function itself fails, with the class Unknown: nothing is tried again on a guess. */
    readonly failed: {
        readonly next: string;
        readonly assign?: (unclassified: Unclassified) => Assignments;
        readonly also?: Assignments;
    };
    /** More variables to set from the answer. */
    readonly assign?: Assignments;
}

/** "JSONify ... Error Cause": asks the function which class an error is. */
export function classifyError(options: ClassifyOptions): LambdaInvoke {
    const { loop, step, model, spot, outputPath, maximumReason } = options;
    const variables = loopVariables(loop);
    const answer = states.result<{ Payload: Classified }>().Payload;
    const unclassified: Unclassified = {
        errorClass: "Unknown",
        reason: jsonata`$substring(${variables.errorName} & ': ' & ${variables.errorCause}, 0, ${maximumReason})`,
        attempt: jsonata`${variables.attempt} + 1`,
    };
    return new LambdaInvoke(options.name, {
        functionArn: options.functionArn,
        payload: {
            step,
            model,
            error: variables.errorName,
            cause: variables.errorCause,
            attempt: variables.attempt,
            spot,
            outputPath,
        },
        timeoutSeconds: FUNCTION_SECONDS,
        output: {},
        assign: {
            ...set(loop, {
                errorClass: answer.class,
                reason: jsonata`$substring(${answer.reason}, 0, ${maximumReason})`,
                attempt: jsonata`${variables.attempt} + 1`,
                pause: pauseExpression(answer.class, variables, options.queued === true),
            }),
            ...options.assign,
        },
        next: options.next,
        catch: [
            {
                output: {},
                assign: {
                    ...(options.failed.assign?.(unclassified) ?? set(loop, { ...unclassified })),
                    ...options.failed.also,
                },
                next: options.failed.next,
            },
        ],
    });
}
