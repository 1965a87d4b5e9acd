/**
 * Expressions whose failure nothing catches: those of Choice, Wait, Pass, Succeed and Fail, and of catchers. They are proven total by
 * abstract evaluation; what cannot be proven is reported, since States.QueryEvaluationError there ends the execution in silence.
 */
import type { Context } from "./context";
import { assuming, evaluate, truthOf, type Environment } from "./evaluate";
import { describeSteps } from "./findings";
import { catchesAll, isFields, type Node } from "./graph";
import { show } from "./structure";
import { kinds, only, type Value } from "./values";
import type { Variables } from "./variables";
import { expressionIn, expressionsOf } from "./walk";
import { lastStep, type Ways } from "./ways";

export function checkTotality(context: Context, ways: Ways, variables: Variables): void {
    for (const node of context.graph.nodes) {
        if (node.language === "JSONata") {
            expressions(context, ways, variables, node);
        }
        if (
            node.type === "Choice" &&
            typeof node.fields.Default !== "string" &&
            !alwaysMatches(context, variables, node)
        ) {
            const steps = [...ways.to(node), lastStep(node, "error", "States.Runtime")];
            context.report.add({
                rule: "choice-without-default",
                path: node.path,
                state: node.name,
                message:
                    "No rule need match, and there is no Default: add one, if only to a Fail that says what was unexpected.",
                counterExample: steps,
                counterExampleText: describeSteps(steps, "no rule matches, the execution FAILS, and no Catch sees it"),
            });
        }
    }
}

/** The environment of each rule: the rules before it did not match. */
export function ruleEnvironments(
    context: Context,
    variables: Variables,
    node: Node,
    overrides?: ReadonlyMap<string, Value>,
): Environment[] {
    let environment = variables.environment(node, "choice", overrides);
    const found: Environment[] = [];
    for (const rule of Array.isArray(node.fields.Choices) ? (node.fields.Choices as unknown[]) : []) {
        found.push(environment);
        const code = isFields(rule) ? expressionIn(rule.Condition) : undefined;
        const ast = code === undefined ? undefined : context.expressions.parse(code).ast;
        if (ast !== undefined) {
            environment = assuming(ast, false, environment);
        }
    }
    return found;
}

/** What a JSONata rule's Condition may be. */
export function conditionValue(context: Context, rule: unknown, environment: Environment): Value | undefined {
    const code = isFields(rule) ? expressionIn(rule.Condition) : undefined;
    const ast = code === undefined ? undefined : context.expressions.parse(code).ast;
    return ast === undefined ? undefined : evaluate(ast, environment).value;
}

function alwaysMatches(context: Context, variables: Variables, node: Node): boolean {
    if (!Array.isArray(node.fields.Choices) || node.language !== "JSONata") {
        return false;
    }
    const environments = ruleEnvironments(context, variables, node);
    return node.fields.Choices.some((rule: unknown, index) => {
        if (isFields(rule) && rule.Condition === true) {
            return true;
        }
        const value = conditionValue(context, rule, environments[index]);
        return value !== undefined && only(value, "boolean") && !truthOf(value).mayBeFalse;
    });
}

const uncatchable = new Set(["Choice", "Wait", "Pass", "Succeed", "Fail"]);

function expressions(context: Context, ways: Ways, variables: Variables, node: Node): void {
    const always = node.type !== undefined && uncatchable.has(node.type);
    const found = expressionsOf(node).filter((expression) => always || expression.role === "catch");
    if (found.length === 0) {
        return;
    }
    const rules = node.type === "Choice" ? ruleEnvironments(context, variables, node) : [];
    for (const expression of found) {
        const ast = context.expressions.parse(expression.code).ast;
        if (ast === undefined) {
            continue;
        }
        let environment =
            expression.role === "choice" ? rules[expression.index!] : variables.environment(node, expression.role);
        if (expression.role === "choice" && expression.field !== "Condition") {
            const code = expressionIn(expression.holder.Condition);
            const condition = code === undefined ? undefined : context.expressions.parse(code).ast;
            environment = condition === undefined ? environment : assuming(condition, true, environment);
        }
        const { value, risks } = evaluate(ast, environment);
        const reasons = [...risks];
        const wanted = wantedOf(expression.field);
        if (value.missing) {
            reasons.push("it may have no value");
        }
        if (wanted !== undefined && !only({ ...value, missing: false }, wanted.kind)) {
            reasons.push(
                `it may be ${kinds(value)
                    .filter((kind) => kind !== wanted.kind && kind !== "missing")
                    .join(" or ")}, expected ${wanted.words}`,
            );
        } else if (
            expression.field === "Seconds" &&
            value.number !== undefined &&
            (value.number.lo < 0 || value.number.hi > 99_999_999)
        ) {
            reasons.push(
                `it may be ${value.number.lo < 0 ? "negative" : "more than 99,999,999"}: bound it by $max and $min`,
            );
        }
        if (reasons.length === 0) {
            continue;
        }
        const steps = [...ways.to(node), lastStep(node, "error", "States.QueryEvaluationError")];
        context.report.add({
            rule: "expression-may-fail",
            path: `${node.path}/${expression.path}`,
            state: node.name,
            message:
                `${show(expression.code.trim())} may fail, and nothing catches that ${expression.role === "catch" ? "in a catcher" : `in a ${node.type}`}: ` +
                `${reasons.slice(0, 3).join("; ")}.`,
            counterExample: steps,
            counterExampleText: describeSteps(steps, outcomeOf(node)),
        });
    }
}

/** Inside a branch the error ends the branch, and the Parallel or Map around it may catch that. */
function outcomeOf(node: Node): string {
    for (let { owner } = node.scope; owner !== undefined; owner = owner.scope.owner) {
        if (catchesAll(owner.fields)) {
            return `everything inside "${owner.name}" FAILS with States.QueryEvaluationError, a fault of the definition`;
        }
    }
    return "the execution FAILS with States.QueryEvaluationError, and no Catch sees it";
}

function wantedOf(field: string): { readonly kind: "boolean" | "text" | "number"; readonly words: string } | undefined {
    switch (field) {
        case "Condition":
            return { kind: "boolean", words: "true or false" };
        case "Error":
        case "Cause":
        case "Timestamp":
            return { kind: "text", words: "a text" };
        case "Seconds":
            return { kind: "number", words: "a number of seconds" };
        default:
            return undefined;
    }
}
