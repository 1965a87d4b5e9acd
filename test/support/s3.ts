/** A local S3 endpoint (moto) for a suite: started on a free port, stopped afterwards. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { Storage } from "../../workloads/common/storage";

const python = path.resolve(__dirname, "../../.venv/bin/python");
const server = path.resolve(__dirname, "s3Server.py");
/** All of moto's services, for suites that judge by IAM policies. */
const motoServer = path.resolve(__dirname, "../../.venv/bin/moto_server");

/**
 * How an endpoint behaves: `plain`, or `kms` as a bucket with KMS keys in a busy account (s3Server.py says how);
 * `moto` is moto's own
 * server, with IAM.
 */
export type S3Kind = "plain" | "kms" | "moto";

/** Both kinds of S3 that functions and jobs must work with. */
export const S3_KINDS = ["plain", "kms"] as const;

export interface LocalS3 {
    readonly endpoint: string;
    /** Kills the server, as a dead endpoint. */
    readonly kill: () => Promise<void>;
    readonly client: S3Client;
    readonly storage: Storage;
    /** Makes a bucket of its own and gives its s3:// address. */
    readonly bucket: () => Promise<string>;
    /** Makes a bucket of a name: `s3://<bucket>`. */
    readonly makeBucket: (address: string) => Promise<void>;
}

/**
 * Hooks for a suite; the getter gives the server while its tests run. Skips the suite, saying so, where moto is not
 * installed.
 */
export function useS3(kind: S3Kind = "plain"): () => LocalS3 {
    let running: LocalS3 | undefined;
    before(async function () {
        this.timeout(60_000);
        if (!existsSync(motoServer)) {
            console.log("      skipped: moto is not installed in .venv; run `npm test`, which installs it");
            this.skip();
        }
        running = await startS3(kind);
    });
    after(async () => {
        await running?.kill();
        running?.client.destroy();
    });
    return () => {
        if (running === undefined) {
            throw new Error("the local S3 endpoint is there only while tests run");
        }
        return running;
    };
}

/**
 * Tries again as often as the jobs do, without their waits: an endpoint that is busy by lot is not helped by
 * patience.
 */
const IMPATIENT = {
    mode: "standard",
    acquireInitialRetryToken: () => Promise.resolve(retryToken(0)),
    refreshRetryTokenForRetry: (token: { getRetryCount: () => number }, { errorType }: { errorType: string }) =>
        errorType === "CLIENT_ERROR" || token.getRetryCount() >= 9
            ? Promise.reject(new Error("not tried again"))
            : Promise.resolve(retryToken(token.getRetryCount() + 1)),
    recordSuccess: () => undefined,
};

function retryToken(count: number) {
    return { getRetryCount: () => count, getRetryDelay: () => 2 };
}

export function s3Client(endpoint: string, options: { readonly maxAttempts?: number } = {}): S3Client {
    return new S3Client({
        endpoint,
        forcePathStyle: true,
        region: "eu-central-1",
        credentials: { accessKeyId: "test", secretAccessKey: "test" },
        requestChecksumCalculation: "WHEN_REQUIRED",
        responseChecksumValidation: "WHEN_REQUIRED",
        retryStrategy: options.maxAttempts === undefined ? IMPATIENT : undefined,
        ...options,
    });
}

/** What a child process needs to reach the endpoint with the ordinary SDK. */
export function s3Environment(endpoint: string): Record<string, string> {
    return {
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_REGION: "eu-central-1",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_EC2_METADATA_DISABLED: "true",
    };
}

export async function startS3(kind: S3Kind = "plain"): Promise<LocalS3> {
    const port = await freePort();
    const folder = mkdtempSync(path.join(tmpdir(), "s3-"));
    const log = path.join(folder, "moto.log");
    // A file, not a pipe: nobody reads a pipe here.
    const output = openSync(log, "w");
    const [program = "", ...args] =
        kind === "moto" ? [motoServer, "-H", "127.0.0.1", "-p", String(port)] : [python, server, String(port), kind];
    const child = spawn(program, args, {
        stdio: ["ignore", output, output],
        env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
    });
    const endpoint = `http://127.0.0.1:${port}`;
    for (let tries = 0; !(await answers(endpoint)); tries++) {
        if (tries > 300 || child.exitCode !== null) {
            throw new Error(`moto_server does not answer at ${endpoint}: ${readFileSync(log, "utf-8").slice(-500)}`);
        }
        await sleep(100);
    }
    const client = s3Client(endpoint);
    let buckets = 0;
    const makeBucket = async (address: string): Promise<void> => {
        const CreateBucketConfiguration = { LocationConstraint: "eu-central-1" as const };
        await client.send(
            new CreateBucketCommand({ Bucket: address.slice("s3://".length), CreateBucketConfiguration }),
        );
    };
    return {
        endpoint,
        client,
        storage: new Storage(client),
        kill: async () => {
            await stopped(child);
            rmSync(folder, { recursive: true, force: true });
        },
        makeBucket,
        bucket: async () => {
            buckets += 1;
            const address = `s3://bucket-${buckets}`;
            await makeBucket(address);
            return address;
        },
    };
}

async function answers(endpoint: string): Promise<boolean> {
    try {
        // any answer is one: a busy endpoint refuses some
        return (await fetch(endpoint)).status > 0;
    } catch {
        return false;
    }
}

async function stopped(child: ChildProcess): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
        await new Promise<void>((resolve) => {
            child.once("exit", () => resolve());
            child.kill("SIGKILL");
        });
    }
}

export function freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
        const probe = createServer();
        probe.once("error", reject);
        probe.listen(0, "127.0.0.1", () => {
            const address = probe.address();
            probe.close(() =>
                typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
            );
        });
    });
}
