/**
 * Failure flow: whatever fails, the execution ends in a Fail that says why, after a notification; never in success, never in silence.
 *
 * A failure is pending from the moment a catcher is taken. It is over when the state that failed runs again (a retry), when a declared
 * record hands it to a join, or when a Fail ends the scope (then the enclosing Parallel or Map fails, and its own catchers are judged).
 * Reaching success while it is pending swallows it. With P the state that failed and H the catcher's target, that is possible exactly
 * when H reaches success and P does not lie on every way there: a question about post-dominators, one tree a scope.
 */
import type { Context } from "./context";
import { dominators } from "./dominators";
import { describeSteps, type Step } from "./findings";
import { catchers, catchesAll, isFields, reachable, reaching, type Edge, type Node, type Scope } from "./graph";
import { checkRecord, recordOf } from "./joins";
import type { Variables } from "./variables";
import { errorFor, lastStep, type Ways } from "./ways";

/** Resources that tell somebody, unless the caller says otherwise. A function's name after "lambda:" makes that function one. */
export const defaultNotification: readonly string[] = ["sns:publish", "sqs:sendMessage", "events:putEvents"];

/** Does this state tell somebody? */
export function notifies(node: Node, notification: readonly string[]): boolean {
    const resource = node.fields.Resource;
    if (node.type !== "Task" || typeof resource !== "string") {
        return false;
    }
    return notification.some((kind) => {
        if (kind.startsWith("lambda:")) {
            const name = kind.slice("lambda:".length);
            const payload = node.language === "JSONata" ? node.fields.Arguments : node.fields.Parameters;
            const target = isFields(payload) ? payload.FunctionName : undefined;
            return [resource, target].some(
                (arn) =>
                    typeof arn === "string" &&
                    (arn === name || new RegExp(`:function:${escape(name)}(?::|$)`).test(arn)),
            );
        }
        return new RegExp(`:states:[^:]*:[^:]*:(?:aws-sdk:)?${escape(kind)}(?:\\.|$)`).test(resource);
    });
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

export function checkFailureFlow(context: Context, ways: Ways, variables: Variables): void {
    const { graph, settings } = context;
    const telling = new Set(graph.nodes.filter((node) => notifies(node, settings.notification)));
    const records = new Map<Node, boolean>();
    for (const node of graph.nodes) {
        const record = recordOf(node);
        if (record !== undefined && settings.tolerance === "declared") {
            records.set(node, checkRecord(context, ways, variables, node, record));
        }
    }
    for (const scope of graph.scopes) {
        const seen = reachable(scope);
        const nodes = scope.nodes.filter((node) => seen[node.index] === 1);
        for (const node of nodes) {
            catchAll(context, ways, node);
            endings(context, ways, node);
        }
        swallowed(context, ways, scope, nodes, records);
    }
    notified(context, ways, graph.root, telling);
}

function catchAll(context: Context, ways: Ways, node: Node): void {
    if ((node.type !== "Task" && node.type !== "Parallel" && node.type !== "Map") || catchesAll(node.fields)) {
        return;
    }
    const caught = catchers(node.fields).flatMap((catcher) => catcher.errors);
    const error =
        ["States.TaskFailed", "States.Timeout", "States.Permissions"].find(
            (name) =>
                !caught.includes(name) && !(caught.includes("States.TaskFailed") && name === "States.Permissions"),
        ) ?? "States.QueryEvaluationError";
    const steps: Step[] = [...ways.to(node), lastStep(node, "error", error)];
    let owner = node.scope.owner;
    while (owner !== undefined && !catchesAll(owner.fields)) {
        steps.push(lastStep(owner, "error", error));
        owner = owner.scope.owner;
    }
    const outcome =
        owner === undefined
            ? "the execution FAILS and no state hears of it"
            : `the ${owner.type === "Map" ? "Map" : "Parallel"} "${owner.name}" fails, its other branches are aborted, and what failed is known to nobody`;
    context.report.add({
        rule: "catch-all",
        path: node.path,
        state: node.name,
        message:
            `This ${node.type} ${caught.length === 0 ? "has no Catch" : `catches only ${[...new Set(caught)].join(", ")}`}: ` +
            `expected a last catcher of States.ALL whose way ends in a Fail.`,
        counterExample: steps,
        counterExampleText: describeSteps(steps, outcome),
    });
}

function endings(context: Context, ways: Ways, node: Node): void {
    const { fields } = node;
    if (node.type === "Fail") {
        const lacking = [
            ["Error", "ErrorPath"],
            ["Cause", "CausePath"],
        ]
            .filter(
                ([field, path]) => (fields[field] === undefined || fields[field] === "") && fields[path] === undefined,
            )
            .map(([field]) => field);
        if (lacking.length > 0) {
            const steps = [...ways.to(node), lastStep(node, "fail")];
            context.report.add({
                rule: "fail-without-cause",
                path: node.path,
                state: node.name,
                message:
                    `The Fail has no ${lacking.join(" and no ")}: whoever reads the execution, or catches this error, learns nothing, ` +
                    `and a path to ${lacking.map((field) => `$.${field}`).join(" or ")} behind it does not exist.`,
                counterExample: steps,
                counterExampleText: describeSteps(steps, `the failure has no ${lacking.join(" and no ")}`),
            });
        }
    }
    if (node.type === "Map") {
        const tolerated = [
            "ToleratedFailureCount",
            "ToleratedFailurePercentage",
            "ToleratedFailureCountPath",
            "ToleratedFailurePercentagePath",
        ].filter((field) => fields[field] !== undefined && fields[field] !== 0);
        const declared =
            context.settings.tolerance === "declared" &&
            typeof fields.Comment === "string" &&
            fields.Comment.startsWith("records-failure-for:");
        if (tolerated.length > 0 && !declared) {
            context.report.add({
                rule: "failure-swallowed",
                path: node.path,
                state: node.name,
                message:
                    `${tolerated.join(" and ")} lets iterations fail while the Map succeeds: remove it, or declare it ` +
                    `(the Map's Comment begins "records-failure-for: <join state>", option tolerance "declared").`,
            });
        }
    }
}

/** Virtual exit and post-dominators: which states lie on every way from a node to the scope's success. */
function swallowed(
    context: Context,
    ways: Ways,
    scope: Scope,
    nodes: readonly Node[],
    records: ReadonlyMap<Node, boolean>,
): void {
    const caught = nodes.flatMap((node) => node.out.filter((edge) => edge.kind === "catch"));
    if (caught.length === 0) {
        return;
    }
    const size = scope.nodes.length;
    // A record ends the pending failure, right or wrong: a wrong one is reported where it stands.
    const open = (node: Node): boolean => !records.has(node);
    const ends = scope.nodes.filter((node) => node.ends === "success" && open(node)).map((node) => node.index);
    const tree = dominators(size + 1, size, (index) =>
        index === size ? ends : scope.nodes[index].in.filter((edge) => open(edge.from)).map((edge) => edge.from.index),
    );
    const told = new Set<string>();
    for (const edge of caught) {
        const { from, to } = edge;
        if (!tree.reached(to.index) || tree.dominates(from.index, to.index)) {
            continue;
        }
        const rest = ways.between(
            to,
            (node) => node.ends === "success" && open(node),
            (next) => next.to !== from && open(next.from),
        );
        if (rest === undefined || told.has(`${from.id} ${to.id}`)) {
            continue;
        }
        told.add(`${from.id} ${to.id}`);
        const onwards = ways.onwards(rest.end);
        const steps: Step[] = [
            ...ways.to(from),
            { ...lastStep(from, "error", errorFor(from, edge.index!)), index: edge.index },
            ...rest.steps,
            ...onwards.steps,
        ];
        context.report.add({
            rule: "failure-swallowed",
            path: `${from.path}/Catch/${edge.index}`,
            state: from.name,
            message:
                `A failure of "${from.name}" that this catcher takes to "${to.name}" can end in success: every way from a catcher must end in a Fail, ` +
                `run the failed state again, or hand the failure to a join by a Pass whose Comment begins "records-failure-for: <join state>"` +
                `${context.settings.tolerance === "forbidden" ? ' (which the option tolerance "forbidden" refuses here)' : ""}.`,
            counterExample: steps,
            counterExampleText: describeSteps(steps, onwards.outcome),
        });
    }
}

/** Between a failure and the Fail that ends the execution lies a notification. */
function notified(context: Context, ways: Ways, scope: Scope, telling: ReadonlySet<Node>): void {
    const seen = reachable(scope);
    const fails = scope.nodes.filter((node) => node.type === "Fail" && seen[node.index] === 1);
    if (fails.length === 0) {
        return;
    }
    if (telling.size === 0) {
        const steps = [...ways.to(fails[0]), lastStep(fails[0], "fail")];
        context.report.add({
            rule: "failure-unnotified",
            path: fails[0].path,
            state: fails[0].name,
            message: `Nothing in this definition tells anybody of a failure: expected a Task (${context.settings.notification.join(", ")}) on every way to a Fail.`,
            counterExample: steps,
            counterExampleText: describeSteps(steps, "the execution FAILS without a notification"),
        });
        return;
    }
    const silent = (edge: Edge): boolean => edge.kind !== "catch" && !telling.has(edge.from);
    const unheard = reaching(scope, fails, silent);
    const report = (node: Node, sub: string, steps: Step[]): void => {
        context.report.add({
            rule: "failure-unnotified",
            path: `${node.path}${sub}`,
            state: node.name,
            message: `A way from here to a Fail passes no notification (${context.settings.notification.join(", ")}): the execution fails and nobody is told.`,
            counterExample: steps,
            counterExampleText: describeSteps(steps, "the execution FAILS without a notification"),
        });
    };
    for (const node of scope.nodes) {
        if (seen[node.index] === 0 || telling.has(node)) {
            continue;
        }
        for (const edge of node.out) {
            if (edge.kind !== "catch" || unheard[edge.to.index] === 0 || telling.has(edge.to)) {
                continue;
            }
            const rest = ways.between(edge.to, (to) => to.type === "Fail", silent)!;
            report(node, `/Catch/${edge.index}`, [
                ...ways.to(node),
                { ...lastStep(node, "error", errorFor(node, edge.index!)), index: edge.index },
                ...rest.steps,
                lastStep(rest.end, "fail"),
            ]);
        }
    }
    if (scope.start !== undefined && unheard[scope.start.index] === 1) {
        // No failure was caught on this way: a Choice, or nothing at all, decided for it.
        for (const fail of fails) {
            const way = ways.between(scope.start, (to) => to === fail, silent);
            if (way !== undefined) {
                report(fail, "", [...way.steps, lastStep(fail, "fail")]);
            }
        }
    }
}
