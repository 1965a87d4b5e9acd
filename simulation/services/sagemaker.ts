/** Training jobs, as SageMaker takes, refuses, describes and stops them. */
import type { JsonObject, JsonValue } from "../../asl/types";
import { TaskError } from "../../asl/interpreter";
import type { FaultName } from "../faults";
import { hang, LONG, pass, refuse, runJob, taskFailed, WORK_SECONDS, type Call, type Refusals } from "./call";

type Training = JsonObject & {
    HyperParameters: JsonObject;
    AlgorithmSpecification: JsonObject;
    StoppingCondition: { MaxRuntimeInSeconds: number; MaxWaitTimeInSeconds?: number };
};

const REFUSALS: Refusals = {
    quota: [
        "SageMaker.ResourceLimitExceededException",
        "The account-level service limit 'ml.g5.xlarge for training job usage' is 0 Instances, with current " +
            "utilization of 0 Instances and a request delta of 1 Instances.",
    ],
    throttled: [
        "SageMaker.AmazonSageMakerException",
        "Rate exceeded (Service: AmazonSageMaker; Status Code: 400; Error Code: ThrottlingException)",
    ],
    accessDenied: [
        "SageMaker.AmazonSageMakerException",
        "User is not authorized to perform: sagemaker:CreateTrainingJob (Error Code: AccessDeniedException)",
    ],
    nameTaken: [
        "SageMaker.AmazonSageMakerException",
        "a training job with this name already exists (Error Code: ResourceInUse)",
    ],
};

/** FailureReason of a training that ran and failed. */
const REASONS: Partial<Readonly<Record<FaultName, string>>> = {
    internal: "InternalServerError: We encountered an internal error.  Please try again.",
    algorithm:
        'AlgorithmError: ExecuteUserScriptError: ExitCode 1 ErrorMessage "ValueError: shapes (3,4) and (5,) not ' +
        'aligned"',
    client: "ClientError: Please use an instance type with more memory, or reduce the size of training data",
    noData: "ClientError: Data download failed: No S3 objects found under S3 URL given in input data source",
};

const NO_CAPACITY =
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance " +
    "type.";

/** Lengths at which Step Functions, or whoever stands between, cuts a cause. */
const CUT: Partial<Readonly<Record<FaultName, number>>> = { cutCause: 300, longCause: 32_768 };

/** CreateTrainingJob.sync */
export async function train(call: Call): Promise<JsonValue> {
    const given = call.request.arguments as Training;
    call.account.world.trainings.push(given);
    checkTraining(given);
    refuse(REFUSALS, call);
    const job = new TrainingJob(call, given);
    return runJob(call, job.name, () => job.run());
}

/** A training that SageMaker took. */
class TrainingJob {
    readonly name: string;
    /** Of a training that had a machine. */
    private readonly ran: JsonObject;

    constructor(
        private readonly call: Call,
        private readonly given: Training,
    ) {
        this.name = String(given.TrainingJobName);
        this.ran = { TrainingStartTime: call.request.clock.now(), BillableTimeInSeconds: 3_600 };
    }

    async run(): Promise<JsonValue> {
        const { fault } = this.call;
        const { MaxRuntimeInSeconds: longest } = this.given.StoppingCondition;
        if (fault === undefined) {
            await pass(this.call, Math.min(WORK_SECONDS.training, longest));
            return WORK_SECONDS.training <= longest
                ? this.describe({ TrainingJobStatus: "Completed", SecondaryStatus: "Completed", ...this.ran })
                : this.stopped("MaxRuntimeExceeded");
        }
        await pass(this.call, WORK_SECONDS.capacity);
        return (await this.stop(fault)) ?? this.fail(fault);
    }

    /** Ends that are no failure of the job; undefined for the other faults. */
    private async stop(fault: FaultName): Promise<JsonValue | undefined> {
        const { MaxRuntimeInSeconds, MaxWaitTimeInSeconds = WORK_SECONDS.capacity } = this.given.StoppingCondition;
        switch (fault) {
            case "spotNeverStarted":
                await pass(this.call, Math.max(0, MaxWaitTimeInSeconds - WORK_SECONDS.capacity));
                return this.stopped("MaxWaitTimeExceeded");
            case "stopped":
                return this.stopped("Stopped");
            case "maxRuntime":
                await pass(this.call, Math.max(0, MaxRuntimeInSeconds - WORK_SECONDS.capacity));
                return this.stopped("MaxRuntimeExceeded");
            case "hangs":
                await hang(this.call);
                return null;
            default:
                return undefined;
        }
    }

    private fail(fault: FaultName): never {
        const reason = REASONS[fault];
        if (reason !== undefined) {
            throw taskFailed(this.failed(reason, this.ran));
        }
        if (CUT[fault] !== undefined) {
            throw taskFailed(this.failed(`AlgorithmError: ${LONG}`, this.ran), CUT[fault]);
        }
        switch (fault) {
            case "capacity":
                throw taskFailed(this.failed(NO_CAPACITY, {}));
            case "spotNeverStartedAsFailure":
                throw taskFailed(this.stopped("MaxWaitTimeExceeded"));
            case "textCause":
                throw new TaskError("States.TaskFailed", "something that nobody has seen before");
            default:
                throw new TaskError("States.TaskFailed", fault === "noCause" ? undefined : fault);
        }
    }

    private describe(more: JsonObject): JsonObject {
        return {
            TrainingJobName: this.name,
            TrainingJobArn: `arn:aws:sagemaker:eu-central-1:123456789012:training-job/${this.name}`,
            ModelArtifacts: { S3ModelArtifacts: `s3://out/${this.name}/output/model.tar.gz` },
            HyperParameters: this.given.HyperParameters,
            AlgorithmSpecification: this.given.AlgorithmSpecification,
            ...more,
        };
    }

    private failed(reason: string, time: JsonObject): JsonObject {
        return this.describe({
            TrainingJobStatus: "Failed",
            SecondaryStatus: "Failed",
            FailureReason: reason,
            ...time,
        });
    }

    private stopped(secondary: string): JsonObject {
        const time = secondary === "MaxWaitTimeExceeded" ? {} : this.ran;
        return this.describe({ TrainingJobStatus: "Stopped", SecondaryStatus: secondary, ...time });
    }
}

/** Bounds of CreateTrainingJob that a workflow could miss. */
function checkTraining(given: Training): void {
    const problem = trainingProblem(given);
    if (problem !== undefined) {
        throw new TaskError("SageMaker.AmazonSageMakerException", `ValidationException: ${problem}`);
    }
}

function trainingProblem(given: Training): string | undefined {
    const name = String(given.TrainingJobName);
    if (!/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(name)) {
        return `the name ${name}`;
    }
    if (Object.values(given.HyperParameters).some((value) => typeof value !== "string")) {
        return "hyperparameters are no strings";
    }
    if (!Array.isArray(given.InputDataConfig) || given.InputDataConfig.length === 0) {
        return "InputDataConfig is no list";
    }
    const { MaxRuntimeInSeconds: runtime, MaxWaitTimeInSeconds: longest } = given.StoppingCondition;
    const isRuntime = Number.isInteger(runtime) && runtime >= 1;
    const isWait = longest === undefined || (Number.isInteger(longest) && longest >= runtime);
    if (!isRuntime || !isWait) {
        return `StoppingCondition ${JSON.stringify(given.StoppingCondition)}`;
    }
    if ((longest !== undefined) !== (given.EnableManagedSpotTraining === true)) {
        return "MaxWaitTimeInSeconds with Spot, and only then";
    }
    return undefined;
}
