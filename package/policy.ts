/**
 * The rules of the CrossGuard pack, to put into a pack of one's own. The pack as it stands lies in the package's folder `dist/policy-pack`:
 * `pulumi preview --policy-pack node_modules/ensemble-training/dist/policy-pack`.
 *
 * @packageDocumentation
 */
import type { Policies } from "@pulumi/policy";
import { SuppressionLedger, toPolicy } from "../policy/lib/adapter";
import { rules } from "../policy/rules";

export type { Rule, ResourceRule, StackRule } from "../policy/lib/rule";
export { rules };

/**
 * The rules as policies for `new PolicyPack(name, { policies: policies() })`.
 *
 * @param without Names of rules to leave out; docs in policy/RULES.md.
 * @throws where one of these names is no rule's.
 */
export function policies(without: readonly string[] = []): Policies {
    const unknown = without.filter((name) => !rules.some((rule) => rule.name === name));
    if (unknown.length > 0) {
        throw new Error(
            `policies: there is no rule ${unknown.join(", ")}; there are ${rules.map(({ name }) => name).join(", ")}`,
        );
    }
    const ledger = new SuppressionLedger();
    return rules.filter(({ name }) => !without.includes(name)).map((rule) => toPolicy(rule, ledger));
}
