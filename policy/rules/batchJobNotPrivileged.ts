import { container, JOB_DEFINITION } from "../lib/batch";
import { get, isUnknown, show } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, undecided, violation } from "../lib/rule";

export const batchJobNotPrivileged: ResourceRule = {
    kind: "resource",
    name: "batch-job-not-privileged",
    description: "A Batch job's container is not privileged.",
    why: "A privileged container is root on its host, and reads what the host's other jobs read.",
    remediation: "Leave containerProperties.privileged out, or set it false.",
    severity: "high",
    level: "mandatory",
    types: [JOB_DEFINITION],
    references: { checkov: ["CKV_AWS_210"], securityHub: ["ECS.4"] },
    check: (resource) =>
        container(resource, (properties) => {
            const privileged = get(properties, "privileged");
            if (isUnknown(privileged)) {
                return undecided(privileged);
            }
            return privileged === undefined || privileged === false
                ? compliant
                : violation(`containerProperties.privileged is ${show(privileged)}; expected false.`);
        }),
};
