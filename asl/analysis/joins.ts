/**
 * Declared tolerance: a Pass whose Comment begins `records-failure-for: <join state>` records a failure and lets its branch end, so that
 * its siblings' work is kept; the join, a Choice behind all branches, decides.
 */
import type { Context } from "./context";
import { truthOf, type Environment } from "./evaluate";
import { isFields, reaching, type Fields, type Node, type Scope } from "./graph";
import { conditionValue, ruleEnvironments } from "./totality";
import { array, type Value } from "./values";
import { assignsOf, type Variables } from "./variables";
import type { Ways } from "./ways";

const prefix = "records-failure-for:";

/** The text behind `records-failure-for:`, when the state is a record. */
export function recordOf(node: Node): string | undefined {
    const comment = node.fields.Comment;
    return node.type === "Pass" && typeof comment === "string" && comment.startsWith(prefix)
        ? comment.slice(prefix.length).trim()
        : undefined;
}

/** The join that a record names: a state of its own or of an enclosing scope. The longest name that the text begins with wins. */
export function joinOf(node: Node, record: string): Node | undefined {
    let best: Node | undefined;
    for (let scope: Node["scope"] | undefined = node.scope; scope !== undefined; scope = scope.owner?.scope) {
        for (const candidate of scope.nodes) {
            if (
                record.startsWith(candidate.name) &&
                !/^[\p{L}\p{N}]/u.test(record.slice(candidate.name.length)) &&
                (best === undefined || candidate.name.length > best.name.length)
            ) {
                best = candidate;
            }
        }
    }
    return best;
}

/** Checks a record; true when the failure is safe with it. */
export function checkRecord(context: Context, ways: Ways, variables: Variables, node: Node, record: string): boolean {
    const wrong = (message: string): false => {
        context.report.add({ rule: "failure-record", path: node.path, state: node.name, message });
        return false;
    };
    const join = joinOf(node, record);
    if (join === undefined || join.type !== "Choice") {
        return wrong(
            `The Comment names "${record.slice(0, 80)}" as the join, and there is no Choice of that name in this scope or around it.`,
        );
    }
    let top = node;
    for (; top.scope !== join.scope; top = top.scope.owner!) {
        if (top.ends !== "success") {
            return wrong(
                `"${top.name}" must end its branch (End: true), so that what was recorded becomes the branch's result and reaches "${join.name}".`,
            );
        }
    }
    const past = ways.between(
        top,
        (to) => to !== join && to.ends === "success",
        (edge) => edge.to !== join && edge.from !== join && (edge.from !== top || edge.kind !== "catch"),
    );
    if (past !== undefined) {
        return wrong(`The way from here can end in success without the join "${join.name}", by "${past.end.name}".`);
    }
    if (
        ways.between(
            top,
            (to) => to === join,
            (edge) => edge.from !== top || edge.kind !== "catch",
        ) === undefined
    ) {
        return wrong(`No way leads from here to the join "${join.name}".`);
    }
    if (join.language !== "JSONata" || node.language !== "JSONata") {
        return wrong(
            `"${join.name}" and this state must be JSONata, so that what the join makes of the record can be evaluated.`,
        );
    }
    const alone = verdict(context, variables, join, top, new Map([[node.scope, node]]));
    if (alone.fails) {
        return true;
    }
    const together = ofAll(context, variables, join, top);
    if (!together.fails) {
        return wrong(
            `"${join.name}" is not sure to lead to a Fail even when every branch records its failure: it goes on to "${together.towards}", which can end in success.`,
        );
    }
    context.report.add({
        rule: "tolerated-failure",
        path: node.path,
        state: node.name,
        message:
            `A failure that is recorded here alone does not stop the execution: "${join.name}" may go on to "${alone.towards}". ` +
            `That is declared; when all branches fail, the execution fails.`,
    });
    return true;
}

const verdicts = new WeakMap<Node, Map<Node, Verdict>>();

