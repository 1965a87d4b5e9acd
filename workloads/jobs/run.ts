/**
 * Runs one job: `<job> --NAME value ...`. What fails ends as one line on standard error,
 * `<Prefix>: what, where, got, expected, what to do`, which also lies in `<OUTPUT_PATH>/failure.txt`, since Batch tells
 * nobody more than that the container exited.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { joinS3 } from "../../ground/s3Address";
import { InputError, messageOf } from "../common/errors";
import { Storage, createS3 } from "../common/storage";
import type { Job, Parameters } from "./context";
import { fetch } from "./fetch";
import { merge } from "./merge";
import { publish } from "./publish";
import { split } from "./split";

export const jobs: Readonly<Record<string, Job>> = { fetch, split, merge, publish };

/** SIGTERM's code, as a shell reports it: no failure of the job's own, so nothing is written for the classifier. */
const STOPPED = 143;

export interface Surroundings {
    readonly out: (line: string) => void;
    readonly error: (line: string) => void;
    readonly signal: AbortSignal;
    readonly createStorage?: (signal?: AbortSignal) => Storage;
}

/** @returns the exit code: 0, 1 for a failure, 143 when it was stopped. */
export async function run(
    args: readonly string[],
    { out, error: printError, signal, createStorage }: Surroundings,
): Promise<number> {
    const open = createStorage ?? ((abort?: AbortSignal) => new Storage(createS3(), abort));
    let parameters: Parameters = {};
    let scratch: string | undefined;
    try {
        const name = args[0] ?? "";
        parameters = readParameters(args.slice(1));
        const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
        if (job === undefined) {
            throw new InputError(`job is ${JSON.stringify(name)}, expected one of ${Object.keys(jobs).join(", ")}`);
        }
        const storage = open(signal);
        if (parameters.OUTPUT_PATH !== undefined) {
            await storage.remove(joinS3(parameters.OUTPUT_PATH, "failure.txt"));
        }
        scratch = await mkdtemp(path.join(tmpdir(), `${name}-`));
        await job({ parameters, storage, scratch, signal, print: out });
        return 0;
    } catch (error) {
        if (signal.aborted) {
            printError(
                "stopped: nothing half-written counts as finished, the job goes on where it was when it runs again",
            );
            return STOPPED;
        }
        const line = failureLine(error);
        if (parameters.OUTPUT_PATH !== undefined) {
            try {
                await open().put(joinS3(parameters.OUTPUT_PATH, "failure.txt"), `${line}\n`, "text/plain");
            } catch (second) {
                printError(`failure.txt could not be written: ${oneLine(messageOf(second))}`);
            }
        }
        printError(line);
        return 1;
    } finally {
        if (scratch !== undefined) {
            await rm(scratch, { recursive: true, force: true });
        }
    }
}

/** `--NAME value` pairs; values may begin with a dash (a missing member is `-`). */
export function readParameters(args: readonly string[]): Parameters {
    const names = args.filter((arg) => /^--[A-Za-z]/.test(arg)).map((arg) => arg.slice(2).split("=")[0]);
    const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
    try {
        // A value of its own argument that begins with a dash is refused by parseArgs unless joined by "=".
        const joined: string[] = [];
        for (let index = 0; index < args.length; index++) {
            const pair = /^--[^=]+$/.test(args[index]) && index + 1 < args.length;
            joined.push(pair ? `${args[index]}=${args[++index]}` : args[index]);
        }
        const { values } = parseArgs({ args: joined, options, strict: true, allowPositionals: false });
        return Object.fromEntries(
            Object.entries(values).map(([name, value]) => [name.toUpperCase().replace(/-/g, "_"), String(value)]),
        );
    } catch (error) {
        throw new InputError(`parameters: ${messageOf(error)}; pass --NAME value pairs`);
    }
}

const prefixes = new Set(["DataError", "QualityGate", "PermissionError", "StorageError", "InputError"]);

function failureLine(error: unknown): string {
    const name = error instanceof Error && prefixes.has(error.name) ? error.name : "JobError";
    return `${name}: ${oneLine(messageOf(error))}`;
}

function oneLine(text: string): string {
    return text.replace(/\s+/g, " ").trim().slice(0, 4_000);
}
