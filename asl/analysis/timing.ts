/**
 * Time: limits of single Tasks, and whether the execution's own time-out can hold the longest way.
 *
 * A duration here is the longest that is declared: a Task's time-out (an expression's upper bound), else the limit that the service itself
 * is given, times the attempts of its Retry; a Wait's seconds; a Parallel's longest branch; the longest way through a scope, loops times
 * their counters' bounds. A state, a branch or a machine may declare a total instead: its Comment begins `budget-seconds: N`.
 *
 * A declared budget is believed only when it is proven. Either what is inside is bounded by N as it stands. Or a deadline does it: a
 * variable D, assigned `now + C` milliseconds (now is $toMillis($states.context.State.EnteredTime) or $millis()), is not assigned again
 * inside a loop; every cycle passes a choice rule "now < D"; and C plus the longest way without cycles, on which a Task whose time-out
 * shrinks with D counts with the least that its time-out can be, is at most N. For before D a Task that reads D ends by D or by its least
 * time-out, and behind D no cycle is entered again.
 */
import type { Context } from "./context";
import { evaluate } from "./evaluate";
import { cycles } from "./cycles";
import { catchers, isFields, retriers } from "./definition";
import { reachable, type Edge, type Node, type Scope } from "./graph";
import { payloadNumber, retrySeconds } from "./jobs";
import { calledName, unwrapped, type Ast } from "./jsonata";
import { argumentsOf, linear } from "./linear";
import { Guards } from "./loops";
import { integrationOf } from "./models";
import { variablesIn } from "./reads";
import type { Variables } from "./variables";
import { expressionIn } from "./expressions";

const budgetPrefix = /^budget-seconds:\s*(\d+(?:\.\d+)?)/;

/** The total that a Comment declares, in seconds. */
export function budgetOf(fields: { readonly [key: string]: unknown }): number | undefined {
    const match = typeof fields.Comment === "string" ? budgetPrefix.exec(fields.Comment) : null;
    return match === null ? undefined : Number(match[1]);
}

interface Longest {
    readonly seconds: number;
    /** States on the longest way, those that take time. */
    readonly states: readonly Node[];
}

/** Lambda ends a function after 15 minutes. */
const lambdaSeconds = 900;

export function checkTiming(context: Context, variables: Variables): void {
    const timing = new Timing(context, variables);
    timing.run();
}

class Timing {
    private readonly scopes = new Map<Scope, Longest>();
    private readonly guards: Guards;
    private readonly limit: number | undefined;
    /** Count every loop as one round. */
    private once = false;

    constructor(
        private readonly context: Context,
        private readonly variables: Variables,
    ) {
        this.guards = new Guards(context, variables);
        const limit = context.graph.definition.TimeoutSeconds;
        this.limit = typeof limit === "number" ? limit : undefined;
    }

    run(): void {
        const { graph, report } = this.context;
        for (const node of graph.nodes) {
            if (node.type === "Task") {
                this.task(node);
            }
        }
        this.solve();
        for (const node of graph.nodes) {
            const budget = budgetOf(node.fields);
            if (budget !== undefined) {
                this.budget(budget, node.path, node.name, node.inner, this.undeclared(node));
            }
        }
        for (const scope of graph.scopes) {
            const budget = budgetOf(scope.fields);
            if (budget !== undefined && scope.owner !== undefined) {
                this.budget(
                    budget,
                    scope.path,
                    scope.owner.name,
                    [scope],
                    this.longest(scope, (node) => this.full(node)).seconds,
                );
            }
        }
        const long = graph.nodes.some((node) => node.type === "Task" && isLong(node));
        if (this.limit === undefined) {
            if (long && graph.definition.TimeoutSeconds === undefined) {
                report.add({
                    rule: "execution-timeout",
                    severity: "warning",
                    path: "",
                    message: "The execution has no TimeoutSeconds: a job that hangs keeps it running for up to a year.",
                });
            }
            return;
        }
        const withLoops = this.scopes.get(graph.root)!;
        if (withLoops.seconds <= this.limit) {
            return;
        }
        this.once = true;
        this.solve();
        const whole = this.scopes.get(graph.root)!;
        const seconds = (value: number): string => Math.round(value).toLocaleString("en");
        if (whole.seconds > this.limit) {
            const parts = whole.states
                .filter((node) => this.full(node) > 0)
                .slice(0, 12)
                .map((node) => `${node.name} (${seconds(this.full(node))} s)`);
            report.add({
                rule: "execution-timeout",
                path: "TimeoutSeconds",
                message:
                    `The execution ends after ${seconds(this.limit)} seconds, but its longest way may take ${seconds(whole.seconds)}, every loop once: ` +
                    `${parts.join(" + ")}. TIMED_OUT is caught by no state: raise TimeoutSeconds, or lower the limits of these states.`,
            });
        } else {
            report.add({
                rule: "execution-timeout",
                severity: "info",
                path: "TimeoutSeconds",
                message:
                    `One round of every loop takes at most ${seconds(whole.seconds)} of the execution's ${seconds(this.limit)} seconds; all rounds that the counters allow, ` +
                    `each at its state's limit, would take ${seconds(withLoops.seconds)}. A deadline in the loop (budget-seconds) would settle it.`,
            });
        }
    }

