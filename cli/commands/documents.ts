import { existsSync } from "node:fs";
import { Command } from "commander";
import { EXIT, ToolError } from "../../ground/errors";
import { IMPORT } from "../../local/python";
import { runPython } from "../python";
import { TOOL } from "../terminal";

interface ImportOptions {
    readonly out: string;
    readonly labels?: string;
    readonly languages: string;
}

/** `ensemble documents`: what people have, as what the ensemble reads. */
export function documentsCommand(root: string): Command {
    return new Command("documents")
        .description("Make documents for the ensemble out of what people have.")
        .exitOverride()
        .addCommand(importCommand(root));
}

function importCommand(root: string): Command {
    return new Command("import")
        .description(
            "Read PDF, TIFF, JPEG and PNG: a stack a PDF or TIFF, or a folder of pictures. Text is the PDF's own, " +
                "that of a .txt beside a picture, or read by Tesseract where it is installed.",
        )
        .argument("<scans...>", "PDF, TIFF, JPEG or PNG, or folders of them")
        .requiredOption("--out <folder>", "what to write, new or empty: text/, images/, sources.csv, labels.csv")
        .option("--labels <csv>", "a line a document, `stack, 1-4, purchase_contract`; or a labels.csv")
        .option("--languages <names>", "what Tesseract reads, for example deu+eng", "eng")
        .addHelpText(
            "after",
            [
                "",
                "Examples:",
                `  ${TOOL} documents import scans --out documents --labels labels.csv`,
                `  ${TOOL} local --documents documents`,
                "",
                "A file that cannot be read is told in a line of its own, and nothing is written.",
                "Exit codes: 0 written, 1 a file or the labels cannot be used, 2 wrong arguments, 3 this machine, " +
                    "130 interrupted.",
            ].join("\n"),
        )
        .exitOverride()
        .action(async (source: readonly string[], options: ImportOptions) => {
            const labels = options.labels === undefined ? [] : [options.labels];
            const missing = [...source, ...labels].filter((file) => !existsSync(file));
            if (missing.length > 0) {
                throw new ToolError(missing.map((file) => `${file}: no such file or folder`).join("\n"), EXIT.usage);
            }
            const parameters = [
                ...source,
                "--out",
                options.out,
                "--languages",
                options.languages,
                ...labels.flatMap((file) => ["--labels", file]),
            ];
            process.exitCode = await runPython(root, IMPORT, parameters, (line) => process.stdout.write(`${line}\n`));
        });
}
