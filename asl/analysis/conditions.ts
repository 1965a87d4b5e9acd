/** The Conditions of a JSONata Choice. */
import type { Context } from "./context";
import { choiceRules, isFields } from "./definition";
import { assuming, evaluate, type Environment } from "./evaluate";
import { expressionIn } from "./expressions";
import type { Node } from "./graph";
import type { Ast } from "./jsonata";
import type { Value } from "./values";
import type { Overrides, Variables } from "./variables";

/** The syntax tree of an expression, where the value is one. */
export function treeOf(context: Context, value: unknown): Ast | undefined {
    const code = expressionIn(value);
    return code === undefined ? undefined : context.expressions.parse(code).ast;
}

/** The environment of each rule: the rules before it did not match. */
export function ruleEnvironments(
    context: Context,
    variables: Variables,
    node: Node,
    overrides?: Overrides,
): readonly Environment[] {
    let environment = variables.environment(node, "choice", overrides);
    const found: Environment[] = [];
    for (const rule of choiceRules(node.fields)) {
        found.push(environment);
        const ast = isFields(rule) ? treeOf(context, rule.Condition) : undefined;
        environment = ast === undefined ? environment : assuming(ast, false, environment);
    }
    return found;
}

/** What a JSONata rule's Condition may be; undefined where it is no expression. */
export function conditionValue(context: Context, rule: unknown, environment: Environment): Value | undefined {
    const ast = isFields(rule) ? treeOf(context, rule.Condition) : undefined;
    return ast === undefined ? undefined : evaluate(ast, environment).value;
}
