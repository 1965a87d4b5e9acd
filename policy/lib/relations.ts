import type { Fact, ResourceFacts, Unknown } from "./facts";
import { get, isUnknown } from "./facts";

/** How a resource beside another one points at it. */
export interface Relation {
    /** The type of the resource beside. */
    readonly type: string;
    /** Its property that names the other one: `bucket`, `arn`, `repository`. */
    readonly property: string;
    /** Properties of the other one that can stand there. */
    readonly identifiers: readonly string[];
}

/**
 * The resources that stand beside one resource and configure it (a bucket's versioning, a topic's policy).
 * Found by value where that is known, else by the engine's own record of where the property's value comes from.
 */
export function beside(
    resource: ResourceFacts,
    resources: readonly ResourceFacts[],
    relation: Relation,
): ResourceFacts[] {
    const values = relation.identifiers
        .map((identifier) => get(resource.props, identifier))
        .filter((value): value is string => typeof value === "string" && value !== "");
    return resources.filter((other) => {
        if (other.type !== relation.type) {
            return false;
        }
        const target = get(other.props, relation.property);
        return (
            other.propertyDependencies[relation.property]?.includes(resource.urn) === true ||
            (typeof target === "string" && values.includes(target))
        );
    });
}

/**
 * A resource of a type whose target is not known and recorded nowhere: it may or may not be the one that a rule looks
 * for.
 */
export function adrift(resources: readonly ResourceFacts[], relation: Relation): Unknown | undefined {
    for (const other of resources) {
        const target: Fact | undefined = other.type === relation.type ? get(other.props, relation.property) : undefined;
        if (isUnknown(target) && (other.propertyDependencies[relation.property] ?? []).length === 0) {
            return target;
        }
    }
    return undefined;
}
