import { closest, distance } from "fastest-levenshtein";
import { EXIT, ToolError } from "../ground/errors";
import { AwsError } from "./awsError";

/** What kind of work a Task does, as far as its failures differ. */
export type TaskKind = "training" | "batch" | "lambda" | "sns" | "registry";

/** A fault that `--fail STATE=ERROR` or `--fail "STATE=ERROR*3"` asks for. */
export interface Fault {
    readonly state: string;
    readonly error: string;
    /** How often it is to happen. */
    readonly times: number;
    /** How often it still happens. */
    remaining: number;
}

export interface FaultContext {
    readonly state: string;
    /** Arguments of the call that fails. */
    readonly arguments: unknown;
}

/** What a fault does in place of the call: an error, an answer, or `kill` to run the call and kill its process. */
export type FaultEffect =
    { readonly throws: AwsError } | { readonly answers: Record<string, unknown> } | { readonly kills: true };

interface KnownFault {
    readonly kinds: readonly TaskKind[];
    readonly means: string;
    readonly effect: (context: FaultContext) => FaultEffect;
}

const REQUEST_END = "Request ID: local; Proxy: null)";

function sagemaker(error: string, code: string, message: string): FaultEffect {
    return {
        throws: new AwsError(
            error,
            `${message} (Service: AmazonSageMaker; Status Code: 400; Error Code: ${code}; ${REQUEST_END}`,
        ),
    };
}

function trainingFailed(reason: string) {
    return (context: FaultContext): FaultEffect => ({
        throws: new AwsError(
            "States.TaskFailed",
            JSON.stringify({
                ...training(context),
                TrainingJobStatus: "Failed",
                SecondaryStatus: "Failed",
                FailureReason: reason,
            }),
        ),
    });
}

function trainingStopped(secondary: string) {
    return (context: FaultContext): FaultEffect => ({
        answers: {
            ...training(context),
            TrainingJobStatus: "Stopped",
            SecondaryStatus: secondary,
            BillableTimeInSeconds: 0,
        },
    });
}

function training(context: FaultContext): Record<string, unknown> {
    const request = context.arguments as Record<string, unknown>;
    return {
        TrainingJobName: request.TrainingJobName,
        TrainingJobArn: `arn:aws:sagemaker:local:000000000000:training-job/${String(request.TrainingJobName)}`,
        ResourceConfig: request.ResourceConfig,
        OutputDataConfig: request.OutputDataConfig,
    };
}

function batchFailed(statusReason: string, container: Record<string, unknown>) {
    return (context: FaultContext): FaultEffect => {
        const request = context.arguments as Record<string, unknown>;
        const attempt = { Container: { LogStreamName: "local/injected", ...container }, StatusReason: statusReason };
        return {
            throws: new AwsError(
                "States.TaskFailed",
                JSON.stringify({
                    JobId: "injected",
                    JobName: request.JobName,
                    JobDefinition: request.JobDefinition,
                    JobQueue: request.JobQueue,
                    Status: "FAILED",
                    StatusReason: statusReason,
                    Attempts: [attempt],
                    Container: attempt.Container,
                    Parameters: request.Parameters,
                }),
            ),
        };
    };
}

function named(error: string, cause: string) {
    return (): FaultEffect => ({ throws: new AwsError(error, cause) });
}

const ALL: readonly TaskKind[] = ["training", "batch", "lambda", "sns", "registry"];

