import assert from "node:assert/strict";
import { CreateStateMachineCommand, DescribeExecutionCommand, SFNClient } from "@aws-sdk/client-sfn";
import { TaskError, VirtualClock, type TaskRequest } from "../../asl/interpreter";
import type { JsonValue } from "../../asl/types";
import { explainSdkError } from "../../cli/aws/errors";
import { ToolError } from "../../ground/errors";
import {
    explainExecution,
    findExecution,
    findStage,
    resumedName,
    resumeTraining,
    startTraining,
    stopTraining,
    watchExecution,
    type DeployedStage,
} from "../../cli/aws/executions";
import { serveStepFunctions, type StepFunctionsApi } from "../../asl/api/stepFunctions";
import { renderDefinition } from "../../workflow";
import { classify } from "../../workflow/failures";
import { describeFailure } from "../../workloads/functions/describe-failure";
import { stageSettings, targets } from "../../simulation/sampleStages";
import { runOf } from "../../simulation";

const name = "smartcat-model-training-dev";
const settings = stageSettings("dev");
const input = {
    initialization: {
        fetch_data: { preprocessed_data_path: `${settings.dataLocations[0]}/data` },
        run_training_steps: {
            image_model: true,
            text_model: true,
            fetch_preprocessing_artifacts: true,
            generate_image_model_split: true,
        },
    },
};

describe("executions of a deployed stage, through the AWS SDK", () => {
    let api: StepFunctionsApi;
    let client: SFNClient;
    let stage: DeployedStage;
    /** Error that the text training meets, and whether the fetch job hangs. */
    let fault: { text?: TaskError; hang?: boolean } = {};
    const trainings: string[] = [];

    async function task({ state, resource, arguments: given, signal }: TaskRequest): Promise<JsonValue> {
        const request = given as { Payload?: { step?: string }; FunctionName?: string; TrainingJobName?: string };
        if (state === "Fetch Preprocessing Artifacts" && fault.hang) {
            await new Promise((_resolve, reject) =>
                signal.addEventListener("abort", () => reject(new TaskError("States.TaskFailed"))),
            );
        }
        if (resource.includes("sagemaker")) {
            trainings.push(String(request.TrainingJobName));
            if (state === "Text Model Training" && fault.text !== undefined) {
                throw fault.text;
            }
            return {
                TrainingJobName: String(request.TrainingJobName),
                TrainingJobStatus: "Completed",
                ModelArtifacts: { S3ModelArtifacts: "s3://b/model.tar.gz" },
                BillableTimeInSeconds: 60,
            };
        }
        if (!resource.includes("lambda")) {
            return {};
        }
        const which = /function:smartcat-dev-([a-z-]+)/.exec(String(request.FunctionName))?.[1];
        const payload = request.Payload as unknown as Record<string, never>;
        const answer =
            which === "setup"
                ? runOf(settings)
                : which === "error-cause"
                  ? classify(payload)
                  : which === "describe-failure"
                    ? describeFailure(payload, new Date())
                    : { model: payload.model, outcome: "trained", jobName: trainings.at(-1) };
        return { StatusCode: 200, Payload: JSON.parse(JSON.stringify(answer)) as JsonValue };
    }

    before(async () => {
        api = await serveStepFunctions({ begin: () => ({ task, clock: new VirtualClock(Date.now()) }) });
        const credentials = { accessKeyId: "x", secretAccessKey: "x" };
        client = new SFNClient({ endpoint: api.endpoint, region: "eu-central-1", credentials, maxAttempts: 1 });
        const definition = JSON.stringify(renderDefinition(settings, targets("dev")));
        await client.send(new CreateStateMachineCommand({ name, definition, roleArn: "arn:aws:iam::1:role/r" }));
        stage = await findStage(client, name);
    });

    beforeEach(() => {
        fault = {};
        trainings.length = 0;
    });

    after(async () => {
        client.destroy();
        await api.close();
    });

    async function ended(executionArn: string): Promise<string> {
        let status = "";
        for await (const look of watchExecution(client, executionArn, { interval: 10 })) {
            status = String(look.execution.status);
        }
        return status;
    }

    it("finds the stage and its settings in what is deployed", () => {
        assert.equal(stage.settings.service, "smartcat");
        assert.deepEqual(Object.keys(stage.settings.members), Object.keys(settings.members));
    });

    it("says so when the stage is not deployed", async () => {
        await assert.rejects(
            findStage(client, "other-model-training-dev"),
            /no state machine "other-model-training-dev" in eu-central-1.*Deploy/,
        );
    });

    it("starts nothing on a wrong input, and names every problem", async () => {
        const wrong = structuredClone(input) as { initialization: Record<string, unknown> };
        wrong.initialization.image_modell = {};
        delete (wrong.initialization.fetch_data as Record<string, unknown>).preprocessed_data_path;
        await assert.rejects(
            startTraining(client, stage, wrong),
            (error: Error) =>
                error instanceof ToolError &&
                /2 problems; nothing was started/.test(error.message) &&
                /image_modell/.test(error.message) &&
                /preprocessed_data_path/.test(error.message),
        );
        await assert.rejects(findExecution(client, stage), /no execution yet/);
    });

    it("starts, follows to the end with every event once and in order, and finds the newest execution", async () => {
        const executionArn = await startTraining(client, stage, input, "good");
        const ids: number[] = [];
        for await (const { events } of watchExecution(client, executionArn, { interval: 1 })) {
            ids.push(...events.map((event) => Number(event.id)));
        }
        assert.ok(ids.length > 50, String(ids.length));
        assert.deepEqual(
            ids,
            ids.map((_, index) => index + 1),
        );
        assert.equal(await findExecution(client, stage), executionArn);
        assert.equal(await findExecution(client, stage, "good"), executionArn);
        assert.deepEqual(Object.keys(await explainExecution(client, executionArn)), [
            "executionArn",
            "status",
            "seconds",
        ]);
    });

    it("explains a failure: the state, the class, the reason and what to do", async () => {
        fault.text = new TaskError(
            "SageMaker.AmazonSageMakerException",
            "User is not authorized to perform: sagemaker:CreateTrainingJob (Error Code: AccessDeniedException)",
        );
        const executionArn = await startTraining(client, stage, input, "denied");
        assert.equal(await ended(executionArn), "FAILED");
        const explained = await explainExecution(client, executionArn);
        assert.equal(explained.state, "Text Model Training");
        assert.equal(explained.class, "Permission");
        assert.match(explained.reason ?? "", /not authorized to perform: sagemaker:CreateTrainingJob/);
        assert.match(explained.advice ?? "", /pulumi up/);
        assert.equal(explained.error, "Notified.Permission");
    });

    it(
        "resumes a failed execution with its input under a new name, and refuses to resume what runs or has " +
            "succeeded",
        async () => {
            fault.text = new TaskError("States.TaskFailed", '{"FailureReason":"AlgorithmError: bug"}');
            const failed = await startTraining(client, stage, input, "again");
            assert.equal(await ended(failed), "FAILED");
            fault = {};
            const resumed = await resumeTraining(client, stage, failed);
            assert.match(resumed, /:again-r2$/);
            assert.equal(await ended(resumed), "SUCCEEDED");
            await assert.rejects(resumeTraining(client, stage, resumed), /has succeeded/);
            fault = { hang: true };
            const running = await startTraining(client, stage, input, "runs");
            await assert.rejects(resumeTraining(client, stage, running), /still running/);
            await stopTraining(client, running, "test");
            assert.equal(await ended(running), "ABORTED");
            assert.equal((await explainExecution(client, running)).error, "StoppedByOperator");
        },
    );

    it("does not train again what was forced and has finished", async () => {
        fault.text = new TaskError("States.TaskFailed", '{"FailureReason":"AlgorithmError: bug"}');
        const forced = { initialization: { ...input.initialization, force: ["image", "text", "sequence"] } };
        const failed = await startTraining(client, stage, forced, "forced");
        assert.equal(await ended(failed), "FAILED");
        fault = {};
        const executionArn = await resumeTraining(client, stage, failed);
        const { input: resumed } = await client.send(new DescribeExecutionCommand({ executionArn }));
        assert.deepEqual(JSON.parse(resumed ?? ""), {
            initialization: { ...input.initialization, force: ["text", "sequence"] },
        });
    });

    it("stops watching, not the execution, on an abort", async () => {
        fault = { hang: true };
        const running = await startTraining(client, stage, input, "watched");
        const abort = new AbortController();
        for await (const { execution } of watchExecution(client, running, { interval: 60_000, signal: abort.signal })) {
            assert.equal(execution.status, "RUNNING");
            setTimeout(() => abort.abort(), 5);
        }
        await stopTraining(client, running, "test");
        assert.equal(await ended(running), "ABORTED");
    });

    it("numbers resumed names within 80 characters", () => {
        assert.equal(resumedName("run"), "run-r2");
        assert.equal(resumedName("run-r9"), "run-r10");
        assert.equal(resumedName("x".repeat(80)).length, 80);
    });
});

