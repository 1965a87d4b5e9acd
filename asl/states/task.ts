import { defined } from "../../ground/fields";
import type { JsonataString, JsonValue, TaskState } from "../types";
import { checkInteger } from "./bounds";
import { Stub } from "./stub";
import {
    checkFailures,
    checkRetry,
    MAXIMUM_SECONDS,
    renderCatch,
    renderRetry,
    StateNode,
    targetsOf,
    transition,
    type Failure,
    type Retry,
    type Seconds,
    type StateOptions,
} from "./node";
import type { Permission } from "./permissions";
import type { Template } from "./jsonata";

/** What every Task may have. Source of the bounds: https://states-language.net/spec.html, "Task State". */
export interface TaskOptions extends StateOptions {
    /** Seconds of one attempt, 1 to 99,999,999. Demanded: without it a Task waits for ever. */
    readonly timeoutSeconds: Seconds;
    /**
     * Seconds without a heartbeat after which the attempt fails, 1 to 99,999,999, less than the time-out. Default:
     * none.
     */
    readonly heartbeatSeconds?: Seconds;
    /** Default: never. */
    readonly retry?: readonly Retry[];
    /** Where failures go. The last must catch States.ALL: a failure nobody catches is silent. */
    readonly catch: readonly [Failure, ...Failure[]];
    /**
     * ARN of a role, of any account, that does the call; it must trust the machine's role. Default: the machine's role
     * does it.
     */
    readonly credentialsRoleArn?: string;
}

/** A state that calls a service. */
export abstract class Task extends StateNode {
    constructor(
        name: string,
        protected readonly task: TaskOptions,
    ) {
        super(name);
        const { timeoutSeconds, heartbeatSeconds, retry, catch: failures } = task;
        const seconds = { min: 1, max: MAXIMUM_SECONDS, unit: "seconds" };
        checkInteger({ state: name, field: "timeoutSeconds" }, timeoutSeconds, seconds);
        checkInteger({ state: name, field: "heartbeatSeconds" }, heartbeatSeconds, seconds);
        if (typeof timeoutSeconds === "number" && typeof heartbeatSeconds === "number") {
            const most = { ...seconds, max: timeoutSeconds - 1 };
            checkInteger({ state: name, field: "heartbeatSeconds" }, heartbeatSeconds, most);
        }
        checkRetry(name, retry);
        checkFailures(name, failures);
    }

    /** ARN of the integration. */
    protected abstract resource(): string;

    protected abstract arguments(): Template;

    /** What the call needs. */
    protected abstract needs(): readonly Permission[];

    /**
     * What the call needs; where the Task takes another role, that role must be allowed it, and the machine's to take
     * that role.
     */
    override permissions(): readonly Permission[] {
        const { credentialsRoleArn } = this.task;
        if (credentialsRoleArn === undefined) {
            return this.needs();
        }
        return [{ actions: ["sts:AssumeRole"], resources: [credentialsRoleArn] }];
    }

    override targets(): readonly string[] {
        return targetsOf(this.task.next, this.task.catch);
    }

    override render(): TaskState {
        const { next, timeoutSeconds, heartbeatSeconds, credentialsRoleArn, retry, catch: failures } = this.task;
        const optional = (template: Template | undefined, field: string): JsonValue | undefined =>
            template === undefined ? undefined : this.json(template, field);
        return defined({
            Type: "Task" as const,
            Resource: this.resource(),
            Arguments: this.json(this.arguments(), "Arguments"),
            Credentials: credentialsRoleArn === undefined ? undefined : { RoleArn: credentialsRoleArn },
            TimeoutSeconds: this.json(timeoutSeconds, "TimeoutSeconds") as JsonataString | number,
            HeartbeatSeconds: optional(heartbeatSeconds, "HeartbeatSeconds") as JsonataString | number | undefined,
            ...this.common(this.task),
            Retry: renderRetry(retry),
            Catch: renderCatch(failures, this.name),
            ...transition(next),
        });
    }

    override stub(result: JsonValue): StateNode {
        return new Stub(this.name, this.task, result);
    }
}
