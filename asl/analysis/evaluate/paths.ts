/** Paths: fields, steps over items, filters, groups, sorting. */
import type { Ast, Group, PathAst, SortAst, Stage } from "../jsonata";
import {
    anything,
    arrayOf,
    elementOf,
    isNothing,
    join,
    missing,
    nothing,
    object,
    only,
    orMissing,
    present,
    type ArraySet,
    type Value,
} from "../values";
import { stepsKey, type Environment, type Evaluation } from "./environment";
import { allOf, anySequence, anySequenceOf, asArray, flat, itemsOf, joined, sequence } from "./sequences";
import { truthOf } from "./truth";

export function path(evaluation: Evaluation, ast: PathAst, environment: Environment): Value {
    const { steps } = ast;
    let value = environment.focus;
    for (const [index, step] of steps.entries()) {
        if (step.tuple === true || step.focus !== undefined || step.index !== undefined) {
            evaluation.risk("a path with @, # or % is not judged");
            return anything;
        }
        value = settled(steps, index, environment) ?? stepFrom(evaluation, step, value, environment, index === 0);
    }
    if (ast.group !== undefined) {
        return group(evaluation, ast.group, value, environment);
    }
    return ast.keepSingletonArray === true ? asArray(value) : value;
}

/** What a condition has settled about the first steps of a path. */
function settled(steps: readonly Ast[], index: number, environment: Environment): Value | undefined {
    if (environment.facts.size === 0 || index === steps.length - 1) {
        return undefined;
    }
    const key = stepsKey(steps.slice(0, index + 1));
    return key === undefined ? undefined : environment.facts.get(key);
}

/** The field of an object, or those of an array's objects. */
export function fieldOf(value: Value, name: string): Value {
    let result: Value = only(value, "object", "array") ? nothing : missing;
    if (value.object !== undefined) {
        const unknown = value.object.open ? anything : missing;
        result = join(result, value.object.fields.get(name) ?? unknown);
    }
    return value.array === undefined ? result : join(result, fieldOfItems(value.array, name));
}

function fieldOfItems(array: ArraySet, name: string): Value {
    if (array.items !== undefined) {
        return flat(array.items.map((item) => fieldOf(item, name)));
    }
    if (array.element === undefined) {
        // Of an array of any JSON values nothing is known, however deep.
        return array.max === 0 ? missing : anything;
    }
    const each = fieldOf(elementOf(array), name);
    return isNothing(present(each)) ? missing : anySequenceOf(each);
}

function stepFrom(evaluation: Evaluation, step: Ast, value: Value, environment: Environment, isFirst: boolean): Value {
    if (step.type === "name") {
        return step.stages === undefined
            ? fieldOf(value, step.value)
            : filteredField(evaluation, step.value, step.stages, value, environment);
    }
    if (isFirst && step.type === "variable" && step.stages === undefined) {
        return evaluation.run(step, environment);
    }
    if (step.type === "sort") {
        sort(evaluation, step, value, environment);
        return value;
    }
    return eachItem(evaluation, step, value, environment, isFirst);
}

const throughStages = (
    evaluation: Evaluation,
    stages: readonly Stage[],
    value: Value,
    environment: Environment,
): Value => stages.reduce((inner, stage) => filter(evaluation, inner, stage.expr, environment), value);

/** `name[...]`: the filter applies to the field of each item. */
function filteredField(
    evaluation: Evaluation,
    name: string,
    stages: readonly Stage[],
    value: Value,
    environment: Environment,
): Value {
    const items = itemsOf(value);
    const filtered = (item: Value): Value => throughStages(evaluation, stages, fieldOf(item, name), environment);
    const isSequence = value.array !== undefined;
    let result: Value;
    if (isSequence && items.exact) {
        result = flat(items.sure.map(filtered));
    } else {
        const all = flat(allOf(items).map(filtered));
        result = isSequence ? anySequenceOf(all) : all;
        result = items.maybe.length > 0 ? orMissing(result) : result;
    }
    return value.missing ? orMissing(result) : result;
}

