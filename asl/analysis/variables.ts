/**
 * Variables: what each may hold, where each is surely assigned, and which reads find nothing.
 *
 * A variable belongs to the scope that assigns it; inner scopes read it (a distributed Map's do not). What it may hold is the union over
 * all its assignments, found by iterating to a fixpoint with widening. Sure assignment is a forward analysis over bit sets.
 */
import type { Context } from "./context";
import { evaluate, type Environment } from "./evaluate";
import { describeSteps, type Step } from "./findings";
import {
    catchers,
    isFields,
    reachable,
    segment,
    type Edge,
    type Fields,
    type Graph,
    type Node,
    type Scope,
} from "./graph";
import { calledName, childrenOf, type Ast, type Expressions } from "./jsonata";
import { argumentsOf } from "./linear";
import { parseIntrinsic, parsePath, pathsIn, type Argument, type Call, type ParsedPath } from "./paths";
import { templateLeaves } from "./structure";
import {
    anyJson,
    anyNumber,
    anything,
    array,
    arrayOf,
    constant,
    equal,
    isNothing,
    join,
    missing,
    nothing,
    number,
    object,
    orMissing,
    textOf,
    textValue,
    widen,
    type Value,
} from "./values";
import { expressionIn, expressionsOf, type Expression } from "./walk";
import { lastStep, type Ways } from "./ways";

export type Role = "state" | "choice" | "catch";

interface Site {
    readonly node: Node;
    readonly role: Role;
    readonly name: string;
    readonly value: unknown;
    /** JSONPath: the key ended in ".$". */
    readonly dynamic: boolean;
}

const roundsBeforeWidening = 3;
const mostRounds = 12;

const timestamp = textOf({ min: 20, max: 29, prefix: "", timestamp: true });
const name80 = textOf({ min: 1, max: 80, prefix: "" });
/** $states.context; https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
const contextObject = object(
    new Map([
        [
            "Execution",
            object(
                new Map<string, Value>([
                    ["Id", textOf({ min: 20, max: 300, prefix: "arn:" })],
                    ["Input", anyJson],
                    ["Name", name80],
                    ["RoleArn", textOf({ min: 20, max: 300, prefix: "arn:" })],
                    ["StartTime", timestamp],
                    ["RedriveCount", number(0, 1000)],
                    ["RedriveTime", orMissing(timestamp)],
                ]),
                true,
            ),
        ],
        [
            "State",
            object(
                new Map([
                    ["EnteredTime", timestamp],
                    ["Name", name80],
                    ["RetryCount", number(0, 99_999_999)],
                ]),
                true,
            ),
        ],
        [
            "StateMachine",
            object(
                new Map([
                    ["Id", textOf({ min: 20, max: 300, prefix: "arn:" })],
                    ["Name", name80],
                ]),
                true,
            ),
        ],
        ["Task", orMissing(object(new Map([["Token", textValue]]), true))],
        ["Map", anything],
    ]),
    true,
);

const errorOutput = object(
    new Map([
        ["Error", orMissing(textValue)],
        ["Cause", orMissing(textValue)],
    ]),
    true,
);

/** All assignments that take effect when the edge is taken. */
export const assignsOf = (edge: Edge): Fields => (isFields(edge.holder.Assign) ? edge.holder.Assign : {});

const plain = (key: string, node: Node): string =>
    node.language === "JSONPath" && key.endsWith(".$") ? key.slice(0, -2) : key;

/** The map of a scope, made when there is none. */
function entryOf<T>(maps: Map<Scope, Map<string, T>>, scope: Scope): Map<string, T> {
    const found = maps.get(scope) ?? new Map<string, T>();
    maps.set(scope, found);
    return found;
}

export class Variables {
    private readonly sites: Site[] = [];
    private readonly owned = new Map<Scope, Map<string, Value>>();
    private readonly byName = new Map<Scope, Map<string, Site[]>>();
    /** What scopes and states put out, once the variables are settled: a join of many branches asks for all of them, for each of them. */
    private readonly outputs = new Map<Scope | Node, Value>();
    private settled = false;

    constructor(
        private readonly graph: Graph,
        private readonly expressions: Expressions,
    ) {
        for (const node of graph.nodes) {
            this.collect(node, node.fields.Assign, "state");
            for (const catcher of catchers(node.fields)) {
                this.collect(node, catcher.fields.Assign, "catch");
            }
            if (node.type === "Choice" && Array.isArray(node.fields.Choices)) {
                for (const rule of node.fields.Choices as unknown[]) {
                    this.collect(node, isFields(rule) ? rule.Assign : undefined, "choice");
                }
            }
        }
        this.solve();
        this.settled = true;
    }

