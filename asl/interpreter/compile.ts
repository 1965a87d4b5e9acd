/** A definition made ready to run: every expression parsed once, every target resolved. */
import type { JsonObject, JsonValue, State, StateMachineDefinition, StateType } from "../types";
import {
    adopt,
    compilePath,
    compilePathOrIntrinsic,
    compilePayload,
    compileReferencePath,
    compileTemplate,
    ExpressionError,
    isJsonata,
    type JsonataTemplate,
    type Path,
    type PayloadTemplate,
    type ReferencePath,
    type Scope,
} from "../expressions/index";
import { compileComparison, type Comparison } from "./choice";

/** A definition that cannot be run. `problems` holds all that was found, each with the state's name. */
export class DefinitionError extends Error {
    constructor(readonly problems: readonly string[]) {
        super(
            `the state machine's definition cannot be run:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
        );
        this.name = "DefinitionError";
    }
}

/** A definition that was checked and prepared, to be run many times. */
export interface CompiledMachine {
    readonly graph: CompiledGraph;
    readonly timeoutSeconds?: number;
}

export interface CompiledGraph {
    readonly start: CompiledState;
    readonly states: ReadonlyMap<string, CompiledState>;
}

export interface CompiledRetrier {
    readonly errors: readonly string[];
    readonly intervalSeconds: number;
    readonly maxAttempts: number;
    readonly backoffRate: number;
    readonly maxDelaySeconds: number;
    readonly fullJitter: boolean;
}

export interface CompiledCatcher {
    readonly errors: readonly string[];
    readonly next: CompiledState;
    /** JSONPath: null throws the error output away. */
    readonly resultPath?: ReferencePath | null;
    readonly output?: JsonataTemplate;
    readonly assign?: Assignment;
}

/** Assign, in either language; `names` says what it sets. */
export interface Assignment {
    readonly names: readonly string[];
    readonly template: JsonataTemplate | PayloadTemplate;
}

/**
 * A field that is a literal, a JSONata expression, or (in its `Path` form) a path. `read` is undefined for a missing
 * field.
 */
export interface Dynamic {
    /** The field as the definition names it: `TimeoutSeconds` or `TimeoutSecondsPath`. */
    readonly field: string;
    /** The path's or expression's text; undefined for a literal. */
    readonly text?: string;
    readonly value?: JsonValue;
    readonly template?: JsonataTemplate;
    readonly path?: (scope: Scope) => JsonValue;
}

export interface CompiledRule {
    readonly next: CompiledState;
    readonly condition?: JsonataTemplate;
    readonly comparison?: Comparison;
    readonly output?: JsonataTemplate;
    readonly assign?: Assignment;
}

/** Absent fields are undefined; a null path (`"InputPath": null`) is null. */
export interface CompiledState {
    readonly name: string;
    readonly type: StateType;
    readonly jsonata: boolean;
    next?: CompiledState;
    // JSONPath
    readonly inputPath?: Path | null;
    readonly outputPath?: Path | null;
    readonly parameters?: PayloadTemplate;
    readonly resultSelector?: PayloadTemplate;
    readonly resultPath?: ReferencePath | null;
    readonly result?: JsonValue;
    // JSONata
    readonly arguments?: JsonataTemplate;
    readonly output?: JsonataTemplate;
    readonly assign?: Assignment;
    // by type
    readonly resource?: string;
    readonly credentials?: JsonataTemplate | PayloadTemplate;
    readonly timeout?: Dynamic;
    readonly heartbeat?: Dynamic;
    readonly retriers: readonly CompiledRetrier[];
    readonly catchers: readonly CompiledCatcher[];
    readonly rules: readonly CompiledRule[];
    readonly fallback?: CompiledState;
    readonly seconds?: Dynamic;
    readonly timestamp?: Dynamic;
    readonly error?: Dynamic;
    readonly cause?: Dynamic;
    readonly branches: readonly CompiledGraph[];
    readonly map?: CompiledMap;
}

export interface CompiledMap {
    readonly processor: CompiledGraph;
    readonly distributed: boolean;
    readonly express: boolean;
    readonly items?: Dynamic;
    readonly selector?: JsonataTemplate | PayloadTemplate;
    readonly maxConcurrency?: Dynamic;
    readonly toleratedCount?: Dynamic;
    readonly toleratedPercentage?: Dynamic;
    readonly reader?: CompiledIo;
    readonly writer?: CompiledIo;
    readonly batcher?: CompiledBatcher;
}

/** ItemReader or ResultWriter. */
export interface CompiledIo {
    readonly resource?: string;
    readonly arguments: JsonataTemplate | PayloadTemplate;
    readonly config: JsonObject;
    readonly maxItems?: Dynamic;
}

export interface CompiledBatcher {
    readonly input?: JsonataTemplate | PayloadTemplate;
    readonly maxItems?: Dynamic;
    readonly maxBytes?: Dynamic;
}

type Raw = { readonly [field: string]: JsonValue | undefined };

const TYPES: ReadonlySet<string> = new Set(["Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"]);

/**
 * Prepares a definition for `execute`.
 * @throws DefinitionError with all problems: unknown state types, missing targets, JSONata that does not parse,
 * JSONPath states in a JSONata machine, and variables that an inner scope would shadow. JSONPath that is wrong fails
 * when it is used, as on AWS.
 */
export function compile(definition: StateMachineDefinition): CompiledMachine {
    const compiler = new Compiler(definition.QueryLanguage === "JSONata");
    const graph = compiler.graph(definition as unknown as Raw, "the state machine", new Set());
    if (compiler.problems.length > 0 || graph === undefined) {
        throw new DefinitionError(compiler.problems);
    }
    return { graph, ...(definition.TimeoutSeconds === undefined ? {} : { timeoutSeconds: definition.TimeoutSeconds }) };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Compiler {
    readonly problems: string[] = [];

    constructor(private readonly machineIsJsonata: boolean) {}

    graph(raw: Raw, where: string, outer: ReadonlySet<string>): CompiledGraph | undefined {
        const definitions = raw.States as unknown as { readonly [name: string]: Raw } | undefined;
        if (typeof definitions !== "object" || definitions === null || typeof raw.StartAt !== "string") {
            this.problems.push(`${where} needs StartAt and States`);
            return undefined;
        }
        const states = new Map<string, CompiledState>();
        for (const name of Object.keys(definitions)) {
            // Filled in below: targets may point forwards.
            states.set(name, { name } as CompiledState);
        }
        const start = states.get(raw.StartAt);
        if (start === undefined) {
            this.problems.push(
                `StartAt of ${where} names ${JSON.stringify(raw.StartAt)}, which is not one of its states`,
            );
        }
        const assigned = new Map(Object.entries(definitions).map(([name, state]) => [name, assignments(state)]));
        for (const [name, { own, caught }] of assigned) {
            for (const variable of [...own, ...caught].filter((found) => outer.has(found))) {
                this.problems.push(
                    `the state '${name}' of ${where} assigns the variable '${variable}' of an outer scope,` +
                        " which it may read but not assign",
                );
            }
        }
        for (const [name, state] of states) {
            try {
                const inner = (): Set<string> => innerScope(outer, assigned, name);
                this.state(state as Mutable<CompiledState>, definitions[name], states, inner);
            } catch (error) {
                if (!(error instanceof ExpressionError)) {
                    throw error;
                }
                this.problems.push(`the state '${name}': ${error.message}`);
            }
        }
        return start === undefined ? undefined : { start, states };
    }

    private state(
        state: Mutable<CompiledState>,
        raw: Raw,
        states: ReadonlyMap<string, CompiledState>,
        inner: () => ReadonlySet<string>,
    ): void {
        if (typeof raw.Type !== "string" || !TYPES.has(raw.Type)) {
            this.problems.push(
                `the state '${state.name}' has the Type ${JSON.stringify(raw.Type)}; known: ${[...TYPES].join(", ")}`,
            );
            return;
        }
        state.type = raw.Type as State["Type"];
        state.jsonata = raw.QueryLanguage === undefined ? this.machineIsJsonata : raw.QueryLanguage === "JSONata";
        if (this.machineIsJsonata && !state.jsonata) {
            this.problems.push(
                `the state '${state.name}' declares JSONPath in a machine whose QueryLanguage is JSONata`,
            );
        }
        const target = (name: JsonValue | undefined, field: string): CompiledState => {
            const found = typeof name === "string" ? states.get(name) : undefined;
            if (found === undefined) {
                this.problems.push(
                    `${field} of the state '${state.name}' names ${JSON.stringify(name)}, which is not a state of its scope`,
                );
                return state;
            }
            return found;
        };
        if (raw.Next !== undefined) {
            state.next = target(raw.Next, "Next");
        } else if (raw.End !== true && !["Choice", "Succeed", "Fail"].includes(state.type)) {
            this.problems.push(`the state '${state.name}' needs Next or "End": true`);
        }
        this.data(state, raw);
        state.retriers = ((raw.Retry as unknown as Raw[] | undefined) ?? []).map((retrier) => ({
            errors: retrier.ErrorEquals as unknown as string[],
            intervalSeconds: (retrier.IntervalSeconds as number | undefined) ?? 1,
            maxAttempts: (retrier.MaxAttempts as number | undefined) ?? 3,
            backoffRate: (retrier.BackoffRate as number | undefined) ?? 2,
            maxDelaySeconds: (retrier.MaxDelaySeconds as number | undefined) ?? Infinity,
            fullJitter: retrier.JitterStrategy === "FULL",
        }));
        state.catchers = ((raw.Catch as unknown as Raw[] | undefined) ?? []).map((catcher, index) => ({
            errors: catcher.ErrorEquals as unknown as string[],
            next: target(catcher.Next, `Catch[${index}].Next`),
            ...(catcher.ResultPath === undefined
                ? {}
                : { resultPath: referencePath(catcher.ResultPath, "ResultPath") }),
            ...(catcher.Output === undefined
                ? {}
                : { output: compileTemplate(catcher.Output, `Catch[${index}]/Output`) }),
            ...this.assignment(catcher.Assign, state.jsonata, `Catch[${index}]/Assign`),
        }));
        state.rules = [];
        state.branches = [];
        switch (state.type) {
            case "Task":
                state.resource = raw.Resource as string;
                if (typeof state.resource !== "string") {
                    this.problems.push(`the Task '${state.name}' needs a Resource`);
                }
                if (raw.Credentials !== undefined) {
                    state.credentials = state.jsonata
                        ? compileTemplate(raw.Credentials, "Credentials")
                        : compilePayload(raw.Credentials, "Credentials");
                }
                state.timeout = dynamic(raw, "TimeoutSeconds", state.jsonata);
                state.heartbeat = dynamic(raw, "HeartbeatSeconds", state.jsonata);
                break;
            case "Choice":
                state.rules = ((raw.Choices as unknown as Raw[] | undefined) ?? []).map((rule, index) => ({
                    next: target(rule.Next, `Choices[${index}].Next`),
                    ...(state.jsonata
                        ? { condition: compileTemplate(rule.Condition ?? null, "Condition") }
                        : { comparison: compileComparison(rule as JsonObject) }),
                    ...(rule.Output === undefined
                        ? {}
                        : { output: compileTemplate(rule.Output, `Choices[${index}]/Output`) }),
                    ...this.assignment(rule.Assign, state.jsonata, `Choices[${index}]/Assign`),
                }));
                if (raw.Default !== undefined) {
                    state.fallback = target(raw.Default, "Default");
                }
                break;
            case "Wait":
                state.seconds = dynamic(raw, "Seconds", state.jsonata);
                state.timestamp = dynamic(raw, "Timestamp", state.jsonata);
                if (state.seconds === undefined && state.timestamp === undefined) {
                    this.problems.push(
                        `the Wait '${state.name}' needs Seconds or Timestamp (or, in JSONPath, their Path form)`,
                    );
                }
                break;
            case "Fail":
                state.error = dynamic(raw, "Error", state.jsonata);
                state.cause = dynamic(raw, "Cause", state.jsonata);
                break;
            case "Parallel":
                state.branches = ((raw.Branches as unknown as Raw[] | undefined) ?? [])
                    .map((branch, index) => this.graph(branch, `branch ${index} of '${state.name}'`, inner()))
                    .filter((branch) => branch !== undefined);
                break;
            case "Map":
                this.map(state, raw, inner());
                break;
            default:
                break;
        }
    }

    private data(state: Mutable<CompiledState>, raw: Raw): void {
        if (state.jsonata) {
            if (raw.Arguments !== undefined) {
                state.arguments = compileTemplate(raw.Arguments, "Arguments");
            }
            if (raw.Output !== undefined) {
                state.output = compileTemplate(raw.Output, "Output");
            }
        } else {
            state.inputPath = dataPath(raw.InputPath, "InputPath");
            state.outputPath = dataPath(raw.OutputPath, "OutputPath");
            if (raw.Parameters !== undefined && state.type !== "Map") {
                state.parameters = compilePayload(raw.Parameters, "Parameters");
            }
            if (raw.ResultSelector !== undefined) {
                state.resultSelector = compilePayload(raw.ResultSelector, "ResultSelector");
            }
            state.resultPath = raw.ResultPath === undefined ? undefined : referencePath(raw.ResultPath, "ResultPath");
            if (raw.Result !== undefined) {
                state.result = adopt(raw.Result);
            }
        }
        Object.assign(state, this.assignment(raw.Assign, state.jsonata, "Assign"));
    }

    private assignment(raw: JsonValue | undefined, jsonata: boolean, field: string): { assign?: Assignment } {
        if (raw === undefined) {
            return {};
        }
        const names = Object.keys(raw as JsonObject).map((name) => (jsonata ? name : name.replace(/\.\$$/u, "")));
        return { assign: { names, template: jsonata ? compileTemplate(raw, field) : compilePayload(raw, field) } };
    }

    private map(state: Mutable<CompiledState>, raw: Raw, variables: ReadonlySet<string>): void {
        const processor = (raw.ItemProcessor ?? raw.Iterator) as unknown as Raw | undefined;
        const config = (processor?.ProcessorConfig as JsonObject | undefined) ?? {};
        const distributed = config.Mode === "DISTRIBUTED";
        if (processor === undefined) {
            this.problems.push(`the Map '${state.name}' needs an ItemProcessor`);
            return;
        }
        // A distributed Map's items run in executions of their own, which see no variables of this one.
        const graph = this.graph(
            processor,
            `the item processor of '${state.name}'`,
            distributed ? new Set() : variables,
        );
        if (graph === undefined) {
            return;
        }
        const jsonata = state.jsonata;
        const template = (value: JsonValue, field: string): JsonataTemplate | PayloadTemplate =>
            jsonata ? compileTemplate(value, field) : compilePayload(value, field);
        const io = (field: "ItemReader" | "ResultWriter", configField: string): CompiledIo | undefined => {
            const value = raw[field] as JsonObject | undefined;
            return value === undefined
                ? undefined
                : {
                      ...(typeof value.Resource === "string" ? { resource: value.Resource } : {}),
                      arguments: template(value.Arguments ?? value.Parameters ?? {}, field),
                      config: (value[configField] as JsonObject | undefined) ?? {},
                      ...defined({ maxItems: dynamic((value[configField] as Raw) ?? {}, "MaxItems", jsonata) }),
                  };
        };
        const selector =
            raw.ItemSelector === undefined
                ? raw.Parameters === undefined
                    ? undefined
                    : template(raw.Parameters, "Parameters")
                : template(raw.ItemSelector, "ItemSelector");
        const batcher = raw.ItemBatcher as JsonObject | undefined;
        state.map = {
            processor: graph,
            distributed,
            express: config.ExecutionType === "EXPRESS",
            ...defined({
                items: dynamic(raw, "Items", jsonata),
                selector,
                maxConcurrency: dynamic(raw, "MaxConcurrency", jsonata),
                toleratedCount: dynamic(raw, "ToleratedFailureCount", jsonata),
                toleratedPercentage: dynamic(raw, "ToleratedFailurePercentage", jsonata),
                reader: io("ItemReader", "ReaderConfig"),
                writer: io("ResultWriter", "WriterConfig"),
                batcher:
                    batcher === undefined
                        ? undefined
                        : defined({
                              input:
                                  batcher.BatchInput === undefined
                                      ? undefined
                                      : template(batcher.BatchInput, "ItemBatcher/BatchInput"),
                              maxItems: dynamic(batcher, "MaxItemsPerBatch", jsonata),
                              maxBytes: dynamic(batcher, "MaxInputBytesPerBatch", jsonata),
                          }),
            }),
        };
    }
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** The variables that a state assigns: itself and in its choices, and in its catchers. */
interface Assignments {
    readonly own: readonly string[];
    readonly caught: readonly string[];
}

function assignments(raw: Raw): Assignments {
    const names = (assign: JsonValue | undefined): string[] =>
        Object.keys((assign as JsonObject | undefined) ?? {}).map((name) => name.replace(/\.\$$/u, ""));
    const entries = (field: "Choices" | "Catch"): string[] =>
        ((raw[field] as Raw[] | undefined) ?? []).flatMap((entry) => names(entry.Assign));
    return { own: [...names(raw.Assign), ...entries("Choices")], caught: entries("Catch") };
}

/**
 * What a state's branches or iterations see as variables of an outer scope. The state's own catchers do not count: they
 * run when the inner scope has ended (recorded: AWS accepts a variable that a branch and its Parallel's Catch assign).
 */
function innerScope(
    outer: ReadonlySet<string>,
    assigned: ReadonlyMap<string, Assignments>,
    state: string,
): Set<string> {
    const found = new Set(outer);
    for (const [name, { own, caught }] of assigned) {
        own.forEach((variable) => found.add(variable));
        if (name !== state) {
            caught.forEach((variable) => found.add(variable));
        }
    }
    return found;
}

function dataPath(value: JsonValue | undefined, field: string): Path | null | undefined {
    return value === undefined || value === "$" ? undefined : value === null ? null : compilePath(String(value), field);
}

function referencePath(value: JsonValue, field: string): ReferencePath | null | undefined {
    return value === null ? null : value === "$" ? undefined : compileReferencePath(String(value), field);
}

function dynamic(raw: Raw, field: string, jsonata: boolean): Dynamic | undefined {
    const literal = raw[field];
    if (literal !== undefined) {
        return jsonata && typeof literal !== "number"
            ? {
                  field,
                  template: compileTemplate(literal, field),
                  ...(isJsonata(literal) ? { text: literal.slice(2, -2).trim() } : {}),
              }
            : { field, value: literal };
    }
    // The Map's path field keeps the plural of its older form.
    const pathField = `${field}Path`;
    const path = raw[pathField];
    return typeof path === "string" && !jsonata
        ? { field: pathField, text: path, path: compilePathOrIntrinsic(path, pathField) }
        : undefined;
}
