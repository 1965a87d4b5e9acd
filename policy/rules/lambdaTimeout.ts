import type { ResourceRule } from "../lib/rule";
import { numberParameter, property } from "../lib/rule";

export const lambdaTimeout: ResourceRule = {
    kind: "resource",
    name: "lambda-timeout",
    description: "A function says how long it may take.",
    why: "The default of 3 seconds ends a function in the middle of its first cold start with a few S3 requests.",
    remediation: "Set timeout, in seconds.",
    severity: "medium",
    level: "mandatory",
    types: ["aws:lambda/function:Function"],
    references: {},
    parameters: {
        minSeconds: {
            type: "number",
            minimum: 1,
            default: 4,
            description: "The shortest time-out allowed, in seconds.",
        },
        maxSeconds: {
            type: "number",
            maximum: 900,
            default: 900,
            description: "The longest time-out allowed, in seconds.",
        },
    },
    check(resource, parameters) {
        const min = numberParameter(parameters, "minSeconds", 4);
        const max = numberParameter(parameters, "maxSeconds", 900);
        return property(
            resource.props,
            "timeout",
            (value) => typeof value === "number" && value >= min && value <= max,
            `${min} to ${max} seconds`,
        );
    },
};