    private collect(node: Node, assign: unknown, role: Role): void {
        if (!isFields(assign)) {
            return;
        }
        for (const [key, value] of Object.entries(assign)) {
            const name = plain(key, node);
            const site: Site = { node, role, name, value, dynamic: name !== key };
            this.sites.push(site);
            entryOf(this.owned, node.scope).set(name, nothing);
            const named = entryOf(this.byName, node.scope);
            const sites = named.get(name);
            if (sites === undefined) {
                named.set(name, [site]);
            } else {
                sites.push(site);
            }
        }
    }

    private solve(): void {
        for (let round = 0; round < mostRounds; round += 1) {
            let changed = false;
            for (const site of this.sites) {
                const owned = this.owned.get(site.node.scope)!;
                const before = owned.get(site.name)!;
                const value = round === mostRounds - 1 ? anything : this.assigned(site);
                let after = join(before, value);
                if (round >= roundsBeforeWidening) {
                    after = widen(before, after);
                }
                if (!equal(before, after)) {
                    owned.set(site.name, after);
                    changed = true;
                }
            }
            if (!changed) {
                return;
            }
        }
    }

    private assigned(site: Site): Value {
        if (site.node.language === "JSONata") {
            return this.template(site.value, this.environment(site.node, site.role)).value;
        }
        if (!site.dynamic) {
            return typeof site.value === "object" && site.value !== null && templateLeaves(site.value).length > 0
                ? anyJson
                : constant(site.value);
        }
        return typeof site.value === "string" ? this.pathValue(site.value, site.node) : anyJson;
    }

    /** What a JSONPath or a call may yield, as far as counters need it. */
    private pathValue(source: string, node: Node): Value {
        if (source.startsWith("$")) {
            const path = parsePath(source);
            return typeof path !== "string" &&
                typeof path.root === "object" &&
                path.segments.length === 0 &&
                path.definite
                ? (this.lookup(path.root.variable, node.scope) ?? anyJson)
                : anyJson;
        }
        const call = parseIntrinsic(source);
        return typeof call === "string" ? anyJson : this.callValue(call, node);
    }

    private callValue(call: Call, node: Node): Value {
        const values = call.arguments.map((argument: Argument) =>
            argument.kind === "constant"
                ? constant(argument.value)
                : argument.kind === "call"
                  ? this.callValue(argument.call, node)
                  : this.pathValue(argument.text, node),
        );
        switch (call.name) {
            case "States.MathAdd": {
                const [a, b] = values.map((value) => value.number ?? anyNumber);
                return number(a.lo + b.lo, a.hi + b.hi);
            }
            case "States.ArrayLength":
                return number(0, Infinity);
            case "States.MathRandom":
                return number(values[0].number?.lo ?? -Infinity, values[1].number?.hi ?? Infinity);
            case "States.UUID":
                return textOf({ min: 36, max: 36, prefix: "" });
            case "States.Format":
                return textValue;
            default:
                return anyJson;
        }
    }

    /** The variable that a state of this scope reads by the name. */
    lookup(name: string, from: Scope): Value | undefined {
        for (
            let scope: Scope | undefined = from;
            scope !== undefined;
            scope = scope.isolated ? undefined : scope.owner?.scope
        ) {
            const value = this.owned.get(scope)?.get(name);
            if (value !== undefined) {
                return value;
            }
        }
        return undefined;
    }

    /** The scope whose variable is read by the name. */
    ownerOf(name: string, from: Scope): Scope | undefined {
        for (
            let scope: Scope | undefined = from;
            scope !== undefined;
            scope = scope.isolated ? undefined : scope.owner?.scope
        ) {
            if (this.owned.get(scope)?.has(name) === true) {
                return scope;
            }
        }
        return undefined;
    }

    /** The scope around a Parallel or Map whose variable of this name an assignment inside it would shadow. */
    shadowed(name: string, around: Node): Scope | undefined {
        for (let owner: Node | undefined = around; owner !== undefined; owner = owner.scope.owner) {
            const { scope } = owner;
            const sites = this.byName.get(scope)?.get(name) ?? [];
            if (sites.some((site) => site.role !== "catch" || site.node !== owner)) {
                return scope;
            }
            if (scope.isolated) {
                return undefined;
            }
        }
        return undefined;
    }

    names(scope: Scope): Iterable<string> {
        return this.owned.get(scope)?.keys() ?? [];
    }

