/** The workflow as data: no Pulumi, no AWS SDK. */
export * from "./contract";
export { defineEnsemble } from "./ensemble";
export {
    attemptLimits,
    ensembleTraining,
    executionBound,
    renderDefinition,
    requiredPermissions,
} from "./ensembleTraining";
export { modelBound } from "./modelTraining";
export { jobNamePrefix } from "./names";
export { policyDocument, type MetricDefinition, type Permission } from "../asl/states";
export { batchRunBound } from "./batchStep";
export { JOB_QUEUE_SECONDS, JOB_SECONDS, JOBS, type Job, type Targets } from "./targets";
