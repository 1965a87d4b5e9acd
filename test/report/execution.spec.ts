import assert from "node:assert/strict";
import { DescribeExecutionCommand, StartExecutionCommand, StopExecutionCommand } from "@aws-sdk/client-sfn";
import { TaskError } from "../../asl/interpreter";
import { ToolError } from "../../ground/errors";
import { findExecution, findStage } from "../../cli/aws/executions";
import { factsOf } from "../../cli/aws/facts";
import { loadPrices, Prices } from "../../pricing/prices";
import { bucketReader, Unavailable, type ArtefactReader } from "../../report/artefacts";
import { reportOf } from "../../report/execution";
import { renderReport } from "../../report/html";
import type { ReportData } from "../../report/model";
import { useS3 } from "../support/s3";
import { input, machine, startStage, type Faults, type FixtureStage } from "./fixture";

const prices = new Prices({
    ...loadPrices().file,
    sources: { s: "https://example.org" },
    prices: [
        { item: "sagemaker-training:ml.m5.xlarge", region: "eu-central-1", unit: "hour", price: 0.25, source: "s" },
        { item: "fargate:vcpu", region: "eu-central-1", unit: "hour", price: 0.04, source: "s" },
        { item: "fargate:gib", region: "eu-central-1", unit: "hour", price: 0.005, source: "s" },
        { item: "states:transition", region: "eu-central-1", unit: "transition", price: 0, source: "s" },
    ],
});

