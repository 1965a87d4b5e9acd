import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { CsvError, parse } from "csv-parse/sync";
import { closest } from "fastest-levenshtein";
import { EXIT, ToolError } from "../../ground/errors";
import { pngProblem } from "./png";

export interface Page {
    readonly stack: string;
    readonly page: number;
    readonly class: string;
    readonly begins_document: boolean;
    readonly split: "train" | "test" | "";
}

export interface Documents {
    readonly directory: string;
    readonly pages: readonly Page[];
    readonly stacks: number;
    readonly documents: number;
    readonly classes: readonly string[];
    /** Relative paths of everything that belongs to the data, labels.csv first. */
    readonly files: readonly string[];
}

const HEADER = ["stack", "page", "class", "begins_document", "split"] as const;
const STACK = /^[A-Za-z0-9_-]{1,64}$/;
const CLASS = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const SHOWN = 25;
const LAYOUT = 'docs/local-run.md, section "Your own documents", describes the layout';

/**
 * Reads and checks a folder of documents before anything runs: labels.csv, text/<stack>/<page>.txt,
 * images/<stack>/<page>.png. Throws one error with every problem, each with file and line.
 * @param folds how many folds the stage makes: every class must occur in at least as many training stacks
 * @param wanted what the models read besides the labels: `text` and `images` hold a file a page, anything else is a
 * file or a folder
 */
export function checkDocuments(
    directory: string,
    folds: number,
    wanted: readonly string[] = ["text", "images"],
): Documents {
    const problems: string[] = [];
    if (!existsSync(directory) || !statSync(directory).isDirectory()) {
        throw new ToolError(
            `${directory}: no such folder; --documents takes a folder with labels.csv, text/ and images/ (${LAYOUT}).`,
            EXIT.usage,
        );
    }
    const labels = path.join(directory, "labels.csv");
    if (!existsSync(labels)) {
        throw new ToolError(`${labels}: missing; every page needs a row there (${LAYOUT}).`, EXIT.usage);
    }
    const rows = readRows(labels, problems);
    const pages = rows.map(({ line, record }) => readPage(record, `${labels}:${line}`, problems));
    const lines = rows.map(({ line }) => `${labels}:${line}`);
    checkSequence(pages, lines, problems);
    checkClasses(pages, lines, folds, problems);
    const files = checkFiles(directory, pages, lines, wanted, problems);
    if (problems.length > 0) {
        const shown = problems.slice(0, SHOWN);
        const more = problems.length > SHOWN ? `\n... and ${problems.length - SHOWN} more` : "";
        throw new ToolError(
            `The documents have ${problems.length} ${problems.length === 1 ? "problem" : "problems"}; ` +
                `nothing was run.\n` +
                `${shown.join("\n")}${more}\n${LAYOUT}.`,
            EXIT.usage,
        );
    }
    return {
        directory,
        pages: pages as Page[],
        stacks: new Set(pages.map((page) => page?.stack)).size,
        documents: pages.filter((page) => page?.begins_document).length,
        classes: [...new Set(pages.map((page) => page?.class as string))].sort(),
        files: ["labels.csv", ...files],
    };
}

interface Row {
    readonly line: number;
    readonly record: Readonly<Record<string, string>>;
}

function readRows(file: string, problems: string[]): readonly Row[] {
    const bytes = readFileSync(file);
    let text: string;
    try {
        text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
        problems.push(`${file}: not UTF-8 text; save it as UTF-8`);
        return [];
    }
    let records: { record: Record<string, string>; info: { lines: number } }[];
    try {
        // the types of csv-parse do not know that `info` changes the answer
        const columns = (header: string[]) => checkHeader(header, file, problems);
        records = parse(text, { columns, info: true, bom: true }) as unknown as typeof records;
    } catch (error) {
        const { message, lines } = error as CsvError & { lines?: number };
        problems.push(`${file}${lines ? `:${lines}` : ""}: ${message}`);
        return [];
    }
    if (records.length === 0 && problems.length === 0) {
        problems.push(`${file}: no pages below the header`);
    }
    return records.map(({ record, info }) => ({ line: info.lines, record }));
}

function checkHeader(header: readonly string[], file: string, problems: string[]): string[] {
    for (const column of HEADER) {
        if (!header.includes(column)) {
            const unknown = header.filter((name) => !(HEADER as readonly string[]).includes(name));
            const near = unknown.length > 0 ? `; is ${JSON.stringify(closest(column, unknown))} meant?` : "";
            problems.push(`${file}:1: the column ${column} is missing; the header must be ${HEADER.join(",")}${near}`);
        }
    }
    return [...header];
}

function readPage(record: Readonly<Record<string, string>>, at: string, problems: string[]): Page | undefined {
    const { stack, page, class: label, begins_document: begins, split } = record;
    const before = problems.length;
    if (!STACK.test(stack ?? "")) {
        problems.push(`${at}: stack ${JSON.stringify(stack ?? "")}; 1 to 64 letters, digits, _ and - are expected`);
    }
    if (!/^[1-9]\d{0,2}$/.test(page ?? "")) {
        problems.push(`${at}: page ${JSON.stringify(page ?? "")}; a number from 1 to 999 is expected`);
    }
    if (!CLASS.test(label ?? "")) {
        problems.push(
            `${at}: class ${JSON.stringify(label ?? "")}; a name of at most 64 letters, digits, _ and - is expected, ` +
                "beginning with a letter",
        );
    }
    if (begins !== "true" && begins !== "false") {
        problems.push(`${at}: begins_document ${JSON.stringify(begins ?? "")}; true or false is expected`);
    }
    if (split !== "train" && split !== "test" && split !== "") {
        problems.push(`${at}: split ${JSON.stringify(split ?? "")}; train, test or nothing is expected`);
    }
    return problems.length > before
        ? undefined
        : {
              stack,
              page: Number(page),
              class: label,
              begins_document: begins === "true",
              split: split as Page["split"],
          };
}

