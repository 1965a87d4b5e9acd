/**
 * What variables may hold. A variable belongs to the scope that assigns it; inner scopes read it (a distributed Map's do
 * not). What it may hold is the union over all its assignments, found by iterating to a fixpoint with widening.
 */
import { assignmentsOf, variableOf } from "./assignments";
import { CONTEXT_OBJECT, ERROR_OUTPUT } from "./contextObject";
import { isCatching, isFields } from "./definition";
import { evaluate, type Environment } from "./evaluate";
import { expressionIn, type Role } from "./expressions";
import { reachableNodes, type Graph, type Node, type Scope } from "./graph";
import type { Expressions } from "./jsonata";
import { parseIntrinsic, parsePath, type Argument, type Call } from "./paths";
import { templateLeaves } from "./templates";
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
    textOf,
    textValue,
    widen,
    type Value,
} from "./values";

/** One assignment of a variable. */
interface Site {
    readonly node: Node;
    readonly role: Role;
    readonly name: string;
    readonly value: unknown;
    /** JSONPath: the key ended in ".$". */
    readonly isDynamic: boolean;
}

const ROUNDS_BEFORE_WIDENING = 3;
const MOST_ROUNDS = 12;

/** Values that stand in for those of variables. */
export type Overrides = ReadonlyMap<string, Value>;
const NO_OVERRIDES: Overrides = new Map();

/** The map of a scope, made when there is none. */
function mapOf<T>(maps: Map<Scope, Map<string, T>>, scope: Scope): Map<string, T> {
    const found = maps.get(scope) ?? new Map<string, T>();
    maps.set(scope, found);
    return found;
}

/** The scopes whose variables a state of the scope sees, from the inside outwards. */
function* visibleFrom(from: Scope): Generator<Scope> {
    let scope: Scope | undefined = from;
    while (scope !== undefined) {
        yield scope;
        scope = scope.isolated ? undefined : scope.owner?.scope;
    }
}

export class Variables {
    private readonly sites: Site[] = [];
    private readonly owned = new Map<Scope, Map<string, Value>>();
    private readonly byName = new Map<Scope, Map<string, Site[]>>();
    /** What scopes and states put out, once the variables are settled: a join of many branches asks for all of them. */
    private readonly outputs = new Map<Scope | Node, Value>();
    private readonly isSettled: boolean = false;

    constructor(
        graph: Graph,
        private readonly expressions: Expressions,
    ) {
        graph.nodes.forEach((node) => this.collect(node));
        this.solve();
        this.isSettled = true;
    }

    private collect(node: Node): void {
        for (const { assign, role } of assignmentsOf(node)) {
            for (const key of Object.keys(assign)) {
                const name = variableOf(key, node);
                const site: Site = { node, role, name, value: assign[key], isDynamic: name !== key };
                this.sites.push(site);
                mapOf(this.owned, node.scope).set(name, nothing);
                const named = mapOf(this.byName, node.scope);
                const sites = named.get(name);
                if (sites === undefined) {
                    named.set(name, [site]);
                } else {
                    sites.push(site);
                }
            }
        }
    }

    private solve(): void {
        for (let round = 0; round < MOST_ROUNDS; round += 1) {
            let isChanged = false;
            for (const site of this.sites) {
                isChanged = this.solveSite(site, round) || isChanged;
            }
            if (!isChanged) {
                return;
            }
        }
    }

    /** Adds what one assignment may give; says whether that is new. */
    private solveSite(site: Site, round: number): boolean {
        const owned = mapOf(this.owned, site.node.scope);
        const before = owned.get(site.name) ?? nothing;
        const value = round === MOST_ROUNDS - 1 ? anything : this.assigned(site);
        const both = join(before, value);
        const after = round >= ROUNDS_BEFORE_WIDENING ? widen(before, both) : both;
        if (equal(before, after)) {
            return false;
        }
        owned.set(site.name, after);
        return true;
    }

    private assigned({ isDynamic, node, role, value }: Site): Value {
        if (node.language === "JSONata") {
            return this.template(value, this.environment(node, role)).value;
        }
        if (isDynamic) {
            return typeof value === "string" ? this.pathValue(value, node) : anyJson;
        }
        return templateLeaves(value).length > 0 ? anyJson : constant(value);
    }

