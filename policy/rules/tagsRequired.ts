import { get, isFacts, isUnknown, strings } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, undecided, violation } from "../lib/rule";
import { TAGGABLE } from "../lib/taggable";

export const tagsRequired: ResourceRule = {
    kind: "resource",
    name: "tags-required",
    description: "Everything that takes tags says whose it is.",
    why: "The bill, the clean-up and the question whose this is all go by tags.",
    remediation: "Set the tags, or defaultTags on the provider.",
    severity: "low",
    level: "mandatory",
    types: TAGGABLE,
    references: { securityHub: ["Batch.1", "Batch.2", "Batch.3", "Batch.4"] },
    parameters: {
        keys: {
            type: "array",
            items: { type: "string" },
            default: ["service"],
            description: "The tags that everything must have, with a value.",
        },
    },
    check(resource, parameters) {
        const tags = get(resource.props, "tags");
        // The provider merges its default tags into both properties before the rules run.
        const merged = get(resource.props, "tagsAll");
        const missing = strings(parameters.keys).filter(
            (key) =>
                ![tags, merged].some((source) => {
                    const value = isFacts(source) && Object.hasOwn(source, key) ? source[key] : undefined;
                    return isUnknown(value) || (typeof value === "string" && value !== "");
                }),
        );
        if (missing.length === 0) {
            return compliant;
        }
        const unknown = [tags, merged].find(isUnknown);
        return unknown === undefined
            ? violation(`The tag ${missing.map((key) => JSON.stringify(key)).join(", ")} is missing.`)
            : undecided(unknown);
    },
};
