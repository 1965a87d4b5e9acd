import type { ResourceFacts } from "../lib/facts";
import { get, isUnknown, show } from "../lib/facts";
import type { StackRule, Verdict } from "../lib/rule";
import { all, at, compliant, notApplicable, undecided, violation } from "../lib/rule";

const FUNCTION = "aws:lambda/function:Function";
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";

export const lambdaLogGroup: StackRule = {
    kind: "stack",
    name: "lambda-log-group",
    description: "Every function's log group is a resource of the stack.",
    why:
        "Otherwise Lambda makes it at the first call: without retention, without key, and nobody deletes it " +
        "with the stack.",
    remediation: "Make a LogGroup named /aws/lambda/<function>, or name one in loggingConfig.logGroup.",
    severity: "low",
    level: "mandatory",
    types: [FUNCTION],
    references: { checkov: ["CKV_AWS_66"] },
    check(resources) {
        const functions = resources.filter((resource) => resource.type === FUNCTION);
        return functions.length === 0
            ? notApplicable("the stack has no function")
            : all(functions.map((one) => at(one, hasLogGroup(one, resources))));
    },
};

function hasLogGroup(one: ResourceFacts, resources: readonly ResourceFacts[]): Verdict {
    const name = get(one.props, "name");
    const group = get(one.props, "loggingConfig.logGroup") ?? (typeof name === "string" ? `/aws/lambda/${name}` : name);
    const groups = resources.filter((resource) => resource.type === LOG_GROUP);
    if (groups.some((resource) => one.propertyDependencies.loggingConfig?.includes(resource.urn) === true)) {
        return compliant;
    }
    const names = groups.map((resource) => get(resource.props, "name"));
    if (typeof group === "string" && names.includes(group)) {
        return compliant;
    }
    const unknown = [group, ...names].find(isUnknown);
    return unknown === undefined ? violation(`No LogGroup of the stack is named ${show(group)}.`) : undecided(unknown);
}
