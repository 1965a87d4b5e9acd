/** The machine, a branch, a processor: its fields, where it starts, that every state is reached and one ends it. */
import { BRANCH_FIELDS, MACHINE_FIELDS, PROCESSOR_FIELDS, type Fields as KnownFields } from "../../fields";
import type { Context } from "../context";
import { isFields, segment, type Fields } from "../definition";
import { named, type Graph, type Node, type Scope } from "../graph";
import { LONGEST_NAME, Place } from "./report";
import type { Targets } from "./targets";
import { checkDuration } from "./values";

function kindOf({ owner }: Scope): { readonly what: string; readonly known: KnownFields } {
    if (owner === undefined) {
        return { what: "The state machine", known: MACHINE_FIELDS };
    }
    return owner.type === "Map"
        ? { what: "A Map's processor", known: PROCESSOR_FIELDS }
        : { what: "A Parallel's branch", known: BRANCH_FIELDS };
}

/** Checks the scope itself; false where it has no states to check. */
export function checkScope(context: Context, scope: Scope, targets: Targets): boolean {
    const { fields, owner, path } = scope;
    const { what, known } = kindOf(scope);
    const place = new Place(context.report, path, owner?.name, what, fields);
    place.check(known, context.graph.language);
    if (owner === undefined) {
        checkMachine(place);
    }
    place.text("Comment");
    const { States: states } = fields;
    if (states === undefined) {
        place.missing("States");
        return false;
    }
    if (!isFields(states)) {
        place.wrong("States", "an object of states");
        return false;
    }
    if (Object.keys(states).length === 0) {
        place.wrong("States", "at least one state");
        return false;
    }
    for (const [name, state] of Object.entries(states)) {
        if (!isFields(state)) {
            const where = `States/${segment(name)}`;
            const inner = new Place(context.report, path, name, what, { [where]: state });
            inner.wrong(where, "a state (an object)");
        }
    }
    checkStart(place, scope, states, targets);
    return true;
}

function checkMachine(place: Place): void {
    const { QueryLanguage: language, Version: version } = place.fields;
    if (language !== undefined && language !== "JSONata" && language !== "JSONPath") {
        place.wrong("QueryLanguage", '"JSONata" or "JSONPath"');
    }
    if (version !== undefined && version !== "1.0") {
        place.wrong("Version", '"1.0"');
    }
    checkDuration(place, "TimeoutSeconds", 1, false);
}

function checkStart(place: Place, scope: Scope, states: Fields, targets: Targets): void {
    const { StartAt: start } = scope.fields;
    if (start === undefined) {
        place.missing("StartAt");
    } else if (typeof start !== "string") {
        place.wrong("StartAt", "the name of a state");
    } else if (scope.start === undefined && !isFields(states[start])) {
        targets.next(place, scope, start, "StartAt");
    }
}

export function checkReachability(context: Context, scope: Scope): void {
    if (scope.start === undefined) {
        return;
    }
    const seen = named(scope);
    for (const node of scope.nodes) {
        if (seen[node.index] === 0) {
            context.report.add({
                rule: "unreachable-state",
                path: node.path,
                state: node.name,
                message:
                    `No way leads from "${scope.start.name}" to this state: ` +
                    `point a Next, a Default, a choice rule or a catcher to it, or remove it.`,
            });
        }
    }
    if (!scope.nodes.some((node) => seen[node.index] === 1 && node.ends !== undefined)) {
        const what = scope.owner === undefined ? "the execution" : "this scope";
        context.report.add({
            rule: "no-terminal-state",
            path: scope.path,
            state: scope.owner?.name,
            message: `No state that can be reached ends ${what}: expected End: true, a Succeed or a Fail.`,
        });
    }
}

/** Names are unique in the whole machine, and of a length that AWS takes. */
export function checkNames(context: Context, graph: Graph): void {
    const first = new Map<string, Node>();
    const add = (node: Node, rule: string, message: string): void =>
        context.report.add({ rule, path: node.path, state: node.name, message });
    for (const node of graph.nodes) {
        const other = first.get(node.name);
        if (other === undefined) {
            first.set(node.name, node);
        } else {
            add(
                node,
                "duplicate-state-name",
                `The name "${node.name}" is used twice, also at ${other.path}: ` +
                    `state names are unique in the whole state machine, branches included.`,
            );
        }
        const length = [...node.name].length;
        if (length === 0) {
            add(node, "state-name", "A state's name may not be empty.");
        } else if (length > LONGEST_NAME) {
            add(node, "state-name", `The name has ${length} characters; AWS takes at most ${LONGEST_NAME}.`);
        } else if (/\p{Cc}/u.test(node.name)) {
            add(node, "state-name", "The name holds a control character.");
        }
    }
}
