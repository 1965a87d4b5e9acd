/**
 * Amazon States Language as TypeScript types: both query languages, all state types.
 *
 * The types describe what a definition may contain, not what one project writes: `asl/` renders, checks and runs
 * definitions that anybody made. A value that comes from outside (a file, a template) is `unknown` until `asl/analysis`
 * has looked at it.
 * Source: https://states-language.net/spec.html and the Step Functions Developer Guide.
 */

export type QueryLanguage = "JSONata" | "JSONPath";

/** What JSON can hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
/** An object of JSON. */
export type JsonObject = { [key: string]: JsonValue };

/** A JSONata expression in its delimiters: `{% ... %}`. */
export type JsonataString = `{%${string}%}`;

/** A state machine, or the machine inside a Map's ItemProcessor. */
export interface StateMachineDefinition extends StateGraph {
    readonly QueryLanguage?: QueryLanguage;
    readonly Version?: "1.0";
    /** Seconds until the whole execution ends TIMED_OUT; no state can catch that. */
    readonly TimeoutSeconds?: number;
}

/** States and where they start: a machine, a Parallel's branch, a Map's processor. */
export interface StateGraph {
    readonly Comment?: string;
    readonly StartAt: string;
    readonly States: { readonly [name: string]: State };
}

/** A state of any type. */
export type State =
    TaskState | PassState | ChoiceState | WaitState | SucceedState | FailState | ParallelState | MapState;
/** The value of a state's `Type`. */
export type StateType = State["Type"];

interface Common {
    readonly Comment?: string;
    readonly QueryLanguage?: QueryLanguage;
}

/** Fields that only a JSONPath state may have. */
interface PathFields {
    readonly InputPath?: string | null;
    readonly OutputPath?: string | null;
}

/** Exactly one of Next and End. */
export type Transition =
    { readonly Next: string; readonly End?: never } | { readonly End: true; readonly Next?: never };

/** An entry of `Retry`. */
export interface Retrier {
    readonly Comment?: string;
    readonly ErrorEquals: readonly string[];
    /** Seconds before the first retry; default 1, 1 to 99,999,999. */
    readonly IntervalSeconds?: number;
    /** Default 3; 0 means never; at most 99,999,999. */
    readonly MaxAttempts?: number;
    /** Default 2.0; at least 1.0. */
    readonly BackoffRate?: number;
    /** Upper bound of an interval in seconds; above 0, below 31,622,400. */
    readonly MaxDelaySeconds?: number;
    readonly JitterStrategy?: "FULL" | "NONE";
}

/** An entry of `Catch`. */
export interface Catcher {
    readonly Comment?: string;
    readonly ErrorEquals: readonly string[];
    readonly Next: string;
    /** JSONPath only. */
    readonly ResultPath?: string | null;
    /** JSONata only. */
    readonly Output?: JsonValue;
    readonly Assign?: JsonObject;
}

interface Catchable {
    readonly Retry?: readonly Retrier[];
    readonly Catch?: readonly Catcher[];
}

/** A state that calls a service. */
export type TaskState = Common &
    PathFields &
    Transition &
    Catchable & {
        readonly Type: "Task";
        readonly Resource: string;
        readonly Parameters?: JsonValue;
        readonly ResultSelector?: JsonObject;
        readonly ResultPath?: string | null;
        readonly Arguments?: JsonValue;
        readonly Output?: JsonValue;
        readonly Assign?: JsonObject;
        readonly TimeoutSeconds?: number | JsonataString;
        readonly TimeoutSecondsPath?: string;
        readonly HeartbeatSeconds?: number | JsonataString;
        readonly HeartbeatSecondsPath?: string;
        readonly Credentials?: JsonObject;
    };

/** A state that only passes on data. */
export type PassState = Common &
    PathFields &
    Transition & {
        readonly Type: "Pass";
        readonly Result?: JsonValue;
        readonly Parameters?: JsonValue;
        readonly ResultPath?: string | null;
        readonly Output?: JsonValue;
        readonly Assign?: JsonObject;
    };

/** A state that runs branches side by side. */
export type ParallelState = Common &
    PathFields &
    Transition &
    Catchable & {
        readonly Type: "Parallel";
        readonly Branches: readonly StateGraph[];
        readonly Parameters?: JsonValue;
        readonly ResultSelector?: JsonObject;
        readonly ResultPath?: string | null;
        readonly Arguments?: JsonValue;
        readonly Output?: JsonValue;
        readonly Assign?: JsonObject;
    };

