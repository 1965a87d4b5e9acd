/**
 * Every field that a definition may have, and what this project makes of it: the one table that the types, the checker
 * and the interpreter share. The types hold it complete (a field of asl/types.ts that is missing here does not
 * compile), the checker knows fields by it, and the interpreter refuses, loudly, what it says is not simulated.
 *
 * Source: https://states-language.net/spec.html and the Step Functions Developer Guide.
 */
import type {
    Catcher,
    ChoiceState,
    ConditionRule,
    FailState,
    ItemBatcher,
    ItemReader,
    MapState,
    ParallelState,
    PassState,
    ProcessorConfig,
    ReaderConfig,
    ResultWriter,
    Retrier,
    StateGraph,
    StateMachineDefinition,
    StateType,
    SucceedState,
    TaskState,
    WaitState,
    WriterConfig,
} from "./types";

/** A field. */
export interface Field {
    /** The query language of the states that may have it; both where it is absent. */
    readonly only?: "JSONPath" | "JSONata";
    /** The values that it may have, where these are words. */
    readonly values?: readonly string[];
    /** Which of its values the interpreter does not simulate, and why. */
    readonly notSimulated?: Readonly<Record<string, string>>;
}

/** The fields of something, by name. */
export type Fields = Readonly<Record<string, Field>>;

type Names<Type> = Type extends unknown ? keyof Type : never;
type Table<Type> = { readonly [Name in Names<Type> & string]-?: Field };

const ANY: Field = {};
const PATH: Field = { only: "JSONPath" };
const JSONATA: Field = { only: "JSONata" };
const LANGUAGE: Field = { values: ["JSONata", "JSONPath"] };

const COMMON = { Type: ANY, Comment: ANY, QueryLanguage: LANGUAGE };
const MOVES = { Next: ANY, End: ANY };
const PATHS = { InputPath: PATH, OutputPath: PATH };
const RESULTS = { Parameters: PATH, ResultSelector: PATH, ResultPath: PATH };
const HANDLERS = { Retry: ANY, Catch: ANY };

export const MACHINE_FIELDS: Table<StateMachineDefinition> = {
    Comment: ANY,
    QueryLanguage: LANGUAGE,
    StartAt: ANY,
    States: ANY,
    TimeoutSeconds: ANY,
    Version: { values: ["1.0"] },
};

export const BRANCH_FIELDS: Table<StateGraph> = { Comment: ANY, StartAt: ANY, States: ANY };

export const PROCESSOR_FIELDS: Table<StateGraph & { readonly ProcessorConfig?: unknown }> = {
    ...BRANCH_FIELDS,
    ProcessorConfig: ANY,
};

const TASK: Table<TaskState> = {
    ...COMMON,
    ...MOVES,
    ...PATHS,
    ...RESULTS,
    ...HANDLERS,
    Resource: ANY,
    Arguments: JSONATA,
    Output: JSONATA,
    Assign: ANY,
    TimeoutSeconds: ANY,
    TimeoutSecondsPath: PATH,
    HeartbeatSeconds: ANY,
    HeartbeatSecondsPath: PATH,
    Credentials: ANY,
};

const PASS: Table<PassState> = {
    ...COMMON,
    ...MOVES,
    ...PATHS,
    Parameters: PATH,
    Result: PATH,
    ResultPath: PATH,
    Output: JSONATA,
    Assign: ANY,
};

const CHOICE: Table<ChoiceState> = {
    ...COMMON,
    ...PATHS,
    Choices: ANY,
    Default: ANY,
    Output: JSONATA,
    Assign: ANY,
};

const WAIT: Table<WaitState> = {
    ...COMMON,
    ...MOVES,
    ...PATHS,
    Seconds: ANY,
    SecondsPath: PATH,
    Timestamp: ANY,
    TimestampPath: PATH,
    Output: JSONATA,
    Assign: ANY,
};

const SUCCEED: Table<SucceedState> = { ...COMMON, ...PATHS, Output: JSONATA };

const FAIL: Table<FailState> = { ...COMMON, Error: ANY, ErrorPath: PATH, Cause: ANY, CausePath: PATH };

const PARALLEL: Table<ParallelState> = {
    ...COMMON,
    ...MOVES,
    ...PATHS,
    ...RESULTS,
    ...HANDLERS,
    Branches: ANY,
    Arguments: JSONATA,
    Output: JSONATA,
    Assign: ANY,
};

