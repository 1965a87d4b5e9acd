/** The stages as they are deployed: evaluated from the program, not from fixtures. */
import { compile } from "../asl/interpreter";
import type { StateMachineDefinition } from "../asl/types";
import { evaluateStage } from "../project/evaluate";
import type { StageSettings } from "../workflow/contract";
import { tasksOf, type Subject } from "./faultSweep";

const evaluated = new Map<string, Promise<StateMachineDefinition>>();

export function deployedDefinition(stage: string): Promise<StateMachineDefinition> {
    const known = evaluated.get(stage) ?? evaluateStage(stage).then(({ stateMachine }) => stateMachine.definition);
    evaluated.set(stage, known);
    return known;
}

/** The settings that the definition gives to its Setup. */
export function settingsOf(definition: StateMachineDefinition): StageSettings {
    const setup = definition.States["Setup Statemachine"] as unknown as {
        Arguments: { Payload: { settings: StageSettings } };
    };
    return setup.Arguments.Payload.settings;
}

export async function deployedSubject(stage: string): Promise<Subject> {
    const definition = await deployedDefinition(stage);
    return {
        label: stage,
        settings: settingsOf(definition),
        machine: compile(definition),
        timeoutSeconds: definition.TimeoutSeconds!,
        tasks: tasksOf(definition),
    };
}
