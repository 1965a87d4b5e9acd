/** What an expression is evaluated in, and what the parts of the evaluator know of each other. */
import type { Ast, LambdaAst } from "../jsonata";
import type { Value } from "../values";

export interface Environment {
    /** A variable's possible values; `undefined` when nothing is known of such a variable: then it has no value. */
    readonly variables: (name: string) => Value | undefined;
    /** What a condition around the expression has settled, by the source form of a path such as `$x.a`. */
    readonly facts: ReadonlyMap<string, Value>;
    readonly locals: ReadonlyMap<string, Local>;
    /** The context `$`. */
    readonly focus: Value;
}

/** A function with the environment in which it was written. */
export interface Closure {
    readonly lambda: LambdaAst;
    readonly environment: Environment;
}

/** What a name that an expression binds itself stands for. */
export type Local = Value | Closure;

export const isClosure = (local: Local): local is Closure => "lambda" in local;

/** An evaluation under way, as its parts see it. */
export interface Evaluation {
    run(ast: Ast, environment: Environment): Value;
    /** The same, without its risks. */
    quietly(ast: Ast, environment: Environment): Value;
    /** The same for a predicate that reads nothing but the item: it says the same every time. */
    judged(predicate: Ast, item: Value, environment: Environment): Value;
    /** Tells why the evaluation may fail. */
    risk(reason: string): void;
}

/** The source form of a variable or of a path of plain names, and undefined for anything else. */
export function pathKey(ast: Ast): string | undefined {
    if (ast.type === "variable" && ast.predicate === undefined && ast.group === undefined) {
        return `$${ast.value}`;
    }
    return ast.type === "path" && ast.group === undefined && ast.keepSingletonArray !== true
        ? stepsKey(ast.steps)
        : undefined;
}

/** The source form of the first steps of a path. */
export function stepsKey(steps: readonly Ast[]): string | undefined {
    const parts: string[] = [];
    for (const step of steps) {
        if ((step.type !== "name" && step.type !== "variable") || isDecorated(step)) {
            return undefined;
        }
        parts.push(step.type === "variable" ? `$${step.value}` : JSON.stringify(step.value));
    }
    return parts.join(".");
}

const isDecorated = (step: Ast): boolean =>
    step.stages !== undefined ||
    step.predicate !== undefined ||
    step.focus !== undefined ||
    step.tuple === true ||
    step.group !== undefined;

/** What is settled without what concerns names that are bound anew. */
export function factsBut(facts: ReadonlyMap<string, Value>, names: readonly string[]): ReadonlyMap<string, Value> {
    const isHidden = (key: string): boolean => names.some((name) => key === `$${name}` || key.startsWith(`$${name}.`));
    return facts.size === 0 ? facts : new Map([...facts].filter(([key]) => !isHidden(key)));
}
