/** What changed between two definitions, in words that a reviewer reads in a minute: states, routes, retries, arguments. */
import type { JsonValue, State, StateMachineDefinition } from "./types";
import { statesIn, type PlacedState } from "./walk";

/** What happened to a part of the definition. */
export type ChangeKind = "added" | "removed" | "changed";

/** One difference between two definitions. */
export interface Change {
    readonly kind: ChangeKind;
    /** Name of the state, or undefined for the machine itself. */
    readonly state?: string;
    /** Field path inside the state, for example `Arguments.ResourceConfig.InstanceType` or `Catch[States.ALL].Next`. */
    readonly field?: string;
    readonly before?: JsonValue;
    readonly after?: JsonValue;
}

/** Fields that hold other states: those are compared state by state. */
const graphFields = new Set(["Branches", "ItemProcessor", "Iterator", "States"]);
/** Fields that say nothing about what the machine does. */
const proseFields = new Set(["Comment"]);

/**
 * Compares two definitions. Order of keys and comments do not count; a state is known by its name, wherever it stands, so that
 * moving one into a branch is a change of its place, not a removal and an addition. Linear in the size of both.
 */
export function diffDefinitions(before: StateMachineDefinition, after: StateMachineDefinition): Change[] {
    const changes: Change[] = [];
    const left = collectStates(before);
    const right = collectStates(after);
    changes.push(...diffFields(undefined, machineFields(before), machineFields(after)));
    for (const [name, { state }] of left) {
        if (!right.has(name)) {
            changes.push({ kind: "removed", state: name, before: state.Type });
        }
    }
    for (const [name, { state, scope }] of right) {
        const old = left.get(name);
        if (old === undefined) {
            changes.push({ kind: "added", state: name, after: state.Type });
            continue;
        }
        if (old.scope !== scope) {
            changes.push({ kind: "changed", state: name, field: "place", before: old.scope, after: scope });
        }
        changes.push(...diffFields(name, stateFields(old.state), stateFields(state)));
    }
    return changes;
}

/** One change as a line of plain English. */
export function describeChange(change: Change): string {
    const where = change.state === undefined ? "the state machine" : `"${change.state}"`;
    if (change.field === undefined) {
        return change.kind === "added"
            ? `new state ${where} (${change.after})`
            : `state ${where} is gone (${change.before})`;
    }
    const catcher = /^(Catch|Retry)\[(.+)\](?:\.(.+))?$/.exec(change.field);
    if (catcher !== null) {
        const [, list, errors, field] = catcher;
        const what = `${list === "Catch" ? "catch of" : "retry on"} ${errors}`;
        if (field === undefined || change.kind !== "changed") {
            return change.kind === "added"
                ? `${where}: new ${what}${field === undefined ? "" : ` (${field} ${show(change.after)})`}`
                : `${where}: no ${what} any more${field === undefined ? "" : ` (${field} was ${show(change.before)})`}`;
        }
        return `${where}: ${what}: ${field} ${show(change.before)} -> ${show(change.after)}`;
    }
    switch (change.kind) {
        case "added":
            return `${where}: ${change.field} is new: ${show(change.after)}`;
        case "removed":
            return `${where}: ${change.field} is gone (was ${show(change.before)})`;
        case "changed":
            return `${where}: ${change.field} ${show(change.before)} -> ${show(change.after)}`;
    }
}

/** The changes as a Markdown list for a pull request; says so when there are none. */
export function changesToMarkdown(changes: readonly Change[]): string {
    return changes.length === 0
        ? "No change in the workflow.\n"
        : `${changes.map((change) => `- ${describeChange(change).replace(/([*_`|<>])/g, "\\$1")}`).join("\n")}\n`;
}

interface ScopedState {
    readonly state: State;
    /** Names of the enclosing states; empty at the top. */
    readonly scope: string;
}

function collectStates(definition: StateMachineDefinition): Map<string, ScopedState> {
    const found = new Map<string, ScopedState>();
    const insideOf = new Map<PlacedState, string>();
    for (const place of statesIn(definition)) {
        const { name, state, owner } = place;
        const scope = owner === undefined ? "" : (insideOf.get(owner) ?? "");
        found.set(name, { state, scope });
        insideOf.set(place, scope === "" ? name : `${scope} > ${name}`);
    }
    return found;
}

type Fields = Map<string, JsonValue>;

function machineFields(definition: StateMachineDefinition): Fields {
    const { States: _states, ...rest } = definition;
    return flatten(rest as unknown as { [key: string]: JsonValue });
}

function stateFields(state: State): Fields {
    const { Catch, Retry, ...rest } = state as unknown as { [key: string]: JsonValue };
    const fields = flatten(rest);
    for (const [list, entries] of [
        ["Catch", Catch],
        ["Retry", Retry],
    ] as const) {
        // keyed by the errors, so that a new catcher does not shift the others
        for (const entry of Array.isArray(entries) ? (entries as { [key: string]: JsonValue }[]) : []) {
            const { ErrorEquals, ...others } = entry;
            const key = `${list}[${Array.isArray(ErrorEquals) ? ErrorEquals.join(", ") : String(ErrorEquals)}]`;
            const inner = flatten(others, key);
            if (inner.size === 0) {
                fields.set(key, true);
            }
            inner.forEach((value, field) => fields.set(field, value));
        }
    }
    return fields;
}

/** Leaves of a value by their dotted path; empty objects and arrays are leaves. */
function flatten(value: { [key: string]: JsonValue }, prefix = ""): Fields {
    const fields: Fields = new Map();
    const work: [string, JsonValue][] = Object.entries(value)
        .filter(([key]) => !graphFields.has(key) && !proseFields.has(key))
        .map(([key, inner]) => [prefix === "" ? key : `${prefix}.${key}`, inner]);
    work.reverse();
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
        const [path, inner] = next;
        const children =
            inner !== null && typeof inner === "object"
                ? Object.entries(inner).filter(([key]) => !proseFields.has(key))
                : [];
        if (children.length === 0) {
            fields.set(path, inner);
        }
        for (let i = children.length - 1; i >= 0; i--) {
            work.push([`${path}.${children[i][0]}`, children[i][1]]);
        }
    }
    return fields;
}

function diffFields(state: string | undefined, before: Fields, after: Fields): Change[] {
    const changes: Change[] = [];
    for (const [field, value] of before) {
        const other = after.get(field);
        if (other === undefined) {
            changes.push({ kind: "removed", state, field, before: value });
        } else if (JSON.stringify(other) !== JSON.stringify(value)) {
            changes.push({ kind: "changed", state, field, before: value, after: other });
        }
    }
    for (const [field, value] of after) {
        if (!before.has(field)) {
            changes.push({ kind: "added", state, field, after: value });
        }
    }
    return changes;
}

function show(value: JsonValue | undefined): string {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
