/**
 * One failure, one message. A message about a failure is a notification in code that runs for failures only: behind a catcher, or where
 * the execution can no longer succeed. (What is told on the way to success is progress.) Whether one has been sent is followed along
 * every way, out of branches, too: a Parallel or a Map fails after a message when a way through a branch ends in a Fail after one.
 * Each state is looked at twice at most, told and untold.
 */
import type { Context } from "./context";
import { evaluate } from "./evaluate";
import { notifies } from "./failure";
import { describeSteps, type Step } from "./findings";
import { reachable, reaching, type Edge, type Node, type Scope } from "./graph";
import type { Variables } from "./variables";
import { expressionIn } from "./walk";
import { lastStep, stepAlong, type Ways } from "./ways";

/** A state with what is known when it is entered. */
interface Visit {
    readonly node: Node;
    /** A message about this failure has been sent. */
    readonly told: boolean;
    readonly before?: Visit;
    readonly edge?: Edge;
    /** Where the edge is taken because a branch failed after a message: the end of that branch. */
    readonly inside?: Visit;
}

export function checkMessages(context: Context, ways: Ways, variables: Variables): void {
    const { graph, settings } = context;
    const endings = new Map<Node, Visit>();
    // Inner scopes before the ones that they lie in.
    for (const scope of [...graph.scopes].reverse()) {
        const visits = follow(scope, settings.notification, endings, (visit) => twice(context, ways, visit));
        const failed = visits.filter(({ node }) => node.type === "Fail");
        const told = failed.find((visit) => visit.told);
        if (scope.owner !== undefined && told !== undefined) {
            endings.set(scope.owner, told);
        }
        if (scope.owner === undefined && settings.notifiedPrefix !== undefined) {
            failed.forEach((visit) => named(context, ways, variables, visit, settings.notifiedPrefix!));
        }
    }
}

/** Every state of a scope as often as it can be entered untold and told. */
function follow(
    scope: Scope,
    notification: readonly string[],
    endings: ReadonlyMap<Node, Visit>,
    again: (visit: Visit) => void,
): readonly Visit[] {
    if (scope.start === undefined) {
        return [];
    }
    const forFailures = failureCode(scope);
    const fails = reaching(
        scope,
        scope.nodes.filter((node) => node.type === "Fail"),
        () => true,
    );
    const seen = new Set<number>();
    const visits: Visit[] = [];
    const enter = (visit: Visit): void => {
        // Back where the execution may still succeed the failure is over.
        const entered = visit.told && forFailures[visit.node.index] === 0 ? { ...visit, told: false } : visit;
        const key = entered.node.index * 2 + (entered.told ? 1 : 0);
        if (!seen.has(key)) {
            seen.add(key);
            visits.push(entered);
        }
    };
    enter({ node: scope.start, told: false });
    for (let at = 0; at < visits.length; at += 1) {
        const visit = visits[at];
        const { node } = visit;
        const tells = forFailures[node.index] === 1 && notifies(node, notification);
        if (tells && visit.told && fails[node.index] === 1) {
            again(visit);
        }
        const inside = endings.get(node);
        for (const edge of node.out) {
            enter({ node: edge.to, told: visit.told || (tells && edge.kind !== "catch"), before: visit, edge });
            if (inside !== undefined && edge.kind === "catch") {
                enter({ node: edge.to, told: true, before: visit, edge, inside });
            }
        }
    }
    return visits;
}

/** States that run for failures only: entered through catchers alone, or without a way to success. */
function failureCode(scope: Scope): Uint8Array {
    const seen = reachable(scope);
    const succeeding = reaching(
        scope,
        scope.nodes.filter((node) => node.ends === "success"),
        () => true,
    );
    const plain = new Uint8Array(scope.nodes.length);
    const work = [scope.start!];
    plain[scope.start!.index] = 1;
    for (let node = work.pop(); node !== undefined; node = work.pop()) {
        for (const edge of node.out) {
            if (edge.kind !== "catch" && plain[edge.to.index] === 0) {
                plain[edge.to.index] = 1;
                work.push(edge.to);
            }
        }
    }
    return plain.map((isPlain, index) => (seen[index] === 1 && (isPlain === 0 || succeeding[index] === 0) ? 1 : 0));
}

