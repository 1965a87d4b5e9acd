/**
 * Abstract evaluation of JSONata: from sets of possible values of the variables to the set of possible results, and the reasons why the
 * evaluation may fail. It errs on one side only: a result that is possible is in the set, a failure that is possible is reported.
 * The semantics are those of the `jsonata` package 2.2 with AWS's additions ($partition, $range, $hash, $random(seed), $uuid, $parse).
 */
import type { Ast } from "./jsonata";
import {
    anyBoolean,
    anyJson,
    anything,
    anyText,
    array,
    arrayOf,
    boolean,
    elementOf,
    functionValue,
    isNothing,
    join,
    kinds,
    missing,
    nothing,
    nullValue,
    number,
    numberValue,
    object,
    only,
    orMissing,
    present,
    text,
    textOf,
    textValue,
    untruth,
    type Kind,
    type Value,
} from "./values";

export interface Environment {
    /** A variable's possible values; `undefined` when nothing is known of such a variable: then it has no value. */
    readonly variables: (name: string) => Value | undefined;
    /** What a condition around the expression has settled, by the source form of a path such as `$x.a`. */
    readonly facts: ReadonlyMap<string, Value>;
    readonly locals: ReadonlyMap<string, Local>;
    /** The context `$`. */
    readonly focus: Value;
}

type Local = Value | { readonly lambda: Ast; readonly environment: Environment };

const isLambda = (local: Local): local is { readonly lambda: Ast; readonly environment: Environment } =>
    "lambda" in local;

export interface Result {
    readonly value: Value;
    /** Why the evaluation may fail; empty when it cannot. */
    readonly risks: readonly string[];
}

export function evaluate(ast: Ast, environment: Environment): Result {
    const evaluator = new Evaluator();
    const value = evaluator.run(ast, environment);
    return { value, risks: [...evaluator.risks] };
}

/** The environment in which the condition is known to be true, or known to be false. */
export function assuming(condition: Ast, holdsTrue: boolean, environment: Environment): Environment {
    return new Evaluator().assume(condition, holdsTrue, environment);
}

/** The source form of a variable or of a path of plain names, and undefined for anything else. */
export function pathKey(ast: Ast): string | undefined {
    if (ast.type === "variable" && ast.predicate === undefined && ast.group === undefined) {
        return `$${String(ast.value)}`;
    }
    if (ast.type !== "path" || ast.group !== undefined || ast.keepSingletonArray === true) {
        return undefined;
    }
    const parts: string[] = [];
    for (const step of ast.steps as readonly Ast[]) {
        if (
            (step.type !== "name" && step.type !== "variable") ||
            step.stages !== undefined ||
            step.predicate !== undefined ||
            step.focus !== undefined ||
            step.tuple === true ||
            step.group !== undefined
        ) {
            return undefined;
        }
        parts.push(step.type === "variable" ? `$${String(step.value)}` : JSON.stringify(step.value));
    }
    return parts.join(".");
}

const kindNames: { readonly [kind in Kind]: string } = {
    missing: "missing",
    null: "null",
    boolean: "a boolean",
    number: "a number",
    text: "a text",
    array: "an array",
    object: "an object",
    function: "a function",
};

const describe = (value: Value, wrong: readonly Kind[]): string => {
    const found = kinds(value).filter((kind) => wrong.includes(kind));
    return found.length > 3 ? "of another kind" : found.map((kind) => kindNames[kind]).join(" or ");
};

const allKinds: readonly Kind[] = ["missing", "null", "boolean", "number", "text", "array", "object", "function"];

/** Can JSONata's truth of the value be told? $boolean: no value counts as false. */
export function truthOf(value: Value): { readonly mayBeTrue: boolean; readonly mayBeFalse: boolean } {
    let yes = value.true;
    let no = value.false || value.null || value.missing || value.function;
    if (value.number !== undefined) {
        const { lo, hi } = value.number;
        yes ||= lo !== 0 || hi !== 0;
        no ||= lo <= 0 && hi >= 0;
    }
    if (value.text !== undefined) {
        yes ||= value.text.max > 0;
        no ||= value.text.min === 0;
    }
    if (value.array !== undefined) {
        const { items, max } = value.array;
        if (items === undefined) {
            yes ||= max > 0;
            no = true;
        } else {
            const inner = items.map(truthOf);
            yes ||= inner.some((item) => item.mayBeTrue);
            no ||= inner.every((item) => item.mayBeFalse);
        }
    }
    if (value.object !== undefined) {
        const required = [...value.object.fields.values()].some((field) => !field.missing);
        yes ||= value.object.open || value.object.fields.size > 0;
        no ||= !required;
    }
    return { mayBeTrue: yes, mayBeFalse: no };
}

function booleanOf(value: Value): Value {
    const { mayBeTrue, mayBeFalse } = truthOf(value);
    return { ...nothing, true: mayBeTrue, false: mayBeFalse };
}

/** The sequence of items that surely occur and items that may: none is no value, one is the item itself, more are an array. */
function sequence(sure: readonly Value[], maybe: readonly Value[]): Value {
    const all = [...sure, ...maybe];
    if (maybe.length === 0) {
        return sure.length === 0 ? missing : sure.length === 1 ? sure[0] : array(sure);
    }
    const element = all.reduce(join);
    let value: Value = all.length > 1 ? arrayOf(element, Math.max(2, sure.length), all.length) : nothing;
    if (sure.length <= 1) {
        value = join(value, sure.length === 1 ? sure[0] : element);
    }
    return sure.length === 0 ? orMissing(value) : value;
}

/** A sequence of any number of items. */
const anySequence = (element: Value, some = false): Value => {
    const value = join(element, arrayOf(element, 2));
    return some ? value : orMissing(value);
};

/** The items of a value taken as a sequence: exact where the length is known. */
function itemsOf(value: Value): {
    readonly sure: readonly Value[];
    readonly maybe: readonly Value[];
    readonly exact: boolean;
} {
    const single: Value = { ...value, array: undefined, missing: false };
    const hasSingle = !isNothing(single);
    if (value.array === undefined) {
        return hasSingle
            ? value.missing
                ? { sure: [], maybe: [single], exact: true }
                : { sure: [single], maybe: [], exact: true }
            : { sure: [], maybe: [], exact: true };
    }
    if (!hasSingle && !value.missing && value.array.items !== undefined) {
        return { sure: value.array.items, maybe: [], exact: true };
    }
    const element = elementOf(value.array);
    return { sure: [], maybe: [hasSingle ? join(single, element) : element], exact: false };
}

/** Predicates that see nothing but the item, with what they said of items. */
const judgements = new WeakMap<Ast, WeakMap<Value, Result>>();
const alones = new WeakMap<Ast, boolean>();

/** Does the expression read nothing but the context `$`? A function's own name is no read; what it is given, may be. */
function ofItemAlone(ast: Ast): boolean {
    let alone = alones.get(ast);
    if (alone === undefined) {
        alone = true;
        const work: unknown[] = [ast];
        for (let item = work.pop(); item !== undefined && alone; item = work.pop()) {
            if (typeof item === "object" && item !== null) {
                const { type } = item as Ast;
                alone = type !== "variable" && type !== "lambda" && type !== "bind" && type !== "parent";
                work.push(
                    ...Object.values(item as object).filter((child) => typeof child === "object" && child !== null),
                );
            }
        }
        alones.set(ast, alone);
    }
    return alone;
}

/** Arrays of constants, which may have an item for every member. */
const literals = new WeakMap<Ast, Value>();

class Evaluator {
    readonly risks = new Set<string>();

    constructor(private depth = 0) {}

    run(ast: Ast, environment: Environment): Value {
        this.depth += 1;
        try {
            if (this.depth > 150) {
                this.risk("it is nested too deep to be judged");
                return anything;
            }
            const key = environment.facts.size > 0 ? pathKey(ast) : undefined;
            const fact = key === undefined ? undefined : environment.facts.get(key);
            if (fact !== undefined) {
                return fact;
            }
            let value = this.kind(ast, environment);
            if (Array.isArray(ast.predicate)) {
                for (const predicate of ast.predicate as readonly Ast[]) {
                    value = this.filter(value, predicate.expr as Ast, environment);
                }
            }
            if (ast.type !== "path" && ast.group !== undefined) {
                value = this.group(ast.group as Ast, value, environment);
            }
            return value;
        } finally {
            this.depth -= 1;
        }
    }

