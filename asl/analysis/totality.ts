/**
 * Expressions whose failure nothing catches, or makes a failure silent: those of Choice, Wait, Pass, Succeed and Fail,
 * those of catchers, and those of the message that tells of a failure. They are proven total by abstract evaluation; what
 * cannot be proven is reported: States.QueryEvaluationError there ends the execution, or the notification, in silence.
 */
import { conditionValue, ruleEnvironments, treeOf } from "./conditions";
import type { Context } from "./context";
import { catchers, choiceRules, isFields } from "./definition";
import { takes } from "./errors";
import { assuming, BUILT_INS, evaluate, truthOf, type Environment } from "./evaluate";
import { expressionsOf, type Expression } from "./expressions";
import { describeSteps } from "./findings";
import type { Node } from "./graph";
import type { Ast } from "./jsonata";
import { failureCode, notifies } from "./notification";
import { variablesIn } from "./reads";
import { show } from "./structure";
import { kinds, only, type Kind } from "./values";
import type { Variables } from "./variables";
import { lastStep, type Ways } from "./ways";

export function checkTotality(context: Context, ways: Ways, variables: Variables): void {
    for (const node of context.graph.nodes) {
        if (node.language === "JSONata") {
            expressions(context, ways, variables, node);
        }
        const needsDefault = node.type === "Choice" && typeof node.fields.Default !== "string";
        if (needsDefault && !alwaysMatches(context, variables, node)) {
            const steps = [...ways.to(node), lastStep(node, "error", "States.Runtime")];
            context.report.add({
                rule: "choice-without-default",
                path: node.path,
                state: node.name,
                message:
                    "No rule need match, and there is no Default: " +
                    "add one, if only to a Fail that says what was unexpected.",
                counterExample: steps,
                counterExampleText: describeSteps(steps, "no rule matches, the execution FAILS, and no Catch sees it"),
            });
        }
    }
}

function alwaysMatches(context: Context, variables: Variables, node: Node): boolean {
    if (node.language !== "JSONata") {
        return false;
    }
    const environments = ruleEnvironments(context, variables, node);
    return choiceRules(node.fields).some((rule, index) => {
        if (isFields(rule) && rule.Condition === true) {
            return true;
        }
        const environment = environments[index];
        const value = environment === undefined ? undefined : conditionValue(context, rule, environment);
        return value !== undefined && only(value, "boolean") && !truthOf(value).mayBeFalse;
    });
}

const UNCATCHABLE = new Set(["Choice", "Wait", "Pass", "Succeed", "Fail"]);

function expressions(context: Context, ways: Ways, variables: Variables, node: Node): void {
    const isUncatchable = node.type !== undefined && UNCATCHABLE.has(node.type);
    const isTelling = notifies(node, context.settings.notification) && failureCode(node.scope)[node.index] === 1;
    const found = expressionsOf(node).filter(
        ({ field, role }) => isUncatchable || role === "catch" || (isTelling && field === "Arguments"),
    );
    const rules = node.type === "Choice" && found.length > 0 ? ruleEnvironments(context, variables, node) : [];
    for (const expression of found) {
        const ast = context.expressions.parse(expression.code).ast;
        const environment = environmentOf(context, variables, node, expression, rules);
        const isJudged = ast !== undefined && !readsUnknown(context, ast);
        const reasons = isJudged ? whyNotTotal(ast, environment, expression) : [];
        if (reasons.length > 0) {
            const steps = [...ways.to(node), lastStep(node, "error", "States.QueryEvaluationError")];
            const why = reasons.slice(0, 3).join("; ");
            context.report.add({
                rule: "expression-may-fail",
                path: `${node.path}/${expression.path}`,
                state: node.name,
                message: `${show(expression.code.trim())} may fail, ${whatThen(node, expression)}: ${why}.`,
                counterExample: steps,
                counterExampleText: describeSteps(steps, outcomeOf(node, expression)),
            });
        }
    }
}

/** A variable that no state assigns is a finding of its own, and says why the expression fails. */
const readsUnknown = (context: Context, ast: Ast): boolean =>
    [...variablesIn(ast).read].some((name) => !context.assigned.has(name) && !BUILT_INS.has(name));

const isMessage = (node: Node, { role }: Expression): boolean => node.type === "Task" && role === "state";

function whatThen(node: Node, expression: Expression): string {
    if (isMessage(node, expression)) {
        return "and then this message is not sent";
    }
    return `and nothing catches that in a ${expression.role === "catch" ? "catcher" : node.type}`;
}

function environmentOf(
    context: Context,
    variables: Variables,
    node: Node,
    expression: Expression,
    rules: readonly Environment[],
): Environment {
    const before = expression.role === "choice" ? rules[expression.index ?? 0] : undefined;
    const environment = before ?? variables.environment(node, expression.role);
    if (before === undefined || expression.field === "Condition") {
        return environment;
    }
    // What a rule assigns and puts out is evaluated where its Condition was true.
    const condition = treeOf(context, expression.holder.Condition);
    return condition === undefined ? environment : assuming(condition, true, environment);
}

const LONGEST_WAIT = 99_999_999;

function whyNotTotal(ast: Ast, environment: Environment, { field }: Expression): string[] {
    const { value, risks } = evaluate(ast, environment);
    const reasons = [...risks];
    const wanted = WANTED[field];
    if (value.missing) {
        reasons.push("it may have no value");
    }
    if (wanted !== undefined && !only(value, wanted.kind, "missing")) {
        const found = kinds(value).filter((kind) => kind !== wanted.kind && kind !== "missing");
        reasons.push(`it may be ${found.join(" or ")}, expected ${wanted.words}`);
    } else if (field === "Seconds" && value.number !== undefined) {
        const { lo, hi } = value.number;
        if (lo < 0 || hi > LONGEST_WAIT) {
            const what = lo < 0 ? "negative" : `more than ${LONGEST_WAIT.toLocaleString("en")}`;
            reasons.push(`it may be ${what}: bound it by $max and $min`);
        }
    }
    return reasons;
}

/** Inside a branch the error ends the branch, and the Parallel or Map around it may catch that. */
function outcomeOf(node: Node, expression: Expression): string {
    if (isMessage(node, expression)) {
        return "the message is not sent, and nobody is told";
    }
    for (let { owner } = node.scope; owner !== undefined; owner = owner.scope.owner) {
        if (catchers(owner.fields).some(({ errors }) => takes(errors, "States.QueryEvaluationError"))) {
            return (
                `everything inside "${owner.name}" FAILS with States.QueryEvaluationError, ` +
                "a fault of the definition"
            );
        }
    }
    return "the execution FAILS with States.QueryEvaluationError, and no Catch sees it";
}

interface Wanted {
    readonly kind: Kind;
    readonly words: string;
}

const TEXT: Wanted = { kind: "text", words: "a text" };

/** What the value of a field must be. */
const WANTED: { readonly [field: string]: Wanted | undefined } = {
    Condition: { kind: "boolean", words: "true or false" },
    Error: TEXT,
    Cause: TEXT,
    Timestamp: TEXT,
    Seconds: { kind: "number", words: "a number of seconds" },
};
