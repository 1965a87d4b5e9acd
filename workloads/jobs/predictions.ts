/**
 * Reads a member's predictions and holds them against the labels: exactly one out-of-fold prediction of each training
 * page and one prediction of each test page, anything else is a mismatch.
 */
import { defined } from "../../ground/fields";
import { byStack, pageId, type Page } from "../documents/pages";

/** Something that does not fit, in words. */
export interface Mismatch {
    readonly member: string;
    readonly page?: string;
    readonly what: string;
    /** File and line in the member's output. */
    readonly where?: string;
}

export interface MemberPredictions {
    readonly classes: readonly string[];
    /** Probabilities by page, in the order of `classes`. */
    readonly probabilities: ReadonlyMap<string, readonly number[]>;
    /** By page, that a document begins there; undefined of a member that does not say it of every page. */
    readonly begins?: ReadonlyMap<string, number>;
}

/** What is said of one page: probabilities in the order of the classes, and that a document begins there. */
interface Answer {
    readonly values: readonly number[];
    readonly begins?: number;
}

interface Line extends Answer {
    readonly fold: number | null;
    readonly where: string;
}

/** Probabilities are written with six digits; their sum may be off by that much for each class. */
const sumTolerance = 1e-3;

/** Takes lines in and gives the joined predictions and every mismatch. */
export class PredictionReader {
    private readonly pages: ReadonlyMap<string, Page>;
    private readonly lines = new Map<string, Line[]>();
    private readonly folds = new Set<number>();
    private readonly known: ReadonlySet<string>;
    private classes: readonly string[] | undefined;
    readonly mismatches: Mismatch[] = [];

    constructor(
        private readonly member: string,
        pages: readonly Page[],
    ) {
        this.pages = new Map(pages.map((page) => [pageId(page), page]));
        this.known = new Set(pages.map((page) => page.class));
    }

    /** One line of predictions.jsonl. */
    read(text: string, where: string): void {
        let record: Record<string, unknown>;
        try {
            record = Object(JSON.parse(text)) as Record<string, unknown>;
        } catch {
            this.report("is no JSON", where);
            return;
        }
        const { stack, page, fold, split, probabilities, begins_document: begins } = record;
        if (
            typeof stack !== "string" ||
            typeof page !== "number" ||
            typeof probabilities !== "object" ||
            probabilities === null ||
            (fold !== null && fold !== undefined && !(Number.isInteger(fold) && (fold as number) >= 0))
        ) {
            this.report("is no prediction {stack, page, fold, split, probabilities}", where);
            return;
        }
        if (begins !== undefined && begins !== null && !isProbability(begins)) {
            this.report("its begins_document is no number from 0 to 1", where);
            return;
        }
        const id = pageId({ stack, page });
        const labelled = this.pages.get(id);
        if (labelled === undefined) {
            this.report("no such page is labelled", where, id);
            return;
        }
        if (split !== labelled.split) {
            this.report(
                `is predicted as a page of ${JSON.stringify(split)}, the labels say ${labelled.split}`,
                where,
                id,
            );
            return;
        }
        const values = this.valuesOf(probabilities as Record<string, unknown>, where, id);
        if (values !== undefined) {
            const answer: Answer = isProbability(begins) ? { values, begins } : { values };
            const line = { ...answer, fold: (fold as number | null | undefined) ?? null, where };
            this.lines.set(id, [...(this.lines.get(id) ?? []), line]);
            if (line.fold !== null) {
                this.folds.add(line.fold);
            }
        }
    }

    /** The joined predictions; pages with a mismatch are missing in them. */
    finish(): MemberPredictions {
        const answers = new Map<string, Answer>();
        for (const [id, page] of this.pages) {
            const lines = this.lines.get(id) ?? [];
            const answer = page.split === "train" ? this.outOfFold(id, lines) : this.plain(id, lines);
            if (answer !== undefined) {
                answers.set(id, answer);
            }
        }
        // A stack whose pages were held out by different folds was seen in training by each of them.
        for (const [stack, pages] of byStack([...this.pages.values()].filter(({ split }) => split === "train"))) {
            const folds = new Set(
                pages.flatMap((page) => (this.lines.get(pageId(page)) ?? []).map(({ fold }) => fold)),
            );
            if (folds.size > 1) {
                this.report(
                    `stack ${stack} is held out by several folds (${[...folds].join(", ")}), a stack belongs to one`,
                );
            }
        }
        const probabilities = new Map([...answers].map(([id, { values }]) => [id, values]));
        const begins = this.beginsOf(answers);
        const classes = this.classes ?? [];
        return begins === undefined ? { classes, probabilities } : { classes, probabilities, begins };
    }

