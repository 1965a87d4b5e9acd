/**
 * Loops: every cycle can be left, and is left after a bounded number of rounds.
 *
 * A counter bounds a cycle when it grows by at least 1 on some edge, never shrinks within the cycle's component, and an edge of the
 * cycle is guarded by "counter below a bound that the loop does not change". Edges that can be taken only finitely often are cut (a
 * growing edge all of whose cycles pass a guard of its counter, and the reverse) until no cycle is left: that covers counters that
 * inner loops reset. The clock is a counter too: it grows behind every Wait of at least a second, and a deadline guards it.
 */
import type { Context } from "./context";
import { evaluate, pathKey } from "./evaluate";
import { describeSteps } from "./findings";
import { cycles } from "./cycles";
import { catchers, isFields, type Fields } from "./definition";
import { reachable, type Edge, type Node, type Scope } from "./graph";
import { calledName, unwrapped, type Ast } from "./jsonata";
import { argumentsOf, linear, plus, scaled } from "./linear";
import { parseIntrinsic, parsePath } from "./paths";
import { only } from "./values";
import { assignsOf } from "./assignments";
import { variablesIn } from "./reads";
import type { Variables } from "./variables";
import { expressionIn } from "./expressions";
import { lastStep, stepAlong, type Ways } from "./ways";

/** Counters are named "$n" (a variable), "$.a.n" (a field of the JSONPath input) or "clock". */
type Effect = "grows" | "keeps" | "changes";

interface Guard {
    readonly counter: string;
    /** Upper bound of what is compared with, when it is known: Infinity stands for a number that the loop does not change. */
    readonly bound: number;
    /** Variables that the bound depends on. */
    readonly reads: ReadonlySet<string>;
    readonly strict: boolean;
}

const words =
    /(?:^|[^\p{L}\p{N}.])(\d+(?:\.\d+)?)[ -]?(seconds?|secs?|s|minutes?|mins?|min|hours?|hrs?|h|days?|d)(?![\p{L}\p{N}])/iu;
const secondsOf: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 };

export function checkLoops(context: Context, ways: Ways, variables: Variables): void {
    for (const node of context.graph.nodes) {
        if (node.type === "Wait") {
            waitName(context, variables, node);
        }
    }
    const guards = new Guards(context, variables);
    for (const scope of context.graph.scopes) {
        const seen = reachable(scope);
        for (const component of cycles(
            scope.nodes.filter((node) => seen[node.index] === 1),
            (node) => node.out,
        )) {
            const inside = new Set(component);
            const leaves = component.some(
                (node) => node.ends !== undefined || node.out.some((edge) => !inside.has(edge.to)),
            );
            const entry = entryOf(component);
            if (!leaves) {
                const steps = [...ways.to(entry), ...round(ways, entry, (edge) => inside.has(edge.to))];
                context.report.add({
                    rule: "trapped-cycle",
                    path: entry.path,
                    state: entry.name,
                    message: `No way leads out of the cycle ${names(component)}: it runs until AWS ends it at 25,000 events with States.Runtime, which no Catch sees.`,
                    counterExample: steps,
                    counterExampleText: describeSteps(steps, "for ever"),
                });
                continue;
            }
            for (const rest of guards.unbounded(component)) {
                const allowed = rest.edges;
                const head = entryOf(rest.nodes);
                const steps = [...ways.to(head), ...round(ways, head, (edge) => allowed.has(edge))];
                context.report.add({
                    rule: "unbounded-loop",
                    path: head.path,
                    state: head.name,
                    message:
                        `Nothing bounds the cycle ${names(rest.nodes)}: expected on every way round it a counter that grows by at least 1 ` +
                        `and a choice rule that goes on only while the counter is below a fixed number (or the time before a deadline, with a Wait on the way). ` +
                        `It ends in the execution's time-out or at 25,000 events, and no state can notify of either.`,
                    counterExample: steps,
                    counterExampleText: describeSteps(steps, "again and again, without a bound"),
                });
            }
        }
    }
}

const names = (nodes: readonly Node[]): string => {
    const list = nodes
        .slice(0, 6)
        .map((node) => `"${node.name}"`)
        .join(", ");
    return nodes.length > 6 ? `${list} and ${nodes.length - 6} more` : list;
};

/** The state of a cycle that is nearest to the start. */
function entryOf(component: readonly Node[]): Node {
    const inside = new Set(component);
    return (
        component.find((node) => node === node.scope.start || node.in.some((edge) => !inside.has(edge.from))) ??
        component[0]
    );
}

