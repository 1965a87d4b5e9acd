import assert from "node:assert/strict";
import fc from "fast-check";
import { makeFolds } from "../../workloads/jobs/folds";
import { byStack, drawSplit, formatLabels, parseLabels } from "../../workloads/jobs/labels";
import type { Page } from "../../workloads/jobs/labels";
import { sampleLabels } from "../support/ensemble";

const header = "stack,page,class,begins_document,split\n";

/** Stacks of one to four pages of some classes. */
const classes = fc.array(fc.constantFrom("letter", "bill", "deed"), { minLength: 1, maxLength: 4 });
const stacks = (minimum: number): fc.Arbitrary<Page[]> =>
    fc.array(classes, { minLength: minimum, maxLength: 60 }).map((all) =>
        all.flatMap((own, stack) =>
            own.map((label, index) => ({
                stack: `s${stack}`,
                page: index + 1,
                class: label,
                begins_document: true,
                split: undefined,
            })),
        ),
    );

describe("labels", () => {
    it("survive being written and read", () => {
        fc.assert(
            fc.property(stacks(1), (pages) => {
                const sorted = parseLabels(formatLabels(pages), "labels.csv");
                assert.deepEqual(
                    new Set(sorted.map((page) => JSON.stringify(page))),
                    new Set(pages.map((page) => JSON.stringify(page))),
                );
            }),
            { numRuns: 30 },
        );
    });

    const bad: readonly (readonly [string, string, RegExp])[] = [
        ["no page", header, /labels\.csv: no page is labelled/],
        [
            "a missing column",
            "stack,page,class\na,1,x\n",
            /line 1: got the columns stack,page,class, begins_document missing/,
        ],
        ["a row with too few values", `${header}a,1,x\n`, /labels\.csv: .*line 2/],
        ["a stack that is no name", `${header}a/b,1,x,true,\n`, /line 2: stack is "a\/b", expected 1 to 64 letters/],
        ["a page that is no number", `${header}a,one,x,true,\n`, /line 2: page is "one"/],
        ["a class with a colon", `${header}a,1,x:y,true,\n`, /line 2: class is "x:y"/],
        [
            "a split of another name",
            `${header}a,1,x,true,dev\n`,
            /line 2: split is "dev", expected train, test or nothing/,
        ],
        [
            "a page labelled twice",
            `${header}a,1,x,true,\na,1,x,true,\n`,
            /line 3: page a\/1 is labelled a second time, first in line 2/,
        ],
        ["a gap", `${header}a,1,x,true,\na,3,x,true,\n`, /line 3: stack a goes on with page 3, expected page 2/],
        [
            "a stack that begins in the middle of a document",
            `${header}a,1,x,false,\n`,
            /line 2: page 1 of stack a has begins_document false/,
        ],
        [
            "a document of two classes",
            `${header}a,1,x,true,\na,2,y,false,\n`,
            /line 3: the class changes from x to y within a document/,
        ],
        [
            "a stack on both sides",
            `${header}a,1,x,true,train\na,2,x,true,test\n`,
            /line 3: stack a has split test here and train on page 1/,
        ],
    ];
    for (const [what, text, message] of bad) {
        it(`with ${what} are refused with file and line`, () => {
            assert.throws(() => parseLabels(text, "labels.csv"), { name: "DataError", message });
        });
    }

    it("with many problems name the first and count the others", () => {
        const text = header + Array.from({ length: 9 }, (_, index) => `s${index},0,x,true,\n`).join("");
        assert.throws(() => parseLabels(text, "labels.csv"), /line 2: .*line 6: .*; and 4 more; repair the labels$/);
    });
});

describe("held-out stacks", () => {
    it("are drawn whole, to the share within one stack, the same for the same seed, and given splits stay", () => {
        const shares = fc.double({ min: 0.05, max: 0.95, noNaN: true });
        fc.assert(
            fc.property(stacks(2), fc.integer(), shares, fc.nat(), (pages, seed, share, fixed) => {
                const some = pages.map((page) =>
                    page.stack === `s${fixed % 60}` ? { ...page, split: "train" as const } : page,
                );
                const { pages: split, drawn } = drawSplit(some, seed, share);
                const all = byStack(split);
                for (const [stack, own] of all) {
                    assert.equal(new Set(own.map((page) => page.split)).size, 1);
                    assert.ok(stack !== `s${fixed % 60}` || own[0].split === "train");
                }
                const test = [...all.values()].filter(([first]) => first.split === "test").length;
                assert.ok(Math.abs(test - drawn * share) <= 1 + 1e-9, `${test} of ${drawn} at ${share}`);
                const heldOut = (of: readonly Page[]) =>
                    of
                        .filter((page) => page.split === "test")
                        .map(({ stack }) => stack)
                        .sort();
                assert.deepEqual(heldOut(drawSplit([...some].reverse(), seed, share).pages), heldOut(split));
            }),
            { numRuns: 60 },
        );
    });
});

describe("folds", () => {
    it("hold every training stack once, no test stack, and every class in at least two folds", () => {
        fc.assert(
            fc.property(stacks(20), fc.integer({ min: 2, max: 5 }), fc.integer(), (pages, k, seed) => {
                const { pages: split } = drawSplit(pages, seed, 0.2);
                let folds;
                try {
                    folds = makeFolds(split, k, seed, "labels.csv").folds;
                } catch (error) {
                    assert.equal((error as Error).name, "DataError");
                    return;
                }
                const training = split.filter((page) => page.split === "train");
                assert.deepEqual(Object.keys(folds).sort(), [...new Set(training.map(({ stack }) => stack))].sort());
                assert.deepEqual(
                    [...new Set(Object.values(folds))].sort(),
                    Array.from({ length: k }, (_, fold) => fold),
                );
                for (const label of new Set(training.map((page) => page.class))) {
                    assert.ok(
                        new Set(training.filter((page) => page.class === label).map(({ stack }) => folds[stack]))
                            .size >= 2,
                    );
                }
            }),
            { numRuns: 60 },
        );
    });

    it("spread a class evenly", () => {
        const pages = parseLabels(
            sampleLabels(40, () => "train"),
            "labels.csv",
        );
        const { folds } = makeFolds(pages, 4, 3, "labels.csv");
        for (const fold of [0, 1, 2, 3]) {
            assert.equal(Object.values(folds).filter((value) => value === fold).length, 10);
        }
    });

    it("do not depend on the order of the labels, and do on the seed", () => {
        const pages = parseLabels(
            sampleLabels(20, () => "train"),
            "labels.csv",
        );
        assert.deepEqual(makeFolds([...pages].reverse(), 4, 1, "x"), makeFolds(pages, 4, 1, "x"));
        assert.notDeepEqual(makeFolds(pages, 4, 2, "x").folds, makeFolds(pages, 4, 1, "x").folds);
    });

    it("refuse a class with fewer training stacks than folds, by name and number", () => {
        const rare = `${sampleLabels(8, () => "train")}zz,1,deed,true,train\n`;
        assert.throws(() => makeFolds(parseLabels(rare, "labels.csv"), 4, 1, "s3://b/labels.csv"), {
            name: "DataError",
            message: /s3:\/\/b\/labels\.csv: class "deed" occurs in 1 training stack, expected at least 4/,
        });
        const few = parseLabels(
            sampleLabels(3, () => "train"),
            "labels.csv",
        );
        assert.throws(() => makeFolds(few, 4, 1, "x"), /3 training stacks, expected at least 4/);
    });
});
