/** Labels and files of documents as the jobs take them: what is wrong ends the job in one line. */
import { joinS3 } from "../../ground/s3Address";
import { checkDocumentSet, type CheckOptions } from "../documents/check";
import { readLabels, type LabelledPage } from "../documents/labels";
import { describeProblems, placeOf, type Problem } from "../documents/problems";
import { DataError } from "../common/errors";

/** So many kinds of problems are told in one message. */
const MAXIMUM_TOLD = 5;

/**
 * Reads labels; pages come back sorted by stack and page.
 * @param where the file's address, for messages.
 * @throws DataError with the problems of rows and stacks.
 */
export function parseLabels(content: Uint8Array | string, where: string): readonly LabelledPage[] {
    const { pages, problems } = readLabels(Buffer.from(content));
    refuse(parentOf(where), problems);
    return pages;
}

/** The labels of a set of documents. @throws DataError with the problems of labels, classes and files. */
export function checkedLabels(source: string, options: CheckOptions) {
    const { labels, problems } = checkDocumentSet(options);
    refuse(source, problems);
    return labels.pages;
}

/** @throws DataError with the first kinds of problems and the number of the others. */
export function refuse(source: string, problems: readonly Problem[]): void {
    if (problems.length > 0) {
        const place = (file: string, line?: number) => placeOf(source === "" ? file : joinS3(source, file), line);
        const told = describeProblems(problems, place);
        const more = told.length > MAXIMUM_TOLD ? `; and ${told.length - MAXIMUM_TOLD} more` : "";
        throw new DataError(`${told.slice(0, MAXIMUM_TOLD).join("; ")}${more}; repair the documents`);
    }
}

function parentOf(address: string): string {
    return address.includes("/") ? address.slice(0, address.lastIndexOf("/")) : "";
}
