/** Documents on this machine, checked before anything runs: by the same rules as Setup, Fetch and the trainings. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { EXIT, ToolError } from "../../ground/errors";
import { messageOf } from "../../workloads/common/errors";
import { checkDocumentSet, type CheckOptions } from "../../workloads/documents/check";
import { contentProblem, fileOf, isDocument, type Listed } from "../../workloads/documents/files";
import { LABELS, type LabelledPage } from "../../workloads/documents/labels";
import { byStack, PAGE_FILES } from "../../workloads/documents/pages";
import { describeProblems, placeOf, type Problem } from "../../workloads/documents/problems";

export interface Documents {
    readonly directory: string;
    readonly pages: readonly LabelledPage[];
    readonly stacks: number;
    readonly documents: number;
    readonly classes: readonly string[];
    /** Relative paths of everything that belongs to the data, labels.csv first. */
    readonly files: readonly string[];
}

/** Whose turn it is while files are read: told how many of all are, and able to end it. */
export interface Turns {
    readonly progress: (done: number, of: number) => void;
    readonly signal: AbortSignal;
}

interface Demands {
    readonly folds: number;
    readonly wanted: readonly string[];
    readonly draw: CheckOptions["draw"];
}

const LAYOUT = 'docs/local-run.md, section "Your own documents", describes the layout';
const SHOWN = 25;
/** A stage's own defaults. */
const DRAW = { seed: 1, testShare: 0.2 };

/**
 * Reads and checks a folder of documents: labels.csv, text/<stack>/<page>.txt, images/<stack>/<page>.png.
 * @param folds of the training stacks: every class must occur in as many of them
 * @param wanted what the models read besides the labels: `text` and `images` hold a file a page, anything else is a
 *   file or a folder
 * @param draw how the stacks to hold out are drawn where the labels leave that open
 * @throws ToolError with every kind of problem, each with file and line.
 */
export function checkDocuments(
    directory: string,
    folds: number,
    wanted: readonly string[] = Object.keys(PAGE_FILES),
    draw: CheckOptions["draw"] = DRAW,
): Documents {
    const checking = checked(directory, { folds, wanted, draw });
    for (;;) {
        const step = checking.next();
        if (step.done === true) {
            return step.value;
        }
    }
}

/** As {@link checkDocuments}, while others have their turn: it tells how far it is, and can be ended. */
export async function checkDocumentsInTurns(
    directory: string,
    demands: Demands,
    { progress, signal }: Turns,
): Promise<Documents> {
    const checking = checked(directory, demands);
    for (;;) {
        const step = checking.next();
        if (step.done === true) {
            return step.value;
        }
        progress(...step.value);
        await setImmediate(undefined, { signal });
    }
}

/** Yields how many of all files are read. */
function* checked(
    directory: string,
    { folds, wanted, draw }: Demands,
): Generator<[done: number, of: number], Documents, void> {
    if (!isFolder(directory)) {
        throw new ToolError(
            `${directory}: no such folder; --documents takes a folder with labels.csv, text/ and images/ (${LAYOUT}).`,
            EXIT.usage,
        );
    }
    const { files: listing, broken } = walk(directory, [LABELS, ...wanted]);
    const { labels, problems: found } = checkDocumentSet({
        content: existsSync(path.join(directory, LABELS)) ? readFileSync(path.join(directory, LABELS)) : undefined,
        listing,
        wanted,
        folds,
        draw,
    });
    const problems = found.map((problem) => withLink(problem, broken));
    const there = new Set(listing.filter(({ bytes }) => bytes > 0).map(({ key }) => key));
    const read = Object.keys(PAGE_FILES).flatMap((folder) =>
        labels.pages
            .map((page) => ({ folder, file: fileOf(folder, page), row: page.line }))
            .filter(({ file }) => there.has(file)),
    );
    for (const [index, { folder, file, row }] of read.entries()) {
        problems.push(...problemsOf(directory, folder, file, row));
        yield [index + 1, read.length];
    }
    refuse(directory, problems);
    const { pages } = labels;
    return {
        directory,
        pages,
        stacks: byStack(pages).size,
        documents: pages.filter((page) => page.begins_document).length,
        classes: [...new Set(pages.map((page) => page.class))].sort(),
        files: [LABELS, ...listing.filter(isDocument).map(({ key }) => key)],
    };
}

function problemsOf(directory: string, folder: string, file: string, row: number): Problem[] {
    try {
        const problem = contentProblem(folder, file, readFileSync(path.join(directory, file)), row);
        return problem === undefined ? [] : [problem];
    } catch (error) {
        return [{ code: "unreadable", file, row, values: { reason: messageOf(error) } }];
    }
}

function withLink(problem: Problem, broken: ReadonlySet<string>): Problem {
    return broken.has(String(problem.values?.file))
        ? { ...problem, hint: "there is a link that leads nowhere" }
        : problem;
}

function refuse(directory: string, problems: readonly Problem[]): void {
    if (problems.length === 0) {
        return;
    }
    const told = describeProblems(problems, (file, line) => placeOf(path.join(directory, file), line));
    const more = told.length > SHOWN ? `\n... and ${told.length - SHOWN} more` : "";
    throw new ToolError(
        `The documents have ${told.length} ${told.length === 1 ? "problem" : "problems"}; nothing was run.\n` +
            `${told.slice(0, SHOWN).join("\n")}${more}\n${LAYOUT}.`,
        EXIT.usage,
    );
}

function isFolder(file: string): boolean {
    return existsSync(file) && statSync(file).isDirectory();
}

/** The files of a folder that lie at or below some names, links followed, and the links that lead nowhere. */
function walk(directory: string, names: readonly string[]): { files: Listed[]; broken: Set<string> } {
    const files: Listed[] = [];
    const broken = new Set<string>();
    const visit = (key: string, above: ReadonlySet<string>): void => {
        const place = path.join(directory, key);
        const found = statSync(place, { throwIfNoEntry: false });
        if (found === undefined) {
            broken.add(key);
        } else if (found.isFile()) {
            files.push({ key, bytes: found.size });
        } else if (found.isDirectory() && !above.has(realpathSync(place))) {
            const entries = readdirSync(place).sort();
            const within = new Set([...above, realpathSync(place)]);
            entries.forEach((entry) => visit(`${key}/${entry}`, within));
        }
    };
    names.filter((name) => existsSync(path.join(directory, name))).forEach((name) => visit(name, new Set()));
    return { files, broken };
}
