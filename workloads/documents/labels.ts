/** `labels.csv`: one row a page. Read as a whole, every problem with its line; the rules stand in documents.json. */
import { isUtf8 } from "node:buffer";
import { type CsvError, parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { closest } from "fastest-levenshtein";
import specification from "../training/common/documents.json";
import { byStack, comparePages, pageId, type Page } from "./pages";
import { quoted, type Problem, type ProblemCode } from "./problems";

const { labels: rules } = specification;

type Column = keyof typeof rules.columns;

export const LABELS = rules.file;
/** The header, as it is written. */
export const COLUMNS = Object.keys(rules.columns) as Column[];
const HEADER = COLUMNS.join(",");
const PATTERNS = Object.fromEntries(
    COLUMNS.map((column) => [column, new RegExp(`^(?:${rules.columns[column].pattern})$`, "u")]),
) as Record<Column, RegExp>;
/** Blanks around a value are not part of it: what spreadsheets and people leave there. */
const AROUND = /^[ \t\u00a0]+|[ \t\u00a0]+$/g;

export interface LabelledPage extends Page {
    /** Of labels.csv. */
    readonly line: number;
}

export interface Labels {
    /** Of the rows that can be read, by stack and page. */
    readonly pages: readonly LabelledPage[];
    readonly problems: readonly Problem[];
    /** Stacks whose rows have a problem: more that is said about them may follow from it. */
    readonly doubtful: ReadonlySet<string>;
    /** Whether it is known of every row which page it is about. */
    readonly complete: boolean;
}

interface Row {
    readonly line: number;
    readonly values: readonly string[];
}

/**
 * Reads labels and checks what concerns rows and stacks; classes and splits as a whole are judged by `checkClasses`.
 */
export function readLabels(bytes: Uint8Array): Labels {
    const problem = encodingProblem(bytes);
    if (problem !== undefined) {
        return { pages: [], problems: [problem], doubtful: new Set(), complete: false };
    }
    const text = new TextDecoder("utf-8").decode(bytes).replace(/\r\n?/g, "\n");
    const { rows, problems } = readRows(text);
    const [header, ...body] = rows;
    const wrong = header === undefined ? [whole("labels-empty", { header: HEADER })] : headerProblems(header);
    if (problems.length + wrong.length > 0 || header === undefined) {
        return { pages: [], problems: [...problems, ...wrong].slice(0, 1), doubtful: new Set(), complete: false };
    }
    if (body.length === 0) {
        return { pages: [], problems: [whole("labels-no-pages")], doubtful: new Set(), complete: false };
    }
    return readPages(header, body);
}

/** A problem of the file as a whole, or of one of its lines. */
function whole(code: ProblemCode, values: Problem["values"] = {}, line?: number): Problem {
    return line === undefined ? { code, file: LABELS, values } : { code, file: LABELS, line, values };
}

function encodingProblem(bytes: Uint8Array): Problem | undefined {
    if (bytes.length === 0) {
        return whole("labels-empty", { header: HEADER });
    }
    const signature = Buffer.from(bytes.subarray(0, 4)).toString("latin1");
    // a zip archive, as .xlsx and .ods are, and an OLE file, as .xls is
    if (signature === "PK\x03\x04" || signature === "\xd0\xcf\x11\xe0") {
        return whole("labels-spreadsheet");
    }
    if (signature.startsWith("\xff\xfe") || signature.startsWith("\xfe\xff") || bytes.includes(0)) {
        return whole("labels-utf16");
    }
    if (isUtf8(bytes)) {
        return undefined;
    }
    const lines = Buffer.from(bytes).toString("latin1").split("\n");
    const index = lines.findIndex((line) => !isUtf8(Buffer.from(line, "latin1")));
    const text = new TextDecoder("windows-1252").decode(Buffer.from(lines[index] ?? "", "latin1"));
    return whole("labels-encoding", { text: quoted(text.trim()) }, index + 1);
}

function readRows(text: string): { readonly rows: readonly Row[]; readonly problems: readonly Problem[] } {
    try {
        // the types of csv-parse do not know that `info` changes the answer
        const records = parse(text, {
            bom: true,
            columns: false,
            info: true,
            relax_column_count: true,
            relax_quotes: true,
            skip_empty_lines: true,
        }) as unknown as { readonly record: readonly string[]; readonly info: { readonly lines: number } }[];
        const rows = records.map(({ record, info }) => ({
            line: info.lines,
            values: record.map((value) => value.replace(AROUND, "")),
        }));
        // a spreadsheet leaves rows of separators below its last one
        return { rows: rows.filter(({ values }) => values.some((value) => value !== "")), problems: [] };
    } catch (error) {
        const { lines } = error as CsvError & { readonly lines?: number };
        const reason = "a quotation mark is never closed";
        return { rows: [], problems: [whole("labels-syntax", { reason }, lines)] };
    }
}

function headerProblems({ line, values }: Row): Problem[] {
    const separated = separatorOf(values.join(","));
    if (separated !== undefined) {
        return [whole("labels-separator", { separator: separated }, line)];
    }
    const twice = values.find((name, index) => name in rules.columns && values.indexOf(name) < index);
    if (twice !== undefined) {
        return [whole("labels-column-twice", { column: twice }, line)];
    }
    return COLUMNS.filter((column) => !values.includes(column) && !rules.optional.includes(column)).map((column) => {
        const unknown = values.filter((name) => name !== "" && !(name in rules.columns));
        const problem = whole("labels-column", { column, got: quoted(values.join(",")), header: HEADER }, line);
        return unknown.length === 0 ? problem : { ...problem, hint: `is ${quoted(closest(column, unknown))} meant?` };
    });
}

/** What separates the header's values, where it is no comma and leads to more of the columns. */
function separatorOf(header: string): string | undefined {
    const known = (separator: string) =>
        header.split(separator).filter((name) => name.replace(AROUND, "").replaceAll('"', "") in rules.columns).length;
    const [best] = Object.entries(rules.separators)
        .filter(([separator]) => known(separator) > 1 && known(separator) > known(","))
        .map(([, name]) => name);
    return best;
}

function readPages(header: Row, body: readonly Row[]): Labels {
    const problems: Problem[] = [];
    const pages: LabelledPage[] = [];
    const doubtful = new Set<string>();
    const place = Object.fromEntries(COLUMNS.map((column) => [column, header.values.indexOf(column)])) as Record<
        Column,
        number
    >;
    let complete = true;
    for (const row of body) {
        const value = (column: Column) => row.values[place[column]] ?? "";
        const own = rowProblems(row, header.values.length, value);
        if (own.length === 0) {
            pages.push(pageOf(row.line, value));
            continue;
        }
        problems.push(...own);
        complete &&= own.every(({ code }) => code !== "stack" && code !== "row-values");
        doubtful.add(value("stack"));
    }
    pages.sort(comparePages);
    for (const [stack, own] of byStack(pages)) {
        const found = doubtful.has(stack) ? [] : stackProblems(stack, own);
        if (found.length > 0) {
            problems.push(...found);
            doubtful.add(stack);
        }
    }
    problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
    return { pages, problems, doubtful, complete };
}

function rowProblems(row: Row, width: number, value: (column: Column) => string): Problem[] {
    const { line, values } = row;
    if (values.length !== width) {
        return [whole("row-values", { got: values.length, expected: width }, line)];
    }
    if (COLUMNS.some((column) => value(column).includes('"'))) {
        return [whole("labels-syntax", { reason: "a quotation mark stands within a value" }, line)];
    }
    return COLUMNS.filter((column) => !PATTERNS[column].test(value(column))).map((column) =>
        whole(column, { got: quoted(value(column)), expected: rules.columns[column].expected }, line),
    );
}

function pageOf(line: number, value: (column: Column) => string): LabelledPage {
    const split = value("split");
    return {
        stack: value("stack"),
        page: Number(value("page")),
        // one letter has one spelling, wherever the file was written
        class: value("class").normalize("NFC"),
        begins_document: value("begins_document").toLowerCase() === "true",
        split: split === "train" || split === "test" ? split : undefined,
        line,
    };
}

/** @param own the stack's pages in their order. */
function stackProblems(stack: string, own: readonly LabelledPage[]): Problem[] {
    const problems: Problem[] = [];
    const lines = new Map<string, number>();
    const distinct: LabelledPage[] = [];
    // equal pages stay in the order of their rows: sorting is stable
    for (const page of own) {
        const first = lines.get(pageId(page));
        if (first === undefined) {
            lines.set(pageId(page), page.line);
            distinct.push(page);
        } else {
            problems.push(whole("page-twice", { page: page.page, stack, first }, page.line));
        }
    }
    const gap = distinct.findIndex(({ page }, index) => page !== index + 1);
    const after = distinct[gap];
    // a number that is there twice is what another row should have had
    if (after !== undefined && problems.length === 0) {
        problems.push(whole("gap", { stack, page: after.page, expected: gap + 1 }, after.line));
    }
    // what a missing or doubled row leaves behind is no news
    return problems.length > 0 ? problems : [...documentProblems(stack, distinct), ...splitProblems(stack, distinct)];
}

function documentProblems(stack: string, own: readonly LabelledPage[]): Problem[] {
    const [first] = own;
    const problems: Problem[] = [];
    if (first !== undefined && !first.begins_document) {
        problems.push(whole("first-page", { stack }, first.line));
    }
    own.forEach((page, index) => {
        const before = own[index - 1];
        if (before !== undefined && !page.begins_document && page.class !== before.class) {
            problems.push(whole("class-change", { before: before.class, class: page.class }, page.line));
        }
    });
    return problems;
}

function splitProblems(stack: string, own: readonly LabelledPage[]): Problem[] {
    const [first] = own;
    const other = own.find(({ split }) => split !== first?.split);
    if (first === undefined || other === undefined) {
        return [];
    }
    const shown = (page: LabelledPage) => page.split ?? "nothing";
    return [
        whole("split-differs", { stack, got: shown(other), expected: shown(first), first: first.line }, other.line),
    ];
}

/** Labels as they are written: with every column, sorted as given. */
export function formatLabels(pages: readonly Page[]): string {
    return stringify(
        pages.map((page) => [page.stack, page.page, page.class, String(page.begins_document), page.split ?? ""]),
        { header: true, columns: [...COLUMNS] },
    );
}
