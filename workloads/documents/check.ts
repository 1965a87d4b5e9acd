/** The one check of documents: the desk, Setup and Fetch ask it, each with as much as it knows. */
import { checkClasses } from "./classes";
import { checkFiles, type FilesOptions } from "./files";
import { drawSplit } from "./heldOut";
import { readLabels, type Labels } from "./labels";
import type { Problem } from "./problems";

export interface CheckOptions extends Omit<FilesOptions, "labels"> {
    /** Content of labels.csv; undefined: there is none. */
    readonly content: Uint8Array | undefined;
    /** Of the training stacks: as many as the model with most of them makes. Undefined: not known here. */
    readonly folds?: number;
    /** How stacks without a split are drawn. */
    readonly draw: { readonly seed: number; readonly testShare: number };
}

export interface Checked {
    readonly labels: Labels;
    /** Of labels, classes and files; the content of pages is checked where it is read, by `contentProblem`. */
    readonly problems: readonly Problem[];
}

/** Everything that labels and a listing tell. */
export function checkDocumentSet({ content, folds, draw, ...files }: CheckOptions): Checked {
    const labels = content === undefined ? NO_LABELS : readLabels(content);
    const problems = [...labels.problems];
    if (problems.length === 0) {
        problems.push(...checkClasses(labels.pages, folds));
    }
    if (problems.length === 0 && folds !== undefined) {
        problems.push(...drawnProblems(labels, folds, draw));
    }
    return { labels, problems: [...problems, ...checkFiles({ ...files, labels })] };
}

const NO_LABELS: Labels = {
    pages: [],
    problems: [{ code: "labels-missing", file: "labels.csv" }],
    doubtful: new Set(),
    complete: false,
};

/** What is left to train on when the stacks to hold out are drawn. */
function drawnProblems({ pages }: Labels, folds: number, { seed, testShare }: CheckOptions["draw"]): Problem[] {
    if (pages.every(({ split }) => split !== undefined)) {
        return [];
    }
    const drawn = drawSplit(pages, seed, testShare);
    const hint =
        `when ${testShare} of the ${drawn.drawn} stacks are held out, drawn by seed ${seed}; ` +
        "fill the column split to choose them";
    return checkClasses(drawn.pages, folds).map((problem) => ({ ...problem, hint }));
}
