import assert from "node:assert/strict";
import fc from "fast-check";
import { logUrl } from "../../ground/console";
import type { ErrorClass } from "../../workflow/contract";
import { ERROR_CLASSES } from "../../workflow/errorClasses";
import { advice, classify, maximumReason, oneLine } from "../../workflow/failures";
import type { Failure } from "../../workflow/failures";

const training = (changed: object) =>
    JSON.stringify({
        TrainingJobName: "documents-dev-image-0a1b2c3d-0-1-0",
        TrainingJobStatus: "Failed",
        SecondaryStatus: "Failed",
        TrainingJobArn: "arn:aws:sagemaker:eu-central-1:123456789012:training-job/documents-dev-image-0a1b2c3d-0-1-0",
        ...changed,
    });
const failed = (FailureReason: string) => training({ FailureReason });
const batch = (changed: object) =>
    JSON.stringify({
        JobName: "documents-dev-merge-0a1b2c3d-0-1-0",
        JobId: "5f5e7a0c",
        Status: "FAILED",
        StatusReason: "Essential container in task exited",
        Attempts: [
            {
                Container: { ExitCode: 1, LogStreamName: "merge/default/abc" },
                StatusReason: "Essential container in task exited",
            },
        ],
        Container: { ExitCode: 1, LogConfiguration: { Options: { "awslogs-group": "/documents/dev/jobs" } } },
        Parameters: { OUTPUT_PATH: "s3://b/runs/x/dataframe" },
        ...changed,
    });
const api = "SageMaker.AmazonSageMakerException";