    /** What expressions of a state see. `overrides` replaces variables, `result` the state's own result. */
    environment(
        node: Node,
        role: Role,
        overrides: ReadonlyMap<string, Value> = new Map(),
        result?: Value,
    ): Environment {
        const fields = new Map<string, Value>([
            ["input", anyJson],
            ["context", contextObject],
        ]);
        if (role === "catch") {
            fields.set("errorOutput", errorOutput);
        } else if (node.type === "Task" || node.type === "Parallel" || node.type === "Map") {
            fields.set("result", result ?? this.resultOf(node, overrides));
        }
        const states = object(fields);
        return {
            variables: (name) => (name === "states" ? states : (overrides.get(name) ?? this.lookup(name, node.scope))),
            facts: new Map(),
            locals: new Map(),
            focus: missing,
        };
    }

    /** The result of a Task, Parallel or Map before its Output. */
    resultOf(node: Node, overrides: ReadonlyMap<string, Value> = new Map()): Value {
        if (node.type === "Parallel") {
            return array(node.inner.map((scope) => this.outputOf(scope, overrides)));
        }
        if (node.type === "Map") {
            return arrayOf(anyJson);
        }
        const resource = node.fields.Resource;
        if (typeof resource === "string" && /:states:[^:]*:[^:]*:lambda:invoke/.test(resource)) {
            return object(
                new Map([
                    ["Payload", anyJson],
                    ["StatusCode", number(100, 599)],
                ]),
                true,
            );
        }
        return anyJson;
    }

    /** What a scope that ends with success may put out. */
    outputOf(scope: Scope, overrides: ReadonlyMap<string, Value> = new Map()): Value {
        return this.once(scope, overrides.size === 0, () => this.findOutput(scope, overrides));
    }

    private once(of: Scope | Node, repeatable: boolean, find: () => Value): Value {
        if (!this.settled || !repeatable) {
            return find();
        }
        let value = this.outputs.get(of);
        if (value === undefined) {
            value = find();
            this.outputs.set(of, value);
        }
        return value;
    }

    private findOutput(scope: Scope, overrides: ReadonlyMap<string, Value>): Value {
        const seen = reachable(scope);
        let value = nothing;
        for (const node of scope.nodes) {
            if (node.ends === "success" && seen[node.index] === 1) {
                value = join(value, this.stateOutput(node, overrides));
            }
        }
        return isNothing(value) ? anyJson : value;
    }

    /** What a state hands to the next one. */
    stateOutput(node: Node, overrides: ReadonlyMap<string, Value> = new Map(), result?: Value): Value {
        return this.once(node, overrides.size === 0 && result === undefined, () =>
            this.findStateOutput(node, overrides, result),
        );
    }

    private findStateOutput(node: Node, overrides: ReadonlyMap<string, Value>, result: Value | undefined): Value {
        const { fields, language, type } = node;
        if (language === "JSONPath") {
            const replaces = fields.ResultPath === undefined || fields.ResultPath === "$";
            return type === "Pass" && fields.Result !== undefined && replaces && fields.OutputPath === undefined
                ? constant(fields.Result)
                : anyJson;
        }
        if (fields.Output !== undefined) {
            return this.template(fields.Output, this.environment(node, "state", overrides, result)).value;
        }
        return result ?? (type === "Parallel" ? this.resultOf(node, overrides) : anyJson);
    }

    /** A JSON value with expressions in it. */
    template(value: unknown, environment: Environment): { readonly value: Value; readonly risks: readonly string[] } {
        const risks: string[] = [];
        const of = (part: unknown): Value => {
            const code = expressionIn(part);
            if (code !== undefined) {
                const parsed = this.expressions.parse(code);
                if (parsed.ast === undefined) {
                    return anyJson;
                }
                const result = evaluate(parsed.ast, environment);
                risks.push(...result.risks);
                if (result.value.missing) {
                    risks.push("it may have no value");
                }
                return result.value.missing ? { ...result.value, missing: false } : result.value;
            }
            if (Array.isArray(part)) {
                return array(part.map(of));
            }
            if (isFields(part)) {
                return object(new Map(Object.entries(part).map(([key, item]) => [key, of(item)])));
            }
            return constant(part);
        };
        return { value: of(value), risks };
    }
}

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
    for (const name of bound) {
        read.delete(name);
    }
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

/** Paths of a JSONPath state, with where they stand. */
export function statePaths(node: Node): readonly StatePath[] {
    let found = node.language === "JSONPath" ? pathsOf.get(node) : [];
    if (found === undefined) {
        found = readPaths(node);
        pathsOf.set(node, found);
    }
    return found;
}