function round(ways: Ways, from: Node, follows: (edge: Edge) => boolean): ReturnType<Ways["to"]> {
    let best: ReturnType<Ways["to"]> | undefined;
    for (const edge of from.out.filter(follows)) {
        const way =
            edge.to === from ? { steps: [], end: from } : ways.between(edge.to, (node) => node === from, follows);
        if (way !== undefined && (best === undefined || way.steps.length + 1 < best.length)) {
            best = [stepAlong(edge), ...way.steps];
        }
    }
    return [...(best ?? []), lastStep(from, "next")];
}

function waitName(context: Context, variables: Variables, node: Node): void {
    const match = words.exec(node.name);
    const seconds = node.fields.Seconds;
    if (match === null || seconds === undefined) {
        return;
    }
    const told = Number(match[1]) * secondsOf[match[2][0].toLowerCase()];
    const code = expressionIn(seconds);
    const ast = code === undefined ? undefined : context.expressions.parse(code).ast;
    const range =
        ast === undefined
            ? typeof seconds === "number"
                ? { lo: seconds, hi: seconds }
                : undefined
            : evaluate(ast, variables.environment(node, "state")).value.number;
    if (range !== undefined && (told < range.lo || told > range.hi)) {
        context.report.add({
            rule: "wait-name",
            path: `${node.path}/Seconds`,
            state: node.name,
            message: `The name says ${match[0].trim()} (${told} seconds), but the state waits ${range.lo === range.hi ? range.lo : `${range.lo} to ${range.hi}`} seconds.`,
        });
    }
}

/** Edges and nodes in which a cycle remains that nothing bounds. */
interface Rest {
    readonly nodes: readonly Node[];
    readonly edges: ReadonlySet<Edge>;
}

export class Guards {
    private readonly guardCache = new Map<Edge, readonly Guard[]>();

    constructor(
        private readonly context: Context,
        private readonly variables: Variables,
    ) {}

    unbounded(component: readonly Node[]): Rest[] {
        const found: Rest[] = [];
        const work: Rest[] = [];
        const push = (nodes: readonly Node[], allowed: (edge: Edge) => boolean): void => {
            for (const part of cycles(nodes, (node) => node.out.filter(allowed))) {
                const inside = new Set(part);
                const kept = (edge: Edge): boolean => allowed(edge) && inside.has(edge.to);
                work.push({ nodes: part, edges: new Set(part.flatMap((node) => node.out.filter(kept))) });
            }
        };
        const whole = new Set(component);
        push(component, (edge) => whole.has(edge.to) && whole.has(edge.from));
        for (let rest = work.pop(); rest !== undefined; rest = work.pop()) {
            const cut = this.finite(rest);
            if (cut.size === 0) {
                found.push(rest);
                continue;
            }
            const { edges } = rest;
            push(rest.nodes, (edge) => edges.has(edge) && !cut.has(edge));
        }
        return found;
    }

    /** Edges of the component that one counter proves to be taken only finitely often. */
    private finite(rest: Rest): ReadonlySet<Edge> {
        const guarded = new Map<string, Set<Edge>>();
        const assigned = new Set<string>();
        for (const edge of rest.edges) {
            Object.keys(assignsOf(edge)).forEach((key) => assigned.add(key));
        }
        for (const edge of rest.edges) {
            for (const guard of this.of(edge)) {
                if ([...guard.reads].some((name) => assigned.has(name))) {
                    continue;
                }
                const list = guarded.get(guard.counter) ?? new Set();
                list.add(edge);
                guarded.set(guard.counter, list);
            }
        }
        const finite = new Set<Edge>();
        for (const [counter, guards] of guarded) {
            const grows = new Set<Edge>();
            let fits = true;
            for (const edge of rest.edges) {
                const effect = this.effect(edge, counter);
                if (effect === "changes") {
                    fits = false;
                    break;
                }
                if (effect === "grows") {
                    grows.add(edge);
                }
            }
            if (!fits || grows.size === 0 || !this.startsBounded(counter, rest.nodes[0].scope)) {
                continue;
            }
            // A growing edge is finite when no cycle through it avoids the guards, and the reverse.
            for (const [these, others] of [
                [grows, guards],
                [guards, grows],
            ] as const) {
                const part = new Map<Node, number>();
                cycles(rest.nodes, (node) =>
                    node.out.filter((edge) => rest.edges.has(edge) && !others.has(edge)),
                ).forEach((nodes, index) => nodes.forEach((node) => part.set(node, index)));
                for (const edge of these) {
                    const from = part.get(edge.from);
                    if (others.has(edge) || from === undefined || from !== part.get(edge.to)) {
                        finite.add(edge);
                    }
                }
            }
            if (finite.size > 0) {
                return finite;
            }
        }
        return finite;
    }

