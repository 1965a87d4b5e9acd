import assert from "node:assert/strict";
import fc from "fast-check";
import {
    canonicalJson,
    changes,
    contentKey,
    channelFile,
    dataIdentity,
    isData,
    listingIdentity,
    executionId,
    learningHyperparameters,
} from "../../workflow/keys";
import type { MemberIdentity } from "../../workflow/keys";

const identity: MemberIdentity = {
    image: "repo@sha256:1",
    code: "c0de",
    hyperparameters: { max_lr: 0.1, epochs: 80 },
    data: "d".repeat(64),
    seed: 1,
    folds: 4,
};

describe("content keys", () => {
    it("do not depend on the order of fields", () => {
        fc.assert(
            fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
                const reversed = Object.fromEntries(Object.entries(value).reverse());
                assert.equal(canonicalJson(value), canonicalJson(reversed));
                assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
            }),
        );
    });

    it("change with every part of the identity", () => {
        const others: MemberIdentity[] = [
            { ...identity, image: "repo@sha256:2" },
            { ...identity, code: "other" },
            { ...identity, data: "e".repeat(64) },
            { ...identity, seed: 2 },
            { ...identity, folds: 5 },
            { ...identity, testShare: 0.2 },
            { ...identity, hyperparameters: { max_lr: 0.05, epochs: 80 } },
            { ...identity, hyperparameters: { max_lr: 0.1 } },
        ];
        assert.equal(new Set([identity, ...others].map(contentKey)).size, others.length + 1);
    });

    it("hold learning hyperparameters only, and every one of them", () => {
        const rule = (learning: boolean) => ({ type: "number" as const, learning });
        fc.assert(
            fc.property(
                fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), fc.tuple(fc.integer(), fc.boolean())),
                (entries) => {
                    const values = Object.fromEntries(Object.entries(entries).map(([name, [value]]) => [name, value]));
                    const schema = Object.fromEntries(
                        Object.entries(entries).map(([name, [, learning]]) => [name, rule(learning)]),
                    );
                    const key = (changed: Record<string, number>) =>
                        contentKey({ ...identity, hyperparameters: learningHyperparameters(changed, schema) });
                    for (const [name, [value, learning]] of Object.entries(entries)) {
                        assert.equal(key({ ...values, [name]: value + 1 }) !== key(values), learning, name);
                    }
                },
            ),
        );
    });

    it("refuse what JSON cannot hold", () => {
        assert.throws(() => canonicalJson({ a: NaN }), TypeError);
        assert.throws(() => canonicalJson([undefined]), TypeError);
    });
});

describe("identity of data", () => {
    const objects = fc.uniqueArray(
        fc.record({ key: fc.string({ minLength: 1 }), bytes: fc.nat(), etag: fc.string(), checksum: fc.string() }),
        {
            selector: ({ key }) => key,
            minLength: 1,
        },
    );

    it("does not depend on the listing's order, on quotation marks, or on what jobs add", () => {
        fc.assert(
            fc.property(objects, (listing) => {
                const data = listing.filter(({ key }) => isData(key));
                const added = [
                    ...[...data].reverse(),
                    { key: "manifest.json", bytes: 5, etag: "x", checksum: "x" },
                    { key: channelFile("labels.csv"), bytes: 5, etag: "x", checksum: "x" },
                ];
                const quoted = added.map((object) => ({ ...object, etag: `"${object.etag.replace(/"/g, "")}"` }));
                const bare = data.map((object) => ({ ...object, etag: object.etag.replace(/"/g, "") }));
                assert.equal(dataIdentity(data), dataIdentity(added));
                assert.equal(listingIdentity(bare), listingIdentity(quoted));
            }),
        );
    });

    it("is that of the content: other ETags of the same bytes change only the listing's", () => {
        const data = [{ key: "a", bytes: 1, etag: "x", checksum: "SHA256:1" }];
        const again = [{ ...data[0], etag: "y" }];
        assert.equal(dataIdentity(data), dataIdentity(again));
        assert.notEqual(listingIdentity(data), listingIdentity(again));
    });

    it("changes with a name, a size, a checksum, and with one object more or less", () => {
        const base = [
            { key: "a", bytes: 1, checksum: "x" },
            { key: "b", bytes: 2, checksum: "y" },
        ];
        const others = [
            [{ ...base[0], key: "c" }, base[1]],
            [{ ...base[0], bytes: 2 }, base[1]],
            [{ ...base[0], checksum: "z" }, base[1]],
            [base[0]],
            [{ key: 'a","x",1]\n["b', bytes: 1, checksum: "x" }],
        ];
        assert.equal(new Set([base, ...others].map(dataIdentity)).size, others.length + 1);
    });
});

describe("what changed", () => {
    it("is told by name, with both values", () => {
        const now = { ...identity, data: "e".repeat(64), hyperparameters: { max_lr: 0.05, depth: 5 } };
        assert.deepEqual(changes({ ...identity }, now), [
            "input data changed dddddddd -> eeeeeeee",
            "hyperparameter depth changed none -> 5",
            "hyperparameter epochs changed 80 -> none",
            "hyperparameter max_lr changed 0.1 -> 0.05",
        ]);
    });

    it("is nothing exactly where the keys are equal", () => {
        const some = fc.record({
            image: fc.constantFrom("a", "b"),
            code: fc.constantFrom("a", "b"),
            data: fc.constantFrom("a", "b"),
            seed: fc.constantFrom(1, 2),
            hyperparameters: fc.dictionary(fc.constantFrom("x", "y"), fc.constantFrom(1, 2)),
        });
        fc.assert(
            fc.property(some, some, (a, b) =>
                assert.equal(changes({ ...a }, b).length === 0, contentKey(a) === contentKey(b)),
            ),
        );
    });

    it("survives an identity of any shape", () => {
        fc.assert(
            fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (earlier) => {
                assert.ok(changes(earlier as Record<string, unknown>, identity).every((text) => text.length > 0));
            }),
        );
    });
});

describe("execution id", () => {
    it("is eight hexadecimal digits that differ by execution", () => {
        assert.match(executionId("arn:a"), /^[0-9a-f]{8}$/);
        assert.notEqual(executionId("arn:a"), executionId("arn:b"));
    });
});
