/** Replays the executions that were recorded on AWS, and compares everything that a recording holds. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { execute, TaskError, type ExecutionResult, type HistoryEvent } from "../../../asl/interpreter/index";
import type { JsonObject, JsonValue, StateMachineDefinition } from "../../../asl/types";

export interface Recording {
    readonly id: string;
    readonly queryLanguage: "JSONata" | "JSONPath";
    readonly definition: StateMachineDefinition;
    readonly input: JsonValue;
    readonly status: string;
    readonly output?: JsonValue;
    readonly error?: string | null;
    readonly events: readonly RecordedEvent[];
}

interface RecordedEvent {
    readonly id: number | number[];
    readonly previousEventId: number;
    readonly type: string;
    readonly [details: string]: unknown;
}

export interface Known {
    readonly id: string;
    /** What differs, in the words of `compare`. */
    readonly differences: readonly string[];
    readonly reason: string;
}

const folder = path.resolve(__dirname, "../../../../shared/conformance");
const file = path.join(folder, "recorded-executions.jsonl");

/** Undefined where the recordings are not at hand. */
export function recordings(): Recording[] | undefined {
    return existsSync(file)
        ? readFileSync(file, "utf8")
              .trim()
              .split("\n")
              .map((line) => JSON.parse(line) as Recording)
        : undefined;
}

export function knownDifferences(): Known[] {
    return JSON.parse(readFileSync(path.join(__dirname, "conformance-differences.json"), "utf8")) as Known[];
}

const RESULT = /^(?:Task|LambdaFunction)(?:Succeeded|Failed|TimedOut|StartFailed|SubmitFailed)$/u;

/** Runs the recording's definition; its tasks answer what they answered on AWS, in that order. */
export async function replay(recording: Recording): Promise<ExecutionResult> {
    const results = recording.events.filter((event) => RESULT.test(event.type));
    let next = 0;
    return execute(recording.definition, {
        input: recording.input,
        executionArn: "arn:aws:states:us-east-1:111111111111:execution:machine:execution",
        stateMachineArn: "arn:aws:states:us-east-1:111111111111:stateMachine:machine",
        task: async (request) => {
            const event = results[next++];
            if (event === undefined) {
                // A distributed Map's children are not in the recording of their parent.
                return request.arguments;
            }
            const { output, error, cause } = detailsOf(event) as {
                output?: JsonValue;
                error?: string;
                cause?: JsonValue;
            };
            if (event.type.endsWith("Succeeded")) {
                return (typeof output === "string" ? JSON.parse(output) : output) as JsonValue;
            }
            throw new TaskError(
                error,
                cause === undefined || typeof cause === "string" ? cause : JSON.stringify(cause),
            );
        },
    });
}

function detailsOf(event: object): Record<string, unknown> {
    return (Object.entries(event).find(([key]) => key.endsWith("EventDetails"))?.[1] ?? {}) as Record<string, unknown>;
}

/** All differences between what AWS recorded and what the interpreter did. Empty when there are none. */
export function compare(recording: Recording, result: ExecutionResult): string[] {
    const found: string[] = [];
    const same = (what: string, expected: unknown, got: unknown): void => {
        const place = mismatch(open(expected ?? null), open(got ?? null), "");
        if (place !== undefined) {
            found.push(`${what}${place}`);
        }
    };
    same("status: ", recording.status, result.status);
    same("output: ", recording.output, result.output);
    same("error: ", recording.error, result.error);
    const ordered = recording.events.every((event) => typeof event.id === "number" && event.id > 0);
    if (ordered) {
        const length = Math.max(recording.events.length, result.events.length);
        for (let index = 0; index < length; index++) {
            eventDifference(recording.events[index], result.events[index], found);
        }
        return found;
    }
    // The recording has no ids for events inside branches and left out the Parallels' last events: what it holds must be there, with
    // the ids that it has, and the rest must fill exactly the ids that it skips.
    const left = [...result.events];
    for (const expected of recording.events) {
        const redacted = typeof expected.id !== "number" || expected.id <= 0;
        const index = left.findIndex((event) => {
            const problems: string[] = [];
            eventDifference(
                redacted ? { ...expected, id: event.id, previousEventId: event.previousEventId } : expected,
                event,
                problems,
            );
            return problems.length === 0;
        });
        if (index < 0) {
            found.push(`no event like ${expected.type} ${String(expected.id)}`);
        } else {
            left.splice(index, 1);
        }
    }
    found.push(
        ...left
            .filter((event) => !/^ParallelState(?:Succeeded|Exited)$/u.test(event.type))
            .map((event) => `additional ${event.type} ${event.id}`),
    );
    same("number of events: ", recording.events.at(-1)?.id, result.events.length);
    return found;
}

function eventDifference(expected: RecordedEvent | undefined, got: HistoryEvent | undefined, found: string[]): void {
    if (expected === undefined || got === undefined) {
        found.push(
            expected === undefined
                ? `additional ${got?.type} ${got?.id}`
                : `missing ${expected.type} ${String(expected.id)}`,
        );
        return;
    }
    const where = `event ${String(expected.id)} ${expected.type}`;
    if (got.type !== expected.type) {
        found.push(`${where}: is ${got.type}`);
        return;
    }
    if (got.id !== expected.id) {
        found.push(`${where}: id ${got.id}`);
    }
    if (got.previousEventId !== expected.previousEventId) {
        found.push(`${where}: previousEventId ${got.previousEventId} instead of ${expected.previousEventId}`);
    }
    const [mine, theirs] = [got as unknown as Record<string, unknown>, expected as Record<string, unknown>];
    for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
        if (!["id", "previousEventId", "type", "timestamp"].includes(key)) {
            const place = mismatch(open(withoutEmpty(theirs[key])), open(withoutEmpty(mine[key])), key);
            if (place !== undefined) {
                found.push(`${where}: ${place}`);
            }
        }
    }
}