    /** What a JSONPath or a call may yield, as far as counters need it. */
    private pathValue(source: string, node: Node): Value {
        if (!source.startsWith("$")) {
            const call = parseIntrinsic(source);
            return typeof call === "string" ? anyJson : this.callValue(call, node);
        }
        const path = parsePath(source);
        const isVariable =
            typeof path !== "string" && typeof path.root === "object" && path.segments.length === 0 && path.definite;
        const name = isVariable && typeof path.root === "object" ? path.root.variable : undefined;
        return (name === undefined ? undefined : this.lookup(name, node.scope)) ?? anyJson;
    }

    private callValue(call: Call, node: Node): Value {
        const [first, second] = call.arguments.map((argument) => this.argumentValue(argument, node));
        switch (call.name) {
            case "States.MathAdd": {
                const a = first?.number ?? anyNumber;
                const b = second?.number ?? anyNumber;
                return number(a.lo + b.lo, a.hi + b.hi);
            }
            case "States.ArrayLength":
                return number(0, Infinity);
            case "States.MathRandom":
                return number(first?.number?.lo ?? -Infinity, second?.number?.hi ?? Infinity);
            case "States.UUID":
                return textOf({ min: 36, max: 36, prefix: "" });
            case "States.Format":
                return textValue;
            default:
                return anyJson;
        }
    }

    private argumentValue(argument: Argument, node: Node): Value {
        switch (argument.kind) {
            case "constant":
                return constant(argument.value);
            case "call":
                return this.callValue(argument.call, node);
            case "path":
                return this.pathValue(argument.text, node);
        }
    }

    /** The variable that a state of this scope reads by the name. */
    lookup(name: string, from: Scope): Value | undefined {
        const owner = this.ownerOf(name, from);
        return owner === undefined ? undefined : this.owned.get(owner)?.get(name);
    }

    /** The scope whose variable is read by the name. */
    ownerOf(name: string, from: Scope): Scope | undefined {
        for (const scope of visibleFrom(from)) {
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
    environment(node: Node, role: Role, overrides: Overrides = NO_OVERRIDES, result?: Value): Environment {
        const fields = new Map<string, Value>([
            ["input", anyJson],
            ["context", CONTEXT_OBJECT],
        ]);
        if (role === "catch") {
            fields.set("errorOutput", ERROR_OUTPUT);
        } else if (isCatching(node.type)) {
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
    private resultOf(node: Node, overrides: Overrides): Value {
        if (node.type === "Parallel") {
            return array(node.inner.map((scope) => this.outputOf(scope, overrides)));
        }
        if (node.type === "Map") {
            return arrayOf(anyJson);
        }
        const { Resource: resource } = node.fields;
        return typeof resource === "string" && LAMBDA_INVOKE.test(resource) ? LAMBDA_RESULT : anyJson;
    }

    /** What a scope that ends with success may put out. */
    outputOf(scope: Scope, overrides: Overrides = NO_OVERRIDES): Value {
        return this.once(scope, overrides.size === 0, () => this.findOutput(scope, overrides));
    }

    private once(of: Scope | Node, isRepeatable: boolean, find: () => Value): Value {
        if (!this.isSettled || !isRepeatable) {
            return find();
        }
        let value = this.outputs.get(of);
        if (value === undefined) {
            value = find();
            this.outputs.set(of, value);
        }
        return value;
    }

    private findOutput(scope: Scope, overrides: Overrides): Value {
        const value = reachableNodes(scope)
            .filter((node) => node.ends === "success")
            .reduce((all, node) => join(all, this.stateOutput(node, overrides)), nothing);
        return isNothing(value) ? anyJson : value;
    }

    /** What a state hands to the next one. */
    stateOutput(node: Node, overrides: Overrides = NO_OVERRIDES, result?: Value): Value {
        return this.once(node, overrides.size === 0 && result === undefined, () =>
            this.findStateOutput(node, overrides, result),
        );
    }

    private findStateOutput(node: Node, overrides: Overrides, result: Value | undefined): Value {
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
                return this.expressionValue(code, environment, risks);
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

    private expressionValue(code: string, environment: Environment, risks: string[]): Value {
        const { ast } = this.expressions.parse(code);
        if (ast === undefined) {
            return anyJson;
        }
        const { risks: own, value } = evaluate(ast, environment);
        risks.push(...own);
        if (!value.missing) {
            return value;
        }
        risks.push("it may have no value");
        return { ...value, missing: false };
    }
}

const LAMBDA_INVOKE = /:states:[^:]*:[^:]*:lambda:invoke/;
const LAMBDA_RESULT: Value = object(
    new Map([
        ["Payload", anyJson],
        ["StatusCode", number(100, 599)],
    ]),
    true,
);
