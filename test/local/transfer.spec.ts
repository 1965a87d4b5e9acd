import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import type { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { uploadFile } from "../../local/storage/transfer";

describe("uploading a file that somebody is replacing", () => {
    let folder: string;

    beforeEach(() => {
        folder = mkdtempSync(path.join(tmpdir(), "transfer-"));
    });

    afterEach(() => rmSync(folder, { recursive: true }));

    /** A client that reads the body only after `before` has run, and keeps what it read. */
    function client(before: () => void, kept: string[]): S3Client {
        return {
            send: async (command: PutObjectCommand) => {
                before();
                await new Promise((resolve) => setTimeout(resolve, 20));
                const chunks: Buffer[] = [];
                for await (const chunk of command.input.Body as Readable) {
                    chunks.push(chunk as Buffer);
                }
                kept.push(Buffer.concat(chunks).toString());
            },
        } as unknown as S3Client;
    }

    it("sends the file as it was when it was opened", async () => {
        const file = path.join(folder, "state.npz");
        writeFileSync(file, "old");
        const kept: string[] = [];
        await uploadFile(
            client(() => {
                writeFileSync(`${file}.part`, "the new one");
                renameSync(`${file}.part`, file);
            }, kept),
            file,
            { bucket: "b", key: "k" },
        );
        assert.deepEqual(kept, ["old"]);
    });

    it("rejects with ENOENT, and raises nothing elsewhere, when the file is gone", async () => {
        await assert.rejects(
            uploadFile(
                client(() => undefined, []),
                path.join(folder, ".state.npz.part"),
                { bucket: "b", key: "k" },
            ),
            (error: NodeJS.ErrnoException) => error.code === "ENOENT",
        );
    });
});
