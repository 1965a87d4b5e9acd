import { existsSync } from "node:fs";
import path from "node:path";
import { ToolError } from "../ground/errors";

/** The prediction's program: beside the trainings, in the checkout as in the package. */
export const PREDICT = path.resolve(__dirname, "../workloads/training/predict/predict.py");

/** What makes documents out of PDF, TIFF, JPEG and PNG: beside it, as predictions read the same sources. */
export const IMPORT = path.resolve(__dirname, "../workloads/training/predict/import_documents.py");

/**
 * The Python that trainings and predictions run in: the given one, ENSEMBLE_PYTHON, or the project's .venv, in this
 * order. A name without a folder is looked up on the path by who starts it.
 * @param root Folder of the project.
 * @throws ToolError where a path leads nowhere, with how to get one.
 */
export function pythonOf(root: string, given?: string): string {
    const found = given ?? (process.env.ENSEMBLE_PYTHON || path.join(root, ".venv", "bin", "python"));
    if (found.includes(path.sep) && !existsSync(found)) {
        throw new ToolError(
            `${found} is missing: make a Python environment there with the trainings' packages and moto[s3,server] ` +
                "(python3 -m venv .venv), or name one, ENSEMBLE_PYTHON=/path/to/python.",
        );
    }
    return found;
}
