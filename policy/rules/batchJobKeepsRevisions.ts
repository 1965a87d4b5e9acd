import { JOB_DEFINITION } from "../lib/batch";
import type { ResourceRule } from "../lib/rule";
import { property } from "../lib/rule";

export const batchJobKeepsRevisions: ResourceRule = {
    kind: "resource",
    name: "batch-job-keeps-revisions",
    description: "An update of a job definition keeps the old revision.",
    why:
        "By default the provider deregisters the old revision, and an execution that has been running for a day " +
        "fails at its next job.",
    remediation: "Set deregisterOnNewRevision: false.",
    severity: "high",
    level: "mandatory",
    types: [JOB_DEFINITION],
    references: {},
    check: (resource) => property(resource.props, "deregisterOnNewRevision", (value) => value === false, "false"),
};
