/** The walk over the syntax tree: every node to the file that knows it. */
import { childrenOf, type ArrayAst, type Ast, type BlockAst, type ConditionAst, type ObjectAst } from "../jsonata";
import {
    anything,
    array,
    arrayOf,
    boolean,
    functionValue,
    join,
    missing,
    nothing,
    nullValue,
    number,
    object,
    only,
    orMissing,
    text,
    type Value,
} from "../values";
import { assume } from "./assume";
import { BUILT_INS } from "./builtIns";
import { apply, invoke } from "./calls";
import { factsBut, isClosure, pathKey, type Environment, type Evaluation, type Local } from "./environment";
import { binary, numeric } from "./operators";
import { fieldOf, filter, group, onlyText, path } from "./paths";
import { allOf, itemsOf, joined } from "./sequences";
import { truthOf } from "./truth";

/** Expressions nested deeper than this are not judged. */
const DEEPEST = 150;

interface Judgement {
    readonly value: Value;
    readonly risks: ReadonlySet<string>;
}

/** What predicates that see nothing but the item said of items: a join asks the same of each of its members. */
const judgements = new WeakMap<Ast, WeakMap<Value, Judgement>>();
/** Does the expression read nothing but the context `$`? */
const alones = new WeakMap<Ast, boolean>();
/** Arrays of constants, which may have an item for every member. */
const literals = new WeakMap<ArrayAst, Value>();

export class Evaluator implements Evaluation {
    readonly risks = new Set<string>();

    constructor(private depth = 0) {}

    run(ast: Ast, environment: Environment): Value {
        this.depth += 1;
        try {
            return this.settled(ast, environment) ?? this.decorated(ast, environment);
        } finally {
            this.depth -= 1;
        }
    }

    quietly(ast: Ast, environment: Environment): Value {
        return new Evaluator(this.depth).run(ast, environment);
    }

    judged(predicate: Ast, item: Value, environment: Environment): Value {
        const inner = { ...environment, focus: item };
        if (!readsItemAlone(predicate) || [...environment.facts.keys()].some((key) => !key.startsWith("$"))) {
            return this.run(predicate, inner);
        }
        let answers = judgements.get(predicate);
        if (answers === undefined) {
            answers = new WeakMap();
            judgements.set(predicate, answers);
        }
        let answer = answers.get(item);
        if (answer === undefined) {
            const evaluator = new Evaluator(this.depth);
            answer = { value: evaluator.run(predicate, inner), risks: evaluator.risks };
            answers.set(item, answer);
        }
        answer.risks.forEach((risk) => this.risk(risk));
        return answer.value;
    }

    risk(reason: string): void {
        this.risks.add(reason);
    }

    /** What a condition around the expression has settled. */
    private settled(ast: Ast, environment: Environment): Value | undefined {
        if (this.depth > DEEPEST) {
            this.risk("it is nested too deep to be judged");
            return anything;
        }
        const key = environment.facts.size > 0 ? pathKey(ast) : undefined;
        return key === undefined ? undefined : environment.facts.get(key);
    }

    /** The node with its predicates and its group. */
    private decorated(ast: Ast, environment: Environment): Value {
        let value = this.bare(ast, environment);
        for (const predicate of ast.predicate ?? []) {
            value = filter(this, value, predicate.expr, environment);
        }
        return ast.type !== "path" && ast.group !== undefined ? group(this, ast.group, value, environment) : value;
    }

    private bare(ast: Ast, environment: Environment): Value {
        switch (ast.type) {
            case "string":
                return text(ast.value);
            case "number":
                return number(ast.value, ast.value);
            case "value":
                return ast.value === null ? nullValue : boolean(ast.value);
            case "variable":
                return variable(ast.value, environment);
            case "name":
                return fieldOf(environment.focus, ast.value);
            case "path":
                return path(this, ast, environment);
            default:
                return this.compound(ast, environment);
        }
    }

    private compound(ast: Ast, environment: Environment): Value {
        switch (ast.type) {
            case "binary":
                return binary(this, ast, environment);
            case "unary":
                return this.unary(ast, environment);
            case "condition":
                return this.condition(ast, environment);
            case "block":
                return this.block(ast, environment);
            case "bind":
                return this.run(ast.rhs, environment);
            case "function":
                return invoke(this, ast.procedure, ast.arguments, environment);
            case "apply":
                return apply(this, ast, environment);
            case "lambda":
                return ast.thunk === true ? this.run(ast.body, environment) : functionValue;
            case "partial":
            case "regex":
            case "transform":
                return functionValue;
            case "wildcard":
            case "descendant":
                return anything;
            default:
                this.risk(`the construct "${ast.type}" is not judged`);
                return anything;
        }
    }

