import {
    execute,
    TaskError,
    type ExecutionOptions,
    type ExecutionResult,
    type TaskHandler,
} from "../../../asl/interpreter/index";
import type { JsonValue, StateMachineDefinition } from "../../../asl/types";

export const LAMBDA = "arn:aws:lambda:us-east-1:111111111111:function:f";
export const INVOKE = "arn:aws:states:::lambda:invoke";

/** A machine of the given states; the first is the start. */
export function machine(states: object, more: object = {}): StateMachineDefinition {
    return { StartAt: Object.keys(states)[0], States: states, ...more } as unknown as StateMachineDefinition;
}

export function jsonata(states: object, more: object = {}): StateMachineDefinition {
    return machine(states, { QueryLanguage: "JSONata", ...more });
}

export async function run(
    definition: StateMachineDefinition,
    input: JsonValue = {},
    task: TaskHandler = async (request) => request.arguments,
    options: Partial<ExecutionOptions> = {},
): Promise<ExecutionResult> {
    return execute(definition, { input, task, ...options });
}

export async function output(
    definition: StateMachineDefinition,
    input: JsonValue = {},
    task?: TaskHandler,
): Promise<JsonValue | undefined> {
    const result = await run(definition, input, task);
    if (result.status !== "SUCCEEDED") {
        throw new Error(`${result.status}: ${result.error}: ${result.cause}`);
    }
    return result.output;
}

export function types(result: ExecutionResult): string[] {
    return result.events.map((event) => event.type);
}

/** A handler that fails with each of the names in turn and then succeeds with "done". */
export function failing(...errors: string[]): TaskHandler {
    let next = 0;
    return async () => {
        if (next < errors.length) {
            throw new TaskError(errors[next++], "as told");
        }
        return "done";
    };
}

/** The names of the states entered, in order. */
export function entered(result: ExecutionResult): string[] {
    return result.events
        .filter((event) => event.type.endsWith("StateEntered"))
        .map((event) => (event.stateEnteredEventDetails as { name: string }).name);
}
