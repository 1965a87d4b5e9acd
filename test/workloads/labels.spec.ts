import assert from "node:assert/strict";
import fc from "fast-check";
import { makeFolds } from "../../workloads/jobs/folds";
import { fileOf } from "../../workloads/documents/files";
import { drawSplit } from "../../workloads/documents/heldOut";
import { formatLabels } from "../../workloads/documents/labels";
import { byStack, type Page } from "../../workloads/documents/pages";
import { parseLabels } from "../../workloads/jobs/labels";
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
                    new Set(sorted.map(({ line: _, ...page }) => JSON.stringify(page))),
                    new Set(pages.map((page) => JSON.stringify(page))),
                );
            }),
            { numRuns: 30 },
        );
    });

    const bad: readonly (readonly [string, string, RegExp])[] = [
        ["no page", header, /labels\.csv: no pages below the header/],
        [
            "a missing column",
            "stack,page,class\na,1,x\n",
            /labels\.csv:1: the column begins_document is missing, got "stack,page,class"/,
        ],
        ["a row with too few values", `${header}a,1,x\n`, /labels\.csv:2: 3 values, expected 5 as in the header/],
        [
            "a stack that is no name",
            `${header}a/b,1,x,true,\n`,
            /labels\.csv:2: stack is "a\/b", expected 1 to 64 letters/,
        ],
        ["a page that is no number", `${header}a,one,x,true,\n`, /labels\.csv:2: page is "one"/],
        ["a class with a colon", `${header}a,1,x:y,true,\n`, /labels\.csv:2: class is "x:y"/],
        [
            "a split of another name",
            `${header}a,1,x,true,dev\n`,
            /labels\.csv:2: split is "dev", expected train, test or nothing/,
        ],
        [
            "a page labelled twice",
            `${header}a,1,x,true,\na,1,x,true,\n`,
            /labels\.csv:3: page 1 of stack a is there already, in line 2/,
        ],
        ["a gap", `${header}a,1,x,true,\na,3,x,true,\n`, /labels\.csv:3: stack a goes on with page 3, expected page 2/],
        [
            "a stack that begins in the middle of a document",
            `${header}a,1,x,false,\n`,
            /labels\.csv:2: the first page of stack a has begins_document false/,
        ],
        [
            "a document of two classes",
            `${header}a,1,x,true,\na,2,y,false,\n`,
            /labels\.csv:3: the class changes from x to y within a document/,
        ],
        [
            "a stack on both sides",
            `${header}a,1,x,true,train\na,2,x,true,test\n`,
            /labels\.csv:3: stack a has split test here and train in line 2/,
        ],
    ];
    for (const [what, text, message] of bad) {
        it(`with ${what} are refused with file and line`, () => {
            assert.throws(() => parseLabels(text, "labels.csv"), { name: "DataError", message });
        });
    }

    it("with many problems of a kind name the first, say where the next are and count them", () => {
        const text = header + Array.from({ length: 9 }, (_, index) => `s${index},0${index},x,true,\n`).join("");
        assert.throws(
            () => parseLabels(text, "labels.csv"),
            /^DataError: labels\.csv:2: page is "00", expected [^;]*; 8 more like it: lines 3 \("01"\), 4 /,
        );
    });

    it("take more pages than three digits can count", () => {
        const rows = Array.from({ length: 1_001 }, (_, index) => `long,${index + 1},x,${index === 0},\n`).join("");
        const last = parseLabels(header + rows, "labels.csv").at(-1);
        assert.equal(last?.page, 1_001);
        assert.equal(fileOf("text", last), "text/long/1001.txt");
        assert.equal(fileOf("images", { stack: "long", page: 7 }), "images/long/007.png");
    });
});

describe("held-out stacks", () => {
    it("are drawn whole, to the share or one of each class, the same for the same seed, and given splits stay", () => {
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
                const wanted = drawn * share;
                const names = new Set(some.map((page) => page.class)).size;
                assert.ok(test >= wanted - 1 - 1e-9, `${test} of ${drawn} at ${share}`);
                // of each class at least one, however small the share
                assert.ok(test <= Math.max(wanted + 1, names) + 1e-9, `${test} of ${drawn} at ${share}`);
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

describe("held-out stacks of a rare class", () => {
    it("are one where it is in one stack more than folds, so that every fold has one to learn from", () => {
        const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
        fc.assert(
            fc.property(seeds, fc.integer({ min: 2, max: 4 }), fc.nat({ max: 30 }), (seed, folds, others) => {
                const common = Array.from({ length: others + folds + 1 }, (_, index) => `s${index},1,bill,true,\n`);
                const rare = common.slice(0, folds + 1).map((row) => row.replace("1,bill", "2,deed"));
                const pages = parseLabels([header, ...common, ...rare].join(""), "labels.csv");
                const { pages: drawn } = drawSplit(pages, seed, 0.2);
                const held = drawn.filter((page) => page.class === "deed" && page.split === "test");
                assert.equal(held.length, 1);
                assert.equal(makeFolds(drawn, folds, seed, "labels.csv").k, folds);
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
