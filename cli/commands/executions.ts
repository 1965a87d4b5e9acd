/** `start`, `watch`, `explain`, `resume`, `stop`: executions of a deployed stage. */
import { SFNClient } from "@aws-sdk/client-sfn";
import { Command, InvalidArgumentError } from "commander";
import { EXIT } from "../../local/errors";
import {
    explainExecution, findExecution, findStage, resumeTraining, startTraining, stopTraining, watchExecution, type Explanation, type Stage,
} from "../aws/executions";
import { Follower } from "../aws/follow";
import { duration, guarded, readJson, stageFacts } from "../support";

interface Common {
    readonly stack: string;
    readonly region?: string;
    readonly endpoint?: string;
    readonly json: boolean;
}

interface Watching extends Common {
    readonly watch?: boolean;
    readonly interval: number;
}

/** Where an execution can be looked at: what a command prints. */
interface Told {
    readonly executionArn: string;
    readonly status?: string;
}

export function executionCommands(): Command[] {
    const input = "the execution's input (JSON); docs/input.schema.json describes it";
    return [
        command("start", "Start an execution of a deployed stage, once its input is valid.", "start --stack prod --input input.json --watch")
            .requiredOption("--input <file>", input)
            .option("--name <name>", "name of the execution (default: made by AWS)")
            .option("--watch", "follow it to its end", false)
            .option("--interval <seconds>", "between two looks", seconds, 5)
            .action((options: Watching & { readonly input: string; readonly name?: string }) => act("start an execution", options,
                async (client, stage) => {
                    const executionArn = await startTraining(client, stage, readJson(options.input, "--input"), options.name);
                    await started(client, executionArn, options);
                })),
        command("watch", "Follow an execution to its end; Ctrl-C ends the watching, not the execution.", "watch --stack prod")
            .argument("[execution]", "name or ARN (default: the newest)")
            .option("--interval <seconds>", "between two looks", seconds, 5)
            .action((execution: string | undefined, options: Watching) => act("watch an execution", options,
                async (client, stage) => follow(client, await findExecution(client, stage, execution), options))),
        command("explain", "Say where an execution failed, why, and what to do.", "explain --stack prod")
            .argument("[execution]", "name or ARN (default: the newest)")
            .action((execution: string | undefined, options: Common) => act("explain an execution", options,
                async (client, stage) => {
                    const told = await explainExecution(client, await findExecution(client, stage, execution));
                    print(options, told, explained(told));
                })),
        command("resume", "Start again with the input of an execution that failed; what was trained is reused.", "resume --stack prod --watch")
            .argument("[execution]", "name or ARN (default: the newest)")
            .option("--watch", "follow it to its end", false)
            .option("--interval <seconds>", "between two looks", seconds, 5)
            .action((execution: string | undefined, options: Watching) => act("resume an execution", options,
                async (client, stage) => {
                    const resumed = await resumeTraining(client, stage, await findExecution(client, stage, execution));
                    await started(client, resumed, options);
                })),
        command("stop", "Stop an execution and the jobs that it waits for.", "stop --stack prod nightly-7 --cause \"wrong data\"")
            .argument("[execution]", "name or ARN (default: the newest)")
            .option("--cause <text>", "why, for whoever reads it later", "stopped with the ensemble tool")
            .action((execution: string | undefined, options: Common & { readonly cause: string }) => act("stop an execution", options,
                async (client, stage) => {
                    const executionArn = await findExecution(client, stage, execution);
                    await stopTraining(client, executionArn, options.cause);
                    print(options, { executionArn }, `Stopped ${executionArn}. \`ensemble resume\` continues it later.`);
                })),
    ];
}

function command(name: string, description: string, example: string): Command {
    return new Command(name)
        .description(description)
        .option("--stack <stage>", "the deployed stage", "dev")
        .option("--region <region>", "AWS region (default: the stage's)")
        .option("--endpoint <url>", "of Step Functions, for example of `ensemble serve` (default: AWS's)")
        .option("--json", "for machines: one JSON value on standard output, progress on standard error", false)
        .addHelpText("after", `\nExample:\n  npm run --silent ensemble -- ${example}\n\n`
            + "Exit codes: 0 done or succeeded, 1 the execution failed, 2 wrong arguments, input or stage,\n"
            + "3 credentials, region or network, 130 watching was interrupted.")
        .exitOverride();
}

async function act(doing: string, options: Common, work: (client: SFNClient, stage: Stage) => Promise<void>): Promise<void> {
    await guarded(doing, async () => {
        const { stateMachine, region } = stageFacts(options.stack);
        const client = new SFNClient({
            region: options.region ?? region, endpoint: options.endpoint,
            requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000 },
        });
        try {
            await work(client, await findStage(client, stateMachine));
        } finally {
            client.destroy();
        }
    });
}

async function started(client: SFNClient, executionArn: string, options: Watching): Promise<void> {
    if (options.watch === true) {
        (options.json ? process.stderr : process.stdout).write(`Started ${executionArn}\n`);
        await follow(client, executionArn, options);
    } else {
        print(options, { executionArn }, `Started ${executionArn}\nFollow it: npm run --silent ensemble -- watch --stack ${options.stack}`);
    }
}

async function follow(client: SFNClient, executionArn: string, options: Watching): Promise<void> {
    const abort = new AbortController();
    const interrupt = (): void => abort.abort();
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    const follower = new Follower(options.json ? process.stderr : process.stdout);
    let status = "RUNNING";
    // the elapsed times go on between two looks
    const ticking = setInterval(() => follower.take([]), 1000);
    try {
        const looks = watchExecution(client, executionArn, { interval: options.interval * 1000, signal: abort.signal });
        for await (const { execution, events } of looks) {
            status = String(execution.status);
            follower.take(events);
        }
    } finally {
        clearInterval(ticking);
        follower.close();
        process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    }
    if (status === "RUNNING") {
        print(options, { executionArn, status }, `No longer watching. The execution goes on: ${executionArn}\n`
            + `\`ensemble watch --stack ${options.stack}\` follows it again, \`ensemble stop\` ends it.`);
        process.exitCode = EXIT.interrupted;
        return;
    }
    const told = await explainExecution(client, executionArn);
    print(options, told, explained(told));
    process.exitCode = status === "SUCCEEDED" ? EXIT.ok : EXIT.failed;
}

function print(options: Common, value: Told | Explanation, text: string): void {
    process.stdout.write(`${options.json ? JSON.stringify(value, null, 2) : text}\n`);
}

function explained(told: Explanation): string {
    return [
        `${told.status} after ${duration(told.seconds)}: ${told.executionArn}`,
        ...told.state === undefined ? [] : [`  in:     ${told.state}`],
        ...told.class === undefined ? [] : [`  class:  ${told.class}`],
        ...told.reason === undefined ? [] : [`  reason: ${told.reason}`],
        ...told.advice === undefined ? [] : [`  do:     ${told.advice}`],
        ...told.logUrl === undefined ? [] : [`  log:    ${told.logUrl}`],
    ].join("\n");
}

function seconds(text: string): number {
    const value = Number(text);
    if (!(value >= 0.1 && value <= 3600)) {
        throw new InvalidArgumentError("A number of seconds from 0.1 to 3600 is expected.");
    }
    return value;
}
