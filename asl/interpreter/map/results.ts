/** What a distributed Map makes of its children's results. Source: Developer Guide, "ResultWriter (Map)". */
import type { JsonObject, JsonValue } from "../../types";
import { StateFailure } from "../failure";

/** How a child execution ended: with an output, or a failure. */
export interface ChildResult {
    /** The context object's Execution. */
    readonly execution: JsonObject;
    readonly input: JsonValue;
    readonly output?: JsonValue;
    readonly failure?: StateFailure;
    readonly startTime: number;
    readonly stopTime: number;
}

/** The output of a Map that writes nothing to S3. */
export function outputOf(results: readonly ChildResult[], config: JsonObject = {}): JsonValue[] {
    return transformed(results.filter(isSuccess), String(config.Transformation ?? "COMPACT"));
}

export function isSuccess({ failure }: ChildResult): boolean {
    return failure === undefined;
}

/** The results as the writer's Transformation has them; of a failed child it is always the whole description. */
export function transformed(results: readonly ChildResult[], transformation: string): JsonValue[] {
    return results.flatMap((result): JsonValue[] => {
        if (transformation === "NONE" || result.output === undefined) {
            return [describedChild(result)];
        }
        return transformation === "FLATTEN" && Array.isArray(result.output) ? result.output : [result.output];
    });
}

/** A child execution as DescribeExecution describes it. */
function describedChild({ execution, input, output, failure, startTime, stopTime }: ChildResult): JsonObject {
    const described: JsonObject = {
        ExecutionArn: execution.Id ?? null,
        Input: JSON.stringify(input),
        InputDetails: { Included: true },
        Name: execution.Name ?? null,
        RedriveCount: 0,
        RedriveStatus: failure === undefined ? "NOT_REDRIVABLE" : "REDRIVABLE_BY_MAP_RUN",
        StartDate: new Date(startTime).toISOString(),
        StateMachineArn: String(execution.Id)
            .replace(":execution:", ":stateMachine:")
            .replace(/:[^:]*$/u, ""),
        Status: failure === undefined ? "SUCCEEDED" : "FAILED",
        StopDate: new Date(stopTime).toISOString(),
    };
    if (output !== undefined) {
        described.Output = JSON.stringify(output);
        described.OutputDetails = { Included: true };
    }
    if (failure?.error !== undefined) {
        described.Error = failure.error;
    }
    if (failure?.cause !== undefined) {
        described.Cause = failure.cause;
    }
    return described;
}
