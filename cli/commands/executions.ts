/** `start`, `watch`, `explain`, `resume`, `stop`: executions of a deployed stage. */
import { Command, InvalidArgumentError } from "commander";
import { formatDuration } from "../../ground/duration";
import { EXIT } from "../../ground/errors";
import { present } from "../../ground/fields";
import {
    explainExecution,
    findExecution,
    findStage,
    resumeTraining,
    startTraining,
    stopTraining,
    watchExecution,
    type Explanation,
    type DeployedStage,
} from "../aws/executions";
import { clientsAt, type Clients } from "../aws/clients";
import { explainSdkError, isDenied } from "../aws/errors";
import { expectedTimes } from "../aws/expected";
import { Follower } from "../aws/follow";
import { newestLogLine } from "../aws/logs";
import { guarded, readJson, stageFacts } from "../support";
import { onInterrupt, TOOL } from "../terminal";

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
        command(
            "start",
            "Start an execution of a deployed stage, once its input is valid.",
            "start --stack prod --input input.json --watch",
        )
            .requiredOption("--input <file>", input)
            .option("--name <name>", "name of the execution (default: made by AWS)")
            .option("--watch", "follow it to its end", false)
            .option("--interval <seconds>", "between two looks", seconds, 5)
            .action((options: Watching & { readonly input: string; readonly name?: string }) =>
                act("start an execution", options, async (clients, stage) => {
                    const executionArn = await startTraining(
                        clients.executions,
                        stage,
                        readJson(options.input, "--input"),
                        options.name,
                    );
                    await started(clients, stage, executionArn, options);
                }),
            ),
        command(
            "watch",
            "Follow an execution to its end; Ctrl-C ends the watching, not the execution.",
            "watch --stack prod",
        )
            .argument("[execution]", "name or ARN (default: the newest)")
            .option("--interval <seconds>", "between two looks", seconds, 5)
            .action((execution: string | undefined, options: Watching) =>
                act("watch an execution", options, async (clients, stage) =>
                    follow(clients, stage, await findExecution(clients.executions, stage, execution), options),
                ),
            ),
        command("explain", "Say where an execution failed, why, and what to do.", "explain --stack prod")
            .argument("[execution]", "name or ARN (default: the newest)")
            .action((execution: string | undefined, options: Common) =>
                act("explain an execution", options, async ({ executions: client }, stage) => {
                    const told = await explainExecution(client, await findExecution(client, stage, execution));
                    print(options, told, explained(told));
                }),
            ),
        command(
            "resume",
            "Start again with the input of an execution that failed; what was trained is reused.",
            "resume --stack prod --watch",
        )
            .argument("[execution]", "name or ARN (default: the newest)")
            .option("--watch", "follow it to its end", false)
            .option("--interval <seconds>", "between two looks", seconds, 5)
            .action((execution: string | undefined, options: Watching) =>
                act("resume an execution", options, async (clients, stage) => {
                    const { executions } = clients;
                    const resumed = await resumeTraining(
                        executions,
                        stage,
                        await findExecution(executions, stage, execution),
                    );
                    await started(clients, stage, resumed, options);
                }),
            ),
        command(
            "stop",
            "Stop an execution and the jobs that it waits for.",
            'stop --stack prod nightly-7 --cause "wrong data"',
        )
            .argument("[execution]", "name or ARN (default: the newest)")
            .option("--cause <text>", "why, for whoever reads it later", "stopped with the ensemble tool")
            .action((execution: string | undefined, options: Common & { readonly cause: string }) =>
                act("stop an execution", options, async ({ executions: client }, stage) => {
                    const executionArn = await findExecution(client, stage, execution);
                    await stopTraining(client, executionArn, options.cause);
                    print(
                        options,
                        { executionArn },
                        `Stopped ${executionArn}\nContinue it later: ${again("resume", executionArn, options)}`,
                    );
                }),
            ),
    ];
}

function command(name: string, description: string, example: string): Command {
    return new Command(name)
        .description(description)
        .option("--stack <stage>", "the deployed stage", "dev")
        .option("--region <region>", "AWS region (default: the stage's)")
        .option(
            "--endpoint <url>",
            "of Step Functions, CloudWatch Logs and Batch, for example of `ensemble local --serve` (default: AWS's, " +
                "or AWS_ENDPOINT_URL_SFN and so on)",
        )
        .option("--json", "for machines: one JSON value on standard output, progress on standard error", false)
        .addHelpText(
            "after",
            `\nExample:\n  npm run --silent ensemble -- ${example}\n\n` +
                "Exit codes: 0 done or succeeded, 1 the execution failed, 2 wrong arguments, input or stage,\n" +
                "3 credentials, region or network, 130 watching was interrupted.",
        )
        .exitOverride();
}

async function act(
    doing: string,
    options: Common,
    work: (clients: Clients, stage: DeployedStage) => Promise<void>,
): Promise<void> {
    await guarded(doing, async () => {
        const { stateMachine, region } = await stageFacts(options.stack);
        const clients = clientsAt(options.region ?? region, options.endpoint);
        try {
            await work(clients, await findStage(clients.executions, stateMachine));
        } finally {
            clients.destroy();
        }
    });
}

