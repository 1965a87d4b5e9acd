/**
 * Failure flow: whatever fails, the execution ends in a Fail that says why, after a notification; never in success, never
 * in silence.
 *
 * A failure is pending from the moment a catcher is taken. It is over when the state that failed runs again (a retry),
 * when a declared record hands it to a join, or when a Fail ends the scope (then the enclosing Parallel or Map fails, and
 * its own catchers are judged). Reaching success while it is pending swallows it. With P the state that failed and H the
 * catcher's target, that is possible exactly when H reaches success and P does not lie on every way there: a question
 * about post-dominators, one tree a scope.
 */
import type { Context } from "./context";
import { catchers, isCatching } from "./definition";
import { dominators, type DominatorTree } from "./dominators";
import { escaping } from "./errors";
import { describeSteps, type Step } from "./findings";
import { reachableNodes, reaching, type Edge, type Node, type Scope } from "./graph";
import { checkRecord, recordOf } from "./joins";
import { notifies } from "./notification";
import type { Variables } from "./variables";
import { lastStep, stepAlong, type Ways } from "./ways";

export function checkFailureFlow(context: Context, ways: Ways, variables: Variables): void {
    const { graph, settings } = context;
    const records = new Map<Node, boolean>();
    for (const node of graph.nodes) {
        const record = recordOf(node);
        if (record !== undefined && settings.tolerance === "declared") {
            records.set(node, checkRecord(context, ways, variables, node, record));
        }
    }
    const flow = new FailureFlow(context, ways, records);
    for (const scope of graph.scopes) {
        const nodes = reachableNodes(scope);
        for (const node of nodes) {
            flow.catchAll(node);
            flow.endings(node);
        }
        flow.swallowed(scope, nodes);
    }
    flow.notified(graph.root);
}

class FailureFlow {
    constructor(
        private readonly context: Context,
        private readonly ways: Ways,
        /** States that hand a failure to a join, and whether it is safe there. */
        private readonly records: ReadonlyMap<Node, boolean>,
    ) {}

    private add(rule: string, node: Node, sub: string, message: string, steps: readonly Step[], outcome: string): void {
        this.context.report.add({
            rule,
            path: `${node.path}${sub}`,
            state: node.name,
            message,
            counterExample: steps,
            counterExampleText: describeSteps(steps, outcome),
        });
    }

    catchAll(node: Node): void {
        const list = catchers(node.fields);
        if (!isCatching(node.type) || list.some(({ errors }) => errors.includes("States.ALL"))) {
            return;
        }
        const names = [...new Set(list.flatMap(({ errors }) => errors))];
        const what = names.length === 0 ? "has no Catch" : `catches only ${names.join(", ")}`;
        const message = `This ${node.type} ${what}: expected a last catcher of States.ALL whose way ends in a Fail.`;
        const escapes = escaping(node);
        if (escapes === undefined) {
            this.context.report.add({
                rule: "catch-all",
                severity: "warning",
                path: node.path,
                state: node.name,
                message:
                    `This ${node.type} ${what}, which takes every error that it is known to meet; ` +
                    `a last catcher of States.ALL would take the others, too.`,
            });
            return;
        }
        const { error } = escapes;
        const steps: Step[] = [...this.ways.to(node), lastStep(node, "error", error)];
        const owner = this.catchingOwner(node, error, steps);
        const outcome =
            owner === undefined
                ? "the execution FAILS and no state hears of it"
                : `the ${owner.type} "${owner.name}" fails, its other branches are aborted, ` +
                  "and what failed is known to nobody";
        this.add("catch-all", node, "", message, steps, outcome);
    }

    /** The state around one that catches what the inner one does not; on the way, those that fail with it. */
    private catchingOwner(node: Node, error: string | undefined, steps: Step[]): Node | undefined {
        let { owner } = node.scope;
        while (owner !== undefined && escaping(owner) !== undefined) {
            steps.push(lastStep(owner, "error", error));
            owner = owner.scope.owner;
        }
        return owner;
    }

    endings(node: Node): void {
        if (node.type === "Fail") {
            this.failSays(node);
        } else if (node.type === "Map") {
            this.mapTolerates(node);
        }
    }

    private failSays(node: Node): void {
        const { fields } = node;
        const lacking = ["Error", "Cause"].filter(
            (field) => (fields[field] === undefined || fields[field] === "") && fields[`${field}Path`] === undefined,
        );
        if (lacking.length === 0) {
            return;
        }
        const what = lacking.join(" and no ");
        const paths = lacking.map((field) => `$.${field}`).join(" or ");
        this.add(
            "fail-without-cause",
            node,
            "",
            `The Fail has no ${what}: whoever reads the execution, or catches this error, learns nothing, ` +
                `and a path to ${paths} behind it finds null or nothing.`,
            [...this.ways.to(node), lastStep(node, "fail")],
            `the failure has no ${what}`,
        );
    }

