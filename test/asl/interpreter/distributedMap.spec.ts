import assert from "node:assert/strict";
import { TaskError, type TaskHandler } from "../../../asl/interpreter/index";
import type { JsonValue } from "../../../asl/types";
import { jsonata, machine, run, types } from "./helpers";

const PROCESSOR = {
    ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
    StartAt: "P",
    States: { P: { Type: "Pass", End: true } },
};

/** A Map that reads the object of the given text. */
function reading(config: object, more: object = {}): object {
    const reader = { Resource: "arn:aws:states:::s3:getObject", Parameters: { Bucket: "b", Key: "k" } };
    return {
        Type: "Map",
        ItemReader: { ...reader, ReaderConfig: config },
        ItemProcessor: PROCESSOR,
        End: true,
        ...more,
    };
}

function object(text: string): TaskHandler {
    return async (request) => {
        assert.equal(request.purpose, "ItemReader");
        return { Body: text };
    };
}

async function items(config: object, text: string, input: JsonValue = {}): Promise<JsonValue | undefined> {
    const result = await run(machine({ M: reading(config) }), input, object(text));
    assert.equal(result.status, "SUCCEEDED", result.cause);
    return result.output;
}

const CSV = { InputType: "CSV", CSVHeaderLocation: "FIRST_ROW" };

describe("a distributed Map's ItemReader", () => {
    it("pads a CSV row that is too short with empty text and cuts one that is too long", async () => {
        assert.deepEqual(await items(CSV, "a,b\n1\n1,2,3\n"), [
            { a: "1", b: "" },
            { a: "1", b: "2" },
        ]);
    });

    it("takes at most MaxItems or MaxItemsPath items, and all for 0", async () => {
        for (const [most, expected] of [
            [1, 1],
            [0, 3],
            [9, 3],
        ]) {
            const config = { InputType: "JSON", MaxItems: most };
            assert.equal(((await items(config, "[1,2,3]")) as JsonValue[]).length, expected);
            const byPath = { InputType: "JSON", MaxItemsPath: "$.most" };
            assert.equal(((await items(byPath, "[1,2,3]", { most })) as JsonValue[]).length, expected);
        }
    });

    it("takes MaxItems as a JSONata expression", async () => {
        const reader = { Resource: "arn:aws:states:::s3:getObject", Arguments: { Bucket: "b", Key: "k" } };
        const config = { InputType: "JSON", MaxItems: "{% $states.input.most %}" };
        const map = {
            Type: "Map",
            ItemReader: { ...reader, ReaderConfig: config },
            ItemProcessor: PROCESSOR,
            End: true,
        };
        assert.deepEqual((await run(jsonata({ M: map }), { most: 2 }, object("[1,2,3]"))).output, [1, 2]);
    });

    it("fails the Map run when the object cannot be read, and a catcher may take that", async () => {
        const failures: readonly (readonly [object, string, RegExp])[] = [
            [CSV, "a,a\n1,2\n", /^CSV headers cannot contain duplicates\.$/u],
            [{ InputType: "JSON", MaxItems: -1 }, "[]", /^field MaxItems must be positive$/u],
            [{ InputType: "JSON" }, "[", /JSON/u],
        ];
        for (const [config, text, cause] of failures) {
            const failed = await run(machine({ M: reading(config) }), {}, object(text));
            assert.equal(failed.error, "States.ItemReaderFailed");
            assert.match(failed.cause ?? "", cause);
            assert.deepEqual(types(failed).slice(2), [
                "MapStateStarted",
                "MapRunStarted",
                "MapRunFailed",
                "MapStateFailed",
                "ExecutionFailed",
            ]);
            const Catch = [{ ErrorEquals: ["States.ItemReaderFailed"], Next: "C" }];
            const caught = await run(
                machine({ M: reading(config, { Catch }), C: { Type: "Succeed" } }),
                {},
                object(text),
            );
            assert.equal(caught.status, "SUCCEEDED");
        }
    });

    it("fails with what S3 says of an object that is not there", async () => {
        const failed = await run(machine({ M: reading({ InputType: "JSON" }) }), {}, async () => {
            throw new TaskError("S3.NoSuchKeyException", "The specified key does not exist.");
        });
        assert.equal(failed.error, "States.ItemReaderFailed");
        assert.match(failed.cause ?? "", /The specified key does not exist/u);
    });
});

/** Objects of a bucket, as the handler answers for S3. */
function bucket(objects: Readonly<Record<string, string>>, pageSize = 1000): TaskHandler {
    return async (request): Promise<JsonValue> => {
        const { Key, Prefix, ContinuationToken } = request.arguments as Readonly<Record<string, string | undefined>>;
        if (request.resource.endsWith("getObject")) {
            const Body = objects[Key ?? ""];
            if (Body === undefined) {
                throw new TaskError("S3.NoSuchKeyException", `no ${Key}`);
            }
            return { Body };
        }
        const keys = Object.keys(objects).filter((key) => key.startsWith(Prefix ?? ""));
        const from = Number(ContinuationToken ?? 0);
        const page = keys.slice(from, from + pageSize).map((key) => ({ Key: key, Size: objects[key]?.length ?? 0 }));
        return from + pageSize < keys.length
            ? { Contents: page, NextContinuationToken: String(from + pageSize) }
            : { Contents: page };
    };
}

