/** From a definition to a machine that can be run. */
import { STATE_FIELDS, MAP_PARTS, type Fields } from "../../fields";
import { adopt, ExpressionError } from "../../expressions/index";
import type { JsonObject, JsonValue, State, StateMachineDefinition } from "../../types";
import { compileComparison } from "../choice";
import type {
    CompiledCatcher,
    CompiledGraph,
    CompiledMachine,
    CompiledMap,
    CompiledRetrier,
    CompiledRule,
    CompiledState,
} from "./compiled";
import { compileMap } from "./map";
import { assignment, dataPath, dynamic, jsonataTemplate, objectsIn, referencePath, template, type Raw } from "./parts";
import { assignments, innerScope, type Assignments } from "./scopes";

/** A definition that cannot be run. `problems` holds all that was found, each with the state's name. */
export class DefinitionError extends Error {
    constructor(readonly problems: readonly string[]) {
        const lines = problems.map((problem) => `  - ${problem}`).join("\n");
        super(`the state machine's definition cannot be run:\n${lines}`);
        this.name = "DefinitionError";
    }
}

/**
 * Prepares a definition for `execute`.
 * @throws DefinitionError with all problems: unknown state types, missing targets, JSONata that does not parse,
 * JSONPath states in a JSONata machine, variables that an inner scope would shadow, and what is not simulated. JSONPath
 * that is wrong fails when it is used, as on AWS.
 */
