import { strict as assert } from "node:assert";
import { compile, type HistoryEvent } from "../../asl/interpreter";
import { ensembleTraining } from "../../workflow";
import type { StageSettings } from "../../workflow/contract";
import { manyMembers, stageSettings, targets, tolerantStage } from "../../simulation/sampleStages";
import { judge, simulate, type Fault, type FaultName, type Outcome, type Scenario } from "../../simulation";

async function run(settings: StageSettings, scenario: Partial<Scenario> = {}): Promise<Outcome> {
    const { definition } = ensembleTraining(settings, targets(settings.stage));
    const outcome = await simulate(compile(definition), { settings, history: true, ...scenario });
    assert.deepEqual(judge(outcome, settings, definition.TimeoutSeconds!), []);
    return outcome;
}

const nameOf = (event: HistoryEvent) => (event.stateEnteredEventDetails as { name?: string } | undefined)?.name;
const entered = (outcome: Outcome) => outcome.result.events.map(nameOf).filter((name) => name !== undefined);
const times = (outcome: Outcome, state: string) => entered(outcome).filter((name) => name === state).length;
const failureOf = (outcome: Outcome) => ({ error: outcome.result.error, messages: outcome.world.messages.length });
const always = (state: string, fault: FaultName): Fault => ({ state, fault, count: 1_000 });

describe("an execution of the workflow", () => {
    const prod = stageSettings("prod");

    it("runs every step once, publishes, and tells nobody of a failure", async () => {
        const outcome = await run(prod);
        assert.equal(outcome.result.status, "SUCCEEDED");
        for (const state of [
            "Setup Statemachine",
            "Fetch Preprocessing Artifacts",
            "Create Image Model Split Set",
            "Image Model Training",
            "Text Model Training",
            "Sequence Model Dataframe generation",
            "Sequence Model Training",
            "Post Training Artifact Fetcher",
            "Training Succeeded",
        ]) {
            assert.equal(times(outcome, state), 1, state);
        }
        assert.deepEqual(outcome.world.registered.map(({ model }) => model).sort(), ["image", "sequence", "text"]);
    });

    it("gives every training what its container and its limits need", async () => {
        const {
            world: { trainings },
        } = await run(prod);
        const image = trainings.find((training) => String(training.TrainingJobName).includes("-image-"))!;
        const text = trainings.find((training) => String(training.TrainingJobName).includes("-text-"))!;
        assert.equal((image.HyperParameters as Record<string, string>).job_name, `"${String(image.TrainingJobName)}"`);
        assert.equal((text.HyperParameters as Record<string, string>).job_name, text.TrainingJobName);
        assert.deepEqual(image.StoppingCondition, { MaxRuntimeInSeconds: 172_800, MaxWaitTimeInSeconds: 176_400 });
        assert.equal(image.EnableManagedSpotTraining, true);
        assert.equal(image.EnableInterContainerTrafficEncryption, true);
        assert.equal("EnableInterContainerTrafficEncryption" in text, false);
        assert.ok(String((image.CheckpointConfig as Record<string, string>).S3Uri).endsWith("/checkpoints/image/key"));
    });

    it("skips what Setup says is there, and does not fetch when told so", async () => {
        const outcome = await run(prod, {
            fetch: false,
            models: { image: { action: "reuse" }, text: { action: "skip" } },
        });
        assert.equal(outcome.result.status, "SUCCEEDED");
        assert.equal(times(outcome, "Fetch Preprocessing Artifacts"), 0);
        assert.equal(times(outcome, "Image Model Training") + times(outcome, "Text Model Training"), 0);
        assert.deepEqual((outcome.result.output as { members: unknown }).members, [
            { member: "text", outcome: "skipped" },
            { member: "image", outcome: "reused" },
        ]);
    });

    it("trains with an existing split without making one", async () => {
        const outcome = await run(prod, { models: { image: { split: "existing" } } });
        assert.equal(times(outcome, "Create Image Model Split Set"), 0);
        assert.equal(times(outcome, "Image Model Training"), 1);
    });

    it("uses another job name at every attempt and after a redrive", async () => {
        const outcome = await run(prod, {
            faults: [{ state: "Text Model Training", fault: "internal", count: 2 }],
            redriveCount: 3,
        });
        assert.deepEqual(
            outcome.world.jobNames.filter((name) => name.includes("-text-")),
            [0, 1, 2].map((attempt) => `smartcat-prod-text-1a2b3c4d-3-${attempt}-0`),
        );
    });
});

