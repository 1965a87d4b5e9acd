import { defined } from "../../ground/fields";
import { closest } from "fastest-levenshtein";
import { MAXIMUM_DEFINITION_BYTES } from "../../ground/awsLimits";
import type { JsonValue, StateMachineDefinition } from "../types";
import { problemsOf } from "./checks";
import { Graph, reachable } from "./graph";
import { MAXIMUM_SECONDS, type StateNode } from "./node";
import { mergePermissions, type Permission } from "./permissions";

/**
 * What a state machine is assembled from. Source of the bounds: https://states-language.net/spec.html, "Top-level
 * fields"; Step Functions Developer Guide, "Quotas".
 */
export interface MachineOptions {
    /** For readers of the definition. Default: none. */
    readonly comment?: string;
    /** Seconds until the execution ends TIMED_OUT, which no state can catch; 1 to 99,999,999, more than any Task's. */
    readonly timeoutSeconds: number;
    /** In the order in which they run; the first is where the machine starts. */
    readonly states: readonly StateNode[];
    /**
     * Recorded results by state name: each of these states becomes a Pass with its result, and what it alone led to is
     * left out. Default: none.
     */
    readonly stubs?: Readonly<Record<string, JsonValue>>;
}

/** An assembled state machine. */
export interface Machine {
    /** In JSONata; plain data, ready for JSON.stringify, the prover and the interpreter. */
    readonly definition: StateMachineDefinition;
    /** What the machine's role must be allowed, for its states alone (logging and tracing come on top). */
    readonly permissions: readonly Permission[];
}

/**
 * Assembles a state machine.
 *
 * What needs no run to be seen is an error here: a target that is not there, a state that nothing leads to, two states
 * of one name, a value out of its bounds, an expression that is no JSONata, a variable that no state in sight assigns,
 * a failure that no catcher takes, a time-out that the machine's own comes before. What needs the ways through the
 * machine is for the prover (`analyse`): that no way fails in silence, that a variable is set on every way, that loops
 * end.
 * @throws Error with what is wrong and where.
 */
export function stateMachine({ comment, timeoutSeconds, states, stubs = {} }: MachineOptions): Machine {
    if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 1 || timeoutSeconds > MAXIMUM_SECONDS) {
        const bounds = `between 1 and ${MAXIMUM_SECONDS.toLocaleString("en")} seconds`;
        throw new Error(
            `the state machine's timeoutSeconds must be a whole number ${bounds}, received ${timeoutSeconds}`,
        );
    }
    const names = namesOf(states);
    checkNames(names, Object.keys(stubs));
    const nodes = withStubs(states, stubs);
    const definition: StateMachineDefinition = defined({
        Comment: comment,
        QueryLanguage: "JSONata" as const,
        ...new Graph("the state machine", nodes).render(),
        TimeoutSeconds: timeoutSeconds,
    });
    const bytes = Buffer.byteLength(JSON.stringify(definition));
    if (bytes > MAXIMUM_DEFINITION_BYTES) {
        throw new Error(
            `the definition has ${bytes.toLocaleString("en")} bytes with ${names.length} states; ` +
                `Step Functions takes ${MAXIMUM_DEFINITION_BYTES.toLocaleString("en")}: ` +
                "move states into a state machine of their own and start it from here (StartExecution), " +
                "or use a Map in place of branches that are alike",
        );
    }
    const problems = problemsOf(definition);
    if (problems.length > 0) {
        throw new Error(problems.join("\n"));
    }
    return { definition, permissions: mergePermissions(nodes.flatMap((node) => node.permissions())) };
}

function checkNames(names: readonly string[], stubs: readonly string[]): void {
    const known = new Set<string>();
    for (const name of names) {
        if (known.has(name)) {
            throw new Error(`state "${name}" is there twice; names are unique in the whole machine, branches included`);
        }
        known.add(name);
    }
    for (const name of stubs) {
        if (!known.has(name)) {
            throw new Error(`stub "${name}": no such state; did you mean "${closest(name, names)}"?`);
        }
    }
}

function namesOf(states: readonly StateNode[]): readonly string[] {
    return states.flatMap((state) => [state.name, ...state.inner().flatMap(namesOf)]);
}

function withStubs(states: readonly StateNode[], stubs: Readonly<Record<string, JsonValue>>): readonly StateNode[] {
    if (Object.keys(stubs).length === 0) {
        return states;
    }
    const replaced = states.map((state) => {
        const result = stubs[state.name];
        if (result !== undefined) {
            return stubOf(state, result);
        }
        const inner = state.inner();
        return inner.length === 0 ? state : state.with(inner.map((branch) => withStubs(branch, stubs)));
    });
    return reachable(replaced);
}

function stubOf(state: StateNode, result: JsonValue): StateNode {
    const stub = state.stub(result);
    if (stub === undefined) {
        throw new Error(
            `stub "${state.name}": only a Task, a Parallel, a Map or a Wait can be stubbed, and this is none of them`,
        );
    }
    return stub;
}