export function compile(definition: StateMachineDefinition): CompiledMachine {
    const compiler = new Compiler(definition.QueryLanguage === "JSONata");
    const graph = compiler.graph(definition as unknown as Raw, "the state machine", new Set());
    if (compiler.problems.length > 0 || graph === undefined) {
        throw new DefinitionError(compiler.problems);
    }
    return definition.TimeoutSeconds === undefined ? { graph } : { graph, timeoutSeconds: definition.TimeoutSeconds };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** The variables of the scope inside a state. */
type Inner = () => ReadonlySet<string>;

/** What a state is before its fields are read: every one has every field, so that all have one shape. */
function emptyState(name: string): Mutable<CompiledState> {
    const none = undefined;
    const data = { inputPath: none, outputPath: none, resultSelector: none, resultPath: none, result: none };
    const work = { output: none, payload: none, assign: none, resource: none, credentials: none, timeout: none };
    const waits = { heartbeat: none, seconds: none, timestamp: none, error: none, cause: none };
    const routes = { next: none, fallback: none, map: none, retriers: [], catchers: [], rules: [], branches: [] };
    return { name, type: "Pass", jsonata: false, ...data, ...work, ...waits, ...routes };
}

class Compiler {
    readonly problems: string[] = [];

    constructor(private readonly machineIsJsonata: boolean) {}

    graph(raw: Raw, where: string, outer: ReadonlySet<string>): CompiledGraph | undefined {
        const definitions = raw.States as unknown as { readonly [name: string]: Raw } | undefined;
        if (typeof definitions !== "object" || definitions === null || typeof raw.StartAt !== "string") {
            this.problems.push(`${where} needs StartAt and States`);
            return undefined;
        }
        // Filled in below: targets may point forwards.
        const states = new Map(Object.keys(definitions).map((name) => [name, emptyState(name)]));
        const start = states.get(raw.StartAt);
        if (start === undefined) {
            const named = JSON.stringify(raw.StartAt);
            this.problems.push(`StartAt of ${where} names ${named}, which is not one of its states`);
        }
        const assigned = new Map(Object.entries(definitions).map(([name, state]) => [name, assignments(state)]));
        this.shadows(assigned, outer, where);
        for (const [name, state] of states) {
            const inner: Inner = () => innerScope(outer, assigned, name);
            this.reported(name, () => this.state(state, definitions[name] ?? {}, states, inner));
        }
        return start === undefined ? undefined : { start, states };
    }

    /** Variables of an outer scope may be read, but not assigned. */
    private shadows(assigned: ReadonlyMap<string, Assignments>, outer: ReadonlySet<string>, where: string): void {
        for (const [name, { own, caught }] of assigned) {
            for (const variable of [...own, ...caught].filter((found) => outer.has(found))) {
                this.problems.push(
                    `the state '${name}' of ${where} assigns the variable '${variable}' of an outer scope,` +
                        " which it may read but not assign",
                );
            }
        }
    }

    private reported(name: string, work: () => void): void {
        try {
            work();
        } catch (error) {
            if (!(error instanceof ExpressionError)) {
                throw error;
            }
            this.problems.push(`the state '${name}': ${error.message}`);
        }
    }

    private state(
        state: Mutable<CompiledState>,
        raw: Raw,
        states: ReadonlyMap<string, CompiledState>,
        inner: Inner,
    ): void {
        if (typeof raw.Type !== "string" || !Object.hasOwn(STATE_FIELDS, raw.Type)) {
            const known = Object.keys(STATE_FIELDS).join(", ");
            this.problems.push(`the state '${state.name}' has the Type ${JSON.stringify(raw.Type)}; known: ${known}`);
            return;
        }
        state.type = raw.Type as State["Type"];
        state.jsonata = raw.QueryLanguage === undefined ? this.machineIsJsonata : raw.QueryLanguage === "JSONata";
        if (this.machineIsJsonata && !state.jsonata) {
            this.problems.push(
                `the state '${state.name}' declares JSONPath in a machine whose QueryLanguage is JSONata`,
            );
        }
        const target = (name: JsonValue | undefined, field: string): CompiledState =>
            this.target(state, states, name, field);
        if (raw.Next !== undefined) {
            state.next = target(raw.Next, "Next");
        } else if (raw.End !== true && !["Choice", "Succeed", "Fail"].includes(state.type)) {
            this.problems.push(`the state '${state.name}' needs Next or "End": true`);
        }
        this.data(state, raw);
        state.retriers = objectsIn(raw.Retry).map(retrier);
        state.catchers = objectsIn(raw.Catch).map((catcher, index) =>
            catcherOf(catcher, index, state.jsonata, target(catcher.Next, `Catch[${index}].Next`)),
        );
        this.byType(state, raw, target, inner);
    }

    private target(
        state: CompiledState,
        states: ReadonlyMap<string, CompiledState>,
        name: JsonValue | undefined,
        field: string,
    ): CompiledState {
        const found = typeof name === "string" ? states.get(name) : undefined;
        if (found === undefined) {
            const named = JSON.stringify(name);
            this.problems.push(
                `${field} of the state '${state.name}' names ${named}, which is not a state of its scope`,
            );
        }
        return found ?? state;
    }

    private byType(
        state: Mutable<CompiledState>,
        raw: Raw,
        target: (name: JsonValue | undefined, field: string) => CompiledState,
        inner: Inner,
    ): void {
        const { jsonata } = state;
        switch (state.type) {
            case "Task":
                this.task(state, raw);
                break;
            case "Choice":
                state.rules = objectsIn(raw.Choices).map((rule, index) =>
                    ruleOf(rule, index, jsonata, target(rule.Next, `Choices[${index}].Next`)),
                );
                state.fallback = raw.Default === undefined ? undefined : target(raw.Default, "Default");
                break;
            case "Wait":
                this.wait(state, raw);
                break;
            case "Fail":
                state.error = dynamic(raw, "Error", jsonata);
                state.cause = dynamic(raw, "Cause", jsonata);
                break;
            case "Parallel":
                state.branches = objectsIn(raw.Branches)
                    .map((branch, index) => this.graph(branch, `branch ${index} of '${state.name}'`, inner()))
                    .filter((branch) => branch !== undefined);
                break;
            case "Map":
                state.map = this.map(state, raw, inner);
                break;
            default:
                break;
        }
    }

    private data(state: Mutable<CompiledState>, raw: Raw): void {
        const { jsonata } = state;
        state.assign = assignment(raw.Assign, jsonata, "Assign");
        if (state.type !== "Map") {
            const field = jsonata ? "Arguments" : "Parameters";
            state.payload = template(raw[field], field, jsonata);
        }
        if (jsonata) {
            state.output = jsonataTemplate(raw.Output, "Output");
            return;
        }
        state.inputPath = dataPath(raw.InputPath, "InputPath");
        state.outputPath = dataPath(raw.OutputPath, "OutputPath");
        state.resultSelector = template(raw.ResultSelector, "ResultSelector", false) as CompiledState["resultSelector"];
        state.resultPath = referencePath(raw.ResultPath, "ResultPath");
        state.result = raw.Result === undefined ? undefined : adopt(raw.Result);
    }

    private task(state: Mutable<CompiledState>, raw: Raw): void {
        const { jsonata } = state;
        if (typeof raw.Resource === "string") {
            state.resource = raw.Resource;
        } else {
            this.problems.push(`the Task '${state.name}' needs a Resource`);
        }
        state.credentials = template(raw.Credentials, "Credentials", jsonata);
        state.timeout = dynamic(raw, "TimeoutSeconds", jsonata);
        state.heartbeat = dynamic(raw, "HeartbeatSeconds", jsonata);
    }

    private wait(state: Mutable<CompiledState>, raw: Raw): void {
        state.seconds = dynamic(raw, "Seconds", state.jsonata);
        state.timestamp = dynamic(raw, "Timestamp", state.jsonata);
        if (state.seconds === undefined && state.timestamp === undefined) {
            this.problems.push(
                `the Wait '${state.name}' needs Seconds or Timestamp (or, in JSONPath, their Path form)`,
            );
        }
    }

    private map(state: CompiledState, raw: Raw, inner: Inner): CompiledMap | undefined {
        const processor = (raw.ItemProcessor ?? raw.Iterator) as unknown as Raw | undefined;
        if (processor === undefined) {
            this.problems.push(`the Map '${state.name}' needs an ItemProcessor`);
            return undefined;
        }
        const config = (processor.ProcessorConfig as JsonObject | undefined) ?? {};
        const distributed = config.Mode === "DISTRIBUTED";
        this.simulated(state, raw);
        // A distributed Map's items run in executions of their own, which see no variables of this one.
        const scope = distributed ? new Set<string>() : inner();
        const graph = this.graph(processor, `the item processor of '${state.name}'`, scope);
        return graph && compileMap(state, raw, graph, distributed);
    }

    /** What the table of fields says that the interpreter does not simulate is refused, before anything runs. */
    private simulated(state: CompiledState, raw: Raw): void {
        for (const [name, { fields, inside }] of Object.entries(MAP_PARTS)) {
            const holder = (inside === undefined ? raw : raw[inside]) as Raw | undefined;
            const part = holder?.[name] as Raw | undefined;
            for (const problem of notSimulated(fields, part ?? {})) {
                this.problems.push(`the Map '${state.name}': ${name}.${problem}`);
            }
        }
        const writer = raw.ResultWriter as Raw | undefined;
        const config = writer?.WriterConfig as Raw | undefined;
        if (config?.OutputType === "JSONL" && writer?.Resource === undefined) {
            this.problems.push(
                `the Map '${state.name}': WriterConfig.OutputType "JSONL" of a ResultWriter without Resource is not` +
                    " simulated: nothing is known of the form of that output",
            );
        }
    }
}

function notSimulated(fields: Fields, part: Raw): string[] {
    return Object.entries(fields).flatMap(([name, field]) => {
        const value = part[name];
        const why = typeof value === "string" ? field.notSimulated?.[value] : undefined;
        return why === undefined ? [] : [`${name} ${JSON.stringify(value)} is not simulated: ${why}`];
    });
}

function retrier(raw: Raw): CompiledRetrier {
    const number = (field: string, otherwise: number): number => (raw[field] as number | undefined) ?? otherwise;
    return {
        errors: raw.ErrorEquals as string[],
        intervalSeconds: number("IntervalSeconds", 1),
        maxAttempts: number("MaxAttempts", 3),
        backoffRate: number("BackoffRate", 2),
        maxDelaySeconds: number("MaxDelaySeconds", Infinity),
        fullJitter: raw.JitterStrategy === "FULL",
    };
}

function catcherOf(raw: Raw, index: number, jsonata: boolean, next: CompiledState): CompiledCatcher {
    return {
        errors: raw.ErrorEquals as string[],
        next,
        resultPath: referencePath(raw.ResultPath, "ResultPath"),
        output: jsonata ? jsonataTemplate(raw.Output, `Catch[${index}]/Output`) : undefined,
        assign: assignment(raw.Assign, jsonata, `Catch[${index}]/Assign`),
    };
}

function ruleOf(raw: Raw, index: number, jsonata: boolean, next: CompiledState): CompiledRule {
    return {
        next,
        condition: jsonata ? jsonataTemplate(raw.Condition ?? null, `Choices[${index}]/Condition`) : undefined,
        comparison: jsonata ? undefined : compileComparison(raw as JsonObject),
        output: jsonata ? jsonataTemplate(raw.Output, `Choices[${index}]/Output`) : undefined,
        assign: assignment(raw.Assign, jsonata, `Choices[${index}]/Assign`),
    };
}
