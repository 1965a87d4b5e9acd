import { get, isUnknown, list, strings } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, undecided, violation } from "../lib/rule";

export const iamNoManagedPolicies: ResourceRule = {
    kind: "resource",
    name: "iam-no-managed-policies",
    description: "No role has a policy that AWS wrote.",
    why:
        "AWS's policies are for everybody, so they grant more than one role needs, and they change without a " +
        "deployment.",
    remediation: "Write the statements that are needed.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:iam/role:Role", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"],
    references: { cdkNag: ["AwsSolutions-IAM4"] },
    check(resource) {
        const value = get(resource.props, resource.type.endsWith(":Role") ? "managedPolicyArns" : "policyArn");
        const managed = strings(value).filter((arn) => /^arn:[^:]*:iam::aws:policy\//.test(arn));
        if (managed.length > 0) {
            return violation(...managed.map((arn) => `${arn} is AWS's own policy.`));
        }
        const unknown = list(value).find(isUnknown);
        // The ARN of a policy that does not exist yet is one of the account's: AWS's are all known.
        return isUnknown(unknown) && resource.type.endsWith(":Role") ? undecided(unknown) : compliant;
    },
};