describe("the report of an execution, through the AWS SDK", () => {
    const s3 = useS3();
    let stage: FixtureStage;

    before(async () => {
        stage = await startStage(s3());
    });
    after(() => stage?.close());

    async function start(name: string, faults: Faults = {}, stateMachine = machine): Promise<string> {
        stage.faults = faults;
        const { stateMachineArn } = await findStage(stage.client, stateMachine);
        const started = await stage.client.send(
            new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
        );
        return started.executionArn as string;
    }

    async function until(executionArn: string, done: (status: string) => boolean): Promise<void> {
        for (
            let tries = 0;
            !done(String((await stage.client.send(new DescribeExecutionCommand({ executionArn }))).status));
            tries++
        ) {
            assert.ok(tries < 500, "it does not end");
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    async function reported(
        executionArn: string,
        pages = 0,
        reader: ArtefactReader = bucketReader(s3().storage),
        stateMachine = machine,
    ): Promise<ReportData> {
        const facts = await factsOf(
            stage.client,
            await findStage(stage.client, stateMachine),
            executionArn,
            new Date(),
        );
        const data = await reportOf(facts, reader, { pages, prices, today: new Date() });
        // whatever there is can be drawn
        assert.match(await renderReport(data), /<\/html>\n$/);
        return data;
    }

    async function ended(name: string, faults: Faults = {}, pages = 0, stateMachine = machine): Promise<ReportData> {
        const executionArn = await start(name, faults, stateMachine);
        await until(executionArn, (status) => status !== "RUNNING");
        return reported(executionArn, pages, undefined, stateMachine);
    }

    const missing = (data: ReportData) => data.missing.map(({ what, why }) => `${what}: ${why}`).join("\n");

    it("judges every model, draws every fold's curves, prices every job, and shows pages when asked to", async () => {
        const data = await ended("good", {}, 5);
        assert.equal(data.status, "SUCCEEDED");
        assert.equal(missing(data), "");
        assert.deepEqual(
            data.models.map(({ name, role, outcome, jobs, result }) => [
                name,
                role,
                outcome,
                jobs,
                result?.pageAccuracy,
            ]),
            [
                ["text", "member", "trained", 1, 4 / 6],
                ["image", "member", "trained", 1, 4 / 6],
                ["sequence", "combiner", "trained", 1, 5 / 6],
            ],
        );
        // pages 1 and 2 of s-0 as documents of their own, s-1 as it is labelled
        assert.deepEqual(data.models[2].result?.confusion, [
            [2, 0],
            [1, 3],
        ]);
        assert.deepEqual(
            data.models.map(({ curves, folds }) => [curves.map(({ fold }) => fold), folds.length]),
            [
                [[], 2],
                [[0, 1], 0],
                [[undefined], 0],
            ],
        );
        assert.deepEqual(data.models[1].curves[1].validationLoss, [1.5, 0.75, 0.5]);
        const shown = data.mistakes?.shown.map(({ image, stack, page, truth, predicted }) => [
            stack,
            page,
            truth,
            predicted,
            image !== undefined,
        ]);
        assert.deepEqual(shown, [["s-0", 1, "letter", "bill", true]]);
        assert.deepEqual(data.notes, [
            "data: s3://data/in, 25 objects, 4096 bytes, identity dddddddddddd",
            "quotas were not checked",
        ]);
        // one hour of 1, 4 and 1 instances, and four Batch jobs of 90 seconds
        assert.deepEqual(
            [data.price.unknown, data.price.known.toFixed(4)],
            [[], (6 * 0.25 + 4 * (90 / 3600) * 0.05).toFixed(4)],
        );
    });

    it("shows no page of an execution on AWS unless asked to, and says how", async () => {
        const data = await ended("private");
        assert.deepEqual([data.mistakes?.total, data.mistakes?.shown], [1, []]);
        assert.match(data.mistakes?.note ?? "", /personal data.*--pages N/);
        assert.doesNotMatch(await renderReport(data), /data:image\/png/);
    });

    it("says what was reused and why, with its curves, and does not count its training", async () => {
        const data = await ended("again", { reuse: true });
        const [text] = data.models;
        assert.deepEqual([text.outcome, text.jobs, text.folds.length], ["reused", 0, 2]);
        assert.match(text.reason, /^reused: same key/);
        assert.ok(!data.price.lines.some(({ item }) => item === "training of text"));
    });

    it("says which history is damaged or missing, and draws the rest", async () => {
        const data = await ended("damaged", {
            output: {
                text: { "predictions.jsonl": "no JSON\n", "other.txt": "" },
                image: {
                    "fold-0/history.json": '{"epochs": [{"epoch": 1, "loss": 1}, {"epoch": 2, "loss": 0.5}]}',
                    "fold-1/history.json": '{"epo',
                },
                sequence: Buffer.from("not an archive at all, but long enough to be looked at".repeat(20)),
            },
        });
        assert.match(missing(data), /text: learning curves: its output\.tar\.gz has no history\.json/);
        assert.match(missing(data), /text: predictions of held-out pages: line 1 of its predictions is none: no JSON/);
        assert.match(missing(data), /image: fold-1\/history\.json: it is no JSON/);
        assert.match(
            missing(data),
            /image: predictions of held-out pages: its output\.tar\.gz has no predictions\.jsonl/,
        );
        assert.match(missing(data), /sequence: output\.tar\.gz: it is damaged/);
        assert.deepEqual(
            data.models[1].curves.map(({ loss }) => loss),
            [[1, 0.5]],
        );
    });

    it("explains a failed execution, and judges the member that was trained before it", async () => {
        const bug = () =>
            new TaskError(
                "States.TaskFailed",
                JSON.stringify({
                    TrainingJobName: "smartcat-dev-text-1a2b3c4d-0-0-0",
                    TrainingJobStatus: "Failed",
                    FailureReason: "AlgorithmError: division by zero",
                    TrainingJobArn: "arn:aws:sagemaker:eu-central-1:1:training-job/x",
                    BillableTimeInSeconds: 1800,
                    ResourceConfig: { InstanceType: "ml.m5.xlarge", InstanceCount: 1 },
                }),
            );
        const data = await ended("failed", { fails: { "Text Model Training": [bug()] } });
        assert.equal(data.status, "FAILED");
        assert.deepEqual(
            data.models.map(({ outcome, result }) => [outcome, result === undefined]),
            [
                ["failed", true],
                ["trained", false],
                ["not trained", true],
            ],
        );
        const [failure, ...others] = data.failures;
        assert.deepEqual(
            [failure.state, failure.class, failure.overcome, others.length],
            ["Text Model Training", "UserBug", false, 0],
        );
        assert.match(failure.logUrl ?? "", /cloudwatch.*TrainingJobs/);
        assert.match(missing(data), /text: trained\.json: there is no s3:/);
        // the failed training's half hour is paid, too
        assert.ok(
            data.price.lines.some(({ item, dollars }) => item === "training of text" && dollars === 0.125),
            JSON.stringify(data.price.lines),
        );
        assert.match(await renderReport(data), /division by zero/);
    });

    it("says without which members the combiner was trained, beside what was planned", async () => {
        const data = await ended(
            "partial",
            {
                partial: ["image"],
                fails: {
                    "Image Model Training": [
                        new TaskError(
                            "States.TaskFailed",
                            JSON.stringify({
                                TrainingJobStatus: "Failed",
                                FailureReason: "AlgorithmError: division by zero",
                            }),
                        ),
                    ],
                },
            },
            0,
            "partial-model-training-dev",
        );
        assert.deepEqual(
            data.models.map(({ outcome }) => outcome),
            ["trained", "failed", "trained"],
        );
        assert.match(
            data.models[2].reason,
            /^trained without image, which failed in this execution \(planned: trains: /,
        );
    });

    it("tells what was tried again and succeeded from what failed", async () => {
        const data = await ended("retried", {
            fails: {
                "Image Model Training": [
                    new TaskError(
                        "States.TaskFailed",
                        JSON.stringify({
                            TrainingJobStatus: "Failed",
                            FailureReason: "CapacityError: Unable to provision requested ML compute capacity.",
                        }),
                    ),
                ],
            },
        });
        assert.equal(data.status, "SUCCEEDED");
        assert.deepEqual(
            data.failures.map(({ state, class: kind, overcome }) => [state, kind, overcome]),
            [["Image Model Training", "Capacity", true]],
        );
        assert.deepEqual(
            data.models.map(({ jobs }) => jobs),
            [1, 2, 1],
        );
    });

    it("works for an execution that runs, and for the same one stopped", async () => {
        const executionArn = await start("long", { hangs: "Sequence Model Training" });
        for (
            let tries = 0;
            tries < 500 &&
            !(await reported(executionArn)).visits.some(({ state }) => state === "Sequence Model Training");
            tries++
        ) {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        const running = await reported(executionArn);
        assert.deepEqual(
            [running.status, running.models.map(({ outcome }) => outcome)],
            ["RUNNING", ["trained", "trained", "running"]],
        );
        assert.equal(running.mistakes?.model, "text", "the best member where the combiner is not trained yet");
        await stage.client.send(
            new StopExecutionCommand({ executionArn, error: "StoppedByOperator", cause: "wrong data" }),
        );
        await until(executionArn, (status) => status !== "RUNNING");
        const stopped = await reported(executionArn);
        assert.deepEqual(
            [stopped.status, stopped.error, stopped.cause, stopped.models[2].outcome],
            ["ABORTED", "StoppedByOperator", "wrong data", "stopped"],
        );
        assert.match(await renderReport(stopped), /wrong data/);
        // the job never said what is billed: the time that it had counts, and the report says so
        for (const [data, how] of [
            [running, /^1 x ml\.m5\.xlarge.*, still running, [\d.]+ s$/],
            [stopped, /^1 x ml\.m5\.xlarge.*, stopped, [\d.]+ s$/],
        ] as const) {
            const line = data.price.lines.find(({ item }) => item === "training of sequence");
            assert.match(line?.how ?? "", how);
            assert.ok((line?.dollars ?? 0) > 0, JSON.stringify(line));
            assert.match(data.price.basis, /has not said what is billed/);
        }
        assert.doesNotMatch(missing(stopped), /sequence/);
    });

    it("works for an execution that timed out before Setup had decided anything", async () => {
        const executionArn = await start("slow", { hangs: "Setup Statemachine" }, "short-model-training-dev");
        await until(executionArn, (status) => status === "TIMED_OUT");
        const data = await reported(executionArn, 0, undefined, "short-model-training-dev");
        assert.deepEqual(
            [data.status, data.models, data.visits.map(({ state, outcome }) => [state, outcome])],
            ["TIMED_OUT", [], [["Setup Statemachine", "stopped"]]],
        );
        assert.match(missing(data), /models: the execution ended before Setup had decided/);
    });

    it("says what it may not read, and shows the history all the same", async () => {
        const { stateMachineArn } = await findStage(stage.client, machine);
        const denied: ArtefactReader = {
            read: (uri) => Promise.reject(new Unavailable(`no permission: could not read ${uri}`)),
        };
        const data = await reported(`${stateMachineArn.replace(":stateMachine:", ":execution:")}:good`, 3, denied);
        assert.deepEqual(
            data.models.map(({ outcome, result }) => [outcome, result]),
            [
                ["trained", undefined],
                ["trained", undefined],
                ["trained", undefined],
            ],
        );
        assert.match(missing(data), /plan\.json \(what Setup decided\): no permission/);
        assert.equal(data.missing.length, 5);
    });

    it("has one line for an execution that is not there", async () => {
        const found = await findStage(stage.client, machine);
        await assert.rejects(
            factsOf(stage.client, found, await findExecution(stage.client, found, "never"), new Date()),
            (error: Error) =>
                error instanceof ToolError && /^There is no execution arn:.*:never\. .*newest\.$/.test(error.message),
        );
    });
});
