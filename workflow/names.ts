/**
 * Names of jobs: `<service>-<stage>-<model>-<run>-<redrive>-<attempt>-<retry>`. SageMaker takes a name once for ever,
 * at most 63 characters of `[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`; RetryCount restarts at every entry of a state and at a
 * redrive, so all three count.
 */
import { createHash } from "node:crypto";
import type { Run } from "./contract";
import { jsonata, states, type Expression, type Handle } from "../asl/states";

/** SageMaker's bound; Batch takes 128. */
const MAXIMUM_JOB_NAME = 63;
/** The largest numbers that a name has room for. */
const MAXIMUM_REDRIVES = 999;
export const MAXIMUM_ATTEMPTS = 999;
const MAXIMUM_RETRIES = 99;
const RUN_ID_LENGTH = 8;

/**
 * Characters of `<service>-<stage>`, and of `<model>`: with both full and all numbers at their largest a name has 63.
 */
const MAXIMUM_SERVICE_STAGE = 28;
const MAXIMUM_MODEL = 14;
const HASH_LENGTH = 8;

/** What a name may not hold becomes `-`; a name that was changed or is too long ends in a hash of what it was. */
function fitted(name: string, maximum: number): string {
    const clean = name
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-+|-+$/g, "");
    if (clean === name && name.length <= maximum) {
        return name;
    }
    const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH);
    const head = clean.slice(0, maximum - HASH_LENGTH - 1).replace(/-+$/, "");
    return head === "" ? hash : `${head}-${hash}`;
}

/** `<service>-<stage>-`: the beginning of every name of a stage, by which its role is bounded. */
export function stagePrefix(service: string, stage: string): string {
    return `${fitted(`${service}-${stage}`, MAXIMUM_SERVICE_STAGE)}-`;
}

/** `<service>-<stage>-<model>-`; the model of a Batch job is the job. */
export function jobNamePrefix(service: string, stage: string, model: string): string {
    return `${stagePrefix(service, stage)}${fitted(model, MAXIMUM_MODEL)}-`;
}

export interface JobNumber {
    /** {@link RUN_ID_LENGTH} lower-case hexadecimal digits. */
    readonly runId: string;
    readonly redrive: number;
    readonly attempt: number;
    readonly retry: number;
}

/**
 * The name of one attempt.
 * @throws RangeError for a run id or a number that a name has no room for.
 */
export function jobName(
    service: string,
    stage: string,
    model: string,
    { runId, redrive, attempt, retry }: JobNumber,
): string {
    if (!/^[0-9a-f]{8}$/.test(runId)) {
        throw new RangeError(
            `job name of ${model}: run id "${runId}"; expected ${RUN_ID_LENGTH} lower-case hexadecimal digits`,
        );
    }
    const bounds = {
        redrive: [redrive, MAXIMUM_REDRIVES],
        attempt: [attempt, MAXIMUM_ATTEMPTS],
        retry: [retry, MAXIMUM_RETRIES],
    } as const;
    for (const [what, [value, maximum]] of Object.entries(bounds)) {
        if (!Number.isInteger(value) || value < 0 || value > maximum) {
            throw new RangeError(
                `job name of ${model}: ${what} ${value}; expected a whole number from 0 to ${maximum}`,
            );
        }
    }
    return `${jobNamePrefix(service, stage, model)}${runId}-${redrive}-${attempt}-${retry}`;
}

/** The same name, computed by the state that starts the job; bounded there too, whatever the numbers are. */
export function jobNameExpression(prefix: string, run: Handle<Run>, attempt: Expression<number>): Expression<string> {
    const { Execution, State } = states.context;
    const name = jsonata<string>`${prefix} & ${run.id} & '-' & ${Execution.RedriveCount} & '-' & ${attempt} & '-' & ${State.RetryCount}`;
    return jsonata`$substring(${name}, 0, ${MAXIMUM_JOB_NAME})`;
}
