import { closest } from "fastest-levenshtein";
import { MAXIMUM_DEFINITION_BYTES } from "../../ground/awsLimits";
import type { JsonValue, StateMachineDefinition } from "../types";
import { Graph, reachable } from "./graph";
import type { StateNode } from "./node";
import { Parallel } from "./parallel";
import { mergePermissions, type Permission } from "./permissions";

/** What a state machine is assembled from. */
export interface MachineOptions {
    readonly comment?: string;
    /** Seconds until the execution ends TIMED_OUT, which no state can catch. */
    readonly timeoutSeconds: number;
    /** In the order in which they run; the first is where the machine starts. */
    readonly states: readonly StateNode[];
    /** Recorded results by state name: each of these states becomes a Pass with its result, and what it alone led to is left out. */
    readonly stubs?: Readonly<Record<string, JsonValue>>;
}

/** An assembled state machine. */
export interface Machine {
    readonly definition: StateMachineDefinition;
    /** What the machine's role must be allowed, for its states alone (logging and tracing come on top). */
    readonly permissions: readonly Permission[];
}

/** Assembles a state machine; every fault that needs no run to be seen is an error here. */
export function stateMachine({ comment, timeoutSeconds, states, stubs = {} }: MachineOptions): Machine {
    const names = namesOf(states);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) {
        throw new Error(`state "${twice}" is there twice; names are unique in the whole machine, branches included`);
    }
    for (const name of Object.keys(stubs)) {
        if (!names.includes(name)) {
            throw new Error(`stub "${name}": no such state; did you mean "${closest(name, names)}"?`);
        }
    }
    const nodes = withStubs(states, stubs);
    const definition: StateMachineDefinition = {
        ...(comment !== undefined && { Comment: comment }),
        QueryLanguage: "JSONata",
        ...new Graph("the state machine", nodes).render(),
        TimeoutSeconds: timeoutSeconds,
    };
    const bytes = Buffer.byteLength(JSON.stringify(definition));
    if (bytes > MAXIMUM_DEFINITION_BYTES) {
        throw new Error(
            `the definition has ${bytes} bytes with ${names.length} states; Step Functions takes ${MAXIMUM_DEFINITION_BYTES}: ` +
                "train fewer members in one ensemble, or shorten their settings",
        );
    }
    checkVariables(definition);
    return { definition, permissions: mergePermissions(nodes.flatMap((node) => node.permissions())) };
}

function namesOf(states: readonly StateNode[]): readonly string[] {
    return states.flatMap((state) => [
        state.name,
        ...(state instanceof Parallel ? state.branches().flatMap(namesOf) : []),
    ]);
}

function withStubs(states: readonly StateNode[], stubs: Readonly<Record<string, JsonValue>>): readonly StateNode[] {
    if (Object.keys(stubs).length === 0) {
        return states;
    }
    return reachable(
        states.map((state) => {
            const result = stubs[state.name];
            if (result !== undefined) {
                const stub = state.stub(result);
                if (stub === undefined) {
                    throw new Error(
                        `stub "${state.name}": only a Task, a Parallel or a Wait can be stubbed, and this is none of them`,
                    );
                }
                return stub;
            }
            return state instanceof Parallel
                ? state.with(state.branches().map((branch) => withStubs(branch, stubs)))
                : state;
        }),
    );
}

/** Every variable that is read is set somewhere; whether it is on every way is for the analysis to prove. */
function checkVariables(definition: StateMachineDefinition): void {
    const assigned = new Set<string>(["states"]);
    const read = new Set<string>();
    const collect = (value: unknown): void => {
        if (typeof value === "string" && value.startsWith("{%")) {
            const own = new Set(
                [...value.matchAll(/function\(([^)]*)\)/g)].flatMap((match) =>
                    match[1]!.split(",").map((name) => name.trim().slice(1)),
                ),
            );
            for (const match of value.matchAll(/\$([A-Za-z_][A-Za-z0-9_]*)(?![A-Za-z0-9_]*\()/g)) {
                if (!own.has(match[1]!)) {
                    read.add(match[1]!);
                }
            }
        } else if (typeof value === "object" && value !== null) {
            for (const [key, item] of Object.entries(value)) {
                if (key === "Assign" && typeof item === "object" && item !== null) {
                    Object.keys(item).forEach((name) => assigned.add(name));
                }
                collect(item);
            }
        }
    };
    collect(definition);
    const unset = [...read].find((name) => !assigned.has(name));
    if (unset !== undefined) {
        throw new Error(
            `the variable $${unset} is read, and no state assigns it; assigned are ${[...assigned].join(", ")}`,
        );
    }
}
