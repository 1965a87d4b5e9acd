/** The items in the text of an object in S3. Sources: recordings; Developer Guide, "ItemReader (Map)". */
import { parse as parseCsv } from "csv-parse/sync";
import { isObject, setKey } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import { listed, pairs, type Item } from "./items";

/** @throws an Error whose message is the cause of States.ItemReaderFailed. */
export function itemsIn(text: string, config: JsonObject): Item[] {
    switch (config.InputType) {
        case "JSONL":
            return listed(
                text
                    .split("\n")
                    .filter((line) => line.trim() !== "")
                    .map(parsed),
            );
        case "CSV":
            return listed(csvRows(text, config));
        default:
            return iterable(pointed(parsed(text), config.ItemsPointer));
    }
}

function parsed(text: string): JsonValue {
    return JSON.parse(text) as JsonValue;
}

function iterable(value: JsonValue | undefined): Item[] {
    if (Array.isArray(value)) {
        return listed(value);
    }
    if (isObject(value)) {
        return pairs(value);
    }
    throw new Error("Attempting to map over non-iterable node.");
}

/** The value at a JSON Pointer (RFC 6901). */
function pointed(value: JsonValue, pointer: JsonValue | undefined): JsonValue | undefined {
    if (typeof pointer !== "string") {
        return value;
    }
    let current: JsonValue | undefined = value;
    for (const step of pointer.split("/").slice(1)) {
        const name = step.replace(/~1/gu, "/").replace(/~0/gu, "~");
        const inside: JsonValue | undefined = current;
        if (typeof inside !== "object" || inside === null || !Object.hasOwn(inside, name)) {
            throw new Error(`The ItemsPointer ${pointer} leads nowhere in the object.`);
        }
        current = (inside as JsonObject)[name];
    }
    return current;
}

const DELIMITERS: ReadonlyMap<string, string> = new Map([
    ["COMMA", ","],
    ["PIPE", "|"],
    ["SEMICOLON", ";"],
    ["SPACE", " "],
    ["TAB", "\t"],
]);

/** Rows under their headers: what is missing at a row's end is "", what is too much is left away (recorded). */
function csvRows(text: string, config: JsonObject): JsonObject[] {
    const rows = csvLines(text, DELIMITERS.get(String(config.CSVDelimiter ?? "COMMA")) ?? ",");
    const headers = config.CSVHeaderLocation === "GIVEN" ? (config.CSVHeaders as string[]) : (rows.shift() ?? []);
    return underHeaders(headers, rows);
}

export function csvLines(text: string, delimiter: string): string[][] {
    return parseCsv(text, { bom: true, delimiter, relax_column_count: true, skip_empty_lines: true });
}

export function underHeaders(headers: readonly string[], rows: readonly (readonly string[])[]): JsonObject[] {
    if (new Set(headers).size < headers.length) {
        throw new Error("CSV headers cannot contain duplicates.");
    }
    return rows.map((row) => {
        const item: JsonObject = {};
        headers.forEach((header, index) => setKey(item, header, row[index] ?? ""));
        return item;
    });
}