describe("the classes of errors", () => {
    const prod = stageSettings("prod");
    const state = "Text Model Training";
    const expectations: readonly (readonly [FaultName, string, number])[] = [
        // Two rungs and twelve waits: thirteen times the whole ladder.
        ["capacity", "Capacity", 26],
        ["quota", "Quota", 26],
        ["internal", "ServiceFault", 4],
        ["throttled", "Throttling", 61],
        ["algorithm", "UserBug", 1],
        ["client", "UserBug", 1],
        ["accessDenied", "Permission", 1],
        ["noData", "Data", 1],
        ["maxRuntime", "TimeLimit", 1],
        ["hangs", "TimeLimit", 1],
        ["textCause", "Unknown", 1],
        ["noCause", "Unknown", 1],
    ];
    for (const [fault, errorClass, attempts] of expectations) {
        it(
            `${fault} is ${errorClass}: ${attempts === 1 ? "never tried again" : `${attempts} attempts`}, then one ` +
                "message",
            async () => {
                const outcome = await run(prod, { faults: [always(state, fault)] });
                assert.equal(times(outcome, state), attempts);
                assert.deepEqual(failureOf(outcome), { error: `Notified.${errorClass}`, messages: 1 });
            },
        );
    }

    it("a training that ended Stopped is no success", async () => {
        const outcome = await run(prod, { faults: [always(state, "stopped")] });
        assert.equal(outcome.result.status, "FAILED");
        assert.equal(times(outcome, "Register Text Model"), 0);
    });

    it("throttling is waited out for less than an hour in all, a wait at most a minute", async () => {
        const outcome = await run(prod, { faults: [always(state, "throttled")], random: () => 0.999 });
        const waits = outcome.result.events.filter((event) => event.type === "WaitStateEntered");
        assert.equal(waits.length, 60);
        const training = outcome.result.events.filter((event) => nameOf(event) === state);
        const gaps = training.slice(1).map((event, index) => (event.timestamp - training[index]!.timestamp) / 1000);
        assert.ok(Math.max(...gaps) <= 62, String(Math.max(...gaps)));
        assert.ok(gaps.reduce((sum, gap) => sum + gap, 0) <= 3_600 + 60 * 2);
    });

    it("of a Batch job: what AWS is at fault for is tried again, its own errors never", async () => {
        for (const [fault, attempts, error] of [
            ["throttled", 61, "Notified.Throttling"],
            ["hostLost", 4, "Notified.ServiceFault"],
            ["dockerTimeout", 4, "Notified.ServiceFault"],
            ["spotReclaimed", 13, "Notified.SpotInterrupted"],
            ["noFargate", 13, "Notified.Capacity"],
            ["queueFull", 13, "Notified.Capacity"],
            ["neverPlaced", 1, "Notified.UserBug"],
            ["imageMissing", 1, "Notified.UserBug"],
            ["storage", 4, "Notified.ServiceFault"],
            ["exit1", 1, "Notified.UserBug"],
            ["data", 1, "Notified.Data"],
            ["accessDenied", 1, "Notified.Permission"],
            ["hangs", 1, "Notified.TimeLimit"],
        ] as const) {
            const outcome = await run(prod, { faults: [always("Sequence Model Dataframe generation", fault)] });
            assert.equal(times(outcome, "Sequence Model Dataframe generation"), attempts, fault);
            assert.deepEqual(failureOf(outcome), { error, messages: 1 }, fault);
        }
    });

    it(
        "a Batch job is tried again only while the execution's time-out has room for another whole " + "attempt",
        async () => {
            const fault: Fault = { state: "Fetch Preprocessing Artifacts", fault: "storage" };
            assert.equal((await run(prod, { faults: [fault] })).result.status, "SUCCEEDED");
            const late = await simulate(compile(ensembleTraining(prod, targets("prod")).definition), {
                settings: prod,
                faults: [fault],
                startedSecondsAgo: 2 * 86_400,
            });
            assert.equal(late.world.starts.get(fault.state), 1);
            assert.equal(late.result.error, "Notified.ServiceFault");
        },
    );

    it("below the quality gate nothing is published, and the class says so", async () => {
        const outcome = await run(prod, { faults: [always("Post Training Artifact Fetcher", "qualityGate")] });
        assert.equal(outcome.result.error, "Notified.QualityGate");
        assert.match(outcome.world.messages[0]!.message, /page_accuracy 0\.71/);
    });
});

