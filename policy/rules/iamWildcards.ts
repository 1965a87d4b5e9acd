import type { Facts } from "../lib/facts";
import { get, list } from "../lib/facts";
import type { PolicyDocument, Statement } from "../lib/iam";
import { covers, identityPolicies, IDENTITY_POLICY_TYPES } from "../lib/iam";
import type { ResourceRule, Verdict } from "../lib/rule";
import { all, notApplicable, violation } from "../lib/rule";
import type { UnavoidableWildcard } from "../lib/wildcards";
import { UNAVOIDABLE_WILDCARDS } from "../lib/wildcards";

export const iamWildcards: ResourceRule = {
    kind: "resource",
    name: "iam-wildcards",
    description: "A policy names its actions one by one, and a resource by its name, unless AWS allows nothing else.",
    why: "A wildcard grants what does not exist yet. Each that cannot be avoided is in the list, with its reason.",
    remediation:
        "Name action and resource; what AWS authorises on * only goes into the parameter allowed, with its reason.",
    severity: "high",
    level: "mandatory",
    types: IDENTITY_POLICY_TYPES,
    references: {
        cdkNag: ["AwsSolutions-IAM5"],
        checkov: ["CKV_AWS_288", "CKV_AWS_289", "CKV_AWS_290", "CKV_AWS_355"],
        securityHub: ["IAM.21"],
    },
    parameters: {
        allowed: {
            type: "array",
            default: [],
            description:
                "Wildcards allowed besides the built-in list: an action (or a pattern that is then itself allowed as " +
                "an action), " +
                'the resource pattern (default "*"), and the reason.',
            items: {
                type: "object",
                properties: {
                    action: { type: "string" },
                    resource: { type: "string" },
                    reason: { type: "string", minLength: 20 },
                },
                required: ["action", "reason"],
                additionalProperties: false,
            },
        },
    },
    check(resource, parameters) {
        const documents = identityPolicies(resource);
        const allowed = [...UNAVOIDABLE_WILDCARDS, ...configured(parameters)];
        return documents.length === 0
            ? notApplicable("the role has no inline policy")
            : all(documents.map((document) => judge(document, allowed)));
    },
};

function configured(parameters: Facts): UnavoidableWildcard[] {
    return list(parameters.allowed).flatMap((entry) => {
        const [action, resource, reason] = ["action", "resource", "reason"].map((key) => get(entry, key));
        if (typeof action !== "string" || typeof reason !== "string") {
            return [];
        }
        return [typeof resource === "string" ? { action, reason, resource } : { action, reason }];
    });
}

function judge(document: PolicyDocument, allowed: readonly UnavoidableWildcard[]): Verdict {
    if (document.problem !== undefined) {
        return violation(`${document.path} ${document.problem}.`);
    }
    const messages = document.statements.flatMap((statement) =>
        problems(statement, allowed).map((problem) => `${document.path}: ${statement.label} ${problem}.`),
    );
    return { ...violation(...messages), undecided: document.unknown === undefined ? [] : [document.unknown] };
}

function problems(statement: Statement, allowed: readonly UnavoidableWildcard[]): string[] {
    if (statement.effect !== "Allow") {
        return [];
    }
    const found: string[] = [];
    if (statement.hasNotAction) {
        found.push("allows everything but some actions (NotAction)");
    }
    if (statement.hasNotResource) {
        found.push("allows everything but some resources (NotResource)");
    }
    for (const action of statement.actions.filter((name) => /[*?]/.test(name))) {
        if (!allowed.some((entry) => entry.action === action)) {
            found.push(`allows the action ${action}`);
        }
    }
    for (const resource of statement.resources.filter(isOpenName)) {
        const rest = statement.actions.filter(
            (action) =>
                !allowed.some(
                    (entry) =>
                        covers(entry.action, action) &&
                        (entry.resource === undefined
                            ? resource === "*"
                            : resource !== "*" && covers(entry.resource, resource)),
                ),
        );
        if (rest.length > 0) {
            found.push(`allows ${rest.join(", ")} on ${resource}`);
        }
    }
    return found;
}

/** Whether a resource's name is left open: `*`, or an ARN with a wildcard in place of, or at the head of, the name. */
function isOpenName(resource: string): boolean {
    if (!resource.startsWith("arn:")) {
        return /[*?]/.test(resource);
    }
    const [, , service, , , ...rest] = resource.split(":");
    const part = rest.join(":");
    const name = service === "s3" ? part : part.replace(/^[a-zA-Z-]+[/:]/, "");
    return name === "" || /^[*?]/.test(name);
}
