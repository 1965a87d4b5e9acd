import assert from "node:assert/strict";
import fc from "fast-check";
import type { FailureRecord } from "../../workflow/contract";
import { errorCause } from "../../workloads/functions/error-cause/index";
import { describeFailure, elapsed, trainingCost } from "../../workloads/functions/describe-failure/index";
import type { DescribeFailureEvent } from "../../workloads/functions/describe-failure/index";

const now = new Date("2026-11-20T10:05:30.000Z");
const arn = "arn:aws:states:eu-central-1:123456789012:execution:documents-model-training-dev:nightly";
const base: DescribeFailureEvent = {
    service: "documents",
    stage: "dev",
    execution: arn,
    redriveCount: 1,
    startTime: "2026-11-20T08:00:00.000Z",
    stateMachineArn: "arn:aws:states:eu-central-1:123456789012:stateMachine:documents-model-training-dev",
    failures: [],
};
const record: FailureRecord = {
    member: "image",
    step: "Image Model Training",
    class: "Capacity",
    reason: "CapacityError: Unable to provision",
    attempts: 13,
    jobs: ["documents-dev-image-0a1b2c3d-0-12-0"],
    startedAt: "2026-11-20T08:10:00.000Z",
};
const failed = (changed: Partial<FailureRecord>) => ({
    member: changed.member ?? record.member,
    outcome: "failed",
    error: changed.class ?? record.class,
    cause: JSON.stringify({ ...record, ...changed }),
});

describe("the message about a failure", () => {
    it("says stage, execution, step, class, reason, time, cost, how to resume and where to look", () => {
        const {
            message,
            subject,
            errorType,
            cause,
            class: cls,
        } = describeFailure(
            {
                ...base,
                step: "Fetch Preprocessing Artifacts",
                error: "States.TaskFailed",
                cause: '{"JobName":"j"}',
                class: "Data",
                reason: "DataError: labels.csv line 3",
            },
            now,
        );
        assert.equal(cls, "Data");
        assert.equal(subject, "[ERROR] - documents - Model Training failed!");
        assert.equal(errorType, "States.TaskFailed");
        assert.equal(cause, "DataError: labels.csv line 3");
        for (const part of [
            /Stage: +dev/,
            /Execution: +nightly \(redrive 1\)/,
            /Step: +Fetch Preprocessing Artifacts/,
            /Class: +Data/,
            /Reason: +DataError: labels\.csv line 3/,
            /Time spent: 2 h 6 min\n/,
            /Cost: +nothing, no training job was billed\n/,
            /To resume: +start a new execution with the same input/,
            /console\.aws\.amazon\.com\/states/,
            new RegExp(`${arn}#1$`),
        ]) {
            assert.match(message, part);
        }
    });

    it("links the console of its own partition", () => {
        const there = arn.replace("arn:aws:", "arn:aws-cn:").replace("eu-central-1", "cn-north-1");
        const { message } = describeFailure({ ...base, execution: there, stateMachineArn: undefined }, now);
        assert.match(
            message,
            /https:\/\/cn-north-1\.console\.amazonaws\.cn\/states\/home\?region=cn-north-1#\/v2\/executions\/details\/arn%3Aaws-cn/,
        );
        assert.doesNotMatch(message, /aws\.amazon\.com/);
    });

    it("names all failed members, each with class, reason, attempts and log", () => {
        const {
            message,
            class: cls,
            cause,
        } = describeFailure(
            {
                ...base,
                step: "Ensemble Complete?",
                error: "MembersFailed",
                cause: "members without which there is no ensemble failed",
                failures: [
                    failed({}),
                    failed({ member: "text", class: "Data", reason: "DataError: no page" }),
                    { member: "layout", outcome: "trained" },
                ],
            },
            now,
        );
        assert.equal(cls, "Capacity");
        assert.match(message, /Failed members \(2\): image, text/);
        assert.match(
            message,
            /- image: Capacity in Image Model Training: CapacityError: Unable to provision\n {2}attempts: 13; jobs: documents-dev-image-0a1b2c3d-0-12-0\n {2}log: https/,
        );
        assert.match(message, /- text: Data in Image Model Training: DataError: no page/);
        assert.match(cause, /^2 members failed \(image, text\): CapacityError/);
    });

    it("keeps to SNS's limits with 100 members and long causes", () => {
        const failures = Array.from({ length: 100 }, (_, index) =>
            failed({ member: `member-${index}`, reason: "ü".repeat(30_000), jobs: Array(500).fill("j".repeat(63)) }),
        );
        const { message, cause } = describeFailure({ ...base, error: "MembersFailed", failures }, now);
        assert.ok(Buffer.byteLength(message) <= 200_000);
        assert.ok(cause.length <= 1000);
        failures.forEach((_, index) => assert.ok(message.includes(`member-${index}`)));
    });

    it("is total: attributes are never empty, the subject is ASCII, whatever comes in", () => {
        const text = fc.oneof(fc.string({ unit: "binary" }), fc.constant(null), fc.constant(undefined), fc.json());
        fc.assert(
            fc.property(
                text,
                text,
                text,
                text,
                fc.array(fc.oneof(fc.jsonValue(), text)),
                (service, error, cause, step, failures) => {
                    const described = describeFailure(
                        { service: service ?? undefined, error, cause, step, failures },
                        now,
                    );
                    assert.match(described.subject, /^[\x20-\x7e]{1,100}$/);
                    assert.ok(described.errorType.length > 0 && described.errorType.length <= 256);
                    assert.ok(described.cause.length > 0 && described.cause.length <= 1000);
                    assert.ok(Buffer.byteLength(described.message) <= 200_000);
                },
            ),
            { numRuns: 200 },
        );
    });

    const prices = { asOf: "2026-11-23", perHour: { "ml.g5.xlarge": 2, "ml.m5.xlarge": 0.5 } };

    it("sums what failed and what finished: failed members, the failed combiner, trained members", () => {
        const { message } = describeFailure(
            {
                ...base,
                step: "Sequence Model",
                error: "UserBug",
                prices,
                cause: JSON.stringify({
                    ...record,
                    member: "sequence",
                    class: "UserBug",
                    reason: "x",
                    billed: ["ml.m5.xlarge 3600"],
                }),
                billed: ["ml.g5.xlarge 14400", ""],
                failures: [failed({ billed: ["ml.g5.xlarge 0", "ml.g5.xlarge 1800"] })],
            },
            now,
        );
        assert.match(
            message,
            /; instance time of trainings: 5 h 30 min\nCost: +9\.50 USD for 3 training jobs \(on-demand prices of 2026-11-23\)\n/,
        );
    });

    it("says in words what of the cost nobody knows, and takes nothing unknown for free", () => {
        const cost = (...billed: string[]) => trainingCost(billed, prices).text;
        assert.equal(
            cost("ml.g5.xlarge 3600", "ml.p3.2xlarge 60", "ml.p3.2xlarge 9"),
            "2.00 USD for 1 training job (on-demand prices of 2026-11-23); 2 training jobs on ml.p3.2xlarge: price " +
                "unknown",
        );
        assert.equal(cost("ml.g5.xlarge "), "1 training job on ml.g5.xlarge: billed time unknown");
        assert.equal(cost("ml.g5.xlarge 0", "ml.p3.2xlarge 0"), "nothing, no training job was billed");
        assert.equal(cost(""), "of some training jobs no record is left: unknown");
        assert.equal(
            trainingCost(["ml.g5.xlarge 3600"], undefined).text,
            "1 training job on ml.g5.xlarge: price unknown",
        );
        // A failed member without a record, as where the cause was cut.
        assert.match(
            describeFailure(
                { ...base, prices, failures: [{ member: "text", outcome: "failed", error: "x", cause: '{"member"' }] },
                now,
            ).message,
            /Cost: +of some training jobs no record is left: unknown/,
        );
    });

    it("gives durations in words", () => {
        assert.equal(elapsed("2026-11-20T10:05:00.000Z", now), "30 s");
        assert.equal(elapsed("2026-11-18T09:00:30.000Z", now), "2 d 1 h");
        assert.equal(elapsed("yesterday", now), "unknown");
    });
});

