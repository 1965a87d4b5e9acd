import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { Command } from "commander";
import { EXIT, ToolError } from "../../ground/errors";
import { PREDICT, pythonOf } from "../../local/python";
import { TOOL } from "../terminal";

/** One line of workloads/training/predict. */
export interface StackPrediction {
    readonly stack: string;
    readonly pages: readonly {
        readonly page: number;
        readonly class: string;
        readonly probability: number;
        readonly begins_document: number;
    }[];
    readonly segments: readonly {
        readonly first_page: number;
        readonly last_page: number;
        readonly class: string;
        readonly probability: number;
    }[];
}

interface Options {
    readonly model: string;
    readonly stack?: readonly string[];
    readonly json: boolean;
}

/** `ensemble predict`: the documented way to use what was published; the work is done by workloads/training/predict. */
export function predictCommand(root: string): Command {
    return new Command("predict")
        .description(
            "Label stacks of pages with a published ensemble: every page's class, and which pages are one document.",
        )
        .requiredOption("--model <folder>", "what the publish step wrote, for example .local/runs/<run>/artifacts")
        .argument(
            "<pages...>",
            "a folder with text/<stack>/<page>.txt and images/<stack>/<page>.png; or the pages of one stack in their " +
                "order, " +
                "as PNG with the text that was read in a .txt beside each",
        )
        .option("--stack <name...>", "only these stacks of the folder")
        .option("--json", "one line of JSON for each stack, with every page's class and probability", false)
        .addHelpText(
            "after",
            [
                "",
                "Examples:",
                `  ${TOOL} predict --model .local/runs/<run>/artifacts my-new-scans`,
                `  ${TOOL} predict --model .local/runs/<run>/artifacts scan/1.png scan/2.png scan/3.png --json`,
                "",
                "ENSEMBLE_PYTHON names the Python with the trainings' packages. Default: .venv of the project.",
                "Exit codes: 0 labelled, 1 the model or a page cannot be used, 2 wrong arguments, 3 this machine, " +
                    "130 interrupted.",
            ].join("\n"),
        )
        .exitOverride()
        .action((pages: readonly string[], options: Options) => predict(root, pages, options));
}

async function predict(root: string, pages: readonly string[], options: Options): Promise<void> {
    if (!existsSync(options.model)) {
        throw new ToolError(`--model ${options.model}: no such folder`, EXIT.usage);
    }
    const folder = pages.length === 1 && isFolder(pages[0]);
    const documents = folder ? pages[0] : stackOf(pages, options);
    try {
        await label(root, documents, options);
    } finally {
        if (!folder) {
            rmSync(documents, { recursive: true, force: true });
        }
    }
}

/** A folder with the given pages as its one stack; its caller removes it. */
function stackOf(pages: readonly string[], { stack }: Options): string {
    const problems = pages.flatMap((page) =>
        !page.toLowerCase().endsWith(".png")
            ? [notAPage(page)]
            : [page, textOf(page)].filter((file) => !existsSync(file)).map((file) => `${file}: no such file`),
    );
    if (stack !== undefined) {
        problems.push("--stack: only with a folder");
    }
    if (problems.length > 0) {
        throw new ToolError(problems.join("\n"), EXIT.usage);
    }
    const directory = mkdtempSync(path.join(tmpdir(), "ensemble-pages-"));
    for (const [index, page] of pages.entries()) {
        for (const [kind, file, suffix] of [
            ["images", page, "png"],
            ["text", textOf(page), "txt"],
        ]) {
            const target = path.join(directory, kind, "pages");
            mkdirSync(target, { recursive: true });
            copyFileSync(file, path.join(target, `${String(index + 1).padStart(3, "0")}.${suffix}`));
        }
    }
    return directory;
}

function isFolder(file: string): boolean {
    return existsSync(file) && statSync(file).isDirectory();
}

function notAPage(file: string): string {
    return isFolder(file)
        ? `${file}: a folder, beside other pages; give one folder alone, or the pages of one stack as PNG`
        : existsSync(file)
          ? `${file}: no page; expected a PNG (with its text in a .txt beside it) or one folder of stacks`
          : `${file}: no such file or folder`;
}

function textOf(page: string): string {
    return `${page.slice(0, -path.extname(page).length)}.txt`;
}

async function label(root: string, documents: string, { model, stack, json }: Options): Promise<void> {
    const child = spawn(
        pythonOf(root),
        [PREDICT, model, "--documents", documents, ...(stack === undefined ? [] : ["--stack", ...stack])],
        { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3" } },
    );
    createInterface({ input: child.stdout }).on("line", (line) =>
        process.stdout.write(json ? `${line}\n` : predictionText(JSON.parse(line) as StackPrediction)),
    );
    process.exitCode = await new Promise<number>((resolve, reject) => {
        child.once("error", (error) =>
            reject(new ToolError(`predict cannot be started: ${error.message}; ENSEMBLE_PYTHON names its Python.`)),
        );
        child.once("close", (code, signal) => resolve(signal === null ? (code ?? EXIT.failed) : EXIT.interrupted));
    });
}

/** `pages 1-4: purchase contract, 0.97`, a line for each document of a stack. */
export function predictionText({ stack, segments }: StackPrediction): string {
    return [
        stack,
        ...segments.map(
            ({ first_page: first, last_page: last, class: name, probability }) =>
                `  ${first === last ? `page ${first}` : `pages ${first}-${last}`}: ${name.replaceAll("_", " ")}, ` +
                `${probability.toFixed(2)}`,
        ),
        "",
    ].join("\n");
}
