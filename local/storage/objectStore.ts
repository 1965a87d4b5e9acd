import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { ToolError } from "../../ground/errors";
import type { Child, Supervisor } from "../process/supervisor";

/** Credentials that open nothing: the local endpoint takes any. */
const CREDENTIALS = { accessKeyId: "local", secretAccessKey: "local" };

export interface ObjectStore {
    /** http://127.0.0.1:<port> */
    readonly endpoint: string;
    readonly s3: S3Client;
    /**
     * What a child process needs in its environment to reach this store, and nothing else, with an ordinary AWS SDK.
     */
    readonly environment: Readonly<Record<string, string>>;
    /** Resolves when the server ends by itself, with what its log says. */
    readonly died: Promise<string>;
    stop(): Promise<void>;
}

export interface ObjectStoreOptions {
    readonly supervisor: Supervisor;
    readonly python: string;
    readonly region: string;
    readonly log: string;
    readonly cwd: string;
    /** 0 takes a free one. */
    readonly port?: number;
    /** What it holds from the start: bucket to key to file. */
    readonly objects?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const START_TIMEOUT_MS = 60_000;

/** Starts moto's S3 on the loopback interface. The operating system picks the port, so two clones never collide. */
export async function startObjectStore(options: ObjectStoreOptions): Promise<ObjectStore> {
    const port = options.port ?? 0;
    const objects = `${options.log}.objects.json`;
    await writeFile(objects, JSON.stringify(options.objects ?? {}));
    const child = options.supervisor.start({
        what: "object store",
        command: [options.python, path.join(__dirname, "serve.py"), String(port), options.region, objects],
        cwd: options.cwd,
        env: {
            PATH: process.env.PATH ?? "/usr/bin:/bin",
            HOME: process.env.HOME ?? options.cwd,
            PYTHONUNBUFFERED: "1",
            AWS_DEFAULT_REGION: options.region,
            AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
            AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
        },
        log: options.log,
    });
    const died = child.exit.then(
        async ({ code, signal }) =>
            `the local object store ended (${signal ? `signal ${signal}` : `exit code ${code}`}): ` +
            `${await lastLine(options.log)}`,
    );
    const endpoint = await Promise.race([
        waitForEndpoint(options.log),
        died.then((reason) => notStarted(reason, port)),
    ]).catch(async (error: unknown) => {
        await child.stop(0);
        throw error;
    });
    const s3 = new S3Client({
        region: options.region,
        endpoint,
        credentials: CREDENTIALS,
        forcePathStyle: true,
        maxAttempts: 3,
    });
    await ready(s3, child, options.log);
    await rm(objects, { force: true });
    return {
        endpoint,
        s3,
        environment: {
            AWS_ENDPOINT_URL_S3: endpoint,
            AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
            AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
            AWS_REGION: options.region,
            AWS_DEFAULT_REGION: options.region,
            AWS_EC2_METADATA_DISABLED: "true",
            AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
        },
        died,
        stop: async () => {
            s3.destroy();
            await child.stop(1000);
        },
    };
}

function notStarted(reason: string, port: number): never {
    const busy = /address already in use|port \d+ is in use/i.test(reason);
    throw new ToolError(
        busy
            ? `Port ${port} on 127.0.0.1 is in use by another program: leave --port out (a free one is taken), or ` +
                  "name another."
            : `The local object store did not start: ${reason}. Is .venv complete? Remove it and run this again.`,
    );
}

/** The server prints its address once it listens. */
async function waitForEndpoint(log: string): Promise<string> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
        const address = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(await readFile(log, "utf8").catch(() => ""));
        if (address) {
            return address[1];
        }
        await delay(50);
    }
    throw new ToolError(`The local object store did not listen within ${START_TIMEOUT_MS / 1000} s; its log: ${log}`);
}

async function ready(s3: S3Client, child: Child, log: string): Promise<void> {
    try {
        await s3.send(new ListBucketsCommand({}));
    } catch (error) {
        await child.stop(0);
        throw new ToolError(`The local object store does not answer: ${(error as Error).message}; its log: ${log}`);
    }
}

async function lastLine(log: string): Promise<string> {
    const text = await readFile(log, "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-2).join(" ").slice(-500) || "no message";
}
