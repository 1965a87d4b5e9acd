/** Page accuracy and segment F1 on held-out stacks, from the labels and a model's predictions. */
import { parse } from "csv-parse/sync";
import { defined } from "../ground/fields";

/** A page's truth, all of one held-out stack after the other. */
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

interface Decoded {
    readonly label: string;
    readonly begins: boolean;
}

export type Probabilities = Readonly<Record<string, number>>;

/** A model's predictions of held-out pages, by `stack/page`. */
export type Predictions = ReadonlyMap<
    string,
    {
        /** Of several lines (one a fold) the mean. */
        readonly probabilities: Probabilities;
        /** As the combiner decoded the whole stack: the page's class, and whether a document begins there. */
        readonly decoded?: Decoded;
    }
>;

/**
 * The held-out pages of `labels.csv` or `dataframe.csv`, sorted by stack and page.
 * @throws Error where the text is no such table.
 */
export function readTruth(text: string): JudgedPage[] {
    const rows = parse(text, { columns: true, bom: true }) as Record<string, string>[];
    const lacking = ["stack", "page", "class", "begins_document", "split"].filter(
        (column) => rows.length > 0 && !(column in rows[0]),
    );
    if (lacking.length > 0) {
        throw new Error(`it has no column ${lacking.join(", ")}`);
    }
    return rows
        .filter((row) => row.split === "test")
        .map((row) => ({
            stack: row.stack,
            page: Number(row.page),
            class: row.class,
            begins: row.begins_document === "true",
        }))
        .sort((a, b) => (a.stack < b.stack ? -1 : a.stack > b.stack ? 1 : a.page - b.page));
}

/**
 * The test lines of `predictions.jsonl` files.
 * @throws Error naming the first line that is none.
 */
export function readPredictions(files: readonly string[]): Predictions {
    const sums = new Map<string, { count: number; probabilities: Record<string, number>; decoded?: Decoded }>();
    for (const [number, line] of files.flatMap((file) => file.split("\n")).entries()) {
        if (line.trim() === "") {
            continue;
        }
        const { stack, page, split, probabilities, class: label, begins } = parseLine(line, number);
        if (split !== "test") {
            continue;
        }
        const sum = sums.get(`${stack}/${page}`) ?? {
            count: 0,
            probabilities: Object.create(null) as Record<string, number>,
        };
        sum.count += 1;
        for (const [label, value] of Object.entries(probabilities)) {
            sum.probabilities[label] = (sum.probabilities[label] ?? 0) + value;
        }
        if (typeof label === "string" && typeof begins === "boolean") {
            sum.decoded = { label, begins };
        }
        sums.set(`${stack}/${page}`, sum);
    }
    return new Map(
        [...sums].map(([id, { count, probabilities, decoded }]) => {
            const means = Object.entries(probabilities).map(([label, sum]) => [label, sum / count] as const);
            return [id, defined({ probabilities: Object.fromEntries(means), decoded })];
        }),
    );
}

interface Line {
    readonly stack: string;
    readonly page: number;
    readonly split: string;
    readonly probabilities: Probabilities;
    readonly class?: unknown;
    readonly begins?: unknown;
}

function parseLine(line: string, number: number): Line {
    try {
        const value = JSON.parse(line) as Line;
        if (
            typeof value.stack === "string" &&
            typeof value.page === "number" &&
            typeof value.probabilities === "object" &&
            value.probabilities !== null &&
            Object.values(value.probabilities).every((share) => typeof share === "number")
        ) {
            return value;
        }
    } catch {
        // told below
    }
    throw new Error(`line ${number + 1} of its predictions is none: ${line.slice(0, 60)}`);
}

/**
 * Judges a model. A combiner decoded whole stacks: its documents are taken as they are, so that every figure is of one
 * decoding; other models' documents are the maximal runs of each page's most probable class in a stack.
 * @throws Error where a page has no prediction.
 */
export function judge(model: string, pages: readonly JudgedPage[], predictions: Predictions): Judgement {
    const own = pages.map((page) => {
        const found = predictions.get(`${page.stack}/${page.page}`);
        if (found === undefined) {
            throw new Error(`the predictions of ${model} have no line for page ${page.page} of stack ${page.stack}`);
        }
        return { label: labelOf(found)[0], begins: found.decoded?.begins };
    });
    const begins = own.map(
        ({ label, begins: decoded }, index) => isFirst(pages, index) || (decoded ?? own[index - 1].label !== label),
    );
    const truth = segments(
        pages,
        pages.map((page, index) => page.begins || isFirst(pages, index)),
        pages.map((page) => page.class),
    );
    const found = segments(
        pages,
        begins,
        own.map(({ label }) => label),
    );
    const right = [...found].filter((segment) => truth.has(segment)).length;
    return {
        model,
        pages: pages.length,
        pageAccuracy:
            pages.length === 0
                ? 0
                : pages.filter((page, index) => page.class === own[index].label).length / pages.length,
        segmentF1: found.size + truth.size === 0 ? 0 : (2 * right) / (found.size + truth.size),
    };
}

function isFirst(pages: readonly JudgedPage[], index: number): boolean {
    return index === 0 || pages[index - 1].stack !== pages[index].stack;
}

/** The class with the highest probability, the first of equal ones. */
function best(probabilities: Probabilities): readonly [label: string, probability: number] {
    return Object.entries(probabilities).reduce((top, entry) => (entry[1] > top[1] ? entry : top), [
        "none",
        -1,
    ] as const);
}

/** A page's class, as it was decoded or else the most probable one, and how probable that is. */
export function labelOf({
    probabilities,
    decoded,
}: {
    readonly probabilities: Probabilities;
    readonly decoded?: Decoded;
}): readonly [label: string, probability: number] {
    return decoded === undefined ? best(probabilities) : [decoded.label, probabilities[decoded.label] ?? 0];
}

/** Stack, first page, last page and class as one string each: a segment counts when all four are right. */
function segments(pages: readonly JudgedPage[], begins: readonly boolean[], labels: readonly string[]): Set<string> {
    const found = new Set<string>();
    for (let start = 0; start < pages.length;) {
        let end = start + 1;
        while (end < pages.length && !begins[end]) {
            end += 1;
        }
        found.add(`${pages[start].stack}/${pages[start].page}-${pages[end - 1].page}/${labels[start]}`);
        start = end;
    }
    return found;
}

/** Pages by true and predicted class. */
export function confusionOf(
    pages: readonly JudgedPage[],
    labels: readonly string[],
): { readonly classes: readonly string[]; readonly confusion: readonly (readonly number[])[] } {
    const classes = [...new Set([...pages.map((page) => page.class), ...labels])].sort();
    const position = new Map(classes.map((name, index) => [name, index]));
    const confusion = classes.map(() => classes.map(() => 0));
    pages.forEach((page, index) => {
        confusion[position.get(page.class)!][position.get(labels[index])!] += 1;
    });
    return { classes, confusion };
}
