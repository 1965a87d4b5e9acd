/** What the operations work on. */
import type { JsonValue } from "../../types";
import type { Executions } from "../executions";
import type { Machines } from "../machines";
import type { TaskTokens } from "../taskTokens";

/** Answers one operation's request; a ServiceError is the service's refusal. */
export type Operation = (body: unknown) => JsonValue | Promise<JsonValue>;

/** Operations by their names. */
export type Operations = Readonly<Record<string, Operation>>;

/** The parts of one service. */
export interface Service {
    readonly machines: Machines;
    readonly executions: Executions;
    readonly tokens: TaskTokens;
    /** An ARN of this account and region. */
    readonly arn: (kind: string, name: string) => string;
}