const table: readonly (readonly [string, Failure, ErrorClass, RegExp])[] = [
    [
        "no instance was free",
        {
            error: "States.TaskFailed",
            cause: failed(
                "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML " +
                    "instance type.",
            ),
        },
        "Capacity",
        /^CapacityError: Unable/,
    ],
    [
        "no instance was free, newer words",
        {
            error: "States.TaskFailed",
            cause: failed(
                "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error.",
            ),
        },
        "Capacity",
        /Insufficient/,
    ],
    [
        "a fault of SageMaker",
        {
            error: "States.TaskFailed",
            cause: failed("InternalServerError: We encountered an internal error.  Please try again."),
        },
        "ServiceFault",
        /^InternalServerError/,
    ],
    [
        "a script that raised",
        {
            error: "States.TaskFailed",
            cause: failed(
                'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: too many requests ' +
                    'were invalid"',
            ),
        },
        "UserBug",
        /ExecuteUserScriptError/,
    ],
    [
        "a hyperparameter that a script refused",
        {
            error: "States.TaskFailed",
            cause: failed("AlgorithmError: HyperparameterError: c: expected above 0 to 10000, got -1"),
        },
        "Input",
        /^HyperparameterError: c: expected above 0/,
    ],
    [
        "data that a script refused",
        {
            error: "States.TaskFailed",
            cause: failed("AlgorithmError: DataError: labels.csv:17: unknown page 9 of stack a\nTraceback"),
        },
        "Data",
        /^DataError: labels\.csv:17: unknown page 9 of stack a$/,
    ],
    [
        "data that a script refused, told by the toolkit",
        {
            error: "States.TaskFailed",
            cause: failed(
                'AlgorithmError: ExecuteUserScriptError:\nErrorMessage "DataError: no image"\nCommand "python"',
            ),
        },
        "Data",
        /^DataError: no image$/,
    ],
    [
        "a script without a permission",
        {
            error: "States.TaskFailed",
            cause: failed("AlgorithmError: PermissionError: could not read s3://b/x: access denied"),
        },
        "Permission",
        /^PermissionError/,
    ],
    [
        "a role that may not read the data",
        {
            error: "States.TaskFailed",
            cause: failed("ClientError: Data download failed:AccessDenied (403): Access Denied"),
        },
        "Permission",
        /AccessDenied/,
    ],
    [
        "data that is not there",
        {
            error: "States.TaskFailed",
            cause: failed('ClientError: Data download failed:No S3 objects found under S3 URL "s3://b/x"'),
        },
        "Data",
        /No S3 objects/,
    ],
    [
        "an image that is not there",
        {
            error: "States.TaskFailed",
            cause: failed(
                "ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions " +
                    "are incorrect.",
            ),
        },
        "UserBug",
        /Cannot pull/,
    ],
    [
        "a quota at the job",
        {
            error: "States.TaskFailed",
            cause: failed("ResourceLimitExceeded: The account-level service limit is 0 Instances"),
        },
        "Quota",
        /account-level/,
    ],
    [
        "Spot that never came",
        {
            error: "States.TaskFailed",
            cause: training({ TrainingJobStatus: "Stopped", SecondaryStatus: "MaxWaitTimeExceeded" }),
            spot: true,
        },
        "SpotInterrupted",
        /MaxWaitTimeExceeded/,
    ],
    [
        "Spot that was reclaimed",
        {
            error: "States.TaskFailed",
            cause: training({ TrainingJobStatus: "Stopped", SecondaryStatus: "Interrupted" }),
            spot: true,
        },
        "SpotInterrupted",
        /Interrupted/,
    ],
    [
        "a training at its limit",
        {
            error: "States.TaskFailed",
            cause: training({ TrainingJobStatus: "Stopped", SecondaryStatus: "MaxRuntimeExceeded" }),
        },
        "TimeLimit",
        /MaxRuntimeExceeded/,
    ],
    [
        "a training that somebody stopped",
        { error: "States.TaskFailed", cause: training({ TrainingJobStatus: "Stopped", SecondaryStatus: "Stopped" }) },
        "Unknown",
        /stopped by somebody/,
    ],
    [
        "the second status told only as a transition",
        {
            error: "States.TaskFailed",
            cause: training({
                TrainingJobStatus: "Stopped",
                SecondaryStatus: undefined,
                SecondaryStatusTransitions: [
                    { Status: "Starting" },
                    { Status: "MaxWaitTimeExceeded", StatusMessage: "waited" },
                ],
            }),
        },
        "SpotInterrupted",
        /MaxWaitTime/,
    ],
    [
        "a training without a reason",
        { error: "States.TaskFailed", cause: training({}) },
        "Unknown",
        /ended Failed .*gave no reason/,
    ],
    [
        "throttling",
        {
            error: api,
            cause: "Rate exceeded (Service: AmazonSageMaker; Status Code: 400; Error Code: ThrottlingException)",
        },
        "Throttling",
        /Rate exceeded/,
    ],
    [
        "a request that is not valid",
        {
            error: api,
            cause:
                "2 validation errors detected: Value 'x' failed to satisfy constraint (Status Code: 400; Error Code: " +
                "ValidationException)",
        },
        "UserBug",
        /validation errors/,
    ],
    [
        "an API without permission",
        {
            error: api,
            cause:
                "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: sagemaker:CreateTrainingJob " +
                "(Error Code: AccessDeniedException)",
        },
        "Permission",
        /not authorized/,
    ],
    [
        "a role that cannot be assumed",
        { error: api, cause: "Could not assume role arn:aws:iam::1:role/x. (Error Code: ValidationException)" },
        "Permission",
        /assume role/,
    ],
    [
        "an API that is down",
        { error: api, cause: "Service Unavailable (Service: AmazonSageMaker; Status Code: 503)" },
        "ServiceFault",
        /503/,
    ],
    [
        "a name that was used",
        {
            error: api,
            cause:
                "Training job names must be unique, a training job with this name already exists (Error Code: " +
                "ResourceInUse)",
        },
        "ServiceFault",
        /already exists/,
    ],
    [
        "a quota at the API",
        {
            error: "SageMaker.ResourceLimitExceededException",
            cause: "The account-level service limit 'ml.g5.xlarge for training job usage' is 0 Instances",
        },
        "Quota",
        /ml\.g5/,
    ],
    [
        "a host that went away",
        {
            error: "States.TaskFailed",
            cause: batch({
                StatusReason: "Host EC2 (instance i-0a) terminated.",
                Attempts: [{ StatusReason: "Host EC2 (instance i-0a) terminated.", Container: {} }],
            }),
        },
        "SpotInterrupted",
        /Host EC2/,
    ],
    [
        "a Fargate Spot task that went away",
        {
            error: "States.TaskFailed",
            cause: batch({ StatusReason: "Your Spot Task was interrupted.", Attempts: [{ Container: {} }] }),
        },
        "SpotInterrupted",
        /interrupted/,
    ],
    [
        "a job at its limit",
        { error: "States.TaskFailed", cause: batch({ StatusReason: "Job attempt duration exceeded timeout" }) },
        "TimeLimit",
        /duration exceeded/,
    ],
    [
        "a job's own line",
        { error: "States.TaskFailed", cause: batch({}), failureText: 'DataError: labels.csv line 3: page is "x"\n' },
        "Data",
        /^DataError: labels\.csv line 3: page is "x"$/,
    ],
    [
        "the quality gate",
        { error: "States.TaskFailed", cause: batch({}), failureText: "QualityGate: text page_accuracy is 0.8" },
        "QualityGate",
        /0\.8$/,
    ],
    [
        "a storage that failed",
        { error: "States.TaskFailed", cause: batch({}), failureText: "StorageError: could not copy" },
        "ServiceFault",
        /could not copy/,
    ],
    [
        "a bug of a job",
        { error: "States.TaskFailed", cause: batch({}), failureText: "JobError: x is undefined" },
        "UserBug",
        /x is undefined/,
    ],
    [
        "an earlier attempt's line where the host went away",
        {
            error: "States.TaskFailed",
            cause: batch({
                StatusReason: "Host EC2 (instance i-0a) terminated.",
                Attempts: [{ Container: {} }],
                Container: {},
            }),
            failureText: "DataError: old",
        },
        "SpotInterrupted",
        /Host EC2/,
    ],
    [
        "an earlier attempt's line where Batch refused",
        {
            error: "Batch.ClientException",
            cause: "not authorized to perform: batch:SubmitJob",
            failureText: "DataError: old",
        },
        "Permission",
        /SubmitJob/,
    ],
    [
        "a job's own line where the cause is empty",
        { error: "States.TaskFailed", cause: "", failureText: "DataError: new\n" },
        "Data",
        /^DataError: new$/,
    ],
    ["a job that says nothing", { error: "States.TaskFailed", cause: batch({}) }, "UserBug", /exit code 1$/],
    [
        "a job that was killed",
        {
            error: "States.TaskFailed",
            cause: batch({ Attempts: [{ Container: { ExitCode: 137 } }], Container: { ExitCode: 137 } }),
        },
        "ServiceFault",
        /137/,
    ],
    [
        "a job without memory",
        {
            error: "States.TaskFailed",
            cause: batch({
                Attempts: [
                    { Container: { ExitCode: 137, Reason: "OutOfMemoryError: Container killed due to memory usage" } },
                ],
            }),
        },
        "UserBug",
        /OutOfMemory/,
    ],
    [
        "a registry that refuses",
        {
            error: "States.TaskFailed",
            cause: batch({ Attempts: [{ Container: { Reason: "CannotPullContainerError: pull access denied" } }] }),
        },
        "Permission",
        /access denied/,
    ],
    ["Batch itself at fault", { error: "Batch.ServerException", cause: "" }, "ServiceFault", /Batch\.ServerException/],
    [
        "Batch without permission",
        { error: "Batch.ClientException", cause: "User is not authorized to perform: batch:SubmitJob" },
        "Permission",
        /SubmitJob/,
    ],
    [
        "Batch with a queue that is not valid",
        { error: "Batch.ClientException", cause: "JobQueue arn:x is not valid: invalid" },
        "UserBug",
        /JobQueue/,
    ],
    [
        "input that Setup refused",
        {
            error: "InputError",
            cause: '{"errorType":"InputError","errorMessage":"1 problem\\ninitialization.x: got 1"}',
        },
        "Input",
        /^InputError: 1 problem initialization\.x: got 1$/,
    ],
    [
        "a storage that failed a function",
        { error: "StorageError", cause: '{"errorType":"StorageError","errorMessage":"could not list"}' },
        "ServiceFault",
        /could not list/,
    ],
    [
        "a bug of a function",
        { error: "TypeError", cause: '{"errorType":"TypeError","errorMessage":"x is undefined","trace":[]}' },
        "UserBug",
        /^TypeError/,
    ],
    [
        "a function that was too slow",
        {
            error: "States.TaskFailed",
            cause: '{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 3.00 seconds"}',
        },
        "TimeLimit",
        /timed out/,
    ],
    [
        "too many calls of a function",
        { error: "Lambda.TooManyRequestsException", cause: "Rate Exceeded." },
        "Throttling",
        /Rate/,
    ],
    [
        "Lambda at fault",
        { error: "Lambda.ServiceException", cause: "" },
        "ServiceFault",
        /Lambda\.ServiceException, without a cause/,
    ],
    ["a time-out", { error: "States.Timeout", cause: "" }, "TimeLimit", /States\.Timeout/],
    [
        "a time-out with the job's description",
        { error: "States.Timeout", cause: training({ TrainingJobStatus: "InProgress", SecondaryStatus: "Training" }) },
        "TimeLimit",
        /time-out/,
    ],
    [
        "a wrong expression",
        { error: "States.QueryEvaluationError", cause: "The JSONata expression '$x.rate exceeded' failed" },
        "UserBug",
        /JSONata/,
    ],
    ["a missing permission of the state machine", { error: "States.Permissions", cause: "x" }, "Permission", /x/],
    [
        "an inner Fail's record",
        {
            error: "Capacity",
            cause: JSON.stringify({
                member: "image",
                step: "Image Model Training",
                class: "SpotInterrupted",
                reason: "reclaimed",
                attempts: 3,
                jobs: ["j1", "j2"],
            }),
        },
        "SpotInterrupted",
        /^reclaimed$/,
    ],
    [
        "an inner Fail's record that was cut",
        {
            error: "States.BranchFailed",
            cause: '{"member":"image","step":"x","class":"Quota","reason":"no quota for ml.g',
        },
        "Quota",
        /^no quota for ml\.g$/,
    ],
    ["a failure that was told before", { error: "Notified.Data", cause: "DataError: x" }, "Data", /x/],
    [
        "Describe JSON cut in the middle",
        {
            error: "States.TaskFailed",
            cause: failed("CapacityError: Unable to provision requested ML compute capacity.").slice(0, -8),
        },
        "Capacity",
        /Unable/,
    ],
    [
        "Batch JSON cut in the middle",
        {
            error: "States.TaskFailed",
            cause: batch({ StatusReason: "Host EC2 (instance i-0a) terminated." }).slice(0, 140),
        },
        "SpotInterrupted",
        /Host EC2/,
    ],
    [
        "text that is no JSON",
        { error: "States.TaskFailed", cause: "CapacityError: Unable to provision" },
        "Capacity",
        /Unable/,
    ],
    [
        "user text that only sounds like a service",
        { error: "States.TaskFailed", cause: "AlgorithmError: throttling was not configured" },
        "UserBug",
        /throttling/,
    ],
    ["nothing at all", {}, "Unknown", /neither error nor cause/],
    ["JSON that is no object", { error: "X", cause: "[1,2]" }, "Unknown", /\[1,2\]/],
];

