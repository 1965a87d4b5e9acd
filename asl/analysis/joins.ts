/**
 * Declared tolerance: a Pass whose Comment begins `records-failure-for: <join state>` records a failure and lets its
 * branch end, so that its siblings' work is kept; the join, a Choice behind all branches, decides.
 */
import { assignsOf } from "./assignments";
import type { Context } from "./context";
import { isFields, type Fields } from "./definition";
import { truthOf, type Environment } from "./evaluate";
import { reaching, type Edge, type Node, type Scope } from "./graph";
import { conditionValue, ruleEnvironments } from "./conditions";
import { array, type Value } from "./values";
import type { Variables } from "./variables";
import type { Ways } from "./ways";

const PREFIX = "records-failure-for:";

/** The text behind `records-failure-for:`, when the state is a record. */
export function recordOf(node: Node): string | undefined {
    const comment = node.fields.Comment;
    return node.type === "Pass" && typeof comment === "string" && comment.startsWith(PREFIX)
        ? comment.slice(PREFIX.length).trim()
        : undefined;
}

/**
 * The join that a record names: a state of its own or of an enclosing scope. The longest name that the text begins with
 * wins.
 */
function joinOf(node: Node, record: string): Node | undefined {
    let best: Node | undefined;
    for (let scope: Scope | undefined = node.scope; scope !== undefined; scope = scope.owner?.scope) {
        for (const candidate of scope.nodes) {
            const { length } = candidate.name;
            const isNamed = record.startsWith(candidate.name) && !/^[\p{L}\p{N}]/u.test(record.slice(length));
            if (isNamed && (best === undefined || length > best.name.length)) {
                best = candidate;
            }
        }
    }
    return best;
}

/** Checks a record; true when the failure is safe with it. */
export function checkRecord(context: Context, ways: Ways, variables: Variables, node: Node, record: string): boolean {
    const add = (rule: string, message: string): void =>
        context.report.add({ rule, path: node.path, state: node.name, message });
    const join = joinOf(node, record);
    if (join?.type !== "Choice") {
        const name = record.slice(0, 80);
        add(
            "failure-record",
            `The Comment names "${name}" as the join, and there is no Choice of that name in this scope or around it.`,
        );
        return false;
    }
    const top = topOf(node, join);
    const lost = whyLost(ways, node, join, top);
    if (lost !== undefined) {
        add("failure-record", lost);
        return false;
    }
    const alone = verdict(context, variables, join, top, new Map([[node.scope, node]]));
    if (alone.fails) {
        return true;
    }
    const together = ofAll(context, variables, join, top);
    if (!together.fails) {
        add(
            "failure-record",
            `"${join.name}" is not sure to lead to a Fail even when every branch records its failure: ` +
                `it goes on to "${together.towards}", which can end in success.`,
        );
        return false;
    }
    add(
        "tolerated-failure",
        `A failure that is recorded here alone does not stop the execution: ` +
            `"${join.name}" may go on to "${alone.towards}". ` +
            `That is declared; when all branches fail, the execution fails.`,
    );
    return true;
}

/** The state of the join's own scope in which the record lies. */
function topOf(node: Node, join: Node): Node {
    let top = node;
    while (top.scope !== join.scope && top.scope.owner !== undefined) {
        top = top.scope.owner;
    }
    return top;
}

/** Why what is recorded does not come to the join. */
function whyLost(ways: Ways, node: Node, join: Node, top: Node): string | undefined {
    for (let inner = node; inner !== top && inner.scope.owner !== undefined; inner = inner.scope.owner) {
        if (inner.ends !== "success") {
            return (
                `"${inner.name}" must end its branch (End: true), so that what was recorded becomes ` +
                `the branch's result and reaches "${join.name}".`
            );
        }
    }
    const goesOn = (edge: Edge): boolean => edge.from !== top || edge.kind !== "catch";
    const past = ways.between(
        top,
        (to) => to !== join && to.ends === "success",
        (edge) => edge.to !== join && edge.from !== join && goesOn(edge),
    );
    if (past !== undefined) {
        return `The way from here can end in success without the join "${join.name}", by "${past.end.name}".`;
    }
    if (ways.between(top, (to) => to === join, goesOn) === undefined) {
        return `No way leads from here to the join "${join.name}".`;
    }
    return join.language === "JSONata" && node.language === "JSONata"
        ? undefined
        : `"${join.name}" and this state must be JSONata, so that what the join makes of the record can be evaluated.`;
}

