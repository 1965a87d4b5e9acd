import { get, isUnknown } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, isSet, notApplicable, undecided, violation } from "../lib/rule";

export const lambdaPermissionSource: ResourceRule = {
    kind: "resource",
    name: "lambda-permission-source",
    description: "A permission to call a function is bound to whose event it is.",
    why: "A service acts for every account: without the source anybody's bucket or topic may call the function.",
    remediation: "Set sourceArn, and sourceAccount where the ARN holds no account.",
    severity: "high",
    level: "mandatory",
    types: ["aws:lambda/permission:Permission"],
    references: { checkov: ["CKV_AWS_301", "CKV_AWS_364"], securityHub: ["Lambda.1"], trivy: ["AWS-0067"] },
    check(resource) {
        const principal = get(resource.props, "principal");
        if (isUnknown(principal)) {
            return undecided(principal);
        }
        const open = principal === "*" || (typeof principal === "string" && principal.endsWith(".amazonaws.com"));
        if (!open) {
            return notApplicable("the permission is for an account or a role");
        }
        return ["sourceArn", "sourceAccount", "principalOrgId"].some((path) => isSet(get(resource.props, path)))
            ? compliant
            : violation(`The permission for ${String(principal)} has neither sourceArn nor sourceAccount.`);
    },
};
