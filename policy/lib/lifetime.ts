/**
 * The lifetime prover: what a pointer names must stay as long as the pointer needs it, whatever rules delete in its
 * bucket or repository.
 *
 * A program declares its pointers in an object `pointers.json` of the bucket that they point into:
 * `{"format": 1, "pointers": [{"name", "target", "days", "why"?}]}`. A target is a prefix of this bucket,
 * `s3://<bucket>/<prefix>`, or `ecr://<repository>`; `days` is how long after it was written an object must stay, or
 * `"forever"`.
 */
import { endRules, type EndRule, type LifecycleRuleLike, type Pointer } from "../../ground/lifecycle";
import { get, isFacts, isUnknown, list, parseJson, type Fact, type ResourceFacts } from "./facts";

/** Something that deletes: a lifecycle rule of a bucket or a repository. */
export interface DeletionRule extends EndRule {
    readonly kind: "s3" | "ecr";
    /** Name of the bucket or the repository; undefined where it is not known yet. */
    readonly place: string | undefined;
    /** The resource that holds it. */
    readonly resource: ResourceFacts;
}

const CONFIGURATIONS = [
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
];
const BUCKETS = ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"];
const REPOSITORY_POLICY = "aws:ecr/lifecyclePolicy:LifecyclePolicy";

/** Types that can hold a rule that deletes. */
export const DELETING_TYPES: readonly string[] = [...CONFIGURATIONS, ...BUCKETS, REPOSITORY_POLICY];

/** The rules of a resource that delete something. */
export function deletionRulesOf(resource: ResourceFacts): DeletionRule[] {
    if (CONFIGURATIONS.includes(resource.type)) {
        return bucketRules(resource, list(get(resource.props, "rules")));
    }
    if (BUCKETS.includes(resource.type)) {
        return bucketRules(resource, list(get(resource.props, "lifecycleRules")));
    }
    return resource.type === REPOSITORY_POLICY ? repositoryRules(resource) : [];
}

function bucketRules(resource: ResourceFacts, rules: readonly Fact[]): DeletionRule[] {
    const place = text(get(resource.props, "bucket"));
    return endRules(rules.map(lifecycleRule)).map((rule) => ({ ...rule, kind: "s3" as const, place, resource }));
}

/** A rule of the provider, in the words of S3's API. */
function lifecycleRule(rule: Fact): LifecycleRuleLike {
    const [filter = rule] = list(get(rule, "filter"));
    const isOff = get(rule, "enabled") === false;
    return {
        ID: text(get(rule, "id")),
        Status: isOff ? "Disabled" : text(get(rule, "status")),
        Prefix: text(get(rule, "prefix")),
        Filter: { ...filterOf(filter), And: filterOf(get(filter, "and")) },
        Expiration: expirationOf(get(rule, "expiration") ?? get(rule, "expirations.0")),
        Transitions: list(get(rule, "transitions")).map((one) => ({
            Days: number(get(one, "days")),
            Date: date(get(one, "date")),
            StorageClass: text(get(one, "storageClass")),
        })),
    };
}

function filterOf(filter: Fact | undefined): NonNullable<LifecycleRuleLike["Filter"]> {
    const tags = [get(filter, "tag"), get(filter, "tags")].filter((one) => one !== undefined);
    return {
        Prefix: text(get(filter, "prefix")),
        Tags: tags,
        ObjectSizeGreaterThan: number(get(filter, "objectSizeGreaterThan")),
        ObjectSizeLessThan: number(get(filter, "objectSizeLessThan")),
    };
}

function expirationOf(expiration: Fact | undefined): LifecycleRuleLike["Expiration"] {
    return { Days: number(get(expiration, "days")), Date: date(get(expiration, "date")) };
}

/**
 * A repository's policy deletes images by age or by number; what is only about images without a tag reaches none that
 * is named.
 */
function repositoryRules(resource: ResourceFacts): DeletionRule[] {
    const parsed = parseJson(get(resource.props, "policy"));
    if (!("value" in parsed)) {
        return [];
    }
    return list(get(parsed.value, "rules"))
        .filter((rule) => get(rule, "selection.tagStatus") !== "untagged")
        .map((rule): DeletionRule => ({
            kind: "ecr",
            place: text(get(resource.props, "repository")),
            resource,
            id: `priority ${String(get(rule, "rulePriority"))}`,
            prefix: "",
            isConditional: get(rule, "selection.tagStatus") === "tagged",
            what: "deletes",
            days: number(get(rule, "selection.countNumber")),
            isByCount: get(rule, "selection.countType") !== "sinceImagePushed",
        }));
}

/** The pointers that an object declares, or what is wrong with its text. */
export function pointersOf(content: Fact | undefined): { readonly pointers: Pointer[] } | { readonly problem: string } {
    const parsed = parseJson(content);
    if ("problem" in parsed) {
        return parsed;
    }
    const declared = list(get(parsed.value, "pointers"));
    const wrong = declared.findIndex((one) => !isPointer(one));
    if (get(parsed.value, "format") !== 1 || declared.length === 0 || wrong >= 0) {
        const where = wrong >= 0 ? ` (pointers.${wrong} is not one)` : "";
        return { problem: `is not {"format": 1, "pointers": [{name, target, days}, ...]}${where}` };
    }
    return { pointers: declared as unknown as Pointer[] };
}

function isPointer(value: Fact): boolean {
    const days = get(value, "days");
    return (
        isFacts(value) &&
        typeof get(value, "name") === "string" &&
        typeof get(value, "target") === "string" &&
        (days === "forever" || (typeof days === "number" && days > 0))
    );
}

function text(value: Fact | undefined): string | undefined {
    return typeof value === "string" ? value : undefined;
}

function number(value: Fact | undefined): number | undefined {
    return typeof value === "number" && !isUnknown(value) ? value : undefined;
}

function date(value: Fact | undefined): Date | undefined {
    return typeof value === "string" ? new Date(value) : undefined;
}
