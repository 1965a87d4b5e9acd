/** The workflow as data: no Pulumi, no AWS SDK. */
export * from "./contract";
export { defineEnsemble, type Ensemble } from "./ensemble";
export {
    attemptLimits,
    ensembleTraining,
    executionBound,
    renderDefinition,
    requiredPermissions,
    titleOf,
} from "./ensembleTraining";
export { ERROR_CLASSES, type ErrorPolicy } from "./errorClasses";
export { modelBound, OVERHEAD_SECONDS, SPOT_WAIT_SECONDS } from "./modelTraining";
export { jobName, jobNamePrefix, stagePrefix } from "./names";
export {
    mergePermissions,
    policyDocument,
    type Machine,
    type MetricDefinition,
    type Permission,
    type PolicyStatement,
} from "../asl/states";
export { FUNCTIONS, JOB_QUEUE_SECONDS, JOB_SECONDS, JOBS, type FunctionName, type Job, type Targets } from "./targets";
