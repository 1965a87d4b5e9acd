/**
 * The rules of the CrossGuard pack, to put into a pack of one's own. A pack of all of them lies in the package's folder
 * `dist/pack`: `pulumi preview --policy-pack node_modules/@ensemble-training/policy/dist/pack`.
 *
 * @packageDocumentation
 */
import type { Policies, PolicyPackConfig } from "@pulumi/policy";
import { SuppressionLedger, toPolicy } from "./lib/adapter";
import type { Rule } from "./lib/rule";
import { rules, rulesWith, type HandedIn } from "./rules";

export type { BudgetAnswer, BudgetQuestion, JobBounds, JudgeBudget } from "./lib/budget";
export type { ResourceRule, Rule, StackRule } from "./lib/rule";
export { rules, rulesWith, type HandedIn };

/** Which rules become policies. */
export interface PoliciesOptions extends HandedIn {
    /** Names of rules to leave out; RULES.md lists them. Default: none. */
    readonly without?: readonly string[];
}

/**
 * The rules as policies for `new PolicyPack(name, { policies: policies() })`.
 *
 * @throws where a name in `without` is no rule's.
 */
export function policies({ without = [], ...handedIn }: PoliciesOptions = {}): Policies {
    const all = rulesWith(handedIn);
    refuseUnknown(without, all);
    const ledger = new SuppressionLedger();
    return all.filter(({ name }) => !without.includes(name)).map((rule) => toPolicy(rule, ledger));
}

/**
 * The initial configuration of a pack, with each rule's own level where the configuration says none.
 *
 * Without a level the SDK sends an empty one, which the engine reads as "advisory": a rule that is given a parameter
 * would only warn from then on.
 */
export function withLevels(configuration: PolicyPackConfig, all: Policies): PolicyPackConfig {
    const levels = new Map(all.map(({ name, enforcementLevel = "mandatory" }) => [name, enforcementLevel]));
    const entries = Object.entries(configuration).map(([name, given]) => {
        const level = levels.get(name);
        const needsNone = typeof given === "string" || level === undefined || given.enforcementLevel !== undefined;
        return [name, needsNone ? given : { ...given, enforcementLevel: level }];
    });
    return Object.fromEntries(entries) as PolicyPackConfig;
}

function refuseUnknown(without: readonly string[], all: readonly Rule[]): void {
    const names = all.map(({ name }) => name);
    const unknown = without.filter((name) => !names.includes(name));
    if (unknown.length > 0) {
        throw new Error(`policies: there is no rule ${unknown.join(", ")}; there are ${names.join(", ")}`);
    }
}