function listing(config: object): object {
    const reader = { Resource: "arn:aws:states:::s3:listObjectsV2", Parameters: { Bucket: "b", Prefix: "in/" } };
    return { Type: "Map", ItemReader: { ...reader, ReaderConfig: config }, ItemProcessor: PROCESSOR, End: true };
}

describe("the items of an ItemReader", () => {
    it("are the descriptions of listed objects, page by page", async () => {
        const objects = { "in/a": "1", "in/b": "22", "out/c": "333" };
        for (const size of [1, 2, 1000]) {
            const result = await run(machine({ M: listing({}) }), {}, bucket(objects, size));
            assert.deepEqual(result.output, [
                { Key: "in/a", Size: 1 },
                { Key: "in/b", Size: 2 },
            ]);
        }
    });

    it("are what is in all listed objects with LOAD_AND_FLATTEN", async () => {
        const config = { InputType: "JSON", Transformation: "LOAD_AND_FLATTEN" };
        const objects = bucket({ "in/a": "[1,2]", "in/b": "[3]" });
        assert.deepEqual((await run(machine({ M: listing(config) }), {}, objects)).output, [1, 2, 3]);
    });

    it("are the lines of JSONL", async () => {
        assert.deepEqual(await items({ InputType: "JSONL" }, '{"a":1}\n\n2\n'), [{ a: 1 }, 2]);
    });

    it("lie where an ItemsPointer points, and a pointer that leads nowhere fails the reader", async () => {
        const text = JSON.stringify({ "a/b": { list: [1, 2] } });
        assert.deepEqual(await items({ InputType: "JSON", ItemsPointer: "/a~1b/list" }, text), [1, 2]);
        const failed = await run(machine({ M: reading({ InputType: "JSON", ItemsPointer: "/no" }) }), {}, object(text));
        assert.deepEqual([failed.error, /ItemsPointer/u.test(failed.cause ?? "")], ["States.ItemReaderFailed", true]);
    });

    it("are an object's entries as pairs, with the key in the context object", async () => {
        assert.deepEqual(await items({ InputType: "JSON" }, '{"a":1,"b":2}'), [
            { Key: "a", Value: 1 },
            { Key: "b", Value: 2 },
        ]);
        const selector = { "k.$": "$$.Map.Item.Key", "v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index" };
        const map = { Type: "Map", ItemsPath: "$.o", ItemSelector: selector, ItemProcessor: PROCESSOR, End: true };
        const result = await run(machine({ M: map }), { o: { x: "y" } });
        assert.deepEqual(result.output, [{ k: "x", v: "y", i: 0 }]);
    });

    it("are no text and no number", async () => {
        const failed = await run(machine({ M: reading({ InputType: "JSON" }) }), {}, object('"text"'));
        assert.equal(failed.cause, "Attempting to map over non-iterable node.");
    });

    it("are the rows of the files that an S3 inventory names", async () => {
        const manifest = {
            destinationBucket: "arn:aws:s3:::inventories",
            fileSchema: "Bucket, Key",
            files: [{ key: "f1" }, { key: "f2" }],
        };
        const objects = { k: JSON.stringify(manifest), f1: '"b","x"\n', f2: '"b","y"\n"b","z"\n' };
        const result = await run(machine({ M: reading({ InputType: "MANIFEST" }) }), {}, bucket(objects));
        assert.deepEqual(result.output, [
            { Bucket: "b", Key: "x" },
            { Bucket: "b", Key: "y" },
            { Bucket: "b", Key: "z" },
        ]);
    });

    it("are in the files that an Athena manifest names", async () => {
        const objects = { "k": '"s3://data/x/1"\n"s3://data/2"\n', "x/1": "a\n1\n", "2": "a\n2\n" };
        const config = { InputType: "CSV", CSVHeaderLocation: "FIRST_ROW", ManifestType: "ATHENA_DATA" };
        const result = await run(machine({ M: reading(config) }), {}, bucket(objects));
        assert.deepEqual(result.output, [{ a: "1" }, { a: "2" }]);
    });

    it("are refused, before anything runs, in a format that is not simulated", async () => {
        const map = reading({ InputType: "PARQUET" });
        await assert.rejects(run(machine({ M: map })), /ReaderConfig\.InputType "PARQUET" is not simulated/u);
    });
});

