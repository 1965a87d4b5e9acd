/**
 * Reads SageMaker's archives without trusting them: what is no plain file or folder below the archive's root is
 * refused, and so is one that unpacks to more than its bounds.
 */
import * as tar from "tar";
import { DataError, messageOf } from "../common/errors";
import { translate } from "../common/storage";

export interface ArchiveLimits {
    readonly files: number;
    /** Unpacked bytes of all files. */
    readonly bytes: number;
}

export const archiveLimits: ArchiveLimits = { files: 100_000, bytes: 64 * 1024 ** 3 };

/**
 * Unpacks a tar.gz into an existing folder.
 * @param name what to call it in messages.
 * @throws DataError for a damaged or unsafe archive, StorageError for a full disk.
 */
export async function unpack(
    file: string,
    folder: string,
    name: string,
    limits: ArchiveLimits = archiveLimits,
): Promise<void> {
    let files = 0;
    let bytes = 0;
    let unsafe: string | undefined;
    const allowed = (path: string, entry: tar.ReadEntry): boolean => {
        const parts = path.split(/[/\\]/);
        if (
            entry.type !== "File" &&
            entry.type !== "OldFile" &&
            entry.type !== "Directory" &&
            entry.type !== "ContiguousFile"
        ) {
            unsafe ??= `${JSON.stringify(path)} is a ${entry.type}, expected files and folders only`;
        } else if (path.startsWith("/") || /^[A-Za-z]:/.test(path) || parts.includes("..") || path.includes("\0")) {
            unsafe ??= `${JSON.stringify(path)} leads out of the archive`;
        }
        files += 1;
        bytes += entry.size;
        if (files > limits.files || bytes > limits.bytes) {
            unsafe ??= `it holds more than ${files > limits.files ? `${limits.files} files` : `${limits.bytes} bytes`}`;
        }
        return unsafe === undefined;
    };
    try {
        await tar.extract({
            file,
            cwd: folder,
            strict: true,
            preserveOwner: false,
            noMtime: true,
            filter: (path, entry) => allowed(path, entry as tar.ReadEntry),
        });
    } catch (error) {
        if (unsafe === undefined) {
            const told = translate(`unpack ${name}`, error);
            const disk = /^E(NOSPC|DQUOT|ROFS|MFILE)$/.test(String((error as { code?: unknown }).code));
            throw disk
                ? told
                : new DataError(`${name} is damaged (${messageOf(error)}); train the model again (force)`);
        }
    }
    if (unsafe !== undefined) {
        throw new DataError(`${name} is refused: ${unsafe}`);
    }
    if (files === 0) {
        throw new DataError(`${name} is empty or no archive; train the model again (force)`);
    }
}