/** An absent and an empty details object say the same. */
function withoutEmpty(value: unknown): unknown {
    return typeof value === "object" && value !== null && Object.keys(value).length === 0 ? null : (value ?? null);
}

/** JSON text inside the value becomes the value: recordings hold it in either form. */
function open(value: unknown): unknown {
    if (typeof value === "string") {
        try {
            const inner: unknown = JSON.parse(value);
            return typeof inner === "string" && inner === value ? value : open(inner);
        } catch {
            return value;
        }
    }
    if (Array.isArray(value)) {
        return value.map(open);
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, open(item)]));
    }
    return value;
}

// Fixed words that stand for a redacted value.
const REDACTED = new Set([
    "snf_role_arn",
    "date",
    "X-Amzn-Trace-Id",
    "x-amzn-RequestId",
    "map_run_arn",
    "bucket-name",
    "file-key",
    "timestamp",
]);

/** Where the values differ; undefined when they do not. `<...>` and the like in a recorded string stand for any text. */
function mismatch(expected: unknown, got: unknown, where: string): string | undefined {
    if (typeof expected === "string") {
        if (REDACTED.has(expected) || /^arn:<partition>:iam::/u.test(expected)) {
            return undefined;
        }
        const text = typeof got === "string" ? got : JSON.stringify(got);
        const pattern = new RegExp(
            `^${expected
                .split(/<[^<>]*>|lambda_function(?:_\d)?_name/u)
                .map(escape)
                .join("[\\s\\S]*")}$`,
            "u",
        );
        return pattern.test(text) ? undefined : `${where}: ${text.slice(0, 200)} instead of ${expected.slice(0, 200)}`;
    }
    if (typeof expected !== "object" || expected === null || typeof got !== "object" || got === null) {
        return expected === got
            ? undefined
            : `${where}: ${JSON.stringify(got)?.slice(0, 200)} instead of ${JSON.stringify(expected)?.slice(0, 200)}`;
    }
    if (Array.isArray(expected) !== Array.isArray(got)) {
        return `${where}: an array against an object`;
    }
    const [left, right] = [expected as JsonObject, got as JsonObject];
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
        if (!(key in left) || !(key in right)) {
            return `${where}.${key}: ${key in left ? "missing" : "additional"}`;
        }
        const place = mismatch(left[key], right[key], `${where}.${key}`);
        if (place !== undefined) {
            return place;
        }
    }
    return undefined;
}

function escape(text: string): string {
    return text.replace(/[\\^$.*+?()[\]{}|]/gu, "\\$&");
}

/** The state types of a definition, nested ones included. */
function stateTypes(value: unknown, found = new Set<string>()): Set<string> {
    if (typeof value === "object" && value !== null) {
        const states = (value as { States?: unknown }).States;
        if (typeof states === "object" && states !== null && "StartAt" in value) {
            for (const state of Object.values(states) as { Type?: string }[]) {
                found.add(String(state.Type));
            }
        }
        Object.values(value).forEach((item) => stateTypes(item, found));
    }
    return found;
}

/** The table of asl/CONFORMANCE.md. */
export async function report(all: readonly Recording[]): Promise<string> {
    const known = knownDifferences();
    const explained = new Map(known.map((entry) => [entry.id, entry]));
    const classes = new Map<string, { recordings: number; equal: number; explained: number; open: number }>();
    let equal = 0;
    for (const recording of all) {
        const differences = compare(recording, await replay(recording));
        equal += differences.length === 0 ? 1 : 0;
        for (const type of ["(all)", ...[...stateTypes(recording.definition)].sort()]) {
            const key = `${recording.queryLanguage} | ${type}`;
            const row = classes.get(key) ?? { recordings: 0, equal: 0, explained: 0, open: 0 };
            classes.set(key, row);
            row.recordings++;
            row[differences.length === 0 ? "equal" : explained.has(recording.id) ? "explained" : "open"]++;
        }
    }
    const rows = [...classes]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, row]) => `| ${key} | ${row.recordings} | ${row.equal} | ${row.explained} | ${row.open} |`);
    const reasons = new Map<string, string[]>();
    for (const entry of known) {
        reasons.set(entry.reason, [...(reasons.get(entry.reason) ?? []), entry.id.split("::").pop() as string]);
    }
    return [
        "# Conformance of the interpreter",
        "",
        "Executions recorded on AWS, replayed with the task results that AWS had: status, output, error, and every event with its id,",
        "previousEventId, type and details (timestamps are not in the recordings). Written by `npm run conformance:report`; a test keeps it true.",
        "A recording counts for every type of state that its definition holds.",
        "",
        `${all.length} recordings: ${equal} equal in everything, ${all.length - equal} that differ.`,
        "",
        "| query language | state type | recordings | equal | explained | unexplained |",
        "|---|---|---|---|---|---|",
        ...rows,
        "",
        "## What differs, and why",
        "",
        ...[...reasons].map(([reason, ids]) => `- ${ids.map((id) => `\`${id}\``).join(", ")}: ${reason}`),
        "",
    ].join("\n");
}
