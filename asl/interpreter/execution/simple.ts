/** The states that do no work of their own: Pass, Succeed, Fail, Choice. */
import { ExpressionError, fill, render, typeName, type PayloadTemplate, type Scope } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { CompiledRule, Dynamic } from "../compile/compiled";
import { StateFailure } from "../failure";
import { then } from "../then";
import { badField, prefix, valueOf } from "./failures";
import type { Frame, Outcome } from "./frame";
import { assigned, exit, finishJsonata, finishPath, inputPath, outputPath } from "./leave";
import { scopeOf, scopeWith } from "./scope";

export function pass(frame: Frame): Outcome | Promise<Outcome> {
    const { state } = frame;
    if (state.jsonata) {
        return finishJsonata(frame, frame.input);
    }
    const input = inputPath(frame);
    if (state.result !== undefined) {
        return finishPath(frame, state.result);
    }
    const { payload } = state;
    return finishPath(frame, payload === undefined ? input : fill(payload as PayloadTemplate, scopeWith(frame, input)));
}

export function succeed(frame: Frame): Outcome | Promise<Outcome> {
    if (frame.state.jsonata) {
        return finishJsonata(frame, frame.input);
    }
    return exit(frame, outputPath(frame, inputPath(frame)), undefined, undefined);
}

/** @throws the failure that the state stands for. */
export function fail(frame: Frame): never | Promise<never> {
    const { state } = frame;
    const scope = scopeOf(frame);
    return then(failText(frame, state.error, scope), (error) =>
        then(failText(frame, state.cause, scope), (cause) => {
            throw new StateFailure(error, cause);
        }),
    );
}

function failText(
    frame: Frame,
    field: Dynamic | undefined,
    scope: Scope,
): string | undefined | Promise<string | undefined> {
    if (field === undefined) {
        return undefined;
    }
    return then(valueOf(field, scope), (value) => {
        if (typeof value === "string") {
            return value;
        }
        const said = JSON.stringify(value);
        const message = `The ${field.field} field refers to value ${said} which is not a string: ${field.text}`;
        throw badField(frame, field, "string", value, message);
    });
}

export function choice(frame: Frame): Outcome | Promise<Outcome> {
    if (frame.state.jsonata) {
        return choiceJsonata(frame, scopeOf(frame), 0);
    }
    const { state } = frame;
    const input = inputPath(frame);
    const scope = scopeWith(frame, input);
    const rule = state.rules.find((candidate) => candidate.comparison?.(scope) === true);
    const next = rule?.next ?? state.fallback ?? noChoice(frame);
    const variables = assigned((rule ?? state).assign, scope) as JsonObject | undefined;
    return exit(frame, outputPath(frame, input), variables, next);
}

/** The rules from the given one on. */
function choiceJsonata(frame: Frame, scope: Scope, index: number): Outcome | Promise<Outcome> {
    const { state } = frame;
    const rule = state.rules[index];
    if (rule === undefined) {
        return leaveChoice(frame, state, scope, state.fallback ?? noChoice(frame));
    }
    return then(render(rule.condition ?? { constant: null }, scope), (value) =>
        isTrue(value, index) ? leaveChoice(frame, rule, scope, rule.next) : choiceJsonata(frame, scope, index + 1),
    );
}

/** @throws an ExpressionError for a condition that is neither true nor false. */
function isTrue(condition: JsonValue, index: number): boolean {
    if (typeof condition === "boolean") {
        return condition;
    }
    const field = `Choices[${index}]/Condition`;
    throw new ExpressionError(
        "JSONata",
        field,
        `The JSONata expression specified for the field '${field}' returned an unexpected result type.` +
            ` Expected 'boolean', but was '${typeName(condition)}' for value: ${JSON.stringify(condition)}`,
    );
}

function leaveChoice(
    frame: Frame,
    { output, assign }: Pick<CompiledRule, "output" | "assign">,
    scope: Scope,
    next: CompiledRule["next"],
): Outcome | Promise<Outcome> {
    return then(output === undefined ? frame.input : render(output, scope), (value) =>
        then(assigned(assign, scope), (variables) => exit(frame, value, variables, next)),
    );
}

function noChoice(frame: Frame): never {
    throw new StateFailure(
        frame.thread.run.readings.noChoiceMatched,
        `${prefix(frame)} Failed to transition out of the state. The state does not point to a next state.`,
    );
}
