/** What states read: the variables of a JSONata expression, the paths of a JSONPath state. */
import { assignmentsOf } from "./assignments";
import { choiceRules, isFields } from "./definition";
import type { Role } from "./expressions";
import type { Node } from "./graph";
import { calledName, childrenOf, type Ast } from "./jsonata";
import { argumentsOf } from "./linear";
import { parseIntrinsic, parsePath, pathsIn, type ParsedPath } from "./paths";
import { templateLeaves } from "./templates";

interface Reads {
    readonly read: ReadonlySet<string>;
    readonly asked: ReadonlySet<string>;
}

const readsOf = new WeakMap<Ast, Reads>();

/** Variables of the workflow that an expression reads, and those of which it asks by $exists whether they are there. */
export function variablesIn(ast: Ast): Reads {
    let found = readsOf.get(ast);
    if (found === undefined) {
        found = findReads(ast);
        readsOf.set(ast, found);
    }
    return found;
}

/** Names that a step of a path binds: `items@$item`, `items#$index`. */
function boundBySteps({ focus, index, stages = [] }: Ast): readonly string[] {
    const names = [focus, index, ...stages.map(({ value }) => value)];
    return names.filter((name) => name !== undefined);
}

function findReads(ast: Ast): Reads {
    const read = new Set<string>();
    const bound = new Set<string>(["", "$", "states"]);
    const asked = new Set<string>();
    const work = [ast];
    for (let node = work.pop(); node !== undefined; node = work.pop()) {
        boundBySteps(node).forEach((name) => bound.add(name));
        if (node.type === "variable") {
            read.add(node.value);
        } else if (node.type === "lambda") {
            node.arguments.forEach((parameter) => bound.add(parameter.value));
        } else if (node.type === "bind") {
            bound.add(node.lhs.value);
        } else if (calledName(node) === "exists") {
            const name = firstName(argumentsOf(node)[0]);
            if (name !== undefined) {
                asked.add(name);
            }
        }
        work.push(...childrenOf(node));
    }
    bound.forEach((name) => read.delete(name));
    return { read, asked };
}

/** The variable that an expression begins with. */
function firstName(ast: Ast | undefined): string | undefined {
    const first = ast?.type === "path" ? ast.steps[0] : ast;
    return first?.type === "variable" ? first.value : undefined;
}

export interface StatePath {
    readonly path: ParsedPath;
    readonly text: string;
    /** Path below the state. */
    readonly at: string;
    readonly role: Role;
}

const pathsOf = new WeakMap<Node, readonly StatePath[]>();
const NONE: readonly StatePath[] = [];

/** Paths of a JSONPath state, with where they stand. */
export function statePaths(node: Node): readonly StatePath[] {
    let found = node.language === "JSONPath" ? pathsOf.get(node) : NONE;
    if (found === undefined) {
        found = readPaths(node);
        pathsOf.set(node, found);
    }
    return found;
}

const PATH_FIELDS = [
    "InputPath",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
    "ErrorPath",
    "CausePath",
    "OutputPath",
];
const TEMPLATE_FIELDS = ["Parameters", "ItemSelector", "Credentials", "ResultSelector"];

function readPaths(node: Node): StatePath[] {
    const { fields } = node;
    const found: StatePath[] = [];
    for (const field of PATH_FIELDS) {
        addPath(found, fields[field], field, "state");
    }
    for (const field of TEMPLATE_FIELDS) {
        addTemplate(found, fields[field], field, "state");
    }
    for (const { assign, at, role } of assignmentsOf(node)) {
        addTemplate(found, assign, at, role);
    }
    if (node.type === "Choice") {
        readRules(found, choiceRules(fields));
    }
    return found;
}

function addPath(found: StatePath[], value: unknown, at: string, role: Role): void {
    if (typeof value !== "string") {
        return;
    }
    if (value.startsWith("$")) {
        const path = parsePath(value);
        if (typeof path !== "string") {
            found.push({ path, text: value, at, role });
        }
    } else if (value.startsWith("States.")) {
        const call = parseIntrinsic(value);
        if (typeof call !== "string") {
            pathsIn(call).forEach((inner) => found.push({ ...inner, at, role }));
        }
    }
}

function addTemplate(found: StatePath[], template: unknown, at: string, role: Role): void {
    if (isFields(template)) {
        for (const leaf of templateLeaves(template)) {
            addPath(found, leaf.value, `${at}/${leaf.path}`, role);
        }
    }
}

/** Paths of the comparisons of a Choice. */
function readRules(found: StatePath[], rules: readonly unknown[]): void {
    const work = rules.map((rule, index) => ({ rule, at: `Choices/${index}` })).reverse();
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        const { rule, at } = item;
        for (const [key, value] of isFields(rule) ? Object.entries(rule) : []) {
            if (key === "Variable" || key.endsWith("Path")) {
                addPath(found, value, `${at}/${key}`, "choice");
            } else if (key === "Not") {
                work.push({ rule: value, at: `${at}/Not` });
            } else if ((key === "And" || key === "Or") && Array.isArray(value)) {
                value.forEach((part: unknown, index) => work.push({ rule: part, at: `${at}/${key}/${index}` }));
            }
        }
    }
}
