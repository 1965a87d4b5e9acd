/** Who runs: the execution, its lines of work, and the states that they are in. See README.md of the interpreter. */
import type { Host, Variables } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { Clock } from "../clock";
import type { CompiledGraph, CompiledState } from "../compile/compiled";
import type { History } from "../history";
import type { ExecutionOptions, Limits, Readings } from "../types";

/** One execution: what all its lines of work share. */
export interface Run {
    readonly options: ExecutionOptions;
    readonly clock: Clock;
    readonly limits: Limits;
    readonly readings: Readings;
    readonly host: Host;
    /** The context object's Execution and StateMachine. */
    readonly execution: JsonObject;
    readonly machine: JsonObject;
    /** The whole context object, where somebody has given it. */
    readonly context: JsonObject | undefined;
    readonly history: History;
    /** How often each state has been entered. */
    readonly entries: Map<CompiledState, number>;
    /** States entered plus retries. */
    transitions: number;
    /** Task tokens given out. */
    tokens: number;
    /** Ends the execution FAILED, whatever runs. */
    readonly fail: (thread: Thread, error: string, cause: string) => void;
    /** Runs a graph's states from its start to its end; Parallel and Map get it from here, since it gets them. */
    readonly graph: (thread: Thread, graph: CompiledGraph, input: JsonValue) => JsonValue | Promise<JsonValue>;
}

/** A line of work: the execution itself, a Parallel's branch or a Map's iteration. */
export interface Thread {
    readonly run: Run;
    /** The execution's, or the own one of a distributed Map's child. */
    readonly history: History;
    readonly path: readonly string[];
    /** The event that the next one follows. */
    previous: number;
    /** Replaced, never changed, by an assignment: inner lines of work keep what they began with. */
    variables: Variables;
    readonly mapItem: MapItem | undefined;
    /** The Execution object of the context, in a distributed Map's child execution. */
    readonly execution: JsonObject | undefined;
    /** An inline Map's iteration, for its own abort event. */
    readonly iteration: { readonly name: string; readonly index: number } | undefined;
    /** The state that runs now. */
    frame: Frame | undefined;
    stopped: boolean;
    /** What ends the wait of this line of work when it is stopped. */
    onStop: (() => void) | undefined;
}

export interface MapItem {
    readonly Index: number;
    readonly Value: JsonValue;
    /** The key, where the Map iterates over an object. */
    readonly Key?: string;
}

/** A line of work of its own; `more` is what distinguishes it. */
export function threadOf(run: Run, more: Partial<Thread> & Pick<Thread, "history" | "path" | "previous">): Thread {
    return {
        run,
        variables: NO_VARIABLES,
        mapItem: undefined,
        execution: undefined,
        iteration: undefined,
        frame: undefined,
        stopped: false,
        onStop: undefined,
        ...more,
    };
}

/** A line of work inside a state of another one, in the same history and with the same variables. */
export function childOf(parent: Frame, index: number, more?: Partial<Thread>): Thread {
    const { thread, state } = parent;
    return threadOf(thread.run, {
        history: thread.history,
        path: [...thread.path, state.name, String(index)],
        previous: thread.previous,
        variables: thread.variables,
        mapItem: thread.mapItem,
        execution: thread.execution,
        stopped: thread.stopped,
        ...more,
    });
}

const NO_VARIABLES: Variables = Object.freeze({});

/** One entry of a state. */
export interface Frame {
    readonly thread: Thread;
    readonly state: CompiledState;
    readonly input: JsonValue;
    /** The id of the state's entry, and of the event before it. */
    readonly enteredId: number;
    readonly beforeId: number;
    readonly enteredTime: number;
    /** How many times this state has been entered, from 1. */
    readonly entered: number;
    retryCount: number;
    taskToken: string | undefined;
    /** The lines of work that this state has started. */
    children: readonly Thread[];
    /** The one of them that failed first. */
    failed: Thread | undefined;
    /**
     * Whether ParallelStateFailed or MapStateFailed is due, once it is clear that the state is not retried (recorded).
     */
    failedEvent: boolean;
}

/** A state as it is when it is entered. */
export function frameOf(
    thread: Thread,
    state: CompiledState,
    input: JsonValue,
    entry: Pick<Frame, "enteredId" | "beforeId" | "entered">,
): Frame {
    return {
        thread,
        state,
        input,
        enteredId: entry.enteredId,
        beforeId: entry.beforeId,
        enteredTime: thread.run.clock.now(),
        entered: entry.entered,
        retryCount: 0,
        taskToken: undefined,
        children: [],
        failed: undefined,
        failedEvent: false,
    };
}

/** How a state was left. */
export interface Outcome {
    readonly output: JsonValue;
    readonly next: CompiledState | undefined;
}
