/**
 * What an execution left in S3, read for a report: from S3 itself, or from the folder in which a local run keeps it.
 */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import * as tar from "tar";
import { DataError, PermissionError } from "../workloads/common/errors";
import { isMissing, locate, type Storage } from "../workloads/common/storage";

/** Something that a report wants and cannot have; the message is the reason. */
export class Unavailable extends DataError {}

export interface ArtefactReader {
    /**
     * An object's bytes.
     * @throws Unavailable where it is not there, may not be read, or has more than `maximumBytes`.
     */
    read(uri: string, maximumBytes: number): Promise<Buffer>;
}

/** Reads S3. */
export function bucketReader(storage: Storage): ArtefactReader {
    return {
        read: async (uri, maximumBytes) => {
            const { bucket, key } = locate(uri);
            try {
                return await storage.send(`read ${uri}`, async () => {
                    const answer = await storage.client.send(
                        new GetObjectCommand({ Bucket: bucket, Key: key }),
                        storage.options,
                    );
                    const body = answer.Body;
                    if (body === undefined || (answer.ContentLength ?? 0) > maximumBytes) {
                        (body as { destroy?: () => void } | undefined)?.destroy?.();
                        throw tooLarge(uri, answer.ContentLength ?? 0, maximumBytes);
                    }
                    return Buffer.from(await body.transformToByteArray());
                });
            } catch (error) {
                if (error instanceof Unavailable || !(error instanceof Error)) {
                    throw error;
                }
                if (isMissing(error)) {
                    throw new Unavailable(`there is no ${uri}`, { cause: error });
                }
                throw error instanceof PermissionError
                    ? new Unavailable(`no permission: ${error.message}`, { cause: error })
                    : error;
            }
        },
    };
}

/** Reads what {@link keepingReader} kept. */
export function folderReader(directory: string): ArtefactReader {
    return {
        read: async (uri, maximumBytes) => {
            const file = fileOf(directory, uri);
            try {
                const { size } = await stat(file);
                if (size > maximumBytes) {
                    throw tooLarge(uri, size, maximumBytes);
                }
                return await readFile(file);
            } catch (error) {
                if (["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) {
                    throw new Unavailable(`there is no ${uri}`, { cause: error });
                }
                throw error;
            }
        },
    };
}

/** Reads through another reader and keeps all that was read below a folder. */
export function keepingReader(reader: ArtefactReader, directory: string): ArtefactReader {
    return {
        read: async (uri, maximumBytes) => {
            const bytes = await reader.read(uri, maximumBytes);
            const file = fileOf(directory, uri);
            await mkdir(path.dirname(file), { recursive: true });
            await writeFile(file, bytes);
            return bytes;
        },
    };
}

function tooLarge(uri: string, bytes: number, maximumBytes: number): Unavailable {
    return new Unavailable(`${uri} has ${bytes} bytes, a report reads at most ${maximumBytes}`);
}

function fileOf(directory: string, uri: string): string {
    const { bucket, key } = locate(uri);
    const base = path.join(directory, bucket);
    const file = path.join(base, key);
    if (!file.startsWith(`${base}${path.sep}`)) {
        throw new Unavailable(`${uri} leads out of the folder`);
    }
    return file;
}

export interface ArchiveLimits {
    readonly entries: number;
    /** Unpacked bytes of all entries, and of one that is wanted. */
    readonly bytes: number;
    readonly entryBytes: number;
}

const archiveLimits: ArchiveLimits = { entries: 100_000, bytes: 1024 ** 3, entryBytes: 64 * 1024 ** 2 };

/**
 * Text files of a tar.gz by their path, read in memory: nothing is written, so that no path can lead anywhere. Links
 * and other special entries are passed over.
 * @throws Unavailable for a damaged archive and one beyond its limits.
 */
export async function readArchive(
    archive: Uint8Array,
    wanted: (path: string) => boolean,
    limits: ArchiveLimits = archiveLimits,
): Promise<ReadonlyMap<string, string>> {
    const files = new Map<string, string>();
    let [entries, bytes] = [0, 0];
    await new Promise<void>((resolve, reject) => {
        const refuse = (why: string): void => {
            reject(new Unavailable(why));
            parser.abort(new Error(why));
        };
        const parser: tar.Parser = new tar.Parser({
            strict: true,
            onReadEntry: (entry) => {
                const name = entry.path.replace(/^(\.\/)+/, "");
                entries += 1;
                bytes += entry.size;
                const take = (entry.type === "File" || entry.type === "OldFile") && wanted(name);
                if (entries > limits.entries || bytes > limits.bytes || (take && entry.size > limits.entryBytes)) {
                    refuse(`it holds more than a report reads (${entries} entries, ${bytes} bytes)`);
                    return;
                }
                const chunks: Buffer[] = [];
                entry.on("data", (chunk: Buffer) => (take ? void chunks.push(chunk) : undefined));
                entry.on("end", () =>
                    take ? void files.set(name, Buffer.concat(chunks).toString("utf8")) : undefined,
                );
            },
        });
        parser.on("error", (error: unknown) => reject(new Unavailable(`it is damaged (${(error as Error).message})`)));
        parser.on("end", () => resolve());
        parser.end(Buffer.from(archive));
    });
    if (entries === 0) {
        throw new Unavailable("it is empty or no archive");
    }
    return files;
}