describe("classification of failures", () => {
    for (const [what, failure, expected, reason] of table) {
        it(`knows ${what}: ${expected}`, () => {
            const read = classify(failure);
            assert.equal(read.class, expected, read.reason);
            assert.match(read.reason, reason);
        });
    }

    it("names job, log, output path, region and billable seconds where they are known", () => {
        const trained = classify({
            error: "States.TaskFailed",
            cause: training({ FailureReason: "AlgorithmError: x", BillableTimeInSeconds: 77 }),
        });
        assert.equal(trained.jobName, "documents-dev-image-0a1b2c3d-0-1-0");
        assert.equal(trained.billableSeconds, 77);
        // Without its instances a job has no start, and is not billed; a refused call made no job.
        assert.equal(
            classify({ error: "States.TaskFailed", cause: training({ FailureReason: "CapacityError: x" }) })
                .billableSeconds,
            0,
        );
        assert.equal(
            classify({ error: "SageMaker.AmazonSageMakerException", cause: "Rate exceeded" }).billableSeconds,
            0,
        );
        // What ran, or may have run, is not free because nobody says how long.
        assert.equal(
            classify({ error: "States.TaskFailed", cause: training({ FailureReason: "x", TrainingStartTime: 1 }) })
                .billableSeconds,
            undefined,
        );
        assert.equal(
            classify({ error: "States.TaskFailed", cause: training({ FailureReason: "x" }).slice(0, -9) })
                .billableSeconds,
            undefined,
        );
        assert.equal(classify({ error: "States.Timeout" }).billableSeconds, undefined);
        assert.equal(trained.region, "eu-central-1");
        assert.deepEqual(trained.log, {
            group: "/aws/sagemaker/TrainingJobs",
            stream: "documents-dev-image-0a1b2c3d-0-1-0/",
            exact: false,
        });
        const job = classify({ error: "States.TaskFailed", cause: batch({}) });
        assert.deepEqual(job.log, { group: "/documents/dev/jobs", stream: "merge/default/abc", exact: true });
        assert.equal(job.outputPath, "s3://b/runs/x/dataframe");
    });

    it("takes an error that is named like a property of every object for one that no rule knows", () => {
        for (const error of ["toString", "constructor", "__proto__"]) {
            assert.equal(classify({ error, cause: "" }).class, "Unknown", error);
            assert.ok(
                Object.hasOwn(
                    ERROR_CLASSES,
                    classify({ error: "x", cause: JSON.stringify({ errorType: error, errorMessage: "m" }) }).class,
                ),
            );
        }
    });

    it("is total: any text gives a known class and one non-empty line within its bound", () => {
        const text = fc.oneof(
            fc.string(),
            fc.string({ unit: "binary" }),
            fc.json(),
            fc.constantFrom(...table.map(([, { cause }]) => cause ?? "")),
        );
        fc.assert(
            fc.property(text, text, fc.nat(400), fc.boolean(), (error, cause, cut, spot) => {
                const read = classify({ error, cause: cut % 2 === 0 ? cause.slice(0, cut) : cause, spot });
                assert.ok(Object.hasOwn(ERROR_CLASSES, read.class));
                assert.ok(read.reason.length > 0 && read.reason.length <= maximumReason);
                assert.doesNotMatch(read.reason, /[\n\r]/);
            }),
            { numRuns: 500 },
        );
    });

    it("has advice for every class", () => {
        assert.deepEqual(Object.keys(advice).sort(), Object.keys(ERROR_CLASSES).sort());
        assert.ok(Object.values(advice).every((text) => text.length > 20));
    });

    it("writes links that the console takes: its fragment is encoded twice", () => {
        const url = logUrl({ group: "/aws/batch/job", stream: "a/b", exact: true }, "eu-central-1");
        assert.equal(
            url,
            "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:log-groups/log-group/$252Faws$252Fbatch$252Fjob/log-events/a$252Fb",
        );
        assert.match(
            logUrl({ group: "/x", stream: "j/", exact: false }, "cn-north-1"),
            /^https:\/\/cn-north-1\.console\.amazonaws\.cn.*\$3FlogStreamNameFilter\$3Dj\$252F$/,
        );
    });

    it("cuts a line without splitting a character", () => {
        assert.equal(oneLine("ab\u{1f600}cd", 4), "ab…");
        assert.equal(oneLine(" a\t\nb "), "a b");
    });
});
