/** Batch jobs on Fargate, as Batch takes, refuses and describes them. */
import type { JsonObject, JsonValue } from "../../asl/types";
import { TaskError } from "../../asl/interpreter";
import type { FaultName } from "../faults";
import { hang, LONG, pass, refuse, runJob, taskFailed, WORK_SECONDS, type Call, type Refusals } from "./call";

const REFUSALS: Refusals = {
    throttled: [
        "Batch.AWSBatchException",
        "Too Many Requests (Service: AWSBatch; Status Code: 429; Error Code: TooManyRequestsException)",
    ],
    accessDenied: [
        "Batch.AWSBatchException",
        "User is not authorized to perform: batch:SubmitJob (AccessDeniedException)",
    ],
};

/** What the container writes before it ends with exit code 1. */
const WRITTEN: Partial<Readonly<Record<FaultName, string>>> = {
    exit1: "TypeError: x is not a function",
    data: 'DataError: labels.csv, line 7, got class "", expected a name: fill it in',
    storage: "StorageError: s3://bucket/key, connection reset",
    qualityGate: "QualityGate: sequence.page_accuracy 0.71, expected at least 0.8",
};

/** What Batch says of jobs that were not placed, not started, or whose host was taken away. */
const NOT_PLACED: Partial<Readonly<Record<FaultName, string>>> = {
    spotReclaimed: "Your Spot Task was interrupted.",
    noFargate: "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    queueFull:
        "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for instance type " +
        "[m5.large]",
    neverPlaced:
        "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) is higher than " +
        "that can be met by the CE(s) attached to the job queue.",
    dockerTimeout: "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s",
    imageMissing:
        "CannotPullContainerError: failed to resolve ref 1.dkr.ecr.eu-central-1.amazonaws.com/jobs:abc: " +
        "1.dkr.ecr.eu-central-1.amazonaws.com/jobs:abc: not found",
};

const EXITED = "Essential container in task exited";

/** SubmitJob.sync */
export async function submit(call: Call): Promise<JsonValue> {
    const given = call.request.arguments as JsonObject & { Parameters: Record<string, string> };
    const name = String(given.JobName);
    for (const [key, value] of Object.entries(given.Parameters)) {
        if (typeof value !== "string" || value === "") {
            throw new TaskError("Batch.AWSBatchException", `invalid parameter ${key}: ${JSON.stringify(value)}`);
        }
    }
    refuse(REFUSALS, call);
    return runJob(call, name, async () => {
        await pass(call, WORK_SECONDS.batch);
        if (call.fault === "hangs") {
            await hang(call);
        }
        if (call.fault !== undefined) {
            throw failure(call, call.fault, name, given.Parameters);
        }
        leave(call, given);
        return { JobName: name, JobId: "5e0c2c4e-1", Status: "SUCCEEDED" };
    });
}

function failure({ account }: Call, fault: FaultName, name: string, parameters: JsonObject): TaskError {
    const described = (reason: string, container: JsonObject): JsonObject => ({
        JobName: name,
        JobId: "5e0c2c4e-1",
        JobArn: "arn:aws:batch:eu-central-1:123456789012:job/5e0c2c4e-1",
        Status: "FAILED",
        StatusReason: reason,
        Attempts: [{ Container: { LogStreamName: "jobs/default/1", ...container }, StatusReason: reason }],
        Parameters: parameters,
    });
    const written = WRITTEN[fault];
    if (written !== undefined) {
        account.failureText = written;
        return taskFailed(described(EXITED, { ExitCode: 1 }));
    }
    const placement = NOT_PLACED[fault];
    if (placement !== undefined) {
        return taskFailed(described(placement, { Reason: placement }));
    }
    switch (fault) {
        case "hostLost":
            return taskFailed(described("Task failed to start", { ExitCode: 137, Reason: "" }));
        case "longCause":
            return taskFailed(described(LONG, { ExitCode: 1 }), 32_768);
        case "cutCause":
            return taskFailed(described("Essential container", { ExitCode: 1 }), 120);
        default:
            return new TaskError("States.TaskFailed", undefined);
    }
}

/** What a job that succeeded leaves. */
function leave({ account: { world } }: Call, given: JsonObject): void {
    const definition = String(given.JobDefinition);
    if (definition.includes("-publish-")) {
        world.published = true;
    } else if (definition.includes("-merge-")) {
        world.merged.push(given);
    }
}