    /** Inner scopes first, so that nothing recurses. */
    private solve(): void {
        const { scopes } = this.context.graph;
        for (let index = scopes.length - 1; index >= 0; index -= 1) {
            this.scopes.set(
                scopes[index],
                this.longest(scopes[index], (node) => this.full(node)),
            );
        }
    }

    /** The time-out of a Task as declared: its own, else what the service is told. */
    private declared(node: Node): number | undefined {
        return this.own(node)?.hi ?? this.service(node);
    }

    private own(
        node: Node,
    ): { readonly lo: number; readonly hi: number; readonly reads: ReadonlySet<string> } | undefined {
        const value = node.fields.TimeoutSeconds;
        if (typeof value === "number") {
            return { lo: value, hi: value, reads: new Set() };
        }
        const code = node.language === "JSONata" ? expressionIn(value) : undefined;
        const ast = code === undefined ? undefined : this.context.expressions.parse(code).ast;
        if (ast === undefined) {
            return undefined;
        }
        const range = evaluate(ast, this.variables.environment(node, "state")).value.number;
        return range === undefined || range.hi === Infinity
            ? undefined
            : { lo: Math.max(0, range.lo), hi: range.hi, reads: variablesIn(ast).read };
    }

    private service(node: Node): number | undefined {
        const resource = node.fields.Resource;
        const integration = integrationOf(resource);
        if (integration === undefined) {
            return typeof resource === "string" && /:lambda:[^:]*:[^:]*:function:/.test(resource)
                ? lambdaSeconds
                : undefined;
        }
        if (integration.service === "lambda" && integration.pattern === "") {
            return lambdaSeconds;
        }
        if (integration.pattern !== "sync") {
            return integration.pattern === "" ? 0 : undefined;
        }
        if (integration.service === "sagemaker") {
            return (
                payloadNumber(this.context, this.variables, node, "StoppingCondition", "MaxWaitTimeInSeconds") ??
                payloadNumber(this.context, this.variables, node, "StoppingCondition", "MaxRuntimeInSeconds")
            );
        }
        return integration.service === "batch"
            ? payloadNumber(this.context, this.variables, node, "Timeout", "AttemptDurationSeconds")
            : undefined;
    }

    private task(node: Node): void {
        const { report } = this.context;
        const own = this.own(node);
        const service = this.service(node);
        const bounded = ["TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds"].some(
            (field) => node.fields[field] !== undefined,
        );
        if (isLong(node) && !bounded) {
            report.add({
                rule: "task-timeout",
                path: node.path,
                state: node.name,
                message:
                    `The Task waits for a job${service === undefined ? "" : ` (limited to ${service.toLocaleString("en")} seconds once it runs)`} and has no TimeoutSeconds: ` +
                    `when the job never starts, or its end is never heard of, it waits for 99,999,999 seconds.`,
            });
        }
        const most = Math.max(own?.hi ?? 0, own === undefined ? (service ?? 0) : 0);
        const limited = own === undefined ? "job's own limit" : "time-out";
        if (this.limit !== undefined && most >= this.limit) {
            report.add({
                rule: "task-timeout",
                severity: "error",
                path: node.path,
                state: node.name,
                message:
                    `The ${limited} of ${most.toLocaleString("en")} seconds is not below the execution's (${this.limit.toLocaleString("en")}): the execution ends first, ` +
                    `TIMED_OUT, and no Catch sees it.`,
            });
        }
        if (service !== undefined && own !== undefined && own.reads.size === 0 && isLong(node) && service > own.hi) {
            report.add({
                rule: "task-timeout",
                severity: "warning",
                path: node.path,
                state: node.name,
                message: `The job may run for ${service.toLocaleString("en")} seconds, the Task waits for ${own.hi.toLocaleString("en")}: the job can never use its limit.`,
            });
        }
    }

