/** A distributed Map: its iterations are child executions with histories of their own. */
import { adopt, type Scope } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { CompiledMap } from "../compile/compiled";
import { emit, failureDetails, silence } from "../execution/events";
import { threadOf, type Frame, type Outcome, type Thread } from "../execution/frame";
import { finish } from "../execution/leave";
import { isCatchable, StateFailure } from "../failure";
import { History } from "../history";
import { toleranceOf, type Tolerance } from "./fields";
import { inputsOf, itemsOf } from "./items";
import { MapRunCounter } from "./progress";
import { readItems } from "./reader";
import { outputOf, type ChildResult } from "./results";
import { writeResults } from "./writer";

/** At most this many child executions run at once. */
const MOST_AT_ONCE = 10_000;

const EXCEEDED = "States.ExceedToleratedFailureThreshold";

export async function distributedMap(
    frame: Frame,
    map: CompiledMap,
    scope: Scope,
    concurrency: number,
): Promise<Outcome> {
    const { thread } = frame;
    const found = map.reader === undefined ? await itemsOf(frame, map, scope) : undefined;
    // The items that a reader will find are not known yet (recorded).
    emit(thread, "MapStateStarted", "mapStateStartedEventDetails", { length: found?.length ?? 0 });
    const tolerated = await toleranceOf(frame, map, scope);
    const mapRunArn = arnOf(frame, map, "mapRun", String(frame.enteredId));
    const started = emit(thread, "MapRunStarted", "mapRunStartedEventDetails", { mapRunArn });
    let output: JsonValue;
    try {
        const items = found ?? (await readItems(frame, map, scope));
        const inputs = await inputsOf(frame, map, scope, items);
        const counter = new MapRunCounter({
            mapRunArn,
            label: labelOf(frame, map),
            maxConcurrency: concurrency,
            toleratedFailureCount: tolerated.count,
            toleratedFailurePercentage: tolerated.percentage,
            writesResults: map.writer?.resource !== undefined,
            inputs,
            isBatched: map.batcher !== undefined,
        });
        thread.run.options.onMapRun?.(counter.progress);
        const results = await new Children(frame, map, inputs, tolerated, counter).run(concurrency);
        output =
            map.writer?.resource === undefined
                ? outputOf(results, map.writer?.config)
                : await writeResults(frame, map.writer, scope, mapRunArn, results);
    } catch (error) {
        runFailed(frame, error);
        throw error;
    }
    emit(thread, "MapRunSucceeded");
    emit(thread, "MapStateSucceeded");
    return finish(frame, adopt(output), started);
}

/** A failure of the Map run as a whole has an event of its own. */
function runFailed(frame: Frame, error: unknown): void {
    if (error instanceof StateFailure && isCatchable(error) && !frame.thread.stopped) {
        const details = failureDetails(error.error, error.cause);
        emit(frame.thread, "MapRunFailed", "mapRunFailedEventDetails", details);
        frame.failedEvent = true;
    }
}

/** The ARN of something below the machine and the Map's label: `arn:...:mapRun:machine/label:id`. */
function arnOf({ thread, state }: Frame, map: CompiledMap, kind: "mapRun" | "execution", id: string): string {
    const machine = String(thread.run.machine.Id).replace(":stateMachine:", `:${kind}:`);
    return `${machine}/${labelOf({ state }, map)}:${id}`;
}

function labelOf({ state }: Pick<Frame, "state">, { label }: CompiledMap): string {
    return label ?? state.name;
}

class Children {
    private readonly results: (ChildResult | undefined)[];
    private readonly children: Thread[] = [];
    private next = 0;
    private failures = 0;

    constructor(
        private readonly frame: Frame,
        private readonly map: CompiledMap,
        private readonly inputs: readonly JsonValue[],
        private readonly tolerated: Tolerance,
        private readonly counter: MapRunCounter,
    ) {
        this.results = new Array<ChildResult | undefined>(inputs.length);
        frame.children = this.children;
    }

    /** @throws a StateFailure when more children failed than the state tolerates; those that still run are stopped. */
    async run(concurrency: number): Promise<ChildResult[]> {
        const lines = concurrency > 0 ? Math.min(concurrency, MOST_AT_ONCE) : MOST_AT_ONCE;
        await Promise.all(Array.from({ length: Math.min(lines, this.inputs.length) }, () => this.line()));
        this.counter.progress.hasEnded = true;
        if (this.isExceeded()) {
            throw new StateFailure(EXCEEDED, "The specified tolerated failure threshold was exceeded");
        }
        return this.results.filter((result) => result !== undefined);
    }

    private isExceeded(): boolean {
        const { failures, inputs, tolerated } = this;
        return failures > tolerated.count && failures * 100 > tolerated.percentage * inputs.length;
    }

    private async line(): Promise<void> {
        while (this.next < this.inputs.length && !this.isExceeded()) {
            const index = this.next;
            this.next += 1;
            await this.child(index);
        }
    }

    private async child(index: number): Promise<void> {
        const { frame, map } = this;
        const { run, stopped } = frame.thread;
        const input = this.inputs[index] as JsonValue;
        const execution = this.executionOf(index, input);
        const thread = threadOf(run, {
            // A child execution has a history of its own, which the parent's does not show.
            history: new History(() => run.clock.now(), false),
            path: [...frame.thread.path, frame.state.name, String(index)],
            previous: 0,
            mapItem: { Index: index, Value: input },
            stopped,
            execution,
        });
        this.children.push(thread);
        thread.history.add("ExecutionStarted", 0);
        this.counter.count("started", index);
        const startTime = run.clock.now();
        const result = { execution, input, startTime };
        try {
            const output = await run.graph(thread, map.processor, input);
            this.results[index] = { ...result, output, stopTime: run.clock.now() };
            this.counter.count("succeeded", index);
        } catch (error) {
            this.failed(index, result, error);
        }
        thread.stopped = true;
    }

    private failed(index: number, result: Omit<ChildResult, "stopTime">, error: unknown): void {
        const { thread } = this.frame;
        if (!(error instanceof StateFailure) || thread.stopped) {
            throw error as Error;
        }
        this.failures += 1;
        this.counter.count("failed", index);
        this.results[index] = { ...result, failure: error, stopTime: thread.run.clock.now() };
        if (this.isExceeded()) {
            this.children.forEach(silence);
        }
    }

    private executionOf(index: number, input: JsonValue): JsonObject {
        const { run } = this.frame.thread;
        const name = `${String(run.execution.Name)}-${this.frame.state.name}-${index}`;
        const Id = arnOf(this.frame, this.map, "execution", name);
        return { ...run.execution, Id, Name: name, Input: input, StartTime: new Date(run.clock.now()).toISOString() };
    }
}
