import { defined } from "../../ground/fields";
import { Expressions, type Ast } from "../analysis/jsonata";
import type { JsonObject, JsonValue, PassState } from "../types";
import { literal, render, type Template } from "./jsonata";
import { StateNode, targetsOf, transition, type StateOptions } from "./node";

/**
 * Stands in for a state that has a result: sets the same variables and gives the same output as that state would after
 * `result`.
 */
export class Stub extends StateNode {
    constructor(
        name: string,
        private readonly options: StateOptions,
        private readonly result: JsonValue,
    ) {
        super(name);
    }

    override targets(): readonly string[] {
        return targetsOf(this.options.next);
    }

    override render(): PassState {
        const { assign, output, comment, next } = this.options;
        const of = (template: Template): JsonValue =>
            withResult(render(template, `stub "${this.name}"`), literal(this.result));
        return defined({
            Type: "Pass" as const,
            Comment: comment === undefined ? "stub" : `stub of: ${comment}`,
            Output: output === undefined ? plain(this.result) : of(output),
            Assign: assign === undefined ? undefined : (of(assign) as JsonObject),
            ...transition(next),
        });
    }
}

/**
 * A value that the state puts out as it is: texts that Step Functions would run as JSONata become literals of JSONata.
 */
function plain(value: JsonValue): JsonValue {
    return mapTexts(value, (text) => (text.startsWith("{%") ? `{% ${literal(text)} %}` : text));
}

/** A rendered template whose expressions read a literal where they read the state's result. */
function withResult(template: JsonValue, result: string): JsonValue {
    const expressions = new Expressions();
    return mapTexts(template, (text) => {
        const code = text.startsWith("{%") ? text.slice(2, -2).trim() : undefined;
        const ast = code === undefined ? undefined : expressions.parse(code).ast;
        return code === undefined || ast === undefined ? text : `{% ${substitute(code, ast, result)} %}`;
    });
}

/** Name of the variable that stands for all of `$states` where more than its result is read. */
const STATES = "$statesOfStub";

/**
 * Puts the literal where `$states.result` stands; by the syntax tree, so that a text which only looks so stays as it
 * is. Where `$states` is read as a whole, a variable of the expression stands for it.
 */
function substitute(code: string, ast: Ast, result: string): string {
    const edits = new Map<number, { readonly end: number; readonly text: string }>();
    let isWhole = false;
    for (const { node, next } of nodesOf(ast)) {
        if (node.type !== "variable" || node.value !== "states" || node.position === undefined) {
            continue;
        }
        const start = node.position - "$states".length;
        if (next?.type === "name" && next.value === "result" && next.position !== undefined) {
            edits.set(start, { end: next.position, text: `(${result})` });
        } else if (next?.type !== "name") {
            edits.set(start, { end: node.position, text: STATES });
            isWhole = true;
        }
    }
    let edited = code;
    for (const [start, { end, text }] of [...edits].sort(([left], [right]) => right - left)) {
        edited = edited.slice(0, start) + text + edited.slice(end);
    }
    return isWhole ? `(${STATES} := $merge([$states, {'result': ${result}}]); ${edited})` : edited;
}

interface PlacedNode {
    /** A node of the syntax tree. */
    readonly node: Ast;
    /** The step of the path that follows. Default: none, it is no step or the last. */
    readonly next?: Ast;
}

/** All nodes of a syntax tree; those that are steps of a path with the step behind them. */
function nodesOf(ast: Ast): readonly PlacedNode[] {
    const found: PlacedNode[] = [];
    const seen = new Set<unknown>();
    const work: PlacedNode[] = [{ node: ast }];
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        const { node } = item;
        if (typeof node !== "object" || node === null || seen.has(node)) {
            continue;
        }
        seen.add(node);
        found.push(item);
        work.push(...Object.values(node).map((child) => ({ node: child as Ast })));
        // Last, so that a step is met with its follower first, and its second visit, without, is none.
        const steps = node.type === "path" ? (node.steps as readonly Ast[]) : [];
        work.push(...steps.map((step, index) => ({ node: step, next: steps[index + 1] })));
    }
    return found;
}

function mapTexts(value: JsonValue, change: (text: string) => JsonValue): JsonValue {
    if (typeof value === "string") {
        return change(value);
    }
    if (Array.isArray(value)) {
        return value.map((item) => mapTexts(item, change));
    }
    return typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)]))
        : value;
}
