/**
 * S3 for functions and jobs: any endpoint that speaks S3, errors that say what was done to which object.
 */
import { setMaxListeners } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
    CopyObjectCommand,
    DeleteObjectCommand,
    GetBucketLifecycleConfigurationCommand,
    GetObjectCommand,
    HeadObjectCommand,
    ListObjectsV2Command,
    PutObjectCommand,
    S3Client,
} from "@aws-sdk/client-s3";
import type {
    HeadObjectCommandOutput,
    LifecycleRule,
    ListObjectsV2CommandInput,
    ListObjectsV2CommandOutput,
    PutObjectCommandInput,
    S3ClientConfig,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { defined } from "../../ground/fields";
import { parseS3Address, type S3Address } from "../../ground/s3Address";
import type { StoredObject } from "../../workflow/contract";
import type { ListedObject } from "../../workflow/keys";
import { bareEtag } from "../../workflow/keys";
import { DataError, PermissionError, StorageError, messageOf } from "./errors";

/** As {@link parseS3Address}; a wrong address is wrong data to the jobs. @throws DataError */
export function locate(uri: string): S3Address {
    try {
        return parseS3Address(uri);
    } catch (error) {
        throw new DataError(messageOf(error));
    }
}

/**
 * Whether two objects hold the same bytes, wherever they lie: by their checksums, else by ETags, which only say so
 * where they are equal.
 */
export function sameContent(a: StoredObject, b: StoredObject): boolean {
    const algorithm = (object: StoredObject) => object.checksum?.split(":")[0];
    if (a.checksum !== undefined && algorithm(a) === algorithm(b)) {
        return a.bytes === b.bytes && a.checksum === b.checksum;
    }
    return a.bytes === b.bytes && a.etag === b.etag;
}

/**
 * A client for the environment: where an endpoint is configured (AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL) buckets are
 * addressed by path, since such endpoints have no host name a bucket.
 */
export function createS3(overrides: S3ClientConfig = {}): S3Client {
    const endpoint = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
    return new S3Client(
        defined({
            endpoint: endpoint === undefined || endpoint === "" ? undefined : endpoint,
            forcePathStyle: endpoint === undefined || endpoint === "" ? undefined : true,
            region: (process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION) ? undefined : "us-east-1",
            // Not every endpoint knows the newer trailing checksums.
            requestChecksumCalculation: "WHEN_REQUIRED",
            responseChecksumValidation: "WHEN_REQUIRED",
            maxAttempts: 4,
            requestHandler: { connectionTimeout: 5_000, requestTimeout: 120_000, throwOnRequestTimeout: true },
            ...overrides,
        }),
    );
}

/** An object as S3 describes it. */
export interface FoundObject extends StoredObject {
    /** When it was written: lifecycle rules count from then. */
    readonly modified: Date;
}

/** An object of a listing. */
export interface ListedVersion extends ListedObject {
    readonly modified: Date;
}

/** Every request under way listens to the signal, and there are more than the ten that Node takes for a leak. */
function listenedToByMany(signal: AbortSignal | undefined): void {
    if (signal !== undefined) {
        setMaxListeners(0, signal);
    }
}

/** What an answer of S3 calls something, relative to the prefix that was asked for. */
function nameIn({ EncodingType, Prefix = "" }: ListObjectsV2CommandOutput, key = ""): string {
    const name = EncodingType === "url" ? decodeURIComponent(key.replace(/\+/g, " ")) : key;
    return name.slice(Prefix.length);
}

/** The objects of an answer, without folder markers. */
function listedObjects(answer: ListObjectsV2CommandOutput): ListedVersion[] {
    return (answer.Contents ?? [])
        .map(({ Key, Size = 0, ETag = "", LastModified = new Date(0) }) => ({
            key: nameIn(answer, Key),
            bytes: Size,
            etag: bareEtag(ETag),
            modified: LastModified,
        }))
        .filter(({ key }) => key !== "" && !key.endsWith("/"));
}

/** Storage with one abort signal for everything it does. */
export class Storage {
    constructor(
        readonly client: S3Client,
        private readonly signal?: AbortSignal,
    ) {
        listenedToByMany(signal);
    }

    /**
     * All objects below a prefix (a folder: `a` does not list `ab/`), keys relative to it, in S3's order; folder
     * markers are left out.
     */
    async *list(prefix: string): AsyncGenerator<ListedVersion> {
        for await (const answer of this.pages(prefix)) {
            yield* listedObjects(answer);
        }
    }

    /** Names of the folders directly below a prefix, without what lies in them. */
    async folders(prefix: string): Promise<string[]> {
        const names: string[] = [];
        for await (const answer of this.pages(prefix, "/")) {
            const found = answer.CommonPrefixes ?? [];
            names.push(...found.map((one) => nameIn(answer, one.Prefix).replace(/\/$/, "")));
        }
        return names;
    }

    private async *pages(prefix: string, delimiter?: string): AsyncGenerator<ListObjectsV2CommandOutput> {
        const { bucket, key } = locate(prefix);
        let token: string | undefined;
        do {
            const query: ListObjectsV2CommandInput = {
                Bucket: bucket,
                Prefix: key === "" ? "" : `${key.replace(/\/+$/, "")}/`,
                Delimiter: delimiter,
                ContinuationToken: token,
                // Names may hold what XML cannot: ask for them encoded.
                EncodingType: "url",
            };
            const answer = await this.send(`list ${prefix}`, () =>
                this.client.send(new ListObjectsV2Command(query), this.options),
            );
            // The answer's own prefix is encoded as well, or is not: what was asked for is known.
            yield { ...answer, Prefix: query.Prefix };
            token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
        } while (token !== undefined);
    }

    /** Size, ETag, checksum and age of an object, or undefined where there is none. */
    async head(uri: string): Promise<FoundObject | undefined> {
        const { bucket, key } = locate(uri);
        const command = new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" });
        const answer = await this.unlessMissing(`look at ${uri}`, () => this.client.send(command, this.options));
        return answer === undefined ? undefined : describe(uri, answer);
    }

    /** An object's text, or undefined where there is none. Refuses more than `maximumBytes` (default 64 MiB). */
    async text(uri: string, maximumBytes?: number): Promise<string | undefined> {
        const bytes = await this.bytes(uri, maximumBytes);
        return bytes === undefined ? undefined : textOf(bytes);
    }

    /** As {@link text}, undecoded. */
    async bytes(uri: string, maximumBytes?: number): Promise<Uint8Array | undefined> {
        return (await this.get(uri, maximumBytes))?.bytes;
    }

    private async get(
        uri: string,
        maximumBytes = 64 * 1024 * 1024,
    ): Promise<{ readonly bytes: Uint8Array; readonly etag: string } | undefined> {
        const { bucket, key } = locate(uri);
        const command = new GetObjectCommand({ Bucket: bucket, Key: key });
        return this.unlessMissing(`read ${uri}`, async () => {
            const answer = await this.client.send(command, this.options);
            if ((answer.ContentLength ?? 0) > maximumBytes) {
                (answer.Body as Readable | undefined)?.destroy();
                throw new DataError(
                    `${uri} has ${answer.ContentLength} bytes, at most ${maximumBytes} are read; is it the right file?`,
                );
            }
            return {
                bytes: (await answer.Body?.transformToByteArray()) ?? new Uint8Array(),
                etag: bareEtag(answer.ETag ?? ""),
            };
        });
    }

    /** As {@link send}; undefined where the object is not there. */
    private async unlessMissing<T>(what: string, operation: () => Promise<T>): Promise<T | undefined> {
        try {
            return await this.send(what, operation);
        } catch (error) {
            if (isMissing(error)) {
                return undefined;
            }
            throw error;
        }
    }

    /** An object's bytes as they come. @throws DataError where there is none. */
    async stream(uri: string): Promise<AsyncIterable<Uint8Array>> {
        const { bucket, key } = locate(uri);
        const answer = await this.send(`read ${uri}`, () =>
            this.client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), this.options),
        );
        return answer.Body as Readable;
    }

    /** An object's JSON, or undefined where there is none. A text that is no JSON is a DataError. */
    async json(uri: string, maximumBytes?: number): Promise<unknown> {
        return (await this.version(uri, maximumBytes))?.value;
    }

    /** As {@link json}, with the ETag that {@link replaceJson} asks for. */
    async version(
        uri: string,
        maximumBytes?: number,
    ): Promise<{ readonly value: unknown; readonly etag: string } | undefined> {
        const read = await this.get(uri, maximumBytes);
        if (read === undefined) {
            return undefined;
        }
        try {
            return { value: JSON.parse(textOf(read.bytes)), etag: read.etag };
        } catch (error) {
            throw new DataError(
                `${uri} is no JSON (${messageOf(error)}); write it again by running the step that makes it`,
            );
        }
    }

    async put(
        uri: string,
        body: string | Uint8Array,
        contentType = "application/json",
        condition: Pick<PutObjectCommandInput, "IfMatch" | "IfNoneMatch"> = {},
    ): Promise<StoredObject> {
        const { bucket, key } = locate(uri);
        const answer = await this.send(`write ${uri}`, () =>
            this.client.send(
                new PutObjectCommand({
                    Bucket: bucket,
                    Key: key,
                    Body: body,
                    ContentType: contentType,
                    ...condition,
                }),
                this.options,
            ),
        );
        return { uri, bytes: Buffer.byteLength(body), etag: bareEtag(answer.ETag ?? "") };
    }

    async putJson(uri: string, value: unknown): Promise<StoredObject> {
        return this.put(uri, jsonText(value));
    }

    /**
     * Writes where the object is still the one that was read.
     * @param etag of the object that was read; undefined: there was none.
     * @returns whether it was written; false: somebody else wrote meanwhile.
     */
    async replaceJson(uri: string, value: unknown, etag: string | undefined): Promise<boolean> {
        try {
            await this.put(
                uri,
                jsonText(value),
                undefined,
                etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: `"${etag}"` },
            );
            return true;
        } catch (error) {
            if (isOvertaken(error)) {
                return false;
            }
            throw error;
        }
    }

    /**
     * The lifecycle rules of a bucket that are switched on; none where it has none.
     * @throws PermissionError where the role may not ask for them.
     */
    async lifecycleRules(bucket: string): Promise<readonly LifecycleRule[]> {
        try {
            const answer = await this.send(`read the lifecycle rules of ${bucket}`, () =>
                this.client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }), this.options),
            );
            return (answer.Rules ?? []).filter(({ Status }) => Status === "Enabled");
        } catch (error) {
            if (isMissing(error)) {
                return [];
            }
            throw error;
        }
    }

    /** Removes an object; nothing happens where there is none. */
    async remove(uri: string): Promise<void> {
        const { bucket, key } = locate(uri);
        await this.send(`remove ${uri}`, () =>
            this.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), this.options),
        );
    }

    /** Uploads a file, in parts where it is large. */
    async upload(uri: string, file: string): Promise<void> {
        const { bucket, key } = locate(uri);
        await this.send(`write ${uri}`, async () => {
            const { size } = await stat(file);
            const upload = new Upload({
                client: this.client,
                // 10,000 parts are S3's most.
                partSize: Math.max(8 * 1024 * 1024, Math.ceil(size / 9_000)),
                params: { Bucket: bucket, Key: key, Body: createReadStream(file) },
            });
            const abort = () => void upload.abort();
            this.signal?.addEventListener("abort", abort, { once: true });
            try {
                await upload.done();
            } finally {
                this.signal?.removeEventListener("abort", abort);
            }
        });
    }

    /**
     * Downloads exactly the object that was recorded, into a file. The file is removed where this fails.
     * @throws DataError where the object is gone or another one lies there.
     */
    async download(object: StoredObject, file: string): Promise<void> {
        const { bucket, key } = locate(object.uri);
        try {
            await this.send(`read ${object.uri}`, async () => {
                const answer = await this.client.send(
                    new GetObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" }),
                    this.options,
                );
                const found = describe(object.uri, answer);
                if (!sameContent(found, object)) {
                    (answer.Body as Readable).destroy();
                    throw new DataError(
                        `${object.uri} is not the object that was registered (bytes ${found.bytes}, registered ` +
                            `${object.bytes}; ` +
                            `ETag ${found.etag}, registered ${object.etag}): train the model again (force)`,
                    );
                }
                await pipeline(answer.Body as Readable, createWriteStream(file), { signal: this.signal });
            });
        } catch (error) {
            await rm(file, { force: true });
            if (isMissing(error)) {
                throw new DataError(`${object.uri} does not exist any more: train the model again (force)`);
            }
            throw error;
        }
    }

    /** One CopyObject; `etag` of the source must still hold. For objects of at most 5 GiB. */
    async copy(source: string, etag: string, target: string): Promise<StoredObject & { readonly copied: true }> {
        const to = locate(target);
        const answer = await this.send(`copy ${source} to ${target}`, () =>
            this.client.send(
                new CopyObjectCommand({
                    Bucket: to.bucket,
                    Key: to.key,
                    CopySource: copySource(source),
                    CopySourceIfMatch: `"${etag}"`,
                }),
                this.options,
            ),
        );
        return { uri: target, bytes: 0, etag: bareEtag(answer.CopyObjectResult?.ETag ?? ""), copied: true };
    }

    /** The same storage for what must be written even though a stop was asked for. */
    get unstoppable(): Storage {
        return new Storage(this.client);
    }

    get options(): { abortSignal?: AbortSignal } {
        return this.signal === undefined ? {} : { abortSignal: this.signal };
    }

    /**
     * Runs one operation; what fails is told as DataError, PermissionError or StorageError with what was being done.
     */
    async send<T>(what: string, operation: () => Promise<T>): Promise<T> {
        try {
            return await operation();
        } catch (error) {
            if (error instanceof DataError || this.signal?.aborted === true) {
                throw error;
            }
            throw translate(what, error);
        }
    }
}

