/**
 * Compares everything that a recording of an execution holds with what the interpreter did.
 *
 * What counts as the same: equal values; JSON inside a text in any spacing; and a redacted text with any text of its
 * shape. Which words are redactions is read from the recording where that can be: its first event shows the input as
 * redacted, and `input` is the input itself, so a word there that stands where `input` has another text stands for that
 * text everywhere.
 */
import type { ExecutionResult, HistoryEvent } from "../../../asl/interpreter/index";
import { opened, recordedInput, type RecordedEvent, type Recording } from "./recordings";

/** One thing that differs. */
export interface Difference {
    /** The recorded event; undefined for the execution as a whole and for an event that AWS did not write. */
    readonly event?: RecordedEvent;
    readonly kind: "additional" | "missing" | "order" | "value";
    /** The field, from the event's own: `mapRunStartedEventDetails.mapRunArn`. */
    readonly path: string;
    readonly expected?: unknown;
    readonly got?: unknown;
}

/** Everything that differs; empty when nothing does. */
export function compare(recording: Recording, result: ExecutionResult): Difference[] {
    return new Comparison(recording, result).all();
}

/** A difference for people. */
export function described({ event, kind, path, expected, got }: Difference): string {
    const where = event === undefined ? "" : `event ${String(event.id)} ${event.type}: `;
    const short = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 300);
    return `${where}${kind} ${path}: got ${short(got)}, AWS ${short(expected)}`;
}

const IGNORED = new Set(["id", "previousEventId", "type", "timestamp"]);
/** Events that the recordings with lost ids lack. */
const LOST = /^ParallelState(?:Succeeded|Failed|Exited)$/u;

class Comparison {
    private readonly found: Difference[] = [];
    private readonly redactions: Redactions;

    constructor(
        private readonly recording: Recording,
        private readonly result: ExecutionResult,
    ) {
        this.redactions = new Redactions(recording);
    }

    all(): Difference[] {
        const { recording, result } = this;
        const running = recording.status === undefined || recording.status === null;
        const events = running ? result.events.slice(0, -1) : result.events;
        if (!running) {
            this.whole("status", recording.status, result.status);
            this.whole("error", recording.error, result.error);
            // Recordings keep the text where the output is no object.
            this.whole("output", recording.output, result.output === undefined ? null : JSON.stringify(result.output));
            if ("cause" in recording) {
                this.whole("cause", recording.cause, result.cause);
            }
        }
        const numbered = recording.events.every((event) => typeof event.id === "number" && event.id > 0);
        if (numbered) {
            this.inOrder(events);
        } else {
            this.inAnyOrder(events);
        }
        return this.found;
    }

    private whole(path: string, expected: unknown, got: unknown): void {
        this.found.push(...this.values(expected ?? null, got ?? null, path, undefined));
    }

    private inOrder(events: readonly HistoryEvent[]): void {
        const length = Math.max(this.recording.events.length, events.length);
        for (let index = 0; index < length; index += 1) {
            const [expected, got] = [this.recording.events[index], events[index]];
            if (expected === undefined) {
                this.found.push({ kind: "additional", path: "event", got });
            } else if (got === undefined) {
                this.found.push({ event: expected, kind: "missing", path: "event" });
            } else {
                this.found.push(...this.event(expected, got));
            }
        }
    }

    /**
     * The recording lost the ids of events inside branches and the last events of Parallels. What it holds must be
     * there, with the ids that it has; the rest must be such last events, and fill exactly the ids that it skips.
     */
    private inAnyOrder(events: readonly HistoryEvent[]): void {
        const left = [...events];
        for (const expected of this.recording.events) {
            const lost = typeof expected.id !== "number" || expected.id <= 0;
            const index = left.findIndex((event) => {
                const place = { id: event.id, previousEventId: event.previousEventId };
                return this.event(lost ? { ...expected, ...place } : expected, event).length === 0;
            });
            if (index < 0) {
                this.found.push({ event: expected, kind: "missing", path: "event" });
            } else {
                left.splice(index, 1);
            }
        }
        for (const got of left.filter((event) => !LOST.test(event.type))) {
            this.found.push({ kind: "additional", path: "event", got });
        }
        this.whole("number of events", this.recording.events.at(-1)?.id, events.length);
    }