    /**
     * How often the cycles of a component are taken at most; undefined when its counters do not tell. One counter that every cycle passes
     * is enough; else the rounds of counters that nothing resets add up, and those of counters that are reset multiply.
     */
    rounds(component: readonly Node[]): number | undefined {
        const inside = new Set(component);
        const edges = component.flatMap((node) => node.out.filter((edge) => inside.has(edge.to)));
        const limits = new Map<string, { rounds: number; readonly guards: Set<Edge> }>();
        for (const edge of edges) {
            for (const guard of this.of(edge)) {
                const lo = /^\$[^.]/.test(guard.counter)
                    ? (this.variables.lookup(guard.counter.slice(1), edge.from.scope)?.number?.lo ?? -Infinity)
                    : -Infinity;
                const rounds = Math.max(0, Math.ceil(guard.bound - lo) + (guard.strict ? 0 : 1));
                if (!Number.isFinite(rounds)) {
                    continue;
                }
                const known = limits.get(guard.counter) ?? { rounds: 0, guards: new Set<Edge>() };
                known.rounds = Math.max(known.rounds, rounds);
                known.guards.add(edge);
                limits.set(guard.counter, known);
            }
        }
        const free = (cut: ReadonlySet<Edge>): boolean =>
            cycles(component, (node) => node.out.filter((edge) => inside.has(edge.to) && !cut.has(edge))).length === 0;
        let best: number | undefined;
        let sum = 1;
        let product = 1;
        for (const [counter, { rounds, guards }] of limits) {
            const effects = edges.map((edge) => this.effect(edge, counter));
            const grows = new Set(edges.filter((_, index) => effects[index] === "grows"));
            if (effects.includes("changes")) {
                product *= 1 + rounds;
                continue;
            }
            sum += rounds;
            if (free(grows) && free(guards) && (best === undefined || rounds + 1 < best)) {
                best = rounds + 1;
            }
        }
        return best ?? (limits.size > 0 && this.unbounded(component).length === 0 ? sum * product : undefined);
    }

    /** A counter that is compared must begin at a number. */
    private startsBounded(counter: string, scope: Scope): boolean {
        if (!/^\$[^.]/.test(counter)) {
            return true;
        }
        const value = this.variables.lookup(counter.slice(1), scope);
        return value?.number !== undefined && value.number.lo > -Infinity;
    }

    private effect(edge: Edge, counter: string): Effect {
        const { from } = edge;
        if (counter === "clock") {
            if (from.type !== "Wait") {
                return "keeps";
            }
            const seconds = from.fields.Seconds;
            const code = expressionIn(seconds);
            const ast = code === undefined ? undefined : this.context.expressions.parse(code).ast;
            const least =
                ast === undefined
                    ? typeof seconds === "number"
                        ? seconds
                        : 0
                    : (evaluate(ast, this.variables.environment(from, "state")).value.number?.lo ?? 0);
            return least >= 1 ? "grows" : "keeps";
        }
        if (counter.startsWith("$.")) {
            return dataEffect(edge, counter);
        }
        const name = counter.slice(1);
        const assigns = assignsOf(edge);
        if (from.language === "JSONPath") {
            if (Object.hasOwn(assigns, name)) {
                return "changes";
            }
            return Object.hasOwn(assigns, `${name}.$`) ? templateEffect(assigns[`${name}.$`], counter) : "keeps";
        }
        if (!Object.hasOwn(assigns, name)) {
            return "keeps";
        }
        const code = expressionIn(assigns[name]);
        const ast = code === undefined ? undefined : this.context.expressions.parse(code).ast;
        if (ast === undefined) {
            return "changes";
        }
        if (pathKey(ast) === counter) {
            return "keeps";
        }
        if (ast.type === "binary" && ast.value === "+") {
            for (const [one, other] of [
                [ast.lhs, ast.rhs],
                [ast.rhs, ast.lhs],
            ] as readonly (readonly [Ast, Ast])[]) {
                if (pathKey(one) === counter) {
                    const step = evaluate(
                        other,
                        this.variables.environment(from, edge.kind === "catch" ? "catch" : "state"),
                    ).value;
                    if (only(step, "number") && step.number!.lo >= 0) {
                        return step.number!.lo >= 1 ? "grows" : "keeps";
                    }
                }
            }
        }
        return "changes";
    }

