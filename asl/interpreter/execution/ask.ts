/** The task handler asked without time-out or heartbeat: as S3, for a Map, and for a state that is tested. */
import type { JsonValue } from "../../types";
import { attempt } from "./attempt";
import type { Frame } from "./frame";
import type { TaskRequest } from "../types";

/** @throws what the handler throws. */
export function askHandler(
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
