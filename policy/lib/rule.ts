import type { PolicyConfigJSONSchema } from "@pulumi/policy/schema";
import type { Fact, Facts, ResourceFacts, Unknown } from "./facts";
import { get, isUnknown, show } from "./facts";

/** How much a violation weighs: `mandatory` refuses the deployment, `advisory` only warns. */
export type Level = "advisory" | "mandatory" | "disabled";

/** What other scanners call the same thing. */
export interface References {
    /** cdk-nag, without the pack's prefix where there is one pack only: `AwsSolutions-SF1`. */
    readonly cdkNag?: readonly string[];
    /** Checkov: `CKV_AWS_284`. */
    readonly checkov?: readonly string[];
    /** AWS Security Hub controls: `StepFunctions.1`. */
    readonly securityHub?: readonly string[];
    /** Trivy: `AWS-0095`. */
    readonly trivy?: readonly string[];
    /** Prowler's check names. */
    readonly prowler?: readonly string[];
}

/** One thing that is wrong. `urn` names the resource where a stack rule found it. */
export interface Violation {
    readonly message: string;
    readonly urn?: string;
}

/** What a rule says. */
export interface Verdict {
    readonly violations: readonly Violation[];
    /**
     * What the rule could not judge because it is not known yet. The engine says so in the preview, and judges at the
     * update.
     */
    readonly undecided: readonly Unknown[];
    /** Why the rule has nothing to say here. */
    readonly notApplicable?: string;
}

/** Everything that a rule may know besides the resources and its own parameters. */
export interface RuleContext {
    /** Every suppression that the configuration declares, and whether it was needed in this run. */
    readonly suppressions: readonly SuppressionRecord[];
}

/** A suppression's reason has at least this many characters; a shorter one gives none. */
export const MIN_REASON = 20;

/** A declared exception from a rule. */
export interface Suppression {
    /** `type::name` of the resource; `*` stands for any run of characters in the name. */
    readonly resource: string;
    /** Why the rule does not hold for this resource; see {@link MIN_REASON}. */
    readonly reason: string;
}

export interface SuppressionRecord extends Suppression {
    readonly rule: string;
    readonly used: boolean;
}

interface RuleBase {
    /** Kebab-case, unique, never renamed: configuration and suppressions name it. */
    readonly name: string;
    /** What must be true, as one sentence. */
    readonly description: string;
    /** What happens otherwise, with the source where it is not obvious. */
    readonly why: string;
    /** What to do about a violation. */
    readonly remediation: string;
    readonly severity: "low" | "medium" | "high" | "critical";
    /** The level when the pack's configuration says nothing. */
    readonly level: Level;
    readonly references: References;
    /** Parameters that the pack's configuration may set, each with a default. */
    readonly parameters?: Readonly<Record<string, PolicyConfigJSONSchema & { readonly default: unknown }>>;
}

/** A rule on one resource at a time; it runs before the resource is created or changed. */
export interface ResourceRule extends RuleBase {
    readonly kind: "resource";
    /** Type tokens that the rule is about; `any` for every resource. */
    readonly types: readonly string[] | "any";
    /** Pure; never throws. */
    check(resource: ResourceFacts, parameters: Facts): Verdict;
}

/** A rule on the whole stack, for what lies between resources; it runs at the end of preview and update. */
export interface StackRule extends RuleBase {
    readonly kind: "stack";
    readonly types: readonly string[] | "any";
    /** Pure; never throws. */
    check(resources: readonly ResourceFacts[], parameters: Facts, context: RuleContext): Verdict;
}

export type Rule = ResourceRule | StackRule;

export const compliant: Verdict = { violations: [], undecided: [] };

export function notApplicable(reason: string): Verdict {
    return { violations: [], undecided: [], notApplicable: reason };
}

export function violation(...messages: readonly string[]): Verdict {
    return { violations: messages.map((message) => ({ message })), undecided: [] };
}

export function undecided(...unknowns: readonly Unknown[]): Verdict {
    return { violations: [], undecided: unknowns };
}

/** The verdicts of several looks at one thing as one. It applies when any of them does. */
export function all(verdicts: readonly Verdict[]): Verdict {
    const applying = verdicts.filter((verdict) => verdict.notApplicable === undefined);
    if (applying.length === 0 && verdicts.length > 0) {
        return verdicts[0];
    }
    return {
        violations: applying.flatMap((verdict) => verdict.violations),
        undecided: applying.flatMap((verdict) => verdict.undecided),
    };
}

/** Names the resource in every violation of a verdict. */
export function at(resource: ResourceFacts, verdict: Verdict): Verdict {
    return { ...verdict, violations: verdict.violations.map((one) => ({ urn: resource.urn, ...one })) };
}

/**
 * The most common rule: one property has to satisfy a condition.
 *
 * @param expected what is expected, for the message: `true`, `"ALL"`, `at least 14`
 */
export function property(
    facts: Facts,
    path: string,
    holds: (value: Fact | undefined) => boolean,
    expected: string,
): Verdict {
    const value = get(facts, path);
    if (isUnknown(value)) {
        return undecided(value);
    }
    return holds(value) ? compliant : violation(`${path} is ${show(value)}; expected ${expected}.`);
}

/**
 * A property that only has to name something: any text but the empty one does, and a value that is not known yet is
 * one.
 */
export function isSet(value: Fact | undefined): boolean {
    return isUnknown(value) || (typeof value === "string" && value !== "");
}

/**
 * A number parameter; the rule's own default has been merged in, so anything else is a configuration of the wrong type.
 */
export function numberParameter(parameters: Facts, name: string, fallback: number): number {
    const value = parameters[name];
    return typeof value === "number" && Number.isFinite(value) ? value : fallback;
}