/** The steps up to a visit, without the state itself. */
function stepsTo(ways: Ways, visit: Visit): Step[] {
    const steps: Step[][] = [];
    let first = visit;
    for (let at = visit; at.before !== undefined; at = at.before) {
        const { owner } = at.inside?.node.scope ?? {};
        steps.push(
            owner === undefined
                ? [stepAlong(at.edge!)]
                : [
                      { state: owner.name, path: owner.path, leaves: "enter", index: at.inside!.node.scope.branch },
                      ...within(ways, at.inside!),
                      lastStep(at.inside!.node, "fail"),
                      stepAlong(at.edge!),
                  ],
        );
        first = at.before;
    }
    return [...ways.to(first.node), ...steps.reverse().flat()];
}

/** The steps inside a branch. */
function within(ways: Ways, visit: Visit): Step[] {
    return stepsTo(ways, visit).slice(ways.to(visit.node.scope.start!).length);
}

function twice(context: Context, ways: Ways, visit: Visit): void {
    const { node } = visit;
    const steps = [...stepsTo(ways, visit), lastStep(node, "next")];
    context.report.add({
        rule: "notified-twice",
        path: node.path,
        state: node.name,
        message:
            "A way leads here on which a message about the same failure has been sent already: send one, at the end that all failures share.",
        counterExample: steps,
        counterExampleText: describeSteps(steps, "the failure is told a second time"),
    });
}

/** With a rule on failed executions that leaves out what was told: the Fail's Error begins with the prefix exactly where it was. */
function named(
    context: Context,
    ways: Ways,
    variables: Variables,
    { node, told, ...rest }: Visit,
    prefix: string,
): void {
    const { begins, mayBegin } = beginning(context, variables, node, prefix);
    if (told ? begins : !mayBegin) {
        return;
    }
    const steps = [...stepsTo(ways, { node, told, ...rest }), lastStep(node, "fail")];
    context.report.add({
        rule: "notified-name",
        path: node.path,
        state: node.name,
        message: told
            ? `The failure has been told when this Fail is entered, and its Error does not surely begin with "${prefix}": the rule on failed executions tells it again.`
            : `No message about the failure was sent on a way to this Fail, and its Error may begin with "${prefix}": the rule on failed executions leaves it out.`,
        counterExample: steps,
        counterExampleText: describeSteps(steps, told ? "the failure is told twice" : "nobody is told of the failure"),
    });
}

function beginning(
    context: Context,
    variables: Variables,
    node: Node,
    prefix: string,
): { readonly begins: boolean; readonly mayBegin: boolean } {
    const { Error: error } = node.fields;
    if (typeof error !== "string") {
        // Error may be left out; what an ErrorPath brings is not known.
        const unknown = node.fields.ErrorPath !== undefined;
        return { begins: false, mayBegin: unknown };
    }
    const code = node.language === "JSONata" ? expressionIn(error) : undefined;
    if (code === undefined) {
        return { begins: error.startsWith(prefix), mayBegin: error.startsWith(prefix) };
    }
    const { ast } = context.expressions.parse(code);
    const text = ast === undefined ? undefined : evaluate(ast, variables.environment(node, "state")).value.text;
    const values = text?.values;
    if (text === undefined || values !== undefined) {
        const begin = (value: string): boolean => value.startsWith(prefix);
        return { begins: values?.every(begin) ?? false, mayBegin: values?.some(begin) ?? true };
    }
    return {
        begins: text.prefix.startsWith(prefix),
        mayBegin: text.prefix.startsWith(prefix) || prefix.startsWith(text.prefix),
    };
}
