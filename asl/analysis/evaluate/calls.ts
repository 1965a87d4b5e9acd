/**
 * Calls: of functions that the expression defines, of built-in ones, and of those that apply a function to each item.
 */
import type { ApplyAst, Ast, LambdaAst } from "../jsonata";
import {
    anyJson,
    anything,
    arrayOf,
    missing,
    numberValue,
    object,
    orMissing,
    present,
    textValue,
    type Value,
} from "../values";
import { BUILT_INS, type BuiltIn } from "./builtIns";
import { checkArguments } from "./builtIns/signature";
import { factsBut, isClosure, type Closure, type Environment, type Evaluation, type Local } from "./environment";
import { allOf, anySequence, itemsOf, joined, sequence, sequenceOfResults, type Items } from "./sequences";
import { truthOf } from "./truth";

/** `a ~> f`, `a ~> f(b)`. */
export function apply(evaluation: Evaluation, ast: ApplyAst, environment: Environment): Value {
    const { lhs, rhs } = ast;
    if (rhs.type === "function") {
        return invoke(evaluation, rhs.procedure, [lhs, ...rhs.arguments], environment);
    }
    if (rhs.type === "variable" || rhs.type === "lambda") {
        return invoke(evaluation, rhs, [lhs], environment);
    }
    evaluation.run(lhs, environment);
    evaluation.risk('the right side of "~>" is not judged');
    return anything;
}

export function invoke(evaluation: Evaluation, procedure: Ast, trees: readonly Ast[], environment: Environment): Value {
    const given = (): Local[] => trees.map((tree) => argument(evaluation, tree, environment));
    if (procedure.type === "lambda") {
        return callClosure(evaluation, { lambda: procedure, environment }, given());
    }
    if (procedure.type !== "variable") {
        evaluation.risk("a computed function is called");
        return anything;
    }
    const name = procedure.value;
    const local = environment.locals.get(name);
    if (local !== undefined) {
        if (isClosure(local)) {
            return callClosure(evaluation, local, given());
        }
        evaluation.risk(`$${name} may be no function`);
        return anything;
    }
    const builtIn = BUILT_INS.get(name);
    if (builtIn === undefined) {
        evaluation.risk(`there is no function $${name}`);
        return anything;
    }
    const applies = HIGHER_ORDER.get(name);
    const [subject, callee] = trees;
    if (applies !== undefined && subject !== undefined && callee !== undefined) {
        return applies(evaluation.run(subject, environment), new Callee(evaluation, name, callee, environment));
    }
    return callBuiltIn(evaluation, name, builtIn, trees, environment);
}

function argument(evaluation: Evaluation, tree: Ast, environment: Environment): Local {
    return tree.type === "lambda" ? { lambda: tree, environment } : evaluation.run(tree, environment);
}

function callClosure(evaluation: Evaluation, closure: Closure, given: readonly Local[]): Value {
    const { environment, lambda } = closure;
    const names = parameters(lambda);
    const locals = new Map(environment.locals);
    names.forEach((name, index) => locals.set(name, given[index] ?? missing));
    return evaluation.run(lambda.body, { ...environment, locals, facts: factsBut(environment.facts, names) });
}

const parameters = (lambda: LambdaAst): string[] => lambda.arguments.map((parameter) => parameter.value);

function callBuiltIn(
    evaluation: Evaluation,
    name: string,
    builtIn: BuiltIn,
    trees: readonly Ast[],
    environment: Environment,
): Value {
    const values = trees.map((tree) => evaluation.run(tree, environment));
    const risk = (reason: string): void => evaluation.risk(reason);
    if (!checkArguments(name, builtIn, values, risk)) {
        return anything;
    }
    const result = builtIn.result(values, risk);
    const [first] = values;
    return builtIn.missingFine === true && first?.missing === true ? orMissing(result) : result;
}

/** The function that a higher-order one applies to each item. */
class Callee {
    private readonly local: Local;
    private readonly builtIn: BuiltIn | undefined;

    constructor(
        private readonly evaluation: Evaluation,
        readonly name: string,
        tree: Ast,
        environment: Environment,
    ) {
        this.local = argument(evaluation, tree, environment);
        this.builtIn = tree.type === "variable" ? BUILT_INS.get(tree.value) : undefined;
    }

    /** What it gives for one item, with what else it is handed. */
    of(item: Value, ...more: readonly Value[]): Value {
        if (isClosure(this.local)) {
            return callClosure(this.evaluation, this.local, [item, ...more]);
        }
        if (this.builtIn !== undefined && this.builtIn.least <= 1) {
            return this.builtIn.result([item], (reason) => this.evaluation.risk(reason));
        }
        this.evaluation.risk(`the function that $${this.name} applies is not judged`);
        return anything;
    }

    /** The items for which it gives true for certain, and those for which it may. */
    select({ sure, maybe, exact }: Items): { readonly kept: Value[]; readonly possible: Value[] } {
        const kept: Value[] = [];
        const possible: Value[] = [];
        [...sure, ...maybe].forEach((item, index) => {
            const { mayBeTrue, mayBeFalse } = truthOf(this.of(item, numberValue, arrayOf(anyJson)));
            if (mayBeTrue) {
                (exact && index < sure.length && !mayBeFalse ? kept : possible).push(item);
            }
        });
        return { kept, possible };
    }

    risk(reason: string): void {
        this.evaluation.risk(reason);
    }
}

/** What any field of an object may hold. */
function anyField({ object: set }: Value): Value {
    const fields = set === undefined ? [] : [...set.fields.values()];
    return joined(set?.open === true ? [...fields, anyJson] : fields);
}

function map(subject: Value, callee: Callee): Value {
    const items = itemsOf(subject);
    const each = (item: Value): Value => callee.of(item, numberValue, arrayOf(anyJson));
    if (items.exact) {
        return sequenceOfResults([...items.sure.map(each), ...items.maybe.map((item) => orMissing(each(item)))]);
    }
    const results = allOf(items).map(each);
    return results.length === 0 ? missing : anySequence(present(joined(results)));
}

function filter(subject: Value, callee: Callee): Value {
    const items = itemsOf(subject);
    const { kept, possible } = callee.select(items);
    if (items.exact) {
        return sequence(kept, possible);
    }
    const all = [...kept, ...possible];
    return all.length === 0 ? missing : anySequence(joined(all));
}

function single(subject: Value, callee: Callee): Value {
    const { kept, possible } = callee.select(itemsOf(subject));
    callee.risk("$single fails unless exactly one item matches");
    return joined([...kept, ...possible]);
}

const each = (subject: Value, callee: Callee): Value =>
    anySequence(present(callee.of(anyField(subject), textValue, anyJson)));

function sift(subject: Value, callee: Callee): Value {
    callee.of(anyField(subject), textValue, anyJson);
    return orMissing(object(new Map(), true));
}

/** Functions that judge the function that they are given on the items; everything else works on values. */
const HIGHER_ORDER = new Map<string, (subject: Value, callee: Callee) => Value>([
    ["each", each],
    ["filter", filter],
    ["map", map],
    ["sift", sift],
    ["single", single],
]);
