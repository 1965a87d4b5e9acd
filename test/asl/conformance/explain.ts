/**
 * Why a recording and the interpreter may differ: rules that a program checks. A difference that no rule explains is a
 * fault.
 *
 * AWS has changed over the years in which the executions were recorded, and the interpreter follows the newest
 * recording. A rule names the day of such a change. It explains only differences of older recordings, only of its own
 * form, and only as long as a recording from that day on shows the newer behaviour.
 */
import type { Difference } from "./compare";
import { recordedOn, type Recording } from "./recordings";

export interface Rule {
    readonly name: string;
    /** The first day, `2024-11-01`, of the behaviour that the interpreter has. */
    readonly since: string;
    readonly text: string;
    /** Whether the difference is the older behaviour. */
    readonly explains: (difference: Difference, recording: Recording) => boolean;
    /** Whether a recording from `since` on shows the newer behaviour. */
    readonly shows: (recording: Recording) => boolean;
}

/** The type of the event that an event of the recording follows. */
function follows(recording: Recording, previousEventId: unknown): string | undefined {
    return recording.events.find((event) => event.id === previousEventId)?.type;
}

export const RULES: readonly Rule[] = [
    {
        name: "redrive count",
        since: "2023-11-15",
        text: "Before executions could be redriven, the context object had no Execution.RedriveCount.",
        explains: ({ kind, path }) => kind === "additional" && path.endsWith(".Execution.RedriveCount"),
        shows: (recording) => JSON.stringify(recording.events).includes('"RedriveCount":0'),
    },
    {
        name: "exit of a distributed Map",
        since: "2024-11-01",
        text: "MapStateExited of a distributed Map followed MapRunSucceeded; now it follows MapRunStarted.",
        explains: ({ event, kind, path, expected, got }, recording) =>
            event?.type === "MapStateExited" &&
            kind === "order" &&
            path === "previousEventId" &&
            follows(recording, expected) === "MapRunSucceeded" &&
            follows(recording, got) === "MapRunStarted",
        shows: (recording) =>
            recording.events.some(
                (event) =>
                    event.type === "MapStateExited" && follows(recording, event.previousEventId) === "MapRunStarted",
            ),
    },
];

/** The rule that explains the difference, if one does. */
export function explanation(difference: Difference, recording: Recording): Rule | undefined {
    const older = RULES.filter((rule) => recordedOn(recording) < rule.since);
    return older.find((rule) => rule.explains(difference, recording));
}