    private mapTolerates(node: Node): void {
        const { fields } = node;
        const tolerated = TOLERANCES.filter((field) => fields[field] !== undefined && fields[field] !== 0);
        const isDeclared =
            this.context.settings.tolerance === "declared" &&
            typeof fields.Comment === "string" &&
            fields.Comment.startsWith("records-failure-for:");
        if (tolerated.length > 0 && !isDeclared) {
            this.context.report.add({
                rule: "failure-swallowed",
                path: node.path,
                state: node.name,
                message:
                    `${tolerated.join(" and ")} lets iterations fail while the Map succeeds: remove it, or declare it ` +
                    `(the Map's Comment begins "records-failure-for: <join state>", option tolerance "declared").`,
            });
        }
    }

    /** Virtual exit and post-dominators: which states lie on every way from a node to the scope's success. */
    swallowed(scope: Scope, nodes: readonly Node[]): void {
        const caught = nodes.flatMap((node) => node.out.filter((edge) => edge.kind === "catch"));
        if (caught.length === 0) {
            return;
        }
        const tree = this.postDominators(scope);
        const told = new Set<string>();
        for (const edge of caught) {
            const { from, to } = edge;
            const pair = `${from.id} ${to.id}`;
            if (tree.reached(to.index) && !tree.dominates(from.index, to.index) && !told.has(pair)) {
                told.add(pair);
                this.swallows(edge);
            }
        }
    }

    /** A record ends the pending failure, right or wrong: a wrong one is reported where it stands. */
    private readonly isOpen = (node: Node): boolean => !this.records.has(node);

    private postDominators(scope: Scope): DominatorTree {
        const { nodes } = scope;
        const size = nodes.length;
        const ends = nodes.filter((node) => node.ends === "success" && this.isOpen(node)).map((node) => node.index);
        const before = nodes.map((node) =>
            node.in.filter((edge) => this.isOpen(edge.from)).map((edge) => edge.from.index),
        );
        return dominators(size + 1, size, (index) => before[index] ?? ends);
    }

    private swallows(edge: Edge): void {
        const { from, to } = edge;
        const rest = this.ways.between(
            to,
            (node) => node.ends === "success" && this.isOpen(node),
            (next) => next.to !== from && this.isOpen(next.from),
        );
        if (rest === undefined) {
            return;
        }
        const onwards = this.ways.onwards(rest.end);
        const refused =
            this.context.settings.tolerance === "forbidden"
                ? ' (which the option tolerance "forbidden" refuses here)'
                : "";
        this.add(
            "failure-swallowed",
            from,
            `/Catch/${edge.index}`,
            `A failure of "${from.name}" that this catcher takes to "${to.name}" can end in success: ` +
                "every way from a catcher must end in a Fail, run the failed state again, or hand the failure to a join " +
                `by a Pass whose Comment begins "records-failure-for: <join state>"${refused}.`,
            [...this.ways.to(from), stepAlong(edge), ...rest.steps, ...onwards.steps],
            onwards.outcome,
        );
    }

    /** Between a failure and the Fail that ends the execution lies a notification. */
    notified(scope: Scope): void {
        const { settings, graph } = this.context;
        const nodes = reachableNodes(scope);
        const fails = nodes.filter((node) => node.type === "Fail");
        const [first] = fails;
        if (first === undefined) {
            return;
        }
        const telling = new Set(graph.nodes.filter((node) => notifies(node, settings.notification)));
        if (telling.size === 0) {
            this.unnotified(
                first,
                "",
                "Nothing in this definition tells anybody of a failure: " +
                    `expected a Task (${settings.notification.join(", ")}) on every way to a Fail.`,
                this.ways.to(first),
                first,
            );
            return;
        }
        this.silentWays(scope, nodes, fails, telling);
    }

    private silentWays(scope: Scope, nodes: readonly Node[], fails: readonly Node[], telling: ReadonlySet<Node>): void {
        const isSilent = (edge: Edge): boolean => edge.kind !== "catch" && !telling.has(edge.from);
        const unheard = reaching(scope, fails, isSilent);
        const kinds = this.context.settings.notification.join(", ");
        const message =
            `A way from here to a Fail passes no notification (${kinds}): ` + "the execution fails and nobody is told.";
        const silentTo = (node: Node): boolean => unheard[node.index] === 1 && !telling.has(node);
        for (const node of nodes.filter((one) => !telling.has(one))) {
            for (const edge of node.out.filter(({ kind, to }) => kind === "catch" && silentTo(to))) {
                const rest = this.ways.between(edge.to, (to) => to.type === "Fail", isSilent);
                if (rest !== undefined) {
                    const steps = [...this.ways.to(node), stepAlong(edge), ...rest.steps];
                    this.unnotified(node, `/Catch/${edge.index}`, message, steps, rest.end);
                }
            }
        }
        if (scope.start === undefined || unheard[scope.start.index] !== 1) {
            return;
        }
        // No failure was caught on this way: a Choice, or nothing at all, decided for it.
        for (const fail of fails) {
            const way = this.ways.between(scope.start, (to) => to === fail, isSilent);
            if (way !== undefined) {
                this.unnotified(fail, "", message, way.steps, fail);
            }
        }
    }

    private unnotified(node: Node, sub: string, message: string, steps: readonly Step[], end: Node): void {
        const outcome = "the execution FAILS without a notification";
        this.add("failure-unnotified", node, sub, message, [...steps, lastStep(end, "fail")], outcome);
    }
}

const TOLERANCES = [
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
];