describe("JSONify Error Cause", () => {
    const cause = JSON.stringify({
        JobName: "j",
        JobId: "1",
        StatusReason: "Essential container in task exited",
        Parameters: { OUTPUT_PATH: "s3://b/x" },
        JobArn: "arn:aws:batch:eu-west-1:1:job/1",
        Attempts: [{ Container: { ExitCode: 1, LogStreamName: "s" } }],
    });

    it("reads the line that the job left where it was to write", async () => {
        const asked: string[] = [];
        const answer = await errorCause(
            { step: "Merge", error: "States.TaskFailed", cause, outputPath: "s3://b/other" },
            {
                text: (uri) => {
                    asked.push(uri);
                    return Promise.resolve(uri === "s3://b/x/failure.txt" ? "QualityGate: too low\n" : undefined);
                },
            },
        );
        assert.deepEqual(asked, ["s3://b/x/failure.txt"]);
        assert.deepEqual(answer, {
            class: "QualityGate",
            reason: "QualityGate: too low",
            jobName: "j",
            logUrl: "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Fbatch$252Fjob/log-events/s",
        });
    });

    it("looks where the caller says when the cause does not tell, and never fails because of the storage", async () => {
        const answer = await errorCause(
            { error: "States.TaskFailed", cause: "", outputPath: "s3://b/other" },
            {
                text: (uri) => Promise.resolve(`DataError: ${uri}`),
            },
        );
        assert.deepEqual([answer.class, answer.reason], ["Data", "DataError: s3://b/other/failure.txt"]);
        const dead = await errorCause(
            { error: "States.TaskFailed", cause },
            { text: () => Promise.reject(new Error("dead")) },
        );
        assert.equal(dead.class, "UserBug");
    });
});
