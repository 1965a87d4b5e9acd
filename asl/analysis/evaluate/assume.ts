/** What follows from a condition that is known to be true, or known to be false. */
import { unwrapped, type Ast, type BinaryAst, type CallAst } from "../jsonata";
import { elementOf, isNothing, missing, nothing, present, type NumberRange, type TextSet, type Value } from "../values";
import { pathKey, type Environment, type Evaluation } from "./environment";

/** The environment in which the condition is known to be true, or known to be false. */
export function assume(evaluation: Evaluation, given: Ast, holds: boolean, environment: Environment): Environment {
    const condition = unwrapped(given);
    if (condition.type === "binary") {
        return assumeBinary(evaluation, condition, holds, environment);
    }
    if (condition.type === "function") {
        return assumeCall(evaluation, condition, holds, environment);
    }
    return holds ? settle(evaluation, condition, environment, truthy) : environment;
}

/** Narrows what is known of a variable or of a path of plain names; of anything else nothing is remembered. */
function settle(
    evaluation: Evaluation,
    ast: Ast,
    environment: Environment,
    narrow: (value: Value) => Value,
): Environment {
    const key = pathKey(ast);
    if (key === undefined) {
        return environment;
    }
    const before = environment.facts.get(key) ?? evaluation.quietly(ast, environment);
    return { ...environment, facts: new Map([...environment.facts, [key, narrow(before)]]) };
}

function assumeBinary(evaluation: Evaluation, ast: BinaryAst, holds: boolean, environment: Environment): Environment {
    const { lhs, rhs, value: operator } = ast;
    if ((operator === "and" && holds) || (operator === "or" && !holds)) {
        return assume(evaluation, rhs, holds, assume(evaluation, lhs, holds, environment));
    }
    if (!holds) {
        return environment;
    }
    switch (operator) {
        case "=":
            return assumeEqual(evaluation, lhs, rhs, environment);
        case "in": {
            const right = evaluation.quietly(rhs, environment);
            const element = right.array === undefined ? right : elementOf(right.array);
            return settle(evaluation, lhs, environment, (value) => intersect(present(value), element));
        }
        case "<":
        case "<=":
            return assumeOrdered(evaluation, lhs, rhs, environment);
        case ">":
        case ">=":
            return assumeOrdered(evaluation, rhs, lhs, environment);
        default:
            return environment;
    }
}

function assumeEqual(evaluation: Evaluation, lhs: Ast, rhs: Ast, environment: Environment): Environment {
    const type = typeTest(lhs, rhs) ?? typeTest(rhs, lhs);
    if (type !== undefined) {
        return settle(evaluation, type.of, environment, (value) => ofType(value, type.name));
    }
    const left = evaluation.quietly(lhs, environment);
    const right = evaluation.quietly(rhs, environment);
    const first = settle(evaluation, lhs, environment, (value) => intersect(present(value), right));
    return settle(evaluation, rhs, first, (value) => intersect(present(value), left));
}

/** less < more, or less <= more. */
function assumeOrdered(evaluation: Evaluation, less: Ast, more: Ast, environment: Environment): Environment {
    const most = evaluation.quietly(more, environment).number?.hi ?? Infinity;
    const least = evaluation.quietly(less, environment).number?.lo ?? -Infinity;
    const first = settle(evaluation, less, environment, (value) => between(value, -Infinity, most));
    return settle(evaluation, more, first, (value) => between(value, least, Infinity));
}

/** What was compared is a number or a text. */
function between({ number, text }: Value, lo: number, hi: number): Value {
    const range: NumberRange | undefined =
        number === undefined ? undefined : { lo: Math.max(number.lo, lo), hi: Math.min(number.hi, hi) };
    return { ...nothing, text, number: range };
}

function assumeCall(evaluation: Evaluation, ast: CallAst, holds: boolean, environment: Environment): Environment {
    const { procedure } = ast;
    const [argument] = ast.arguments;
    if (procedure.type !== "variable" || environment.locals.has(procedure.value) || argument === undefined) {
        return environment;
    }
    switch (procedure.value) {
        case "exists":
            return settle(evaluation, argument, environment, (value) => (holds ? present(value) : missing));
        case "not":
            return assume(evaluation, argument, !holds, environment);
        case "boolean":
            return assume(evaluation, argument, holds, environment);
        default:
            return environment;
    }
}

/** `$type(x) = "name"`. */
function typeTest(call: Ast, name: Ast): { readonly of: Ast; readonly name: string } | undefined {
    if (call.type !== "function" || name.type !== "string") {
        return undefined;
    }
    const { procedure } = call;
    const [of] = call.arguments;
    return procedure.type !== "variable" || procedure.value !== "type" || of === undefined
        ? undefined
        : { of, name: name.value };
}

function ofType(value: Value, name: string): Value {
    switch (name) {
        case "null":
            return { ...nothing, null: value.null };
        case "number":
            return { ...nothing, number: value.number };
        case "string":
            return { ...nothing, text: value.text };
        case "boolean":
            return { ...nothing, true: value.true, false: value.false };
        case "array":
            return { ...nothing, array: value.array };
        case "object":
            return { ...nothing, object: value.object };
        case "function":
            return { ...nothing, function: value.function };
        default:
            return value;
    }
}

/** What is left of a value that counted as true. */
function truthy(value: Value): Value {
    const { text } = value;
    const filled: TextSet | undefined =
        text === undefined || text.max === 0
            ? undefined
            : { ...text, min: Math.max(1, text.min), values: text.values?.filter((item) => item !== "") };
    return { ...present(value), null: false, false: false, text: filled };
}

/** Values that are in the first set and may be in the second. */
function intersect(value: Value, other: Value): Value {
    const result: Value = {
        missing: value.missing && other.missing,
        null: value.null && other.null,
        true: value.true && other.true,
        false: value.false && other.false,
        function: value.function && other.function,
        number: commonNumbers(value.number, other.number),
        text: commonTexts(value.text, other.text),
        array: other.array === undefined ? undefined : value.array,
        object: other.object === undefined ? undefined : value.object,
    };
    // An empty intersection means code that is never reached; the wider set is safe there.
    const isEmpty = isNothing(result) || (result.number !== undefined && result.number.lo > result.number.hi);
    return isEmpty ? value : result;
}

function commonNumbers(a: NumberRange | undefined, b: NumberRange | undefined): NumberRange | undefined {
    return a === undefined || b === undefined ? undefined : { lo: Math.max(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
}

function commonTexts(a: TextSet | undefined, b: TextSet | undefined): TextSet | undefined {
    if (a === undefined || b === undefined) {
        return undefined;
    }
    return b.values === undefined ? a : b;
}
