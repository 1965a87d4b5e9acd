/** The request and response of AWS's TestState API, whose values are JSON texts. Source: its API reference. */

/** How much of a mocked result is held against what the service's API says of its answers. */
export type FieldValidationMode = "STRICT" | "PRESENT" | "NONE";

/** What stands in for the work of a Task, Parallel or Map. One of the two. */
export interface Mock {
    /** JSON text: what the work results in. */
    readonly result?: string;
    readonly errorOutput?: { readonly error?: string; readonly cause?: string };
    /** `STRICT` (default): also what is required must be there; `PRESENT`: what is there is checked; `NONE`. */
    readonly fieldValidationMode?: FieldValidationMode;
}

/** What has happened before, as far as it decides what the state does. */
export interface StateConfiguration {
    /** How often the retrier that takes the error has retried already; default 0. */
    readonly retrierRetryCount?: number;
    /** The state inside a Map or Parallel that fails; default none. */
    readonly errorCausedByState?: string;
    /** How many of a Map's iterations fail; default 0. */
    readonly mapIterationFailureCount?: number;
    /** JSON text: what an ItemReader reads. */
    readonly mapItemReaderData?: string;
}

export interface TestStateRequest {
    /** JSON text: a state, or a whole machine whose state `stateName` is tested. */
    readonly definition: string;
    readonly stateName?: string;
    /** Default: none, which a Task without a mock has to have on AWS. */
    readonly roleArn?: string;
    /** JSON text; default `{}`. */
    readonly input?: string;
    /** Default `INFO`, which has no inspection data. */
    readonly inspectionLevel?: "INFO" | "DEBUG" | "TRACE";
    readonly revealSecrets?: boolean;
    /** JSON text of an object: the variables that the state reads; default none. */
    readonly variables?: string;
    /** JSON text: the context object; default one that is made up. */
    readonly context?: string;
    readonly mock?: Mock;
    readonly stateConfiguration?: StateConfiguration;
}

/** What the state made of its input on the way; JSON texts but for the numbers. */
export interface InspectionData {
    input?: string;
    afterArguments?: string;
    afterInputPath?: string;
    afterParameters?: string;
    afterItemsPath?: string;
    afterItemSelector?: string;
    result?: string;
    afterResultSelector?: string;
    afterResultPath?: string;
    variables?: string;
    maxConcurrency?: number;
    toleratedFailureCount?: number;
    toleratedFailurePercentage?: number;
    errorDetails?: ErrorDetails;
}

export interface ErrorDetails {
    catchIndex?: number;
    retryIndex?: number;
    retryBackoffIntervalSeconds?: number;
}

export interface TestStateResponse {
    status: "SUCCEEDED" | "FAILED" | "RETRIABLE" | "CAUGHT_ERROR";
    output?: string;
    error?: string;
    cause?: string;
    nextState?: string;
    inspectionData?: InspectionData;
}

/** The API refuses the request. */
export class TestStateError extends Error {
    constructor(
        /** AWS's name for it. */
        readonly code: "InvalidDefinition" | "InvalidExecutionInput" | "ValidationException",
        message: string,
    ) {
        super(message);
        this.name = code;
    }
}
