import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { S3Address } from "../../ground/s3Address";

export interface ListedObject {
    readonly key: string;
    readonly bytes: number;
    /** Without quotation marks. */
    readonly etag: string;
}

const CONCURRENCY = 8;

export async function listObjects(s3: S3Client, bucket: string, prefix = ""): Promise<ListedObject[]> {
    const objects: ListedObject[] = [];
    let token: string | undefined;
    do {
        const page = await s3.send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
        );
        for (const { Key, Size, ETag } of page.Contents ?? []) {
            objects.push({ key: Key as string, bytes: Size ?? 0, etag: (ETag ?? "").replaceAll('"', "") });
        }
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return objects;
}

/**
 * Writes beside the target and renames: an interrupted download leaves no file that looks whole.
 * With an ETag, an object that has changed since is refused by the store (PreconditionFailed).
 */
export async function downloadObject(s3: S3Client, address: S3Address, file: string, etag?: string): Promise<void> {
    await mkdir(path.dirname(file), { recursive: true });
    const temporary = `${file}.part-${process.pid}`;
    try {
        const response = await s3.send(
            new GetObjectCommand({ Bucket: address.bucket, Key: address.key, IfMatch: etag && `"${etag}"` }),
        );
        await pipeline(response.Body as Readable, createWriteStream(temporary));
        await rename(temporary, file);
    } catch (error) {
        await rm(temporary, { force: true });
        throw error;
    }
}

export async function uploadFile(s3: S3Client, file: string, address: S3Address): Promise<void> {
    // Opened once: a file that is replaced meanwhile is still read as it was, and one that is gone rejects here. A
    // stream that opens by itself would raise its error where nobody listens.
    const handle = await open(file);
    try {
        const { size } = await handle.stat();
        await s3.send(
            new PutObjectCommand({
                Bucket: address.bucket,
                Key: address.key,
                Body: size === 0 ? new Uint8Array() : handle.createReadStream({ autoClose: false, end: size - 1 }),
                ContentLength: size,
            }),
        );
    } finally {
        await handle.close();
    }
}

/** All regular files below a directory, relative to it, with `/`, sorted. */
export async function listFiles(directory: string): Promise<string[]> {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
        .sort();
}

/** Runs `work` over all items, a few at a time; the first error ends it. */
export async function concurrently<T>(
    items: Iterable<T>,
    work: (item: T) => Promise<void>,
    concurrency = CONCURRENCY,
): Promise<void> {
    const queue = [...items];
    let next = 0;
    let failed = false;
    await Promise.all(
        Array.from({ length: Math.min(concurrency, queue.length) }, async () => {
            while (next < queue.length && !failed) {
                const item = queue[next];
                next += 1;
                try {
                    await work(item);
                } catch (error) {
                    failed = true;
                    throw error;
                }
            }
        }),
    );
}

async function md5(file: string): Promise<string> {
    const hash = createHash("md5");
    await pipeline(createReadStream(file), hash);
    return hash.digest("hex");
}