/** A state that runs its processor for every item. */
export type MapState = Common &
    PathFields &
    Transition &
    Catchable & {
        readonly Type: "Map";
        readonly ItemProcessor?: StateGraph & { readonly ProcessorConfig?: ProcessorConfig };
        /** The older name of ItemProcessor. */
        readonly Iterator?: StateGraph;
        readonly Items?: JsonValue;
        readonly ItemsPath?: string;
        readonly ItemSelector?: JsonValue;
        readonly MaxConcurrency?: number | JsonataString;
        readonly MaxConcurrencyPath?: string;
        readonly ItemReader?: ItemReader;
        readonly ItemBatcher?: ItemBatcher;
        readonly ResultWriter?: ResultWriter;
        readonly ToleratedFailurePercentage?: number | JsonataString;
        readonly ToleratedFailurePercentagePath?: string;
        readonly ToleratedFailureCount?: number | JsonataString;
        readonly ToleratedFailureCountPath?: string;
        /** Part of the Map run's name; default one of the state's. */
        readonly Label?: string;
        readonly Parameters?: JsonValue;
        readonly ResultSelector?: JsonObject;
        readonly ResultPath?: string | null;
        readonly Output?: JsonValue;
        readonly Assign?: JsonObject;
    };

/** Whether a Map's iterations are part of the execution, at most 40 at once, or executions of their own. */
export interface ProcessorConfig {
    readonly Mode?: "INLINE" | "DISTRIBUTED";
    /** Of a distributed Map's executions. */
    readonly ExecutionType?: "STANDARD" | "EXPRESS";
}

/** Where a distributed Map's items are in S3. */
export interface ItemReader {
    /** `arn:aws:states:::s3:getObject` or `arn:aws:states:::s3:listObjectsV2`. */
    readonly Resource: string;
    readonly Parameters?: JsonValue;
    readonly Arguments?: JsonValue;
    readonly ReaderConfig?: ReaderConfig;
}

/** How the items lie in the object. */
export interface ReaderConfig {
    readonly InputType?: "CSV" | "JSON" | "JSONL" | "PARQUET" | "MANIFEST";
    /** Of listed objects: the items are the objects' descriptions (default), or what is in all of them. */
    readonly Transformation?: "NONE" | "LOAD_AND_FLATTEN";
    readonly ManifestType?: "S3_INVENTORY" | "ATHENA_DATA";
    /** Default COMMA. */
    readonly CSVDelimiter?: "COMMA" | "PIPE" | "SEMICOLON" | "SPACE" | "TAB";
    readonly CSVHeaderLocation?: "FIRST_ROW" | "GIVEN";
    readonly CSVHeaders?: readonly string[];
    /** A JSON Pointer to the array or object of items in a JSON object. */
    readonly ItemsPointer?: string;
    /** At most 100,000,000; 0 means all. */
    readonly MaxItems?: number | JsonataString;
    readonly MaxItemsPath?: string;
}

/** How items are grouped: an execution for each batch. */
export interface ItemBatcher {
    readonly BatchInput?: JsonValue;
    readonly MaxItemsPerBatch?: number | JsonataString;
    readonly MaxItemsPerBatchPath?: string;
    /** At most 262,144. */
    readonly MaxInputBytesPerBatch?: number | JsonataString;
    readonly MaxInputBytesPerBatchPath?: string;
}

/** What becomes of a distributed Map's results. */
export interface ResultWriter {
    /** `arn:aws:states:::s3:putObject`; absent where the results are the state's output. */
    readonly Resource?: string;
    readonly Parameters?: JsonValue;
    readonly Arguments?: JsonValue;
    readonly WriterConfig?: WriterConfig;
}

/** The form of a distributed Map's results. */
export interface WriterConfig {
    /** Default NONE where the results go to S3, else COMPACT. */
    readonly Transformation?: "NONE" | "COMPACT" | "FLATTEN";
    readonly OutputType?: "JSON" | "JSONL";
}

/** A JSONata choice rule. */
export interface ConditionRule {
    readonly Comment?: string;
    readonly Condition: boolean | JsonataString;
    readonly Next: string;
    readonly Output?: JsonValue;
    readonly Assign?: JsonObject;
}

/** A JSONPath choice rule: And, Or, Not, or a Variable with one comparison; see the specification for the operators. */
export interface ComparisonRule {
    readonly [field: string]: JsonValue | readonly ComparisonRule[] | ComparisonRule | undefined;
}

/** A state that decides where to go on. */
export type ChoiceState = Common &
    PathFields & {
        readonly Type: "Choice";
        readonly Choices: readonly (ConditionRule | ComparisonRule)[];
        readonly Default?: string;
        readonly Output?: JsonValue;
        readonly Assign?: JsonObject;
    };

/** A state that waits. */
export type WaitState = Common &
    PathFields &
    Transition & {
        readonly Type: "Wait";
        readonly Seconds?: number | JsonataString;
        readonly Timestamp?: string;
        readonly SecondsPath?: string;
        readonly TimestampPath?: string;
        readonly Output?: JsonValue;
        readonly Assign?: JsonObject;
    };

/** The end of a successful execution, or of a branch. */
export type SucceedState = Common &
    PathFields & {
        readonly Type: "Succeed";
        readonly Output?: JsonValue;
    };

/** The end of a failed execution. */
export type FailState = Common & {
    readonly Type: "Fail";
    readonly Error?: string;
    readonly ErrorPath?: string;
    readonly Cause?: string;
    readonly CausePath?: string;
};