    /** How long a state may take, its attempts included; what is not known counts as nothing here and is reported as a missing time-out. */
    private full(node: Node): number {
        return budgetOf(node.fields) ?? this.undeclared(node);
    }

    private undeclared(node: Node): number {
        const attempts = retriers(node.fields).reduce(
            (sum, retrier) => sum + (typeof retrier.MaxAttempts === "number" ? retrier.MaxAttempts : 3),
            0,
        );
        const pauses = retriers(node.fields).reduce((sum, retrier) => sum + retrySeconds(retrier), 0);
        switch (node.type) {
            case "Task":
                return (this.declared(node) ?? 0) * (1 + attempts) + pauses;
            case "Wait":
                return this.wait(node);
            case "Parallel":
            case "Map": {
                const inner = Math.max(
                    0,
                    ...node.inner.map((scope) => budgetOf(scope.fields) ?? this.scopes.get(scope)?.seconds ?? 0),
                );
                return inner * (1 + attempts) + pauses;
            }
            default:
                return 0;
        }
    }

    private wait(node: Node): number {
        const { Seconds: seconds } = node.fields;
        if (typeof seconds === "number") {
            return seconds;
        }
        const code = node.language === "JSONata" ? expressionIn(seconds) : undefined;
        const ast = code === undefined ? undefined : this.context.expressions.parse(code).ast;
        const hi =
            ast === undefined ? 0 : (evaluate(ast, this.variables.environment(node, "state")).value.number?.hi ?? 0);
        return Number.isFinite(hi) ? Math.max(0, hi) : 0;
    }

