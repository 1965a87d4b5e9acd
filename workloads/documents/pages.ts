/** A page of a stack: where it lies, and how pages are ordered. */
import specification from "../training/common/documents.json";

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

type PageNumber = Pick<Page, "stack" | "page">;

/** Folder and ending of the files that there are for a page. */
export const PAGE_FILES: Readonly<Record<string, string>> = specification.pages;

export function pageId({ stack, page }: PageNumber): string {
    return `${stack}/${page}`;
}

/** File name of a page below text/ or images/, without its extension. */
export function pageFile({ stack, page }: PageNumber): string {
    return `${stack}/${String(page).padStart(specification.digits, "0")}`;
}

/** By stack, in the order of code units whatever the locale, then by page. */
export function comparePages(a: PageNumber, b: PageNumber): number {
    if (a.stack === b.stack) {
        return a.page - b.page;
    }
    return a.stack < b.stack ? -1 : 1;
}

/** Pages by stack, each stack's in the order of its pages. */
export function byStack<T extends PageNumber>(pages: readonly T[]): Map<string, T[]> {
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
