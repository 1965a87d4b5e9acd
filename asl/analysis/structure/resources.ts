/** What a Task calls, and what an Express state machine may not contain. */
import type { Context } from "../context";
import { isFields } from "../definition";
import type { Node, Scope } from "../graph";
import { isReplaced } from "../placeholders";
import { show, type Place } from "./report";

/** arn:partition:service:region:account:what */
const ARN = /^arn:[^:]*:[^:]+:[^:]*:[^:]*:.+$/;
const CALLBACK = /\.waitForTaskToken$/;
const JOB = /\.sync(?::\d+)?$/;
const ACTIVITY = /^arn:[^:]*:states:[^:]*:[^:]*:activity:/;

export function checkResource(place: Place): void {
    const resource = place.fields.Resource;
    if (resource === undefined) {
        place.missing("Resource");
    } else if (typeof resource !== "string" || resource === "") {
        place.wrong("Resource", "the ARN of what the Task calls");
    } else if (!ARN.test(resource) && !isReplaced(resource)) {
        place.add(
            "resource-arn",
            "Resource",
            `Resource is ${show(resource)}, which is no ARN: expected arn:aws:states:::lambda:invoke or the like.`,
        );
    }
}

export function checkCredentials(place: Place, node: Node): void {
    const { Credentials: credentials } = node.fields;
    const isExpression = node.language === "JSONata" && typeof credentials === "string" && credentials.startsWith("{%");
    if (credentials === undefined || isExpression || isReplaced(credentials)) {
        return;
    }
    if (!isFields(credentials)) {
        place.wrong("Credentials", "an object with RoleArn");
    } else if (credentials.RoleArn === undefined && credentials["RoleArn.$"] === undefined) {
        place.inside("Credentials", "Credentials", credentials).missing("RoleArn");
    }
}

/** What ends at once in an Express state machine, and in the executions that an Express distributed Map starts. */
export function checkExpress(context: Context, place: Place, node: Node): void {
    const owner = expressOwner(node.scope, context.settings.type);
    if (owner === undefined) {
        return;
    }
    const what = unsupported(node);
    if (what !== undefined) {
        place.add(
            "express",
            node.type === "Task" ? "Resource" : "ItemProcessor/ProcessorConfig/Mode",
            `${owner} is EXPRESS, which does not support ${what}: take STANDARD, or call without waiting.`,
        );
    }
}

function unsupported(node: Node): string | undefined {
    const { Resource: resource } = node.fields;
    if (node.type === "Map") {
        return node.inner.some((scope) => scope.isolated) ? "a distributed Map" : undefined;
    }
    if (node.type !== "Task" || typeof resource !== "string") {
        return undefined;
    }
    if (CALLBACK.test(resource)) {
        return "waiting for a task token (.waitForTaskToken)";
    }
    if (JOB.test(resource)) {
        return "waiting for a job (.sync)";
    }
    return ACTIVITY.test(resource) ? "activities" : undefined;
}

/** What is Express around a state. */
function expressOwner(from: Scope, type: "STANDARD" | "EXPRESS"): string | undefined {
    for (let scope = from; ; scope = scope.owner.scope) {
        const config = scope.fields.ProcessorConfig;
        if (scope.isolated) {
            const isExpress = isFields(config) && config.ExecutionType === "EXPRESS";
            return isExpress ? `The distributed Map "${scope.owner?.name ?? ""}"` : undefined;
        }
        if (scope.owner === undefined) {
            return type === "EXPRESS" ? "The state machine" : undefined;
        }
    }
}
