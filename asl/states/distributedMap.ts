import { defined } from "../../ground/fields";
import type { JsonValue, MapState, ProcessorConfig } from "../types";
import { checkInteger, checkText } from "./bounds";
import { isExpression, type Expression, type Template } from "./jsonata";
import { MapNode, type MapOptions, type OwnFields } from "./map";
import type { StateNode } from "./node";
import { placeOf, type Permission } from "./permissions";

/** Objects of a bucket as items: the list of what lies below a prefix. */
export interface ObjectListReader {
    /** Each object below the prefix is an item. */
    readonly kind: "objects";
    /** Name of the bucket, 3 to 63 characters; plain, since the role is made for it. */
    readonly bucket: string;
    /** Default: the whole bucket. */
    readonly prefix?: string | Expression<string>;
    /** 1 to 100,000,000. Default: all. */
    readonly maxItems?: number | Expression<number>;
}

/** The entries of one object as items. */
export interface ObjectReader {
    /**
     * `csv`: a row is an item; `json`: a list; `jsonl`: a line; `manifest`: what an S3 inventory lists; `parquet`: a
     * row.
     */
    readonly kind: "csv" | "json" | "jsonl" | "manifest" | "parquet";
    /** Name of the bucket, 3 to 63 characters; plain, since the role is made for it. */
    readonly bucket: string;
    /** The object's key, at most 1,024 bytes. */
    readonly key: string | Expression<string>;
    /** 1 to 100,000,000. Default: all. */
    readonly maxItems?: number | Expression<number>;
    /** `csv` only: the columns' names. Default: the first row. */
    readonly headers?: readonly string[];
    /** `csv` only. Default: `COMMA`. */
    readonly delimiter?: "COMMA" | "PIPE" | "SEMICOLON" | "SPACE" | "TAB";
}

/** Several items for one iteration. At least one of the two bounds. */
export interface ItemBatcher {
    /** Items of a batch at most, from 1. Default: no bound but `maxBytes`. */
    readonly maxItems?: number | Expression<number>;
    /** Bytes of a batch at most, 1 to 262,144. Default: no bound but `maxItems`. */
    readonly maxBytes?: number | Expression<number>;
    /** What each batch gets besides `Items`, as `BatchInput`. Default: nothing. */
    readonly input?: Template;
}

/** Where the iterations' results are written, in place of the state's result, which then says where. */
export interface ResultWriter {
    /** Name of the bucket, 3 to 63 characters; plain, since the role is made for it. */
    readonly bucket: string;
    /** Where the results lie: below it a folder for each Map Run. */
    readonly prefix: string;
}

/** Iterations as executions of their own, up to 10,000 at a time, each with its own history. */
export interface DistributedMapOptions extends MapOptions {
    /**
     * The machine that the state is in: it starts its iterations itself. Computed from its name, since it does not
     * exist yet.
     */
    readonly stateMachineArn: string;
    /** A list, or an expression for one. Default: the state's input, where there is no reader. */
    readonly items?: Expression<readonly unknown[]> | readonly Template[];
    /** In place of `items`. Default: none. */
    readonly reader?: ObjectListReader | ObjectReader;
    /** Default: one item an iteration. */
    readonly batcher?: ItemBatcher;
    /** Default: none, results are the state's own and may have 256 KiB. */
    readonly writer?: ResultWriter;
    /**
     * What the iterations' executions are named after, 1 to 40 characters. Default: AWS makes one of the state's name.
     */
    readonly label?: string;
    /** `EXPRESS` iterations end within five minutes, and may run twice. Default: `STANDARD`. */
    readonly executionType?: "STANDARD" | "EXPRESS";
    /** Key of the buckets that are read and written. Default: none. */
    readonly kmsKeyArn?: string;
}

const INPUT_TYPES = { csv: "CSV", json: "JSON", jsonl: "JSONL", manifest: "MANIFEST", parquet: "PARQUET" } as const;

