/**
 * What stands for the content of data: checksums, which S3 keeps of objects. An ETag does not: in a bucket with KMS
 * keys equal bytes get
 * another one at every write. A listing has no checksums, so each object is asked for once, and the answers are kept
 * by the objects' versions.
 */
import { createHash } from "node:crypto";
import pMap from "p-map";
import * as z from "zod";
import { joinS3 } from "../../ground/s3Address";
import { isData, sha256, type IdentifiedObject, type ListedObject } from "../../workflow/keys";
import { DataError, messageOf, PermissionError } from "./errors";
import type { Storage } from "./storage";

/** Objects asked for at the same time: S3 answers thousands a second. */
const CONCURRENCY = 64;
/** Objects without a checksum, which S3 took before it made them, are read up to so many bytes in all. */
const MAXIMUM_READ_BYTES = 2 * 1024 ** 3;
/** No more are remembered: what is read back must fit into a function's memory. */
const MAXIMUM_REMEMBERED = 250_000;

const rememberedSchema = z.object({
    format: z.literal(1),
    /** By key: ETag, size, checksum. */
    objects: z.record(z.string(), z.tuple([z.string(), z.number(), z.string()])),
});

type Remembered = z.infer<typeof rememberedSchema>["objects"];

export interface Checksums {
    readonly objects: readonly IdentifiedObject[];
    /** How many objects have no checksum and were too many to read: their ETag stands for them. */
    readonly unknown: number;
}

/** Where the checksums of a data set are remembered, below an execution's target. */
export function checksumsAddress(target: string, prefix: string): string {
    return joinS3(target, "checksums", `${sha256(prefix).slice(0, 32)}.json`);
}

/**
 * The checksums of a data set's objects.
 * @param remembered where earlier answers are kept; undefined: nowhere.
 */
export async function checksumsOf(
    storage: Storage,
    prefix: string,
    objects: readonly ListedObject[],
    remembered: string | undefined,
): Promise<Checksums> {
    const known = remembered === undefined ? {} : await recall(storage, remembered);
    const reader = new Reader(storage);
    let fresh = 0;
    const identified = await pMap(
        objects.filter(({ key }) => isData(key)),
        async (object): Promise<IdentifiedObject> => {
            const { key, bytes, etag } = object;
            const earlier = Object.hasOwn(known, key) ? known[key] : undefined;
            if (earlier !== undefined && earlier[0] === etag && earlier[1] === bytes) {
                return { key, bytes, checksum: earlier[2] };
            }
            fresh += 1;
            return { key, bytes, checksum: await reader.checksum(`${joinS3(prefix)}/${key}`, object) };
        },
        { concurrency: CONCURRENCY },
    );
    if (remembered !== undefined && fresh > 0 && identified.length <= MAXIMUM_REMEMBERED) {
        const etags = new Map(objects.map(({ key, etag }) => [key, etag]));
        const entries = identified.map(({ key, bytes, checksum }) => [key, [etags.get(key), bytes, checksum]]);
        await storage.put(remembered, JSON.stringify({ format: 1, objects: Object.fromEntries(entries) }));
    }
    return { objects: identified, unknown: reader.unknown };
}

/** What was remembered; nothing where that cannot be read, since it can be found out again. */
async function recall(storage: Storage, uri: string): Promise<Remembered> {
    try {
        const parsed = rememberedSchema.safeParse(await storage.json(uri));
        return parsed.success ? parsed.data.objects : {};
    } catch (error) {
        if (error instanceof DataError || error instanceof PermissionError) {
            console.log(`note: ${messageOf(error)}`);
            return {};
        }
        throw error;
    }
}

/** Finds out checksums, and reads what has none within its bound. */
class Reader {
    unknown = 0;
    private bytes = 0;

    constructor(private readonly storage: Storage) {}

    async checksum(uri: string, { bytes, etag }: ListedObject): Promise<string> {
        const found = await this.storage.head(uri);
        if (found === undefined || found.etag !== etag) {
            throw new DataError(
                `${uri} ${found === undefined ? "is gone" : "was written again"} since it was listed; ` +
                    "start again when nobody writes to the data",
            );
        }
        if (found.checksum !== undefined) {
            return found.checksum;
        }
        this.bytes += bytes;
        if (this.bytes > MAXIMUM_READ_BYTES) {
            this.unknown += 1;
            return `ETag:${etag}`;
        }
        const hash = createHash("sha256");
        for await (const chunk of await this.storage.stream(uri)) {
            hash.update(chunk);
        }
        return `SHA256:${hash.digest("base64")}`;
    }
}
