import type { StageName } from "./names";

/** What every resource of a stage is tagged with, and what cost reports and the policy pack look for. */
export type StageTags = Readonly<Record<"service" | "subservice" | "stage", string>>;

/**
 * The tags of a stage. One source: they are given to each resource and not to the provider's `defaultTags`, which no
 * test under mocks sees and which Batch job definitions lose with a new revision.
 */
export function stageTags(name: StageName): StageTags {
    return { service: name.service, subservice: "training", stage: name.stage };
}