/** Source of the bounds: Step Functions Developer Guide, "Using Map state in Distributed mode". */
export class DistributedMap extends MapNode<DistributedMapOptions> {
    constructor(name: string, options: DistributedMapOptions) {
        super(name, options);
        const { reader, batcher, label, items } = options;
        const place = (field: string) => ({ state: name, field });
        const many = { min: 1, max: 100_000_000 };
        checkInteger(place("reader.maxItems"), reader?.maxItems, many);
        checkInteger(place("batcher.maxItems"), batcher?.maxItems, many);
        checkInteger(place("batcher.maxBytes"), batcher?.maxBytes, { min: 1, max: 262_144, unit: "bytes" });
        checkText(place("label"), label, {
            min: 1,
            max: 40,
            pattern: /^[^\s?*<>{}[\]:;,\\|^~$#%&`"\p{Cc}]+$/u,
            words: 'without blanks and none of ?*<>{}[]:;,\\|^~$#%&`"',
        });
        if (items !== undefined && reader !== undefined) {
            throw new Error(`state "${name}": items and reader must not both be given`);
        }
        if (batcher !== undefined && batcher.maxItems === undefined && batcher.maxBytes === undefined) {
            throw new Error(`state "${name}": batcher must have maxItems, maxBytes or both`);
        }
    }

    override with([states = []]: readonly (readonly StateNode[])[]): DistributedMap {
        return new DistributedMap(this.name, { ...this.options, states });
    }

    protected override processorConfig(): ProcessorConfig {
        return { Mode: "DISTRIBUTED", ExecutionType: this.options.executionType ?? "STANDARD" };
    }

    protected override own(): OwnFields {
        const { items, reader, batcher, writer, label } = this.options;
        // A rendered template is JSON; of which form, the typed arguments say.
        const json = <Part>(template: Template | undefined, field: string): Part | undefined =>
            template === undefined ? undefined : (this.json(template, field) as Part);
        return defined({
            Items: this.items(items),
            ItemReader: json<MapState["ItemReader"]>(
                reader === undefined ? undefined : this.itemReader(reader),
                "ItemReader",
            ),
            ItemBatcher: json<MapState["ItemBatcher"]>(
                batcher === undefined
                    ? undefined
                    : {
                          MaxItemsPerBatch: batcher.maxItems,
                          MaxInputBytesPerBatch: batcher.maxBytes,
                          BatchInput: batcher.input,
                      },
                "ItemBatcher",
            ),
            ResultWriter: json<MapState["ResultWriter"]>(
                writer === undefined
                    ? undefined
                    : {
                          Resource: this.s3("putObject"),
                          Arguments: { Bucket: writer.bucket, Prefix: writer.prefix },
                      },
                "ResultWriter",
            ),
            Label: label,
        });
    }

    private s3(call: string): string {
        return `arn:${placeOf(this.options.stateMachineArn).partition}:states:::s3:${call}`;
    }

    private itemReader(reader: ObjectListReader | ObjectReader): Template {
        if (reader.kind === "objects") {
            return {
                Resource: this.s3("listObjectsV2"),
                ReaderConfig: reader.maxItems === undefined ? undefined : { MaxItems: reader.maxItems },
                Arguments: { Bucket: reader.bucket, Prefix: reader.prefix },
            };
        }
        const isCsv = reader.kind === "csv";
        return {
            Resource: this.s3("getObject"),
            ReaderConfig: {
                InputType: INPUT_TYPES[reader.kind],
                CSVHeaderLocation: isCsv ? headerLocation(reader) : undefined,
                CSVHeaders: isCsv ? reader.headers : undefined,
                CSVDelimiter: isCsv ? reader.delimiter : undefined,
                MaxItems: reader.maxItems,
            },
            Arguments: { Bucket: reader.bucket, Key: reader.key },
        };
    }

    override permissions(): readonly Permission[] {
        const { stateMachineArn, reader, writer, kmsKeyArn } = this.options;
        const { partition, region, account, resource } = placeOf(stateMachineArn);
        const machine = resource.replace(/^stateMachine:/, "");
        const executions = `arn:${partition}:states:${region}:${account}:execution:${machine}`;
        const permissions: Permission[] = [
            ...super.permissions(),
            { actions: ["states:StartExecution"], resources: [stateMachineArn] },
            {
                actions: ["states:DescribeExecution", "states:StopExecution"],
                resources: [`${executions}:*`],
                reason: "every iteration is an execution with a name of its own",
            },
            {
                actions: ["states:RedriveExecution"],
                resources: [`${executions}/*:*`],
                reason: "a redrive starts the failed iterations of a Map Run, whose name is AWS's",
            },
        ];
        if (reader !== undefined) {
            permissions.push(readPermission(partition, reader));
        }
        if (writer !== undefined) {
            permissions.push(writePermission(partition, writer));
        }
        if (kmsKeyArn !== undefined) {
            permissions.push({ actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [kmsKeyArn] });
        }
        return permissions;
    }
}

function headerLocation({ headers }: ObjectReader): JsonValue {
    return headers === undefined ? "FIRST_ROW" : "GIVEN";
}

function readPermission(partition: string, reader: ObjectListReader | ObjectReader): Permission {
    const bucket = `arn:${partition}:s3:::${reader.bucket}`;
    if (reader.kind === "objects") {
        const { prefix } = reader;
        const isPlain = prefix !== undefined && !isExpression(prefix);
        const conditions = isPlain ? { StringLike: { "s3:prefix": `${prefix}*` } } : undefined;
        return defined({ actions: ["s3:ListBucket"], resources: [bucket], conditions });
    }
    if (reader.kind === "manifest" || isExpression(reader.key)) {
        const reason = "the key is computed when it runs, or read in the manifest";
        return { actions: ["s3:GetObject"], resources: [`${bucket}/*`], reason };
    }
    return { actions: ["s3:GetObject"], resources: [`${bucket}/${reader.key}`] };
}

function writePermission(partition: string, { bucket, prefix }: ResultWriter): Permission {
    return {
        actions: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
        resources: [`arn:${partition}:s3:::${bucket}/${prefix.replace(/\/+$/, "")}/*`],
        reason: "the files of a Map Run lie below its own id",
    };
}
