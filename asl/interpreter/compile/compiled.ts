/** A definition made ready to run: every expression parsed once, every target resolved. */
import type { JsonataTemplate, Path, PayloadTemplate, ReferencePath, Scope } from "../../expressions/index";
import type { JsonObject, JsonValue, StateType } from "../../types";
import type { Comparison } from "../choice";

/** A definition that was checked and prepared, to be run many times. */
export interface CompiledMachine {
    readonly graph: CompiledGraph;
    readonly timeoutSeconds?: number;
}

export interface CompiledGraph {
    readonly start: CompiledState;
    readonly states: ReadonlyMap<string, CompiledState>;
}

/** A template of either language. */
export type Template = JsonataTemplate | PayloadTemplate;

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
    readonly resultPath: ReferencePath | null | undefined;
    readonly output: JsonataTemplate | undefined;
    readonly assign: Assignment | undefined;
}

/** Assign, in either language; `names` says what it sets. */
export interface Assignment {
    readonly names: readonly string[];
    readonly template: Template;
}

/** A field that is a literal, a JSONata expression, or (in its `Path` form) a path. */
export interface Dynamic {
    /** The field as the definition names it: `TimeoutSeconds` or `TimeoutSecondsPath`. */
    readonly field: string;
    /** The path's or expression's text; undefined for a literal. */
    readonly text?: string | undefined;
    readonly value?: JsonValue;
    readonly template?: JsonataTemplate;
    readonly path?: (scope: Scope) => JsonValue;
}

export interface CompiledRule {
    readonly next: CompiledState;
    readonly condition: JsonataTemplate | undefined;
    readonly comparison: Comparison | undefined;
    readonly output: JsonataTemplate | undefined;
    readonly assign: Assignment | undefined;
}

/** Absent fields are undefined; a null path (`"InputPath": null`) is null. */
export interface CompiledState {
    readonly name: string;
    readonly type: StateType;
    readonly jsonata: boolean;
    readonly next: CompiledState | undefined;
    // JSONPath
    readonly inputPath: Path | null | undefined;
    readonly outputPath: Path | null | undefined;
    readonly resultSelector: PayloadTemplate | undefined;
    readonly resultPath: ReferencePath | null | undefined;
    readonly result: JsonValue | undefined;
    // JSONata
    readonly output: JsonataTemplate | undefined;
    // both
    /** Arguments or Parameters of a Task, Pass or Parallel. */
    readonly payload: Template | undefined;
    readonly assign: Assignment | undefined;
    // by type
    readonly resource: string | undefined;
    readonly credentials: Template | undefined;
    readonly timeout: Dynamic | undefined;
    readonly heartbeat: Dynamic | undefined;
    readonly retriers: readonly CompiledRetrier[];
    readonly catchers: readonly CompiledCatcher[];
    readonly rules: readonly CompiledRule[];
    readonly fallback: CompiledState | undefined;
    readonly seconds: Dynamic | undefined;
    readonly timestamp: Dynamic | undefined;
    readonly error: Dynamic | undefined;
    readonly cause: Dynamic | undefined;
    readonly branches: readonly CompiledGraph[];
    readonly map: CompiledMap | undefined;
}

export interface CompiledMap {
    readonly processor: CompiledGraph;
    readonly distributed: boolean;
    readonly label: string | undefined;
    readonly items: Dynamic | undefined;
    readonly selector: Template | undefined;
    readonly maxConcurrency: Dynamic | undefined;
    readonly toleratedCount: Dynamic | undefined;
    readonly toleratedPercentage: Dynamic | undefined;
    readonly reader: CompiledIo | undefined;
    readonly writer: CompiledIo | undefined;
    readonly batcher: CompiledBatcher | undefined;
}

/** ItemReader or ResultWriter. */
export interface CompiledIo {
    readonly resource: string | undefined;
    readonly arguments: Template;
    readonly config: JsonObject;
    readonly maxItems: Dynamic | undefined;
}

export interface CompiledBatcher {
    readonly input: Template | undefined;
    readonly maxItems: Dynamic | undefined;
    readonly maxBytes: Dynamic | undefined;
}
