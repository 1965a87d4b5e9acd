import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { AwsError } from "../awsError";
import type { Supervisor } from "../process/supervisor";

/** A function of the stage, with its bundled code on this machine. */
export interface LocalFunction {
    readonly name: string;
    /** Path of the bundled JavaScript file. */
    readonly bundle: string;
    /** Name of the exported handler. */
    readonly handler: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly timeoutSeconds: number;
    readonly memoryMb: number;
}

export interface LambdaOptions {
    readonly supervisor: Supervisor;
    readonly functions: ReadonlyMap<string, LocalFunction>;
    readonly environment: Readonly<Record<string, string>>;
    /** For events and answers, removed afterwards. */
    readonly scratch: string;
    readonly log: string;
    readonly signal?: AbortSignal;
    readonly onStart?: (child: { kill(signal: NodeJS.Signals): void }) => void;
}

const HOST = path.join(__dirname, "lambdaHost.mjs");
/** Lambda refuses larger answers of a synchronous call. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

/** `lambda:invoke` in a process of its own; errors carry the names and causes that Step Functions shows. */
export async function invokeFunction(
    request: { readonly FunctionName: string; readonly Payload?: unknown },
    options: LambdaOptions,
): Promise<Record<string, unknown>> {
    const name = functionName(request.FunctionName);
    const target = options.functions.get(name);
    if (target === undefined) {
        throw new AwsError(
            "Lambda.ResourceNotFoundException",
            `Function not found: ${request.FunctionName} (Service: Lambda, Status Code: 404); the stage has ` +
                `${[...options.functions.keys()].join(", ")}`,
        );
    }
    const id = randomUUID();
    await mkdir(options.scratch, { recursive: true });
    const event = path.join(options.scratch, `${id}.event.json`);
    const result = path.join(options.scratch, `${id}.result.json`);
    const timeout = AbortSignal.timeout(target.timeoutSeconds * 1000);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    try {
        await writeFile(event, JSON.stringify(request.Payload ?? {}));
        const context = {
            awsRequestId: id,
            functionName: name,
            functionVersion: "$LATEST",
            invokedFunctionArn: request.FunctionName,
            memoryLimitInMB: String(target.memoryMb),
            timeoutMs: target.timeoutSeconds * 1000,
        };
        const child = options.supervisor.start({
            what: `function ${name}`,
            command: [process.execPath, HOST, target.bundle, target.handler, event, result, JSON.stringify(context)],
            cwd: path.dirname(target.bundle),
            env: {
                PATH: process.env.PATH ?? "/usr/bin:/bin",
                ...options.environment,
                AWS_LAMBDA_FUNCTION_NAME: name,
                AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(target.memoryMb),
                ...target.environment,
            },
            log: options.log,
            signal,
        });
        options.onStart?.(child);
        const exit = await child.exit;
        options.signal?.throwIfAborted();
        if (timeout.aborted) {
            fail(
                "Sandbox.Timedout",
                `RequestId: ${id} Error: Task timed out after ${target.timeoutSeconds.toFixed(2)} seconds`,
            );
        }
        const answer = await readFile(result, "utf8").catch(() => undefined);
        if (answer === undefined) {
            fail(
                "Runtime.ExitError",
                `RequestId: ${id} Error: Runtime exited with error: ` +
                    `${exit.signal ? `signal: ${exit.signal}` : `exit status ${exit.code}`}`,
            );
        }
        const parsed = JSON.parse(answer as string) as {
            value?: unknown;
            error?: { errorType: string; errorMessage: string };
        };
        if (parsed.error !== undefined) {
            throw new AwsError(parsed.error.errorType, JSON.stringify(parsed.error));
        }
        if (Buffer.byteLength(answer as string) > MAX_PAYLOAD_BYTES) {
            fail(
                "Function.ResponseSizeTooLarge",
                `Response payload size exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`,
            );
        }
        return {
            ExecutedVersion: "1",
            Payload: parsed.value,
            SdkHttpMetadata: { HttpStatusCode: 200 },
            SdkResponseMetadata: { RequestId: id },
            StatusCode: 200,
        };
    } finally {
        await Promise.all([event, result].map((file) => rm(file, { force: true })));
    }
}

function fail(errorType: string, errorMessage: string): void {
    throw new AwsError(errorType, JSON.stringify({ errorType, errorMessage }));
}

/** Name of a function out of its name or ARN, with or without version or alias. */
function functionName(reference: string): string {
    return /^arn:[^:]+:lambda:[^:]*:[^:]*:function:([^:]+)/.exec(reference)?.[1] ?? reference.replace(/:[^:]+$/, "");
}
