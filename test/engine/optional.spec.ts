import assert from "node:assert/strict";
import { program } from "../../stacks/program";
import type { Outcome } from "./support/engine";
import { root, scriptFlags, TestStack } from "./support/engine";

const KEYS = {
    "ensemble-training:schedule": { expression: "rate(7 days)", data: "incoming/weekly" },
    "ensemble-training:trigger": { prefix: "incoming" },
    "ensemble-training:modelRegistry": true,
    "ensemble-training:dashboard": true,
};

/** What the keys add, and nothing that is there without them may change but what has to know of them. */
const ADDED = [
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:s3/bucketNotification:BucketNotification",
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
    "aws:scheduler/schedule:Schedule",
    "aws:scheduler/scheduleGroup:ScheduleGroup",
];

describe("a stage with a schedule, a trigger, the model registry and a dashboard in the real engine", () => {
    let stack: TestStack;

    before(async () => {
        stack = await TestStack.create("dev", program, root);
    });

    after(() => stack.dispose());

    const mandatory = ({ violations }: Outcome) => violations.filter(({ level }) => level === "mandatory");
    const count = () => Object.fromEntries(ADDED.map((type) => [type, stack.cloud.ofType(type).length]));
    const custom = (outcome: Outcome) => outcome.changes.filter((change) => !change.includes(" ensemble:"));
    let without: Record<string, number>;

    it("is made without any of them first", async () => {
        const outcome = await stack.up({ policies: scriptFlags("up:dev").policies });
        assert.ok(outcome.succeeded, outcome.log);
        without = count();
        for (const type of ["dashboard:Dashboard", "bucketNotification", "modelPackageGroup", "scheduler/"]) {
            const found = [...stack.cloud.resources.values()].filter((resource) => resource.type.includes(type));
            assert.deepEqual(found, [], type);
        }
    });

    it(
        "adds them by four lines of configuration, with every policy kept, and changes only what " +
            "must know of them",
        async () => {
            stack.editConfig((config) => {
                Object.assign(config, KEYS);
            });
            const previewed = await stack.preview({ policies: scriptFlags("preview:dev").policies });
            assert.ok(previewed.succeeded, previewed.log);
            assert.deepEqual(mandatory(previewed), [], previewed.log);
            const outcome = await stack.up({ policies: scriptFlags("up:dev").policies });
            assert.ok(outcome.succeeded, outcome.log);
            assert.deepEqual(mandatory(outcome), [], outcome.log);
            assert.deepEqual(outcome.changes, previewed.changes);
            const now = count();
            assert.deepEqual(Object.fromEntries(ADDED.map((type) => [type, now[type] - without[type]])), {
                ...Object.fromEntries(ADDED.map((type) => [type, 1])),
                "aws:cloudwatch/metricAlarm:MetricAlarm": 4,
                "aws:iam/role:Role": 2,
                "aws:iam/rolePolicy:RolePolicy": 2,
            });
            assert.deepEqual(
                custom(outcome)
                    .filter((change) => !change.startsWith("create "))
                    .map((change) => change.replace(/::.*$/, ""))
                    .sort(),
                [
                    // The description of the alarm on the queue, the steps' role, the declared pointers (the registry
                    // holds some), the definition, the queue's policy.
                    "update aws:cloudwatch/metricAlarm:MetricAlarm",
                    "update aws:iam/rolePolicy:RolePolicy",
                    "update aws:s3/bucketObjectv2:BucketObjectv2",
                    "update aws:sfn/stateMachine:StateMachine",
                    "update aws:sqs/queuePolicy:QueuePolicy",
                ],
            );
            const outputs = await stack.outputs();
            assert.equal(
                outputs.scheduleArn.value,
                stack.cloud.ofType("aws:scheduler/schedule:Schedule")[0].outputs.arn,
            );
            assert.equal(outputs.modelPackageGroup.value, "ensemble-dev");
        },
    );

    it("shows no change in a second preview", async () => {
        const outcome = await stack.preview();
        assert.deepEqual(outcome.changes, [], outcome.log);
    });

    it("refuses at preview an expression that starts too often, naming key, value and bound", async () => {
        stack.editConfig((config) => {
            Object.assign(config, {
                "ensemble-training:schedule": { expression: "rate(5 minutes)", data: "incoming/weekly" },
            });
        });
        const outcome = await stack.preview();
        assert.equal(outcome.succeeded, false);
        assert.match(
            outcome.log,
            /schedule\.expression: got "rate\(5 minutes\)", expected at least 60 minutes between two starts/,
        );
    });

    it("takes them away again with their lines", async () => {
        stack.editConfig((config) => {
            Object.keys(KEYS).forEach((key) => {
                delete (config as Record<string, unknown>)[key];
            });
        });
        const outcome = await stack.up({ policies: scriptFlags("up:dev").policies });
        assert.ok(outcome.succeeded, outcome.log);
        assert.deepEqual(count(), without);
    });
});