describe("the capacity ladder", () => {
    it("moves to the next rung at once, and back to the first after the wait", async () => {
        const outcome = await run(stageSettings("prod"), {
            faults: [{ state: "Text Model Training", fault: "capacity", count: 3 }],
        });
        assert.equal(outcome.result.status, "SUCCEEDED");
        const tries = outcome.world.trainings.filter((training) => String(training.TrainingJobName).includes("-text-"));
        assert.deepEqual(
            tries.map(({ ResourceConfig }) => (ResourceConfig as { InstanceType: string }).InstanceType),
            ["ml.g6.xlarge", "ml.g5.xlarge", "ml.g6.xlarge", "ml.g5.xlarge"],
        );
        assert.deepEqual(
            tries.map(({ EnableManagedSpotTraining }) => EnableManagedSpotTraining),
            [true, false, true, false],
        );
        assert.equal(times(outcome, "Wait 10 Minutes for Text Model Capacity"), 1);
    });

    it("takes a Spot training that never started to the next rung, however AWS reports it", async () => {
        for (const fault of ["spotNeverStarted", "spotNeverStartedAsFailure"] as const) {
            const outcome = await run(stageSettings("prod"), { faults: [{ state: "Image Model Training", fault }] });
            assert.equal(outcome.result.status, "SUCCEEDED", fault);
            assert.equal(times(outcome, "Image Model Training"), 2, fault);
        }
    });
});

describe("a member's budget", () => {
    it("bounds all attempts and waits together", async () => {
        const settings = stageSettings("dev");
        const text = { ...settings.members.text!, maxRuntimeSeconds: 3_600, budgetSeconds: 4_500 };
        const outcome = await run(
            { ...settings, members: { ...settings.members, text } },
            { faults: [always("Text Model Training", "capacity")] },
        );
        assert.equal(outcome.result.error, "Notified.TimeLimit");
        // 300 s an attempt, 600 s a wait: the fifth attempt would have less than the least time.
        assert.equal(times(outcome, "Text Model Training"), 4);
        assert.match(outcome.world.messages[0]!.message, /budget of 4500 s has no time left .* CapacityError/);
    });

    it("shortens the training's own limits when attempts have used it up", async () => {
        const settings = stageSettings("dev");
        const text = { ...settings.members.text!, maxRuntimeSeconds: 5_000, budgetSeconds: 6_000 };
        const outcome = await run(
            { ...settings, members: { ...settings.members, text } },
            { faults: [{ state: "Text Model Training", fault: "capacity" }] },
        );
        const [first, second] = outcome.world.trainings.filter((training) =>
            String(training.TrainingJobName).includes("-text-"),
        );
        assert.deepEqual(first!.StoppingCondition, { MaxRuntimeInSeconds: 5_000 });
        assert.deepEqual(second!.StoppingCondition, { MaxRuntimeInSeconds: 6_000 - 902 - 900 });
    });
});

