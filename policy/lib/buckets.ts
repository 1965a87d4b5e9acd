import type { ResourceFacts } from "./facts";
import type { Relation } from "./relations";
import { adrift, beside } from "./relations";
import { BUCKETS } from "./resourcePolicies";
import type { Verdict } from "./rule";
import { all, at, notApplicable, undecided, violation } from "./rule";

/**
 * For every bucket of the stack: the resource beside it that configures one thing exists, and says the right thing.
 *
 * @param type type token of the resource beside
 * @param says judges that resource
 * @param missing the violation where there is none
 */
export function besideBuckets(
    resources: readonly ResourceFacts[],
    type: string,
    missing: string,
    says: (side: ResourceFacts) => Verdict,
): Verdict {
    const buckets = resources.filter((resource) => resource.type === BUCKETS.type);
    if (buckets.length === 0) {
        return notApplicable("the stack has no bucket");
    }
    const relation: Relation = { type, property: "bucket", identifiers: ["bucket", "id"] };
    return all(
        buckets.map((bucket) => {
            const sides = beside(bucket, resources, relation);
            if (sides.length === 0) {
                const unknown = adrift(resources, relation);
                return at(bucket, unknown === undefined ? violation(missing) : undecided(unknown));
            }
            return at(bucket, all(sides.map(says)));
        }),
    );
}
