/** What AWS hands an expression beside variables: the context object, and a catcher's error output. */
import { anyJson, anything, join, nullValue, number, object, orMissing, textOf, textValue, type Value } from "./values";

const timestamp = textOf({ min: 20, max: 29, prefix: "", timestamp: true });
const name80 = textOf({ min: 1, max: 80, prefix: "" });
const arn = textOf({ min: 20, max: 300, prefix: "arn:" });

/** An object of these fields, and of others that AWS may add. */
const openObject = (fields: { readonly [name: string]: Value }): Value => object(new Map(Object.entries(fields)), true);

/** $states.context; https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
export const CONTEXT_OBJECT: Value = openObject({
    Execution: openObject({
        Id: arn,
        Input: anyJson,
        Name: name80,
        RoleArn: join(arn, nullValue),
        StartTime: timestamp,
        RedriveCount: number(0, 1000),
        RedriveTime: orMissing(timestamp),
    }),
    State: openObject({ EnteredTime: timestamp, Name: name80, RetryCount: number(0, 99_999_999) }),
    StateMachine: openObject({ Id: arn, Name: name80 }),
    Task: orMissing(openObject({ Token: textValue })),
    Map: anything,
});

/**
 * Error and Cause are null for a failure that has none: recorded for a task token that was failed without either,
 * directly and below a Parallel. By another reading they are missing.
 */
const textOrNull = orMissing(join(textValue, nullValue));

/** $states.errorOutput */
export const ERROR_OUTPUT: Value = openObject({ Error: textOrNull, Cause: textOrNull });
