import { container, JOB_DEFINITION } from "../lib/batch";
import { get, isUnknown } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, isSet, undecided, violation } from "../lib/rule";

export const batchJobLogs: ResourceRule = {
    kind: "resource",
    name: "batch-job-logs",
    description: "A Batch job writes to a log group of the stack's own.",
    why:
        "By default all jobs of the account share /aws/batch/job, which keeps everything for ever and belongs to " +
        "nobody.",
    remediation:
        'Set containerProperties.logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": ... } }.',
    severity: "medium",
    level: "mandatory",
    types: [JOB_DEFINITION],
    references: { cdkNag: ["AwsSolutions-ECS7"], securityHub: ["ECS.9"] },
    check: (resource) =>
        container(resource, (properties) => {
            const driver = get(properties, "logConfiguration.logDriver");
            if (isUnknown(driver)) {
                return undecided(driver);
            }
            if (driver === undefined) {
                return violation("containerProperties.logConfiguration is missing.");
            }
            // Keys of the options hold dashes, no dots, so they can be read by path.
            return driver !== "awslogs" || isSet(get(properties, "logConfiguration.options.awslogs-group"))
                ? compliant
                : violation("containerProperties.logConfiguration.options has no awslogs-group.");
        }),
};
