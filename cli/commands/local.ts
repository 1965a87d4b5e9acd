import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { EXIT, ToolError } from "../../ground/errors";
import type { Supervisor } from "../../local/process/supervisor";
import { renderResult, type RunResult } from "../../local/run/report";
import { localRun, type LocalRunOptions } from "../../local/run/run";
import { DEFAULT_PORT, localServe, type Served, type LocalServeOptions } from "../../local/run/serve";
import { onInterrupt, TOOL } from "../terminal";
import { writeReport } from "./report";

interface Options extends Omit<
    LocalServeOptions & LocalRunOptions,
    "root" | "progress" | "signal" | "onSupervisor" | "onReady" | "onResult"
> {
    readonly serve: boolean;
    readonly json: boolean;
}

// eslint-disable-next-line max-lines-per-function -- a list of options
export function localCommand(root: string): Command {
    return new Command("local")
        .description(
            "Run the whole workflow of a stage on this machine: the real definition, functions, jobs and training " +
                "scripts.",
        )
        .option("--stack <stage>", "the stage whose Pulumi.<stage>.yaml is evaluated", "dev")
        .option("--folder <folder>", "where runs are kept; one run at a time in each", path.join(root, ".local"))
        .option("--documents <folder>", "your own documents instead of the sample (docs/local-run.md)")
        .option("--input <file>", "an execution input (JSON), as it would be given to the state machine")
        .option(
            "--set <key=value>",
            "<model>.<hyperparameter>, a field of the input, or a key of the stack configuration; repeatable",
            collect,
            [],
        )
        .option(
            "--fail <state=error>",
            'make a state fail once (*3: three times), for example "Image Model Training=CapacityError"; repeatable',
            collect,
            [],
        )
        .option("--seed <number>", "seed of the sample documents and of the training", integer(0, 2 ** 31 - 1))
        .option("--reuse", "reuse models of the last run whose content key is the same", false)
        .option("--fresh", "start over, even where the last run did not finish", false)
        .option("--keep", "keep the working directories of the jobs", false)
        .option(
            "--serve",
            "run nothing yet, but serve the workflow behind the Step Functions API on 127.0.0.1, for ensemble start " +
                "and any AWS SDK",
            false,
        )
        .option(
            "--port <number>",
            `with --serve of the API (default ${DEFAULT_PORT}; 0 takes a free one), otherwise of the ` +
                "local object store",
            integer(0, 65535),
        )
        .option(
            "--hyperparameters <file>",
            "what to make smaller on this machine, and why (default local/hyperparameters.json)",
        )
        .option(
            "--json",
            "print the result as JSON, the progress on standard error; with --serve the endpoint, ARN and input",
            false,
        )
        .addHelpText(
            "after",
            [
                "",
                "Examples:",
                "  npm start",
                "  npm start -- --set image.epochs=3 --reuse",
                '  npm start -- --fail "Text Model Training=AlgorithmError"',
                `  ${TOOL} local --serve --port 8083`,
                "",
                "Exit codes: 0 succeeded (--serve: ended by Ctrl-C), 1 the execution failed, 2 wrong arguments, " +
                    "input, documents or configuration,",
                "3 this machine (a missing program, a full disk, another run, a port in use), 130 interrupted.",
            ].join("\n"),
        )
        .exitOverride()
        .action((options: Options) => run(root, options));
}

async function run(root: string, options: Options): Promise<void> {
    const abort = new AbortController();
    let supervisor: Supervisor | undefined;
    const off = onInterrupt(
        (signal) => {
            process.stderr.write(`\n${signal}: ending all processes ... (again to kill them)\n`);
            abort.abort(new ToolError("interrupted", EXIT.interrupted));
        },
        () => {
            supervisor?.killAll();
            process.exit(EXIT.interrupted);
        },
    );
    // a closed pipe must end the run as Ctrl-C does, not tear it down half-way
    for (const stream of [process.stdout, process.stderr]) {
        stream.on("error", () => abort.abort(new ToolError("interrupted", EXIT.interrupted)));
    }
    const common = {
        ...options,
        root,
        folder: path.resolve(options.folder),
        signal: abort.signal,
        progress: options.json ? process.stderr : process.stdout,
        onSupervisor: (made: Supervisor) => {
            supervisor = made;
        },
    };
    try {
        if (options.serve) {
            await localServe({
                ...common,
                onReady: (served) => tellServed(served, options),
                onResult: (result) => tellReport(result),
            });
        } else {
            await tellResult(await localRun(common), root, options);
        }
    } catch (error) {
        if (!abort.signal.aborted) {
            throw error;
        }
    } finally {
        off();
    }
    tellEnd(options.serve, abort.signal.aborted);
}

async function tellResult(result: RunResult, root: string, options: Options): Promise<void> {
    process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : `${renderResult(result, root)}\n`);
    await tellReport(result);
    for (const line of result.unrehearsed) {
        process.stderr.write(`${line}\n`);
    }
    const rehearsed = result.unrehearsed.length === 0;
    process.exitCode = result.status === "SUCCEEDED" && rehearsed ? EXIT.ok : EXIT.failed;
    if (result.status !== "SUCCEEDED") {
        // with --fail the same command would fail in the same way again
        const command = options.fail.length === 0 ? "the same command again" : "it again without --fail";
        process.stderr.write(`The run failed. Run ${command} to continue: what was finished is reused.\n`);
    }
}

/** What is left behind, and what to do next; sets the exit code of an interrupted command. */
function tellEnd(serve: boolean, interrupted: boolean): void {
    if (serve && interrupted) {
        process.stderr.write(
            "The API is closed. Nothing is left running; what was trained is kept for the next time.\n",
        );
        // Ctrl-C is the ordinary end of a server
        process.exitCode = EXIT.ok;
    } else if (interrupted) {
        process.stderr.write(
            "Interrupted. Nothing is left running; what was finished is kept: run the same command again to " +
                "continue.\n",
        );
        process.exitCode = EXIT.interrupted;
    }
}

/** A report that cannot be drawn is no failure of the run. */
async function tellReport(result: RunResult): Promise<void> {
    const report = await writeReport(result.directory).catch((error: Error) => `not written: ${error.message}`);
    process.stderr.write(`Report: ${report}\n`);
}

function tellServed(served: Served, { stack, json }: Options): void {
    process.stdout.write(
        json
            ? `${JSON.stringify(served)}\n`
            : [
                  `Step Functions of the stage ${stack} on ${served.endpoint} (Ctrl-C ends it and whatever runs)`,
                  `  state machine  ${served.stateMachineArn}`,
                  "In another terminal:",
                  `  ${TOOL} start --stack ${stack} --endpoint ${served.endpoint} --input ` +
                      `${path.relative(process.cwd(), served.input)} --watch`,
                  `Any AWS SDK, or the AWS CLI: region ${served.region}, AWS_ENDPOINT_URL_SFN=${served.endpoint}, ` +
                      "and any credentials",
                  "",
              ].join("\n"),
    );
}

function collect(value: string, previous: readonly string[]): readonly string[] {
    return [...previous, value];
}

function integer(minimum: number, maximum: number): (text: string) => number {
    return (text) => {
        const value = Number(text);
        if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
            throw new InvalidArgumentError(`A whole number from ${minimum} to ${maximum} is expected.`);
        }
        return value;
    };
}
