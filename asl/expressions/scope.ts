import type { JsonObject, JsonValue } from "../types";

/**
 * The variables that a state can read, inner scopes included. Never changed in place: an assignment makes a new record.
 */
export type Variables = { readonly [name: string]: JsonValue };

/** What an expression can see. One object serves all expressions of a state that see the same things. */
export interface Scope {
    /** JSONata `$states.input`; JSONPath `$`. */
    readonly input: JsonValue;
    /** JSONata `$states.result`, after the work of a Task, Parallel or Map. */
    readonly result?: JsonValue;
    /** JSONata `$states.errorOutput`, in a catcher. */
    readonly errorOutput?: JsonValue;
    /** `$states.context` and `$$`: built only when an expression asks for it. */
    readonly context: () => JsonObject;
    readonly variables: Variables;
    readonly host: Host;
}

/** What makes evaluation deterministic: time, chance and identity come from the execution. */
export interface Host {
    /** Milliseconds since the epoch. */
    readonly now: () => number;
    /** At least 0, below 1. */
    readonly random: () => number;
    readonly uuid: () => string;
}
