import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import { ToolError } from "../../ground/errors";
import { concurrently, downloadObject, listObjects } from "./transfer";

interface Index {
    readonly format: 1;
    /** Bucket to key to ETag; the content lies in objects/<ETag>. */
    readonly buckets: Record<string, Record<string, string>>;
}

/**
 * A durable copy of the object store, whose server keeps everything in memory. Objects are kept by their ETag and never
 * changed; one index, replaced in a single step after the content is there, says what belongs to the copy. So a copy is
 * either the old one or the new one, whenever the run is killed.
 */
export class Mirror {
    private saving: Promise<void> = Promise.resolve();

    /** @param keep which keys belong into the copy */
    public constructor(
        private readonly directory: string,
        private readonly keep: (key: string) => boolean = () => true,
    ) {}

    public async clear(): Promise<void> {
        await rm(this.directory, { recursive: true, force: true });
    }

    /** Number of objects in the copy. */
    public async size(): Promise<number> {
        const index = await this.read();
        return Object.values(index.buckets).reduce((sum, keys) => sum + Object.keys(keys).length, 0);
    }

    /** The copy's content, for a new server: bucket to key to file. Objects whose file was lost are left out. */
    public async objects(): Promise<Record<string, Record<string, string>>> {
        const index = await this.read();
        const stored = new Set(await readdir(path.join(this.directory, "objects")).catch(() => []));
        return Object.fromEntries(
            Object.entries(index.buckets).map(([bucket, keys]) => [
                bucket,
                Object.fromEntries(
                    Object.entries(keys)
                        .filter(([, etag]) => stored.has(etag))
                        .map(([key, etag]) => [key, this.object(etag)]),
                ),
            ]),
        );
    }

    /** Copies what changed since the last time. Calls are queued, never mixed. */
    public save(s3: S3Client, buckets: readonly string[]): Promise<void> {
        const result = this.saving.then(() => this.copy(s3, buckets));
        this.saving = result.catch(() => undefined);
        return result;
    }

    /** Removes content that the index no longer names. */
    public async prune(): Promise<void> {
        const index = await this.read();
        const used = new Set(Object.values(index.buckets).flatMap((keys) => Object.values(keys)));
        const stored = await readdir(path.join(this.directory, "objects")).catch(() => []);
        await concurrently(
            stored.filter((name) => !used.has(name)),
            (name) => rm(this.object(name), { force: true }),
        );
    }

    private async copy(s3: S3Client, buckets: readonly string[]): Promise<void> {
        const stored = new Set(await readdir(path.join(this.directory, "objects")).catch(() => []));
        const index: Index = { format: 1, buckets: {} };
        for (const bucket of buckets) {
            const objects = (await listObjects(s3, bucket)).filter(({ key }) => this.keep(key));
            const keys: Record<string, string> = Object.fromEntries(objects.map(({ key, etag }) => [key, etag]));
            // equal content is stored once, whatever it is called
            const missing = new Map(
                objects.filter(({ etag }) => !stored.has(etag)).map(({ key, etag }) => [etag, key]),
            );
            await concurrently(missing, async ([etag, key]) => {
                try {
                    await downloadObject(s3, { bucket, key }, this.object(etag), etag);
                    stored.add(etag);
                } catch (error) {
                    if (!["PreconditionFailed", "NoSuchKey"].includes((error as Error).name)) {
                        throw error;
                    }
                    // replaced or removed since the listing: the next save brings the new one
                    objects.filter((object) => object.etag === etag).forEach((object) => delete keys[object.key]);
                }
            });
            index.buckets[bucket] = keys;
        }
        await mkdir(this.directory, { recursive: true });
        const temporary = path.join(this.directory, "index.json.new");
        await writeFile(temporary, JSON.stringify(index));
        await rename(temporary, path.join(this.directory, "index.json"));
    }

    private object(etag: string): string {
        return path.join(this.directory, "objects", etag);
    }

    private async read(): Promise<Index> {
        const file = path.join(this.directory, "index.json");
        const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
            if (error.code === "ENOENT") {
                return undefined;
            }
            throw error;
        });
        if (text === undefined) {
            return { format: 1, buckets: {} };
        }
        try {
            return JSON.parse(text) as Index;
        } catch {
            throw new ToolError(`${file} is damaged; run with --fresh to start over.`);
        }
    }
}

export async function createBucket(s3: S3Client, bucket: string): Promise<void> {
    const region = await s3.config.region();
    try {
        await s3.send(
            new CreateBucketCommand({
                Bucket: bucket,
                CreateBucketConfiguration: region === "us-east-1" ? undefined : { LocationConstraint: region as never },
            }),
        );
    } catch (error) {
        if ((error as Error).name !== "BucketAlreadyOwnedByYou" && (error as Error).name !== "BucketAlreadyExists") {
            throw error;
        }
    }
}
