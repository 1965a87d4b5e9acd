/** `report`: a local run or an execution on AWS as one HTML file. Both go through `reportOf`. */
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { EXIT, ToolError } from "../../ground/errors";
import { readRun } from "../../local/run/evidence";
import { Progress } from "../../local/run/progress";
import { loadPrices } from "../../pricing/prices";
import { bucketReader, type ArtefactReader } from "../../report/artefacts";
import { maximumPages, reportOf, type ExecutionFacts } from "../../report/execution";
import { renderReport } from "../../report/html";
import { createS3, Storage } from "../../workloads/common/storage";
import { clientsAt } from "../aws/clients";
import { findExecution, findStage } from "../aws/executions";
import { factsOf } from "../aws/facts";
import { guarded, stageFacts, writeText } from "../support";

interface Options {
    readonly run?: string;
    readonly stack: string;
    readonly out?: string;
    readonly pages?: number;
    readonly region?: string;
    readonly endpoint?: string;
    readonly prices?: string;
}

/** Pages of the bundled sample are nobody's data: so many are shown without being asked for. */
const SAMPLE_PAGES = 12;

type Writing = Pick<Options, "pages" | "prices"> & {
    readonly out: string;
    readonly signal?: AbortSignal;
    readonly progress?: Progress;
};

/** Draws and writes; the file is there whole or not at all. */
async function write(facts: ExecutionFacts, reader: ArtefactReader, options: Writing): Promise<string> {
    const { out, pages = 0, prices, signal, progress } = options;
    const reading = progress?.begin("Artefacts");
    const data = await reportOf(facts, reader, { pages, prices: loadPrices(prices), today: new Date(), signal });
    reading?.end(
        "done",
        data.missing.length === 0 ? undefined : `${data.missing.length} missing, the report says which`,
    );
    const drawing = progress?.begin("Drawing");
    const html = await renderReport(data);
    signal?.throwIfAborted();
    writeText(out, html, "--out");
    drawing?.end("done", `${Math.ceil(html.length / 1024)} KB`);
    return out;
}

/** Writes the report of a local run; its path comes back. */
export async function writeReport(run: string, options: Partial<Writing> = {}): Promise<string> {
    const { facts, reader, sample } = readRun(run);
    return write(facts, reader, {
        ...options,
        out: options.out ?? path.join(run, "report.html"),
        pages: options.pages ?? (sample ? SAMPLE_PAGES : 0),
    });
}

export function reportCommand(): Command {
    return new Command("report")
        .description(
            "Write the report of an execution on AWS, or of a local run, as one HTML file that needs no network.",
        )
        .argument("[execution]", "name or ARN (default: the newest of the stage)")
        .option("--stack <stage>", "the deployed stage", "dev")
        .option("--run <folder>", "a local run instead: a folder of .local/runs")
        .option("-o, --out <file>", "default: report-<execution>.html here; of a local run report.html in its folder")
        .option(
            "--pages <number>",
            "wrongly read pages to show with their picture; pages may hold personal data " +
                `(default: 0, of the bundled sample ${SAMPLE_PAGES}; at most ${maximumPages})`,
            pageCount,
        )
        .option("--prices <file>", "another price file than the bundled one")
        .option("--region <region>", "AWS region (default: the stage's)")
        .option("--endpoint <url>", "of Step Functions (default: AWS's); AWS_ENDPOINT_URL_S3 is S3's")
        .addHelpText(
            "after",
            [
                "",
                "Examples:",
                "  npx ensemble report --stack prod nightly-7 --out report.html",
                "  npx ensemble report --stack prod --pages 8",
                "  npx ensemble report --run .local/runs/20261123-211743",
                "",
                "Exit codes: 0 written, whatever became of the execution, 2 wrong arguments or nothing to report on,",
                "3 credentials, region or network, 130 interrupted: no file is written then.",
            ]
                .join("\n")
                .replaceAll("npx ensemble", "npm run --silent ensemble --"),
        )
        .exitOverride()
        .action((execution: string | undefined, options: Options) =>
            guarded("write the report", () => report(execution, options)),
        );
}

async function report(execution: string | undefined, options: Options): Promise<void> {
    if (options.run !== undefined && execution !== undefined) {
        throw new ToolError(
            `--run ${options.run} is a local run and ${execution} an execution on AWS: give one of them`,
            EXIT.usage,
        );
    }
    if (options.out !== undefined) {
        checkWritable(options.out);
    }
    const abort = new AbortController();
    const interrupt = (): void => abort.abort(new ToolError("Interrupted: no report was written.", EXIT.interrupted));
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    const progress = new Progress(process.stderr);
    try {
        const common = {
            out: options.out,
            pages: options.pages,
            prices: options.prices,
            signal: abort.signal,
            progress,
        };
        const written =
            options.run !== undefined
                ? await writeReport(options.run, common)
                : await ofExecution(execution, options, common);
        process.stdout.write(`${written}\n`);
    } catch (error) {
        throw abort.signal.aborted ? abort.signal.reason : error;
    } finally {
        progress.close();
        process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    }
}

async function ofExecution(execution: string | undefined, options: Options, common: Partial<Writing>): Promise<string> {
    const { stateMachine, region: configured } = await stageFacts(options.stack);
    const region = options.region ?? configured;
    const clients = clientsAt(region, options.endpoint);
    const client = clients.executions;
    const s3 = createS3({ region });
    try {
        const describing = common.progress?.begin(`History of ${execution ?? "the newest execution"}`);
        const stage = await findStage(client, stateMachine);
        const facts = await factsOf(
            client,
            stage,
            await findExecution(client, stage, execution),
            new Date(),
            common.signal,
        );
        describing?.end("done", `${facts.status}, ${facts.events.length} events`);
        const out = common.out ?? `report-${facts.name.replace(/[^A-Za-z0-9_.-]+/g, "-")}.html`;
        checkWritable(out);
        return await write(facts, bucketReader(new Storage(s3, common.signal)), { ...common, out });
    } finally {
        clients.destroy();
        s3.destroy();
    }
}

/** Before any work is done for it. */
function checkWritable(file: string): void {
    const folder = path.dirname(path.resolve(file));
    try {
        accessSync(folder, constants.W_OK | constants.X_OK);
    } catch (error) {
        const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
        throw new ToolError(
            `--out ${file}: ${missing ? `there is no folder ${folder}` : `${folder} cannot be written to: ${(error as Error).message}`}`,
            EXIT.usage,
        );
    }
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
        throw new ToolError(`--out ${file}: it is a folder, a file is expected`, EXIT.usage);
    }
}

function pageCount(text: string): number {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > maximumPages) {
        throw new InvalidArgumentError(`A whole number from 0 to ${maximumPages} is expected.`);
    }
    return value;
}
