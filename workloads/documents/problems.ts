/**
 * What can be wrong with documents, and how it is told. Which problems there are and their words stand in
 * `workloads/training/common/documents.json`, which the trainings read too.
 */
import specification from "../training/common/documents.json";

export type ProblemCode = keyof typeof specification.problems;

export interface Problem {
    readonly code: ProblemCode;
    /** Relative to the documents' folder: `labels.csv`, `images/s1/001.png`. */
    readonly file: string;
    /** Of the file, from 1. */
    readonly line?: number;
    /** What the problem's words name. */
    readonly values?: Readonly<Record<string, string | number>>;
    /** What may be meant or to be done, where that can be guessed. */
    readonly hint?: string;
    /** Row of labels.csv that names the file. */
    readonly row?: number;
}

/** So many further places of one kind of problem are named. */
const PLACES_NAMED = 4;
/** A value that somebody wrote is shown so far. */
const SHOWN_CHARACTERS = 80;

/** A value for a message: in quotation marks, shortened. */
export function quoted(value: string): string {
    const characters = [...value];
    const shown = characters.length > SHOWN_CHARACTERS ? `${characters.slice(0, SHOWN_CHARACTERS).join("")}…` : value;
    return JSON.stringify(shown);
}

/** The words of a problem, without its place. */
function problemText({ code, values = {}, hint }: Problem): string {
    const template: string = specification.problems[code];
    const text = template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
    return hint === undefined ? text : `${text} (${hint})`;
}

/**
 * One line for each kind of problem: its first place, its words, and where else it is.
 * @param place how a place is shown, for example with the folder before it.
 */
export function describeProblems(
    problems: readonly Problem[],
    place: (file: string, line?: number) => string = placeOf,
): string[] {
    const kinds = new Map<ProblemCode, Problem[]>();
    for (const problem of problems) {
        const same = kinds.get(problem.code);
        if (same === undefined) {
            kinds.set(problem.code, [problem]);
        } else {
            same.push(problem);
        }
    }
    return [...kinds.values()].map(([first, ...others]) => {
        const row = first.row === undefined ? "" : ` (page of ${place(specification.labels.file, first.row)})`;
        return `${place(first.file, first.line)}: ${problemText(first)}${row}${furtherPlaces(first, others)}`;
    });
}

export function placeOf(file: string, line?: number): string {
    return line === undefined ? file : `${file}:${line}`;
}

function furtherPlaces(first: Problem, others: readonly Problem[]): string {
    if (others.length === 0) {
        return "";
    }
    const inLines = others.every(({ file, line }) => file === first.file && line !== undefined);
    const same = others.every((other) => tellingValue(other) === tellingValue(first));
    const places = others.slice(0, PLACES_NAMED).map((other) => {
        const value = same ? undefined : tellingValue(other);
        const at = inLines ? String(other.line) : placeOf(other.file, other.line);
        return value === undefined ? at : `${at} (${value})`;
    });
    const more = others.length > PLACES_NAMED ? ", ..." : "";
    const lines = places.length === 1 ? "line " : "lines ";
    return `; ${others.length} more like it: ${inLines ? lines : ""}${places.join(", ")}${more}`;
}

/** What tells one problem of a kind from another. */
function tellingValue({ values = {} }: Problem): string | number | undefined {
    return values.file ?? values.class ?? values.got;
}