    private unary(ast: Extract<Ast, { type: "unary" }>, environment: Environment): Value {
        if (ast.value === "[") {
            return this.arrayOf(ast, environment);
        }
        if (ast.value === "{") {
            return this.objectOf(ast, environment);
        }
        const value = numeric(this, this.run(ast.expression, environment), "-");
        const { number: range } = value;
        return { ...value, number: range === undefined ? undefined : { lo: -range.hi, hi: -range.lo } };
    }

    /** `[a, b]`: the items of sequences, arrays that are written inside as they are. */
    private arrayOf(ast: ArrayAst, environment: Environment): Value {
        const known = literals.get(ast);
        if (known !== undefined) {
            return known;
        }
        const sure: Value[] = [];
        const loose: Value[] = [];
        for (const item of ast.expressions) {
            const value = this.run(item, environment);
            const items = itemsOf(value);
            if (item.type === "unary" && item.value === "[") {
                sure.push(value);
            } else if (items.exact && items.maybe.length === 0) {
                sure.push(...items.sure);
            } else {
                loose.push(...allOf(items));
            }
        }
        if (loose.length > 0) {
            return arrayOf(joined([...loose, ...sure]), sure.length, Infinity, sure);
        }
        const value = array(sure);
        if (ast.expressions.every(({ type }) => type === "string" || type === "number" || type === "value")) {
            literals.set(ast, value);
        }
        return value;
    }

    private objectOf(ast: ObjectAst, environment: Environment): Value {
        const fields = new Map<string, Value>();
        let isOpen = false;
        for (const [key, entry] of ast.lhs) {
            const name = this.run(key, environment);
            if (!only(name, "text", "missing")) {
                this.risk("a key of an object may be no text");
            }
            const value = this.run(entry, environment);
            const known = onlyText(name);
            if (known !== undefined && !fields.has(known)) {
                fields.set(known, name.missing ? orMissing(value) : value);
                continue;
            }
            isOpen ||= known === undefined;
            this.risk("two fields of an object may have the same name");
        }
        return object(fields, isOpen);
    }

    private condition(ast: ConditionAst, environment: Environment): Value {
        const { mayBeTrue, mayBeFalse } = truthOf(this.run(ast.condition, environment));
        const branch = (tree: Ast | undefined, holds: boolean): Value =>
            tree === undefined ? missing : this.run(tree, assume(this, ast.condition, holds, environment));
        const yes = mayBeTrue ? branch(ast.then, true) : nothing;
        return mayBeFalse ? join(yes, branch(ast.else, false)) : yes;
    }

    private block(ast: BlockAst, environment: Environment): Value {
        let inner = environment;
        let result = missing;
        for (const expression of ast.expressions) {
            if (expression.type !== "bind") {
                result = this.run(expression, inner);
                continue;
            }
            const { lhs, rhs } = expression;
            const local: Local = rhs.type === "lambda" ? { lambda: rhs, environment: inner } : this.run(rhs, inner);
            result = isClosure(local) ? functionValue : local;
            // What was settled about an outer variable of this name holds no longer.
            const facts = factsBut(inner.facts, [lhs.value]);
            inner = { ...inner, facts, locals: new Map([...inner.locals, [lhs.value, local]]) };
        }
        return result;
    }
}

function variable(name: string, environment: Environment): Value {
    if (name === "") {
        return environment.focus;
    }
    const local = environment.locals.get(name);
    if (local !== undefined) {
        return isClosure(local) ? functionValue : local;
    }
    return environment.variables(name) ?? (BUILT_INS.has(name) ? functionValue : missing);
}

/** A function's own name is no read; what it is given, may be. */
function readsItemAlone(predicate: Ast): boolean {
    let alone = alones.get(predicate);
    if (alone === undefined) {
        alone = true;
        const work = [predicate];
        for (let ast = work.pop(); ast !== undefined && alone; ast = work.pop()) {
            alone = ast.type !== "variable" && ast.type !== "lambda" && ast.type !== "bind" && ast.type !== "parent";
            work.push(...childrenOf(ast));
        }
        alones.set(predicate, alone);
    }
    return alone;
}
