/** `prune`: removes what nothing points at any more from where a stage keeps its ensembles and models. */
import { DescribeStateMachineForExecutionCommand, paginateListExecutions, type SFNClient } from "@aws-sdk/client-sfn";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { Command, InvalidArgumentError } from "commander";
import { count, formatBytes } from "../../ground/quantity";
import { EXIT, ToolError } from "../../ground/errors";
import { Progress } from "../../local/run/progress";
import { createS3, Storage } from "../../workloads/common/storage";
import { clientsAt } from "../aws/clients";
import { findStage, type DeployedStage } from "../aws/executions";
import { registeredAddresses, registryGroupOf } from "../aws/registry";
import { findGarbage, removeGarbage, type Found, type Garbage, type PruneOptions, type Removed } from "../prune/prune";
import type { Outside } from "../prune/references";
import { guarded, stageFacts } from "../support";
import { onInterrupt, TOOL } from "../terminal";

const DAY_SECONDS = 86_400;

interface Options {
    readonly stack: string;
    readonly target?: string;
    readonly keep: number;
    readonly days: number;
    readonly yes: boolean;
    readonly json: boolean;
    readonly region?: string;
    readonly endpoint?: string;
}

export function pruneCommand(): Command {
    return new Command("prune")
        .description(
            "Remove published ensembles, models and source archives that nothing points at any more. " +
                "Without --yes it only says what it would remove.",
        )
        .option("--stack <stage>", "the deployed stage", "dev")
        .option("--target <uri>", "where executions wrote (default: the stage's own bucket)")
        .option("--keep <number>", "so many of the newest published ensembles stay in any case", whole, 10)
        .option("--days <number>", "what is younger stays; not below the longest execution", whole, 30)
        .option("--yes", "remove it", false)
        .option("--json", "for machines: one JSON value on standard output, progress on standard error", false)
        .option("--region <region>", "AWS region (default: the stage's)")
        .option("--endpoint <url>", "of Step Functions (default: AWS's); AWS_ENDPOINT_URL_S3 is S3's")
        .addHelpText(
            "after",
            [
                "",
                "What stays: the ensemble that published/latest.json points at, those of the model registry, the",
                "newest ones, the models that these are made of, whatever an execution used whose own folder is still",
                "there, and what running executions write or call. Removed objects can be brought back for",
                "retention.noncurrentDays, as older versions of the bucket.",
                "",
                "Examples:",
                `  ${TOOL} prune --stack prod`,
                `  ${TOOL} prune --stack prod --keep 20 --yes`,
                "",
                "Exit codes: 0 done, or nothing to do, 2 wrong arguments or stage, 3 credentials, region or network,",
                "130 interrupted: what was removed by then stays removed, nothing half-removed counts as whole.",
            ].join("\n"),
        )
        .exitOverride()
        .action((options: Options) => guarded("prune", () => prune(options)));
}

async function prune(options: Options): Promise<void> {
    const { stateMachine, region: configured } = await stageFacts(options.stack);
    const region = options.region ?? configured;
    const clients = clientsAt(region, options.endpoint);
    const sagemaker = new SageMakerClient({ region });
    const s3 = createS3({ region });
    const abort = new AbortController();
    const off = onInterrupt(() => abort.abort(new ToolError("Interrupted.", EXIT.interrupted)));
    const progress = new Progress(process.stderr);
    try {
        const stage = await findStage(clients.executions, stateMachine);
        checkDays(options.days, stage);
        const { target = stage.settings.artifactBase, keep, days } = options;
        const pruning: PruneOptions = {
            storage: new Storage(s3, abort.signal),
            target: target.replace(/\/+$/, ""),
            outside: () => outsideOf(clients.executions, sagemaker, stage),
            keep,
            days,
            now: new Date(),
            signal: abort.signal,
        };
        const looking = progress.begin(`What points at what below ${pruning.target}`);
        const found = await findGarbage(pruning);
        looking.end("done", count(found.garbage.length, "thing", "things") + " that nothing points at");
        await conclude(options, pruning, found, progress);
    } catch (error) {
        throw abort.signal.aborted ? abort.signal.reason : error;
    } finally {
        progress.close();
        off();
        [s3, sagemaker, clients].forEach((client) => client.destroy());
    }
}

/** Younger things may be an execution's that is about to point at them. */
function checkDays(days: number, { definition }: DeployedStage): void {
    const longest = Math.ceil((definition.TimeoutSeconds ?? 0) / DAY_SECONDS) + 1;
    if (days < longest) {
        throw new ToolError(
            `--days ${days}: at least ${longest} is expected, since an execution of this stage may take as long and ` +
                "points at its models only when they are trained",
            EXIT.usage,
        );
    }
}

/** What of the account points at objects of the stage. */
async function outsideOf(client: SFNClient, sagemaker: SageMakerClient, stage: DeployedStage): Promise<Outside> {
    const group = registryGroupOf(stage.definition);
    const running: string[] = [];
    const definitions = [JSON.stringify(stage.definition)];
    const query = { stateMachineArn: stage.stateMachineArn, statusFilter: "RUNNING" as const };
    for await (const page of paginateListExecutions({ client }, query)) {
        for (const { name, executionArn } of page.executions ?? []) {
            running.push(String(name));
            const described = await client.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
            definitions.push(described.definition ?? "");
        }
    }
    return {
        running,
        definitions,
        registered: group === undefined ? [] : await registeredAddresses(sagemaker, group),
    };
}

async function conclude(options: Options, pruning: PruneOptions, found: Found, progress: Progress): Promise<void> {
    if (!options.yes) {
        const bytes = found.garbage.reduce((sum, one) => sum + one.bytes, 0);
        const advice =
            found.garbage.length === 0
                ? "Nothing to remove."
                : `${formatBytes(bytes)} would be removed: add --yes to remove them.`;
        print(options, { removed: false, ...found }, `${listed(found.garbage)}${advice}`);
        return;
    }
    const removing = progress.begin(`Removing ${count(found.garbage.length, "thing", "things")}`);
    const removed = await removeGarbage({ ...pruning, print: (line) => progress.note(line) }, found.garbage);
    removing.end("done", formatBytes(removed.bytes));
    print(options, { removed: true, ...removed, garbage: found.garbage }, `${listed(found.garbage)}${told(removed)}`);
}

function told({ objects, bytes, rescued }: Removed): string {
    const lines = [`Removed ${count(objects, "object")}, ${formatBytes(bytes)}.`];
    if (rescued.length > 0) {
        lines.push(`In use again meanwhile, and put back: ${rescued.join(", ")}`);
    }
    return lines.join("\n");
}

function listed(garbage: readonly Garbage[]): string {
    return garbage
        .map(
            ({ kind, name, objects, bytes, written }) =>
                `${kind.padEnd(19)} ${name}  ${count(objects.length, "object")}, ${formatBytes(bytes)}, ` +
                `written ${written.toISOString().slice(0, 10)}\n`,
        )
        .join("");
}

function print(options: Options, value: object, text: string): void {
    process.stdout.write(`${options.json ? JSON.stringify(value, null, 2) : text}\n`);
}

function whole(text: string): number {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > 36_500) {
        throw new InvalidArgumentError("A whole number from 0 to 36500 is expected.");
    }
    return value;
}
