/**
 * This project's pack, which `pulumi preview --policy-pack policy` runs: the rules of policy/, and what they are handed
 * here.
 */
import { PolicyPack } from "@pulumi/policy";
// The file and not the folder: its package.json names the loader of this very build.
import { policies } from "../policy/index";
import { judgeRunBudget } from "./runBudget";

// Constructing the pack opens its server: nothing else may happen in this file, and no other file may import it.
new PolicyPack("ensemble-training", {
    displayName: "Ensemble training",
    description: "State machines that never fail in silence, and everything that they stand on.",
    enforcementLevel: "mandatory",
    policies: policies({ judgeBudget: judgeRunBudget }),
});
