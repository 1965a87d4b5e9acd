import { defined } from "../../../ground/fields";
/** Small state machines for the tests of the analysis. */
export type Json = { [key: string]: unknown };

const notify = {
    Type: "Task",
    Resource: "arn:aws:states:::sns:publish",
    Arguments: { TopicArn: "arn:aws:sns:eu-central-1:123456789012:alerts", Message: "failed" },
    Catch: [{ ErrorEquals: ["States.ALL"], Next: "Not Notified" }],
    Next: "Failed",
};
export const failurePath: Json = {
    "Notify": notify,
    "Failed": { Type: "Fail", Error: "Notified.Failed", Cause: "see the notification" },
    "Not Notified": { Type: "Fail", Error: "Failed", Cause: "the notification failed too" },
};
export const failurePathOfPaths: Json = {
    ...failurePath,
    Notify: { ...notify, Arguments: undefined, Parameters: notify.Arguments },
};

export const catchAll = [{ ErrorEquals: ["States.ALL"], Next: "Notify" }];
export const lambda = (more: Json = {}): Json => ({
    Type: "Task",
    Resource: "arn:aws:states:::lambda:invoke",
    Arguments: { FunctionName: "work" },
    Catch: catchAll,
    Next: "Done",
    ...more,
});
export const done: Json = { Type: "Succeed" };

/**
 * A JSONata machine whose failures all end notified: the given states, and "Done" and the failure path where they are
 * named.
 */
export function machine(states: Json, more: Json = {}): Json {
    return clean({
        QueryLanguage: "JSONata",
        StartAt: Object.keys(states)[0],
        TimeoutSeconds: 100_000,
        States: completed(states, failurePath),
        ...more,
    });
}

/** The same in JSONPath. */
export function pathMachine(states: Json, more: Json = {}): Json {
    return clean({
        StartAt: Object.keys(states)[0],
        TimeoutSeconds: 100_000,
        States: completed(states, failurePathOfPaths),
        ...more,
    });
}

function completed(states: Json, failure: Json): Json {
    const text = JSON.stringify(states);
    const told = text.includes('"Notify"');
    return defined({
        ...states,
        Done: text.includes('"Done"') ? done : undefined,
        ...(told ? failure : text.includes('"Failed"') && { Failed: failure.Failed }),
    });
}

export const pathLambda = (more: Json = {}): Json => ({
    ...lambda(more),
    Arguments: undefined,
    Parameters: { FunctionName: "work" },
    ...more,
});

/** Without fields that are undefined. */
export const clean = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

export const training = (more: Json = {}, payload: Json = {}): Json =>
    lambda({
        Resource: "arn:aws:states:::sagemaker:createTrainingJob.sync",
        TimeoutSeconds: 7200,
        Arguments: {
            TrainingJobName: "{% $substring($uuid(), 0, 30) %}",
            RoleArn: "arn:aws:iam::123456789012:role/training-role",
            AlgorithmSpecification: { TrainingImage: "image", TrainingInputMode: "File" },
            OutputDataConfig: { S3OutputPath: "s3://bucket/out" },
            ResourceConfig: { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 10 },
            StoppingCondition: { MaxRuntimeInSeconds: 3600 },
            HyperParameters: { epochs: "3" },
            ...payload,
        },
        Assign: { status: "{% $states.result.TrainingJobStatus %}" },
        Retry: [{ ErrorEquals: ["ThrottlingException"], MaxAttempts: 5, MaxDelaySeconds: 60 }],
        ...more,
    });
