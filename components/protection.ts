import type * as pulumi from "@pulumi/pulumi";

/**
 * What a resource holds: data that nobody can make again, something that a running execution still refers to, or
 * neither.
 */
export type Holds = "data" | "release" | "nothing";

/**
 * How a resource is protected.
 *
 * - Data in a protected stage is neither deleted by mistake (`protect`) nor together with the stack (`retainOnDelete`).
 * - A release (an image, a job definition, uploaded code) stays when the next one takes its place, in every stage: an
 *   execution that runs for days refers to it by name.
 */
export function protection(
    holds: Holds,
    protectedStage: boolean,
): Pick<pulumi.CustomResourceOptions, "protect" | "retainOnDelete"> {
    if (holds === "data" && protectedStage) {
        return { protect: true, retainOnDelete: true };
    }
    return holds === "release" ? { retainOnDelete: true } : {};
}
