/** split: writes the folds of the training stacks, `folds.json`. */
import { joinS3, parentOfS3 } from "../../ground/s3Address";
import { DataError } from "../common/errors";
import { number, required } from "./context";
import type { JobContext } from "./context";
import { makeFolds } from "./folds";
import { checkClasses } from "../documents/classes";
import { LABELS, type LabelledPage } from "../documents/labels";
import type { Problem } from "../documents/problems";
import { parseLabels, refuse } from "./labels";
import type { Storage } from "../common/storage";

export async function split({ parameters, storage, print }: JobContext): Promise<void> {
    const k = number(
        parameters,
        "K_FOLDS",
        "a whole number from 2 to 100",
        (value) => Number.isInteger(value) && value >= 2 && value <= 100,
    );
    const seed = number(parameters, "SEED", "a whole number", Number.isSafeInteger);
    const where = joinS3(required(parameters, "INPUT_PATH"), "labels.csv");
    const folds = makeFolds(await readLabels(storage, where), k, seed, where);
    await storage.putJson(joinS3(required(parameters, "OUTPUT_PATH"), "folds.json"), folds);
    print(`${Object.keys(folds.folds).length} training stacks in ${k} folds (seed ${seed})`);
}

/** Labels as the fetch job leaves them: every stack has its split, and both sides have stacks. */
export async function readLabels(storage: Storage, where: string): Promise<readonly LabelledPage[]> {
    const content = await storage.bytes(where);
    if (content === undefined) {
        throw new DataError(`${where} does not exist; run the fetch job, or correct preprocessed_data_path`);
    }
    const pages = parseLabels(content, where);
    const unsplit = pages.filter(({ page, split }) => page === 1 && split === undefined);
    const open = unsplit.map(({ stack, line }): Problem => ({
        code: "split-open",
        file: LABELS,
        line,
        values: { stack },
    }));
    refuse(parentOfS3(where), open.length > 0 ? open : checkClasses(pages, 1));
    return pages;
}
