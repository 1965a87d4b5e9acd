import type { Fact, Facts, ResourceFacts } from "../../policy/lib/facts";
import { snapshot, snapshotObject, Unknown } from "../../policy/lib/facts";
import { defaultParameters } from "../../policy/lib/adapter";
import type { Rule, RuleContext, Verdict } from "../../policy/lib/rule";
import { all } from "../../policy/lib/rule";
import type { SampleResource } from "./sampleStage";
import { isReference, sampleOutput, sampleOutputs } from "./sampleStage";
import { SAMPLE_CONFIG } from "./mutations";

/** A rule's answer in one word. */
export type Answer = "compliant" | "violation" | "undecided" | "notApplicable";

function resolve(value: unknown, exists: boolean): Fact {
    if (value instanceof Unknown) {
        return value;
    }
    if (isReference(value)) {
        return exists ? sampleOutput(value) : new Unknown(`${value.resource}.${value.output}`);
    }
    if (Array.isArray(value)) {
        return value.map((item) => resolve(item, exists));
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, exists)]));
    }
    return snapshot(value);
}

export function urnOf(name: string): string {
    return `urn:pulumi:dev::sample::${name}`;
}

/**
 * The sample as the rules see it.
 *
 * @param exists whether its resources exist already; if not, references are not known yet
 */
export function factsOf(stage: readonly SampleResource[], exists = true): ResourceFacts[] {
    return stage.map((resource) => ({
        type: resource.type,
        name: resource.name,
        urn: urnOf(resource.name),
        props: { ...(exists ? sampleOutputs[resource.name] : {}), ...(resolve(resource.props, exists) as Facts) },
        protect: resource.protect === true,
        propertyDependencies: {},
    }));
}

/** The rule's parameters as the sample's configuration sets them. */
export function sampleParameters(rule: Rule): Facts {
    const configured = SAMPLE_CONFIG[rule.name];
    return { ...defaultParameters(rule), ...(typeof configured === "object" ? snapshotObject(configured) : {}) };
}

/** What a rule says about a whole stage. */
export function judge(
    rule: Rule,
    resources: readonly ResourceFacts[],
    parameters = sampleParameters(rule),
    context: RuleContext = { suppressions: [] },
): Verdict {
    if (rule.kind === "stack") {
        return rule.check(resources, parameters, context);
    }
    return all(
        resources
            .filter((resource) => rule.types === "any" || rule.types.includes(resource.type))
            .map((resource) => rule.check(resource, parameters)),
    );
}

export function answer(verdict: Verdict): Answer {
    if (verdict.violations.length > 0) {
        return "violation";
    }
    if (verdict.undecided.length > 0) {
        return "undecided";
    }
    return verdict.notApplicable === undefined ? "compliant" : "notApplicable";
}