    /** Conditions of the form "counter below a bound" that hold whenever the edge is taken. */
    of(edge: Edge): readonly Guard[] {
        let found = this.guardCache.get(edge);
        if (found === undefined) {
            found = edge.kind === "choice" || edge.kind === "default" ? this.read(edge) : [];
            this.guardCache.set(edge, found);
        }
        return found;
    }

    private read(edge: Edge): Guard[] {
        const node = edge.from;
        const guards: Guard[] = [];
        const rules = Array.isArray(node.fields.Choices) ? (node.fields.Choices as unknown[]) : [];
        const before = edge.kind === "choice" ? edge.index! : rules.length;
        for (let index = 0; index <= before && index < rules.length; index += 1) {
            const rule = rules[index];
            const holds = edge.kind === "choice" && index === before;
            if (!isFields(rule)) {
                continue;
            }
            if (node.language === "JSONata") {
                const code = expressionIn(rule.Condition);
                const ast = code === undefined ? undefined : this.context.expressions.parse(code).ast;
                if (ast !== undefined) {
                    this.condition(ast, holds, node, guards);
                }
            } else {
                comparison(rule, holds, guards);
            }
        }
        return guards;
    }

    private condition(given: Ast, holds: boolean, node: Node, guards: Guard[]): void {
        const ast = unwrapped(given);
        const [negated] = calledName(ast) === "not" ? argumentsOf(ast) : [];
        if (negated !== undefined) {
            this.condition(negated, !holds, node, guards);
            return;
        }
        if (ast.type !== "binary") {
            return;
        }
        const { lhs, rhs, value: operator } = ast;
        if ((operator === "and" && holds) || (operator === "or" && !holds)) {
            this.condition(lhs, holds, node, guards);
            this.condition(rhs, holds, node, guards);
            return;
        }
        // "not (a >= b)" says a < b only when both are numbers; the totality rule demands that of a Choice.
        const below = holds ? ["<", "<="] : [">", ">="];
        const above = holds ? [">", ">="] : ["<", "<="];
        if (below.includes(operator)) {
            this.guard(lhs, rhs, holds ? operator === "<" : operator === ">=", node, guards);
        } else if (above.includes(operator)) {
            this.guard(rhs, lhs, holds ? operator === ">" : operator === "<=", node, guards);
        }
    }

    /** left < right, brought to the form: counter * a < the rest, with a above 0. */
    private guard(left: Ast, right: Ast, strict: boolean, node: Node, guards: Guard[]): void {
        const sum = plus(linear(left), scaled(linear(right), -1));
        const environment = this.variables.environment(node, "choice");
        const values = sum.opaque.map(({ ast, factor }) => ({ factor, value: evaluate(ast, environment).value, ast }));
        // A part that changes by itself bounds nothing.
        if (values.some(({ ast, value }) => changesByItself(ast) || (value.number === undefined && !value.missing))) {
            return;
        }
        const reads = new Set([...sum.variables.keys(), ...values.flatMap(({ ast }) => [...variablesIn(ast).read])]);
        const counters: [string, number][] = [...sum.variables]
            .filter(([, factor]) => factor > 0)
            .map(([name, factor]) => [`$${name}`, factor]);
        if (sum.clock > 0) {
            counters.push(["clock", sum.clock]);
        } else if (sum.clock < 0) {
            return;
        }
        for (const [counter, factor] of counters) {
            // counter < (all that stands on the other side) / factor
            let bound = -sum.constant + sum.down;
            for (const [name, other] of sum.variables) {
                if (`$${name}` !== counter) {
                    const range = this.variables.lookup(name, node.scope)?.number;
                    bound += -other * (other < 0 ? (range?.hi ?? Infinity) : (range?.lo ?? -Infinity));
                }
            }
            for (const { factor: own, value } of values) {
                bound += -own * (own < 0 ? (value.number?.hi ?? Infinity) : (value.number?.lo ?? -Infinity));
            }
            const others = new Set([...reads].filter((name) => `$${name}` !== counter));
            if (counter === "clock" || sum.clock === 0) {
                guards.push({ counter, bound: Number.isNaN(bound) ? Infinity : bound / factor, reads: others, strict });
            }
        }
    }
}

/** Does the value differ from one evaluation to the next, whatever the variables are? */
function changesByItself(ast: Ast): boolean {
    const text = JSON.stringify(ast);
    return ["EnteredTime", "millis", "now", "random", "uuid", "input", "result"].some((name) =>
        text.includes(`"value":"${name}"`),
    );
}

