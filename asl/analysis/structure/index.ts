/**
 * Structure: everything that AWS demands of a definition before it takes it, whatever it is for. Sources:
 * https://states-language.net/spec.html, the Step Functions Developer Guide, and recordings and measurements of what
 * AWS refused.
 */
import type { Context } from "../context";
import { checkNames, checkReachability, checkScope } from "./scopes";
import { checkState } from "./states";
import { Targets } from "./targets";

export { show } from "./report";

export function checkStructure(context: Context): void {
    const { graph } = context;
    const targets = new Targets(graph);
    for (const scope of graph.scopes) {
        if (checkScope(context, scope, targets)) {
            scope.nodes.forEach((node) => checkState(context, node, targets));
            checkReachability(context, scope);
        }
    }
    checkNames(context, graph);
}
