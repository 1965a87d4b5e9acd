/** The state that is tested, made ready to run alone: whatever it leads to becomes a state that does nothing. */
import { isObject } from "../../expressions/index";
import type { JsonObject, JsonValue, StateMachineDefinition } from "../../types";
import { statesIn } from "../../walk";
import { compile, DefinitionError } from "../compile/compile";
import type { CompiledMachine, CompiledState } from "../compile/compiled";
import { TestStateError } from "./types";

/** What the API calls a state that comes without a name. */
const UNNAMED = "StateName";

export interface TestedState {
    readonly state: CompiledState;
    readonly definition: JsonObject;
}

/** @throws TestStateError InvalidDefinition. */
export function testedState(text: string, stateName: string | undefined): TestedState {
    const given = parsed(text);
    const isMachine = given.States !== undefined;
    if (isMachine && stateName === undefined) {
        throw new TestStateError("ValidationException", "stateName is required when definition is a state machine.");
    }
    if (isMachine) {
        prepared(given);
    }
    const definition = isMachine ? stateOf(given, stateName ?? "") : given;
    const name = stateName ?? UNNAMED;
    const states: JsonObject = {};
    for (const target of targetsOf(definition)) {
        states[target] = { Type: "Succeed" };
    }
    states[name] = definition;
    const machine: JsonObject = { StartAt: name, States: states };
    if (typeof given.QueryLanguage === "string") {
        machine.QueryLanguage = given.QueryLanguage;
    }
    const { graph } = prepared(machine);
    return { state: graph.states.get(name) ?? graph.start, definition };
}

function parsed(text: string): JsonObject {
    let value: JsonValue;
    try {
        value = JSON.parse(text) as JsonValue;
    } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        throw invalid(`'INVALID_JSON_DESCRIPTION: ${said}'`);
    }
    if (!isObject(value)) {
        throw invalid("'INVALID_JSON_DESCRIPTION: a definition is an object'");
    }
    return value;
}

function invalid(what: string): TestStateError {
    return new TestStateError("InvalidDefinition", `Invalid State Machine Definition: ${what}`);
}

/** A state of the machine, at any depth. */
function stateOf(machine: JsonObject, name: string): JsonObject {
    const found = statesIn(machine).find((placed) => placed.name === name);
    if (found === undefined || !isObject(found.state as JsonValue)) {
        throw new TestStateError("ValidationException", `State '${name}' does not exist in the state machine.`);
    }
    return found.state as JsonObject;
}

/** The states that a state may lead to. */
function targetsOf(state: JsonObject): string[] {
    const inside = [state.Choices, state.Catch].flatMap((list) => (Array.isArray(list) ? list : []));
    const targets = [state.Next, state.Default, ...inside.map((part) => (isObject(part) ? part.Next : undefined))];
    return targets.filter((target) => typeof target === "string");
}

function prepared(machine: JsonObject): CompiledMachine {
    try {
        return compile(machine as unknown as StateMachineDefinition);
    } catch (error) {
        if (error instanceof DefinitionError) {
            throw invalid(`'SCHEMA_VALIDATION_FAILED: ${error.message}'`);
        }
        throw error;
    }
}
