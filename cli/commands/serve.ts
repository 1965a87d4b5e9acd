import { Command, InvalidArgumentError } from "commander";
import { TaskError, VirtualClock, type TaskHandler, type TaskRequest } from "../../asl/interpreter";
import type { JsonValue } from "../../asl/types";
import { KEEP_ENDED, serveStepFunctions, type ExecutionHooks, type RequestLog } from "../../asl/api";
import { EXIT, ToolError } from "../../ground/errors";
import { defined } from "../../ground/fields";
import { guarded, readJson } from "../support";

interface Options {
    readonly port: number;
    readonly region: string;
    readonly results?: string;
    readonly skipWaits: boolean;
    readonly keep: number;
    readonly log: boolean;
}

const HELP = [
    "",
    "Example:",
    "  npm run --silent ensemble -- serve --port 8083 --results results.json",
    "and in another shell, with credentials that nobody checks:",
    "  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=eu-central-1",
    "  aws stepfunctions list-state-machines --endpoint-url http://127.0.0.1:8083",
    "",
    'results.json: { "Train": [{ "error": "States.Timeout", "cause": "late" }, { "result": { "ok": true } }] }',
    "The last entry of a list answers every later attempt. A Task without an entry fails with States.TaskFailed; one",
    "that waits for its token waits for SendTaskSuccess or SendTaskFailure.",
    "StartSyncExecution and TestState: AWS's tools put sync- before the host; AWS_DISABLE_HOST_PREFIX_INJECTION=true",
    "keeps the AWS CLI and boto3 from it, disableHostPrefix: true the SDK for JavaScript.",
].join("\n");

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
        .option("--keep <number>", "ended executions that are kept, the newest", kept, KEEP_ENDED)
        .option("--log", "a line on standard error for each request", false)
        .addHelpText("after", HELP)
        .exitOverride()
        .action((options: Options) => guarded("serve the Step Functions API", () => serve(options)));
}

async function serve({ port: wanted, region, results, skipWaits, keep, log }: Options): Promise<void> {
    const task = recorded(results === undefined ? {} : entries(readJson(results, "--results"), results));
    const begin = (): ExecutionHooks => defined({ task, clock: skipWaits ? new VirtualClock(Date.now()) : undefined });
    const api = await serveStepFunctions({
        port: wanted,
        region,
        keepEnded: keep,
        begin,
        onRequest: log ? tellRequest : undefined,
    }).catch((error: Error) => {
        throw new ToolError(error.message);
    });
    process.stdout.write(`Step Functions on ${api.endpoint} (Ctrl-C ends it)\n`);
    await new Promise<void>((resolve) => process.once("SIGINT", () => resolve()).once("SIGTERM", () => resolve()));
    await api.close();
}

/** `12:34:56 200 StartExecution arn:... 3 ms`, or with the error in place of nothing. */
function tellRequest({ status, operation, subject = "-", error, message, milliseconds }: RequestLog): void {
    const time = new Date().toTimeString().slice(0, 8);
    const refused = error === undefined ? "" : ` ${error}: ${message}`;
    process.stderr.write(`${time} ${status} ${operation} ${subject} ${Math.round(milliseconds)} ms${refused}\n`);
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
    return (request) => {
        const { state, entered, attempt, resource } = request;
        const list = results[state];
        const entry = list?.[Math.min(list.length - 1, entered - 1 + attempt)];
        if (entry === undefined) {
            return resource.endsWith(".waitForTaskToken") ? forToken(request) : noEntry(state);
        }
        return "result" in entry
            ? Promise.resolve(entry.result)
            : Promise.reject(new TaskError(entry.error, entry.cause ?? ""));
    };
}

/** Until somebody sends the token's answer, or the state has ended. */
function forToken({ signal }: TaskRequest): Promise<never> {
    return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
}

function noEntry(state: string): Promise<never> {
    const cause = `There is no result for the state "${state}": add it to the file of --results.`;
    return Promise.reject(new TaskError("States.TaskFailed", cause));
}

function port(text: string): number {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > 65535) {
        throw new InvalidArgumentError("A port from 0 to 65535 is expected.");
    }
    return value;
}

function kept(text: string): number {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > 1_000_000) {
        throw new InvalidArgumentError("A number from 1 to 1000000 is expected.");
    }
    return value;
}