function readPaths(node: Node): StatePath[] {
    const found: StatePath[] = [];
    const add = (value: unknown, at: string, role: Role): void => {
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
    };
    const { fields } = node;
    for (const field of [
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
    ]) {
        add(fields[field], field, "state");
    }
    for (const field of ["Parameters", "ItemSelector", "Credentials", "ResultSelector", "Assign"]) {
        if (isFields(fields[field])) {
            templateLeaves(fields[field]).forEach((leaf) => add(leaf.value, `${field}/${leaf.path}`, "state"));
        }
    }
    for (const catcher of catchers(fields)) {
        if (isFields(catcher.fields.Assign)) {
            templateLeaves(catcher.fields.Assign).forEach((leaf) =>
                add(leaf.value, `Catch/${catcher.index}/Assign/${leaf.path}`, "catch"),
            );
        }
    }
    if (node.type === "Choice" && Array.isArray(fields.Choices)) {
        const work = (fields.Choices as unknown[]).map((rule, index) => ({ rule, at: `Choices/${index}` })).reverse();
        for (let item = work.pop(); item !== undefined; item = work.pop()) {
            const { rule, at } = item;
            if (!isFields(rule)) {
                continue;
            }
            for (const [key, value] of Object.entries(rule)) {
                if (key === "Variable" || key.endsWith("Path")) {
                    add(value, `${at}/${key}`, "choice");
                } else if (key === "And" || key === "Or") {
                    if (Array.isArray(value)) {
                        value.forEach((part: unknown, index) => work.push({ rule: part, at: `${at}/${key}/${index}` }));
                    }
                } else if (key === "Not") {
                    work.push({ rule: value, at: `${at}/Not` });
                } else if (key === "Assign" && isFields(value)) {
                    templateLeaves(value).forEach((leaf) => add(leaf.value, `${at}/Assign/${leaf.path}`, "choice"));
                }
            }
        }
    }
    return found;
}

export function checkVariables(context: Context, ways: Ways, variables: Variables): void {
    const { graph } = context;
    const numbers = new Map<string, number>();
    for (const scope of graph.scopes) {
        for (const name of variables.names(scope)) {
            if (!numbers.has(name)) {
                numbers.set(name, numbers.size);
            }
        }
    }
    shadowing(context, variables);
    const words = Math.max(1, Math.ceil(numbers.size / 32));
    const entry = new Map<Node, Uint32Array>();
    const adds = new Map<Fields, readonly number[]>();
    const added = (edge: Edge): readonly number[] => {
        let list = adds.get(edge.holder);
        if (list === undefined) {
            list = Object.keys(assignsOf(edge)).map((key) => numbers.get(plain(key, edge.from))!);
            adds.set(edge.holder, list);
        }
        return list;
    };
    for (const scope of graph.scopes) {
        if (scope.start === undefined) {
            continue;
        }
        const outer = scope.owner === undefined || scope.isolated ? undefined : entry.get(scope.owner);
        assignedAt(scope, outer ?? new Uint32Array(words), added, entry);
    }
    for (const node of graph.nodes) {
        const at = entry.get(node);
        if (at !== undefined) {
            unassigned(context, ways, variables, node, (name) => {
                const index = numbers.get(name);
                return index !== undefined && (at[index >> 5] & (1 << (index & 31))) !== 0;
            });
        }
    }
}

/** Which variables every way to a state has assigned. */
function assignedAt(
    scope: Scope,
    outer: Uint32Array,
    added: (edge: Edge) => readonly number[],
    entry: Map<Node, Uint32Array>,
): void {
    entry.set(scope.start!, Uint32Array.from(outer));
    const queue: Node[] = [scope.start!];
    const queued = new Uint8Array(scope.nodes.length);
    const out = new Uint32Array(outer.length);
    for (let at = 0; at < queue.length; at += 1) {
        const node = queue[at];
        queued[node.index] = 0;
        const here = entry.get(node)!;
        for (const edge of node.out) {
            out.set(here);
            for (const index of added(edge)) {
                out[index >> 5] |= 1 << (index & 31);
            }
            const there = entry.get(edge.to);
            let changed = false;
            if (there === undefined) {
                entry.set(edge.to, Uint32Array.from(out));
                changed = true;
            } else {
                for (let word = 0; word < there.length; word += 1) {
                    const both = there[word] & out[word];
                    if (both >>> 0 !== there[word]) {
                        there[word] = both;
                        changed = true;
                    }
                }
            }
            if (changed && queued[edge.to.index] === 0) {
                queued[edge.to.index] = 1;
                queue.push(edge.to);
            }
        }
    }
}