describe("siblings", () => {
    const prod = stageSettings("prod");

    it("go on when a member fails, and their work is registered", async () => {
        const outcome = await run(prod, { faults: [always("Text Model Training", "algorithm")] });
        assert.equal(outcome.result.error, "Notified.UserBug");
        assert.deepEqual(
            outcome.world.registered.map(({ model }) => model),
            ["image"],
        );
        assert.equal(times(outcome, "Sequence Model Dataframe generation"), 0);
    });

    it("are all named in the message when several failed", async () => {
        const { world } = await run(prod, {
            faults: [always("Text Model Training", "algorithm"), always("Image Model Training", "noData")],
        });
        assert.match(world.messages[0]!.message, /Failed members \(2\): text, image/);
    });

    it(
        "at the quorum are enough: the combiner trains on what is there, under a key and " + "checkpoints of its own",
        async () => {
            const all = await run(tolerantStage(1));
            const outcome = await run(tolerantStage(1), { faults: [always("Text Model Training", "algorithm")] });
            assert.equal(outcome.result.status, "SUCCEEDED");
            assert.equal((outcome.world.merged[0]!.Parameters as Record<string, string>).INPUT_PATH_SVM, "-");
            assert.notEqual((outcome.world.merged[0]!.Parameters as Record<string, string>).INPUT_PATH_CNN, "-");
            const key = (one: Outcome) => one.world.registered.find(({ model }) => model === "sequence")!.key as string;
            assert.match(key(outcome), /^[0-9a-f]{64}$/);
            assert.notEqual(key(outcome), key(all));
            assert.ok(
                outcome.world.trainings.some(({ CheckpointConfig }) =>
                    (CheckpointConfig as { S3Uri: string }).S3Uri.endsWith("/without-text"),
                ),
            );
        },
    );

    it("below the quorum are not", async () => {
        const outcome = await run(tolerantStage(2), { faults: [always("Text Model Training", "algorithm")] });
        assert.equal(outcome.result.error, "Notified.UserBug");
    });

    it("make a combiner train that would have been reused with all of them", async () => {
        const reuse = { models: { sequence: { action: "reuse" } } } as const;
        assert.equal(times(await run(tolerantStage(1), reuse), "Sequence Model Training"), 0);
        assert.equal(
            times(
                await run(tolerantStage(1), { ...reuse, faults: [always("Text Model Training", "algorithm")] }),
                "Sequence Model Training",
            ),
            1,
        );
    });

    it("a hundred of them with the longest causes stay within every payload and tell of all", async () => {
        const settings = manyMembers(100);
        const faults = Object.keys(settings.members).map((name, index) =>
            always(`Model ${index} Model Training`, "longCause"),
        );
        const outcome = await run(settings, { faults });
        assert.equal(outcome.world.messages.length, 1);
        assert.match(outcome.world.messages[0]!.message, /Failed members \(100\)/);
    }).timeout(60_000);

    it("a hundred of them at their last attempt stay within the event history", async () => {
        const settings = manyMembers(100);
        const outcome = await run(settings, {
            faults: Object.keys(settings.members).map((_, index) =>
                always(`Model ${index} Model Training`, "capacity"),
            ),
        });
        assert.ok(outcome.result.eventCount < 25_000, String(outcome.result.eventCount));
        assert.equal(outcome.result.status, "FAILED");
    }).timeout(60_000);
});

