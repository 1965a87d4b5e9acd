import path from "node:path";
import { Command } from "commander";
import { EXIT, LocalError } from "../../local/errors";
import { renderReport } from "../../report/html";
import { NoRun, reportOfRun } from "../../report/localRun";
import { guarded, writeText } from "../support";

/** Writes the report of a local run; its path comes back. */
export async function writeReport(run: string, file: string = path.join(run, "report.html")): Promise<string> {
    try {
        writeText(file, await renderReport(reportOfRun(run)), "-o");
        return file;
    } catch (error) {
        throw error instanceof NoRun ? new LocalError(error.message, EXIT.usage) : error;
    }
}

export function reportCommand(): Command {
    return new Command("report")
        .description("Draw the report of a local run again: one HTML file that needs no network.")
        .requiredOption("--run <folder>", "a folder of .local/runs")
        .option("-o, --output <file>", "default: report.html in that folder")
        .addHelpText("after", "\nExample:\n  npm run --silent ensemble -- report --run .local/runs/20261123-211743 -o report.html")
        .exitOverride()
        .action(({ run, output }: { readonly run: string; readonly output?: string }) => guarded("write the report", async () => {
            process.stdout.write(`${await writeReport(run, output)}\n`);
        }));
}
