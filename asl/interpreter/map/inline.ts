/** An inline Map: its iterations run in the execution itself and are part of its history. */
import { adopt } from "../../expressions/index";
import type { JsonValue } from "../../types";
import type { CompiledMap } from "../compile/compiled";
import { emit, emitAfter, failBelow, firstFailure } from "../execution/events";
import { childOf, type Frame, type Outcome, type Thread } from "../execution/frame";
import { checkSize, finish } from "../execution/leave";
import { isCatchable, StateFailure, STOPPED } from "../failure";
import { selected, type Item } from "./items";

/** At most this many iterations run at once. */
const MOST_AT_ONCE = 40;

export async function inlineMap(
    frame: Frame,
    map: CompiledMap,
    input: JsonValue,
    items: readonly Item[],
    concurrency: number,
): Promise<Outcome> {
    const { thread } = frame;
    emit(thread, "MapStateStarted", "mapStateStartedEventDetails", { length: items.length });
    const work = new Iterations(frame, map, input, items);
    const lines = concurrency > 0 ? Math.min(concurrency, MOST_AT_ONCE) : MOST_AT_ONCE;
    try {
        await Promise.all(Array.from({ length: Math.min(lines, items.length) }, () => work.line()));
    } catch (error) {
        failBelow(frame, error);
        throw error;
    }
    emitAfter(thread, work.last, "MapStateSucceeded");
    return finish(frame, adopt(work.results), work.last);
}

class Iterations {
    readonly results: JsonValue[];
    /** The last event of the last iteration that ended. */
    last: number;
    private readonly started: number;
    private readonly children: Thread[] = [];
    private next = 0;

    constructor(
        private readonly frame: Frame,
        private readonly map: CompiledMap,
        private readonly input: JsonValue,
        private readonly items: readonly Item[],
    ) {
        this.results = new Array<JsonValue>(items.length);
        this.started = frame.thread.previous;
        this.last = this.started;
        frame.children = this.children;
    }

    /** One iteration after the other; the first event of each follows the last state of the one before. */
    async line(): Promise<void> {
        let previous = this.started;
        while (this.next < this.items.length) {
            const item = this.items[this.next] as Item;
            this.next += 1;
            previous = await this.iteration(item, previous);
        }
    }

    /** @returns the iteration's last event but MapIterationSucceeded. */
    private async iteration(item: Item, previous: number): Promise<number> {
        const { frame, map } = this;
        const { state, thread } = frame;
        const index = item.Index;
        const place = { index, name: state.name };
        const child = childOf(frame, index, { previous, mapItem: item, iteration: { name: state.name, index } });
        const input = await selected(frame, map, this.input, item);
        checkSize(frame, input);
        if (frame.failed !== undefined || thread.stopped) {
            throw STOPPED;
        }
        this.children.push(child);
        emit(child, "MapIterationStarted", "mapIterationStartedEventDetails", place);
        try {
            this.results[index] = await thread.run.graph(child, map.processor, input);
        } catch (error) {
            this.failed(child, place, error);
            throw error;
        }
        const ended = child.previous;
        const succeeded = emit(child, "MapIterationSucceeded", "mapIterationSucceededEventDetails", place);
        this.last = Math.max(this.last, succeeded);
        child.stopped = true;
        return ended;
    }

    private failed(child: Thread, place: { readonly index: number; readonly name: string }, error: unknown): void {
        const { frame } = this;
        if (!(error instanceof StateFailure) || frame.failed !== undefined || child.stopped) {
            return;
        }
        const failing = child.previous;
        firstFailure(frame, child, error);
        if (isCatchable(error)) {
            emit(child, "MapIterationFailed", "mapIterationFailedEventDetails", place);
            child.previous = failing;
        }
    }
}