    private risk(reason: string): void {
        this.risks.add(reason);
    }

    private kind(ast: Ast, environment: Environment): Value {
        switch (ast.type) {
            case "string":
                return text(String(ast.value));
            case "number":
                return number(ast.value as number, ast.value as number);
            case "value":
                return ast.value === null ? nullValue : boolean(ast.value === true);
            case "variable":
                return this.variable(String(ast.value), environment);
            case "name":
                return this.field(environment.focus, String(ast.value));
            case "path":
                return this.path(ast, environment);
            case "binary":
                return this.binary(ast, environment);
            case "unary":
                return this.unary(ast, environment);
            case "condition":
                return this.condition(ast, environment);
            case "block":
                return this.block(ast, environment);
            case "bind":
                return this.run(ast.rhs as Ast, environment);
            case "function":
                return this.call(ast, environment);
            case "apply":
                return this.apply(ast, environment);
            // The parser wraps a call in tail position into a function without parameters.
            case "lambda":
                return ast.thunk === true ? this.run(ast.body as Ast, environment) : functionValue;
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

    private variable(name: string, environment: Environment): Value {
        if (name === "") {
            return environment.focus;
        }
        const local = environment.locals.get(name);
        if (local !== undefined) {
            return isLambda(local) ? functionValue : local;
        }
        return environment.variables(name) ?? (builtIns.has(name) ? functionValue : missing);
    }

    private field(value: Value, name: string): Value {
        let result: Value = only(value, "object", "array") ? nothing : missing;
        if (value.object !== undefined) {
            const found = value.object.fields.get(name);
            result = join(result, found ?? (value.object.open ? anything : missing));
        }
        if (value.array !== undefined) {
            const { items } = value.array;
            if (items !== undefined) {
                result = join(result, this.flat(items.map((item) => this.field(item, name))));
            } else if (value.array.element === undefined) {
                // Of an array of any JSON values nothing is known, however deep.
                return value.array.max === 0 ? join(result, missing) : anything;
            } else {
                const each = this.field(elementOf(value.array), name);
                const inner =
                    each.array === undefined ? each : join({ ...each, array: undefined }, elementOf(each.array));
                result = join(result, isNothing(present(inner)) ? missing : anySequence(present(inner)));
            }
        }
        return result;
    }

    /** Results of a step over several items, as one flat sequence. */
    private flat(parts: readonly Value[]): Value {
        // An array that is the only result of the last step stays an array, however short it is.
        const short = parts
            .filter((part) => part.array !== undefined && part.array.min <= 1)
            .reduce<Value>((all, part) => join(all, { ...nothing, array: part.array }), nothing);
        return join(this.flattened(parts), short);
    }

    private flattened(parts: readonly Value[]): Value {
        const sure: Value[] = [];
        const maybe: Value[] = [];
        for (const part of parts) {
            const { sure: certain, maybe: possible, exact } = itemsOf(part);
            if (!exact) {
                const element = [...sure, ...maybe, ...possible].reduce(join);
                const rest = parts.reduce((all, other) => {
                    const inner = itemsOf(other);
                    return [...inner.sure, ...inner.maybe].reduce(join, all);
                }, element);
                return anySequence(rest);
            }
            sure.push(...certain);
            maybe.push(...possible);
        }
        return sequence(sure, maybe);
    }

    private path(ast: Ast, environment: Environment): Value {
        const steps = ast.steps as readonly Ast[];
        let value = environment.focus;
        for (let index = 0; index < steps.length; index += 1) {
            const step = steps[index];
            if (step.tuple === true || step.focus !== undefined || step.index !== undefined) {
                this.risk("a path with @, # or % is not judged");
                return anything;
            }
            const known =
                environment.facts.size > 0 && index < steps.length - 1
                    ? pathKey({ type: "path", steps: steps.slice(0, index + 1) })
                    : undefined;
            const fact = known === undefined ? undefined : environment.facts.get(known);
            if (fact !== undefined) {
                value = fact;
                continue;
            }
            value = this.step(step, value, environment, index === 0);
        }
        if (ast.group !== undefined) {
            return this.group(ast.group as Ast, value, environment);
        }
        return ast.keepSingletonArray === true ? this.asArray(value) : value;
    }

    private asArray(value: Value): Value {
        const items = itemsOf(value);
        const known = items.exact && items.maybe.length === 0;
        const result = known
            ? array(items.sure)
            : arrayOf([...items.sure, ...items.maybe].reduce<Value>(join, nothing), 1);
        return value.missing ? orMissing(result) : result;
    }

    private step(step: Ast, value: Value, environment: Environment, first: boolean): Value {
        let result: Value;
        if (step.type === "name") {
            result = this.field(value, String(step.value));
            if (Array.isArray(step.stages)) {
                const { sure, maybe, exact } = itemsOf(value);
                const filtered = (item: Value): Value =>
                    (step.stages as readonly Ast[]).reduce(
                        (inner, stage) => this.filter(inner, stage.expr as Ast, environment),
                        this.field(item, String(step.value)),
                    );
                result =
                    value.array === undefined || !exact
                        ? orMissingIf(
                              anySequenceIf(value.array !== undefined, this.flat([...sure, ...maybe].map(filtered))),
                              maybe.length > 0,
                          )
                        : this.flat(sure.map(filtered));
                return value.missing ? orMissing(result) : result;
            }
            return result;
        }
        if (first && step.type === "variable" && step.stages === undefined) {
            return this.run(step, environment);
        }
        if (step.type === "sort") {
            for (const term of step.terms as readonly Ast[]) {
                const { sure, maybe } = itemsOf(value);
                for (const item of [...sure, ...maybe]) {
                    const by = this.run(term.expression as Ast, { ...environment, focus: item });
                    if (!only(by, "number", "missing") && !only(by, "text", "missing")) {
                        this.risk("it sorts by values that may be neither numbers nor texts");
                    }
                }
            }
            return value;
        }
        const { sure, maybe, exact } = itemsOf(value);
        const each = (item: Value): Value => {
            const inner = this.run(step, { ...environment, focus: item });
            return Array.isArray(step.stages)
                ? (step.stages as readonly Ast[]).reduce(
                      (all, stage) => this.filter(all, stage.expr as Ast, environment),
                      inner,
                  )
                : inner;
        };
        if (sure.length + maybe.length === 0) {
            return first ? each(missing) : missing;
        }
        if (!exact) {
            return anySequence(present([...sure, ...maybe].map(each).reduce(join)));
        }
        result = this.flat([...sure.map(each), ...maybe.map((item) => orMissing(each(item)))]);
        return result;
    }

    private filter(value: Value, predicate: Ast, environment: Environment): Value {
        const { sure, maybe, exact } = itemsOf(value);
        const index = literalIndex(predicate);
        if (index !== undefined) {
            if (exact && maybe.length === 0) {
                const at = index < 0 ? sure.length + index : index;
                return at >= 0 && at < sure.length ? sure[at] : missing;
            }
            const all = [...sure, ...maybe];
            return all.length === 0 ? missing : orMissing(all.reduce(join));
        }
        const alone = ofItemAlone(predicate) && [...environment.facts.keys()].every((key) => key.startsWith("$"));
        const kept: Value[] = [];
        const possible: Value[] = [];
        const judge = (item: Value, certain: boolean): void => {
            const answer = alone
                ? this.judged(predicate, item, environment)
                : this.run(predicate, { ...environment, focus: item });
            const numeric =
                answer.number !== undefined ||
                (answer.array !== undefined && !only(elementOf(answer.array), "text", "boolean", "object", "null"));
            const { mayBeTrue, mayBeFalse } = truthOf(answer);
            if (numeric) {
                possible.push(item);
            } else if (mayBeTrue) {
                (certain && !mayBeFalse ? kept : possible).push(item);
            }
        };
        sure.forEach((item) => judge(item, exact));
        maybe.forEach((item) => judge(item, false));
        if (!exact) {
            const all = [...kept, ...possible];
            return all.length === 0 ? missing : anySequence(all.reduce(join));
        }
        return sequence(kept, possible);
    }

    /** What a predicate of the item alone says of it: the same every time, and a join asks for each of its members. */
    private judged(predicate: Ast, item: Value, environment: Environment): Value {
        let answers = judgements.get(predicate);
        if (answers === undefined) {
            answers = new WeakMap();
            judgements.set(predicate, answers);
        }
        let answer = answers.get(item);
        if (answer === undefined) {
            const evaluator = new Evaluator(this.depth);
            answer = { value: evaluator.run(predicate, { ...environment, focus: item }), risks: [...evaluator.risks] };
            answers.set(item, answer);
        }
        answer.risks.forEach((risk) => this.risk(risk));
        return answer.value;
    }

    private group(group: Ast, value: Value, environment: Environment): Value {
        const fields = new Map<string, Value>();
        let open = false;
        const { sure, maybe } = itemsOf(value);
        const items = [...sure, ...maybe];
        const focus = items.length === 0 ? missing : items.reduce(join);
        for (const [key, entry] of group.lhs as readonly (readonly [Ast, Ast])[]) {
            const name = this.run(key, { ...environment, focus });
            if (!only(name, "text", "missing")) {
                this.risk("a key of an object is no text");
            }
            const several = items.length > 1 || value.array !== undefined;
            const result = this.run(entry, { ...environment, focus: several ? join(focus, arrayOf(focus)) : focus });
            if (name.text?.values?.length === 1) {
                if (fields.has(name.text.values[0])) {
                    this.risk("two fields of an object have the same name");
                }
                fields.set(name.text.values[0], name.missing ? orMissing(result) : result);
            } else {
                open = true;
            }
        }
        return object(fields, open);
    }

    private unary(ast: Ast, environment: Environment): Value {
        if (ast.value === "[") {
            const known = literals.get(ast);
            if (known !== undefined) {
                return known;
            }
            const sure: Value[] = [];
            let loose: Value | undefined;
            for (const item of ast.expressions as readonly Ast[]) {
                const value = this.run(item, environment);
                if (item.type === "unary" && item.value === "[") {
                    sure.push(value);
                    continue;
                }
                const inner = itemsOf(value);
                if (inner.exact && inner.maybe.length === 0) {
                    sure.push(...inner.sure);
                } else {
                    loose = [...inner.sure, ...inner.maybe].reduce(join, loose ?? nothing);
                }
            }
            if (loose === undefined) {
                const value = array(sure);
                if (
                    (ast.expressions as readonly Ast[]).every(
                        ({ type }) => type === "string" || type === "number" || type === "value",
                    )
                ) {
                    literals.set(ast, value);
                }
                return value;
            }
            return arrayOf(sure.reduce(join, loose), sure.length, Infinity, sure);
        }
        if (ast.value === "{") {
            const fields = new Map<string, Value>();
            let open = false;
            for (const [key, entry] of ast.lhs as readonly (readonly [Ast, Ast])[]) {
                const name = this.run(key, environment);
                if (!only(name, "text", "missing")) {
                    this.risk("a key of an object may be no text");
                }
                const value = this.run(entry, environment);
                if (name.text?.values?.length === 1 && !fields.has(name.text.values[0])) {
                    fields.set(name.text.values[0], name.missing ? orMissing(value) : value);
                } else {
                    if (name.text?.values?.length !== 1) {
                        open = true;
                    }
                    this.risk("two fields of an object may have the same name");
                }
            }
            return object(fields, open);
        }
        const value = this.numeric(this.run(ast.expression as Ast, environment), "-");
        const range = value.number;
        return {
            ...nothing,
            missing: value.missing,
            number: range === undefined ? undefined : { lo: -range.hi, hi: -range.lo },
        };
    }

    /** Reports what is no number, and goes on with the numbers. */
    private numeric(value: Value, operator: string): Value {
        if (!only(value, "number", "missing")) {
            const wrong = allKinds.filter((kind) => kind !== "number" && kind !== "missing");
            this.risk(`an operand of "${operator}" may be ${describe(value, wrong)}, not a number`);
        }
        return { ...nothing, missing: value.missing, number: value.number };
    }

    private binary(ast: Ast, environment: Environment): Value {
        const operator = String(ast.value);
        const left = this.run(ast.lhs as Ast, environment);
        if (operator === "and" || operator === "or") {
            const { mayBeTrue, mayBeFalse } = truthOf(left);
            const settles = operator === "and" ? !mayBeTrue : !mayBeFalse;
            if (settles) {
                return boolean(operator === "or");
            }
            const inner = this.assume(ast.lhs as Ast, operator === "and", environment);
            const right = truthOf(this.run(ast.rhs as Ast, inner));
            return operator === "and"
                ? { ...nothing, true: mayBeTrue && right.mayBeTrue, false: mayBeFalse || right.mayBeFalse }
                : { ...nothing, true: mayBeTrue || right.mayBeTrue, false: mayBeFalse && right.mayBeFalse };
        }
        const right = this.run(ast.rhs as Ast, environment);
        switch (operator) {
            case "=":
            case "!=":
                return equality(left, right, operator === "=");
            case "<":
            case "<=":
            case ">":
            case ">=":
                return this.comparison(left, right, operator);
            case "in":
                return membership(left, right);
            case "&":
                return concatenation(this.stringOf(left), this.stringOf(right));
            case "..": {
                const lo = this.numeric(left, "..");
                const hi = this.numeric(right, "..");
                this.risk("a range's ends must be whole numbers");
                return { ...arrayOf(numberValue), missing: lo.missing || hi.missing || true };
            }
            default:
                return this.arithmetic(this.numeric(left, operator), this.numeric(right, operator), operator);
        }
    }

    private arithmetic(left: Value, right: Value, operator: string): Value {
        const a = left.number;
        const b = right.number;
        const gap = left.missing || right.missing;
        if (a === undefined || b === undefined) {
            return missing;
        }
        const range = (corners: readonly number[]): Value => {
            const known = corners.filter((corner) => !Number.isNaN(corner));
            return known.length < corners.length ? numberValue : number(Math.min(...known), Math.max(...known));
        };
        let result: Value;
        switch (operator) {
            case "+":
                result = range([a.lo + b.lo, a.hi + b.hi]);
                break;
            case "-":
                result = range([a.lo - b.hi, a.hi - b.lo]);
                break;
            case "*":
                result = range(
                    [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi].map((corner) =>
                        Number.isNaN(corner) ? 0 : corner,
                    ),
                );
                break;
            case "/":
                if (b.lo <= 0 && b.hi >= 0) {
                    this.risk("the divisor may be 0, and an infinite number is no JSON");
                    result = numberValue;
                } else {
                    result = range([a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi]);
                }
                break;
            default:
                if (b.lo <= 0 && b.hi >= 0) {
                    this.risk('the divisor of "%" may be 0');
                }
                result = number(
                    a.lo < 0 ? -Math.max(Math.abs(b.lo), Math.abs(b.hi)) : 0,
                    Math.min(Math.max(a.hi, 0), Math.max(Math.abs(b.lo), Math.abs(b.hi))),
                );
        }
        return gap ? orMissing(result) : result;
    }

    private comparison(left: Value, right: Value, operator: string): Value {
        for (const side of [left, right]) {
            if (!only(side, "number", "text", "missing")) {
                const wrong = allKinds.filter((kind) => kind !== "number" && kind !== "text" && kind !== "missing");
                this.risk(`an operand of "${operator}" may be ${describe(side, wrong)}, neither a number nor a text`);
            }
        }
        const kindsOf = (value: Value): string =>
            `${value.number === undefined ? "" : "n"}${value.text === undefined ? "" : "t"}`;
        if (
            kindsOf(left) !== "" &&
            kindsOf(right) !== "" &&
            (kindsOf(left).length > 1 || kindsOf(left) !== kindsOf(right))
        ) {
            this.risk(`the operands of "${operator}" may be of different kinds`);
        }
        let result: Value = left.missing || right.missing ? missing : nothing;
        if (left.number !== undefined && right.number !== undefined) {
            const [a, b] = operator.startsWith("<") ? [left.number, right.number] : [right.number, left.number];
            const strict = operator.length === 1;
            const yes = strict ? a.lo < b.hi : a.lo <= b.hi;
            const no = strict ? a.hi >= b.lo : a.hi > b.lo;
            result = join(result, { ...nothing, true: yes, false: no });
        }
        if (left.text !== undefined && right.text !== undefined) {
            result = join(result, anyBoolean);
        }
        return result;
    }

    private stringOf(value: Value): Value {
        if (value.function) {
            this.risk("a function is made into a text");
        }
        let result: Value = value.missing ? text("") : nothing;
        if (value.text !== undefined) {
            result = join(result, textOf(value.text));
        }
        if (value.null) {
            result = join(result, text("null"));
        }
        if (value.true) {
            result = join(result, text("true"));
        }
        if (value.false) {
            result = join(result, text("false"));
        }
        if (value.number !== undefined) {
            const { lo, hi } = value.number;
            result = join(
                result,
                lo === hi && Number.isFinite(lo)
                    ? scalarText(lo)
                    : textOf({
                          min: 1,
                          max:
                              Math.abs(lo) < 1e15 && Math.abs(hi) < 1e15 && Number.isInteger(lo) && Number.isInteger(hi)
                                  ? 24
                                  : 25,
                          prefix: "",
                      }),
            );
        }
        if (value.array !== undefined || value.object !== undefined) {
            result = join(result, textOf({ min: 2, max: Infinity, prefix: "" }));
        }
        return result;
    }

    private condition(ast: Ast, environment: Environment): Value {
        const condition = ast.condition as Ast;
        const { mayBeTrue, mayBeFalse } = truthOf(this.run(condition, environment));
        let result: Value = nothing;
        if (mayBeTrue) {
            result = this.run(ast.then as Ast, this.assume(condition, true, environment));
        }
        if (mayBeFalse) {
            result = join(
                result,
                ast.else === undefined
                    ? missing
                    : this.run(ast.else as Ast, this.assume(condition, false, environment)),
            );
        }
        return result;
    }

    private block(ast: Ast, environment: Environment): Value {
        let inner = environment;
        let result = missing;
        for (const expression of ast.expressions as readonly Ast[]) {
            if (expression.type === "bind") {
                const rhs = expression.rhs as Ast;
                const name = String((expression.lhs as Ast).value);
                const local: Local = rhs.type === "lambda" ? { lambda: rhs, environment: inner } : this.run(rhs, inner);
                result = isLambda(local) ? functionValue : local;
                // What was settled about an outer variable of this name holds no longer.
                const facts = new Map(
                    [...inner.facts].filter(([key]) => key !== `$${name}` && !key.startsWith(`$${name}.`)),
                );
                inner = { ...inner, facts, locals: new Map([...inner.locals, [name, local]]) };
            } else {
                result = this.run(expression, inner);
            }
        }
        return result;
    }

    /** Facts that follow from a condition. */
    assume(condition: Ast, holdsTrue: boolean, environment: Environment): Environment {
        const settle = (ast: Ast, change: (value: Value) => Value): Environment => {
            const key = pathKey(ast);
            if (key === undefined) {
                return environment;
            }
            const before = environment.facts.get(key) ?? new Evaluator().run(ast, environment);
            return { ...environment, facts: new Map([...environment.facts, [key, change(before)]]) };
        };
        if (condition.type === "block" && (condition.expressions as readonly Ast[]).length === 1) {
            return this.assume((condition.expressions as readonly Ast[])[0], holdsTrue, environment);
        }
        if (condition.type === "binary") {
            const { lhs, rhs } = condition as unknown as { lhs: Ast; rhs: Ast };
            const operator = String(condition.value);
            if ((operator === "and" && holdsTrue) || (operator === "or" && !holdsTrue)) {
                return this.assume(rhs, holdsTrue, this.assume(lhs, holdsTrue, environment));
            }
            if (operator === "=" && holdsTrue) {
                const type = typeTest(lhs, rhs) ?? typeTest(rhs, lhs);
                if (type !== undefined) {
                    return settle(type.of, (value) => ofType(value, type.name));
                }
                const right = new Evaluator().run(rhs, environment);
                const left = new Evaluator().run(lhs, environment);
                const meet = (value: Value, other: Value): Value => intersect(present(value), other);
                const first = settle(lhs, (value) => meet(value, right));
                return pathKey(rhs) === undefined
                    ? first
                    : new Evaluator().withFact(first, rhs, (value) => meet(value, left));
            }
            if (operator === "in" && holdsTrue) {
                const right = new Evaluator().run(rhs, environment);
                const element = right.array === undefined ? right : elementOf(right.array);
                return settle(lhs, (value) => intersect(present(value), element));
            }
            if (["<", "<=", ">", ">="].includes(operator) && holdsTrue) {
                const right = new Evaluator().run(rhs, environment).number;
                const left = new Evaluator().run(lhs, environment).number;
                const bound = (value: Value, lo: number, hi: number): Value => ({
                    ...nothing,
                    text: value.text,
                    number:
                        value.number === undefined
                            ? undefined
                            : { lo: Math.max(value.number.lo, lo), hi: Math.min(value.number.hi, hi) },
                });
                const less = operator.startsWith("<");
                const first = settle(lhs, (value) =>
                    bound(
                        value,
                        less ? -Infinity : (right?.lo ?? -Infinity),
                        less ? (right?.hi ?? Infinity) : Infinity,
                    ),
                );
                return pathKey(rhs) === undefined
                    ? first
                    : new Evaluator().withFact(first, rhs, (value) =>
                          bound(
                              value,
                              less ? (left?.lo ?? -Infinity) : -Infinity,
                              less ? Infinity : (left?.hi ?? Infinity),
                          ),
                      );
            }
            return environment;
        }
        const procedure = condition.procedure as Ast | undefined;
        if (
            condition.type === "function" &&
            procedure?.type === "variable" &&
            !environment.locals.has(String(procedure.value))
        ) {
            const [argument] = condition.arguments as readonly Ast[];
            const name = String(procedure.value);
            if (argument === undefined) {
                return environment;
            }
            if (name === "exists") {
                return settle(argument, (value) => (holdsTrue ? present(value) : missing));
            }
            if (name === "not") {
                return this.assume(argument, !holdsTrue, environment);
            }
            if (name === "boolean") {
                return this.assume(argument, holdsTrue, environment);
            }
            return environment;
        }
        if (pathKey(condition) !== undefined && holdsTrue) {
            return settle(condition, (value) => ({
                ...present(value),
                null: false,
                false: false,
                text:
                    value.text === undefined || value.text.max === 0
                        ? undefined
                        : {
                              ...value.text,
                              min: Math.max(1, value.text.min),
                              values: value.text.values?.filter((item) => item !== ""),
                          },
            }));
        }
        return environment;
    }

    private withFact(environment: Environment, ast: Ast, change: (value: Value) => Value): Environment {
        const key = pathKey(ast)!;
        const before = environment.facts.get(key) ?? this.run(ast, environment);
        return { ...environment, facts: new Map([...environment.facts, [key, change(before)]]) };
    }

    private apply(ast: Ast, environment: Environment): Value {
        const rhs = ast.rhs as Ast;
        if (rhs.type === "function") {
            return this.invoke(
                rhs.procedure as Ast,
                [ast.lhs as Ast, ...(rhs.arguments as readonly Ast[])],
                environment,
            );
        }
        if (rhs.type === "variable" || rhs.type === "lambda") {
            return this.invoke(rhs, [ast.lhs as Ast], environment);
        }
        this.run(ast.lhs as Ast, environment);
        this.risk('the right side of "~>" is not judged');
        return anything;
    }

    private call(ast: Ast, environment: Environment): Value {
        return this.invoke(ast.procedure as Ast, ast.arguments as readonly Ast[], environment);
    }

    private invoke(procedure: Ast, argumentTrees: readonly Ast[], environment: Environment): Value {
        if (procedure.type === "lambda") {
            return this.lambda(
                { lambda: procedure, environment },
                argumentTrees.map((tree) => this.argument(tree, environment)),
            );
        }
        if (procedure.type !== "variable") {
            this.risk("a computed function is called");
            return anything;
        }
        const name = String(procedure.value);
        const local = environment.locals.get(name);
        if (local !== undefined) {
            if (isLambda(local)) {
                return this.lambda(
                    local,
                    argumentTrees.map((tree) => this.argument(tree, environment)),
                );
            }
            this.risk(`$${name} may be no function`);
            return anything;
        }
        const builtIn = builtIns.get(name);
        if (builtIn === undefined) {
            this.risk(`there is no function $${name}`);
            return anything;
        }
        return this.builtIn(name, builtIn, argumentTrees, environment);
    }

    private argument(tree: Ast, environment: Environment): Local {
        return tree.type === "lambda" ? { lambda: tree, environment } : this.run(tree, environment);
    }

    private lambda(
        closure: { readonly lambda: Ast; readonly environment: Environment },
        given: readonly Local[],
    ): Value {
        const locals = new Map(closure.environment.locals);
        const names = (closure.lambda.arguments as readonly Ast[]).map((parameter) => String(parameter.value));
        names.forEach((name, index) => locals.set(name, given[index] ?? missing));
        const hidden = (key: string): boolean =>
            names.some((name) => key === `$${name}` || key.startsWith(`$${name}.`));
        const facts = new Map([...closure.environment.facts].filter(([key]) => !hidden(key)));
        return this.run(closure.lambda.body as Ast, { ...closure.environment, locals, facts });
    }

    private builtIn(name: string, builtIn: BuiltIn, trees: readonly Ast[], environment: Environment): Value {
        // Higher-order functions judge their lambda on the items; everything else works on values.
        if (
            trees.length > 1 &&
            (name === "map" || name === "filter" || name === "single" || name === "each" || name === "sift")
        ) {
            return this.higherOrder(name, trees, environment);
        }
        const values = trees.map((tree) => this.run(tree, environment));
        if (values.length < builtIn.least || values.length > builtIn.takes.length) {
            // A leading "-" in JSONata's signature takes the context for a missing first argument.
            const wanted =
                builtIn.least === builtIn.takes.length
                    ? `${builtIn.least}`
                    : `${builtIn.least} to ${builtIn.takes.length}`;
            this.risk(`$${name} takes ${wanted} arguments, got ${values.length}`);
            return anything;
        }
        values.forEach((value, index) => {
            const allowed = builtIn.takes[index];
            if (
                allowed !== undefined &&
                allowed !== "any" &&
                !fits(value, allowed, index >= builtIn.least || builtIn.missingFine === true)
            ) {
                const wrong = allKinds.filter(
                    (kind) => kind !== "missing" || !(index >= builtIn.least || builtIn.missingFine === true),
                );
                this.risk(
                    `argument ${index + 1} of $${name} may be ${describe(
                        value,
                        wrong.filter((kind) => !kindsFor(allowed).includes(kind)),
                    )}, ` +
                        `expected ${
                            allowed === "numbers"
                                ? "numbers"
                                : allowed === "texts"
                                  ? "texts"
                                  : kindsFor(allowed)
                                        .map((kind) => kindNames[kind])
                                        .join(" or ")
                        }`,
                );
            }
        });
        const result = builtIn.result(values, (reason) => this.risk(reason));
        const gap = builtIn.missingFine === true && values.length > 0 && values[0].missing;
        return gap ? orMissing(result) : result;
    }

    private higherOrder(name: string, trees: readonly Ast[], environment: Environment): Value {
        const subject = this.run(trees[0], environment);
        const callee = this.argument(trees[1], environment);
        const builtInCallee = trees[1].type === "variable" ? builtIns.get(String(trees[1].value)) : undefined;
        const anyField = [...(subject.object?.fields.values() ?? [])].reduce(
            join,
            subject.object?.open === true ? anyJson : nothing,
        );
        const { sure, maybe, exact } =
            name === "each" || name === "sift"
                ? { sure: [] as Value[], maybe: [anyField], exact: false }
                : itemsOf(subject);
        const each = (item: Value): Value => {
            if (isLambda(callee)) {
                const parameters =
                    name === "each" || name === "sift"
                        ? [item, textValue, anyJson]
                        : [item, numberValue, arrayOf(anyJson)];
                return this.lambda(callee, parameters);
            }
            if (builtInCallee !== undefined && builtInCallee.least <= 1) {
                return builtInCallee.result([item], (reason) => this.risk(reason));
            }
            this.risk(`the function that $${name} applies is not judged`);
            return anything;
        };
        if (name === "map") {
            const results = [...sure, ...maybe].map(each);
            if (exact) {
                return this.flatTop([...results.slice(0, sure.length), ...results.slice(sure.length).map(orMissing)]);
            }
            return results.length === 0 ? missing : anySequence(present(results.reduce(join)));
        }
        if (name === "each") {
            return anySequence(present(each(maybe[0])));
        }
        if (name === "sift") {
            each(maybe[0]);
            return orMissing(object(new Map(), true));
        }
        const kept: Value[] = [];
        const possible: Value[] = [];
        [...sure, ...maybe].forEach((item, index) => {
            const { mayBeTrue, mayBeFalse } = truthOf(each(item));
            if (mayBeTrue) {
                (exact && index < sure.length && !mayBeFalse ? kept : possible).push(item);
            }
        });
        if (name === "single") {
            this.risk("$single fails unless exactly one item matches");
            return [...kept, ...possible].reduce(join, nothing);
        }
        const all = [...kept, ...possible];
        return exact ? sequence(kept, possible) : all.length === 0 ? missing : anySequence(all.reduce(join));
    }

    /** $map keeps arrays that its function returns; only values that are missing are left out. */
    private flatTop(parts: readonly Value[]): Value {
        const sure = parts.filter((part) => !part.missing);
        const maybe = parts
            .filter((part) => part.missing)
            .map(present)
            .filter((part) => !isNothing(part));
        return sequence(sure, maybe);
    }
}

const orMissingIf = (value: Value, condition: boolean): Value => (condition ? orMissing(value) : value);
const anySequenceIf = (condition: boolean, value: Value): Value => {
    if (!condition || isNothing(present(value))) {
        return value;
    }
    return anySequence(
        present(value.array === undefined ? value : join({ ...value, array: undefined }, elementOf(value.array))),
    );
};

function literalIndex(predicate: Ast): number | undefined {
    if (predicate.type === "number") {
        return Math.floor(predicate.value as number);
    }
    return undefined;
}

function typeTest(call: Ast, name: Ast): { readonly of: Ast; readonly name: string } | undefined {
    const procedure = call.procedure as Ast | undefined;
    if (
        call.type === "function" &&
        procedure?.type === "variable" &&
        procedure.value === "type" &&
        name.type === "string"
    ) {
        const [of] = call.arguments as readonly Ast[];
        return of === undefined ? undefined : { of, name: String(name.value) };
    }
    return undefined;
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

/** Values that are in the first set and may be in the second. */
function intersect(value: Value, other: Value): Value {
    const result: Value = {
        missing: value.missing && other.missing,
        null: value.null && other.null,
        true: value.true && other.true,
        false: value.false && other.false,
        function: value.function && other.function,
        number:
            value.number === undefined || other.number === undefined
                ? undefined
                : { lo: Math.max(value.number.lo, other.number.lo), hi: Math.min(value.number.hi, other.number.hi) },
        text:
            value.text === undefined || other.text === undefined
                ? undefined
                : other.text.values === undefined
                  ? value.text
                  : other.text,
        array: other.array === undefined ? undefined : value.array,
        object: other.object === undefined ? undefined : value.object,
    };
    // An empty intersection means code that is never reached; the wider set is safe there.
    return isNothing(result) || (result.number !== undefined && result.number.lo > result.number.hi) ? value : result;
}

function equality(left: Value, right: Value, wanted: boolean): Value {
    let result: Value = left.missing || right.missing ? untruth : nothing;
    const a = present(left);
    const b = present(right);
    if (isNothing(a) || isNothing(b)) {
        return result;
    }
    const exactA = exact(a);
    const exactB = exact(b);
    if (exactA !== undefined && exactB !== undefined) {
        return join(result, boolean((exactA.value === exactB.value) === wanted));
    }
    const possible = overlap(a, b);
    result = join(result, possible ? anyBoolean : boolean(!wanted));
    return result;
}

/** The one scalar that a set holds. */
function exact(value: Value): { readonly value: string | number | boolean | null } | undefined {
    const found = kinds(value);
    if (found.length !== 1) {
        return undefined;
    }
    switch (found[0]) {
        case "null":
            return { value: null };
        case "boolean":
            return value.true && value.false ? undefined : { value: value.true };
        case "number":
            return value.number!.lo === value.number!.hi ? { value: value.number!.lo } : undefined;
        case "text":
            return value.text!.values?.length === 1 ? { value: value.text!.values[0] } : undefined;
        default:
            return undefined;
    }
}

/** May the two sets hold the same value? */
function overlap(a: Value, b: Value): boolean {
    const textsMeet = (): boolean => {
        const x = a.text!;
        const y = b.text!;
        if (x.values !== undefined && y.values !== undefined) {
            return x.values.some((item) => y.values!.includes(item));
        }
        const fitsIn = (item: string, set: typeof x): boolean =>
            item.startsWith(set.prefix) && item.length >= set.min && item.length <= set.max;
        if (x.values !== undefined) {
            return x.values.some((item) => fitsIn(item, y));
        }
        if (y.values !== undefined) {
            return y.values.some((item) => fitsIn(item, x));
        }
        return x.prefix.startsWith(y.prefix) || y.prefix.startsWith(x.prefix);
    };
    return (
        (a.null && b.null) ||
        (a.true && b.true) ||
        (a.false && b.false) ||
        (a.function && b.function) ||
        (a.number !== undefined &&
            b.number !== undefined &&
            a.number.lo <= b.number.hi &&
            b.number.lo <= a.number.hi) ||
        (a.text !== undefined && b.text !== undefined && textsMeet()) ||
        (a.array !== undefined && b.array !== undefined) ||
        (a.object !== undefined && b.object !== undefined)
    );
}

function membership(left: Value, right: Value): Value {
    if (isNothing(present(left)) || isNothing(present(right))) {
        return untruth;
    }
    const { sure, maybe, exact: known } = itemsOf(right);
    const one = exact(left);
    const all = [...sure, ...maybe];
    // "in" compares with ===, which is never true of two arrays or two objects that were built apart.
    const possible = all.some((item) => overlap(present(left), item));
    const certain =
        known &&
        one !== undefined &&
        sure.some((item) => exact(item)?.value === one.value && exact(item) !== undefined);
    return { ...nothing, true: possible, false: !certain };
}

function concatenation(left: Value, right: Value): Value {
    const a = left.text ?? anyText;
    const b = right.text ?? anyText;
    const values =
        a.values !== undefined && b.values !== undefined && a.values.length * b.values.length <= 16
            ? a.values.flatMap((first) => b.values!.map((second) => first + second))
            : undefined;
    return textOf({
        min: a.min + b.min,
        max: a.max + b.max,
        values,
        prefix: a.values?.length === 1 ? a.prefix + b.prefix : a.prefix,
    });
}

type Allowed =
    | "any"
    | "text"
    | "number"
    | "numbers"
    | "texts"
    | "object"
    | "array"
    | "boolean"
    | "function"
    | "text or function"
    | "scalar"
    | "object or array";

const kindsFor = (allowed: Allowed): Kind[] => {
    switch (allowed) {
        case "text":
            return ["text"];
        case "number":
            return ["number"];
        case "object":
            return ["object"];
        case "boolean":
            return ["boolean"];
        case "function":
            return ["function"];
        case "text or function":
            return ["text", "function"];
        case "scalar":
            return ["text", "number", "boolean"];
        case "object or array":
            return ["object", "array"];
        case "numbers":
            return ["number", "array"];
        case "texts":
            return ["text", "array"];
        default:
            return ["null", "boolean", "number", "text", "array", "object", "function"];
    }
};

function fits(value: Value, allowed: Allowed, missingFine: boolean): boolean {
    if (allowed === "array" || allowed === "any") {
        return true;
    }
    const extra: Kind[] = missingFine ? ["missing"] : [];
    if (!only(value, ...kindsFor(allowed), ...extra)) {
        return false;
    }
    if (value.array !== undefined && (allowed === "numbers" || allowed === "texts")) {
        return only(elementOf(value.array), allowed === "numbers" ? "number" : "text");
    }
    return true;
}

interface BuiltIn {
    readonly takes: readonly Allowed[];
    readonly least: number;
    /** A first argument without a value gives no value instead of an error. */
    readonly missingFine?: boolean;
    readonly result: (values: readonly Value[], risk: (reason: string) => void) => Value;
}

/** A scalar as a text. JSONata rounds numbers to 15 digits, so of longer ones only the length is told. */
const scalarText = (value: string | number | boolean | null): Value =>
    typeof value === "number" && Number(value.toPrecision(15)) !== value
        ? textOf({ min: 1, max: 25, prefix: "" })
        : text(String(value));

const lengthOf = (value: Value): { readonly lo: number; readonly hi: number } => {
    const { array: items } = value;
    const single = !isNothing({ ...present(value), array: undefined });
    const lows = [...(value.missing ? [0] : []), ...(single ? [1] : []), ...(items === undefined ? [] : [items.min])];
    const highs = [...(value.missing ? [0] : []), ...(single ? [1] : []), ...(items === undefined ? [] : [items.max])];
    return lows.length === 0 ? { lo: 0, hi: 0 } : { lo: Math.min(...lows), hi: Math.max(...highs) };
};

function extreme(values: readonly Value[], pick: (...all: number[]) => number): Value {
    const { sure, maybe, exact: known } = itemsOf(values[0]);
    const all = [...sure, ...maybe].map((item) => item.number).filter((item) => item !== undefined);
    const empty = lengthOf(values[0]).lo === 0;
    if (all.length === 0) {
        return missing;
    }
    const some = known ? sure : isNothing({ ...values[0], array: undefined }) ? (values[0].array?.some ?? []) : [];
    const certain = some.map((item) => item.number).filter((item) => item !== undefined);
    const lows = all.map((item) => item.lo);
    const highs = all.map((item) => item.hi);
    let result: Value;
    if (pick === Math.min) {
        // An item that is certain bounds the smallest from above.
        result = number(
            Math.min(...lows),
            Math.min(...(certain.length > 0 ? certain.map((item) => item.hi) : [Math.max(...highs)])),
        );
    } else {
        result = number(
            Math.max(...(certain.length > 0 ? certain.map((item) => item.lo) : [Math.min(...lows)])),
            Math.max(...highs),
        );
    }
    return empty ? orMissing(result) : result;
}

const rounded =
    (apply: (value: number) => number) =>
    (values: readonly Value[]): Value => {
        const range = values[0].number;
        return range === undefined ? missing : number(apply(range.lo), apply(range.hi));
    };

const shorter = (values: readonly Value[]): Value =>
    values[0].text === undefined ? missing : textOf({ min: 0, max: values[0].text.max, prefix: "" });
const sameLength = (values: readonly Value[]): Value =>
    values[0].text === undefined
        ? missing
        : textOf({ min: 0, max: values[0].text.max === Infinity ? Infinity : values[0].text.max * 3, prefix: "" });
const toText = (): Value => textValue;
const uncertain =
    (why: string, value: Value) =>
    (_: readonly Value[], risk: (reason: string) => void): Value => {
        risk(why);
        return value;
    };
/** The items in another order; a single one becomes an array. */
function reordered(value: Value): Value {
    const single: Value = { ...present(value), array: undefined };
    const several: Value =
        value.array === undefined ? nothing : { ...nothing, array: { ...value.array, items: undefined } };
    const result = isNothing(single) ? several : join(several, array([single]));
    return value.missing ? orMissing(result) : result;
}
const timestampText: Value = textOf({ min: 20, max: 29, prefix: "", timestamp: true });
const anyArray = arrayOf(anyJson);

const builtIns: ReadonlyMap<string, BuiltIn> = new Map<string, BuiltIn>([
    ["count", { takes: ["any"], least: 1, result: ([value]) => number(lengthOf(value).lo, lengthOf(value).hi) }],
    ["sum", { takes: ["numbers"], least: 1, missingFine: true, result: () => numberValue }],
    [
        "average",
        {
            takes: ["numbers"],
            least: 1,
            missingFine: true,
            result: ([value]) => orMissingIf(numberValue, lengthOf(value).lo === 0),
        },
    ],
    ["max", { takes: ["numbers"], least: 1, missingFine: true, result: (values) => extreme(values, Math.max) }],
    ["min", { takes: ["numbers"], least: 1, missingFine: true, result: (values) => extreme(values, Math.min) }],
    [
        "string",
        {
            takes: ["any", "boolean"],
            least: 1,
            missingFine: true,
            result: ([value]) => {
                const one = exact(present(value));
                return one !== undefined
                    ? scalarText(one.value)
                    : isNothing(present(value))
                      ? missing
                      : value.text !== undefined && only(value, "text", "missing")
                        ? textOf(value.text)
                        : only(value, "number", "boolean", "null", "missing")
                          ? textOf({ min: 1, max: 25, prefix: "" })
                          : textValue;
            },
        },
    ],
    [
        "substring",
        {
            takes: ["text", "number", "number"],
            least: 2,
            missingFine: true,
            result: ([value, , length]) =>
                value.text === undefined
                    ? missing
                    : textOf({
                          min: 0,
                          max: Math.min(value.text.max, Math.max(0, length?.number?.hi ?? Infinity)),
                          prefix: "",
                      }),
        },
    ],
    ["substringBefore", { takes: ["text", "text"], least: 2, missingFine: true, result: shorter }],
    ["substringAfter", { takes: ["text", "text"], least: 2, missingFine: true, result: shorter }],
    [
        "lowercase",
        {
            takes: ["text"],
            least: 1,
            missingFine: true,
            result: ([value]) =>
                value.text?.values?.length === 1 ? text(value.text.values[0].toLowerCase()) : sameLength([value]),
        },
    ],
    [
        "uppercase",
        {
            takes: ["text"],
            least: 1,
            missingFine: true,
            result: ([value]) =>
                value.text?.values?.length === 1 ? text(value.text.values[0].toUpperCase()) : sameLength([value]),
        },
    ],
    [
        "length",
        {
            takes: ["text"],
            least: 1,
            missingFine: true,
            result: ([value]) => (value.text === undefined ? missing : number(0, value.text.max)),
        },
    ],
    ["trim", { takes: ["text"], least: 1, missingFine: true, result: shorter }],
    ["pad", { takes: ["text", "number", "text"], least: 2, missingFine: true, result: toText }],
    ["match", { takes: ["text", "function", "number"], least: 2, missingFine: true, result: () => orMissing(anyJson) }],
    ["contains", { takes: ["text", "text or function"], least: 2, missingFine: true, result: () => anyBoolean }],
    [
        "replace",
        {
            takes: ["text", "text or function", "text or function", "number"],
            least: 3,
            missingFine: true,
            result: (values, risk) => {
                if (values[1].function || (values[1].text?.min ?? 0) === 0) {
                    risk("$replace fails when its pattern matches the empty text");
                }
                return textValue;
            },
        },
    ],
    [
        "split",
        {
            takes: ["text", "text or function", "number"],
            least: 2,
            missingFine: true,
            result: () => arrayOf(textValue),
        },
    ],
    ["join", { takes: ["texts", "text"], least: 1, missingFine: true, result: toText }],
    [
        "formatNumber",
        {
            takes: ["number", "text", "object"],
            least: 2,
            missingFine: true,
            result: uncertain("$formatNumber fails on a wrong picture", textValue),
        },
    ],
    [
        "formatBase",
        {
            takes: ["number", "number"],
            least: 1,
            missingFine: true,
            result: uncertain("$formatBase fails on a wrong radix", textValue),
        },
    ],
    [
        "formatInteger",
        {
            takes: ["number", "text"],
            least: 2,
            missingFine: true,
            result: uncertain("$formatInteger fails on a wrong picture", textValue),
        },
    ],
    [
        "parseInteger",
        {
            takes: ["text", "text"],
            least: 2,
            missingFine: true,
            result: uncertain("$parseInteger fails on other texts", numberValue),
        },
    ],
    [
        "number",
        {
            takes: ["scalar"],
            least: 1,
            missingFine: true,
            result: ([value], risk) => {
                const converted = value.text?.values?.map((item) =>
                    /^-?(0|[1-9]\d*)(\.\d+)?([Ee][-+]?\d+)?$/.test(item) ? Number(item) : Number.NaN,
                );
                if (
                    value.text !== undefined &&
                    (converted === undefined || converted.some((item) => !Number.isFinite(item)))
                ) {
                    risk("$number fails on a text that is no number");
                }
                const parts: Value[] = [];
                if (value.text !== undefined) {
                    parts.push(
                        converted === undefined ||
                            converted.length === 0 ||
                            converted.some((item) => !Number.isFinite(item))
                            ? numberValue
                            : number(Math.min(...converted), Math.max(...converted)),
                    );
                }
                if (value.number !== undefined) {
                    parts.push(number(value.number.lo, value.number.hi));
                }
                if (value.true || value.false) {
                    parts.push(number(0, 1));
                }
                return parts.reduce(join, nothing);
            },
        },
    ],
    ["floor", { takes: ["number"], least: 1, missingFine: true, result: rounded(Math.floor) }],
    ["ceil", { takes: ["number"], least: 1, missingFine: true, result: rounded(Math.ceil) }],
    [
        "round",
        {
            takes: ["number", "number"],
            least: 1,
            missingFine: true,
            result: ([value]) =>
                value.number === undefined ? missing : number(Math.floor(value.number.lo), Math.ceil(value.number.hi)),
        },
    ],
    [
        "abs",
        {
            takes: ["number"],
            least: 1,
            missingFine: true,
            result: ([value]) =>
                value.number === undefined
                    ? missing
                    : number(
                          value.number.lo <= 0 && value.number.hi >= 0
                              ? 0
                              : Math.min(Math.abs(value.number.lo), Math.abs(value.number.hi)),
                          Math.max(Math.abs(value.number.lo), Math.abs(value.number.hi)),
                      ),
        },
    ],
    [
        "sqrt",
        {
            takes: ["number"],
            least: 1,
            missingFine: true,
            result: ([value], risk) => {
                if ((value.number?.lo ?? 0) < 0) {
                    risk("$sqrt fails on a negative number");
                }
                return number(0, Infinity);
            },
        },
    ],
    [
        "power",
        {
            takes: ["number", "number"],
            least: 2,
            missingFine: true,
            result: ([base, exponent], risk) => {
                const b = base.number;
                const e = exponent.number;
                if (b !== undefined && e !== undefined && b.lo >= 1 && e.lo >= 0) {
                    const hi = b.hi ** e.hi;
                    if (!Number.isFinite(hi)) {
                        risk("$power may be infinite, which is no JSON");
                    }
                    return number(b.lo ** e.lo, hi);
                }
                risk("$power may have no number as its result");
                return numberValue;
            },
        },
    ],
    ["random", { takes: ["number"], least: 0, result: () => number(0, 1) }],
    [
        "boolean",
        {
            takes: ["any"],
            least: 1,
            missingFine: true,
            result: ([value]) => (isNothing(present(value)) ? missing : booleanOf(present(value))),
        },
    ],
    [
        "not",
        {
            takes: ["any"],
            least: 1,
            missingFine: true,
            result: ([value]) => {
                if (isNothing(present(value))) {
                    return missing;
                }
                const { mayBeTrue, mayBeFalse } = truthOf(present(value));
                return { ...nothing, true: mayBeFalse, false: mayBeTrue };
            },
        },
    ],
    ["zip", { takes: ["array", "array", "array", "array"], least: 1, result: () => arrayOf(anyArray) }],
    [
        "reduce",
        {
            takes: ["array", "function", "any"],
            least: 2,
            missingFine: true,
            result: uncertain("the function that $reduce applies is not judged", anything),
        },
    ],
    ["map", { takes: ["array", "function"], least: 2, missingFine: true, result: () => anything }],
    ["filter", { takes: ["array", "function"], least: 2, missingFine: true, result: () => anything }],
    [
        "single",
        {
            takes: ["array", "function"],
            least: 1,
            missingFine: true,
            result: uncertain("$single fails unless there is exactly one", anything),
        },
    ],
    [
        "sift",
        {
            takes: ["object", "function"],
            least: 2,
            missingFine: true,
            result: () => orMissing(object(new Map(), true)),
        },
    ],
    ["each", { takes: ["object", "function"], least: 2, missingFine: true, result: () => anything }],
    ["keys", { takes: ["any"], least: 1, missingFine: true, result: () => anySequence(textValue) }],
    [
        "lookup",
        {
            takes: ["any", "text"],
            least: 2,
            missingFine: true,
            result: ([value, key]) => {
                const names = key.text?.values;
                const { object: set } = value;
                return set !== undefined && names !== undefined && only(value, "object", "missing")
                    ? names.map((name) => set.fields.get(name) ?? (set.open ? anything : missing)).reduce(join, nothing)
                    : anything;
            },
        },
    ],
    [
        "append",
        {
            takes: ["any", "any"],
            least: 2,
            result: ([left, right]) => {
                if (isNothing(present(left))) {
                    return right;
                }
                if (isNothing(present(right))) {
                    return left;
                }
                const a = itemsOf(left);
                const b = itemsOf(right);
                if (a.exact && b.exact && a.maybe.length === 0 && b.maybe.length === 0) {
                    return array([...a.sure, ...b.sure]);
                }
                const all = [...a.sure, ...a.maybe, ...b.sure, ...b.maybe].reduce(join, nothing);
                const result = join(arrayOf(all), left.missing || right.missing ? all : nothing);
                return left.missing && right.missing ? orMissing(result) : result;
            },
        },
    ],
    [
        "exists",
        {
            takes: ["any"],
            least: 1,
            result: ([value]) => ({ ...nothing, true: !isNothing(present(value)), false: value.missing }),
        },
    ],
    ["spread", { takes: ["any"], least: 1, missingFine: true, result: () => anything }],
    [
        "merge",
        {
            takes: ["any"],
            least: 1,
            missingFine: true,
            result: ([value], risk) => {
                const { sure, maybe, exact: known } = itemsOf(value);
                const all = [...sure, ...maybe];
                if (all.some((item) => !only(item, "object"))) {
                    risk("$merge takes objects only");
                }
                if (!known || maybe.length > 0) {
                    return object(new Map(), true);
                }
                const fields = new Map<string, Value>();
                let open = false;
                for (const item of all) {
                    if (item.object?.open === true) {
                        // A field that is not known may replace any that came before.
                        open = true;
                        for (const key of fields.keys()) {
                            fields.set(key, join(fields.get(key)!, anyJson));
                        }
                    }
                    for (const [key, field] of item.object?.fields ?? []) {
                        const before = fields.get(key);
                        fields.set(
                            key,
                            !field.missing ? field : join(before ?? (open ? anything : missing), present(field)),
                        );
                    }
                }
                return object(fields, open);
            },
        },
    ],
    ["reverse", { takes: ["array"], least: 1, missingFine: true, result: ([value]) => reordered(value) }],
    ["shuffle", { takes: ["array"], least: 1, missingFine: true, result: ([value]) => reordered(value) }],
    [
        "distinct",
        {
            takes: ["any"],
            least: 1,
            missingFine: true,
            result: ([value]) => {
                if (value.array === undefined) {
                    return value;
                }
                // Of a sequence, a single value that is left is no array.
                const element = elementOf(value.array);
                return join(
                    {
                        ...value,
                        array: {
                            element: value.array.element,
                            min: Math.min(1, value.array.min),
                            max: value.array.max,
                        },
                    },
                    isNothing(element) ? nothing : element,
                );
            },
        },
    ],
    [
        "sort",
        {
            takes: ["array", "function"],
            least: 1,
            missingFine: true,
            result: ([value], risk) => {
                const element = value.array === undefined ? present(value) : elementOf(value.array);
                if (!only(element, "number") && !only(element, "text")) {
                    risk("$sort takes numbers or texts only");
                }
                return reordered(value);
            },
        },
    ],
    ["error", { takes: ["text"], least: 0, result: uncertain("$error always fails", nothing) }],
    [
        "assert",
        {
            takes: ["boolean", "text"],
            least: 1,
            result: ([value], risk) => {
                if (value.false || !only(value, "boolean")) {
                    risk("$assert may fail");
                }
                return missing;
            },
        },
    ],
    ["type", { takes: ["any"], least: 1, missingFine: true, result: () => textOf({ min: 4, max: 9, prefix: "" }) }],
    ["base64encode", { takes: ["text"], least: 1, missingFine: true, result: toText }],
    ["base64decode", { takes: ["text"], least: 1, missingFine: true, result: toText }],
    [
        "encodeUrlComponent",
        {
            takes: ["text"],
            least: 1,
            missingFine: true,
            result: uncertain("$encodeUrlComponent fails on half a surrogate pair", textValue),
        },
    ],
    [
        "encodeUrl",
        {
            takes: ["text"],
            least: 1,
            missingFine: true,
            result: uncertain("$encodeUrl fails on half a surrogate pair", textValue),
        },
    ],
    [
        "decodeUrlComponent",
        {
            takes: ["text"],
            least: 1,
            missingFine: true,
            result: uncertain("$decodeUrlComponent fails on a malformed text", textValue),
        },
    ],
    [
        "decodeUrl",
        {
            takes: ["text"],
            least: 1,
            missingFine: true,
            result: uncertain("$decodeUrl fails on a malformed text", textValue),
        },
    ],
    [
        "toMillis",
        {
            takes: ["text", "text"],
            least: 1,
            missingFine: true,
            result: (values, risk) => {
                if (values[0].text?.timestamp === true && values.length === 1) {
                    return number(0, 253_402_300_799_999);
                }
                risk("$toMillis fails on a text that is no time");
                return orMissing(numberValue);
            },
        },
    ],
    [
        "fromMillis",
        {
            takes: ["number", "text", "text"],
            least: 1,
            missingFine: true,
            result: (values, risk) => {
                const range = values[0].number;
                if (values.length > 1 || range === undefined || range.lo < -8.64e15 || range.hi > 8.64e15) {
                    risk("$fromMillis fails on a wrong picture or a time out of range");
                    return textValue;
                }
                return textOf({ min: 20, max: 27, prefix: "", timestamp: true });
            },
        },
    ],
    ["now", { takes: ["text", "text"], least: 0, result: () => timestampText }],
    ["millis", { takes: [], least: 0, result: () => number(0, 253_402_300_799_999) }],
    ["clone", { takes: ["object or array"], least: 1, missingFine: true, result: ([value]) => value }],
    [
        "partition",
        {
            takes: ["array", "number"],
            least: 2,
            missingFine: true,
            result: uncertain("$partition fails unless its size is at least 1", arrayOf(anyArray)),
        },
    ],
    [
        "range",
        {
            takes: ["number", "number", "number"],
            least: 3,
            result: uncertain("$range fails on a step of 0 or more than 1,000 items", arrayOf(numberValue)),
        },
    ],
    [
        "hash",
        {
            takes: ["text", "text"],
            least: 1,
            missingFine: true,
            result: ([, algorithm], risk) => {
                const known = algorithm?.text?.values?.every((name) =>
                    ["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"].includes(name),
                );
                if (algorithm !== undefined && known !== true) {
                    risk("$hash fails on an unknown algorithm");
                }
                return textOf({ min: 32, max: 128, prefix: "" });
            },
        },
    ],
    ["uuid", { takes: [], least: 0, result: () => textOf({ min: 36, max: 36, prefix: "" }) }],
    [
        "parse",
        {
            takes: ["text"],
            least: 1,
            missingFine: true,
            result: uncertain("$parse fails on a text that is no JSON", anyJson),
        },
    ],
]);
