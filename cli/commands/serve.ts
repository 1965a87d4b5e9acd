import { Command, InvalidArgumentError } from "commander";
import { TaskError, VirtualClock, type TaskHandler } from "../../asl/interpreter";
import type { JsonValue } from "../../asl/types";
import { serveStepFunctions } from "../../asl/api";
import { EXIT, ToolError } from "../../ground/errors";
import { defined } from "../../ground/fields";
import { guarded, readJson } from "../support";

interface Options {
    readonly port: number;
    readonly region: string;
    readonly results?: string;
    readonly skipWaits: boolean;
}

export function serveCommand(): Command {
    return new Command("serve")
        .description(
            "Serve the interpreter behind the Step Functions API on 127.0.0.1, for any AWS SDK or the AWS CLI; Tasks " +
                "answer from a file.",
        )
        .option("--port <number>", "0 takes a free one", port, 8083)
        .option("--region <region>", "in the ARNs", "eu-central-1")
        .option(
            "--results <file>",
            "JSON: state name to a list with one { result } or { error, cause } for each attempt",
        )
        .option("--skip-waits", "waits and pauses take no time", false)
        .addHelpText(
            "after",
            [
                "",
                "Example:",
                "  npm run --silent ensemble -- serve --port 8083 --results results.json",
                "  aws stepfunctions list-state-machines --endpoint http://127.0.0.1:8083",
                "",
                'results.json: { "Train": [{ "error": "States.Timeout", "cause": "late" }, { "result": { ' +
                    '"ok": true } }] }',
                "The last entry of a list answers every later attempt. A Task without an entry fails with " +
                    "States.TaskFailed.",
            ].join("\n"),
        )
        .exitOverride()
        .action((options: Options) => guarded("serve the Step Functions API", () => serve(options)));
}

async function serve({ port: wanted, region, results, skipWaits }: Options): Promise<void> {
    const task = recorded(results === undefined ? {} : entries(readJson(results, "--results"), results));
    const api = await serveStepFunctions({
        port: wanted,
        region,
        begin: () => defined({ task, clock: skipWaits ? new VirtualClock(Date.now()) : undefined }),
    }).catch((error: Error) => {
        throw new ToolError(error.message);
    });
    process.stdout.write(`Step Functions on ${api.endpoint} (Ctrl-C ends it)\n`);
    await new Promise<void>((resolve) => process.once("SIGINT", () => resolve()).once("SIGTERM", () => resolve()));
    await api.close();
}

type Entry = { readonly result: JsonValue } | { readonly error: string; readonly cause?: string };

function entries(value: unknown, file: string): Readonly<Record<string, readonly Entry[]>> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new ToolError(`--results ${file}: an object of state names is expected`, EXIT.usage);
    }
    return Object.fromEntries(
        Object.entries(value).map(([state, list]: [string, unknown]) => {
            const fits =
                Array.isArray(list) &&
                list.length > 0 &&
                list.every(
                    (entry: unknown) =>
                        typeof entry === "object" &&
                        entry !== null &&
                        ("result" in entry || typeof (entry as { error?: unknown }).error === "string"),
                );
            if (!fits) {
                throw new ToolError(
                    `--results ${file}: "${state}": a list of { "result": ... } or { "error": "...", "cause": "..." ` +
                        "} is expected",
                    EXIT.usage,
                );
            }
            return [state, list as Entry[]];
        }),
    );
}

/** Answers each attempt of a Task from its list; attempts are counted by execution. */
function recorded(results: Readonly<Record<string, readonly Entry[]>>): TaskHandler {
    return ({ state, entered, attempt }) => {
        const list = results[state];
        const entry = list?.[Math.min(list.length - 1, entered - 1 + attempt)];
        if (entry === undefined) {
            return Promise.reject(
                new TaskError(
                    "States.TaskFailed",
                    `There is no result for the state "${state}": add it to the file of --results.`,
                ),
            );
        }
        return "result" in entry
            ? Promise.resolve(entry.result)
            : Promise.reject(new TaskError(entry.error, entry.cause ?? ""));
    };
}

function port(text: string): number {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > 65535) {
        throw new InvalidArgumentError("A port from 0 to 65535 is expected.");
    }
    return value;
}
