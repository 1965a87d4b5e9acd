import * as sagemaker from "@pulumi/aws/sagemaker";
import * as pulumi from "@pulumi/pulumi";
import type { StageNames } from "./names";
import { protection } from "./protection";
import type { StageTags } from "./tags";

export interface ModelRegistryArgs {
    readonly names: StageNames;
    readonly protectedStage: boolean;
    readonly tags: StageTags;
}

/**
 * The group of SageMaker's model registry whose versions are a stage's published ensembles; the state machine adds
 * them.
 */
export class ModelRegistry extends pulumi.ComponentResource {
    readonly groupName: pulumi.Output<string>;
    /** What must exist before the first ensemble is registered. */
    readonly parts: readonly pulumi.Resource[];

    constructor(name: string, args: ModelRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:sagemaker:ModelRegistry", name, {}, opts);
        const { names } = args;
        // The record of what was published and approved: nobody can make it again.
        const group = new sagemaker.ModelPackageGroup(
            name,
            {
                modelPackageGroupName: names.modelPackageGroup,
                modelPackageGroupDescription: `Ensembles published by ${names.stateMachine}`,
                tags: args.tags,
            },
            { parent: this, ...protection("data", args.protectedStage) },
        );
        this.groupName = group.modelPackageGroupName;
        this.parts = [group];
        this.registerOutputs({ groupName: this.groupName });
    }
}
