/**
 * An ItemReader: where a distributed Map's items are in S3. The task handler stands for S3: for getObject it answers
 * `{ Body: text }`, for listObjectsV2 `{ Contents: [...] }`, page by page where it gives a NextContinuationToken.
 */
import { adopt, isObject, render, takeIn, type Scope } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { CompiledIo, CompiledMap } from "../compile/compiled";
import { valueOf } from "../execution/failures";
import { askHandler } from "../execution/ask";
import type { Frame } from "../execution/frame";
import { StateFailure, STOPPED } from "../failure";
import { numeric } from "./fields";
import { csvLines, itemsIn, underHeaders } from "./formats";
import { listed, type Item } from "./items";

const GET = "arn:aws:states:::s3:getObject";

/** @throws States.ItemReaderFailed. */
export async function readItems(frame: Frame, map: CompiledMap, scope: Scope): Promise<Item[]> {
    const reader = map.reader as CompiledIo;
    const most = await mostItems(reader, scope);
    const args = await render(reader.arguments, scope);
    try {
        const items = await new Reader(frame, reader, isObject(args) ? args : {}).items();
        const taken = most === 0 ? items : items.slice(0, most);
        return taken.map((item, Index) => ({ ...item, Index, Value: adopt(item.Value) }));
    } catch (error) {
        throw error === STOPPED ? error : readerFailure(error instanceof Error ? error.message : String(error));
    }
}

function readerFailure(cause: string): StateFailure {
    return new StateFailure("States.ItemReaderFailed", cause);
}

/** ReaderConfig's MaxItems or MaxItemsPath; 0 means all. */
async function mostItems(reader: CompiledIo, scope: Scope): Promise<number> {
    const field = reader.maxItems;
    if (field === undefined) {
        return 0;
    }
    const found = numeric(await valueOf(field, scope));
    if (found === undefined || !Number.isInteger(found)) {
        throw readerFailure("field MaxItems must be an integer");
    }
    if (found < 0) {
        throw readerFailure("field MaxItems must be positive");
    }
    return found;
}

class Reader {
    private readonly config: JsonObject;

    constructor(
        private readonly frame: Frame,
        private readonly reader: CompiledIo,
        private readonly args: JsonObject,
    ) {
        this.config = reader.config;
    }

    async items(): Promise<Item[]> {
        if (this.reader.resource?.endsWith("listObjectsV2") === true) {
            return this.listedObjects();
        }
        const text = await this.text(this.args);
        if (this.config.ManifestType === "ATHENA_DATA") {
            return this.athenaFiles(text);
        }
        return this.config.InputType === "MANIFEST" ? this.inventory(text) : itemsIn(text, this.config);
    }

    /** The text of an object. */
    private async text(place: JsonObject): Promise<string> {
        const resource = this.reader.resource?.endsWith("getObject") === true ? this.reader.resource : GET;
        const answer = takeIn(await askHandler(this.frame, "ItemReader", resource, place));
        const body = isObject(answer) ? answer.Body : answer;
        if (typeof body === "string") {
            return body;
        }
        return JSON.stringify(body ?? null);
    }

    /** What listObjectsV2 says of each object; with LOAD_AND_FLATTEN the items in all of them. */
    private async listedObjects(): Promise<Item[]> {
        const objects: JsonValue[] = [];
        let token: JsonValue | undefined;
        do {
            const args: JsonObject = token === undefined ? this.args : { ...this.args, ContinuationToken: token };
            const answer = takeIn(await askHandler(this.frame, "ItemReader", this.reader.resource as string, args));
            const page = isObject(answer) ? answer : {};
            if (Array.isArray(page.Contents)) {
                objects.push(...page.Contents);
            }
            token = page.NextContinuationToken;
        } while (typeof token === "string");
        if (this.config.Transformation !== "LOAD_AND_FLATTEN") {
            return listed(objects);
        }
        const places = objects.map((object) => ({ Bucket: this.args.Bucket ?? null, Key: keyOf(object) }));
        return this.flattened(places, (text) => itemsIn(text, this.config));
    }

    private async flattened(places: readonly JsonObject[], read: (text: string) => Item[]): Promise<Item[]> {
        const items: Item[] = [];
        for (const place of places) {
            items.push(...read(await this.text(place)));
        }
        return items;
    }

    /** An Athena manifest: a line for every file of the data. */
    private athenaFiles(text: string): Promise<Item[]> {
        const places = csvLines(text, ",").map(([address]) => placeOf(address ?? ""));
        return this.flattened(places, (body) => itemsIn(body, this.config));
    }

    /** An S3 inventory: its manifest names CSV files (unpacked by the handler), each a row an object. */
    private inventory(text: string): Promise<Item[]> {
        const manifest = JSON.parse(text) as JsonObject;
        const headers = String(manifest.fileSchema ?? "")
            .split(",")
            .map((name) => name.trim());
        const bucket = String(manifest.destinationBucket ?? "").replace(/^arn:[^:]*:s3:::/u, "");
        const files = Array.isArray(manifest.files) ? manifest.files : [];
        const places = files.map((file) => ({ Bucket: bucket, Key: isObject(file) ? (file.key ?? null) : null }));
        return this.flattened(places, (body) => listed(underHeaders(headers, csvLines(body, ","))));
    }
}

function keyOf(object: JsonValue): JsonValue {
    return isObject(object) ? (object.Key ?? null) : null;
}

/** `s3://bucket/key` as a place. */
function placeOf(address: string): JsonObject {
    const found = /^s3:\/\/([^/]+)\/(.+)$/u.exec(address.trim());
    if (found === null) {
        throw new Error(`The manifest names ${JSON.stringify(address)}, which is no address in S3.`);
    }
    return { Bucket: found[1] ?? null, Key: found[2] ?? null };
}
