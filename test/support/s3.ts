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

const server = path.resolve(__dirname, "../../.venv/bin/moto_server");

export interface LocalS3 {
    readonly endpoint: string;
    /** Kills the server, as a dead endpoint. */
    readonly kill: () => Promise<void>;
    readonly client: S3Client;
    readonly storage: Storage;
    /** Makes a bucket of its own and gives its s3:// address. */
    readonly bucket: () => Promise<string>;
}

/** Hooks for a suite; the getter gives the server while its tests run. Skips the suite, saying so, where moto is not installed. */
export function useS3(): () => LocalS3 {
    let running: LocalS3 | undefined;
    before(async function () {
        this.timeout(60_000);
        if (!existsSync(server)) {
            console.log("      skipped: moto is not installed in .venv; run `npm test`, which installs it");
            this.skip();
        }
        running = await startS3();
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

export function s3Client(endpoint: string, options: { readonly maxAttempts?: number } = {}): S3Client {
    return new S3Client({
        endpoint,
        forcePathStyle: true,
        region: "eu-central-1",
        credentials: { accessKeyId: "test", secretAccessKey: "test" },
        requestChecksumCalculation: "WHEN_REQUIRED",
        responseChecksumValidation: "WHEN_REQUIRED",
        maxAttempts: 2,
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

export async function startS3(): Promise<LocalS3> {
    const port = await freePort();
    const folder = mkdtempSync(path.join(tmpdir(), "s3-"));
    const log = path.join(folder, "moto.log");
    // A file, not a pipe: nobody reads a pipe here.
    const output = openSync(log, "w");
    const child = spawn(server, ["-H", "127.0.0.1", "-p", String(port)], {
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
    return {
        endpoint,
        client,
        storage: new Storage(client),
        kill: async () => {
            await stopped(child);
            rmSync(folder, { recursive: true, force: true });
        },
        bucket: async () => {
            const name = `bucket-${++buckets}`;
            await client.send(
                new CreateBucketCommand({
                    Bucket: name,
                    CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
                }),
            );
            return `s3://${name}`;
        },
    };
}

async function answers(endpoint: string): Promise<boolean> {
    try {
        return (await fetch(`${endpoint}/moto-api/`)).ok;
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

function freePort(): Promise<number> {
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