const verdicts = new WeakMap<Node, Map<Node, Verdict>>();

/**
 * Where the join leads when all of its records were made: the same for each of them that comes out of the same state.
 */
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

/** The records that were made, by the scope in which each lies. */
type Recorders = ReadonlyMap<Scope, Node>;

/** Where the join leads when exactly these records were made, whatever the other branches put out. */
function verdict(context: Context, variables: Variables, join: Node, top: Node, recorders: Recorders): Verdict {
    const isRecord = recorders.get(top.scope) === top;
    const result = isRecord ? undefined : resultWith(variables, top, recorders);
    const overrides = assigned(variables, top, variables.environment(top, "state", undefined, result));
    forgetReassigned(overrides, join.scope, top);
    const success = reaching(
        join.scope,
        join.scope.nodes.filter((node) => node.ends === "success"),
        (edge) => edge.from !== join,
    );
    const towards = possibleTargets(context, variables, join, overrides).find((to) => success[to.index] === 1);
    return { fails: towards === undefined, towards: towards?.name ?? "" };
}

/** What a state's Assign makes of what it sees. */
function assigned(variables: Variables, node: Node, environment: Environment): Map<string, Value> {
    const { Assign: assign } = node.fields;
    return new Map(
        Object.entries(isFields(assign) ? assign : {}).map(([name, value]) => [
            name,
            variables.template(value, environment).value,
        ]),
    );
}

/** What is assigned again on the way to the join is not known by this record. */
function forgetReassigned(overrides: Map<string, Value>, scope: Scope, top: Node): void {
    for (const node of scope.nodes) {
        const names = node.out
            .filter((edge) => node !== top || edge.kind === "catch")
            .flatMap((edge) => Object.keys(assignsOf(edge)))
            .filter((name) => overrides.has(name));
        if (names.length > 0 && isBehind(top, node)) {
            names.forEach((name) => overrides.delete(name));
        }
    }
}

/** Where the join may go. */
function possibleTargets(
    context: Context,
    variables: Variables,
    join: Node,
    overrides: ReadonlyMap<string, Value>,
): Node[] {
    const targets: Node[] = [];
    const environments = ruleEnvironments(context, variables, join, overrides);
    for (const edge of join.out) {
        const environment = edge.kind === "choice" ? environments[edge.index ?? 0] : undefined;
        if (environment === undefined) {
            targets.push(edge.to);
            continue;
        }
        const value = conditionValue(context, edge.holder, environment);
        const { mayBeTrue, mayBeFalse } = value === undefined ? constantCondition(edge.holder) : truthOf(value);
        if (mayBeTrue) {
            targets.push(edge.to);
        }
        if (!mayBeFalse) {
            break;
        }
    }
    return targets;
}

const constantCondition = (rule: Fields): { readonly mayBeTrue: boolean; readonly mayBeFalse: boolean } => ({
    mayBeTrue: rule.Condition !== false,
    mayBeFalse: rule.Condition !== true,
});

/** The result of a Parallel in whose branches these records were made. */
function resultWith(variables: Variables, node: Node, recorders: Recorders): Value | undefined {
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
            (inner) => inner.ends === "success" && inner.inner.some((deeper) => holdsRecord(deeper, recorders)),
        );
        return holder === undefined
            ? variables.outputOf(scope)
            : variables.stateOutput(holder, undefined, resultWith(variables, holder, recorders));
    };
    return array(node.inner.map(output));
}

function holdsRecord(scope: Scope, recorders: Recorders): boolean {
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
function isBehind(from: Node, node: Node): boolean {
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
