import type { Fact, ResourceFacts } from "../lib/facts";
import { get, isFacts, isUnknown, list, parseJson } from "../lib/facts";
import type { ResourceRule, Verdict } from "../lib/rule";
import { all, compliant, notApplicable, undecided, violation } from "../lib/rule";
import { isPinned } from "../lib/text";

const CHECKS: Readonly<Record<string, (resource: ResourceFacts) => Verdict>> = {
    "aws:batch/jobDefinition:JobDefinition": batchImages,
    "aws:lambda/function:Function": resource => get(resource.props, "packageType") === "Image"
        ? image(get(resource.props, "imageUri"), "imageUri")
        : notApplicable("the function is no image"),
    "aws:sfn/stateMachine:StateMachine": trainingImages,
    "docker-build:index:Image": resource => {
        const tags = get(resource.props, "tags");
        if (isUnknown(tags)) {
            return undecided(tags);
        }
        return list(tags).length === 0
            ? violation("tags is empty; expected a tag that ends in the content hash of what is built.")
            : all(list(tags).map((tag, index) => image(tag, `tags.${index}`)));
    },
};

export const imagesPinned: ResourceRule = {
    kind: "resource",
    name: "images-pinned",
    description: "Every container image is named by a digest, or by a tag that ends in a content hash.",
    why: "A tag like latest means another image tomorrow: two runs of one definition are then not the same training, "
        + "and a result cannot be traced to its code.",
    remediation: "Name the image repository@sha256:<digest>, or tag it with the hash of its build context (12 to 64 hex digits).",
    severity: "high",
    level: "mandatory",
    types: Object.keys(CHECKS),
    references: {},
    check: resource => (CHECKS[resource.type] ?? (() => notApplicable("the resource names no image")))(resource),
};

function image(value: Fact | undefined, path: string): Verdict {
    if (isUnknown(value)) {
        return undecided(value);
    }
    if (typeof value !== "string") {
        return violation(`${path} names no image.`);
    }
    return isPinned(value) ? compliant : violation(`${path} is ${JSON.stringify(value)}; expected @sha256:<digest> or a tag that ends in a content hash.`);
}

function batchImages(resource: ResourceFacts): Verdict {
    const container = get(resource.props, "containerProperties");
    if (isUnknown(container)) {
        return undecided(container);
    }
    if (container === undefined) {
        return notApplicable("the job definition has no containerProperties");
    }
    const parsed = parseJson(container);
    return "problem" in parsed
        ? violation(`containerProperties ${parsed.problem}.`)
        : image(get(parsed.value, "image"), "containerProperties.image");
}

function trainingImages(resource: ResourceFacts): Verdict {
    const definition = get(resource.props, "definition");
    if (isUnknown(definition)) {
        return undecided(definition);
    }
    const parsed = parseJson(definition);
    if ("problem" in parsed) {
        return notApplicable("the definition cannot be read, which is another rule's matter");
    }
    const found: Verdict[] = [];
    const pending: [Fact | undefined, string][] = [[parsed.value, "definition"]];
    while (pending.length > 0) {
        const [item, path] = pending.pop()!;
        if (Array.isArray(item)) {
            (item as readonly Fact[]).forEach((one, index) => pending.push([one, `${path}.${index}`]));
        } else if (isFacts(item)) {
            for (const key of Object.keys(item)) {
                const value = item[key];
                // An expression's value is known at run time only; what it is built from is checked where it is written down.
                if (key === "TrainingImage" && typeof value === "string" && !value.startsWith("{%")) {
                    found.push(image(value, `${path}.${key}`));
                }
                pending.push([value, `${path}.${key}`]);
            }
        }
    }
    return found.length === 0 ? notApplicable("the definition names no training image") : all(found);
}
