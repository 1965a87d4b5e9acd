import { strict as assert } from "node:assert";
import type { ChoiceState } from "../../asl/types";
import { evaluateStage, type EvaluatedStage } from "../../project/evaluate";
import type { ErrorClass } from "../../workflow/contract";
import { classify } from "../../workflow/failures";

/** Who tries a failed Batch job again, or why nobody does. */
type Consumer = "the step's loop" | `nobody: ${string}`;

/** What Batch says of a job that failed. */
function failedJob(statusReason: string, container: object = {}): string {
    return JSON.stringify({
        JobName: "ensemble-dev-merge-0-0-0-0",
        JobId: "1",
        Status: "FAILED",
        StatusReason: statusReason,
        Attempts: [{ StatusReason: statusReason, Container: container }],
        Container: container,
    });
}

const notStarted = (reason: string): string => failedJob("Task failed to start", { Reason: reason });

/** Texts as users of Batch reported them, or as its guide gives them. */
const ROWS: readonly (readonly [text: string, cause: string, is: ErrorClass, consumer: Consumer])[] = [
    [
        "Fargate Spot took its task back",
        failedJob("Your Spot Task was interrupted.", { ExitCode: 143 }),
        "SpotInterrupted",
        "the step's loop",
    ],
    [
        "EC2 Spot took its host back",
        failedJob("Host EC2 (instance i-0737c70432d64f82a) terminated."),
        "SpotInterrupted",
        "the step's loop",
    ],
    [
        "Fargate has no capacity",
        failedJob("Capacity is unavailable at this time. Please try again later or in a different availability zone"),
        "Capacity",
        "the step's loop",
    ],
    [
        "the queue gave the job up for want of capacity",
        failedJob("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested"),
        "Capacity",
        "the step's loop",
    ],
    [
        "Fargate's quota of tasks",
        notStarted("You've reached the limit on the number of vCPUs you can run concurrently"),
        "Quota",
        "the step's loop",
    ],
    [
        "a network interface that did not come",
        failedJob("Timeout waiting for network interface provisioning to complete."),
        "ServiceFault",
        "the step's loop",
    ],
    [
        "a daemon that did not answer",
        notStarted("DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s"),
        "ServiceFault",
        "the step's loop",
    ],
    [
        "a registry that did not answer",
        notStarted("CannotPullContainerError: pull image manifest has been retried 5 time(s): dial tcp: i/o timeout"),
        "ServiceFault",
        "the step's loop",
    ],
    [
        "an agent that could not prepare the task",
        notStarted("ResourceInitializationError: failed to create new container runtime task"),
        "ServiceFault",
        "the step's loop",
    ],
    [
        "an image that is not there",
        notStarted(
            "CannotPullContainerError: failed to resolve ref 1.dkr.ecr.x/jobs:abc: 1.dkr.ecr.x/jobs:abc: not found",
        ),
        "UserBug",
        "nobody: it will not be there the next time either",
    ],
    [
        "an image of another architecture",
        notStarted(
            "CannotPullContainerError: image Manifest does not contain descriptor matching platform linux/amd64",
        ),
        "UserBug",
        "nobody: it stays of another architecture",
    ],
    [
        "a job that is larger than every machine",
        failedJob(
            "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement is higher than that can be met",
        ),
        "UserBug",
        "nobody: no machine grows",
    ],
    [
        "a container without memory",
        failedJob("Essential container in task exited", {
            ExitCode: 137,
            Reason: "OutOfMemoryError: Container killed due to memory usage",
        }),
        "UserBug",
        "nobody: it would need as much again",
    ],
    [
        "an attempt that was too long",
        failedJob("Job attempt duration exceeded timeout"),
        "TimeLimit",
        "nobody: it would be as long again",
    ],
];

describe("a failed Batch job", function () {
    this.timeout(60_000);
    let stage: EvaluatedStage;
    let loop: string;

    before(async () => {
        stage = await evaluateStage("dev");
        const { States } = stage.stateMachine.definition;
        const { Choices } = States["Retry Sequence Model Dataframe generation?"] as unknown as ChoiceState;
        loop = JSON.stringify(Choices);
    });

    it("is never tried again by Batch itself: its definitions say one attempt", () => {
        const definitions = stage.resources.filter(({ type }) => type === "aws:batch/jobDefinition:JobDefinition");
        assert.equal(definitions.length, 4);
        for (const { inputs } of definitions) {
            assert.deepEqual(inputs.retryStrategy, { attempts: 1 });
        }
    });

    for (const [text, cause, is, consumer] of ROWS) {
        it(`${text}: ${is}, tried again by ${consumer}`, () => {
            assert.equal(classify({ error: "States.TaskFailed", cause }).class, is);
            const isTriedAgain = new RegExp(`['"]${is}\\\\*['"]`).test(loop);
            assert.equal(isTriedAgain, consumer === "the step's loop", loop);
        });
    }
});