type Description = Pick<
    HeadObjectCommandOutput,
    | "ContentLength"
    | "ETag"
    | "LastModified"
    | "ChecksumType"
    | "ChecksumSHA256"
    | "ChecksumSHA1"
    | "ChecksumCRC64NVME"
    | "ChecksumCRC32C"
    | "ChecksumCRC32"
>;

function describe(uri: string, answer: Description): FoundObject {
    return {
        uri,
        bytes: answer.ContentLength ?? 0,
        etag: bareEtag(answer.ETag ?? ""),
        checksum: checksumOf(answer),
        modified: answer.LastModified ?? new Date(0),
    };
}

const CHECKSUMS = [
    ["ChecksumSHA256", "SHA256"],
    ["ChecksumSHA1", "SHA1"],
    ["ChecksumCRC64NVME", "CRC64NVME"],
    ["ChecksumCRC32C", "CRC32C"],
    ["ChecksumCRC32", "CRC32"],
] as const;

/**
 * The checksum of an object's whole content, as `<algorithm>:<base64>`; undefined where S3 has none, or only one of
 * its parts'
 * checksums (COMPOSITE, in older answers with `-<parts>` at its end), which differs with the size of the parts.
 */
function checksumOf(answer: Description): string | undefined {
    if (answer.ChecksumType === "COMPOSITE") {
        return undefined;
    }
    for (const [field, algorithm] of CHECKSUMS) {
        const value = answer[field];
        if (value !== undefined && !value.includes("-")) {
            return `${algorithm}:${value}`;
        }
    }
    return undefined;
}