describe("the notification", () => {
    const dev = stageSettings("dev");
    const broken = always("Text Model Training", "algorithm");

    it("of a refused input comes from Setup itself", async () => {
        const outcome = await run(dev, { faults: [always("Setup Statemachine", "thrown")] });
        assert.deepEqual(failureOf(outcome), { error: "Notified.Input", messages: 1 });
        assert.match(outcome.world.messages[0]!.message, /initialization\.fetch_data is missing/);
    });

    it("still goes out when nobody can describe the failure, with attributes that are not empty", async () => {
        for (const fault of ["thrown", "hangs", "emptyAnswer", "nullAnswer", "lambdaService"] as const) {
            const outcome = await run(dev, {
                faults: [always("Describe Failure", fault), always("Setup Statemachine", "hangs")],
            });
            assert.equal(outcome.world.messages.length, 1, fault);
            assert.ok(
                Object.values(outcome.world.messages[0]!.attributes).every((value) => value !== ""),
                fault,
            );
            assert.match(outcome.world.messages[0]!.message, /Setup Statemachine/, fault);
        }
    });

    const prices = { asOf: "2026-11-23", perHour: { "ml.g6.xlarge": 1, "ml.g5.xlarge": 2 } };
    const costOf = async (faults: readonly Fault[], changed: Partial<StageSettings> = { prices }) => {
        const { world } = await run(stageSettings("prod", changed), { faults });
        return /\nCost: +(.*)\n/.exec(world.messages[0]!.message)?.[1];
    };
    const sum = (usd: string, jobs: number) =>
        `${usd} USD for ${jobs} training job${jobs === 1 ? "" : "s"} (on-demand prices of 2026-11-23)`;

    it(
        "says what the trainings cost, failed and finished, each by the rung that it ran on and its " + "instances",
        async () => {
            // The text model: one job on the first rung. The image model has four instances.
            assert.equal(await costOf([{ state: "Image Model Training", fault: "algorithm" }]), sum("5.00", 2));
            // A rung without instances costs nothing; the next one has its own price.
            assert.equal(
                await costOf([
                    { state: "Image Model Training", fault: "capacity" },
                    { state: "Image Model Training", fault: "algorithm", from: 2 },
                ]),
                sum("9.00", 2),
            );
            assert.equal(
                await costOf([
                    { state: "Image Model Training", fault: "spotNeverStarted" },
                    { state: "Image Model Training", fault: "algorithm", from: 2 },
                ]),
                sum("9.00", 2),
            );
            // Stopped by its time-out, and trained but not registered: billed once each.
            assert.equal(await costOf([{ state: "Image Model Training", fault: "maxRuntime" }]), sum("5.00", 2));
            assert.equal(await costOf([always("Register Image Model", "thrown")]), sum("5.00", 2));
        },
    );

    it("counts the combiner, too, when something fails in it or behind it", async () => {
        assert.equal(await costOf([always("Sequence Model Training", "client")]), sum("6.00", 3));
        assert.equal(await costOf([always("Post Training Artifact Fetcher", "data")]), sum("6.00", 3));
    });

    it("names what of the cost is unknown", async () => {
        assert.equal(
            await costOf([{ state: "Image Model Training", fault: "algorithm" }], {
                prices: { ...prices, perHour: {} },
            }),
            "2 training jobs on ml.g6.xlarge: price unknown",
        );
        assert.equal(
            await costOf([{ state: "Image Model Training", fault: "algorithm" }], {}),
            "2 training jobs on ml.g6.xlarge: price unknown",
        );
        const unknown = `${sum("1.00", 1)}; 1 training job on ml.g6.xlarge: billed time unknown`;
        assert.equal(await costOf([always("Image Model Training", "hangs")]), unknown);
        assert.equal(
            await costOf([
                { state: "Image Model Training", fault: "algorithm" },
                always("JSONify Image Model Error Cause", "accessDenied"),
            ]),
            unknown,
        );
        assert.equal(await costOf([always("Setup Statemachine", "thrown")]), "nothing, no training job was billed");
    });

    it("that cannot be sent ends in a failure that the rule on executions tells of", async () => {
        const outcome = await run(dev, { faults: [broken, always("Notify Failure", "accessDenied")] });
        assert.deepEqual(failureOf(outcome), { error: "NotificationFailed", messages: 0 });
        assert.match(outcome.result.cause!, /AlgorithmError/);
    });

    it("is tried again when SNS is throttled, and sent once", async () => {
        const outcome = await run(dev, { faults: [broken, { state: "Notify Failure", fault: "throttled", count: 2 }] });
        assert.deepEqual(failureOf(outcome), { error: "Notified.UserBug", messages: 1 });
    });

    it("of a success is sent where it is configured", async () => {
        const { definition } = ensembleTraining(dev, targets("dev", { notifySuccess: true }));
        const outcome = await simulate(compile(definition), { settings: dev });
        assert.equal(outcome.result.status, "SUCCEEDED");
        assert.match(outcome.world.messages[0]!.subject, /^\[OK\]/);
    });
});

describe("an aborted execution", () => {
    it("stops its trainings and jobs", async () => {
        const settings = stageSettings("dev");
        const stop = new AbortController();
        const { definition } = ensembleTraining(settings, targets("dev"));
        const outcome = await simulate(compile(definition), {
            settings,
            signal: stop.signal,
            onTask: ({ state, clock }) => {
                if (state === "Image Model Training") {
                    void clock.sleep(60_000).then(() => stop.abort());
                }
            },
        });
        assert.equal(outcome.result.status, "ABORTED");
        assert.ok(outcome.world.stopped.some((name) => name.includes("-image-")));
        assert.ok(outcome.world.stopped.some((name) => name.includes("-text-")));
        assert.equal(outcome.world.running.size, 0);
    });
});
