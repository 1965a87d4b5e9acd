/** Writes workloads/training/common/schema.json: the tables of hyperparameters, as the training scripts read them. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { EVERY_JOB, HYPERPARAMETERS, SCRIPT_MODE } from "../workflow/hyperparameters";

export const hyperparametersFile = path.resolve(__dirname, "../workloads/training/common/schema.json");

/** The file's text; what every job gets, and what the toolkit reads, is no model's. */
export function hyperparametersText(): string {
    const models = Object.entries(HYPERPARAMETERS).map(([model, table]) => {
        const own = Object.entries(table).filter(([name]) => !(name in EVERY_JOB) && !(name in SCRIPT_MODE));
        return [model, Object.fromEntries(own)] as const;
    });
    return `${JSON.stringify(Object.fromEntries(models), null, 4)}\n`;
}

if (require.main === module) {
    writeFileSync(hyperparametersFile, hyperparametersText());
}
