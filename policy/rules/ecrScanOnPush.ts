import type { ResourceRule } from "../lib/rule";
import { property } from "../lib/rule";

export const ecrScanOnPush: ResourceRule = {
    kind: "resource",
    name: "ecr-scan-on-push",
    description: "An ECR repository scans what is pushed.",
    why: "A known hole in a package would otherwise be found by somebody else.",
    remediation: "Set imageScanningConfiguration: { scanOnPush: true }.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:ecr/repository:Repository"],
    references: { checkov: ["CKV_AWS_163"], securityHub: ["ECR.1"], trivy: ["AWS-0030"] },
    check: (resource) =>
        property(resource.props, "imageScanningConfiguration.scanOnPush", (value) => value === true, "true"),
};
