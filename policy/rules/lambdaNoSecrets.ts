import { get, isFacts, isUnknown } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, notApplicable, undecided, violation } from "../lib/rule";
import { isSecretVariable } from "../lib/text";

export const lambdaNoSecrets: ResourceRule = {
    kind: "resource",
    name: "lambda-no-secrets",
    description: "A function's environment holds no secret in plain text.",
    why: "Everybody who may read the function's configuration reads its environment.",
    remediation: "Put the secret's ARN there and read the secret when the function starts.",
    severity: "critical",
    level: "mandatory",
    types: ["aws:lambda/function:Function"],
    references: { checkov: ["CKV_AWS_45"] },
    check(resource) {
        const variables = get(resource.props, "environment.variables");
        if (isUnknown(variables)) {
            return undecided(variables);
        }
        if (!isFacts(variables)) {
            return notApplicable("the function has no environment");
        }
        const leaks = Object.keys(variables).filter((name) => {
            const value = variables[name];
            return typeof value === "string" && isSecretVariable(name, value);
        });
        return leaks.length === 0
            ? compliant
            : violation(...leaks.map((name) => `The variable ${name} looks like a secret.`));
    },
};
