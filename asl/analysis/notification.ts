/** Notifications: which states tell somebody, and which run for failures only. */
import { isFields } from "./definition";
import { reachable, reaching, type Node, type Scope } from "./graph";

/**
 * Resources that tell somebody, unless the caller says otherwise. A function's name after "lambda:" makes that function
 * one.
 */
export const defaultNotification: readonly string[] = ["sns:publish", "sqs:sendMessage", "events:putEvents"];

/** Does this state tell somebody? */
export function notifies(node: Node, notification: readonly string[]): boolean {
    const resource = node.fields.Resource;
    if (node.type !== "Task" || typeof resource !== "string") {
        return false;
    }
    const payload = node.language === "JSONata" ? node.fields.Arguments : node.fields.Parameters;
    const target = isFields(payload) ? payload.FunctionName : undefined;
    return notification.some((kind) =>
        kind.startsWith("lambda:")
            ? callsFunction(kind.slice("lambda:".length), [resource, target])
            : isCallOf(kind).test(resource),
    );
}

function callsFunction(name: string, arns: readonly unknown[]): boolean {
    const ending = new RegExp(`:function:${escape(name)}(?::|$)`);
    return arns.some((arn) => typeof arn === "string" && (arn === name || ending.test(arn)));
}

const calls = new Map<string, RegExp>();

function isCallOf(kind: string): RegExp {
    let pattern = calls.get(kind);
    if (pattern === undefined) {
        pattern = new RegExp(`:states:[^:]*:[^:]*:(?:aws-sdk:)?${escape(kind)}(?:\\.|$)`);
        calls.set(kind, pattern);
    }
    return pattern;
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const failureCodes = new WeakMap<Scope, Uint8Array>();

/** States that run for failures only: entered through catchers alone, or without a way to success. */
export function failureCode(scope: Scope): Uint8Array {
    let found = failureCodes.get(scope);
    if (found === undefined) {
        found = findFailureCode(scope);
        failureCodes.set(scope, found);
    }
    return found;
}

function findFailureCode(scope: Scope): Uint8Array {
    const { nodes, start } = scope;
    const seen = reachable(scope);
    const succeeding = reaching(
        scope,
        nodes.filter((node) => node.ends === "success"),
        () => true,
    );
    const plain = new Uint8Array(nodes.length);
    const work = start === undefined ? [] : [start];
    work.forEach((node) => plain.fill(1, node.index, node.index + 1));
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
