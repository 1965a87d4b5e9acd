import { get } from "../lib/facts";
import { identityPolicies, IDENTITY_POLICY_TYPES } from "../lib/iam";
import type { ResourceRule } from "../lib/rule";
import { all, compliant, notApplicable, violation } from "../lib/rule";

export const iamNoAdmin: ResourceRule = {
    kind: "resource",
    name: "iam-no-admin",
    description: "Nobody may do everything.",
    why: "Whoever can change one job's code would own the account.",
    remediation: "Name the actions that are needed.",
    severity: "critical",
    level: "mandatory",
    types: [...IDENTITY_POLICY_TYPES, "aws:iam/rolePolicyAttachment:RolePolicyAttachment"],
    references: {
        checkov: ["CKV_AWS_62", "CKV_AWS_63", "CKV_AWS_274", "CKV2_AWS_40"],
        securityHub: ["IAM.1"],
        trivy: ["AWS-0345"],
    },
    check(resource) {
        if (resource.type.endsWith(":RolePolicyAttachment")) {
            return /:policy\/AdministratorAccess$/.test(String(get(resource.props, "policyArn")))
                ? violation("The policy AdministratorAccess is attached.")
                : compliant;
        }
        const documents = identityPolicies(resource);
        // A document that cannot be read is iam-wildcards' matter, which judges the same ones.
        return documents.length === 0
            ? notApplicable("the role has no inline policy")
            : all(
                  documents.map((document) => {
                      const admins = document.statements.filter(
                          (statement) =>
                              statement.effect === "Allow" &&
                              (statement.actions.includes("*") || statement.actions.includes("*:*")),
                      );
                      return {
                          ...violation(...admins.map((one) => `${document.path}: ${one.label} allows every action.`)),
                          undecided: document.unknown === undefined ? [] : [document.unknown],
                      };
                  }),
              );
    },
};