function sort(evaluation: Evaluation, step: SortAst, value: Value, environment: Environment): void {
    const items = allOf(itemsOf(value));
    for (const { expression } of step.terms) {
        for (const focus of items) {
            const by = evaluation.run(expression, { ...environment, focus });
            if (!only(by, "number", "missing") && !only(by, "text", "missing")) {
                evaluation.risk("it sorts by values that may be neither numbers nor texts");
            }
        }
    }
}

/** Any other step is evaluated with each item as its context. */
function eachItem(evaluation: Evaluation, step: Ast, value: Value, environment: Environment, isFirst: boolean): Value {
    const items = itemsOf(value);
    const each = (focus: Value): Value => {
        const inner = evaluation.run(step, { ...environment, focus });
        return throughStages(evaluation, step.stages ?? [], inner, environment);
    };
    if (allOf(items).length === 0) {
        return isFirst ? each(missing) : missing;
    }
    if (!items.exact) {
        return anySequence(present(joined(allOf(items).map(each))));
    }
    return flat([...items.sure.map(each), ...items.maybe.map((item) => orMissing(each(item)))]);
}

/** `[...]` */
export function filter(evaluation: Evaluation, value: Value, predicate: Ast, environment: Environment): Value {
    const { sure, maybe, exact } = itemsOf(value);
    if (predicate.type === "number") {
        return itemAt(value, Math.floor(predicate.value));
    }
    const kept: Value[] = [];
    const possible: Value[] = [];
    const judge = (item: Value, isCertain: boolean): void => {
        const answer = evaluation.judged(predicate, item, environment);
        const { mayBeTrue, mayBeFalse } = truthOf(answer);
        if (mayBePosition(answer)) {
            possible.push(item);
        } else if (mayBeTrue) {
            (isCertain && !mayBeFalse ? kept : possible).push(item);
        }
    };
    sure.forEach((item) => judge(item, exact));
    maybe.forEach((item) => judge(item, false));
    if (exact) {
        return sequence(kept, possible);
    }
    const all = [...kept, ...possible];
    return all.length === 0 ? missing : anySequence(joined(all));
}

function itemAt(value: Value, index: number): Value {
    const { sure, maybe, exact } = itemsOf(value);
    if (exact && maybe.length === 0) {
        return sure.at(index) ?? missing;
    }
    const all = [...sure, ...maybe];
    return all.length === 0 ? missing : orMissing(joined(all));
}

/** A predicate that gives a number, or several, is no condition but a position. */
function mayBePosition({ number, array }: Value): boolean {
    return (
        number !== undefined || (array !== undefined && !only(elementOf(array), "text", "boolean", "object", "null"))
    );
}

/** `{...}` behind an expression: one object of all items. */
export function group(evaluation: Evaluation, ast: Group, value: Value, environment: Environment): Value {
    const fields = new Map<string, Value>();
    let isOpen = false;
    const items = allOf(itemsOf(value));
    const focus = items.length === 0 ? missing : joined(items);
    const all = items.length > 1 || value.array !== undefined ? join(focus, arrayOf(focus)) : focus;
    for (const [key, entry] of ast.lhs) {
        const name = evaluation.run(key, { ...environment, focus });
        if (!only(name, "text", "missing")) {
            evaluation.risk("a key of an object is no text");
        }
        const result = evaluation.run(entry, { ...environment, focus: all });
        const known = onlyText(name);
        if (known === undefined) {
            isOpen = true;
            continue;
        }
        if (fields.has(known)) {
            evaluation.risk("two fields of an object have the same name");
        }
        fields.set(known, name.missing ? orMissing(result) : result);
    }
    return object(fields, isOpen);
}

/** The one text that a value has, if it is one. */
export function onlyText({ text }: Value): string | undefined {
    const [first, second] = text?.values ?? [];
    return second === undefined ? first : undefined;
}
