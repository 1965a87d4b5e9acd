/**
 * What a copy has done so far, beside the copy. In a bucket with KMS keys a copy's ETag says nothing about its
 * content, so that a listing
 * alone cannot tell what is there already: the journal says of which version of the source each object is a copy.
 */
import { joinS3 } from "../../ground/s3Address";
import type { ListedObject } from "../../workflow/keys";
import type { Storage } from "../common/storage";

/** Copies that a hard end (SIGKILL, a lost host) can make forgotten: they are made again. */
const PER_PART = 500;

export interface CopiedObject {
    readonly key: string;
    readonly bytes: number;
    /** ETag of the source. */
    readonly from: string;
    /** ETag of the copy. */
    readonly to: string;
}

export class CopyJournal {
    private readonly copied = new Map<string, CopiedObject>();
    private open: CopiedObject[] = [];
    private parts = 0;

    private constructor(
        private readonly storage: Storage,
        private readonly folder: string,
    ) {}

    /** Reads what earlier runs of the same copy have done. @param folder where its parts lie. */
    static async open(storage: Storage, folder: string): Promise<CopyJournal> {
        const journal = new CopyJournal(storage, folder);
        for await (const { key } of storage.list(folder)) {
            const lines = (await storage.text(joinS3(folder, key))) ?? "";
            for (const line of lines.split("\n").filter((one) => one !== "")) {
                const object = JSON.parse(line) as CopiedObject;
                journal.copied.set(object.key, object);
            }
            journal.parts = Math.max(journal.parts, Number.parseInt(key, 10) || 0);
        }
        return journal;
    }

    /** Whether the object that lies there is a copy of this version of its source. */
    holds(source: ListedObject, there: ListedObject | undefined): boolean {
        if (there === undefined || there.bytes !== source.bytes) {
            return false;
        }
        const copied = this.copied.get(source.key);
        return there.etag === source.etag || (copied?.from === source.etag && copied.to === there.etag);
    }

    async add(object: CopiedObject): Promise<void> {
        this.open.push(object);
        if (this.open.length >= PER_PART) {
            await this.write();
        }
    }

    /** Writes down the rest, also where the job was told to stop. */
    async close(): Promise<void> {
        if (this.open.length > 0) {
            await this.write();
        }
    }

    private async write(): Promise<void> {
        const lines = this.open.map((object) => `${JSON.stringify(object)}\n`).join("");
        this.open = [];
        this.parts += 1;
        const part = joinS3(this.folder, `${String(this.parts).padStart(6, "0")}.jsonl`);
        await this.storage.unstoppable.put(part, lines, "application/x-ndjson");
    }
}
