import assert from "node:assert/strict";
import { compare } from "./compare";
import { recordings, type RecordedEvent, type Recording } from "./recordings";
import { replay } from "./replay";

/** A few recordings of every kind of event. */
function sample(all: readonly Recording[]): Recording[] {
    const seen = new Set<string>();
    return all.filter((recording) => {
        const fresh = recording.events.filter((event) => !seen.has(event.type));
        fresh.forEach((event) => seen.add(event.type));
        return fresh.length > 0;
    });
}

/** The recording with its events changed, one change at a time. */
function damaged(recording: Recording): Recording[] {
    const numbered = recording.events.every((event) => typeof event.id === "number");
    return recording.events.flatMap((event, index): Recording[] => {
        const put = (...events: RecordedEvent[]): Recording => ({
            ...recording,
            events: [...recording.events.slice(0, index), ...events, ...recording.events.slice(index + 1)],
        });
        const order = [put({ ...event, previousEventId: event.previousEventId + 1 }), put()];
        const kind = [put({ ...event, type: `${event.type}X` }), put({ ...event, moreEventDetails: { a: 1 } })];
        return numbered ? [...order, ...kind] : kind;
    });
}

describe("the comparison with recordings", () => {
    const all = recordings();
    if (all === undefined) {
        it("sees every change of a recording (skipped: ../shared/conformance is not here)");
        return;
    }

    it("sees every change of an event", async () => {
        for (const recording of sample(all)) {
            const result = await replay(recording);
            const normal = compare(recording, result).length;
            for (const changed of damaged(recording)) {
                assert.notEqual(compare(changed, result).length, normal, recording.id);
            }
        }
    });

    it("sees another status, error, output and cause", async () => {
        for (const recording of sample(all)) {
            const result = await replay(recording);
            const normal = compare(recording, result).length;
            const changes = [
                { status: "X" },
                { error: "another" },
                { output: { another: true } },
                { cause: "another" },
            ];
            for (const change of changes.filter(() => typeof recording.status === "string")) {
                const changed = { ...recording, ...change };
                assert.notEqual(compare(changed, result).length, normal, `${recording.id} ${Object.keys(change)[0]}`);
            }
        }
    });

    it("tells a text from the number or truth value that it spells", async () => {
        const found = all.find((recording) => recording.id.includes("csv_headers_first_line"));
        assert.ok(found !== undefined);
        const text = (found.output as string).replace('"true"', "true");
        assert.notEqual(text, found.output);
        const result = await replay(found);
        assert.equal(compare({ ...found, output: text }, result).length, compare(found, result).length + 1);
    });
});
