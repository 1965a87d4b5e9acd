/** Tasks that wait until somebody outside says by their token how they ended. */
import { TaskError, type TaskHandler, type TaskRequest } from "../interpreter";
import type { JsonValue } from "../types";
import { ServiceError } from "./errors";

interface Waiting {
    readonly succeed: (output: JsonValue) => void;
    readonly fail: (error: TaskError) => void;
    readonly heartbeat: () => void;
    hasEnded: boolean;
}

const WAITS = /\.waitForTaskToken$/;

/**
 * The tokens of one service. Those of tasks that have ended are remembered, so that a late answer is told apart from a
 * wrong one.
 */
export class TaskTokens {
    private readonly waiting = new Map<string, Waiting>();

    /** Ended tasks whose tokens are remembered. */
    private static readonly REMEMBERED = 10_000;

    /** A new token. */
    make(): string {
        return Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString("base64");
    }

    /** A handler whose tasks with a token end by the first of its own answer and the token's. */
    answered(task: TaskHandler): TaskHandler {
        return (request) => (WAITS.test(request.resource) ? this.wait(request, task) : task(request));
    }

    private wait(request: TaskRequest, task: TaskHandler): Promise<JsonValue> {
        const { Token: token } = (request.context.Task ?? {}) as { readonly Token?: string };
        if (token === undefined) {
            return task(request);
        }
        return new Promise<JsonValue>((resolve, reject) => {
            const entry: Waiting = { succeed: resolve, fail: reject, heartbeat: request.heartbeat, hasEnded: false };
            this.waiting.set(token, entry);
            const close = (): void => {
                entry.hasEnded = true;
                this.forgetOldest();
            };
            request.signal.addEventListener("abort", () => reject(request.signal.reason as Error));
            request.signal.addEventListener("abort", close);
            task(request).then(resolve, reject).finally(close);
        });
    }

    private forgetOldest(): void {
        for (const [token, { hasEnded }] of this.waiting) {
            if (this.waiting.size <= TaskTokens.REMEMBERED) {
                return;
            }
            if (hasEnded) {
                this.waiting.delete(token);
            }
        }
    }

    succeed(token: string, output: string): void {
        const task = this.open(token);
        let value: JsonValue;
        try {
            value = JSON.parse(output) as JsonValue;
        } catch (error) {
            throw new ServiceError("InvalidOutput", `Invalid Output: '${(error as Error).message}'`);
        }
        task.hasEnded = true;
        task.succeed(value);
    }

    fail(token: string, error: string | undefined, cause: string | undefined): void {
        const task = this.open(token);
        task.hasEnded = true;
        task.fail(new TaskError(error, cause));
    }

    heartbeat(token: string): void {
        this.open(token).heartbeat();
    }

    /** @throws ServiceError InvalidToken, TaskTimedOut */
    private open(token: string): Waiting {
        const found = this.waiting.get(token);
        if (found === undefined) {
            throw new ServiceError("InvalidToken", "Invalid Token: 'Invalid token'");
        }
        if (found.hasEnded) {
            throw new ServiceError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'");
        }
        return found;
    }
}
