/**
 * `labels.csv`: one row a page. Read once by every job, each problem with file and line.
 */
import { createHash } from "node:crypto";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { DataError, messageOf } from "../common/errors";

export type Split = "train" | "test";

export interface Page {
    readonly stack: string;
    /** 1-based. */
    readonly page: number;
    readonly class: string;
    readonly begins_document: boolean;
    /** Undefined where the data leaves it to the fetch job. */
    readonly split: Split | undefined;
}

export const columns = ["stack", "page", "class", "begins_document", "split"] as const;

/** So many problems are told in one message. */
const maximumTold = 5;

/** Reads labels; rows come back sorted by stack and page. @param where the file's address, for messages. */
export function parseLabels(text: string, where: string): Page[] {
    let rows: { record: Record<string, string>; info: { lines: number } }[];
    try {
        rows = parse(text, {
            columns: true,
            bom: true,
            info: true,
            skip_empty_lines: true,
            trim: true,
        }) as unknown as typeof rows;
    } catch (error) {
        throw new DataError(`${where}: ${messageOf(error)}; repair the line`);
    }
    if (rows.length === 0) {
        throw new DataError(
            `${where}: no page is labelled; write one row a page under the header ${columns.join(",")}`,
        );
    }
    const header = Object.keys(rows[0].record);
    const absent = columns.filter((column) => column !== "split" && !header.includes(column));
    if (absent.length > 0) {
        throw new DataError(
            `${where} line 1: got the columns ${header.join(",")}, ${absent.join(",")} missing; the header is ` +
                `${columns.join(",")}`,
        );
    }
    const problems: string[] = [];
    const seen = new Map<string, number>();
    const pages: (Page & { line: number })[] = [];
    for (const { record, info } of rows) {
        const wrong = (column: string, expected: string) => {
            problems.push(
                `line ${info.lines}: ${column} is ${JSON.stringify(record[column] ?? "").slice(0, 80)}, expected ` +
                    `${expected}`,
            );
        };
        if (!/^[A-Za-z0-9_-]{1,64}$/.test(record.stack)) {
            wrong("stack", "1 to 64 letters, digits, _ or -");
        }
        if (!/^[1-9][0-9]{0,5}$/.test(record.page)) {
            wrong("page", "a whole number from 1");
        }
        if (!/^[^\u0000-\u001f:,]{1,64}$/.test(record.class)) {
            wrong("class", "a name of 1 to 64 characters without colon and comma");
        }
        if (!/^(true|false)$/i.test(record.begins_document)) {
            wrong("begins_document", "true or false");
        }
        if (!/^(train|test|)$/.test(record.split ?? "")) {
            wrong("split", "train, test or nothing");
        }
        const id = pageId({ stack: record.stack, page: Number(record.page) });
        if (seen.has(id)) {
            problems.push(`line ${info.lines}: page ${id} is labelled a second time, first in line ${seen.get(id)}`);
        }
        seen.set(id, info.lines);
        pages.push({
            stack: record.stack,
            page: Number(record.page),
            class: record.class,
            begins_document: /^true$/i.test(record.begins_document),
            split: record.split === "train" || record.split === "test" ? record.split : undefined,
            line: info.lines,
        });
    }
    if (problems.length === 0) {
        for (const [stack, own] of byStack(pages)) {
            const gap = own.findIndex(({ page }, index) => page !== index + 1);
            if (gap >= 0) {
                problems.push(
                    `line ${own[gap].line}: stack ${stack} goes on with page ${own[gap].page}, expected page ` +
                        `${gap + 1}`,
                );
            }
            if (!own[0].begins_document) {
                problems.push(`line ${own[0].line}: page 1 of stack ${stack} has begins_document false, expected true`);
            }
            const within = own.findIndex(
                (page, index) => index > 0 && !page.begins_document && page.class !== own[index - 1].class,
            );
            if (within > 0) {
                problems.push(
                    `line ${own[within].line}: the class changes from ${own[within - 1].class} to ` +
                        `${own[within].class} within a document, ` +
                        "begins_document must be true here",
                );
            }
            const other = own.find(({ split }) => split !== own[0].split);
            if (other !== undefined) {
                problems.push(
                    `line ${other.line}: stack ${stack} has split ${other.split ?? "nothing"} here and ` +
                        `${own[0].split ?? "nothing"} on page 1, ` +
                        "a stack is held out as a whole",
                );
            }
        }
    }
    refuse(where, problems);
    pages.sort(comparePages);
    return pages.map(({ line: _, ...page }) => page);
}

