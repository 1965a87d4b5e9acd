import { propertyNotOpen } from "../lib/resourcePolicies";
import type { ResourceRule } from "../lib/rule";

export const ecrRepositoryNotPublic: ResourceRule = {
    kind: "resource",
    name: "ecr-repository-not-public",
    description: "An ECR repository's policy lets nobody in that it does not name.",
    why: "Everybody could pull the images, or push others.",
    remediation: "Name the principals, or bind the statement by aws:SourceArn and aws:SourceAccount.",
    severity: "critical",
    level: "mandatory",
    types: ["aws:ecr/repositoryPolicy:RepositoryPolicy"],
    references: { cdkNag: ["AwsSolutions-ECR1"], checkov: ["CKV_AWS_32"], trivy: ["AWS-0032"] },
    check: (resource) => propertyNotOpen(resource, "policy"),
};