function checkSequence(pages: readonly (Page | undefined)[], lines: readonly string[], problems: string[]): void {
    const stacks = new Map<string, { page: Page; at: string }[]>();
    pages.forEach((page, index) => {
        if (page !== undefined) {
            const list = stacks.get(page.stack) ?? [];
            list.push({ page, at: lines[index] });
            stacks.set(page.stack, list);
        }
    });
    // with an unreadable row the gaps it leaves are no news
    const complete = pages.every((page) => page !== undefined);
    for (const [stack, list] of stacks) {
        const seen = new Map<number, string>();
        for (const { page, at } of list) {
            const first = seen.get(page.page);
            if (first !== undefined) {
                problems.push(
                    `${at}: page ${page.page} of stack ${stack} is there already, in line ` +
                        `${first.slice(first.lastIndexOf(":") + 1)}`,
                );
            }
            seen.set(page.page, first ?? at);
            if (page.split !== list[0].page.split) {
                problems.push(
                    `${at}: split ${JSON.stringify(page.split)}, but ${list[0].at} says ` +
                        `${JSON.stringify(list[0].page.split)} for stack ${stack}; ` +
                        "a stack is held out as a whole",
                );
            }
            if (page.page === 1 && !page.begins_document) {
                problems.push(
                    `${at}: the first page of stack ${stack} has begins_document false; a stack begins with a document`,
                );
            }
        }
        for (let number = 1; complete && number <= seen.size; number += 1) {
            if (!seen.has(number)) {
                problems.push(
                    `${list[0].at}: stack ${stack} has ${seen.size} pages but no page ${number}; pages count from 1 ` +
                        "without gaps",
                );
                break;
            }
        }
    }
}

function checkClasses(
    pages: readonly (Page | undefined)[],
    lines: readonly string[],
    folds: number,
    problems: string[],
): void {
    const training = new Map<string, Set<string>>();
    const first = new Map<string, string>();
    pages.forEach((page, index) => {
        if (page !== undefined) {
            first.set(page.class, first.get(page.class) ?? lines[index]);
            const stacks = training.get(page.class) ?? new Set();
            training.set(page.class, page.split === "test" ? stacks : stacks.add(page.stack));
        }
    });
    if (pages.length > 0 && pages.every((page) => page !== undefined)) {
        if (training.size < 2) {
            problems.push(`${lines[0]}: ${training.size} class in all; a classifier needs two or more`);
        }
        for (const [label, stacks] of training) {
            if (stacks.size < folds) {
                const near = [...training.keys()].filter((name) => name !== label);
                const hint = near.length > 0 ? ` (misspelt ${closest(label, near)}?)` : "";
                problems.push(
                    `${first.get(label)}: class ${label} is in ${stacks.size} training ` +
                        `${stacks.size === 1 ? "stack" : "stacks"}, ` +
                        `at least ${folds} are needed, one for each fold${hint}`,
                );
            }
        }
        if (pages.every((page) => page?.split === "train")) {
            problems.push(`${lines[0]}: no stack is held out; give some the split test, or leave the column empty`);
        }
    }
}

/** A file a page: folder, extension, and what is wrong with one. */
const PAGE_FILES = [
    ["text", "txt", textProblem],
    ["images", "png", pngProblem],
] as const;

function checkFiles(
    directory: string,
    pages: readonly (Page | undefined)[],
    lines: readonly string[],
    needed: readonly string[],
    problems: string[],
): string[] {
    const kinds = PAGE_FILES.filter(([folder]) => needed.includes(folder));
    const others = needed.filter((name) => !PAGE_FILES.some(([folder]) => folder === name));
    const files: string[] = [];
    for (const name of others) {
        const isFile = existsSync(path.join(directory, name)) && statSync(path.join(directory, name)).isFile();
        const found = isFile ? [name] : walk(directory, name);
        files.push(...found);
        if (found.length === 0) {
            problems.push(`${path.join(directory, name)}: missing; a member reads it`);
        }
    }
    const wanted = new Set<string>();
    pages.forEach((page, index) => {
        if (page === undefined) {
            return;
        }
        const name = `${page.stack}/${String(page.page).padStart(3, "0")}`;
        for (const [folder, extension, check] of kinds) {
            const relative = `${folder}/${name}.${extension}`;
            if (wanted.has(relative)) {
                continue;
            }
            wanted.add(relative);
            files.push(relative);
            const file = path.join(directory, relative);
            if (!existsSync(file)) {
                problems.push(`${lines[index]}: ${relative} is missing`);
                continue;
            }
            const problem = check(readFileSync(file));
            if (problem !== undefined) {
                problems.push(`${file}: ${problem} (page of ${lines[index]})`);
            }
        }
    });
    if (pages.every((page) => page !== undefined)) {
        for (const [folder] of kinds) {
            for (const entry of walk(directory, folder)) {
                if (!wanted.has(entry)) {
                    problems.push(`${path.join(directory, entry)}: no row in labels.csv names this page`);
                }
            }
        }
    }
    return files;
}

function textProblem(bytes: Buffer): string | undefined {
    try {
        // an empty page is a page: scanners make them
        const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
        return text.includes("\0") ? "is no text (it holds zero bytes)" : undefined;
    } catch {
        return "is not UTF-8 text";
    }
}

function walk(directory: string, folder: string): string[] {
    const base = path.join(directory, folder);
    if (!existsSync(base)) {
        return [];
    }
    return (
        readdirSync(base, { recursive: true, withFileTypes: true })
            // files of the operating system (.DS_Store) are no pages
            .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
            .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
    );
}