function textOf(bytes: Uint8Array): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function jsonText(value: unknown): string {
    return `${JSON.stringify(value, null, 2)}\n`;
}

/** A conditional write was refused: the object is another one, is gone, or is being written just now. */
function isOvertaken(error: unknown): boolean {
    const { name } = (error instanceof Error && error.cause !== undefined ? error.cause : error) as { name?: string };
    return name === "PreconditionFailed" || name === "ConditionalRequestConflict" || isMissing(error);
}

/** CopySource: bucket and key, each part of the key encoded. */
export function copySource(uri: string): string {
    const { bucket, key } = locate(uri);
    return `${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** The error stands for "there is no such object". */
export function isMissing(error: unknown): boolean {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const { name, $metadata } = cause as { name?: string; $metadata?: { httpStatusCode?: number } };
    return (
        name === "NotFound" || name === "NoSuchKey" || ($metadata?.httpStatusCode === 404 && name !== "NoSuchBucket")
    );
}

const diskErrors: Readonly<Record<string, string>> = {
    ENOSPC: "the disk is full: raise jobs.<job>.ephemeralGb in the stage's configuration, or free some space",
    EDQUOT: "the disk quota is used up: free some space",
    EROFS: "the disk is read-only",
    EMFILE: "too many open files",
    EFBIG: "the file is larger than the file system or the process's limit (ulimit -f) allows",
    ENOTDIR: "a part of the path is a file where a folder is needed",
    EISDIR: "there is a folder where a file is needed",
};

/** What S3 says of credentials that no longer count, with status 400. */
const EXPIRED = new Set(["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken"]);

/** What a failed operation means, in one line. */
export function translate(what: string, error: unknown): Error {
    const { name, code, $metadata } = error as {
        name?: string;
        code?: string;
        $metadata?: { httpStatusCode?: number };
    };
    const status = $metadata?.httpStatusCode;
    const said =
        messageOf(error) ||
        (error instanceof AggregateError ? error.errors.map(messageOf).join(", ") : "") ||
        code ||
        name ||
        "no message";
    if (code !== undefined && code in diskErrors) {
        return new StorageError(`could not ${what}: ${diskErrors[code]} (${said})`, { cause: error });
    }
    if (name === "NoSuchBucket") {
        return new DataError(`could not ${what}: the bucket does not exist; correct the path`, { cause: error });
    }
    if (name === "PreconditionFailed" || status === 412) {
        return new DataError(
            `could not ${what}: the source changed meanwhile; start the run again when nobody writes to it`,
            { cause: error },
        );
    }
    if (name === "KeyTooLongError") {
        return new DataError(
            `could not ${what}: the key has more than 1,024 bytes; choose shorter names or a shorter path`,
            {
                cause: error,
            },
        );
    }
    if (name !== undefined && EXPIRED.has(name)) {
        return new PermissionError(`could not ${what}: ${said}; get new credentials, then start again`, {
            cause: error,
        });
    }
    if (status === 403 || name === "AccessDenied" || name === "Forbidden" || name === "CredentialsProviderError") {
        return new PermissionError(
            `could not ${what}: ${name === "Forbidden" ? "access denied" : said}; allow it in the role, or correct ` +
                "the path",
            { cause: error },
        );
    }
    return new StorageError(
        `could not ${what}: ${said}${status === undefined ? "" : ` (HTTP ${status})`}; the storage is at fault, ` +
            "start again",
        { cause: error },
    );
}
