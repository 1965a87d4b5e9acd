/** Retriers: they end in time, and repeat only what can pass. */
import { formatDuration } from "../../../ground/duration";
import type { Context } from "../context";
import { retriers, type Fields } from "../definition";
import type { Node } from "../graph";
import { integrationOf } from "../models";

/** A retrier that waits longer than this in all keeps everybody waiting for a failure that is known: seconds. */
const LONGEST_RETRY = 3600;
/** More attempts than AWS makes. */
const MOST_ATTEMPTS = 100_000;
/** Errors of the AWS SDK that stand for everything a service answers. */
const LUMP = /^[A-Za-z]+\.Amazon[A-Za-z]+Exception$/;

/** The seconds that a retrier waits when every attempt fails. */
export function retrySeconds(retrier: Fields): number {
    const number = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);
    const attempts = Math.min(number(retrier.MaxAttempts, 3), MOST_ATTEMPTS);
    const rate = number(retrier.BackoffRate, 2);
    const most = number(retrier.MaxDelaySeconds, Infinity);
    let wait = number(retrier.IntervalSeconds, 1);
    let sum = 0;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
        sum += Math.min(wait, most);
        wait = Math.min(wait * rate, Number.MAX_SAFE_INTEGER);
    }
    return sum;
}

export function checkRetries(context: Context, node: Node): void {
    retriers(node.fields).forEach((retrier, index) => {
        const path = `${node.path}/Retry/${index}`;
        checkSpan(context, node, retrier, path);
        checkNames(context, node, retrier, path);
    });
}

function checkSpan(context: Context, node: Node, retrier: Fields, path: string): void {
    const limit = context.graph.definition.TimeoutSeconds;
    const sum = retrySeconds(retrier);
    const isBeyond = typeof limit === "number" && sum >= limit;
    if (sum > LONGEST_RETRY || isBeyond) {
        const beyond = isBeyond ? `, longer than the execution may run (${limit} seconds)` : "";
        context.report.add({
            rule: "retry-span",
            severity: isBeyond ? "error" : undefined,
            path,
            state: node.name,
            message:
                `This retrier waits ${formatDuration(sum)} in all before the failure is told${beyond}: ` +
                `lower MaxAttempts, or set MaxDelaySeconds.`,
        });
    }
}

function checkNames(
    context: Context,
    node: Node,
    { ErrorEquals: given, MaxAttempts: most }: Fields,
    path: string,
): void {
    const names: readonly unknown[] = Array.isArray(given) ? given : [];
    const lump = names.find((name) => typeof name === "string" && isLump(name, node));
    if (lump !== undefined && most !== 0) {
        context.report.add({
            rule: "retry-indiscriminate",
            path,
            state: node.name,
            message:
                `"${String(lump)}" covers throttling, wrong input and missing permission alike, and a Retry cannot ` +
                `tell them apart: catch it, classify by its cause, and repeat only what can pass.`,
        });
    }
}

const isLump = (name: string, node: Node): boolean =>
    LUMP.test(name) || ((name === "States.ALL" || name === "States.TaskFailed") && isJob(node));

function isJob(node: Node): boolean {
    const integration = integrationOf(node.fields.Resource);
    return integration !== undefined && (integration.pattern.startsWith("sync") || integration.service === "sagemaker");
}
