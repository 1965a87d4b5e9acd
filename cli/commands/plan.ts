import { existsSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { toMermaid } from "../../asl/drawing";
import { EXIT, ToolError } from "../../ground/errors";
import { settingsOfStack } from "../../ground/perStack";
import { strictestBudget } from "../../pricing/bill";
import { loadPrices } from "../../pricing/prices";
import { describeProblem } from "../../workflow/input";
import { settingsOf } from "../aws/executions";
import { completed, planOf } from "../plan/plan";
import { planHtml, planText, workflowSvg } from "../plan/render";
import { reuseOf } from "../plan/reuse";
import { type EvaluatedStage, projectName } from "../../project/evaluate";
import { evaluated, guarded, readJson, stageFacts, writeText } from "../support";

interface Options {
    readonly stack: string;
    readonly input?: string;
    readonly prices?: string;
    readonly budget?: number;
    readonly region?: string;
    readonly endpoint?: string;
    readonly json: boolean;
    readonly mermaid: boolean;
    readonly svg?: string;
    readonly html?: string;
}

/** The rule that refuses a preview above the budget; its parameter is the stage's budget. */
const BUDGET_RULE = "run-within-budget";

export function planCommand(root: string): Command {
    return new Command("plan")
        .description(
            "Show before anything runs: the workflow, its worst-case and expected price, longest duration, the " +
                "quotas it needs, what is reused.",
        )
        .option("--stack <stage>", "the stage whose Pulumi.<stage>.yaml is evaluated", "dev")
        .option(
            "--input <file>",
            "an execution input (JSON): what it changes and, with credentials, what would be reused",
        )
        .option(
            "--prices <file>",
            "another price file than the project's prices.json (ensemble prices update), else the bundled one",
        )
        .option(
            "--budget <usd>",
            `US dollars a run may cost (default: the stage's budget, or ${BUDGET_RULE} in policy/config.json)`,
            dollars,
        )
        .option("--region <region>", "of the deployed stage (default: the stage's)")
        .option("--endpoint <url>", "of Step Functions (default: AWS's)")
        .option("--json", "for machines", false)
        .option("--mermaid", "only the workflow, as a Mermaid flowchart", false)
        .option("--svg <file>", "write the workflow as SVG")
        .option("--html <file>", "write the plan as one HTML file")
        .addHelpText(
            "after",
            [
                "",
                "Examples:",
                "  npx ensemble plan --stack prod",
                "  npx ensemble plan --stack prod --input input.json --html plan.html",
                "  npx ensemble plan --mermaid > workflow.mmd",
                "",
                "Exit codes: 0 planned, 1 the worst case exceeds the budget, 2 wrong arguments, input or " +
                    "configuration.",
            ]
                .join("\n")
                .replaceAll("npx ensemble", "npm run --silent ensemble --"),
        )
        .exitOverride()
        .action((options: Options) => guarded("make a plan", () => plan(root, options)));
}

/**
 * The stage in the account whose bucket the input names: a plan needs no credentials, so the input is what it knows the
 * account from. Without such an address it is the made-up one.
 */
async function stageOf(stack: string, raw: unknown): Promise<EvaluatedStage> {
    const stage = await evaluated(stack);
    const { artifactBase } = settingsOf(stage.stateMachine.definition, stage.stateMachine.name);
    const account = accountOf(raw, artifactBase, stage.identity.account);
    if (account === undefined) {
        return stage;
    }
    process.stderr.write(`The input names the stage's bucket in account ${account}: planned for that account.\n`);
    return evaluated(stack, account);
}

/**
 * Whose account an input is for: the one in the name of the stage's own bucket, where the input has that.
 *
 * @param base the bucket's address in the account `assumed`
 */
export function accountOf(input: unknown, base: string, assumed: string): string | undefined {
    const [before, after] = base.split(assumed);
    if (after === undefined) {
        return undefined;
    }
    const escaped = [before, after].map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const found = new RegExp(`"${escaped[0]}(\\d{12})${escaped[1]}[/"]`).exec(JSON.stringify(input ?? null))?.[1];
    return found === assumed ? undefined : found;
}

async function plan(root: string, options: Options): Promise<void> {
    const raw = options.input === undefined ? undefined : readJson(options.input, "--input");
    const stage = await stageOf(options.stack, raw);
    const { definition, name } = stage.stateMachine;
    if (options.mermaid) {
        process.stdout.write(toMermaid(definition));
        return;
    }
    const settings = settingsOf(definition, name);
    const { config } = await stageFacts(options.stack);
    const { input, problems } = raw === undefined ? { input: undefined, problems: [] } : completed(raw, settings);
    if (problems.length > 0) {
        throw new ToolError(
            [
                `--input ${options.input}: ${problems.length} problem${problems.length === 1 ? "" : "s"}:`,
                ...problems.map((problem) => `  ${describeProblem(problem)}`),
            ].join("\n"),
            EXIT.usage,
        );
    }
    const result = planOf({
        evaluated: stage,
        settings,
        prices: pricesOf(root, options.prices),
        today: new Date(),
        input,
        budget: options.budget ?? strictestBudget(budgetOf(root, options.stack), settings.budget),
        reuse:
            raw === undefined
                ? { lines: ["depends on the data and the hyperparameters of a run: give --input"], trainings: {} }
                : await reuseOf({
                      stateMachine: name,
                      region: options.region ?? stage.identity.region,
                      endpoint: options.endpoint,
                      input: raw,
                  }),
        expectedHours: Object.fromEntries(
            Object.entries(config?.models ?? {}).map(([model, { expectedHours }]) => [model, expectedHours]),
        ),
        retention: retentionOf(stage),
    });
    if (options.svg !== undefined) {
        writeText(options.svg, await workflowSvg(definition), "--svg");
    }
    if (options.html !== undefined) {
        writeText(options.html, await planHtml(result, definition), "--html");
    }
    process.stdout.write(`${options.json ? JSON.stringify(result, null, 2) : planText(result, definition)}\n`);
    process.exitCode = result.budget?.verdict === "exceeded" ? EXIT.failed : EXIT.ok;
}

/** Days until a run's copies and checkpoints expire, as the stage's bucket has it. */
function retentionOf({ resources }: EvaluatedStage): { readonly runDays: number; readonly checkpointDays: number } {
    const type = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
    const rules = resources
        .filter((resource) => resource.type === type)
        .flatMap(
            ({ inputs }) => inputs.rules as { readonly id: string; readonly expiration?: { readonly days?: number } }[],
        );
    const days = (id: string) => rules.find((rule) => rule.id === id)?.expiration?.days ?? 0;
    return { runDays: days("runs"), checkpointDays: days("checkpoints") };
}

function pricesOf(root: string, file: string | undefined) {
    try {
        return loadPrices(file, root);
    } catch (error) {
        throw new ToolError((error as Error).message, EXIT.usage);
    }
}

/** The budget that a preview of the stage is held to, so that plan and preview cannot disagree. */
function budgetOf(root: string, stage: string): number | undefined {
    const file = path.join(root, "policy/config.json");
    if (!existsSync(file)) {
        return undefined;
    }
    const rule = (readJson(file, "the policy configuration") as Readonly<Record<string, unknown>>)[BUDGET_RULE];
    const settings = typeof rule === "object" && rule !== null ? (rule as Readonly<Record<string, unknown>>) : {};
    const limit = settingsOfStack(settings, projectName(), stage).dollars;
    return typeof limit === "number" && limit > 0 ? limit : undefined;
}

function dollars(text: string): number {
    const value = Number(text);
    if (!Number.isFinite(value) || value <= 0) {
        throw new ToolError(`--budget ${text}: a number of US dollars above 0 is expected`, EXIT.usage);
    }
    return value;
}
