/** split: writes the folds of the training stacks, `folds.json`. */
import { joinS3 } from "../../ground/s3Address";
import { DataError } from "../common/errors";
import { number, required } from "./context";
import type { JobContext } from "./context";
import { makeFolds } from "./folds";
import { byStack, parseLabels } from "./labels";
import type { Page } from "./labels";
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
export async function readLabels(storage: Storage, where: string): Promise<Page[]> {
    const text = await storage.text(where);
    if (text === undefined) {
        throw new DataError(`${where} does not exist; run the fetch job, or correct preprocessed_data_path`);
    }
    const pages = parseLabels(text, where);
    const open = [...byStack(pages)].find(([, [first]]) => first.split === undefined);
    if (open !== undefined) {
        throw new DataError(
            `${where}: stack ${open[0]} has no split, expected train or test; run the fetch job ` +
                "(fetch_preprocessing_artifacts true)",
        );
    }
    const trained = new Set(pages.filter((page) => page.split === "train").map((page) => page.class));
    const unseen = pages.find((page) => !trained.has(page.class));
    if (unseen !== undefined) {
        throw new DataError(
            `${where}: class ${JSON.stringify(unseen.class)} occurs on test pages only (stack ${unseen.stack}), so ` +
                "no model can learn it; " +
                "put a stack with it into train",
        );
    }
    if (pages.every((page) => page.split === "train")) {
        throw new DataError(`${where}: no stack has split test, so nothing could be judged; hold some out`);
    }
    return pages;
}
