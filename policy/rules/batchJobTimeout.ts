import { JOB_DEFINITION } from "../lib/batch";
import type { ResourceRule } from "../lib/rule";
import { numberParameter, property } from "../lib/rule";

export const batchJobTimeout: ResourceRule = {
    kind: "resource",
    name: "batch-job-timeout",
    description: "A Batch job has a time-out.",
    why: "A job that hangs runs, and is paid, for ever (Batch ends Fargate jobs after 14 days at the latest).",
    remediation: "Set timeout: { attemptDurationSeconds: ... }, at least 60.",
    severity: "high",
    level: "mandatory",
    types: [JOB_DEFINITION],
    references: {},
    parameters: {
        maxSeconds: {
            type: "number",
            minimum: 60,
            default: 172_800,
            description: "The longest time-out allowed, in seconds.",
        },
    },
    check(resource, parameters) {
        const bound = numberParameter(parameters, "maxSeconds", 172_800);
        return property(
            resource.props,
            "timeout.attemptDurationSeconds",
            (value) => typeof value === "number" && value >= 60 && value <= bound,
            `60 to ${bound} seconds`,
        );
    },
};
