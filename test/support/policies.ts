/** Policies of a stage, and a simulator of IAM's that judges them. */
import assert from "node:assert/strict";
import { runSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import type { Statement } from "../../components/iam";
import type { EvaluatedStage } from "../../project/evaluate";

/** The identity policies of each role of the stage, by the role's short name. */
export function rolePolicies(stage: EvaluatedStage): Map<string, Statement[]> {
    const policies = new Map<string, Statement[]>();
    for (const { inputs } of stage.resources.filter(({ type }) => type === "aws:iam/rolePolicy:RolePolicy")) {
        const role = String(inputs.role).replace(/^[^-]+-[^-]+-/, "");
        policies.set(role, [
            ...(policies.get(role) ?? []),
            ...(JSON.parse(String(inputs.policy)) as { Statement: Statement[] }).Statement,
        ]);
    }
    return policies;
}

/** Whether IAM would allow the request; a simulation that cannot be run fails the test. */
export async function isAllowed(simulation: Simulation): Promise<boolean> {
    const result = await runSimulation(simulation, {});
    const { action, resource } = simulation.request;
    const what = `${action} on ${resource.resource}`;
    assert.ok(result.resultType !== "error", `${what}: ${JSON.stringify(result).slice(0, 600)}`);
    return result.overallResult === "Allowed";
}
