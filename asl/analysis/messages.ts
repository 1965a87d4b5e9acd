/**
 * One failure, one message. A message about a failure is a notification in code that runs for failures only: behind a
 * catcher, or where the execution can no longer succeed. (What is told on the way to success is progress.) Whether one
 * has been sent is followed along every way, out of branches, too: a Parallel or a Map fails after a message when a way
 * through a branch ends in a Fail after one. Each state is looked at twice at most, told and untold.
 */
import type { Context } from "./context";
import { evaluate } from "./evaluate";
import { expressionIn } from "./expressions";
import { describeSteps, type Step } from "./findings";
import { reachableNodes, reaching, type Edge, type Node, type Scope } from "./graph";
import { failureCode, notifies } from "./notification";
import type { TextSet } from "./values";
import type { Variables } from "./variables";
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
    const { notifiedPrefix: prefix } = settings;
    const endings = new Map<Node, Visit>();
    // Inner scopes before the ones that they lie in.
    for (const scope of [...graph.scopes].reverse()) {
        const visits = new Walk(scope, settings.notification, endings).run((visit) => twice(context, ways, visit));
        const failed = visits.filter(({ node }) => node.type === "Fail");
        const told = failed.find((visit) => visit.told);
        if (scope.owner !== undefined && told !== undefined) {
            endings.set(scope.owner, told);
        }
        if (scope.owner === undefined && prefix !== undefined) {
            failed.forEach((visit) => named(context, ways, variables, visit, prefix));
        }
    }
}

/** Every state of a scope as often as it can be entered untold and told. */
class Walk {
    private readonly visits: Visit[] = [];
    private readonly seen = new Set<number>();
    private readonly forFailures: Uint8Array;

    constructor(
        private readonly scope: Scope,
        private readonly notification: readonly string[],
        private readonly endings: ReadonlyMap<Node, Visit>,
    ) {
        this.forFailures = failureCode(scope);
    }

    run(again: (visit: Visit) => void): readonly Visit[] {
        const { nodes, start } = this.scope;
        if (start === undefined || (this.endings.size === 0 && !this.tells())) {
            return start === undefined ? [] : this.untold();
        }
        const fails = reaching(
            this.scope,
            nodes.filter((node) => node.type === "Fail"),
            () => true,
        );
        this.enter({ node: start, told: false });
        // The list grows while it is read.
        for (const visit of this.visits) {
            const isMessage = this.isMessage(visit.node);
            if (isMessage && visit.told && fails[visit.node.index] === 1) {
                again(visit);
            }
            this.leave(visit, isMessage);
        }
        return this.visits;
    }

    /** Where nothing is told, every state is entered untold. */
    private untold(): Visit[] {
        return reachableNodes(this.scope).map((node) => ({ node, told: false }));
    }

    private tells(): boolean {
        return this.scope.nodes.some((node) => this.isMessage(node));
    }

    private isMessage(node: Node): boolean {
        return this.forFailures[node.index] === 1 && notifies(node, this.notification);
    }

    private leave(visit: Visit, isMessage: boolean): void {
        const inside = this.endings.get(visit.node);
        for (const edge of visit.node.out) {
            const told = visit.told || (isMessage && edge.kind !== "catch");
            this.enter({ node: edge.to, told, before: visit, edge });
            if (inside !== undefined && edge.kind === "catch") {
                this.enter({ node: edge.to, told: true, before: visit, edge, inside });
            }
        }
    }

    private enter(visit: Visit): void {
        // Back where the execution may still succeed the failure is over.
        const isOver = visit.told && this.forFailures[visit.node.index] === 0;
        const entered = isOver ? { ...visit, told: false } : visit;
        const key = entered.node.index * 2 + (entered.told ? 1 : 0);
        if (!this.seen.has(key)) {
            this.seen.add(key);
            this.visits.push(entered);
        }
    }
}

/** The steps up to a visit, without the state itself. */
function stepsTo(ways: Ways, visit: Visit): Step[] {
    const steps: Step[][] = [];
    let at = visit;
    while (at.before !== undefined && at.edge !== undefined) {
        const inside = at.inside === undefined ? [] : throughBranch(ways, at.inside);
        steps.push([...inside, stepAlong(at.edge)]);
        at = at.before;
    }
    return [...ways.to(at.node), ...steps.reverse().flat()];
}

/** The steps into a branch and through it, up to the Fail that ends it. */
function throughBranch(ways: Ways, end: Visit): Step[] {
    const { branch, owner, start } = end.node.scope;
    if (owner === undefined || start === undefined) {
        return [];
    }
    const within = stepsTo(ways, end).slice(ways.to(start).length);
    return [
        { state: owner.name, path: owner.path, leaves: "enter", index: branch },
        ...within,
        lastStep(end.node, "fail"),
    ];
}

function twice(context: Context, ways: Ways, visit: Visit): void {
    const { node } = visit;
    const steps = [...stepsTo(ways, visit), lastStep(node, "next")];
    context.report.add({
        rule: "notified-twice",
        path: node.path,
        state: node.name,
        message:
            "A way leads here on which a message about the same failure has been sent already: " +
            "send one, at the end that all failures share.",
        counterExample: steps,
        counterExampleText: describeSteps(steps, "the failure is told a second time"),
    });
}

/**
 * With a rule on failed executions that leaves out what was told: the Fail's Error begins with the prefix exactly where
 * it was.
 */
function named(context: Context, ways: Ways, variables: Variables, visit: Visit, prefix: string): void {
    const { node, told } = visit;
    const { begins, mayBegin } = beginning(context, variables, node, prefix);
    if (told ? begins : !mayBegin) {
        return;
    }
    const steps = [...stepsTo(ways, visit), lastStep(node, "fail")];
    context.report.add({
        rule: "notified-name",
        path: node.path,
        state: node.name,
        message: told
            ? `The failure has been told when this Fail is entered, and its Error does not surely begin with "${prefix}": ` +
              "the rule on failed executions tells it again."
            : `No message about the failure was sent on a way to this Fail, and its Error may begin with "${prefix}": ` +
              "the rule on failed executions leaves it out.",
        counterExample: steps,
        counterExampleText: describeSteps(steps, told ? "the failure is told twice" : "nobody is told of the failure"),
    });
}

interface Beginning {
    readonly begins: boolean;
    readonly mayBegin: boolean;
}

function beginning(context: Context, variables: Variables, node: Node, prefix: string): Beginning {
    const { Error: error, ErrorPath: path } = node.fields;
    if (typeof error !== "string") {
        // Error may be left out; what an ErrorPath brings is not known.
        return { begins: false, mayBegin: path !== undefined };
    }
    const code = node.language === "JSONata" ? expressionIn(error) : undefined;
    if (code === undefined) {
        return { begins: error.startsWith(prefix), mayBegin: error.startsWith(prefix) };
    }
    const { ast } = context.expressions.parse(code);
    const text = ast === undefined ? undefined : evaluate(ast, variables.environment(node, "state")).value.text;
    return text === undefined ? { begins: false, mayBegin: true } : textBeginning(text, prefix);
}

function textBeginning({ prefix: known, values }: TextSet, prefix: string): Beginning {
    if (values !== undefined) {
        const begin = (value: string): boolean => value.startsWith(prefix);
        return { begins: values.every(begin), mayBegin: values.some(begin) };
    }
    const begins = known.startsWith(prefix);
    return { begins, mayBegin: begins || prefix.startsWith(known) };
}