    /** All pages' begins; undefined where no line has any. */
    private beginsOf(answers: ReadonlyMap<string, Answer>): ReadonlyMap<string, number> | undefined {
        const begins = new Map<string, number>();
        for (const [id, answer] of answers) {
            if (answer.begins !== undefined) {
                begins.set(id, answer.begins);
            }
        }
        if (begins.size > 0 && begins.size < answers.size) {
            this.report(
                `says of ${begins.size} of ${answers.size} pages whether a document begins there (begins_document), ` +
                    "expected all of them or none",
            );
        }
        return begins.size > 0 ? begins : undefined;
    }

    private outOfFold(id: string, lines: readonly Line[]): Answer | undefined {
        if (lines.length !== 1) {
            this.report(`${lines.length} out-of-fold predictions, expected 1`, lines[1]?.where, id);
            return undefined;
        }
        if (lines[0].fold === null) {
            this.report("a training page is predicted by a model that learned from it (fold null)", lines[0].where, id);
            return undefined;
        }
        return lines[0];
    }

    /** One prediction of the final model, or the mean of one a fold. */
    private plain(id: string, lines: readonly Line[]): Answer | undefined {
        if (lines.length === 1 && lines[0].fold === null) {
            return lines[0];
        }
        const folds = lines.map(({ fold }) => fold);
        const complete =
            lines.length > 0 &&
            !folds.includes(null) &&
            new Set(folds).size === lines.length &&
            lines.length === this.folds.size;
        if (!complete) {
            const all = [...this.folds].sort((a, b) => a - b);
            this.report(
                `${lines.length} test predictions (folds ${folds.join(", ") || "none"}), expected one with fold null ` +
                    "or one of each fold " +
                    `(${all.join(", ") || "none"})`,
                lines[0]?.where,
                id,
            );
            return undefined;
        }
        return meanOf(lines);
    }

    private valuesOf(probabilities: Record<string, unknown>, where: string, id: string): readonly number[] | undefined {
        const names = Object.keys(probabilities).sort();
        if (this.classes === undefined) {
            const strange = names.filter((name) => !this.known.has(name));
            if (strange.length > 0 || names.length === 0) {
                this.report(
                    `predicts ${strange.length > 0 ? `the classes ${strange.join(", ")}, which no page has` : "no class"}`,
                    where,
                    id,
                );
                return undefined;
            }
            this.classes = names;
        }
        if (names.join("\n") !== this.classes.join("\n")) {
            this.report(`predicts the classes ${names.join(", ")}, other lines ${this.classes.join(", ")}`, where, id);
            return undefined;
        }
        const values = this.classes.map((name) => probabilities[name]);
        const sum = values.reduce<number>((total, value) => total + Number(value), 0);
        const fit = values.every(isProbability);
        if (!fit || !(Math.abs(sum - 1) <= sumTolerance)) {
            this.report("its probabilities are not numbers from 0 to 1 with the sum 1", where, id);
            return undefined;
        }
        return values as number[];
    }

    private report(what: string, where?: string, page?: string): void {
        this.mismatches.push(
            defined({
                member: this.member,
                page,
                what,
                where,
            }),
        );
    }
}

function isProbability(value: unknown): value is number {
    return typeof value === "number" && value >= -1e-6 && value <= 1 + 1e-6;
}

/** Of at least one answer; begins only where all have them. */
function meanOf(answers: readonly Answer[]): Answer {
    const mean = (of: (answer: Answer) => number) =>
        answers.reduce((sum, answer) => sum + of(answer), 0) / answers.length;
    const values = answers[0].values.map((_, index) => mean((answer) => answer.values[index]));
    return answers.every(({ begins }) => begins !== undefined)
        ? { values, begins: mean(({ begins }) => begins ?? 0) }
        : { values };
}
