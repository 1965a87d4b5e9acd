import { PolicyPack } from "@pulumi/policy";
import { policies } from ".";

// Constructing the pack opens its server: nothing else may happen in this file, and no other file may import it.
new PolicyPack("state-machines", {
    displayName: "State machines",
    description: "State machines that never fail in silence, and everything that they stand on.",
    enforcementLevel: "mandatory",
    policies: policies(),
});
