import { container, JOB_DEFINITION } from "../lib/batch";
import { get, isUnknown, list } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, undecided, violation } from "../lib/rule";
import { isSecretVariable } from "../lib/text";

export const batchJobNoSecrets: ResourceRule = {
    kind: "resource",
    name: "batch-job-no-secrets",
    description: "A Batch job's environment holds no secret in plain text.",
    why: "Everybody who may describe the job reads its environment.",
    remediation: "Use containerProperties.secrets with the ARN of a secret.",
    severity: "critical",
    level: "mandatory",
    types: [JOB_DEFINITION],
    references: { cdkNag: ["AwsSolutions-ECS2"], securityHub: ["ECS.8"] },
    check: (resource) =>
        container(resource, (properties) => {
            const environment = get(properties, "environment");
            if (isUnknown(environment)) {
                return undecided(environment);
            }
            const leaks = list(environment)
                .map((variable) => [get(variable, "name"), get(variable, "value")])
                .filter(
                    ([name, value]) =>
                        typeof name === "string" && typeof value === "string" && isSecretVariable(name, value),
                );
            return leaks.length === 0
                ? compliant
                : violation(...leaks.map(([name]) => `The variable ${String(name)} looks like a secret.`));
        }),
};
