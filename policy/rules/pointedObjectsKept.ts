import { brokenBy, targetOf, type Pointer } from "../../ground/lifecycle";
import { get, isUnknown, type ResourceFacts } from "../lib/facts";
import { DELETING_TYPES, deletionRulesOf, pointersOf, type DeletionRule } from "../lib/lifetime";
import { all, at, compliant, notApplicable, undecided, violation, type StackRule, type Verdict } from "../lib/rule";

const OBJECTS = ["aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/bucketObject:BucketObject"];

export const pointedObjectsKept: StackRule = {
    kind: "stack",
    name: "pointed-objects-kept",
    description: "No lifecycle rule deletes what a declared pointer names while it must stay.",
    why:
        "A pointer to the newest model outlives the run that made it: a rule that empties the run's folder leaves it " +
        "pointing at nothing, months after everybody has stopped looking.",
    remediation:
        "Keep what is pointed at under a prefix of its own that no rule expires, or give the rule more days. " +
        "Pointers are declared in an object pointers.json of the bucket (policy/README.md).",
    severity: "critical",
    level: "mandatory",
    types: [...OBJECTS, ...DELETING_TYPES],
    references: {},
    check(resources) {
        const declarations = resources.filter(isDeclaration);
        if (declarations.length === 0) {
            return notApplicable("the stack declares no pointers");
        }
        const rules = resources.flatMap(deletionRulesOf);
        return all(declarations.map((declaration) => judge(declaration, rules)));
    },
};

function isDeclaration({ type, props }: ResourceFacts): boolean {
    const key = get(props, "key");
    return OBJECTS.includes(type) && typeof key === "string" && /(^|\/)pointers\.json$/.test(key);
}

function judge(declaration: ResourceFacts, rules: readonly DeletionRule[]): Verdict {
    const content = get(declaration.props, "content");
    if (isUnknown(content)) {
        return undecided(content);
    }
    const declared = pointersOf(content);
    if ("problem" in declared) {
        return at(declaration, violation(`content ${declared.problem}.`));
    }
    return all(declared.pointers.map((pointer) => judgePointer(declaration, pointer, rules)));
}

function judgePointer(declaration: ResourceFacts, pointer: Pointer, rules: readonly DeletionRule[]): Verdict {
    const broken = rules.flatMap((rule) => {
        const problem = isSamePlace(declaration, pointer, rule) ? brokenBy(pointer, rule) : undefined;
        return problem === undefined ? [] : [at(rule.resource, violation(`${problem}.`))];
    });
    return broken.length === 0 ? compliant : all(broken);
}

/**
 * Whether a rule is about the place that a pointer points into. A name that is not known yet is told by what it comes
 * from.
 */
function isSamePlace(declaration: ResourceFacts, pointer: Pointer, rule: DeletionRule): boolean {
    const { kind, place } = targetOf(pointer);
    if (kind !== rule.kind) {
        return false;
    }
    if (place !== undefined) {
        return rule.place === undefined || rule.place === place;
    }
    const bucket = get(declaration.props, "bucket");
    if (typeof bucket === "string" && rule.place !== undefined) {
        return bucket === rule.place;
    }
    const own = declaration.propertyDependencies.bucket ?? [];
    const others = [...(rule.resource.propertyDependencies.bucket ?? []), rule.resource.urn];
    return own.length === 0 || own.some((urn) => others.includes(urn));
}
