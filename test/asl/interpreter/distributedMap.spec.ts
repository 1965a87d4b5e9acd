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
