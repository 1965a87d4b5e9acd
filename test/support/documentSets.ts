/** Sets of documents, right ones and wrong ones of every kind, for whoever judges documents. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { crc32 } from "node:zlib";
import { PNG } from "pngjs";
import type { ProblemCode } from "../../workloads/documents/problems";

/** Three pages of two documents in each of five stacks. */
const STACKS = ["s1", "s2", "s3", "s4", "s5"];
const HEADER = "stack,page,class,begins_document,split";
/** Folds that every set is judged for. */
export const FOLDS = 2;

/** What changes a right set into the one that is wanted. */
class Change {
    readonly files = new Map<string, string | Buffer>();
    /** Where a link lies and where it leads. */
    readonly links = new Map<string, string>();

    constructor() {
        for (const stack of STACKS) {
            for (const page of ["001", "002", "003"]) {
                this.files.set(`text/${stack}/${page}.txt`, `what page ${page} of ${stack} says`);
                this.files.set(`images/${stack}/${page}.png`, picture());
            }
        }
        this.rows((row) => row);
    }

    /** The rows of labels.csv below its header, changed one by one. */
    rows(change: (row: string, index: number) => string | undefined, header = HEADER): this {
        const rows = STACKS.flatMap((stack) => [
            `${stack},1,payslip,true,`,
            `${stack},2,payslip,false,`,
            `${stack},3,contract,true,`,
        ]);
        const changed = rows.map(change).filter((row) => row !== undefined);
        this.files.set("labels.csv", `${[header, ...changed].join("\n")}\n`);
        return this;
    }

    labels(change: (text: string) => string | Buffer): this {
        this.files.set("labels.csv", change(String(this.files.get("labels.csv"))));
        return this;
    }

    put(file: string, content: string | Buffer): this {
        this.files.set(file, content);
        return this;
    }

    remove(...files: string[]): this {
        files.forEach((file) => this.files.delete(file));
        return this;
    }

    rename(from: string, to: string): this {
        return this.put(to, this.files.get(from) ?? "").remove(from);
    }

    link(file: string, target: string): this {
        this.files.delete(file);
        this.links.set(file, target);
        return this;
    }

    /** A stack of so many pages, one document. */
    stack(name: string, pages: number, split = ""): this {
        for (let page = 1; page <= pages; page += 1) {
            const file = `${name}/${String(page).padStart(3, "0")}`;
            this.put(`text/${file}.txt`, "").put(`images/${file}.png`, picture());
        }
        const rows = Array.from(
            { length: pages },
            (_, index) => `${name},${index + 1},payslip,${index === 0},${split}`,
        );
        return this.labels((text) => `${text}${rows.join("\n")}\n`);
    }
}

export interface DocumentSet {
    readonly name: string;
    readonly make: (set: Change) => Change;
    /** Kinds of problems of the whole set, sorted; none: it is right. */
    readonly problems: readonly ProblemCode[];
    /** Kinds of problems of its pages without labels, for whoever only labels them. */
    readonly unlabelled: readonly ProblemCode[];
}

/** Writes a set into an empty folder. */
export function writeSet({ make }: DocumentSet, directory: string): void {
    const { files, links } = make(new Change());
    for (const [file, content] of files) {
        mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
        writeFileSync(path.join(directory, file), content);
    }
    for (const [file, target] of links) {
        mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
        symlinkSync(target, path.join(directory, file));
    }
}

function picture(options: { readonly bitDepth?: 8 | 16; readonly colorType?: 0 | 2 | 4 | 6 } = {}): Buffer {
    const image = new PNG({ width: 6, height: 5 });
    image.data.fill(0x80);
    return PNG.sync.write(image, { colorType: 0, ...options });
}

const damaged = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = picture();
    change(bytes);
    return bytes;
};

const right = (name: string, make: DocumentSet["make"], unlabelled: readonly ProblemCode[] = []): DocumentSet => ({
    name,
    make,
    problems: [],
    unlabelled,
});
const wrong = (
    name: string,
    problems: readonly ProblemCode[],
    make: DocumentSet["make"],
    unlabelled: readonly ProblemCode[] = [],
): DocumentSet => ({ name, make, problems, unlabelled });

const IMAGE = "images/s2/002.png";
const TEXT = "text/s2/002.txt";
const split = (row: string, index: number) => `${row}${index < 12 ? "train" : "test"}`;

