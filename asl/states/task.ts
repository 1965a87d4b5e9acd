import type { JsonataString, JsonValue, TaskState } from "../types";
import { Stub } from "./flow";
import {
    renderCatch,
    renderRetry,
    StateNode,
    transition,
    type Failure,
    type Retry,
    type Seconds,
    type StateOptions,
} from "./node";
import type { Template } from "./jsonata";

export interface TaskOptions extends StateOptions {
    /** Demanded: without it a Task waits for ever. */
    readonly timeoutSeconds: Seconds;
    readonly retry?: readonly Retry[];
    /** Where failures go. At least one that catches States.ALL: a failure nobody catches is silent. */
    readonly catch: readonly [Failure, ...Failure[]];
}

/** A state that calls a service. */
export abstract class Task extends StateNode {
    constructor(
        name: string,
        protected readonly task: TaskOptions,
    ) {
        super(name);
    }

    /** ARN of the integration. */
    protected abstract resource(): string;

    protected abstract arguments(): Template;

    override targets(): readonly string[] {
        return [
            ...(this.task.next === undefined ? [] : [this.task.next]),
            ...this.task.catch.map((failure) => failure.next),
        ];
    }

    override render(): TaskState {
        const { next, timeoutSeconds, retry, catch: failures } = this.task;
        return {
            Type: "Task",
            Resource: this.resource(),
            Arguments: this.json(this.arguments(), "Arguments"),
            TimeoutSeconds: this.json(timeoutSeconds, "TimeoutSeconds") as JsonataString | number,
            ...this.common(this.task),
            ...renderRetry(retry),
            ...renderCatch(failures, `state "${this.name}"`),
            ...transition(next),
        };
    }

    override stub(result: JsonValue): StateNode {
        return new Stub(this.name, this.task, result);
    }
}
