/** What every group of rules gets. */
import type { Reporter } from "./findings";
import type { Graph } from "./graph";
import type { Expressions } from "./jsonata";

export interface Settings {
    /** What the state machine is created as. */
    readonly type: "STANDARD" | "EXPRESS";
    readonly tolerance: "declared" | "forbidden";
    readonly notification: readonly string[];
    readonly notifiedPrefix: string | undefined;
}

export interface Context {
    readonly graph: Graph;
    readonly report: Reporter;
    readonly settings: Settings;
    readonly expressions: Expressions;
    /** Names of variables that some state assigns, in whatever scope. */
    readonly assigned: ReadonlySet<string>;
}
