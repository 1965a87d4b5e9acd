/** Map: its processor, what a distributed one reads, batches and writes. */
import {
    ITEM_BATCHER_FIELDS,
    ITEM_READER_FIELDS,
    PROCESSOR_CONFIG_FIELDS,
    READER_CONFIG_FIELDS,
    RESULT_WRITER_FIELDS,
    WRITER_CONFIG_FIELDS,
    type Fields as KnownFields,
} from "../../fields";
import { innerGraphs } from "../../walk";
import { isFields } from "../definition";
import type { Node } from "../graph";
import { isReplaced } from "../placeholders";
import { show, type Place } from "./report";
import { checkNumber } from "./values";

const LONGEST_LABEL = 40;

export function checkMap(state: Place, node: Node): void {
    const { fields, language } = node;
    const isJsonata = language === "JSONata";
    const [inner] = innerGraphs(fields as unknown);
    if (inner === undefined) {
        const given = fields.ItemProcessor ?? fields.Iterator;
        if (given === undefined) {
            state.missing("ItemProcessor");
        } else {
            const name = fields.ItemProcessor === undefined ? "Iterator" : "ItemProcessor";
            const got = show(given);
            state.add("wrong-value", name, `The processor is ${got}, expected an object with StartAt and States.`);
        }
    }
    state.exclusive("ItemProcessor", "Iterator");
    state.exclusive("MaxConcurrency", "MaxConcurrencyPath");
    state.exclusive("ToleratedFailureCount", "ToleratedFailureCountPath");
    state.exclusive("ToleratedFailurePercentage", "ToleratedFailurePercentagePath");
    state.exclusive("ItemSelector", "Parameters");
    checkNumber(state, "MaxConcurrency", { least: 0 }, isJsonata);
    checkNumber(state, "ToleratedFailureCount", { least: 0 }, isJsonata);
    checkNumber(state, "ToleratedFailurePercentage", { least: 0, most: 100 }, isJsonata);
    checkProcessorConfig(state, node);
    if (inner !== undefined && !inner.isDistributed) {
        onlyDistributed(state);
    }
    checkReader(state, node);
    checkBatcher(state, node);
    checkWriter(state, node);
    const length = typeof fields.Label === "string" ? [...fields.Label].length : 0;
    if (length > LONGEST_LABEL) {
        state.add("wrong-value", "Label", `Label has ${length} characters; AWS takes at most ${LONGEST_LABEL}.`);
    }
}

function checkProcessorConfig(state: Place, node: Node): void {
    const { ItemProcessor: processor } = node.fields;
    const config = isFields(processor) ? processor.ProcessorConfig : undefined;
    if (config === undefined) {
        return;
    }
    const path = "ItemProcessor/ProcessorConfig";
    if (!isFields(config)) {
        state.add("wrong-value", path, `ProcessorConfig is ${show(config)}, expected an object.`);
        return;
    }
    const place = state.inside(path, "A ProcessorConfig", config);
    place.check(PROCESSOR_CONFIG_FIELDS, node.language);
    const { Mode: mode, ExecutionType: type } = config;
    if (mode !== undefined && mode !== "INLINE" && mode !== "DISTRIBUTED" && !isReplaced(mode)) {
        place.wrong("Mode", '"INLINE" or "DISTRIBUTED"');
    }
    if (mode === "DISTRIBUTED" && type !== "STANDARD" && type !== "EXPRESS" && !isReplaced(type)) {
        place.wrong("ExecutionType", '"STANDARD" or "EXPRESS" in DISTRIBUTED mode');
    }
}

function onlyDistributed(state: Place): void {
    for (const field of ["ItemReader", "ItemBatcher", "ResultWriter", "Label"]) {
        if (state.fields[field] !== undefined) {
            state.add(
                "exclusive-fields",
                field,
                `${field} works only in DISTRIBUTED mode; set ItemProcessor.ProcessorConfig.Mode.`,
            );
        }
    }
}

/** An object inside the state with its fields checked; undefined where there is none, or an expression instead. */
function part(
    state: Place,
    sub: string,
    what: string,
    value: unknown,
    set: KnownFields,
    node: Node,
): Place | undefined {
    if (value === undefined) {
        return undefined;
    }
    const isExpression = node.language === "JSONata" && typeof value === "string" && value.startsWith("{%");
    if (!isFields(value)) {
        if (!isExpression && !isReplaced(value)) {
            const name = sub.slice(sub.lastIndexOf("/") + 1);
            state.add("wrong-value", sub, `${name} is ${show(value)}, expected an object.`);
        }
        return undefined;
    }
    const place = state.inside(sub, what, value);
    place.check(set, node.language);
    return place;
}

function checkReader(state: Place, node: Node): void {
    const isJsonata = node.language === "JSONata";
    const reader = part(state, "ItemReader", "An ItemReader", node.fields.ItemReader, ITEM_READER_FIELDS, node);
    if (reader === undefined) {
        return;
    }
    if (reader.fields.Resource === undefined) {
        reader.missing("Resource");
    }
    const given = reader.fields.ReaderConfig;
    const config = part(reader, "ReaderConfig", "A ReaderConfig", given, READER_CONFIG_FIELDS, node);
    if (config === undefined) {
        return;
    }
    config.exclusive("MaxItems", "MaxItemsPath");
    checkNumber(config, "MaxItems", { least: 0, isWhole: true }, isJsonata);
    for (const field of ["InputType", "CSVHeaderLocation", "CSVDelimiter", "ManifestType", "Transformation"] as const) {
        config.oneOf(field, READER_CONFIG_FIELDS[field]);
    }
}

function checkBatcher(state: Place, node: Node): void {
    const isJsonata = node.language === "JSONata";
    const given = node.fields.ItemBatcher;
    const batcher = part(state, "ItemBatcher", "An ItemBatcher", given, ITEM_BATCHER_FIELDS, node);
    for (const field of batcher === undefined ? [] : ["MaxItemsPerBatch", "MaxInputBytesPerBatch"]) {
        batcher?.exclusive(field, `${field}Path`);
    }
    if (batcher !== undefined) {
        checkNumber(batcher, "MaxItemsPerBatch", { least: 1, isWhole: true }, isJsonata);
        checkNumber(batcher, "MaxInputBytesPerBatch", { least: 1, most: 262_144, isWhole: true }, isJsonata);
    }
}

function checkWriter(state: Place, node: Node): void {
    const given = node.fields.ResultWriter;
    const writer = part(state, "ResultWriter", "A ResultWriter", given, RESULT_WRITER_FIELDS, node);
    if (writer === undefined) {
        return;
    }
    const value = writer.fields.WriterConfig;
    const config = part(writer, "WriterConfig", "A WriterConfig", value, WRITER_CONFIG_FIELDS, node);
    config?.oneOf("Transformation", WRITER_CONFIG_FIELDS.Transformation);
    config?.oneOf("OutputType", WRITER_CONFIG_FIELDS.OutputType);
}
