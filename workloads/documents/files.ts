/** What lies in a folder of documents: labels, a file a page in text/ and images/, or other data that members read. */
import { isUtf8 } from "node:buffer";
import { isData } from "../../workflow/keys";
import specification from "../training/common/documents.json";
import { LABELS, type Labels } from "./labels";
import { PAGE_FILES, pageFile } from "./pages";
import { pngProblem } from "./png";
import type { Problem } from "./problems";

/** A file of a folder or an object below a prefix. */
export interface Listed {
    /** Path below the folder, with slashes. */
    readonly key: string;
    readonly bytes: number;
}

const IGNORED = new RegExp(`^(?:${specification.ignored.join("|")})$`, "i");

/**
 * Whether a file is the operating system's or a program's own, such as Thumbs.db: it is no data, and nobody copies it.
 */
export function isIgnored(key: string): boolean {
    return key.split("/").some((part) => IGNORED.test(part));
}

/** Whether a file is what members read: neither labels nor what jobs wrote beside them. */
export function isDocument({ key }: Listed): boolean {
    return key !== LABELS && isData(key) && !isIgnored(key);
}

export interface FilesOptions {
    /** Everything that lies there. */
    readonly listing: readonly Listed[];
    readonly labels: Labels;
    /**
     * What the members read besides the labels: `text` and `images` hold a file a page, anything else is a file or a
     * folder.
     * Undefined: not known here; then text/ and images/ are checked where they are.
     */
    readonly wanted?: readonly string[];
}

/** Whether every labelled page has its files and every page's file its row. */
export function checkFiles({ listing, labels, wanted }: FilesOptions): Problem[] {
    const data = listing.filter(isDocument);
    const has = (folder: string) => data.some(({ key }) => key.startsWith(`${folder}/`));
    const problems: Problem[] = [];
    if (wanted === undefined && data.length === 0) {
        problems.push({ code: "nothing-beside", file: LABELS });
    }
    for (const name of wanted ?? []) {
        if (!(name in PAGE_FILES) && !data.some(({ key }) => key === name || key.startsWith(`${name}/`))) {
            problems.push({ code: "data-missing", file: name });
        }
    }
    for (const [folder, ending] of Object.entries(PAGE_FILES)) {
        if (has(folder)) {
            problems.push(...checkFolder(folder, ending, data, labels));
        } else if (wanted?.includes(folder) === true && labels.pages.length > 0) {
            problems.push({ code: "folder-missing", file: `${folder}/` });
        }
    }
    return problems;
}

/** The file of a page below the documents' folder. */
export function fileOf(folder: string, page: Parameters<typeof pageFile>[0]): string {
    return `${folder}/${pageFile(page)}.${PAGE_FILES[folder] ?? ""}`;
}

function checkFolder(folder: string, ending: string, data: readonly Listed[], labels: Labels): Problem[] {
    const there = new Map(data.filter(({ key }) => key.startsWith(`${folder}/`)).map((file) => [file.key, file]));
    const named = new Map(labels.pages.map((page) => [fileOf(folder, page), page]));
    const problems: Problem[] = [];
    const extra = new Map([...there].filter(([key]) => !named.has(key)));
    const close = new Map([...extra.keys()].map((key) => [plainName(key), key]));
    for (const [file, page] of named) {
        const found = there.get(file);
        const near = close.get(plainName(file));
        if (labels.doubtful.has(page.stack)) {
            continue;
        }
        if (found === undefined && near === undefined) {
            problems.push({ code: "file-missing", file: LABELS, line: page.line, values: { file } });
        } else if (found === undefined) {
            problems.push({ code: "file-name", file: LABELS, line: page.line, values: { file, got: near ?? "" } });
            extra.delete(near ?? "");
        } else if (found.bytes === 0 && ending !== "txt") {
            // a text may be empty: scanners make pages without any
            problems.push({ code: "image-empty", file, row: page.line });
        }
    }
    for (const key of labels.complete ? extra.keys() : []) {
        if (!labels.doubtful.has(key.split("/")[1] ?? "")) {
            problems.push({ code: "file-extra", file: key });
        }
    }
    return problems;
}

/** What two names have in common that mean the same page: `images/a/1.PNG` and `images/a/001.png`. */
function plainName(key: string): string {
    return key.toLowerCase().replace(/\/0*(\d+)\.(\w+)$/, "/$1.$2");
}

/** What is wrong with the content of a page's file of `text` or `images`; undefined where a training can read it. */
export function contentProblem(folder: string, file: string, content: Uint8Array, row?: number): Problem | undefined {
    const [code, reason] =
        folder === "images"
            ? (["image", pngProblem(Buffer.from(content), specification.maximumPixels)] as const)
            : (["text", textProblem(content)] as const);
    if (reason === undefined) {
        return undefined;
    }
    const problem: Problem = { code, file, values: { reason } };
    return row === undefined ? problem : { ...problem, row };
}

function textProblem(bytes: Uint8Array): string | undefined {
    if (bytes.includes(0)) {
        return "is no UTF-8 text (it holds zero bytes)";
    }
    return isUtf8(bytes) ? undefined : "is not UTF-8 text";
}
