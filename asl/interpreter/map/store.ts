/** S3 as a Map sees it: the task handler, which stands for it. */
import type { JsonValue } from "../../types";
import { attempt } from "../execution/attempt";
import type { Frame } from "../execution/frame";
import type { TaskRequest } from "../types";

/** @throws what the handler throws. */
export function callStore(
    frame: Frame,
    purpose: TaskRequest["purpose"],
    resource: string,
    args: JsonValue,
): Promise<JsonValue> {
    return attempt(frame, {
        purpose,
        resource,
        args,
        credentials: undefined,
        timeout: undefined,
        heartbeat: undefined,
        onStarted: () => undefined,
        onSubmitted: () => undefined,
    });
}
