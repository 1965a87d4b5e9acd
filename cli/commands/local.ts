import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { EXIT, LocalError } from "../../local/errors";
import type { Supervisor } from "../../local/process/supervisor";
import { renderResult } from "../../local/run/report";
import { localRun } from "../../local/run/run";
import { writeReport } from "./report";

interface Options {
    readonly stack: string;
    readonly folder: string;
    readonly documents?: string;
    readonly input?: string;
    readonly set: readonly string[];
    readonly fail: readonly string[];
    readonly seed?: number;
    readonly port?: number;
    readonly keep: boolean;
    readonly reuse: boolean;
    readonly fresh: boolean;
    readonly hyperparameters?: string;
    readonly json: boolean;
}

/** A second Ctrl-C within this time is the echo of the first: the terminal and npm both send it. */
const ECHO_MS = 1000;

export function localCommand(root: string): Command {
    return new Command("local")
        .description("Run the whole workflow of a stage on this machine: the real definition, functions, jobs and training scripts.")
        .option("--stack <stage>", "the stage whose Pulumi.<stage>.yaml is evaluated", "dev")
        .option("--folder <folder>", "where runs are kept; one run at a time in each", path.join(root, ".local"))
        .option("--documents <folder>", "your own documents instead of the sample (docs/local-run.md)")
        .option("--input <file>", "an execution input (JSON), as it would be given to the state machine")
        .option("--set <key=value>", "<model>.<hyperparameter>, a field of the input, or a key of the stack configuration; repeatable", collect, [])
        .option("--fail <state=error>", "make a state fail once (*3: three times), for example \"Image Model Training=CapacityError\"; repeatable",
            collect, [])
        .option("--seed <number>", "seed of the sample documents and of the training", integer(0, 2 ** 31 - 1))
        .option("--reuse", "reuse models of the last run whose content key is the same", false)
        .option("--fresh", "start over, even where the last run did not finish", false)
        .option("--keep", "keep the working directories of the jobs", false)
        .option("--port <number>", "port of the local object store (default: a free one)", integer(1, 65535))
        .option("--hyperparameters <file>", "what to make smaller on this machine (default local/hyperparameters.json)")
        .option("--json", "print the result as JSON, the progress on standard error", false)
        .exitOverride()
        .action((options: Options) => run(root, options));
}

async function run(root: string, options: Options): Promise<void> {
    const abort = new AbortController();
    let supervisor: Supervisor | undefined;
    let first = 0;
    const onSignal = (signal: NodeJS.Signals) => {
        if (first === 0) {
            first = Date.now();
            process.stderr.write(`\n${signal}: ending all processes ... (again to kill them)\n`);
            abort.abort(new LocalError("interrupted", EXIT.interrupted));
        } else if (Date.now() - first > ECHO_MS) {
            supervisor?.killAll();
            process.exit(EXIT.interrupted);
        }
    };
    const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
    signals.forEach((signal) => process.on(signal, onSignal));
    // a closed pipe must end the run as Ctrl-C does, not tear it down half-way
    for (const stream of [process.stdout, process.stderr]) {
        stream.on("error", () => abort.abort(new LocalError("interrupted", EXIT.interrupted)));
    }
    try {
        const result = await localRun({
            ...options, root, folder: path.resolve(options.folder), signal: abort.signal,
            progress: options.json ? process.stderr : process.stdout,
            onSupervisor: (made) => {
                supervisor = made;
            },
        });
        process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : `${renderResult(result, root)}\n`);
        // a report that cannot be drawn is no failure of the run
        const report = await writeReport(result.directory).catch((error: Error) => `not written: ${error.message}`);
        process.stderr.write(`Report: ${report}\n`);
        process.exitCode = result.status === "SUCCEEDED" ? EXIT.ok : EXIT.failed;
    } catch (error) {
        if (!abort.signal.aborted) {
            throw error;
        }
    } finally {
        signals.forEach((signal) => process.off(signal, onSignal));
    }
    if (abort.signal.aborted) {
        process.stderr.write("Interrupted. Nothing is left running; what was finished is kept: run the same command again to continue.\n");
        process.exitCode = EXIT.interrupted;
    } else if (process.exitCode === EXIT.failed) {
        process.stderr.write("The run failed. Run the same command again to continue: what was finished is reused.\n");
    }
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