/** The faults that have a name of their own, with the causes that AWS gives (../shared/reference/aws.md, section 2). */
const FAULTS: Readonly<Record<string, KnownFault>> = {
    "CapacityError": {
        kinds: ["training"],
        means: "no instance of the type is free",
        effect: trainingFailed(
            "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML " +
                "instance type.",
        ),
    },
    "InternalServerError": {
        kinds: ["training"],
        means: "a fault of SageMaker",
        effect: trainingFailed("InternalServerError: We encountered an internal error.  Please try again."),
    },
    "AlgorithmError": {
        kinds: ["training"],
        means: "the training script failed",
        effect: trainingFailed("AlgorithmError: ExecuteUserScriptError: injected by --fail, exit code: 1"),
    },
    "ClientError": {
        kinds: ["training"],
        means: "the job was set up wrongly",
        effect: trainingFailed("ClientError: injected by --fail"),
    },
    "SpotNeverStarted": {
        kinds: ["training"],
        means: "Spot capacity did not come in time (Stopped)",
        effect: trainingStopped("MaxWaitTimeExceeded"),
    },
    "TimeLimit": {
        kinds: ["training"],
        means: "the training reached its time limit (Stopped)",
        effect: trainingStopped("MaxRuntimeExceeded"),
    },
    "ThrottlingException": {
        kinds: ["training", "batch"],
        means: "the API is called too often",
        effect: (context) =>
            "TrainingJobName" in (context.arguments as object)
                ? sagemaker("SageMaker.AmazonSageMakerException", "ThrottlingException", "Rate exceeded")
                : named(
                      "Batch.BatchException",
                      "Rate exceeded (Service: AWSBatch; Status Code: 429; Error Code: TooManyRequestsException; " +
                          `${REQUEST_END}`,
                  )(),
    },
    "AccessDeniedException": {
        kinds: ["training"],
        means: "a role lacks a permission",
        effect: () =>
            sagemaker(
                "SageMaker.AmazonSageMakerException",
                "AccessDeniedException",
                "User: arn:aws:sts::000000000000:assumed-role/injected is not authorized to perform: " +
                    "sagemaker:CreateTrainingJob",
            ),
    },
    "ResourceLimitExceeded": {
        kinds: ["training"],
        means: "the account's quota of instances is used up",
        effect: () =>
            sagemaker(
                "SageMaker.ResourceLimitExceededException",
                "ResourceLimitExceeded",
                "The account-level service limit 'ml.g5.xlarge for training job usage' is 0 Instances, with current " +
                    "utilization of 0 Instances",
            ),
    },
    "JobFailed": {
        kinds: ["batch"],
        means: "the job's program failed",
        effect: batchFailed("Essential container in task exited", { ExitCode: 1 }),
    },
    "HostLost": {
        kinds: ["batch"],
        means: "the job's host was lost",
        effect: batchFailed("Host EC2 (instance i-0injected) terminated.", {}),
    },
    "CannotPullContainer": {
        kinds: ["batch"],
        means: "the image could not be fetched",
        effect: batchFailed("Task failed to start", { Reason: "CannotPullContainerError: injected by --fail" }),
    },
    "Lambda.ServiceException": {
        kinds: ["lambda"],
        means: "a fault of Lambda",
        effect: named("Lambda.ServiceException", "injected by --fail"),
    },
    "Lambda.TooManyRequestsException": {
        kinds: ["lambda"],
        means: "too many calls of Lambda",
        effect: named("Lambda.TooManyRequestsException", "Rate Exceeded."),
    },
    "SNS.InternalErrorException": {
        kinds: ["sns"],
        means: "a fault of SNS",
        effect: named("SNS.InternalErrorException", "injected by --fail"),
    },
    "SageMaker.SageMakerException": {
        kinds: ["registry"],
        means: "the model registry refuses",
        effect: named("SageMaker.SageMakerException", "injected by --fail"),
    },
    "States.TaskFailed": {
        kinds: ALL,
        means: "a failure without details",
        effect: named("States.TaskFailed", "injected by --fail"),
    },
    "States.Timeout": { kinds: ALL, means: "the state's own time-out", effect: named("States.Timeout", "") },
    "Killed": {
        kinds: ["training", "batch", "lambda"],
        means: "the step runs and its process is killed (kill -9)",
        effect: () => ({ kills: true }),
    },
};

/** Any other error name of a service: one dot, as in `Lambda.SdkClientException`. */
const SERVICE_ERROR = /^(?!States\.)[A-Z][A-Za-z0-9]*\.[A-Z][A-Za-z0-9]*$/;

/**
 * @param states the definition's Task states and what each does
 * @throws ToolError with the nearest known name for a state or an error that does not exist
 */
export function parseFault(text: string, states: ReadonlyMap<string, TaskKind>): Fault {
    const match = /^(.+?)=([^=*]+?)(?:\*(\d{1,3}))?$/.exec(text.trim());
    if (!match) {
        throw new ToolError(
            `--fail ${JSON.stringify(text)}: STATE=ERROR is expected, or STATE=ERROR*TIMES, for example ` +
                '--fail "Image Model Training=CapacityError"',
            EXIT.usage,
        );
    }
    const [, state, error, times] = match.map((part) => part?.trim());
    const kind = states.get(state);
    if (kind === undefined) {
        throw new ToolError(
            `--fail: no Task state is called ${JSON.stringify(state)}; nearest: ` +
                `${JSON.stringify(closest(state, [...states.keys()]))}. ` +
                `There are:\n  ${[...states.keys()].join("\n  ")}`,
            EXIT.usage,
        );
    }
    const possible = Object.keys(FAULTS).filter((name) => FAULTS[name].kinds.includes(kind));
    if (!possible.includes(error)) {
        const near = closest(error, possible);
        const misspelt = distance(error.toLowerCase(), near.toLowerCase()) <= 3;
        if (FAULTS[error] !== undefined || misspelt || !SERVICE_ERROR.test(error)) {
            throw new ToolError(
                `--fail: ${state} cannot fail with ${JSON.stringify(error)}; nearest: ${near}. ` +
                    `It knows: ${possible.join(", ")}, or any error name of a service such as ` +
                    "Lambda.SdkClientException",
                EXIT.usage,
            );
        }
    }
    const remaining = times === undefined ? 1 : Number(times);
    if (remaining < 1) {
        throw new ToolError(`--fail ${JSON.stringify(text)}: a fault happens at least once`, EXIT.usage);
    }
    return { state, error, times: remaining, remaining };
}

/** What of the faults did not happen, one line each: what was to be rehearsed was not. */
export function unrehearsed(faults: readonly Fault[]): string[] {
    return faults
        .filter(({ remaining }) => remaining > 0)
        .map(({ state, error, times, remaining }) => {
            const happened = times - remaining;
            const asked = `--fail ${JSON.stringify(times === 1 ? `${state}=${error}` : `${state}=${error}*${times}`)}`;
            if (happened === 0) {
                const why = `${state} did not run (it was skipped, or its result reused)`;
                return `${asked}: did not happen, since ${why}; --fresh runs everything`;
            }
            return `${asked}: happened ${happened} times, since ${state} did not run again`;
        });
}

/** The effect of the next fault of a state, which is used up by that. */
export function nextFault(faults: readonly Fault[], context: FaultContext): FaultEffect | undefined {
    const fault = faults.find((candidate) => candidate.state === context.state && candidate.remaining > 0);
    if (fault === undefined) {
        return undefined;
    }
    fault.remaining -= 1;
    return FAULTS[fault.error]?.effect(context) ?? { throws: new AwsError(fault.error, "injected by --fail") };
}
