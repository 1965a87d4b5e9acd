import { get, strings } from "../lib/facts";
import type { Statement } from "../lib/iam";
import { conditionValues, isOpenToEverybody, readDocument } from "../lib/iam";
import type { ResourceRule } from "../lib/rule";
import { all, compliant, undecided, violation } from "../lib/rule";

const SERVICES = ["states", "sagemaker", "ecs-tasks", "events", "scheduler"].map((name) => `${name}.amazonaws.com`);

export const iamTrustSourceConditions: ResourceRule = {
    kind: "resource",
    name: "iam-trust-source-conditions",
    description: "A role trusts a service only for this account, and never everybody.",
    why:
        "A service acts for every account: without the condition somebody else's state machine may work " +
        "with this role " +
        "(the confused deputy).",
    remediation: "Add StringEquals aws:SourceAccount, and ArnLike aws:SourceArn where the service sends it.",
    severity: "high",
    level: "mandatory",
    types: ["aws:iam/role:Role"],
    references: { checkov: ["CKV_AWS_60", "CKV_AWS_61"] },
    parameters: {
        services: {
            type: "array",
            items: { type: "string" },
            default: SERVICES,
            description:
                "The services that send a source, so that their trust can be bound. Others, like EC2 and Lambda, " +
                "send none.",
        },
    },
    check(resource, parameters) {
        const document = readDocument(get(resource.props, "assumeRolePolicy"), "assumeRolePolicy");
        if (document.problem !== undefined) {
            return violation(`assumeRolePolicy ${document.problem}.`);
        }
        const services = strings(parameters.services);
        const verdict = all([
            compliant,
            ...document.statements.map((statement) => {
                const problem = problemOf(statement, services);
                return problem === undefined
                    ? compliant
                    : violation(`assumeRolePolicy: ${statement.label} ${problem}.`);
            }),
        ]);
        // A condition whose value is not known yet is there all the same: conditionValues leaves it out, so it is no
        // proof of a hole.
        return document.unknown === undefined ? verdict : undecided(document.unknown);
    },
};

function problemOf(statement: Statement, services: readonly string[]): string | undefined {
    if (isOpenToEverybody(statement)) {
        return "trusts everybody";
    }
    const trusted = (statement.principals.Service ?? []).filter((service) => services.includes(service));
    const bound = ["aws:SourceAccount", "aws:SourceArn"].some((key) =>
        conditionValues(statement, key).some((value) => !/^\*+$/.test(value)),
    );
    return statement.effect === "Allow" && trusted.length > 0 && !bound
        ? `trusts ${trusted.join(", ")} for every account; expected a condition on aws:SourceAccount or aws:SourceArn`
        : undefined;
}
