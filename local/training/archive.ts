import { copyFile, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import * as tar from "tar";
import { listFiles } from "../storage/transfer";

/**
 * Several hosts' directories as one, as SageMaker makes one archive of them. Two hosts that write the same path with
 * different content are refused: on SageMaker one of the two would silently win.
 */
export async function mergeHosts(
    directories: readonly { readonly host: string; readonly directory: string }[],
    target: string,
): Promise<void> {
    const owners = new Map<string, { host: string; file: string }>();
    await mkdir(target, { recursive: true });
    for (const { host, directory } of directories) {
        for (const name of await listFiles(directory)) {
            const file = path.join(directory, name);
            const owner = owners.get(name);
            if (owner !== undefined) {
                if ((await readFile(file)).equals(await readFile(owner.file))) {
                    continue;
                }
                throw new Error(
                    `hosts ${owner.host} and ${host} both wrote ${name}, with different content: one of them would ` +
                        "be lost; " +
                        "every host must write under a folder of its own (fold-<k>/)",
                );
            }
            owners.set(name, { host, file });
            await mkdir(path.dirname(path.join(target, name)), { recursive: true });
            await copyFile(file, path.join(target, name));
        }
    }
}

/** A tar.gz of all files below a directory; equal files give equal bytes. */
export async function makeArchive(directory: string, file: string): Promise<void> {
    const files = await listFiles(directory);
    if (files.length === 0) {
        // node-tar refuses an empty list; an empty archive is two zero blocks
        await tar.c({ file, cwd: directory, gzip: true, portable: true, mtime: new Date(0) }, ["."]);
        return;
    }
    await tar.c({ file, cwd: directory, gzip: true, portable: true, mtime: new Date(0), noDirRecurse: true }, files);
}
