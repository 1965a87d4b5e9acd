/**
 * This project's pack, which `pulumi preview --policy-pack policy` runs: the rules of policy/, and what they are handed
 * here.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { PolicyPack, type PolicyPackConfig } from "@pulumi/policy";
// The file and not the folder: its package.json names the loader of this very build.
import { policies, withLevels } from "../policy/index";
import { judgeRunBudget } from "./runBudget";

/**
 * This project's configuration of the rules, from the pack's folder: `pulumi preview --policy-pack policy` needs no
 * more. What `--policy-pack-config` says comes over it.
 */
function ownConfiguration(): PolicyPackConfig {
    const file = path.join(__dirname, "..", "config.json");
    if (!existsSync(file)) {
        return {};
    }
    try {
        return JSON.parse(readFileSync(file, "utf8")) as PolicyPackConfig;
    } catch (error) {
        console.error(`Policy pack: policy/config.json is no JSON: ${(error as Error).message}`);
        process.exit(1);
    }
}

const all = policies({ judgeBudget: judgeRunBudget });

// Constructing the pack opens its server: nothing else may happen in this file, and no other file may import it.
new PolicyPack(
    "ensemble-training",
    {
        displayName: "Ensemble training",
        description: "State machines that never fail in silence, and everything that they stand on.",
        enforcementLevel: "mandatory",
        policies: all,
    },
    withLevels(ownConfiguration(), all),
);
