import type { Finding, RuleGroup } from "../../asl/analysis";
import { analyse, rules as analysisRules } from "../../asl/analysis";
import type { Facts, ResourceFacts } from "./facts";
import { get, isUnknown, parseJson } from "./facts";
import type { ResourceRule, Verdict } from "./rule";
import { notApplicable, undecided, violation } from "./rule";

export const STATE_MACHINE = "aws:sfn/stateMachine:StateMachine";

const GROUPS: ReadonlyMap<string, RuleGroup> = new Map(analysisRules.map((rule) => [rule.name, rule.group]));

/**
 * A violation message lists this many findings of one rule; a definition that is wrong everywhere need not fill the
 * terminal.
 */
const MAX_FINDINGS = 20;

// All rules of this kind look at one definition after the other, so the last analysis serves all of them.
let last: { readonly key: string; readonly findings: readonly Finding[] } | undefined;

function findingsOf(
    definition: string,
    tolerance: "declared" | "forbidden",
    notifiedPrefix: string | undefined,
): readonly Finding[] {
    const key = `${tolerance} ${notifiedPrefix ?? ""} ${definition}`;
    if (last?.key !== key) {
        last = { key, findings: analyse(JSON.parse(definition), { tolerance, notifiedPrefix }) };
    }
    return last.findings;
}

/**
 * A rule that reports what the analysis of Amazon States Language finds.
 *
 * @param wanted which findings are this rule's
 */
export function analysisCheck(
    wanted: (finding: Finding, group: RuleGroup) => boolean,
    parameters: Facts,
    resource: ResourceFacts,
    unreadable: (problem: string) => Verdict = () =>
        notApplicable("the definition cannot be read, which is sfn-definition-sound's matter"),
): Verdict {
    const definition = get(resource.props, "definition");
    if (isUnknown(definition)) {
        return undecided(definition);
    }
    const parsed = parseJson(definition);
    if (typeof definition !== "string" || "problem" in parsed) {
        return unreadable("problem" in parsed ? parsed.problem : "is no string");
    }
    const { tolerance, notifiedPrefix } = parameters;
    const prefix = typeof notifiedPrefix === "string" && notifiedPrefix !== "" ? notifiedPrefix : undefined;
    const findings = findingsOf(definition, tolerance === "forbidden" ? "forbidden" : "declared", prefix).filter(
        (finding) => wanted(finding, GROUPS.get(finding.rule) ?? "structure"),
    );
    const messages = findings.slice(0, MAX_FINDINGS).map(describe);
    if (findings.length > MAX_FINDINGS) {
        messages.push(`... and ${findings.length - MAX_FINDINGS} more.`);
    }
    return violation(...messages);
}

/** A check of all errors of one group. */
export function errorsOf(group: RuleGroup): ResourceRule["check"] {
    return (resource, parameters) =>
        analysisCheck((finding, of) => finding.severity === "error" && of === group, parameters, resource);
}

function describe(finding: Finding): string {
    const where = finding.path === "" ? "the definition" : finding.path;
    const way = finding.counterExampleText === undefined ? "" : ` For example: ${finding.counterExampleText}`;
    return `[${finding.rule}] ${where}: ${finding.message}${way}`;
}