describe("a distributed Map's ResultWriter", () => {
    const fails = {
        ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
        StartAt: "C",
        States: {
            C: { Type: "Choice", Choices: [{ Variable: "$", NumericEquals: 2, Next: "F" }], Default: "P" },
            P: { Type: "Pass", Parameters: ["x"], End: true },
            F: { Type: "Fail", Error: "E", Cause: "c" },
        },
    };
    const map = (writer: object): object => ({
        Type: "Map",
        ItemProcessor: fails,
        ToleratedFailureCount: 1,
        ResultWriter: writer,
        Label: "L",
        End: true,
    });
    const toS3 = { Resource: "arn:aws:states:::s3:putObject", Parameters: { Bucket: "b", Prefix: "p" } };

    async function written(writer: object): Promise<{ files: Map<string, string>; output: JsonValue | undefined }> {
        const files = new Map<string, string>();
        const result = await run(machine({ M: map(writer) }), [1, 2, 3], async (request) => {
            const { Bucket, Key, Body } = request.arguments as { Bucket: string; Key: string; Body: string };
            assert.deepEqual([request.purpose, Bucket], ["ResultWriter", "b"]);
            files.set(Key.replace(/^p\/[^/]+\//u, ""), Body);
            return {};
        });
        return { files, output: result.output };
    }

    it("writes the results by status and a manifest, and leaves where that is", async () => {
        const { files, output } = await written(toS3);
        assert.deepEqual([...files.keys()], ["SUCCEEDED_0.json", "FAILED_0.json", "manifest.json"]);
        const [succeeded, failed, manifest] = [...files.values()].map((text) => JSON.parse(text));
        assert.deepEqual(
            succeeded.map((child: { Output: string; Status: string }) => [child.Output, child.Status]),
            [
                ['["x"]', "SUCCEEDED"],
                ['["x"]', "SUCCEEDED"],
            ],
        );
        assert.deepEqual([failed[0].Error, failed[0].Cause, failed[0].Input], ["E", "c", "2"]);
        assert.equal(manifest.ResultFiles.FAILED[0].Size, Buffer.byteLength(files.get("FAILED_0.json") ?? ""));
        const { MapRunArn, ResultWriterDetails } = output as { MapRunArn: string; ResultWriterDetails: object };
        assert.match(MapRunArn, /:mapRun:machine\/L:/u);
        assert.deepEqual(ResultWriterDetails, {
            Bucket: "b",
            Key: manifest.ResultFiles.FAILED[0].Key.replace("FAILED_0", "manifest"),
        });
    });

    it("writes bare outputs, flattened ones, or lines", async () => {
        const outputs = async (WriterConfig: object): Promise<string | undefined> => {
            const { files } = await written({ ...toS3, WriterConfig });
            return files.get("SUCCEEDED_0.json") ?? files.get("SUCCEEDED_0.jsonl");
        };
        assert.equal(await outputs({ Transformation: "COMPACT", OutputType: "JSON" }), '[["x"],["x"]]');
        assert.equal(await outputs({ Transformation: "FLATTEN", OutputType: "JSON" }), '["x","x"]');
        assert.equal(await outputs({ Transformation: "FLATTEN", OutputType: "JSONL" }), '"x"\n"x"\n');
    });

    it("forms the state's output where it writes nothing to S3", async () => {
        const output = async (Transformation: string): Promise<JsonValue | undefined> =>
            (await run(machine({ M: map({ WriterConfig: { Transformation, OutputType: "JSON" } }) }), [1, 2, 3]))
                .output;
        assert.deepEqual(await output("COMPACT"), [["x"], ["x"]]);
        assert.deepEqual(await output("FLATTEN"), ["x", "x"]);
        const [first] = (await output("NONE")) as { Output: string }[];
        assert.equal(first?.Output, '["x"]');
    });

    it("is refused, before anything runs, where lines would be the state's output", async () => {
        const writer = { WriterConfig: { Transformation: "COMPACT", OutputType: "JSONL" } };
        await assert.rejects(run(machine({ M: map(writer) }), [1]), /OutputType "JSONL".* is not simulated/u);
    });

    it("fails the Map run when S3 refuses", async () => {
        const failed = await run(machine({ M: map(toS3) }), [1], async () => {
            throw new TaskError("S3.AccessDenied", "no");
        });
        assert.equal(failed.error, "States.ResultWriterFailed");
        assert.ok(types(failed).includes("MapRunFailed"));
    });
});

describe("the history of a distributed Map", () => {
    it("leaves the number of items open until the reader has read them", async () => {
        const result = await run(machine({ M: reading({ InputType: "JSON" }) }), {}, object("[1,2]"));
        const started = result.events.find((event) => event.type === "MapStateStarted");
        assert.deepEqual(started?.mapStateStartedEventDetails, { length: 0 });
    });

    it("lets MapStateExited follow MapRunStarted", async () => {
        const map = { Type: "Map", ItemProcessor: PROCESSOR, End: true };
        const result = await run(machine({ M: map }), [1]);
        const id = result.events.find((event) => event.type === "MapRunStarted")?.id;
        assert.equal(result.events.find((event) => event.type === "MapStateExited")?.previousEventId, id);
    });
});
