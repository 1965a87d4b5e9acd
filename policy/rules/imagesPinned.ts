import type { Fact, Facts, ResourceFacts } from "../lib/facts";
import { get, isUnknown, list, parseJson } from "../lib/facts";
import type { ResourceRule, Verdict } from "../lib/rule";
import { all, compliant, MIN_REASON, notApplicable, undecided, violation } from "../lib/rule";
import { isPinned, texts } from "../lib/text";

const CHECKS: Readonly<Record<string, (resource: ResourceFacts, exceptions: readonly RegExp[]) => Verdict>> = {
    "aws:batch/jobDefinition:JobDefinition": batchImages,
    "aws:lambda/function:Function": (resource, exceptions) =>
        get(resource.props, "packageType") === "Image"
            ? image(get(resource.props, "imageUri"), "imageUri", exceptions)
            : notApplicable("the function is no image"),
    "aws:sfn/stateMachine:StateMachine": definitionImages,
    "docker-build:index:Image": (resource, exceptions) => {
        const tags = get(resource.props, "tags");
        if (isUnknown(tags)) {
            return undecided(tags);
        }
        return list(tags).length === 0
            ? violation("tags is empty; expected a tag that ends in the content hash of what is built.")
            : all(list(tags).map((tag, index) => image(tag, `tags.${index}`, exceptions)));
    },
};

export const imagesPinned: ResourceRule = {
    kind: "resource",
    name: "images-pinned",
    description: "Every container image is named by a digest, or by a tag that ends in a content hash.",
    why:
        "A tag like latest means another image tomorrow: two runs of one definition are then not the same training, " +
        "and a result cannot be traced to its code.",
    remediation:
        "Name the image repository@sha256:<digest>, or tag it with the hash of its build context (12 to 64 hex " +
        "digits).",
    severity: "high",
    level: "mandatory",
    types: Object.keys(CHECKS),
    references: {},
    parameters: {
        exceptions: {
            type: "array",
            default: [],
            description: "Images that may be named by a tag, `*` standing for anything, each with its reason.",
            items: {
                type: "object",
                properties: { image: { type: "string" }, reason: { type: "string", minLength: MIN_REASON } },
                required: ["image", "reason"],
                additionalProperties: false,
            },
        },
    },
    check: (resource, parameters) =>
        (CHECKS[resource.type] ?? (() => notApplicable("the resource names no image")))(
            resource,
            exceptionsOf(parameters),
        ),
};

function image(value: Fact | undefined, path: string, exceptions: readonly RegExp[]): Verdict {
    if (isUnknown(value)) {
        return undecided(value);
    }
    if (typeof value !== "string") {
        return violation(`${path} names no image.`);
    }
    return isPinned(value) || exceptions.some((exception) => exception.test(value))
        ? compliant
        : violation(
              `${path} is ${JSON.stringify(value)}; expected @sha256:<digest> or a tag that ends in a content hash.`,
          );
}

function batchImages(resource: ResourceFacts, exceptions: readonly RegExp[]): Verdict {
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
        : image(get(parsed.value, "image"), "containerProperties.image", exceptions);
}

// An address in a registry of AWS's. In an expression the value is known at run time only; the literals that it is
// built from are here.
const REGISTRY_ADDRESS = /^(?:\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?|public\.ecr\.aws)\/\S+$/;

function definitionImages(resource: ResourceFacts, exceptions: readonly RegExp[]): Verdict {
    const definition = get(resource.props, "definition");
    if (isUnknown(definition)) {
        return undecided(definition);
    }
    const parsed = parseJson(definition);
    if ("problem" in parsed) {
        return notApplicable("the definition cannot be read, which is sfn-definition-sound's matter");
    }
    const named = texts(parsed.value).filter(
        (one) => REGISTRY_ADDRESS.test(one.text) || (one.path.endsWith(".TrainingImage") && !one.text.startsWith("{%")),
    );
    return named.length === 0
        ? notApplicable("the definition names no image")
        : all(named.map((one) => image(one.text, `definition.${one.path}`, exceptions)));
}

function exceptionsOf(parameters: Facts): RegExp[] {
    return list(parameters.exceptions).flatMap((exception) => {
        const [pattern, reason] = [get(exception, "image"), get(exception, "reason")];
        if (typeof pattern !== "string" || typeof reason !== "string" || reason.trim().length < MIN_REASON) {
            return [];
        }
        return [
            new RegExp(
                `^${pattern
                    .split("*")
                    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
                    .join(".*")}$`,
            ),
        ];
    });
}
