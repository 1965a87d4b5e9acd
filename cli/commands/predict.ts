import { existsSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { stringify } from "csv-stringify/sync";
import { EXIT, ToolError } from "../../ground/errors";
import { PREDICT } from "../../local/python";
import { PAGE_FILES } from "../../workloads/documents/pages";
import { runPython } from "../python";
import { TOOL } from "../terminal";

/** One line of workloads/training/predict. */
export interface StackPrediction {
    readonly stack: string;
    readonly pages: readonly {
        readonly page: number;
        readonly class: string;
        readonly probability: number;
        readonly begins_document: number;
        /** Of imported pages: which file it is from, and its place there. */
        readonly file?: string;
        readonly file_page?: number;
    }[];
    readonly segments: readonly {
        readonly first_page: number;
        readonly last_page: number;
        readonly class: string;
        readonly probability: number;
        readonly review?: boolean;
    }[];
}

interface Options {
    readonly model: string;
    readonly stack?: readonly string[];
    readonly reviewBelow: number;
    readonly unknownBelow: number;
    readonly languages: string;
    readonly out?: string;
    readonly json: boolean;
}

/** Documents that are less probable are marked, unless a bound is given. */
const REVIEW_BELOW = 0.9;

function probability(text: string): number {
    const value = Number(text);
    if (text.trim() === "" || !(value >= 0 && value <= 1)) {
        throw new InvalidArgumentError("expected a probability from 0 to 1");
    }
    return value;
}

/** `ensemble predict`: the documented way to use what was published; the work is done by workloads/training/predict. */
export function predictCommand(root: string): Command {
    return new Command("predict")
        .description(
            "Label stacks of pages with a published ensemble: every page's class, and which pages are one document.",
        )
        .requiredOption("--model <folder>", "what the publish step wrote, for example .local/runs/<run>/artifacts")
        .argument(
            "<sources...>",
            "a folder of documents (text/, images/); or PDF, TIFF, JPEG and PNG, or folders of them: a stack a PDF " +
                "or TIFF, or a folder of pictures, or the pictures that are named",
        )
        .option("--stack <name...>", "only these stacks")
        .option("--review-below <probability>", "mark documents that are less probable", probability, REVIEW_BELOW)
        .option("--unknown-below <probability>", "call documents that are less probable unknown", probability, 0)
        .option("--languages <names>", "what Tesseract reads where a page has no text, for example deu+eng", "eng")
        .option("--out <file>", "write the answers there: a table of documents (.csv), or a line of JSON a stack")
        .option("--json", "one line of JSON for each stack, with every page's class and probability", false)
        .addHelpText(
            "after",
            [
                "",
                "Examples:",
                `  ${TOOL} predict --model .local/runs/<run>/artifacts my-new-scans`,
                `  ${TOOL} predict --model .local/runs/<run>/artifacts post.pdf --out answers.csv`,
                `  ${TOOL} predict --model .local/runs/<run>/artifacts scan/*.png --json`,
                "",
                "Pictures are read in the order in which people count: 2.png before 10.png.",
                "ENSEMBLE_PYTHON names the Python with the trainings' packages. Default: .venv of the project.",
                "Exit codes: 0 labelled, 1 the model or a page cannot be used, 2 wrong arguments, 3 this machine, " +
                    "130 interrupted.",
            ].join("\n"),
        )
        .exitOverride()
        .action((sources: readonly string[], options: Options) => predict(root, sources, options));
}

async function predict(root: string, sources: readonly string[], options: Options): Promise<void> {
    if (!existsSync(options.model)) {
        throw new ToolError(`--model ${options.model}: no such folder`, EXIT.usage);
    }
    const missing = sources.filter((source) => !existsSync(source));
    if (missing.length > 0) {
        throw new ToolError(missing.map((source) => `${source}: no such file or folder`).join("\n"), EXIT.usage);
    }
    const answers: StackPrediction[] = [];
    const code = await runPython(root, PREDICT, parametersOf(sources, options), (line) => {
        const answer = JSON.parse(line) as StackPrediction;
        answers.push(answer);
        process.stdout.write(options.json ? `${line}\n` : predictionText(answer));
    });
    if (options.out !== undefined && code === EXIT.ok) {
        writeAnswers(options.out, answers);
    }
    process.exitCode = code;
}

function parametersOf(sources: readonly string[], options: Options): string[] {
    const ready = sources.length === 1 && Object.keys(PAGE_FILES).some((kind) => isFolder(path.join(sources[0], kind)));
    return [
        options.model,
        ...(options.stack ?? []).flatMap((stack) => ["--stack", stack]),
        "--review-below",
        String(options.reviewBelow),
        "--unknown-below",
        String(options.unknownBelow),
        "--languages",
        options.languages,
        ...(ready ? ["--documents", sources[0]] : sources.flatMap((source) => ["--source", source])),
    ];
}

function isFolder(file: string): boolean {
    return existsSync(file) && statSync(file).isDirectory();
}

/** Whole or not at all: a file that is there already stays until all is written. */
function writeAnswers(file: string, answers: readonly StackPrediction[]): void {
    const written = `${file}.part`;
    writeFileSync(
        written,
        file.toLowerCase().endsWith(".csv")
            ? tableOf(answers)
            : answers.map((answer) => `${JSON.stringify(answer)}\n`).join(""),
    );
    renameSync(written, file);
    process.stderr.write(`${file}: ${answers.length} stacks\n`);
}

/** A row a document. */
export function tableOf(answers: readonly StackPrediction[]): string {
    const rows = answers.flatMap(({ stack, pages, segments }) =>
        segments.map(({ first_page: first, last_page: last, class: name, probability: sure, review }) => [
            stack,
            first,
            last,
            name,
            sure,
            review === true ? "review" : "",
            pages[first - 1]?.file ?? "",
        ]),
    );
    return stringify([["stack", "first_page", "last_page", "class", "probability", "review", "file"], ...rows]);
}

/** `pages 1-4: purchase contract, 0.97`, a line for each document of a stack; what is not sure is marked. */
export function predictionText({ stack, pages, segments }: StackPrediction): string {
    const lines = segments.map(({ first_page: first, last_page: last, class: name, probability: sure, review }) => {
        const range = first === last ? `page ${first}` : `pages ${first}-${last}`;
        const files = filesOf(pages[first - 1], pages[last - 1]);
        const mark = review === true ? "  <- review" : "";
        return `  ${range}${files}: ${name.replaceAll("_", " ")}, ${sure.toFixed(2)}${mark}`;
    });
    return [stack, ...lines, ""].join("\n");
}

/** Which files a document's pages are from, where its pages are files of their own. */
function filesOf(first?: StackPrediction["pages"][number], last?: StackPrediction["pages"][number]): string {
    if (first?.file === undefined || last?.file === undefined) {
        return "";
    }
    const [from, to] = [path.basename(first.file), path.basename(last.file)];
    return from === to ? ` (${from})` : ` (${from} to ${to})`;
}
