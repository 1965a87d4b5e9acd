/** `prices update`: the prices that plan, policy and report reckon with, from AWS's Price List. */
import { existsSync } from "node:fs";
import path from "node:path";
import Table from "cli-table3";
import { Command } from "commander";
import { EXIT, ToolError } from "../../ground/errors";
import {
    priceChanges,
    PriceListError,
    readPriceList,
    type PriceChange,
    type PriceListAnswer,
} from "../../pricing/priceList";
import { bundledPrices, loadPrices, PROJECT_PRICES, type PriceFile } from "../../pricing/prices";
import { guarded, regionOf, writeText } from "../support";

interface Options {
    readonly region?: readonly string[];
    readonly stack?: string;
    readonly out?: string;
    readonly endpoint?: string;
    readonly fewer: boolean;
    readonly json: boolean;
}

export function pricesCommand(root: string): Command {
    const update = new Command("update")
        .description(
            "Write the prices of a region, dated and each with its source, from AWS's Price List (needs credentials: " +
                "pricing:GetProducts).",
        )
        .option("--region <region...>", "one or several regions; the file holds exactly these")
        .option("--stack <stage>", "the region of this stage (default without both: AWS_REGION)")
        .option(
            "--out <file>",
            `where to write (default: ${PROJECT_PRICES} beside Pulumi.yaml, where plan, policy pack and ` +
                "report find it)",
        )
        .option("--endpoint <url>", "of the Price List API (default: AWS's nearest)")
        .option("--fewer", "write the file even where it has fewer prices than the one there", false)
        .option("--json", "for machines", false)
        .addHelpText(
            "after",
            [
                "",
                "Examples:",
                "  npm run --silent ensemble -- prices update --stack prod",
                "  npm run --silent ensemble -- prices update --region eu-central-1 us-east-1",
                "",
                "Exit codes: 0 written, 2 wrong arguments or a file that would lose prices, 3 AWS (credentials, " +
                    "region, network), 130 interrupted.",
            ].join("\n"),
        )
        .exitOverride()
        .action((options: Options) => guarded("read AWS's prices", () => updatePrices(root, options)));
    return new Command("prices")
        .description("The prices that plan, policy pack and report reckon with.")
        .exitOverride()
        .addCommand(update);
}

async function updatePrices(root: string, options: Options): Promise<void> {
    const regions = regionsOf(options);
    const out = options.out ?? path.join(root, PROJECT_PRICES);
    if (!existsSync(path.dirname(path.resolve(out)))) {
        throw new ToolError(`--out ${out}: there is no folder ${path.dirname(path.resolve(out))}`, EXIT.usage);
    }
    const old = existsSync(out) ? oldPrices(out) : undefined;
    const now = new Date();
    const answer = await asked(regions, options, now);
    const file: PriceFile = {
        format: 1,
        asOf: now.toISOString().slice(0, 10),
        currency: "USD",
        sources: answer.sources,
        prices: answer.prices,
    };
    const gone = priceChanges(old?.prices ?? [], file.prices).filter(({ after }) => after === undefined);
    if (old !== undefined && !options.fewer && gone.length > 0 && file.prices.length < old.prices.length) {
        const lost = gone.map(({ item, region }) => `${item} in ${region}`);
        throw new ToolError(
            `${out} holds ${old.prices.length} prices, the new file would hold ${file.prices.length}: nothing was ` +
                "written. It would lose " +
                `${lost.slice(0, 5).join(", ")}${lost.length > 5 ? ` and ${lost.length - 5} more` : ""}. Name their ` +
                "regions, too, or add --fewer.",
            EXIT.usage,
        );
    }
    writeText(out, `${JSON.stringify(file, null, 2)}\n`, "--out");
    const changes = priceChanges(
        (old ?? bundledPrices().file).prices,
        file.prices,
        old === undefined ? regions : undefined,
    );
    const than = old === undefined ? "the bundled prices" : `the file of ${old.asOf}`;
    process.stdout.write(
        options.json
            ? `${JSON.stringify({ file: out, asOf: file.asOf, prices: file.prices.length, comparedWith: than, changes, notes: answer.notes }, null, 2)}\n`
            : `${told(out, file, changes, than, answer.notes)}\n`,
    );
}

function regionsOf({ region, stack }: Options): readonly string[] {
    if (region !== undefined && stack !== undefined) {
        throw new ToolError("--region and --stack say the same thing: give one of them", EXIT.usage);
    }
    const fallback = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
    const regions =
        region ??
        (stack !== undefined ? [regionOf(stack)] : fallback !== undefined && fallback !== "" ? [fallback] : []);
    if (regions.length === 0) {
        throw new ToolError(
            "No region is given: name one with --region, a stage with --stack, or set AWS_REGION.",
            EXIT.usage,
        );
    }
    const wrong = regions.find((name) => !/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(name));
    if (wrong !== undefined) {
        throw new ToolError(`--region ${wrong}: the name of a region is expected, such as eu-central-1`, EXIT.usage);
    }
    return [...new Set(regions)];
}

function oldPrices(file: string): PriceFile {
    try {
        return loadPrices(file).file;
    } catch (error) {
        throw new ToolError(`${(error as Error).message}\nMove it away, then run this again.`, EXIT.usage);
    }
}

/** Asks with a line of progress on a terminal; Ctrl-C ends the asking before anything is written. */
async function asked(regions: readonly string[], { endpoint }: Options, now: Date): Promise<PriceListAnswer> {
    const abort = new AbortController();
    const interrupt = (): void => abort.abort();
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    const { isTTY } = process.stderr;
    let last = "";
    try {
        return await readPriceList({
            regions,
            endpoint,
            now,
            signal: abort.signal,
            onPage: ({ service, region, products, prices }) => {
                const what = `${service} in ${region}`;
                const line = `${what}: ${products} products read, ${prices} prices`;
                // without a terminal one line a service is enough
                process.stderr.write(
                    isTTY
                        ? `${what === last || last === "" ? "\r\u001b[K" : "\n"}${line}`
                        : what === last
                          ? ""
                          : `reading ${what}\n`,
                );
                last = what;
            },
        });
    } catch (error) {
        if (abort.signal.aborted) {
            throw new ToolError("Interrupted: nothing was written.", EXIT.interrupted);
        }
        throw error instanceof PriceListError ? new ToolError(error.message, EXIT.usage) : error;
    } finally {
        process.stderr.write(isTTY && last !== "" ? "\n" : "");
        process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    }
}

function told(
    out: string,
    file: PriceFile,
    changes: readonly PriceChange[],
    than: string,
    notes: readonly string[],
): string {
    const table = new Table({ head: ["item", "region", "before (USD)", "now (USD)"], style: { head: [], border: [] } });
    table.push(
        ...changes.map(({ item, region, before, after }) => [
            item,
            region,
            before === undefined ? "-" : String(before),
            after === undefined ? "gone" : String(after),
        ]),
    );
    return [
        `${out}: ${file.prices.length} prices of ${file.asOf}`,
        ...(changes.length === 0
            ? [`No price differs from ${than}.`]
            : [`What differs from ${than}:`, table.toString()]),
        ...notes.map((note) => `note: ${note}`),
    ].join("\n");
}
