import type { JsonObject, JsonValue } from "../../types";
import type { CompiledBatcher, CompiledGraph, CompiledIo, CompiledMap, CompiledState } from "./compiled";
import { dynamic, template, type Raw } from "./parts";

/** The Map's own fields; its processor is compiled already. */
export function compileMap(
    { jsonata }: CompiledState,
    raw: Raw,
    processor: CompiledGraph,
    distributed: boolean,
): CompiledMap {
    const selector = raw.ItemSelector === undefined ? "Parameters" : "ItemSelector";
    return {
        processor,
        distributed,
        label: typeof raw.Label === "string" ? raw.Label : undefined,
        items: dynamic(raw, "Items", jsonata),
        selector: template(raw[selector], selector, jsonata),
        maxConcurrency: dynamic(raw, "MaxConcurrency", jsonata),
        toleratedCount: dynamic(raw, "ToleratedFailureCount", jsonata),
        toleratedPercentage: dynamic(raw, "ToleratedFailurePercentage", jsonata),
        reader: io(raw.ItemReader, "ItemReader", "ReaderConfig", jsonata),
        writer: io(raw.ResultWriter, "ResultWriter", "WriterConfig", jsonata),
        batcher: batcherOf(raw.ItemBatcher as Raw | undefined, jsonata),
    };
}

function io(raw: JsonValue | undefined, field: string, configField: string, jsonata: boolean): CompiledIo | undefined {
    if (raw === undefined) {
        return undefined;
    }
    const { Resource, ...parts } = raw as JsonObject;
    const config = (parts[configField] as JsonObject | undefined) ?? {};
    const given = jsonata ? "Arguments" : "Parameters";
    return {
        resource: typeof Resource === "string" ? Resource : undefined,
        arguments: template(parts[given] ?? parts.Parameters, `${field}/${given}`, jsonata) ?? { constant: {} },
        config,
        maxItems: dynamic(config, "MaxItems", jsonata),
    };
}

function batcherOf(raw: Raw | undefined, jsonata: boolean): CompiledBatcher | undefined {
    if (raw === undefined) {
        return undefined;
    }
    return {
        input: template(raw.BatchInput, "ItemBatcher/BatchInput", jsonata),
        maxItems: dynamic(raw, "MaxItemsPerBatch", jsonata),
        maxBytes: dynamic(raw, "MaxInputBytesPerBatch", jsonata),
    };
}