    private event(expected: RecordedEvent, got: HistoryEvent): Difference[] {
        const difference = (kind: Difference["kind"], path: string, wanted: unknown, is: unknown): Difference => ({
            event: expected,
            kind,
            path,
            expected: wanted,
            got: is,
        });
        if (got.type !== expected.type) {
            return [difference("value", "type", expected.type, got.type)];
        }
        const found: Difference[] = [];
        if (got.id !== expected.id) {
            found.push(difference("order", "id", expected.id, got.id));
        }
        if (got.previousEventId !== expected.previousEventId) {
            found.push(difference("order", "previousEventId", expected.previousEventId, got.previousEventId));
        }
        const [mine, theirs] = [got as object as Record<string, unknown>, expected as Record<string, unknown>];
        for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
            if (!IGNORED.has(key)) {
                found.push(...this.values(withoutEmpty(theirs[key]), withoutEmpty(mine[key]), key, expected));
            }
        }
        return found;
    }

    /** All differences between a recorded value and ours. */
    private values(expected: unknown, got: unknown, path: string, event: RecordedEvent | undefined): Difference[] {
        const [theirs, mine] = sameForm(expected, got, TEXT.test(path));
        if (!isStructured(theirs) || !isStructured(mine)) {
            const same = theirs === mine || this.redactions.same(theirs, mine);
            return same ? [] : [{ event, kind: "value", path, expected: theirs, got: mine }];
        }
        if (Array.isArray(theirs) !== Array.isArray(mine)) {
            return [{ event, kind: "value", path, expected: theirs, got: mine }];
        }
        const [left, right] = [theirs as Record<string, unknown>, mine as Record<string, unknown>];
        return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key): Difference[] => {
            const place = `${path}.${key}`;
            if (!Object.hasOwn(right, key)) {
                return [{ event, kind: "missing", path: place, expected: left[key] }];
            }
            if (!Object.hasOwn(left, key)) {
                return [{ event, kind: "additional", path: place, got: right[key] }];
            }
            return this.values(left[key], right[key], place, event);
        });
    }
}

/** Fields that hold JSON as text. */
const TEXT = /(?:EventDetails\.(?:input|output|parameters)|assignedVariables\.[^.]+|^output)$/u;

/** JSON text against JSON text, and opened JSON against its text, are compared as values. */
function sameForm(expected: unknown, got: unknown, text: boolean): [unknown, unknown] {
    if (typeof got !== "string" || expected === got) {
        return [expected, got];
    }
    if (typeof expected === "string") {
        const [left, right] = [opened(expected), opened(got)];
        return typeof left === typeof right && typeof left !== "string" ? [left, right] : [expected, got];
    }
    const value = opened(got);
    return text || (isStructured(expected) && isStructured(value)) ? [expected, value] : [expected, got];
}

function isStructured(value: unknown): value is object {
    return typeof value === "object" && value !== null;
}

/** An absent and an empty details object say the same. */
function withoutEmpty(value: unknown): unknown {
    const empty = isStructured(value) && Object.keys(value).length === 0;
    return empty ? null : (value ?? null);
}

/** What the recorder wrote instead of a value that differs from run to run. */
class Redactions {
    /** Words of this recording, each with the text that it stands for. */
    private readonly known = new Map<string, string>();

    constructor(recording: Recording) {
        this.learn(recordedInput(recording), recording.input);
    }

    private learn(redacted: unknown, value: unknown): void {
        if (typeof redacted === "string" && typeof value === "string" && redacted !== value) {
            this.known.set(redacted, value);
        } else if (isStructured(redacted) && isStructured(value)) {
            for (const [key, part] of Object.entries(redacted)) {
                this.learn(part, (value as Record<string, unknown>)[key]);
            }
        }
    }

    /** Whether the recorded scalar stands for ours. */
    same(expected: unknown, got: unknown): boolean {
        if (typeof expected !== "string") {
            return false;
        }
        const text = typeof got === "string" ? got : JSON.stringify(got);
        if (this.known.get(expected) === text || shape(expected)?.test(text) === true) {
            return true;
        }
        return this.pattern(expected).test(text);
    }

    /** The recorded text with its redactions open. */
    private pattern(expected: string): RegExp {
        const words = [...this.known.keys()].sort((left, right) => right.length - left.length).map(literal);
        const tokens = new RegExp(`(${[...words, PLACEHOLDER].join("|")})`, "u");
        const parts = expected.split(tokens).map((part, index) => {
            if (index % 2 === 0) {
                return literal(part);
            }
            const value = this.known.get(part);
            return value === undefined ? "[\\s\\S]*" : `(?:${literal(value)}|${literal(part)})`;
        });
        return new RegExp(`^${parts.join("")}$`, "u");
    }
}

/** `<uuid:1>`, `<<task_token>:1>`, and the names of functions that stand without brackets in older recordings. */
const PLACEHOLDER = "<<[^<>]*>[^<>]*>|<[^<>]*>|lambda_function(?:_\\d)?_name";

const ARN = /^arn:/u;
const TIME = /^\d{4}-\d\d-\d\dT|^[\d.]+$|^(?:start-|stop-)?date$|^timestamp$/u;
const ANY = /[\s\S]*/u;
/** Words that stand for a whole value, and what that value looks like. */
const SHAPES: readonly (readonly [word: RegExp, shape: RegExp])[] = [
    [/^(?:\w+_arn|arn:<partition>:iam::.*)$/u, ARN],
    [/^(?:(?:start-|stop-)?date|timestamp)$/u, TIME],
    [/^RandomNumberGenerated$/u, /^-?\d+(?:\.\d+)?$/u],
    [/^X-Amzn-Trace-Id$|^x-amzn-RequestId$/u, ANY],
];

function shape(word: string): RegExp | undefined {
    return SHAPES.find(([pattern]) => pattern.test(word))?.[1];
}

function literal(text: string): string {
    return text.replace(/[\\^$.*+?()[\]{}|]/gu, "\\$&");
}