/** Throws a DataError with the first problems and the number of the others. */
export function refuse(where: string, problems: readonly string[]): void {
    if (problems.length > 0) {
        const more = problems.length - maximumTold;
        throw new DataError(
            `${where} ${problems.slice(0, maximumTold).join("; ")}${more > 0 ? `; and ${more} more` : ""}; repair ` +
                "the labels",
        );
    }
}

export function formatLabels(pages: readonly Page[]): string {
    return stringify(
        pages.map((page) => [page.stack, page.page, page.class, String(page.begins_document), page.split ?? ""]),
        {
            header: true,
            columns: [...columns],
        },
    );
}

export function pageId({ stack, page }: { readonly stack: string; readonly page: number }): string {
    return `${stack}/${page}`;
}

/** File name of a page below text/ or images/, without its extension. */
export function pageFile({ stack, page }: { readonly stack: string; readonly page: number }): string {
    return `${stack}/${String(page).padStart(3, "0")}`;
}

export function comparePages(a: { readonly stack: string; readonly page: number }, b: typeof a): number {
    return a.stack < b.stack ? -1 : a.stack > b.stack ? 1 : a.page - b.page;
}

/** Pages by stack, each stack's in the order of its pages. */
export function byStack<T extends { readonly stack: string; readonly page: number }>(
    pages: readonly T[],
): Map<string, T[]> {
    const stacks = new Map<string, T[]>();
    for (const page of pages) {
        const own = stacks.get(page.stack);
        if (own === undefined) {
            stacks.set(page.stack, [page]);
        } else {
            own.push(page);
        }
    }
    stacks.forEach((own) => own.sort((a, b) => a.page - b.page));
    return stacks;
}

/** An order that a seed draws: the same for the same seed and names, whatever order they come in. */
export function shuffled(names: readonly string[], seed: number, purpose: string): string[] {
    const rank = new Map(
        names.map((name) => [name, createHash("sha256").update(`${seed}/${purpose}/${name}`).digest("hex")]),
    );
    return [...names].sort((a, b) => ((rank.get(a) as string) < (rank.get(b) as string) ? -1 : 1));
}

/** The class that most pages of a stack have; of equals the first in the alphabet. */
export function majorityClass(pages: readonly Page[]): string {
    const counts = new Map<string, number>();
    pages.forEach((page) => counts.set(page.class, (counts.get(page.class) ?? 0) + 1));
    return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0][0];
}

/**
 * Draws train or test for every stack that has neither, stratified by the stack's majority class: of each class the
 * share of its stacks, rounded by the largest remainder so that the total is right to within one stack. At least one
 * stack stays on each side.
 * @returns all pages with a split, and how many stacks were drawn.
 */
export function drawSplit(
    pages: readonly Page[],
    seed: number,
    testShare: number,
): { pages: (Page & { split: Split })[]; drawn: number } {
    const stacks = byStack(pages);
    const open = [...stacks].filter(([, own]) => own[0].split === undefined);
    const groups = new Map<string, string[]>();
    for (const [stack, own] of open) {
        const label = majorityClass(own);
        groups.set(label, [...(groups.get(label) ?? []), stack]);
    }
    const strata = [...groups]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([label, names]) => {
            const exact = names.length * testShare;
            return {
                names: shuffled(names, seed, `split/${label}`),
                take: Math.floor(exact),
                rest: exact - Math.floor(exact),
            };
        });
    let wanted = Math.round(open.length * testShare) - strata.reduce((sum, { take }) => sum + take, 0);
    for (const stratum of [...strata].sort((a, b) => b.rest - a.rest)) {
        if (wanted > 0 && stratum.take < stratum.names.length) {
            stratum.take += 1;
            wanted -= 1;
        }
    }
    const test = new Set(strata.flatMap(({ names, take }) => names.slice(0, take)));
    const fixed = new Set([...stacks.values()].map((own) => own[0].split));
    if (test.size === 0 && !fixed.has("test") && open.length > 1) {
        test.add(
            strata.reduce((largest, stratum) => (stratum.names.length > largest.names.length ? stratum : largest))
                .names[0],
        );
    }
    if (test.size === open.length && !fixed.has("train") && open.length > 1) {
        test.delete([...test][0]);
    }
    return {
        pages: pages.map((page) => ({ ...page, split: page.split ?? (test.has(page.stack) ? "test" : "train") })),
        drawn: open.length,
    };
}
