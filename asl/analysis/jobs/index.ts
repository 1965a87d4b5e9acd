/**
 * Calls of services: fields and values that the service takes, job names that differ, hyperparameters that are texts,
 * Spot with what it needs, retries that end.
 */
import type { Context } from "../context";
import { loopsOf } from "../cycles";
import type { Node } from "../graph";
import { integrationOf, serviceOf } from "../models";
import type { Variables } from "../variables";
import type { Ways } from "../ways";
import { checkNames } from "./names";
import { PayloadCheck } from "./payload";
import { checkRetries } from "./retries";
import { checkSageMaker } from "./sagemaker";

export { retrySeconds } from "./retries";
export { payloadNumber } from "./values";

export function checkJobs(context: Context, ways: Ways, variables: Variables): void {
    const loops = new Map<Node, readonly Node[]>();
    for (const scope of context.graph.scopes) {
        for (const loop of loopsOf(scope)) {
            loop.forEach((node) => loops.set(node, loop));
        }
    }
    for (const node of context.graph.nodes) {
        if (node.type !== "Task") {
            continue;
        }
        checkRetries(context, node);
        const integration = integrationOf(node.fields.Resource);
        const service = integration === undefined ? undefined : serviceOf(integration.service);
        if (integration === undefined || service === undefined) {
            continue;
        }
        new PayloadCheck(context, variables, node, integration, service).check();
        checkNames(context, ways, variables, node, integration, loops.get(node));
        if (integration.service === "sagemaker") {
            checkSageMaker(context, variables, node, integration, loops.has(node));
        }
    }
}
