import type { Fact, ResourceFacts } from "../lib/facts";
import { get, isFacts, isUnknown, list, parseJson, strings } from "../lib/facts";
import { adrift, beside } from "../lib/relations";
import type { StackRule, Verdict } from "../lib/rule";
import { all, at, compliant, notApplicable, undecided, violation } from "../lib/rule";

const MACHINE = "aws:sfn/stateMachine:StateMachine";
const RULE = "aws:cloudwatch/eventRule:EventRule";
const STATUSES = ["FAILED", "TIMED_OUT", "ABORTED"];
const TARGET_OF_RULE = {
    type: "aws:cloudwatch/eventTarget:EventTarget",
    property: "rule",
    identifiers: ["name", "id"],
};

export const sfnFailureRule: StackRule = {
    kind: "stack",
    name: "sfn-failure-rule",
    description:
        "An enabled EventBridge rule with a target sees every state machine's executions fail, time out and be " +
        "aborted.",
    why:
        "No state sees its execution's own time-out, an abort, States.Runtime or States.DataLimitExceeded: " +
        "without the rule these failures are silent whatever the definition says.",
    remediation:
        'Add a rule on source aws.states, detail-type "Step Functions Execution Status Change", status FAILED, ' +
        "TIMED_OUT and " +
        'ABORTED, stateMachineArn of the machine, with a target. A filter on detail.error needs {"exists": false} ' +
        "beside it: " +
        "an abort and a time-out carry no error.",
    severity: "critical",
    level: "mandatory",
    types: [MACHINE],
    references: {},
    check(resources) {
        const machines = resources.filter((resource) => resource.type === MACHINE);
        return machines.length === 0
            ? notApplicable("the stack has no state machine")
            : all(machines.map((machine) => at(machine, watched(machine, resources))));
    },
};

function watched(machine: ResourceFacts, resources: readonly ResourceFacts[]): Verdict {
    if (get(machine.props, "type") === "EXPRESS") {
        return notApplicable("an express state machine sends no status events");
    }
    const problems: string[] = [];
    for (const rule of resources.filter((resource) => resource.type === RULE)) {
        const text = get(rule.props, "eventPattern");
        if (isUnknown(text)) {
            return undecided(text);
        }
        const pattern = parseJson(text);
        if ("problem" in pattern || !isAboutExecutions(pattern.value) || !isAboutMachine(pattern.value, machine)) {
            continue;
        }
        const problem = problemOf(rule, pattern.value, resources);
        if (isUnknown(problem)) {
            return undecided(problem);
        }
        if (problem === undefined) {
            return compliant;
        }
        problems.push(`rule ${JSON.stringify(rule.name)} ${problem}`);
    }
    return violation(
        `No rule watches ${machine.name} fully: ` +
            `${problems.length === 0 ? "there is none about it" : problems.join("; ")}.`,
    );
}

function isAboutExecutions(pattern: Fact): boolean {
    return (
        strings(get(pattern, "source")).includes("aws.states") &&
        strings(get(pattern, "detail-type")).includes("Step Functions Execution Status Change")
    );
}

function isAboutMachine(pattern: Fact, machine: ResourceFacts): boolean {
    const arns = get(pattern, "detail.stateMachineArn");
    if (arns === undefined) {
        return true;
    }
    const own = get(machine.props, "arn");
    const name = get(machine.props, "name");
    return list(arns).some((arn) => {
        if (typeof arn === "string") {
            // A new machine's ARN is not known yet, but its explicit name is.
            return arn === own || (typeof name === "string" && arn.endsWith(`:stateMachine:${name}`));
        }
        const prefix = get(arn, "prefix");
        return typeof prefix === "string" && typeof own === "string" && own.startsWith(prefix);
    });
}

function problemOf(rule: ResourceFacts, pattern: Fact, resources: readonly ResourceFacts[]): string | Fact | undefined {
    const state = get(rule.props, "state");
    if (state === "DISABLED" || get(rule.props, "isEnabled") === false) {
        return "is disabled";
    }
    const statuses = get(pattern, "detail.status");
    const missing =
        statuses === undefined ? [] : STATUSES.filter((status) => !list(statuses).some((one) => matches(one, status)));
    if (missing.length > 0) {
        return `leaves out ${missing.join(", ")}`;
    }
    const errors = get(pattern, "detail.error");
    if (errors !== undefined && !list(errors).some((one) => isFacts(one) && one.exists === false)) {
        return (
            'filters on detail.error without {"exists": false}, so it misses executions that end ' +
            "without an error name"
        );
    }
    if (beside(rule, resources, TARGET_OF_RULE).length === 0) {
        return adrift(resources, TARGET_OF_RULE) ?? "has no target";
    }
    return undefined;
}

function matches(filter: Fact, status: string): boolean {
    if (typeof filter === "string") {
        return filter === status;
    }
    const excluded = get(filter, "anything-but");
    return excluded !== undefined && !isFacts(excluded) && !strings(excluded).includes(status);
}
