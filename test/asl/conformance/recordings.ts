/**
 * The executions that were recorded on AWS, as ../shared/conformance holds them; its README says what their fields
 * mean.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { JsonValue, QueryLanguage, StateMachineDefinition } from "../../../asl/types";

export interface RecordedEvent {
    /** A list, or 0, where the recording lost it. */
    readonly id: number | number[];
    readonly previousEventId: number;
    readonly type: string;
    readonly [details: string]: unknown;
}

export interface Recording {
    readonly id: string;
    readonly queryLanguage: QueryLanguage;
    readonly definition: StateMachineDefinition;
    readonly input: JsonValue;
    /** Absent where the execution still ran when its history was taken. */
    readonly status?: string;
    /** JSON as text, or opened where it is an object. */
    readonly output?: JsonValue;
    readonly error?: string | null;
    readonly cause?: JsonValue;
    readonly events: readonly RecordedEvent[];
    /** `day-month-year, time`. */
    readonly recorded: string;
    /** The objects that the execution reads. */
    readonly s3?: readonly S3Object[] | null;
}

export interface S3Object {
    readonly Key: string;
    readonly Body: string;
}

const FOLDER = path.resolve(__dirname, "../../../../shared/conformance");

/** The rows of a file of recordings; undefined where they are not at hand. */
function rows<Row>(name: string, folder: string = FOLDER): Row[] | undefined {
    const file = path.join(folder, name);
    if (!existsSync(file)) {
        return undefined;
    }
    const lines = readFileSync(file, "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line) as Row);
}

/** The recorded executions; undefined where they are not at hand. */
export function recordings(folder?: string): Recording[] | undefined {
    return rows<Recording>("recorded-executions.jsonl", folder);
}

/** A definition that AWS was asked to create, or to validate. */
interface Submission {
    readonly id: string;
    readonly definition: string;
    readonly type: "STANDARD" | "EXPRESS";
    /** Why AWS refused it; undefined where it took it, or refused something else of the request. */
    readonly refusal?: string;
}

interface Creation {
    readonly id: string;
    readonly definition: string;
    readonly type: "STANDARD" | "EXPRESS";
    readonly response: { readonly Error?: { readonly Code: string; readonly Message: string } };
}

interface Validation {
    readonly id: string;
    readonly request: { readonly definition: string; readonly type?: "STANDARD" | "EXPRESS" };
    readonly response: { readonly diagnostics: readonly { readonly severity: string; readonly message: string }[] };
}

/** What AWS said of definitions at CreateStateMachine and ValidateStateMachineDefinition. */
export function submissions(folder?: string): Submission[] | undefined {
    const creations = rows<Creation>("recorded-creations.jsonl", folder);
    const validations = rows<Validation>("recorded-validations.jsonl", folder);
    if (creations === undefined || validations === undefined) {
        return undefined;
    }
    const created = creations.map(({ id, definition, type, response: { Error: error } }): Submission => {
        const refusal = error?.Code === "InvalidDefinition" ? error.Message : undefined;
        return { id, definition, type, refusal };
    });
    const validated = validations.map(({ id, request, response }): Submission => {
        const error = response.diagnostics.find(({ severity }) => severity === "ERROR");
        return { id, definition: request.definition, type: request.type ?? "STANDARD", refusal: error?.message };
    });
    return [...created, ...validated];
}

/** When it was recorded, as text that sorts: `2024-11-18`. */
export function recordedOn(recording: { readonly recorded: string }): string {
    const [day, month, year] = recording.recorded.slice(0, 10).split("-");
    return `${year}-${month}-${day}`;
}

/**
 * The execution's input. Damage of some recordings: where `input` lost a text and holds `{}`, the history has the text.
 */
export function inputOf(recording: Recording): JsonValue {
    const mend = (value: JsonValue, recorded: unknown): JsonValue => {
        if (typeof value !== "object" || value === null || Array.isArray(value)) {
            return value;
        }
        if (typeof recorded === "string" && Object.keys(value).length === 0) {
            return recorded;
        }
        const parts = (recorded ?? {}) as Readonly<Record<string, unknown>>;
        return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, mend(part, parts[key])]));
    };
    return mend(recording.input, recordedInput(recording));
}

/** The input as the execution's first event has it, opened. */
export function recordedInput(recording: Recording): unknown {
    const details = recording.events[0]?.executionStartedEventDetails as { readonly input?: unknown } | undefined;
    return opened(details?.input);
}

/** A JSON text as its value; anything else as it is. */
export function opened(value: unknown): unknown {
    if (typeof value !== "string") {
        return value;
    }
    try {
        return JSON.parse(value);
    } catch {
        return value;
    }
}

/** The details of an event, whatever their field is called. */
export function detailsOf(event: object): Readonly<Record<string, unknown>> {
    const found = Object.entries(event).find(([key]) => key.endsWith("EventDetails"));
    return (found?.[1] ?? {}) as Readonly<Record<string, unknown>>;
}

/** The state types of a definition, nested ones included. */
export function stateTypes(value: unknown, found = new Set<string>()): Set<string> {
    if (typeof value !== "object" || value === null) {
        return found;
    }
    const states = (value as { readonly States?: unknown }).States;
    if (typeof states === "object" && states !== null && "StartAt" in value) {
        for (const state of Object.values(states) as { readonly Type?: string }[]) {
            found.add(String(state.Type));
        }
    }
    Object.values(value).forEach((item) => stateTypes(item, found));
    return found;
}