/** In each the desk, Setup with Fetch, the trainings and, without labels, predict must judge the same. */
export const DOCUMENT_SETS: readonly DocumentSet[] = [
    right("as it should be", (set) => set),
    right("splits given", (set) => set.rows(split)),
    right("TRUE and FALSE of a spreadsheet", (set) =>
        set.labels((text) => text.replace(/true|false/g, (word) => word.toUpperCase())),
    ),
    right("True and False", (set) =>
        set.labels((text) => text.replaceAll("true", "True").replaceAll("false", "False")),
    ),
    right("umlauts and blanks in classes", (set) =>
        set.labels((text) => text.replaceAll("payslip", "Bescheid für Löhne").replaceAll("contract", "Straßen plan")),
    ),
    right("a class in another alphabet, one with an emoji", (set) =>
        set.labels((text) => text.replaceAll("payslip", "給与明細").replaceAll("contract", "deed 🏠")),
    ),
    right("a class in two spellings of one letter", (set) =>
        set.rows((row, index) => row.replace("payslip", index < 9 ? "Lo\u0308hne" : "L\u00f6hne")),
    ),
    right("a class of a number", (set) =>
        set.labels((text) => text.replaceAll("payslip", "2024").replaceAll("contract", "7-b")),
    ),
    right("a class of 64 characters", (set) => set.labels((text) => text.replaceAll("payslip", "x".repeat(64)))),
    right("blank lines at the end", (set) => set.labels((text) => `${text}\n\n  \n\t\n`)),
    right("blank lines within", (set) => set.labels((text) => text.replaceAll("\ns3,", "\n\ns3,"))),
    right("rows of commas at the end", (set) => set.labels((text) => `${text},,,,\n,,,,\n`)),
    right("no line end at the end", (set) => set.labels((text) => text.trimEnd())),
    right("no split column", (set) => set.rows((row) => row.slice(0, -1), "stack,page,class,begins_document")),
    right("columns in another order, with one more", (set) =>
        set.rows(
            (row) => ["looks fine", ...row.split(",").reverse()].join(","),
            "note,split,begins_document,class,page,stack",
        ),
    ),
    right("a byte order mark", (set) => set.labels((text) => `\ufeff${text}`)),
    right("Windows line ends", (set) => set.labels((text) => text.replaceAll("\n", "\r\n"))),
    right("line ends of an old Macintosh", (set) => set.labels((text) => text.replaceAll("\n", "\r"))),
    right("mixed line ends", (set) => set.labels((text) => text.replace("\n", "\r\n"))),
    right("blanks around values", (set) =>
        set.labels((text) => text.replaceAll(",", " ,\t").replaceAll("payslip", "\u00a0payslip ")),
    ),
    right("values in quotation marks", (set) =>
        set.labels((text) =>
            text
                .trim()
                .split("\n")
                .map((row) =>
                    row
                        .split(",")
                        .map((value) => `"${value}"`)
                        .join(","),
                )
                .join("\n"),
        ),
    ),
    right("rows in another order", (set) =>
        set.labels((text) => [HEADER, ...text.trim().split("\n").slice(1).reverse()].join("\n")),
    ),
    right("an empty text", (set) => set.put(TEXT, "")),
    right("a text with a byte order mark", (set) => set.put(TEXT, "\ufefftotal")),
    right("Thumbs.db and its like beside the pages", (set) =>
        set
            .put("images/s1/Thumbs.db", "x")
            .put("images/s1/.DS_Store", "x")
            .put("images/desktop.ini", "x")
            .put("text/s1/._001.txt", "x")
            .put("text/~$001.txt", "x")
            .put("__MACOSX/images/s1/001.png", "x")
            .put("images/s1/ehthumbs.db", "x"),
    ),
    right("a link to a page", (set) => set.put("elsewhere.png", picture()).link(IMAGE, "../../elsewhere.png")),
    right("a link to a folder of pages", (set) => {
        for (const page of ["001", "002", "003"]) {
            set.rename(`images/s2/${page}.png`, `scans/${page}.png`);
        }
        return set.link("images/s2", "../scans");
    }),
    right("a picture of 16 bits, of colours, with transparency", (set) =>
        set
            .put(IMAGE, picture({ bitDepth: 16 }))
            .put("images/s1/001.png", picture({ colorType: 2 }))
            .put("images/s1/002.png", picture({ colorType: 6 })),
    ),
    right("names with dashes, underscores, digits, of one and of 64 characters", (set) =>
        set.stack("a", 1).stack("2024-05_01", 1).stack("x".repeat(64), 2),
    ),
    right("a class in one stack more than folds", (set) =>
        set.rows((row, index) => row.replace("contract", index < 9 ? "contract" : "payslip")),
    ),
    right("a class in as many training stacks as folds, splits given", (set) =>
        set.rows((row, index) =>
            split(row.replace("contract", index > 5 && index < 12 ? "contract" : "payslip"), index),
        ),
    ),

    wrong("no labels", ["labels-missing"], (set) => set.remove("labels.csv")),
    wrong("empty labels", ["labels-empty"], (set) => set.put("labels.csv", "")),
    wrong("labels of blank lines", ["labels-empty"], (set) => set.put("labels.csv", "\n\n  \n")),
    wrong("a header and nothing else", ["labels-no-pages"], (set) => set.put("labels.csv", `${HEADER}\n`)),
    wrong("semicolons", ["labels-separator"], (set) => set.labels((text) => text.replaceAll(",", ";"))),
    wrong("tabs", ["labels-separator"], (set) => set.labels((text) => text.replaceAll(",", "\t"))),
    wrong("semicolons and a byte order mark", ["labels-separator"], (set) =>
        set.labels((text) => `\ufeff${text.replaceAll(",", ";")}`),
    ),
    wrong("Latin-1", ["labels-encoding"], (set) =>
        set.labels((text) => Buffer.from(text.replaceAll("payslip", "Löhne"), "latin1")),
    ),
    wrong("Latin-1 in one row", ["labels-encoding"], (set) =>
        set.labels((text) => Buffer.from(text.replace("s4,1,payslip", "s4,1,paysl\u00ecp"), "latin1")),
    ),
    wrong("UTF-16", ["labels-utf16"], (set) => set.labels((text) => Buffer.from(`\ufeff${text}`, "utf16le"))),
    wrong("a spreadsheet", ["labels-spreadsheet"], (set) =>
        set.put("labels.csv", Buffer.from("PK\x03\x04\x14\0\x06\0rest", "latin1")),
    ),
    wrong("an old spreadsheet", ["labels-spreadsheet"], (set) =>
        set.put("labels.csv", Buffer.from("d0cf11e0a1b11ae1", "hex")),
    ),
    wrong("a misspelt column", ["labels-column"], (set) => set.labels((text) => text.replace("class", "klass"))),
    wrong("a column in capitals", ["labels-column"], (set) => set.labels((text) => text.replace("stack", "Stack"))),
    wrong("no header", ["labels-column"], (set) => set.labels((text) => text.replace(`${HEADER}\n`, ""))),
    wrong("a column twice", ["labels-column-twice"], (set) => set.labels((text) => text.replace(",split", ",class"))),
    wrong("a row with too few values", ["row-values"], (set) =>
        set.labels((text) => text.replace("s2,2,payslip,false,", "s2,2,payslip")),
    ),
    wrong("a comma in a class without quotation marks", ["row-values"], (set) =>
        set.labels((text) => text.replace("s2,1,payslip", "s2,1,pay, slip")),
    ),
    wrong("a comma in a class", ["class"], (set) =>
        set.labels((text) => text.replace("s2,1,payslip", 's2,1,"pay, slip"')),
    ),
    wrong("a quotation mark that is never closed", ["labels-syntax"], (set) =>
        set.labels((text) => text.replace("s2,1,payslip", 's2,1,"payslip')),
    ),
    wrong("a quotation mark within a class", ["labels-syntax"], (set) =>
        set.labels((text) => text.replace("s2,1,payslip", 's2,1,5" slip')),
    ),
    wrong("a line end within a class", ["class"], (set) =>
        set.labels((text) => text.replace("s2,1,payslip", 's2,1,"pay\nslip"')),
    ),
    wrong("a class without a name", ["class"], (set) => set.labels((text) => text.replace("s2,1,payslip", "s2,1,"))),
    wrong("a class with a colon", ["class"], (set) => set.labels((text) => text.replaceAll("payslip", "pay:slip"))),
    wrong("a class of 65 characters", ["class"], (set) =>
        set.labels((text) => text.replaceAll("payslip", "x".repeat(65))),
    ),
    wrong("a class with an invisible character", ["class"], (set) =>
        set.labels((text) => text.replace("s2,1,payslip", "s2,1,pay\u200bslip")),
    ),
    wrong("a page that is no number", ["page"], (set) => set.labels((text) => text.replace("s2,2,", "s2,two,"))),
    wrong("a page 0", ["page"], (set) =>
        set.labels((text) => text.replaceAll(/,([123]),/g, (_, page) => `,${Number(page) - 1},`)),
    ),
    wrong("pages with zeros before", ["page"], (set) => set.labels((text) => text.replaceAll(/,([123]),/g, ",00$1,"))),
    wrong("a page of digits of another alphabet", ["page"], (set) =>
        set.labels((text) => text.replace("s2,2,", "s2,٢,")),
    ),
    wrong("a page of seven digits", ["page"], (set) => set.labels((text) => text.replace("s2,2,", "s2,1000000,"))),
    wrong("a stack with a blank", ["stack"], (set) => set.labels((text) => text.replaceAll("s2,", "s 2,"))),
    wrong("a stack with an umlaut", ["stack"], (set) => set.labels((text) => text.replaceAll("s2,", "sü,"))),
    wrong("a stack that leads elsewhere", ["stack"], (set) => set.labels((text) => text.replaceAll("s2,", "../s2,"))),
    wrong("a stack of 65 characters", ["stack"], (set) =>
        set.labels((text) => text.replaceAll("s2,", `${"x".repeat(65)},`)),
    ),
    wrong("yes and no", ["begins_document"], (set) =>
        set.labels((text) => text.replaceAll("true", "yes").replaceAll("false", "no")),
    ),
    wrong("WAHR and FALSCH", ["begins_document"], (set) =>
        set.labels((text) => text.replaceAll("true", "WAHR").replaceAll("false", "FALSCH")),
    ),
    wrong("an unknown split", ["split"], (set) => set.rows((row) => `${row}dev`)),
    wrong("a page twice", ["page-twice"], (set) => set.labels((text) => text.replace("s2,2,", "s2,1,"))),
    wrong("a row twice", ["page-twice"], (set) => set.labels((text) => `${text}s2,2,payslip,false,\n`)),
    wrong("a gap", ["gap"], (set) => set.labels((text) => text.replace("s2,2,payslip,false,\n", ""))),
    wrong("a stack that begins with page 2", ["gap"], (set) =>
        set.labels((text) => text.replace("s2,1,payslip,true,\n", "")),
    ),
    wrong("a stack that begins within a document", ["first-page"], (set) =>
        set.labels((text) => text.replace("s2,1,payslip,true", "s2,1,payslip,false")),
    ),
    wrong("a class that changes within a document", ["class-change"], (set) =>
        set.labels((text) => text.replace("s2,2,payslip", "s2,2,contract")),
    ),
    wrong("a stack on both sides", ["split-differs"], (set) =>
        set.rows((row, index) => (index === 4 ? `${row}test` : split(row, index))),
    ),
    wrong("a split in a stack's first row alone", ["split-differs"], (set) =>
        set.rows((row, index) => (index % 3 === 0 ? split(row, index) : row)),
    ),
    wrong("one class", ["one-class"], (set) => set.labels((text) => text.replaceAll("contract", "payslip"))),
    wrong("a class in as many stacks as folds", ["class-stacks-held-out"], (set) =>
        set.rows((row, index) => row.replace("contract", index < 6 ? "contract" : "payslip")),
    ),
    wrong("a misspelt class", ["class-stacks-held-out"], (set) =>
        set.labels((text) => text.replace("s2,3,contract", "s2,3,contrcat")),
    ),
    wrong("a class with too few training stacks, splits given", ["class-stacks"], (set) =>
        set.rows((row, index) =>
            split(row.replace("contract", index > 8 && index < 12 ? "contract" : "payslip"), index),
        ),
    ),
    wrong("a class on held-out pages alone", ["class-stacks"], (set) =>
        set.rows((row, index) => split(row.replace("contract", index === 14 ? "deed" : "contract"), index)),
    ),
    wrong("nothing held out", ["nothing-held-out"], (set) => set.rows((row) => `${row}train`)),
    wrong("nothing to train on", ["nothing-trained"], (set) => set.rows((row) => `${row}test`)),
    wrong(
        "no texts",
        ["folder-missing"],
        (set) => set.remove(...[...set.files.keys()].filter((key) => key.startsWith("text/"))),
        ["folder-missing"],
    ),
    wrong(
        "neither texts nor images",
        ["folder-missing"],
        (set) => set.remove(...[...set.files.keys()].filter((key) => key !== "labels.csv")),
        ["folder-missing"],
    ),
    wrong("a missing text", ["file-missing"], (set) => set.remove(TEXT), ["file-missing"]),
    wrong("a missing image", ["file-missing"], (set) => set.remove(IMAGE), ["file-missing"]),
    wrong("a page without files", ["file-missing"], (set) => set.labels((text) => `${text}s5,4,contract,false,\n`)),
    wrong("a stack without files", ["file-missing"], (set) => set.labels((text) => `${text}s7,1,contract,true,\n`)),
    wrong("a link that leads nowhere", ["file-missing"], (set) => set.link(IMAGE, "../nowhere.png"), ["file-missing"]),
    wrong("an image without a row", ["file-extra"], (set) => set.put("images/s2/004.png", picture()), ["file-missing"]),
    wrong("a page without a row", ["file-extra"], (set) =>
        set.put("images/s2/004.png", picture()).put("text/s2/004.txt", ""),
    ),
    wrong(
        "pages named 1, 2, 3",
        ["file-name"],
        (set) => {
            for (const file of [...set.files.keys()].filter((key) => key.startsWith("images/"))) {
                set.rename(file, file.replace("/00", "/"));
            }
            return set;
        },
        ["file-name"],
    ),
    wrong("an ending in capitals", ["file-name"], (set) => set.rename(IMAGE, "images/s2/002.PNG"), ["page-name"]),
    wrong("a JPEG beside the pages", ["file-extra"], (set) => set.put("images/s2/cover.jpg", "x"), ["page-name"]),
    wrong(
        "a flat folder",
        ["file-missing", "file-extra"],
        (set) => {
            for (const file of [...set.files.keys()].filter((key) => key.startsWith("images/"))) {
                set.rename(file, file.replace(/^images\/(s\d)\//, "images/$1-"));
            }
            return set;
        },
        ["stack", "file-missing"],
    ),
    wrong("an empty image", ["image-empty"], (set) => set.put(IMAGE, ""), ["image-empty"]),
    wrong("an image that is text", ["image"], (set) => set.put(IMAGE, "hello"), ["image"]),
    wrong("a JPEG called .png", ["image"], (set) => set.put(IMAGE, Buffer.from("ffd8ffe000104a464946", "hex")), [
        "image",
    ]),
    wrong("a cut image", ["image"], (set) => set.put(IMAGE, picture().subarray(0, 50)), ["image"]),
    wrong("an image without its end", ["image"], (set) => set.put(IMAGE, picture().subarray(0, -12)), ["image"]),
    wrong(
        "an image with damaged pixels",
        ["image"],
        (set) =>
            set.put(
                IMAGE,
                damaged((bytes) => bytes.writeUInt8(bytes.readUInt8(45) ^ 1, 45)),
            ),
        ["image"],
    ),
    wrong("an image of 20,000 x 20,000 pixels", ["image"], (set) => set.put(IMAGE, huge()), ["image"]),
    wrong("a text in Latin-1", ["text"], (set) => set.put(TEXT, Buffer.from("für", "latin1")), ["text"]),
    wrong("a text in UTF-16", ["text"], (set) => set.put(TEXT, Buffer.from("\ufefftotal", "utf16le")), ["text"]),
    wrong(
        "several causes at once",
        ["begins_document", "page", "file-missing"],
        (set) =>
            set
                .labels((text) => text.replace("s1,1,payslip,true", "s1,1,payslip,yes").replace("s3,2,", "s3,zwei,"))
                .remove("text/s5/001.txt"),
        ["file-missing"],
    ),
];

/** A header that says 20,000 x 20,000 pixels, with a checksum that is right. */
function huge(): Buffer {
    const image = new PNG({ width: 20_000, height: 1 });
    const bytes = PNG.sync.write(image, { colorType: 0 });
    bytes.writeUInt32BE(20_000, 20);
    bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
    return bytes;
}
