import { get, isUnknown, show, strings } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, notApplicable, undecided, violation } from "../lib/rule";

const CURRENT = ["nodejs22.x", "nodejs24.x", "python3.12", "python3.13", "python3.14", "java21", "provided.al2023"];

export const lambdaRuntimeCurrent: ResourceRule = {
    kind: "resource",
    name: "lambda-runtime-current",
    description: "A function runs on a runtime that AWS still maintains.",
    why: "A deprecated runtime gets no fixes, and after its end the function cannot be updated any more.",
    remediation:
        "Move to a runtime of the parameter's list; extend the list in the pack's configuration when AWS adds one.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:lambda/function:Function"],
    references: { cdkNag: ["AwsSolutions-L1"], checkov: ["CKV_AWS_363"], securityHub: ["Lambda.2"] },
    parameters: {
        runtimes: {
            type: "array",
            items: { type: "string" },
            default: CURRENT,
            description: "The runtimes that are allowed.",
        },
    },
    check(resource, parameters) {
        if (get(resource.props, "packageType") === "Image") {
            return notApplicable("the function is an image, which brings its own runtime");
        }
        const runtime = get(resource.props, "runtime");
        if (isUnknown(runtime)) {
            return undecided(runtime);
        }
        const allowed = strings(parameters.runtimes);
        return typeof runtime === "string" && allowed.includes(runtime)
            ? compliant
            : violation(`runtime is ${show(runtime)}; expected one of ${allowed.join(", ")}.`);
    },
};
