import type { ResourceRule } from "../lib/rule";
import { compliant, violation } from "../lib/rule";
import { texts } from "../lib/text";

// What the SDK's Output puts into a string, in place of its value.
const LEAK = /Calling \[(?:toString|toJSON)\] on an \[Output<T>\]|\bOutputImpl\b|__pulumiOutput/;

export const noOutputText: ResourceRule = {
    kind: "resource",
    name: "no-output-text",
    description: "No string holds the text of an Output in place of its value.",
    why:
        "JSON.stringify of an Output does not fail: it writes an explanation into the string, " +
        "and AWS takes a definition with it without a word.",
    remediation: "Use pulumi.interpolate or pulumi.jsonStringify, or pass plain values.",
    severity: "high",
    level: "mandatory",
    types: "any",
    references: {},
    check(resource) {
        const leaks = texts(resource.props).filter((one) => LEAK.test(one.text));
        return leaks.length === 0
            ? compliant
            : violation(...leaks.map((one) => `${one.path} holds the text of an Output.`));
    },
};