function comparison(top: Fields, holdsTop: boolean, guards: Guard[]): void {
    const work: { rule: unknown; holds: boolean }[] = [{ rule: top, holds: holdsTop }];
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        const { rule, holds } = item;
        if (!isFields(rule)) {
            continue;
        }
        if (rule.Not !== undefined) {
            work.push({ rule: rule.Not, holds: !holds });
            continue;
        }
        const parts = holds ? rule.And : rule.Or;
        if (Array.isArray(parts)) {
            parts.forEach((part: unknown) => work.push({ rule: part, holds }));
            continue;
        }
        const counter = typeof rule.Variable === "string" ? placeOf(rule.Variable) : undefined;
        if (counter === undefined) {
            continue;
        }
        for (const [operator, strict] of holds
            ? ([
                  ["NumericLessThan", true],
                  ["NumericLessThanEquals", false],
              ] as const)
            : ([
                  ["NumericGreaterThanEquals", true],
                  ["NumericGreaterThan", false],
              ] as const)) {
            const value = rule[operator];
            if (typeof value === "number") {
                guards.push({ counter, bound: value, reads: new Set(), strict });
            }
        }
    }
}

/** "$.a.n" or "$n" for a definite path, in one spelling. */
function placeOf(text: string): string | undefined {
    const path = parsePath(text);
    if (typeof path === "string" || !path.definite || path.root === "context") {
        return undefined;
    }
    if (typeof path.root === "object") {
        return path.segments.length === 0 ? `$${path.root.variable}` : undefined;
    }
    return path.segments.length === 0 ? undefined : `$.${path.segments.join(".")}`;
}

function templateEffect(source: unknown, counter: string): Effect {
    if (typeof source !== "string") {
        return "changes";
    }
    if (placeOf(source) === counter) {
        return "keeps";
    }
    const call = source.startsWith("States.") ? parseIntrinsic(source) : undefined;
    if (call === undefined || typeof call === "string" || call.name !== "States.MathAdd") {
        return "changes";
    }
    const own = call.arguments.some((argument) => argument.kind === "path" && placeOf(argument.text) === counter);
    const step = call.arguments.find((argument) => argument.kind === "constant");
    return own && step !== undefined && typeof step.value === "number" && step.value >= 1 ? "grows" : "changes";
}

/** What taking an edge does to a field of the JSONPath input. */
function dataEffect(edge: Edge, counter: string): Effect {
    const { from, kind } = edge;
    const { fields } = from;
    if (from.language === "JSONata") {
        const passes =
            kind !== "catch" &&
            edge.holder.Output === undefined &&
            from.type !== "Task" &&
            from.type !== "Parallel" &&
            from.type !== "Map";
        return passes ? "keeps" : "changes";
    }
    const place = counter.slice(2);
    const written = (resultPath: unknown, value: (below: string) => Effect): Effect => {
        if (resultPath === null) {
            return "keeps";
        }
        const target = typeof resultPath === "string" ? parsePath(resultPath) : undefined;
        if (target === undefined || typeof target === "string") {
            return "changes";
        }
        const at = target.segments.join(".");
        if (at !== "" && (at === place || at.startsWith(`${place}.`))) {
            return at === place ? value("") : "changes";
        }
        if (at === "" || place.startsWith(`${at}.`)) {
            return value(at === "" ? place : place.slice(at.length + 1));
        }
        return "keeps";
    };
    if (kind === "catch") {
        const entry = catchers(fields).find((catcher) => catcher.index === edge.index);
        return written(entry?.fields.ResultPath === undefined ? "$" : entry.fields.ResultPath, () => "changes");
    }
    const whole = (value: unknown): boolean => value === undefined || value === "$";
    if (!whole(fields.InputPath) || !whole(fields.OutputPath)) {
        return "changes";
    }
    if (from.type === "Choice" || from.type === "Wait") {
        return "keeps";
    }
    const resultPath = fields.ResultPath === undefined ? "$" : fields.ResultPath;
    if (from.type !== "Pass") {
        return written(resultPath, () => "changes");
    }
    if (fields.Result === undefined && fields.Parameters === undefined && (resultPath === "$" || resultPath === null)) {
        return "keeps";
    }
    return written(resultPath, (below) => {
        if (fields.Result !== undefined || !isFields(fields.Parameters)) {
            return "changes";
        }
        const parts = below === "" ? [] : below.split(".");
        let template: unknown = fields.Parameters;
        for (let index = 0; index < parts.length - 1 && isFields(template); index += 1) {
            template = template[parts[index]];
        }
        const last = parts.at(-1);
        return last !== undefined && isFields(template) && Object.hasOwn(template, `${last}.$`)
            ? templateEffect(template[`${last}.$`], counter)
            : "changes";
    });
}
