import { parse } from "csv-parse/sync";

/** A page's truth and what the models say about it, all of one held-out stack after the other. */
export interface JudgedPage {
    readonly stack: string;
    readonly page: number;
    readonly class: string;
    readonly begins: boolean;
}

export interface Judgement {
    readonly model: string;
    readonly pages: number;
    readonly pageAccuracy: number;
    readonly segmentF1: number;
}

/** The parts of `dataframe.csv` that judging needs. */
export interface Dataframe {
    readonly members: readonly string[];
    /** Test pages, sorted by stack and page. */
    readonly pages: readonly JudgedPage[];
    /** By member, then in the order of the pages: class probabilities. */
    readonly probabilities: Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>;
}

export function readDataframe(text: string): Dataframe {
    const rows = (parse(text, { columns: true, bom: true }) as Record<string, string>[]).filter((row) => row.split === "test")
        .sort((a, b) => (a.stack < b.stack ? -1 : a.stack > b.stack ? 1 : Number(a.page) - Number(b.page)));
    const columns = Object.keys(rows[0] ?? {}).filter((name) => name.includes(":")).map((name) => {
        const cut = name.indexOf(":");
        return { name, member: name.slice(0, cut), label: name.slice(cut + 1) };
    });
    const members = [...new Set(columns.map(({ member }) => member))];
    return {
        members,
        pages: rows.map((row) => ({ stack: row.stack, page: Number(row.page), class: row.class, begins: row.begins_document === "true" })),
        probabilities: Object.fromEntries(members.map((member) => {
            const own = columns.filter((column) => column.member === member);
            return [member, rows.map((row) => Object.fromEntries(own.map(({ name, label }) => [label, Number(row[name])])))];
        })),
    };
}

interface CombinerLine {
    readonly stack: string;
    readonly page: number;
    readonly probabilities: Readonly<Record<string, number>>;
    /** How likely a document begins on this page. */
    readonly begins_document: number;
}

/** A base model: the class with the highest probability; its segments are the maximal runs of one class in a stack. */
export function judgeMember(table: Dataframe, member: string): Judgement {
    const predicted = table.probabilities[member].map(best);
    const begins = table.pages.map((page, index) => isFirst(table.pages, index) || predicted[index - 1] !== predicted[index]);
    return judge(member, table.pages, predicted, begins, predicted.map((label) => ({ [label]: 1 })));
}

/** The combiner, by its `predictions.jsonl`. A segment's class is the one with the highest sum of probabilities. */
export function judgeCombiner(table: Dataframe, model: string, predictions: string): Judgement {
    const lines = new Map(predictions.trim().split("\n").filter((line) => line !== "").map((line) => {
        const value = JSON.parse(line) as CombinerLine;
        return [`${value.stack}/${value.page}`, value] as const;
    }));
    const own = table.pages.map((page) => {
        const line = lines.get(`${page.stack}/${page.page}`);
        if (line === undefined) {
            throw new Error(`the predictions of ${model} have no line for page ${page.page} of stack ${page.stack}`);
        }
        return line;
    });
    const begins = own.map((line, index) => isFirst(table.pages, index) || line.begins_document >= 0.5);
    return judge(model, table.pages, own.map((line) => best(line.probabilities)), begins, own.map((line) => line.probabilities));
}

function isFirst(pages: readonly JudgedPage[], index: number): boolean {
    return index === 0 || pages[index - 1].stack !== pages[index].stack;
}

function best(probabilities: Readonly<Record<string, number>>): string {
    return Object.entries(probabilities).reduce((top, entry) => (entry[1] > top[1] ? entry : top))[0];
}

function judge(
    model: string,
    pages: readonly JudgedPage[],
    predicted: readonly string[],
    begins: readonly boolean[],
    votes: readonly Readonly<Record<string, number>>[],
): Judgement {
    const truth = segments(pages, pages.map((page, index) => page.begins || isFirst(pages, index)),
        pages.map((page) => ({ [page.class]: 1 })));
    const found = segments(pages, begins, votes);
    const right = [...found].filter((segment) => truth.has(segment)).length;
    return {
        model,
        pages: pages.length,
        pageAccuracy: pages.length === 0 ? 0 : pages.filter((page, index) => page.class === predicted[index]).length / pages.length,
        segmentF1: found.size + truth.size === 0 ? 0 : 2 * right / (found.size + truth.size),
    };
}

/** Stack, first page, last page and class as one string each: a segment counts when all four are right. */
function segments(
    pages: readonly JudgedPage[],
    begins: readonly boolean[],
    votes: readonly Readonly<Record<string, number>>[],
): Set<string> {
    const found = new Set<string>();
    for (let start = 0; start < pages.length;) {
        let end = start + 1;
        while (end < pages.length && !begins[end]) {
            end += 1;
        }
        const sums: Record<string, number> = {};
        for (let index = start; index < end; index += 1) {
            for (const [label, weight] of Object.entries(votes[index])) {
                sums[label] = (sums[label] ?? 0) + weight;
            }
        }
        found.add(`${pages[start].stack}/${pages[start].page}-${pages[end - 1].page}/${best(sums)}`);
        start = end;
    }
    return found;
}
