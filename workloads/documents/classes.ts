/** Whether there is enough of every class to train on and to judge by. */
import { closest } from "fastest-levenshtein";
import { LABELS, type LabelledPage } from "./labels";
import type { Problem } from "./problems";

interface ClassStacks {
    /** Line of the class's first page. */
    readonly line: number;
    readonly train: Set<string>;
    readonly test: Set<string>;
    /** Neither train nor test: the fetch job will draw. */
    readonly open: Set<string>;
}

/** The stacks of every class by what they are for. */
function stacksOf(pages: readonly LabelledPage[]): ReadonlyMap<string, ClassStacks> {
    const classes = new Map<string, ClassStacks>();
    for (const page of pages) {
        const own = classes.get(page.class) ?? {
            line: page.line,
            train: new Set(),
            test: new Set(),
            open: new Set(),
        };
        classes.set(page.class, { ...own, line: Math.min(own.line, page.line) });
        own[page.split ?? "open"].add(page.stack);
    }
    return classes;
}

/**
 * Problems of classes and splits; only of labels that have none of their own.
 * @param folds of the training stacks, 2 or more: every fold holds out a stack of every class. Undefined: that is not
 * known here.
 */
export function checkClasses(pages: readonly LabelledPage[], folds: number | undefined): Problem[] {
    const classes = stacksOf(pages);
    const problems: Problem[] = [];
    const [first] = pages;
    if (first === undefined) {
        return [];
    }
    const atTop = Math.min(...[...classes.values()].map(({ line }) => line));
    const splits = new Set(pages.map(({ split }) => split));
    if (classes.size < 2) {
        problems.push({ code: "one-class", file: LABELS, line: atTop, values: { class: first.class } });
    }
    if (splits.size === 1 && splits.has("train")) {
        problems.push({ code: "nothing-held-out", file: LABELS, line: atTop });
    }
    if (splits.size === 1 && splits.has("test")) {
        problems.push({ code: "nothing-trained", file: LABELS, line: atTop });
    } else if (folds !== undefined) {
        problems.push(...[...classes.keys()].sort().flatMap((name) => tooFew(name, classes, folds)));
    }
    return problems;
}

function tooFew(name: string, classes: ReadonlyMap<string, ClassStacks>, folds: number): Problem[] {
    const { line, train, test, open } = classes.get(name) as ClassStacks;
    // of stacks that are drawn from, one of every class is held out
    const drawn = test.size === 0 && open.size > 0 ? 1 : 0;
    const stacks = train.size + open.size;
    if (stacks >= folds + drawn) {
        return [];
    }
    const others = [...classes.keys()].filter((other) => other !== name);
    const what = drawn === 1 ? "" : "training ";
    const problem: Problem = {
        code: drawn === 1 ? "class-stacks-held-out" : "class-stacks",
        file: LABELS,
        line,
        values: {
            class: JSON.stringify(name),
            stacks: `${stacks} ${what}${stacks === 1 ? "stack" : "stacks"}`,
            expected: folds + drawn,
        },
    };
    const near = others.length === 0 ? undefined : closest(name, others);
    return [near === undefined ? problem : { ...problem, hint: `is ${JSON.stringify(near)} meant?` }];
}
