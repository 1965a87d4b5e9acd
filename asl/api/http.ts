/** AWS JSON 1.0 over HTTP on the loopback address. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { MAXIMUM_REQUEST_BYTES } from "../../ground/awsLimits";
import type { JsonObject, JsonValue } from "../types";
import { ServiceError } from "./errors";
import type { Operations } from "./operations/service";

/** One request that has been answered. */
export interface RequestLog {
    readonly operation: string;
    /** HTTP status: 200, 400 or 500. */
    readonly status: number;
    /** The error's type, where it is one. */
    readonly error?: string;
    /** Its text. */
    readonly message?: string;
    /** What the request was about: the first name or ARN in it. */
    readonly subject?: string;
    readonly milliseconds: number;
}

export interface HttpOptions {
    /** By X-Amz-Target without its prefix, or by method and path where a service has none. */
    readonly operations: Operations;
    /** 0 takes a free one. */
    readonly port: number;
    /** Told every request when it has been answered. */
    readonly onRequest?: (log: RequestLog) => void;
}

/** A server that listens. */
export interface Listening {
    readonly port: number;
    close(): Promise<void>;
}

/** @throws Error (rejection) when the port is taken, with the port and what to do. */
export async function listen(options: HttpOptions): Promise<Listening> {
    const server = createServer((request, response) => void serve(request, response, options));
    const { port } = await listening(server, options.port);
    return {
        port,
        close: async () => {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}

function listening(server: Server, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => {
            const isTaken = error.code === "EADDRINUSE";
            const advice = `port ${port} on 127.0.0.1 is in use; choose another with --port, or 0 for a free one`;
            reject(isTaken ? new Error(advice) : error);
        });
        server.listen(port, "127.0.0.1", () => resolve(server.address() as AddressInfo));
    });
}

interface Answer {
    readonly status: number;
    readonly body: JsonValue;
    readonly error?: string;
    readonly message?: string;
}

async function serve(request: IncomingMessage, response: ServerResponse, options: HttpOptions): Promise<void> {
    const started = performance.now();
    const target = String(request.headers["x-amz-target"] ?? `${request.method} ${request.url}`);
    const operation = target.replace(/^AWSStepFunctions\./, "");
    let body: unknown;
    let answered: Answer;
    try {
        checkHost(request.headers.host);
        const text = await read(request);
        checkOperation(request.method, target, operation, options.operations);
        body = parse(text);
        answered = { status: 200, body: (await options.operations[operation]?.(body)) ?? {} };
    } catch (error) {
        answered = refusal(error);
    }
    send(response, answered);
    const { status, error, message } = answered;
    const milliseconds = performance.now() - started;
    options.onRequest?.({ operation, status, error, message, subject: subjectOf(body), milliseconds });
}

function refusal(error: unknown): Answer {
    const { message } = error as Error;
    if (!(error instanceof ServiceError)) {
        return { status: 500, body: { __type: "InternalFailure", message }, error: "InternalFailure", message };
    }
    const body: JsonObject = { __type: error.type, message, ...error.fields };
    return { status: 400, body, error: error.type, message };
}

/**
 * A page in a browser may send requests here under a name of its own; an SDK uses the address. `sync-` is AWS's own
 * prefix.
 */
const LOOPBACK = /^(sync-)?(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

function checkHost(host: string | undefined): void {
    if (!LOOPBACK.test(host ?? "")) {
        const message = `Only requests to the loopback address are answered, not to "${host}".`;
        throw new ServiceError("AccessDeniedException", message);
    }
}

async function read(request: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MAXIMUM_REQUEST_BYTES) {
            const message = `The request is larger than ${MAXIMUM_REQUEST_BYTES} bytes.`;
            throw new ServiceError("ValidationException", message);
        }
        chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
}

function checkOperation(method: string | undefined, target: string, name: string, operations: Operations): void {
    if (method !== "POST" || !Object.hasOwn(operations, name)) {
        throw new ServiceError(
            "UnknownOperationException",
            `The operation "${target}" is not offered here; these are: ${Object.keys(operations).join(", ")}.`,
        );
    }
}

function parse(text: string): unknown {
    try {
        return JSON.parse(text === "" ? "{}" : text);
    } catch (error) {
        throw new ServiceError("SerializationException", (error as Error).message);
    }
}

function send(response: ServerResponse, { status, body }: Answer): void {
    response.writeHead(status, {
        "Content-Type": "application/x-amz-json-1.0",
        "x-amzn-RequestId": crypto.randomUUID(),
    });
    response.end(JSON.stringify(body));
}

function subjectOf(body: unknown): string | undefined {
    const entries = typeof body === "object" && body !== null ? Object.entries(body) : [];
    const found = entries.find(([key, value]) => /(Arn|^name)$/.test(key) && typeof value === "string");
    return found?.[1] as string | undefined;
}