/** Where the join leads when all of its records were made: the same for each of them that comes out of the same state. */
function ofAll(context: Context, variables: Variables, join: Node, top: Node): Verdict {
    const known = verdicts.get(join) ?? new Map<Node, Verdict>();
    verdicts.set(join, known);
    let found = known.get(top);
    if (found === undefined) {
        const recorders = new Map(
            context.graph.nodes.flatMap((other) => {
                const text = recordOf(other);
                return text !== undefined && joinOf(other, text) === join ? [[other.scope, other] as const] : [];
            }),
        );
        found = verdict(context, variables, join, top, recorders);
        known.set(top, found);
    }
    return found;
}

interface Verdict {
    readonly fails: boolean;
    readonly towards: string;
}

/** Where the join leads when exactly these records were made, whatever the other branches put out. */
function verdict(
    context: Context,
    variables: Variables,
    join: Node,
    top: Node,
    recorders: ReadonlyMap<Scope, Node>,
): Verdict {
    const overrides = new Map<string, Value>();
    const settle = (assign: unknown, environment: Environment): void => {
        for (const [name, value] of Object.entries(isFields(assign) ? assign : {})) {
            overrides.set(name, variables.template(value, environment).value);
        }
    };
    const recorded = recorders.get(top.scope) === top;
    settle(
        top.fields.Assign,
        variables.environment(top, "state", new Map(), recorded ? undefined : resultWith(variables, top, recorders)),
    );
    // What is assigned again on the way to the join is not known by this record.
    for (const other of join.scope.nodes) {
        for (const edge of other.out) {
            if (other !== top || edge.kind === "catch") {
                const assigned = Object.keys(assignsOf(edge)).filter((name) => overrides.has(name));
                if (assigned.length > 0 && behind(top, other)) {
                    assigned.forEach((name) => overrides.delete(name));
                }
            }
        }
    }
    const success = reaching(
        join.scope,
        join.scope.nodes.filter((node) => node.ends === "success"),
        (edge) => edge.from !== join,
    );
    const targets: string[] = [];
    const environments = ruleEnvironments(context, variables, join, overrides);
    let open = true;
    for (const edge of join.out) {
        if (!open) {
            break;
        }
        if (edge.kind === "choice") {
            const value = conditionValue(context, edge.holder, environments[edge.index!]);
            const { mayBeTrue, mayBeFalse } = value === undefined ? constantCondition(edge.holder) : truthOf(value);
            if (!mayBeTrue) {
                continue;
            }
            open = mayBeFalse;
        }
        if (success[edge.to.index] === 1) {
            targets.push(edge.to.name);
        }
    }
    return { fails: targets.length === 0, towards: targets[0] ?? "" };
}

const constantCondition = (rule: Fields): { readonly mayBeTrue: boolean; readonly mayBeFalse: boolean } => ({
    mayBeTrue: rule.Condition !== false,
    mayBeFalse: rule.Condition !== true,
});

/** The result of a Parallel in whose branches these records were made. */
function resultWith(variables: Variables, node: Node, recorders: ReadonlyMap<Scope, Node>): Value | undefined {
    if (node.type !== "Parallel") {
        return undefined;
    }
    const output = (scope: Scope): Value => {
        const recorder = recorders.get(scope);
        if (recorder !== undefined) {
            return variables.stateOutput(recorder);
        }
        // A record deeper inside reaches this branch's end through the states that hold it.
        const holder = scope.nodes.find(
            (inner) => inner.ends === "success" && inner.inner.some((deeper) => holds(deeper, recorders)),
        );
        return holder === undefined
            ? variables.outputOf(scope)
            : variables.stateOutput(holder, new Map(), resultWith(variables, holder, recorders));
    };
    return array(node.inner.map(output));
}

function holds(scope: Scope, recorders: ReadonlyMap<Scope, Node>): boolean {
    const work = [scope];
    for (let inner = work.pop(); inner !== undefined; inner = work.pop()) {
        if (recorders.has(inner)) {
            return true;
        }
        inner.nodes.forEach((node) => work.push(...node.inner));
    }
    return false;
}

/** Can the node run after `from` did? */
function behind(from: Node, node: Node): boolean {
    const seen = new Set<Node>();
    const work = from.out.filter((edge) => edge.kind !== "catch").map((edge) => edge.to);
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
        if (next === node) {
            return true;
        }
        if (!seen.has(next)) {
            seen.add(next);
            next.out.forEach((edge) => work.push(edge.to));
        }
    }
    return false;
}
