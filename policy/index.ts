import { PolicyPack } from "@pulumi/policy";
import { SuppressionLedger, toPolicy } from "./lib/adapter";
import { rules } from "./rules";

const ledger = new SuppressionLedger();

// Constructing the pack opens its server: nothing else may happen in this file, and no other file may import it.
new PolicyPack("ensemble-training", {
    displayName: "Ensemble training",
    description: "State machines that never fail in silence, and everything that they stand on.",
    enforcementLevel: "mandatory",
    policies: rules.map((rule) => toPolicy(rule, ledger)),
});
