import { get, isUnknown } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, undecided, violation } from "../lib/rule";
import { secretIn } from "../lib/text";

export const sfnNoSecrets: ResourceRule = {
    kind: "resource",
    name: "sfn-no-secrets",
    description: "A definition holds no secret.",
    why: "Everybody who may describe the state machine reads its definition, and it is logged.",
    remediation:
        "Put the secret into Secrets Manager and its ARN into the definition; give the old one up, it is known.",
    severity: "critical",
    level: "mandatory",
    types: ["aws:sfn/stateMachine:StateMachine"],
    references: { prowler: ["stepfunctions_statemachine_no_secrets_in_definition"] },
    check(resource) {
        const definition = get(resource.props, "definition");
        if (isUnknown(definition)) {
            return undecided(definition);
        }
        const secret = typeof definition === "string" ? secretIn(definition) : undefined;
        return secret === undefined ? compliant : violation(`The definition holds what looks like ${secret}.`);
    },
};
