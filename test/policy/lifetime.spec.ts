import assert from "node:assert/strict";
import fc from "fast-check";
import { brokenBy, type Pointer } from "../../ground/lifecycle";
import { deletionRulesOf, type DeletionRule } from "../../policy/lib/lifetime";
import { pointedObjectsKept } from "../../policy/rules/pointedObjectsKept";
import type { ResourceFacts } from "../../policy/lib/facts";
import { answer, urnOf } from "./sampleFacts";

const CONFIGURATION = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";

function resource(type: string, name: string, props: object): ResourceFacts {
    return { type, name, urn: urnOf(name), protect: false, propertyDependencies: {}, props: props as never };
}

const configuration = (rules: unknown[], type = CONFIGURATION): ResourceFacts =>
    resource(type, "lifecycle", { bucket: "own", rules });

const declaring = (pointers: object[], props = {}): ResourceFacts =>
    resource("aws:s3/bucketObjectv2:BucketObjectv2", "pointers", {
        bucket: "own",
        key: "pointers.json",
        content: JSON.stringify({ format: 1, pointers }),
        ...props,
    });

function judge(pointers: object[], ...others: ResourceFacts[]): string {
    return answer(pointedObjectsKept.check([declaring(pointers), ...others], {}, { suppressions: [] }));
}

/** Writes an object on day 0 and looks every day whether the rule has deleted it. */
function survives(key: string, days: number, prefix: string, after: number): boolean {
    for (let day = 0; day < days; day += 1) {
        if (key.startsWith(prefix) && day >= after) {
            return false;
        }
    }
    return true;
}

describe("the lifetime prover", () => {
    const part = fc.constantFrom("a", "b", "ab", "");
    const prefix = fc.tuple(part, part).map(([first, second]) => `${first}/${second}`);

    it("is broken exactly where some object below the target is deleted too early, by a day-by-day simulation", () => {
        fc.assert(
            fc.property(
                prefix,
                prefix,
                fc.integer({ min: 1, max: 20 }),
                fc.integer({ min: 1, max: 20 }),
                (...given) => {
                    const [target, rulePrefix, days, after] = given;
                    const pointer: Pointer = { name: "p", target, days };
                    const [rule] = deletionRulesOf(
                        configuration([
                            { id: "r", status: "Enabled", filter: { prefix: rulePrefix }, expiration: { days: after } },
                        ]),
                    );
                    // all objects that could lie below the target and matter to this rule
                    const keys = [`${target}x`, `${rulePrefix}x`].filter((key) => key.startsWith(target));
                    const stays = keys.every((key) => survives(key, days, rulePrefix, after));
                    assert.equal(brokenBy(pointer, rule as DeletionRule) === undefined, stays);
                },
            ),
        );
    });

    const kept = { name: "published/latest.json", target: "published/", days: "forever" };
    const cases: readonly (readonly [what: string, rule: object, expected: string])[] = [
        ["a rule elsewhere", { filter: { prefix: "runs/" }, expiration: { days: 1 } }, "compliant"],
        ["a rule for the whole bucket", { filter: {}, expiration: { days: 3650 } }, "violation"],
        ["a rule in the old words", { prefix: "", expiration: { days: 30 } }, "violation"],
        [
            "a prefix within `and`",
            { filter: { and: { prefix: "pub", tags: { a: "b" } } }, expiration: { days: 1 } },
            "violation",
        ],
        ["a rule with a date", { filter: { prefix: "published/" }, expiration: { date: "2030-01-01" } }, "violation"],
        [
            "a move to an archive",
            { filter: {}, transitions: [{ days: 90, storageClass: "DEEP_ARCHIVE" }] },
            "violation",
        ],
        [
            "a move to a class that is read as before",
            { filter: {}, transitions: [{ days: 90, storageClass: "STANDARD_IA" }] },
            "compliant",
        ],
        [
            "an end of old versions only",
            { filter: {}, noncurrentVersionExpiration: { noncurrentDays: 30 } },
            "compliant",
        ],
        ["a rule that is switched off", { status: "Disabled", filter: {}, expiration: { days: 1 } }, "compliant"],
    ];
    for (const [what, rule, expected] of cases) {
        it(`answers ${expected} to ${what}`, () => {
            assert.equal(judge([kept], configuration([{ id: "r", status: "Enabled", ...rule }])), expected);
        });
    }

    it("reads rules wherever the provider takes them", () => {
        const rule = { id: "r", status: "Enabled", filters: [], expiration: { days: 1 } };
        assert.equal(
            judge([kept], configuration([rule], `${CONFIGURATION.replaceAll("onfiguration", "onfigurationV2")}`)),
            "violation",
        );
        const inline = {
            bucket: "own",
            lifecycleRules: [{ enabled: true, prefix: "published", expiration: { days: 1 } }],
        };
        assert.equal(judge([kept], resource("aws:s3/bucket:Bucket", "own", inline)), "violation");
    });

    it("leaves the rules of other buckets alone", () => {
        const other = resource(CONFIGURATION, "other", {
            bucket: "other",
            rules: [{ id: "r", status: "Enabled", filter: {}, expiration: { days: 1 } }],
        });
        assert.equal(judge([kept], other), "compliant");
        assert.equal(judge([{ ...kept, target: "s3://other/published/" }], other), "violation");
    });

    it("judges images: by number, by age, and not those without a tag", () => {
        const image = { name: "a definition", target: "ecr://jobs", days: "forever" };
        const policy = (selection: object) =>
            resource("aws:ecr/lifecyclePolicy:LifecyclePolicy", "images", {
                repository: "jobs",
                policy: JSON.stringify({ rules: [{ rulePriority: 1, selection, action: { type: "expire" } }] }),
            });
        const untagged = { tagStatus: "untagged", countType: "sinceImagePushed", countNumber: 7 };
        assert.equal(judge([image], policy(untagged)), "compliant");
        assert.equal(judge([image], policy({ ...untagged, tagStatus: "any" })), "violation");
        const byNumber = { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 100 };
        assert.equal(judge([{ ...image, days: 30 }], policy(byNumber)), "violation");
        assert.equal(judge([{ ...image, days: 7 }], policy({ ...untagged, tagStatus: "any" })), "compliant");
    });

    it("says nothing of a program without pointers, and refuses a declaration that is none", () => {
        const rules = configuration([{ id: "r", status: "Enabled", filter: {}, expiration: { days: 1 } }]);
        assert.equal(answer(pointedObjectsKept.check([rules], {}, { suppressions: [] })), "notApplicable");
        for (const content of ["{", "{}", '{"format":1,"pointers":[{"name":"x"}]}']) {
            const wrong = declaring([], { content });
            assert.equal(answer(pointedObjectsKept.check([wrong, rules], {}, { suppressions: [] })), "violation");
        }
    });
});
