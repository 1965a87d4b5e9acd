/**
 * Copies inside S3: the bytes never come here. One call up to 5 GiB, parts above.
 */
import {
    AbortMultipartUploadCommand,
    CompleteMultipartUploadCommand,
    CreateMultipartUploadCommand,
    UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import pMap from "p-map";
import type { StoredObject } from "../../workflow/contract";
import { bareEtag } from "../../workflow/keys";
import { copySource, locate } from "../common/storage";
import type { Storage } from "../common/storage";

export interface CopyLimits {
    /** CopyObject takes at most this many bytes. */
    readonly single: number;
    /** Bytes of a part; S3 takes 5 MiB to 5 GiB and at most 10,000 parts. */
    readonly part: number;
}

export const s3Limits: CopyLimits = { single: 5 * 1024 ** 3, part: 512 * 1024 ** 2 };

/** Copies one object if the source is still the one that was listed. Returns the copy's size and ETag. */
export async function copyObject(
    storage: Storage,
    source: StoredObject,
    target: string,
    limits: CopyLimits = s3Limits,
): Promise<StoredObject> {
    if (source.bytes <= limits.single) {
        const { etag } = await storage.copy(source.uri, source.etag, target);
        return { uri: target, bytes: source.bytes, etag };
    }
    const { bucket, key } = locate(target);
    return storage.send(`copy ${source.uri} to ${target}`, async () => {
        const created = await storage.client.send(
            new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }),
            storage.options,
        );
        const upload = { Bucket: bucket, Key: key, UploadId: created.UploadId };
        try {
            const size = Math.max(limits.part, Math.ceil(source.bytes / 10_000));
            const ranges = Array.from({ length: Math.ceil(source.bytes / size) }, (_, index) => index);
            const parts = await pMap(
                ranges,
                async (index) => {
                    const last = Math.min((index + 1) * size, source.bytes) - 1;
                    const answer = await storage.client.send(
                        new UploadPartCopyCommand({
                            ...upload,
                            PartNumber: index + 1,
                            CopySource: copySource(source.uri),
                            CopySourceIfMatch: `"${source.etag}"`,
                            CopySourceRange: `bytes=${index * size}-${last}`,
                        }),
                        storage.options,
                    );
                    return { PartNumber: index + 1, ETag: answer.CopyPartResult?.ETag };
                },
                { concurrency: 4 },
            );
            const completed = await storage.client.send(
                new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }),
                storage.options,
            );
            return { uri: target, bytes: source.bytes, etag: bareEtag(completed.ETag ?? "") };
        } catch (error) {
            // Parts of an upload that nobody completes are billed; the bucket's lifecycle removes what this misses.
            await storage.client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
            throw error;
        }
    });
}