/**
 * An inner scope assigns no variable of an outer one: AWS refuses that. What catchers of the Parallel or Map around the inner scope assign
 * is no such variable: AWS accepted and ran one of that name in a branch and in the Parallel's own catcher (recorded, November 2024).
 */
function shadowing(context: Context, variables: Variables): void {
    for (const node of context.graph.nodes) {
        const { owner, isolated } = node.scope;
        if (owner === undefined || isolated) {
            continue;
        }
        for (const { assign, at } of assignments(node)) {
            for (const key of Object.keys(assign)) {
                const name = plain(key, node);
                const holder = variables.shadowed(name, owner);
                if (holder !== undefined) {
                    const whose = holder.owner === undefined ? "the state machine" : `"${holder.owner.name}"`;
                    context.report.add({
                        rule: "variable-shadowed",
                        path: `${node.path}/${at}/${segment(key)}`,
                        state: node.name,
                        message:
                            `"$${name}" is a variable of ${whose}: an inner scope can read it, but neither assign nor shadow it. ` +
                            `Use another name, and hand the value out by Output.`,
                    });
                }
            }
        }
    }
}

/** Every Assign of a state, with its path below the state. */
function assignments(node: Node): { readonly assign: Fields; readonly at: string }[] {
    const choices: readonly unknown[] =
        node.type === "Choice" && Array.isArray(node.fields.Choices) ? node.fields.Choices : [];
    const all = [
        { assign: node.fields.Assign, at: "Assign" },
        ...catchers(node.fields).map(({ fields, index }) => ({ assign: fields.Assign, at: `Catch/${index}/Assign` })),
        ...choices.map((rule, index) => ({
            assign: isFields(rule) ? rule.Assign : undefined,
            at: `Choices/${index}/Assign`,
        })),
    ];
    return all.flatMap(({ assign, at }) => (isFields(assign) ? [{ assign, at }] : []));
}

function unassigned(
    context: Context,
    ways: Ways,
    variables: Variables,
    node: Node,
    sure: (name: string) => boolean,
): void {
    const told = new Set<string>();
    const read = (name: string, at: string): void => {
        if (sure(name) || told.has(name)) {
            return;
        }
        told.add(name);
        const owner = variables.ownerOf(name, node.scope);
        if (owner === undefined) {
            const inner = context.graph.scopes.find((scope) => [...variables.names(scope)].includes(name));
            context.report.add({
                rule: "variable-unassigned",
                path: `${node.path}/${at}`,
                state: node.name,
                message:
                    inner === undefined
                        ? `No state assigns the variable "$${name}".`
                        : `"$${name}" is assigned only ${inner.owner === undefined ? "outside, and a distributed Map does not see outer variables" : `inside "${inner.owner.name}", and ends with it`}.`,
            });
            return;
        }
        // The state of the variable's own scope behind which this read happens.
        let reader = node;
        while (reader.scope !== owner) {
            reader = reader.scope.owner!;
        }
        const assigns = (edge: Edge): boolean =>
            Object.keys(assignsOf(edge)).some((key) => plain(key, edge.from) === name);
        const way =
            owner.start === undefined
                ? undefined
                : ways.between(
                      owner.start,
                      (to) => to === reader,
                      (edge) => !assigns(edge),
                  );
        const before: readonly Step[] =
            owner.owner === undefined
                ? []
                : [...ways.to(owner.owner), { ...lastStep(owner.owner, "enter"), index: owner.branch }];
        const steps =
            way === undefined
                ? undefined
                : [
                      ...before,
                      ...way.steps,
                      lastStep(
                          reader,
                          reader === node ? "error" : "enter",
                          reader === node ? "States.QueryEvaluationError" : undefined,
                      ),
                  ];
        context.report.add({
            rule: "variable-unassigned",
            path: `${node.path}/${at}`,
            state: node.name,
            message: `"$${name}" is read here, and a way leads here on which no state has assigned it.`,
            counterExample: steps,
            counterExampleText:
                steps === undefined ? undefined : describeSteps(steps, `$${name} is read before it is assigned`),
        });
    };
    if (node.language === "JSONata") {
        for (const expression of expressionsOf(node)) {
            const parsed = context.expressions.parse(expression.code);
            if (parsed.ast !== undefined) {
                const { read: names, asked } = variablesIn(parsed.ast);
                names.forEach((name) => {
                    if (!asked.has(name)) {
                        read(name, expression.path);
                    }
                });
            }
        }
        return;
    }
    for (const { path, at } of statePaths(node)) {
        if (typeof path.root === "object") {
            read(path.root.variable, at);
        }
    }
}

export type { Expression };
