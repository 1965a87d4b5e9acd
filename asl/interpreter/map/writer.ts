/** A ResultWriter that exports to S3. Source: Developer Guide, "ResultWriter (Map)". */
import { isObject, render, type Scope } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { CompiledIo } from "../compile/compiled";
import { askHandler } from "../execution/ask";
import type { Frame } from "../execution/frame";
import { StateFailure, STOPPED } from "../failure";
import { isSuccess, transformed, type ChildResult } from "./results";

/**
 * Writes the results by status and the manifest that names their files.
 * @returns the Map's output: where the manifest is.
 */
export async function writeResults(
    frame: Frame,
    writer: CompiledIo,
    scope: Scope,
    mapRunArn: string,
    results: readonly ChildResult[],
): Promise<JsonValue> {
    const given = await render(writer.arguments, scope);
    const place = isObject(given) ? given : {};
    const prefix = typeof place.Prefix === "string" && place.Prefix !== "" ? `${place.Prefix}/` : "";
    const folder = `${prefix}${mapRunArn.split(":").pop()}`;
    const put = (key: string, body: string): Promise<JsonValue> =>
        askHandler(frame, "ResultWriter", writer.resource as string, { ...place, Key: key, Body: body });
    try {
        const files: JsonObject = { FAILED: [], PENDING: [], SUCCEEDED: [] };
        for (const [status, group] of byStatus(results)) {
            const file = fileOf(group, folder, status, writer.config);
            await put(file.key, file.body);
            files[status] = [{ Key: file.key, Size: Buffer.byteLength(file.body) }];
        }
        const manifest = { DestinationBucket: place.Bucket ?? null, MapRunArn: mapRunArn, ResultFiles: files };
        await put(`${folder}/manifest.json`, JSON.stringify(manifest));
    } catch (error) {
        throw error === STOPPED ? error : writerFailure(error);
    }
    const details = { Bucket: place.Bucket ?? null, Key: `${folder}/manifest.json` };
    return { MapRunArn: mapRunArn, ResultWriterDetails: details };
}

function writerFailure(error: unknown): StateFailure {
    return new StateFailure("States.ResultWriterFailed", error instanceof Error ? error.message : String(error));
}

function byStatus(results: readonly ChildResult[]): [status: string, group: readonly ChildResult[]][] {
    const groups: [string, readonly ChildResult[]][] = [
        ["SUCCEEDED", results.filter(isSuccess)],
        ["FAILED", results.filter((result) => !isSuccess(result))],
    ];
    return groups.filter(([, group]) => group.length > 0);
}

function fileOf(
    group: readonly ChildResult[],
    folder: string,
    status: string,
    config: JsonObject,
): { readonly key: string; readonly body: string } {
    const values = transformed(group, String(config.Transformation ?? "NONE"));
    const lines = config.OutputType === "JSONL";
    const body = lines ? values.map((value) => `${JSON.stringify(value)}\n`).join("") : JSON.stringify(values);
    return { key: `${folder}/${status}_0.${lines ? "jsonl" : "json"}`, body };
}