describe("errors of the AWS SDK, as one line", () => {
    const cases: [string, Error, RegExp][] = [
        ["no region", new Error("Region is missing"), /no AWS region.*--region/],
        [
            "no credentials",
            Object.assign(new Error("Could not load credentials from any providers"), {
                name: "CredentialsProviderError",
            }),
            /aws sso login/,
        ],
        [
            "dead endpoint",
            Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
            /cannot be reached \(ECONNREFUSED\)/,
        ],
        [
            "an expired token",
            Object.assign(new Error("The security token included in the request is expired"), {
                name: "ExpiredTokenException",
            }),
            /does not accept the credentials \(ExpiredTokenException\).*sign in again.*aws sso login/i,
        ],
        [
            "an expired sign-in",
            Object.assign(new Error("Token is expired. To refresh this SSO session run 'aws sso login'"), {
                name: "CredentialsProviderError",
            }),
            /aws sso login/,
        ],
        [
            "a region that does not exist",
            Object.assign(new Error("getaddrinfo ENOTFOUND states.eu-central-9.amazonaws.com"), { code: "ENOTFOUND" }),
            /cannot be reached \(ENOTFOUND states\.eu-central-9\.amazonaws\.com\).*Check the network, the region/,
        ],
        [
            "an unknown execution",
            Object.assign(new Error("Execution Does Not Exist: 'arn:x'"), {
                name: "ExecutionDoesNotExist",
                $metadata: {},
            }),
            /there is no execution "arn:x".*Leave it out for the newest/,
        ],
        [
            "an invalid name of an execution",
            Object.assign(new Error("Invalid Arn: 'x y'"), { name: "InvalidArn", $metadata: {} }),
            /no execution.*x y/,
        ],
        [
            "denied",
            Object.assign(new Error("not authorized to perform: states:StartExecution"), {
                name: "AccessDeniedException",
            }),
            /states:StartExecution/,
        ],
    ];
    for (const [what, error, expected] of cases) {
        it(what, () => {
            const explained = explainSdkError(error, "start an execution");
            assert.ok(explained instanceof ToolError);
            assert.match(explained.message, expected);
            assert.doesNotMatch(explained.message, /\n/);
        });
    }

    it("keeps an error that is none of AWS's", () => {
        const own = new TypeError("a bug");
        assert.equal(explainSdkError(own, "x"), own);
    });
});
