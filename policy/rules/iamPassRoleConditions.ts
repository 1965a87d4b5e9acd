import type { Statement } from "../lib/iam";
import { conditionValues, covers, identityPolicies, IDENTITY_POLICY_TYPES } from "../lib/iam";
import type { ResourceRule } from "../lib/rule";
import { all, compliant, notApplicable, violation } from "../lib/rule";

export const iamPassRoleConditions: ResourceRule = {
    kind: "resource",
    name: "iam-pass-role-conditions",
    description: "Who may pass a role may pass one named role to one named service.",
    why: "Whoever passes any role to anything is as mighty as the mightiest role of the account.",
    remediation: "Name the role's ARN and add the condition StringEquals iam:PassedToService.",
    severity: "critical",
    level: "mandatory",
    types: IDENTITY_POLICY_TYPES,
    references: { checkov: ["CKV_AWS_286"], trivy: ["AWS-0342"] },
    check(resource) {
        const documents = identityPolicies(resource);
        const passing = documents.flatMap((document) =>
            document.statements
                .filter(
                    (statement) =>
                        statement.effect === "Allow" &&
                        statement.actions.some((action) => covers(action, "iam:PassRole")),
                )
                .map((statement) => ({ path: document.path, statement })),
        );
        if (passing.length === 0) {
            const unknown = documents.flatMap((document) => document.unknown ?? []);
            return unknown.length === 0
                ? notApplicable("no statement lets a role be passed")
                : { ...compliant, undecided: unknown };
        }
        return all(
            passing.map(({ path, statement }) => {
                const problem = problemOf(statement);
                return problem === undefined ? compliant : violation(`${path}: ${statement.label} ${problem}.`);
            }),
        );
    },
};

function problemOf(statement: Statement): string | undefined {
    if (statement.resources.some((resource) => /[*?]/.test(resource)) || statement.hasNotResource) {
        return "passes roles by a wildcard; expected the role's ARN";
    }
    const services = conditionValues(statement, "iam:PassedToService");
    return services.length === 0 || services.some((service) => service.includes("*"))
        ? "has no condition on iam:PassedToService that names the service"
        : undefined;
}
