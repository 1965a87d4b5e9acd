import type { ResourceRule } from "../lib/rule";
import { compliant, notApplicable, violation } from "../lib/rule";

export const dataProtected: ResourceRule = {
    kind: "resource",
    name: "data-protected",
    description:
        "What holds data, and the key that it is encrypted with, is protected from deletion where the stage says so.",
    why: "`pulumi destroy` in the wrong terminal would delete every trained model, or make all of them unreadable.",
    remediation: "Pass the option protect: true.",
    severity: "high",
    level: "mandatory",
    types: ["aws:s3/bucket:Bucket", "aws:kms/key:Key"],
    references: {},
    parameters: {
        required: { type: "boolean", default: false, description: "Whether this stage's data has to be protected." },
    },
    check(resource, parameters) {
        if (parameters.required !== true) {
            return notApplicable("this stage's data needs no protection");
        }
        return resource.protect ? compliant : violation("The resource option protect is not set.");
    },
};
