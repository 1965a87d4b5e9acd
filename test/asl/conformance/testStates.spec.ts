/** The calls of TestState that were recorded on AWS, made here. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import {
    testState,
    TestStateError,
    type TestStateRequest,
    type TestStateResponse,
} from "../../../asl/interpreter/index";
import type { JsonValue } from "../../../asl/types";

interface RecordedCall {
    readonly id: string;
    readonly raised: boolean;
    readonly request: TestStateRequest;
    readonly response: Readonly<Record<string, unknown>> & {
        readonly Error?: { readonly Code: string; readonly Message: string };
        readonly inspectionData?: { readonly result?: JsonValue };
    };
}

const FILE = path.resolve(__dirname, "../../../../shared/conformance/recorded-test-states.jsonl");

/** Texts that hold JSON, opened. */
function opened(value: unknown): unknown {
    if (typeof value === "string") {
        try {
            const inner = JSON.parse(value) as unknown;
            return typeof inner === "object" || typeof inner === "string" ? opened(inner) : inner;
        } catch {
            return value;
        }
    }
    if (Array.isArray(value)) {
        return value.map(opened);
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, opened(inner)]));
    }
    return value;
}

/** What stands for something that the recording does not show. */
const REDACTED = /<[\w:]+>|^(?:date|StateName)$/u;

/** The first place where what was got is not what was recorded. */
function difference(expected: unknown, got: unknown, at = ""): string | undefined {
    if (typeof expected === "string" && REDACTED.test(expected)) {
        return typeof got === "string" ? undefined : at;
    }
    if (typeof expected !== "object" || expected === null || typeof got !== "object" || got === null) {
        return Object.is(expected, got) ? undefined : `${at}: ${JSON.stringify(got)}, AWS ${JSON.stringify(expected)}`;
    }
    const [left, right] = [expected, got] as Readonly<Record<string, unknown>>[];
    for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
        const found = difference(left?.[key], right?.[key], `${at}/${key}`);
        if (found !== undefined) {
            return found;
        }
    }
    return undefined;
}

/** A Task that AWS called: what it answered is in the inspection data, or is the output. */
function answerOf({ response }: RecordedCall): JsonValue {
    return (opened(response.inspectionData?.result ?? response.output) ?? null) as JsonValue;
}

async function called(call: RecordedCall): Promise<TestStateResponse | TestStateError> {
    try {
        return await testState(call.request, { task: async () => answerOf(call) });
    } catch (error) {
        if (error instanceof TestStateError) {
            return error;
        }
        throw error;
    }
}

describe("TestState, as recorded on AWS", () => {
    if (!existsSync(FILE)) {
        it("is skipped: the recordings are not here");
        return;
    }
    const calls = readFileSync(FILE, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as RecordedCall);
    for (const call of calls) {
        it(`${call.raised ? "refuses" : "answers"} ${call.id.split("::").pop() ?? ""}`, async () => {
            const got = await called(call);
            if (call.raised) {
                assert.ok(got instanceof TestStateError, JSON.stringify(got));
                assert.deepEqual({ Code: got.code, Message: got.message }, call.response.Error);
                return;
            }
            const { ResponseMetadata: _, ...expected } = call.response;
            assert.ok(!(got instanceof TestStateError), String(got));
            assert.equal(difference(opened(expected), opened(got)), undefined);
        });
    }
});
