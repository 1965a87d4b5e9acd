/**
 * What AWS bounds, once for all rooms. Source, unless it says otherwise: the services' quota pages.
 * A bound that is only one room's business stays in that room.
 */

/** Events of one execution's history; AWS ends it there with States.Runtime, which no state sees. */
export const MAXIMUM_EVENTS = 25_000;
/** Transitions of one execution at most: each writes two events or more. */
export const MAXIMUM_TRANSITIONS = MAXIMUM_EVENTS / 2;
/** Input, output, arguments and variables of one state, in bytes of UTF-8. */
export const MAXIMUM_PAYLOAD_BYTES = 262_144;
/** All variables that an execution keeps at a time, in bytes of UTF-8. */
export const MAXIMUM_VARIABLES_BYTES = 10_485_760;
/** A state machine's definition, in bytes of UTF-8. */
export const MAXIMUM_DEFINITION_BYTES = 1_048_576;
/** One request to Step Functions, in bytes. */
export const MAXIMUM_REQUEST_BYTES = 1_048_576;
/** `Cause` of a Fail, in characters. Source: API reference of StopExecution and SendTaskFailure. */
const MAXIMUM_CAUSE = 32_768;
/** A message of SNS, in bytes, its attributes included. */
export const MAXIMUM_MESSAGE_BYTES = 262_144;
/** A key of S3, in bytes of UTF-8. */
export const MAXIMUM_S3_KEY_BYTES = 1_024;
/** Retention periods that CloudWatch Logs knows, in days. Source: its API reference, PutRetentionPolicy. */
export const LOG_RETENTION_DAYS: readonly number[] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
