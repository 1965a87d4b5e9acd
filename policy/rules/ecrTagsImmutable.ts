import type { ResourceRule } from "../lib/rule";
import { property } from "../lib/rule";

export const ecrTagsImmutable: ResourceRule = {
    kind: "resource",
    name: "ecr-tags-immutable",
    description: "An ECR repository's tags cannot be moved.",
    why: "A tag that moves makes yesterday's definition train with today's code.",
    remediation: 'Set imageTagMutability: "IMMUTABLE".',
    severity: "medium",
    level: "mandatory",
    types: ["aws:ecr/repository:Repository"],
    references: { checkov: ["CKV_AWS_51"], securityHub: ["ECR.2"], trivy: ["AWS-0031"] },
    check: (resource) =>
        property(resource.props, "imageTagMutability", (value) => value === "IMMUTABLE", '"IMMUTABLE"'),
};