const MAP: Table<MapState> = {
    ...COMMON,
    ...MOVES,
    ...PATHS,
    ...RESULTS,
    ...HANDLERS,
    ItemProcessor: ANY,
    Iterator: ANY,
    Items: JSONATA,
    ItemsPath: PATH,
    ItemSelector: ANY,
    MaxConcurrency: ANY,
    MaxConcurrencyPath: PATH,
    ItemReader: ANY,
    ItemBatcher: ANY,
    ResultWriter: ANY,
    ToleratedFailurePercentage: ANY,
    ToleratedFailurePercentagePath: PATH,
    ToleratedFailureCount: ANY,
    ToleratedFailureCountPath: PATH,
    Label: ANY,
    Output: JSONATA,
    Assign: ANY,
};

/** The fields of every type of state. */
export const STATE_FIELDS: { readonly [Type in StateType]: Fields } = {
    Task: TASK,
    Pass: PASS,
    Choice: CHOICE,
    Wait: WAIT,
    Succeed: SUCCEED,
    Fail: FAIL,
    Parallel: PARALLEL,
    Map: MAP,
};

/** A rule of a JSONata Choice; one of a JSONPath Choice has a comparison. */
export const CONDITION_RULE_FIELDS: Table<ConditionRule> = {
    Comment: ANY,
    Condition: ANY,
    Next: ANY,
    Output: JSONATA,
    Assign: ANY,
};

export const RETRIER_FIELDS: Table<Retrier> = {
    Comment: ANY,
    ErrorEquals: ANY,
    IntervalSeconds: ANY,
    MaxAttempts: ANY,
    BackoffRate: ANY,
    MaxDelaySeconds: ANY,
    JitterStrategy: { values: ["FULL", "NONE"] },
};

export const CATCHER_FIELDS: Table<Catcher> = {
    Comment: ANY,
    ErrorEquals: ANY,
    Next: ANY,
    ResultPath: PATH,
    Output: JSONATA,
    Assign: ANY,
};

export const PROCESSOR_CONFIG_FIELDS: Table<ProcessorConfig> = {
    Mode: { values: ["INLINE", "DISTRIBUTED"] },
    ExecutionType: { values: ["STANDARD", "EXPRESS"] },
};

export const ITEM_READER_FIELDS: Table<ItemReader> = {
    Resource: ANY,
    Parameters: PATH,
    Arguments: JSONATA,
    ReaderConfig: ANY,
};

export const READER_CONFIG_FIELDS: Table<ReaderConfig> = {
    InputType: {
        values: ["CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"],
        notSimulated: { PARQUET: "the interpreter reads text only" },
    },
    Transformation: { values: ["NONE", "LOAD_AND_FLATTEN"] },
    ManifestType: { values: ["S3_INVENTORY", "ATHENA_DATA"] },
    CSVDelimiter: { values: ["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"] },
    CSVHeaderLocation: { values: ["FIRST_ROW", "GIVEN"] },
    CSVHeaders: ANY,
    ItemsPointer: ANY,
    MaxItems: ANY,
    MaxItemsPath: PATH,
};

export const ITEM_BATCHER_FIELDS: Table<ItemBatcher> = {
    BatchInput: ANY,
    MaxItemsPerBatch: ANY,
    MaxItemsPerBatchPath: PATH,
    MaxInputBytesPerBatch: ANY,
    MaxInputBytesPerBatchPath: PATH,
};

export const RESULT_WRITER_FIELDS: Table<ResultWriter> = {
    Resource: ANY,
    Parameters: PATH,
    Arguments: JSONATA,
    WriterConfig: ANY,
};

export const WRITER_CONFIG_FIELDS: Table<WriterConfig> = {
    Transformation: { values: ["NONE", "COMPACT", "FLATTEN"] },
    OutputType: { values: ["JSON", "JSONL"] },
};

/** The objects inside a Map, by the field that holds them. */
export const MAP_PARTS: Readonly<Record<string, { readonly fields: Fields; readonly inside?: string }>> = {
    ItemReader: { fields: ITEM_READER_FIELDS },
    ReaderConfig: { fields: READER_CONFIG_FIELDS, inside: "ItemReader" },
    ItemBatcher: { fields: ITEM_BATCHER_FIELDS },
    ResultWriter: { fields: RESULT_WRITER_FIELDS },
    WriterConfig: { fields: WRITER_CONFIG_FIELDS, inside: "ResultWriter" },
};

/** The names of a type's fields that states of the language may have. */
export function namesOf(fields: Fields, language: "JSONPath" | "JSONata"): Set<string> {
    const open = Object.entries(fields).filter(([, { only }]) => only === undefined || only === language);
    return new Set(open.map(([name]) => name));
}
