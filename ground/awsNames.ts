/** Names that AWS gives, which several rooms must spell alike. */

/** Every training job of an account and region writes to this log group, and its metrics have this namespace. */
export const TRAINING_LOG_GROUP = "/aws/sagemaker/TrainingJobs";

/** The name that Service Quotas gives to the quota of a training instance type. */
export function trainingQuota(instanceType: string, spot: boolean): string {
    return `${instanceType} for ${spot ? "spot training job" : "training job"} usage`;
}