    /** The longest way through a scope: components of loops as one step each, in topological order. */
    private longest(
        scope: Scope,
        duration: (node: Node) => number,
        cut: (edge: Edge) => boolean = () => false,
    ): Longest {
        const seen = reachable(scope);
        const nodes = scope.nodes.filter((node) => seen[node.index] === 1);
        const edges = (node: Node): readonly Edge[] => node.out.filter((edge) => !cut(edge));
        const component = new Map<Node, readonly Node[]>();
        for (const part of cycles(nodes, edges)) {
            part.forEach((node) => component.set(node, part));
        }
        // Kahn's order over the condensed graph.
        const keyOf = (node: Node): Node => component.get(node)?.[0] ?? node;
        const waiting = new Map<Node, number>();
        for (const node of nodes) {
            for (const edge of edges(node)) {
                if (keyOf(edge.to) !== keyOf(node)) {
                    waiting.set(keyOf(edge.to), (waiting.get(keyOf(edge.to)) ?? 0) + 1);
                }
            }
        }
        const weight = (key: Node): number => {
            const part = component.get(key);
            return part === undefined
                ? duration(key)
                : part.reduce((sum, node) => sum + duration(node), 0) * this.rounds(part);
        };
        const ready = nodes.filter((node) => keyOf(node) === node && (waiting.get(node) ?? 0) === 0);
        const best = new Map<Node, { seconds: number; from: Node | undefined }>();
        let last: Node | undefined;
        for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
            const before = best.get(node) ?? { seconds: 0, from: undefined };
            const seconds = before.seconds + weight(node);
            best.set(node, { seconds, from: before.from });
            if (last === undefined || seconds > best.get(last)!.seconds) {
                last = node;
            }
            for (const member of component.get(node) ?? [node]) {
                for (const edge of edges(member)) {
                    const to = keyOf(edge.to);
                    if (to === node) {
                        continue;
                    }
                    const known = best.get(to);
                    if (known === undefined || known.seconds < seconds) {
                        best.set(to, { seconds, from: node });
                    }
                    const left = waiting.get(to)! - 1;
                    waiting.set(to, left);
                    if (left === 0) {
                        ready.push(to);
                    }
                }
            }
        }
        const states: Node[] = [];
        for (let node = last; node !== undefined; node = best.get(node)!.from) {
            states.push(...(component.get(node) ?? [node]));
        }
        return { seconds: last === undefined ? 0 : best.get(last)!.seconds, states: states.reverse() };
    }

    /** How often a loop's states run at most, by its counters; 1 when that is not known (then the loop's own rule speaks). */
    private rounds(part: readonly Node[]): number {
        return this.once ? 1 : (this.guards.rounds(part) ?? 1);
    }

    private budget(budget: number, path: string, state: string, scopes: readonly Scope[], asItStands: number): void {
        const untimed = this.inside(scopes).find(
            (node) => node.type === "Task" && isLong(node) && this.own(node) === undefined,
        );
        const loops = scopes.flatMap((scope) => this.loops(scope));
        const counted = loops.every((part) => this.guards.rounds(part) !== undefined);
        if (untimed === undefined && counted && asItStands <= budget) {
            return;
        }
        const reason =
            untimed !== undefined
                ? `the Task "${untimed.name}" has no TimeoutSeconds with an upper bound`
                : this.deadline(budget, scopes, asItStands);
        if (reason !== undefined) {
            this.context.report.add({
                rule: "budget",
                path,
                state,
                message: `The Comment declares a total of ${budget.toLocaleString("en")} seconds, and that is not proven: ${reason}.`,
            });
        }
    }

    private inside(scopes: readonly Scope[]): Node[] {
        const found: Node[] = [];
        const work = [...scopes];
        for (let scope = work.pop(); scope !== undefined; scope = work.pop()) {
            found.push(...scope.nodes);
            scope.nodes.forEach((node) => work.push(...node.inner));
        }
        return found;
    }

    private loops(scope: Scope): Node[][] {
        return this.inside([scope])
            .map((node) => node.scope)
            .filter((inner, index, all) => all.indexOf(inner) === index)
            .flatMap((inner) => cycles(inner.nodes, (node) => node.out));
    }

    /** Why no deadline proves the budget; undefined when one does. */
    private deadline(budget: number, scopes: readonly Scope[], asItStands: number): string | undefined {
        const nodes = this.inside(scopes);
        const candidates = new Set<string>();
        for (const node of nodes) {
            for (const edge of node.out) {
                for (const guard of this.guards.of(edge)) {
                    if (guard.counter === "clock") {
                        guard.reads.forEach((name) => candidates.add(name));
                    }
                }
            }
        }
        if (candidates.size === 0) {
            return `as it stands it may take ${Math.round(asItStands).toLocaleString("en")} seconds, loops included, and no choice rule inside compares the time with a deadline`;
        }
        let reason = "";
        for (const name of candidates) {
            const allowance = this.allowance(name, nodes);
            if (allowance === undefined) {
                reason = `the deadline "$${name}" is not assigned as the time now plus a number`;
                continue;
            }
            const cut = (edge: Edge): boolean =>
                this.guards.of(edge).some((guard) => guard.counter === "clock" && guard.reads.has(name));
            const free = scopes
                .flatMap((scope) => this.loops(scope))
                .map((part) => part[0].scope)
                .flatMap((scope) => cycles(scope.nodes, (node) => node.out.filter((edge) => !cut(edge))));
            if (free.length > 0) {
                reason = `the loop through "${free[0][0].name}" does not stop at the deadline "$${name}"`;
                continue;
            }
            const tail = Math.max(0, ...scopes.map((scope) => this.behind(scope, name, cut)));
            if (allowance + tail <= budget) {
                return undefined;
            }
            reason =
                `the deadline "$${name}" allows ${Math.round(allowance).toLocaleString("en")} seconds, ` +
                `and what is under way then may take ${Math.round(tail).toLocaleString("en")} more`;
        }
        return reason;
    }

    /** The longest way behind a deadline. */
    private behind(top: Scope, name: string, cut: (edge: Edge) => boolean): number {
        const order = [top];
        for (let index = 0; index < order.length; index += 1) {
            order[index].nodes.forEach((node) => order.push(...node.inner));
        }
        const seconds = new Map<Scope, number>();
        const duration = (node: Node): number => {
            const floor = node.type === "Task" ? this.shrinking(node, name) : undefined;
            if (floor !== undefined) {
                return floor;
            }
            if (node.inner.length > 0) {
                return Math.max(0, ...node.inner.map((scope) => seconds.get(scope) ?? 0));
            }
            return this.full(node);
        };
        for (let index = order.length - 1; index >= 0; index -= 1) {
            // Any one variable that choices compare with constants tells ways apart; each gives a bound, and the least holds.
            const bounds = [undefined, ...this.modes(order[index])].map((mode) =>
                this.longestWithin(order[index], duration, cut, mode),
            );
            seconds.set(order[index], Math.min(...bounds));
        }
        return seconds.get(top)!;
    }

    /** Variables that choices of the scope compare with constant texts. */
    private modes(scope: Scope): string[] {
        const found = new Set<string>();
        for (const node of scope.nodes) {
            for (const edge of node.out) {
                this.demands(edge).forEach((demand) => found.add(demand.variable));
            }
        }
        return [...found].slice(0, 8);
    }

    /** What taking an edge of a Choice says of variables: `$v = 'text'` or `$v != 'text'` as a whole condition. */
    private demands(edge: Edge): { readonly variable: string; readonly value: string; readonly equal: boolean }[] {
        const rules: readonly unknown[] =
            edge.from.type === "Choice" && Array.isArray(edge.from.fields.Choices) ? edge.from.fields.Choices : [];
        const last = edge.kind === "choice" ? edge.index! : rules.length - 1;
        return rules.slice(0, last + 1).flatMap((rule, index) => {
            const code = isFields(rule) ? expressionIn(rule.Condition) : undefined;
            const ast = code === undefined ? undefined : this.context.expressions.parse(code).ast;
            if (ast === undefined || ast.type !== "binary" || (ast.value !== "=" && ast.value !== "!=")) {
                return [];
            }
            const { lhs, rhs } = ast;
            const holds = edge.kind === "choice" && index === edge.index;
            return lhs.type === "variable" && rhs.type === "string" && lhs.predicate === undefined
                ? [{ variable: String(lhs.value), value: String(rhs.value), equal: (ast.value === "=") === holds }]
                : [];
        });
    }

    /**
     * The longest way from any state of a scope without cycles, with the last constant that a way assigned to one variable: a choice that
     * demands another value is not taken. Ways begin with the variable unknown.
     */
    private longestWithin(
        scope: Scope,
        duration: (node: Node) => number,
        cut: (edge: Edge) => boolean,
        mode: string | undefined,
    ): number {
        const unknown = "\u0000";
        const seen = reachable(scope);
        const nodes = scope.nodes.filter((node) => seen[node.index] === 1);
        const waiting = new Map(
            nodes.map((node) => [node, node.in.filter((edge) => seen[edge.from.index] === 1 && !cut(edge)).length]),
        );
        const ready = nodes.filter((node) => waiting.get(node) === 0);
        const arrived = new Map(nodes.map((node) => [node, new Map([[unknown, 0]])]));
        let most = 0;
        for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
            const time = duration(node);
            for (const [value, before] of arrived.get(node)!) {
                most = Math.max(most, before + time);
                for (const edge of node.out) {
                    if (cut(edge)) {
                        continue;
                    }
                    const possible =
                        value === unknown ||
                        this.demands(edge).every(
                            (demand) => demand.variable !== mode || (demand.value === value) === demand.equal,
                        );
                    if (!possible) {
                        continue;
                    }
                    const given =
                        mode === undefined || !isFields(edge.holder.Assign) ? undefined : edge.holder.Assign[mode];
                    const next =
                        given === undefined
                            ? value
                            : typeof given === "string" && expressionIn(given) === undefined
                              ? given
                              : unknown;
                    const there = arrived.get(edge.to)!;
                    there.set(next, Math.max(there.get(next) ?? 0, before + time));
                }
            }
            for (const edge of node.out) {
                if (!cut(edge)) {
                    const left = waiting.get(edge.to)! - 1;
                    waiting.set(edge.to, left);
                    if (left === 0) {
                        ready.push(edge.to);
                    }
                }
            }
        }
        return most;
    }

    /**
     * Seconds by which a Task may outlast the deadline, when its time-out shrinks with it: 0, or the least that the time-out can be.
     * A Task with a Retry is not one: its attempts add up.
     */
    private shrinking(node: Node, deadline: string): number | undefined {
        const code = node.language === "JSONata" ? expressionIn(node.fields.TimeoutSeconds) : undefined;
        const ast = code === undefined ? undefined : this.context.expressions.parse(code).ast;
        if (ast === undefined || retriers(node.fields).some((retrier) => retrier.MaxAttempts !== 0)) {
            return undefined;
        }
        return this.outlasts(ast, node, deadline, true);
    }

    private outlasts(expression: Ast, node: Node, deadline: string, follow: boolean): number | undefined {
        const ast = unwrapped(expression);
        const name = calledName(ast);
        if (name === "min" || name === "max") {
            const [argument] = argumentsOf(ast);
            const items = argument?.type === "unary" && argument.value === "[" ? argument.expressions : [];
            const floors = items.map((item) => this.outlasts(item, node, deadline, follow));
            const known = floors.filter((floor) => floor !== undefined);
            if (name === "min") {
                return known.length === 0 ? undefined : Math.min(...known);
            }
            const constants = items
                .filter((_, index) => floors[index] === undefined)
                .map((item) => evaluate(item, this.variables.environment(node, "state")).value.number?.hi ?? Infinity);
            return known.length === 0 || constants.some((hi) => hi === Infinity)
                ? undefined
                : Math.max(...known, ...constants);
        }
        const sum = linear(ast);
        const factor = sum.variables.get(deadline);
        if (
            sum.opaque.length === 0 &&
            sum.variables.size === 1 &&
            factor !== undefined &&
            factor > 0 &&
            factor <= 0.001 + 1e-12 &&
            Math.abs(sum.clock + factor) < 1e-12
        ) {
            return Math.max(0, sum.constant + sum.up);
        }
        if (!follow || ast.type !== "variable" || node.in.length === 0) {
            return undefined;
        }
        // A variable that was computed just before, on every way into the Task.
        const floors = node.in.map((edge) => {
            const assign = isFields(edge.holder.Assign) ? edge.holder.Assign[String(ast.value)] : undefined;
            const code = edge.from.language === "JSONata" ? expressionIn(assign) : undefined;
            const tree = code === undefined ? undefined : this.context.expressions.parse(code).ast;
            return tree === undefined || edge.from.type !== "Choice"
                ? undefined
                : this.outlasts(tree, edge.from, deadline, false);
        });
        return floors.some((floor) => floor === undefined) ? undefined : Math.max(...floors.map((floor) => floor!));
    }

    /** C of `D := now + C`, in seconds, over all assignments of D; undefined when one is of another form. */
    private allowance(name: string, inside: readonly Node[]): number | undefined {
        const scope = inside.length === 0 ? undefined : this.variables.ownerOf(name, inside[0].scope);
        const owner =
            scope ??
            inside.map((node) => this.variables.ownerOf(name, node.scope)).find((found) => found !== undefined);
        if (owner === undefined) {
            return undefined;
        }
        let most: number | undefined;
        const looping = new Set(cycles(owner.nodes, (node) => node.out).flat());
        for (const node of owner.nodes) {
            const holders = [
                node.fields,
                ...catchers(node.fields).map((entry) => entry.fields),
                ...(Array.isArray(node.fields.Choices) ? node.fields.Choices.filter(isFields) : []),
            ];
            for (const holder of holders) {
                const given = isFields(holder.Assign) ? holder.Assign[name] : undefined;
                if (given === undefined) {
                    continue;
                }
                const code = node.language === "JSONata" ? expressionIn(given) : undefined;
                const ast = code === undefined ? undefined : this.context.expressions.parse(code).ast;
                const later = ast === undefined || looping.has(node) ? undefined : this.later(ast, node);
                if (later === undefined) {
                    return undefined;
                }
                most = Math.max(most ?? 0, later / 1000);
            }
        }
        return most;
    }

    /** Milliseconds that an expression adds to the time now. */
    private later(ast: Ast, node: Node): number | undefined {
        const sum = linear(ast);
        if (sum.clock !== 1 || sum.variables.size > 0) {
            return undefined;
        }
        const environment = this.variables.environment(node, "state");
        const more = sum.opaque.reduce((total, part) => {
            const range = evaluate(part.ast, environment).value.number;
            return total + (range === undefined ? Infinity : Math.max(part.factor * range.lo, part.factor * range.hi));
        }, sum.constant + sum.up);
        return Number.isFinite(more) ? more : undefined;
    }
}

/** Does the Task wait for something that may take long, or never come? */
function isLong(node: Node): boolean {
    const resource = node.fields.Resource;
    if (typeof resource !== "string") {
        return false;
    }
    return /\.(?:sync(?::2)?|waitForTaskToken)$/.test(resource) || /:states:[^:]*:[^:]*:activity:/.test(resource);
}
