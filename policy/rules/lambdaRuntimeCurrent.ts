import { get, isUnknown, show, strings } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, notApplicable, undecided, violation } from "../lib/rule";

const CURRENT = ["nodejs22.x", "nodejs24.x", "python3.12", "python3.13", "python3.14", "java21", "provided.al2023"];

/** A runtime's language, and its version as numbers: `python3.12` is python, 3 and 12. */
function parts(runtime: string): { readonly language: string; readonly version: readonly number[] } | undefined {
    const match = /^([a-z]+)(\d+(?:\.\d+)*)(?:\.x)?$/.exec(runtime);
    return match === null ? undefined : { language: match[1] ?? "", version: (match[2] ?? "").split(".").map(Number) };
}

/** Whether a runtime is newer than all that are allowed of its language: a list cannot know what AWS adds. */
function isNewer(runtime: string, allowed: readonly string[]): boolean {
    const asked = parts(runtime);
    const known = allowed.map(parts).filter((one) => one !== undefined && one.language === asked?.language);
    return known.length > 0 && known.every((one) => compare(asked?.version ?? [], one?.version ?? []) > 0);
}

function compare(a: readonly number[], b: readonly number[]): number {
    const differing = a.findIndex((part, index) => part !== (b[index] ?? 0));
    return differing < 0 ? a.length - b.length : (a[differing] ?? 0) - (b[differing] ?? 0);
}

export const lambdaRuntimeCurrent: ResourceRule = {
    kind: "resource",
    name: "lambda-runtime-current",
    description: "A function runs on a runtime that AWS still maintains.",
    why: "A deprecated runtime gets no fixes, and after its end the function cannot be updated any more.",
    remediation: "Move to a runtime of the parameter's list, or to one that is newer than all of its language there.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:lambda/function:Function"],
    references: { cdkNag: ["AwsSolutions-L1"], checkov: ["CKV_AWS_363"], securityHub: ["Lambda.2"] },
    parameters: {
        runtimes: {
            type: "array",
            items: { type: "string" },
            default: CURRENT,
            description: "The runtimes that are allowed; so is whatever is newer than all of its language here.",
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
        return typeof runtime === "string" && (allowed.includes(runtime) || isNewer(runtime, allowed))
            ? compliant
            : violation(`runtime is ${show(runtime)}; expected one of ${allowed.join(", ")}.`);
    },
};
