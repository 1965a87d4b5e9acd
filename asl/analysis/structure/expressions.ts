/** JSONata: expressions parse, are delimited, and read only what AWS hands them. */
import { calledName, childrenOf, type Ast, type PathAst } from "../jsonata";
import type { Context } from "../context";
import { BUILT_INS } from "../evaluate";
import type { Node } from "../graph";
import { isReplaced } from "../placeholders";
import { expressionsOf, leaves, type Expression, type Leaf } from "../expressions";
import { joinPath, nearest, show, type Place } from "./report";

/** Fields whose texts are expressions where they begin with "{%". */
const EXPRESSION_FIELDS = ["Arguments", "Output", "Assign", "Condition", "Error", "Cause", "Items", "ItemSelector"];

export function checkExpressions(context: Context, place: Place, node: Node): void {
    for (const expression of expressionsOf(node)) {
        const parsed = context.expressions.parse(expression.code);
        if (parsed.ast !== undefined) {
            checkReads(context, place, node, expression, parsed.ast);
        } else if (!isReplaced(expression.code)) {
            place.add("jsonata-syntax", expression.path, `${show(expression.code.trim())}: ${parsed.error}`);
        }
    }
    for (const field of EXPRESSION_FIELDS) {
        const value = node.fields[field];
        if (value !== undefined) {
            leaves(value).forEach((leaf) => checkLeaf(place, field, leaf));
        }
    }
}

function checkLeaf(place: Place, field: string, { key, path, value }: Leaf): void {
    if (typeof value === "string" && value.startsWith("{%") !== value.endsWith("%}")) {
        place.add(
            "jsonata-syntax",
            joinPath(field, path),
            `${show(value)} begins or ends an expression, but not both: ` +
                'an expression is "{% ... %}" with nothing around it.',
        );
    }
    if (key.endsWith(".$")) {
        place.add(
            "query-language",
            joinPath(field, path),
            `The field "${key}" is written as in JSONPath, and in JSONata its name is just that: ` +
                'the value itself is an expression, "{% ... %}".',
            { severity: "warning", consequence: "advice" },
        );
    }
}

/** What AWS refuses to evaluate: names that nothing stands for. */
function checkReads(context: Context, place: Place, node: Node, expression: Expression, ast: Ast): void {
    const found = new Reads(ast);
    for (const name of found.bare) {
        place.add(
            "jsonata-reference",
            expression.path,
            `"${name}" is a bare name, and an expression has no context in which to look it up: ` +
                `write $states.input.${name} for the state's input, or $${name} for a variable.`,
        );
    }
    if (found.readsRoot) {
        place.add("jsonata-reference", expression.path, '"$$" has no value here: begin with $states or a variable.');
    }
    if (found.readsErrorOutput && expression.role !== "catch") {
        place.add(
            "jsonata-reference",
            expression.path,
            "$states.errorOutput exists in a catcher's Output and Assign only: assign it to a variable there.",
        );
    }
    for (const name of found.called) {
        if (!BUILT_INS.has(name) && !context.assigned.has(name)) {
            const instead = name === "eval" ? "$parse" : `$${nearest(name, [...BUILT_INS.keys()])}`;
            place.add(
                "jsonata-function",
                expression.path,
                `There is no function $${name.slice(0, 80)} in Step Functions' JSONata; the nearest is ${instead}.`,
            );
        }
    }
}

/** The names that an expression reads and calls from outside. */
class Reads {
    /** Names at the top level, where no context is. */
    readonly bare = new Set<string>();
    readonly called = new Set<string>();
    readsRoot = false;
    readsErrorOutput = false;

    constructor(top: Ast) {
        const bound = new Set<string>();
        const work: { readonly ast: Ast; readonly hasContext: boolean }[] = [{ ast: top, hasContext: false }];
        for (let item = work.pop(); item !== undefined; item = work.pop()) {
            const { ast, hasContext } = item;
            this.note(ast, bound);
            work.push(...inside(ast, hasContext, this.bare));
        }
        bound.forEach((name) => this.called.delete(name));
    }

    private note(ast: Ast, bound: Set<string>): void {
        const name = calledName(ast);
        if (name !== undefined) {
            this.called.add(name);
        } else if (ast.type === "variable" && ast.value === "$") {
            this.readsRoot = true;
        } else if (ast.type === "path") {
            this.readsErrorOutput ||= isErrorOutput(ast);
        } else if (ast.type === "bind") {
            bound.add(ast.lhs.value);
        } else if (ast.type === "lambda") {
            ast.arguments.forEach((parameter) => bound.add(parameter.value));
        }
    }
}

function isErrorOutput({ steps }: PathAst): boolean {
    const [first, second] = steps;
    return (
        first?.type === "variable" &&
        first.value === "states" &&
        second?.type === "name" &&
        second.value === "errorOutput"
    );
}

interface Inside {
    readonly ast: Ast;
    readonly hasContext: boolean;
}

/**
 * The nodes inside a node, each with whether a context is there: behind the first step of a path, in a predicate, in a
 * group, in a transform, and in the body of a function, whose caller may have one.
 */
function inside(ast: Ast, hasContext: boolean, bare: Set<string>): Inside[] {
    if (ast.type === "lambda" && ast.thunk !== true) {
        return [{ ast: ast.body, hasContext: true }];
    }
    if (ast.type === "transform") {
        return childrenOf(ast).map((child) => ({ ast: child, hasContext: true }));
    }
    if (ast.type !== "path") {
        return childrenOf(ast).map((child) => ({ ast: child, hasContext: hasContext || isDecoration(ast, child) }));
    }
    const [first, ...rest] = ast.steps;
    const found: Inside[] = rest.map((step) => ({ ast: step, hasContext: true }));
    if (first?.type === "name" && !hasContext) {
        bare.add(first.value);
    }
    if (first !== undefined) {
        found.push({ ast: first, hasContext });
    }
    for (const [key, value] of ast.group?.lhs ?? []) {
        found.push({ ast: key, hasContext: true }, { ast: value, hasContext: true });
    }
    return found;
}

/** Does the child stand in a predicate, a stage or a group of the node? These are evaluated with items as context. */
function isDecoration(ast: Ast, child: Ast): boolean {
    const stages = [...(ast.predicate ?? []), ...(ast.stages ?? [])];
    return (
        stages.some((stage) => stage.expr === child) ||
        ast.group?.lhs.some(([key, value]) => key === child || value === child) === true
    );
}
