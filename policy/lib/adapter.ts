import type {
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
} from "@pulumi/policy";
import type { PolicyConfigJSONSchema } from "@pulumi/policy/schema";
import { settingsOfStack } from "../../ground/perStack";
import type { Facts, ResourceFacts } from "./facts";
import { get, list, snapshotObject } from "./facts";
import type { Rule, RuleContext, Suppression, SuppressionRecord, Verdict } from "./rule";
import { MIN_REASON } from "./rule";

const SUPPRESSIONS: PolicyConfigJSONSchema = {
    type: "array",
    description:
        "Resources that the rule does not hold for: `resource` is `type::name` (`*` in the name stands for " +
        "anything), " +
        `\`reason\` says why, in at least ${MIN_REASON} characters. One that is not needed any more is itself a ` +
        "violation (suppressions-needed).",
    items: {
        type: "object",
        properties: { resource: { type: "string" }, reason: { type: "string" } },
        required: ["resource", "reason"],
        additionalProperties: false,
    },
};

const STACKS: PolicyConfigJSONSchema = {
    type: "object",
    description: "By `<project>/<stack>`, or `<project>/*`: parameters and suppressions that are other ones there.",
    additionalProperties: { type: "object" },
};

/**
 * What was suppressed in this run of the pack. The engine starts the pack anew for every preview and update, runs the
 * rules on all resources and only then those on the stack, so at its end the ledger is complete.
 */
export class SuppressionLedger {
    private readonly declared = new Map<string, readonly Suppression[]>();
    private readonly used = new Set<string>();

    declare(rule: string, suppressions: readonly Suppression[]): void {
        this.declared.set(rule, suppressions);
    }

    /** Whether a violation of a rule is suppressed; if so, that suppression is needed. */
    covers(rule: string, resource: { readonly type: string; readonly name: string } | undefined): boolean {
        const suppression =
            resource === undefined
                ? undefined
                : this.declared
                      .get(rule)
                      ?.find(
                          (one) =>
                              one.reason.trim().length >= MIN_REASON &&
                              matches(one.resource, `${resource.type}::${resource.name}`),
                      );
        if (suppression === undefined) {
            return false;
        }
        this.used.add(keyOf(rule, suppression));
        return true;
    }

    records(): SuppressionRecord[] {
        return [...this.declared].flatMap(([rule, suppressions]) =>
            suppressions.map((one) => ({ ...one, rule, used: this.used.has(keyOf(rule, one)) })),
        );
    }
}

function keyOf(rule: string, suppression: Suppression): string {
    return `${rule} ${suppression.resource} ${suppression.reason}`;
}

function matches(pattern: string, identity: string): boolean {
    const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(identity);
}

/** Turns a rule into what the SDK serves. */
export function toPolicy(rule: Rule, ledger: SuppressionLedger): ResourceValidationPolicy | StackValidationPolicy {
    const common = {
        name: rule.name,
        displayName: rule.name,
        description: rule.description,
        enforcementLevel: rule.level,
        severity: rule.severity,
        remediationSteps: rule.remediation,
        configSchema: { properties: { ...rule.parameters, suppressions: SUPPRESSIONS, stacks: STACKS } },
    };
    if (rule.kind === "resource") {
        return {
            ...common,
            validateResource(args: ResourceValidationArgs, report: ReportViolation): void {
                const parameters = parametersOf(rule, args, args.urn, ledger);
                if (rule.types !== "any" && !rule.types.includes(args.type)) {
                    args.notApplicable("The rule is about other types.");
                }
                const resource = resourceFacts(args);
                conclude(
                    rule,
                    evaluate(rule, () => rule.check(resource, parameters)),
                    [resource],
                    ledger,
                    args,
                    report,
                );
            },
        };
    }
    return {
        ...common,
        validateStack(args: StackValidationArgs, report: ReportViolation): void {
            const parameters = parametersOf(rule, args, args.resources.at(0)?.urn, ledger);
            const resources = args.resources.map(stackResourceFacts);
            const context: RuleContext = { suppressions: ledger.records() };
            conclude(
                rule,
                evaluate(rule, () => rule.check(resources, parameters, context)),
                resources,
                ledger,
                args,
                report,
            );
        },
    };
}

/** The parameters of a rule: its defaults, over them the configuration, and over that what it says of the one stack. */
function parametersOf(
    rule: Rule,
    args: { getConfig<T extends object>(): T },
    urn: string | undefined,
    ledger: SuppressionLedger,
): Facts {
    const general = snapshotObject(args.getConfig<Record<string, unknown>>());
    const configured = urn === undefined ? general : (settingsOfStack(general, ...stackOf(urn)) as Facts);
    ledger.declare(
        rule.name,
        list(configured.suppressions).map((one) => ({
            resource: textOf(get(one, "resource")),
            reason: textOf(get(one, "reason")),
        })),
    );
    return { ...defaultParameters(rule), ...configured };
}

/** Project and stack in a URN, `urn:pulumi:<stack>::<project>::...`: a pack is told of them in no other way. */
function stackOf(urn: string): readonly [project: string, stack: string] {
    const [start, project] = urn.split("::");
    return [project, start.slice("urn:pulumi:".length)];
}

/** A rule's parameters when nothing is configured. */
export function defaultParameters(rule: Rule): Facts {
    return snapshotObject(
        Object.fromEntries(Object.entries(rule.parameters ?? {}).map(([name, schema]) => [name, schema.default])),
    );
}

function textOf(value: unknown): string {
    return typeof value === "string" ? value : "";
}

/**
 * Rules do not throw; should one all the same, that is a violation in one line and not the end of the whole pack in a
 * stack trace.
 */
function evaluate(rule: Rule, check: () => Verdict): Verdict {
    try {
        return check();
    } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return {
            violations: [
                { message: `The rule ${rule.name} itself failed, so nothing is proved: ${reason.slice(0, 300)}` },
            ],
            undecided: [],
        };
    }
}

function conclude(
    rule: Rule,
    verdict: Verdict,
    resources: readonly ResourceFacts[],
    ledger: SuppressionLedger,
    args: { notApplicable(reason?: string): never },
    report: ReportViolation,
): void {
    for (const violation of verdict.violations) {
        const culprit =
            rule.kind === "resource" ? resources[0] : resources.find((resource) => resource.urn === violation.urn);
        if (!ledger.covers(rule.name, culprit)) {
            report(violation.message, violation.urn);
        }
    }
    if (verdict.notApplicable !== undefined) {
        args.notApplicable(verdict.notApplicable);
    }
    const unknown = verdict.undecided.at(0);
    if (unknown === undefined) {
        return;
    }
    // Nobody can do anything about a value that AWS has not drawn yet, so nothing is said: the update runs the rule
    // again, before it makes the resource.
    args.notApplicable(`${unknown.path} is known only at the update, which judges it.`);
}

function resourceFacts(args: ResourceValidationArgs): ResourceFacts {
    return {
        type: args.type,
        name: args.name,
        urn: args.urn,
        props: snapshotObject(args.props),
        protect: args.opts?.protect === true,
        propertyDependencies: {},
    };
}

function stackResourceFacts(resource: PolicyResource): ResourceFacts {
    return {
        type: resource.type,
        name: resource.name,
        urn: resource.urn,
        props: snapshotObject(resource.props),
        protect: resource.opts?.protect === true,
        propertyDependencies: Object.fromEntries(
            Object.entries(resource.propertyDependencies ?? {}).map(([property, dependencies]) => [
                property,
                dependencies.map((one) => one.urn),
            ]),
        ),
    };
}