async function started(clients: Clients, stage: DeployedStage, executionArn: string, options: Watching): Promise<void> {
    if (options.watch === true) {
        (options.json ? process.stderr : process.stdout).write(`Started ${executionArn}\n`);
        await follow(clients, stage, executionArn, options);
    } else {
        print(
            options,
            { executionArn },
            `Started ${executionArn}\nFollow it: ${again("watch", executionArn, options)}`,
        );
    }
}

/** The command line for the same execution at the same place. */
function again(command: string, executionArn: string, { stack, region, endpoint }: Common): string {
    return [
        TOOL,
        command,
        "--stack",
        stack,
        ...(region === undefined ? [] : ["--region", region]),
        ...(endpoint === undefined ? [] : ["--endpoint", endpoint]),
        executionArn.split(":").at(-1),
    ].join(" ");
}

async function follow(clients: Clients, stage: DeployedStage, executionArn: string, options: Watching): Promise<void> {
    const { executions } = clients;
    const abort = new AbortController();
    const { signal } = abort;
    const off = onInterrupt(() => abort.abort());
    const follower = new Follower(options.json ? process.stderr : process.stdout);
    const logs = new LogReading(clients, follower, signal);
    let status = "RUNNING";
    // the elapsed times go on between two looks
    const ticking = setInterval(() => follower.take([]), 1000);
    try {
        follower.expect(
            await expectedTimes(executions, stage.stateMachineArn, { except: executionArn, abortSignal: signal }),
        );
    } catch (error) {
        // nice to have: without the permission the watch goes on
        if (!signal.aborted) {
            follower.note(`There are no expected times: ${brief(error, "read earlier executions")}`);
        }
    }
    try {
        for await (const { execution, events } of watchExecution(executions, executionArn, {
            interval: options.interval * 1000,
            signal,
        })) {
            status = String(execution.status);
            follower.take(events);
            logs.look();
        }
    } finally {
        clearInterval(ticking);
        follower.close();
        // also ends what is under way of reading logs
        abort.abort();
        off();
    }
    if (status === "RUNNING") {
        print(
            options,
            { executionArn, status },
            `No longer watching. The execution goes on: ${executionArn}\n` +
                `  follow it again: ${again("watch", executionArn, options)}\n` +
                `  end it:          ${again("stop", executionArn, options)}`,
        );
        process.exitCode = EXIT.interrupted;
        return;
    }
    const told = await explainExecution(executions, executionArn);
    print(options, told, explained(told));
    process.exitCode = status === "SUCCEEDED" ? EXIT.ok : EXIT.failed;
}

/**
 * Reads the newest log line of each job that is at work, beside the watch: whatever happens here, the watch goes on.
 */
class LogReading {
    private reading: Promise<void> | undefined;
    private told = false;
    private denied = false;

    constructor(
        private readonly clients: Clients,
        private readonly follower: Follower,
        private readonly signal: AbortSignal,
    ) {}

    /** Begins to read, unless it still does. */
    look(): void {
        if (!this.denied) {
            this.reading ??= this.read().finally(() => {
                this.reading = undefined;
            });
        }
    }

    private async read(): Promise<void> {
        for (const job of this.follower.jobs()) {
            try {
                const line = await newestLogLine(this.clients, job, this.signal);
                if (line !== undefined) {
                    this.follower.line(job, line);
                }
            } catch (error) {
                if (this.signal.aborted) {
                    return;
                }
                // one that is throttled or not reached may be answered the next time, one that is denied will not
                this.denied ||= isDenied(error);
                if (!this.told) {
                    this.told = true;
                    this.follower.note(
                        `${this.denied ? "No log lines" : "Log lines are missing at times"}: ` +
                            `${brief(error, "read the job's log")}`,
                    );
                }
            }
        }
    }
}

/** An error in one line, for a note. */
function brief(error: unknown, doing: string): string {
    return explainSdkError(error, doing).message.split("\n")[0];
}

function print(options: Common, value: Told | Explanation, text: string): void {
    process.stdout.write(`${options.json ? JSON.stringify(value, null, 2) : text}\n`);
}

function explained(told: Explanation): string {
    return present([
        `${told.status} after ${formatDuration(told.seconds)}: ${told.executionArn}`,
        told.state === undefined ? undefined : `  in:     ${told.state}`,
        told.class === undefined ? undefined : `  class:  ${told.class}`,
        told.reason === undefined ? undefined : `  reason: ${told.reason}`,
        told.advice === undefined ? undefined : `  do:     ${told.advice}`,
        told.logUrl === undefined ? undefined : `  log:    ${told.logUrl}`,
    ]).join("\n");
}

function seconds(text: string): number {
    const value = Number(text);
    if (!(value >= 0.1 && value <= 3600)) {
        throw new InvalidArgumentError("A number of seconds from 0.1 to 3600 is expected.");
    }
    return value;
}
