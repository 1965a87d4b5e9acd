import assert from "node:assert/strict";
import { analyse } from "../../asl/analysis";
import { compile } from "../../asl/interpreter";
import type { JsonObject } from "../../asl/types";
import { ensembleTraining, executionBound, renderDefinition, requiredPermissions } from "../../workflow";
import type { StageSettings } from "../../workflow/contract";
import { manyMembers, stageSettings, targets, tolerantStage } from "../../simulation/sampleStages";
import { generator, subject, sweep } from "../../simulation/faultSweep";
import { judge, simulate, type Fault, type FaultName, type Outcome, type Scenario } from "../../simulation";

const GROUP = "smartcat-prod";
const REGISTRY = { modelPackageGroup: GROUP };
const KEY = Buffer.from("sequence".padEnd(32, "-")).toString("hex");

async function run(settings: StageSettings, scenario: Partial<Scenario> = {}): Promise<Outcome> {
    const { definition } = ensembleTraining(settings, targets(settings.stage, REGISTRY));
    const outcome = await simulate(compile(definition), { settings, random: generator(1), ...scenario });
    assert.deepEqual(judge(outcome, settings, definition.TimeoutSeconds!), []);
    return outcome;
}

const registered = ({ world }: Outcome): JsonObject[] => [...world.packages.values()];
const lasting = (state: string, fault: FaultName): Fault => ({ state, fault, count: 1_000 });

describe("the registration of a published ensemble", () => {
    const prod = stageSettings("prod");

    it(
        "makes one version with what it is made of, where it lies, and who made it, for a person to " + "approve",
        async () => {
            const outcome = await run(prod);
            const [version, ...more] = registered(outcome);
            assert.deepEqual(more, []);
            const { ClientToken, ...fields } = version;
            assert.match(String(ClientToken), /^[0-9a-f]{32}$/);
            const execution =
                "arn:aws:states:eu-central-1:123456789012:execution:smartcat-model-training-dev:simulated";
            const published = `${prod.artifactBase}/published/simulated`;
            const hex = (name: string) => Buffer.from(name.padEnd(32, "-")).toString("hex");
            assert.deepEqual(fields, {
                ModelPackageGroupName: GROUP,
                ModelPackageDescription: `Ensemble ${KEY}, published by execution simulated`,
                ModelApprovalStatus: "PendingManualApproval",
                SourceUri: published,
                ModelMetrics: {
                    ModelQuality: {
                        Statistics: { ContentType: "application/json", S3Uri: `${published}/manifest.json` },
                    },
                },
                MetadataProperties: { GeneratedBy: execution },
                CustomerMetadataProperties: {
                    execution,
                    "data": "d".repeat(64),
                    "key/sequence": KEY,
                    "key/text": hex("text"),
                    "key/image": hex("image"),
                },
            });
            assert.equal(
                (outcome.result.output as JsonObject).modelPackage,
                `arn:aws:sagemaker:eu-central-1:123456789012:model-package/${GROUP}/1`,
            );
        },
    );

    const reusing = { image: { action: "reuse" }, text: { action: "reuse" }, sequence: { action: "reuse" } } as const;

    it("does not register an ensemble again that a later execution reuses", async () => {
        const versions = ["Ensemble of something else", `Ensemble ${KEY}, published by execution earlier`];
        const outcome = await run(prod, { models: reusing, versions });
        assert.equal(outcome.result.status, "SUCCEEDED");
        assert.deepEqual(registered(outcome), []);
        assert.match(String((outcome.result.output as JsonObject).modelPackage), /\/2$/);
    });

    it("registers a reused ensemble that is not in the registry, as after a registration that failed", async () => {
        assert.equal(
            registered(await run(prod, { models: reusing, versions: ["Ensemble of something else"] })).length,
            1,
        );
    });

    it("registers an ensemble that was trained again, whose earlier artefacts may have expired", async () => {
        assert.equal(
            registered(await run(prod, { versions: [`Ensemble ${KEY}, published by execution earlier`] })).length,
            1,
        );
    });

    it("says which member is missing, and registers what was trained without it as another ensemble", async () => {
        const outcome = await run(tolerantStage(1), { faults: [lasting("Text Model Training", "algorithm")] });
        const [version] = registered(outcome);
        const metadata = version.CustomerMetadataProperties as Record<string, string>;
        assert.equal(metadata["key/text"], "missing");
        assert.notEqual(metadata["key/sequence"], KEY);
    });

    for (const fault of ["throttled", "conflict", "hangs"] as const) {
        it(`survives a registry that is ${fault} at first, with one version in the end`, async () => {
            const outcome = await run(prod, {
                faults: [
                    { state: "Find Registered Ensemble", fault },
                    { state: "Register Ensemble", fault, count: 2 },
                ],
            });
            assert.equal(outcome.result.status, "SUCCEEDED");
            assert.equal(registered(outcome).length, 1);
        });
    }

    for (const [state, fault] of [
        ["Find Registered Ensemble", "accessDenied"],
        ["Register Ensemble", "accessDenied"],
        ["Register Ensemble", "emptyAnswer"],
    ] as const) {
        it(`fails loudly where ${state} ends in ${fault}, and leaves what is published`, async () => {
            const { result, world } = await run(prod, { faults: [lasting(state, fault)] });
            assert.equal(result.status, "FAILED");
            assert.match(result.error ?? "", /^Notified\./);
            assert.equal(world.published, true);
            assert.match(world.messages[0]!.message, new RegExp(state));
        });
    }

    it("is proven like the rest, and bounded in time", () => {
        const definition = renderDefinition(prod, targets("prod", REGISTRY));
        assert.deepEqual(
            analyse(definition).filter(({ severity }) => severity === "error"),
            [],
        );
        assert.equal(definition.TimeoutSeconds, executionBound(prod, { modelPackageGroup: GROUP }));
        const more = definition.TimeoutSeconds! - executionBound(prod);
        assert.ok(more > 0 && more < 1_800, String(more));
    });

    it("adds the right to list and to make versions of this group, and nothing else", () => {
        const without = new Set(
            requiredPermissions(prod, targets("prod")).map((permission) => JSON.stringify(permission)),
        );
        const added = requiredPermissions(prod, targets("prod", REGISTRY)).filter(
            (permission) => !without.has(JSON.stringify(permission)),
        );
        assert.deepEqual(
            added.map(({ actions, resources }) => ({ actions, resources })),
            [["sagemaker:CreateModelPackage"], ["sagemaker:ListModelPackages"]].map((actions) => ({
                actions,
                resources: [
                    `arn:aws:sagemaker:eu-central-1:123456789012:model-package-group/${GROUP}`,
                    `arn:aws:sagemaker:eu-central-1:123456789012:model-package/${GROUP}/*`,
                ],
            })),
        );
    });

    it("is not there without its key", () => {
        assert.ok(!JSON.stringify(renderDefinition(prod, targets("prod"))).includes("ModelPackage"));
    });

    it("fits 100 members into every bound", async () => {
        const settings = manyMembers(100);
        const { definition } = ensembleTraining(settings, targets("prod", REGISTRY));
        assert.ok(
            Buffer.byteLength(JSON.stringify(definition)) < 1_048_576,
            `${Buffer.byteLength(JSON.stringify(definition))} bytes`,
        );
        // Reused, for the trainings are others' test.
        const models = Object.fromEntries(
            [...Object.keys(settings.members), "sequence"].map((model) => [model, { action: "reuse" as const }]),
        );
        const outcome = await simulate(compile(definition), { settings, models, random: generator(1) });
        assert.deepEqual(judge(outcome, settings, definition.TimeoutSeconds!), []);
        assert.deepEqual(Object.keys(registered(outcome)[0].CustomerMetadataProperties as object), [
            "execution",
            "data",
            "key/sequence",
            "members",
            "missing",
        ]);
    }).timeout(60_000);

    it("leaves room for the metric definitions of 80 members, which a dashboard needs", () => {
        const settings = manyMembers(80);
        const metric = (model: string, name: string) => ({
            Name: `${model}:${name}`,
            Regex: `epoch [0-9]+/[0-9]+ fold [0-9]+ (?:.* )?${name}=([0-9][-+.0-9e]*)`,
        });
        const metricDefinitions = Object.fromEntries(
            [...Object.keys(settings.members), "sequence"].map((model) => [
                model,
                ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"].map((name) => metric(model, name)),
            ]),
        );
        // It throws where Step Functions' 1 MB are not enough.
        const { definition } = ensembleTraining(settings, targets("prod", { ...REGISTRY, metricDefinitions }));
        assert.equal(JSON.stringify(definition).split('"MetricDefinitions":').length - 1, 81);
    });

    it("tells of every fault in it exactly once", async () => {
        const one = subject("registering", prod, REGISTRY);
        const states = ["Find Registered Ensemble", "Register Ensemble"];
        const { problems, rows } = await sweep(
            [{ ...one, tasks: one.tasks.filter(({ state }) => states.includes(state)) }],
            7,
            0,
            20,
        );
        assert.deepEqual(problems, []);
        assert.equal(rows.length, 12);
    }).timeout(60_000);
});
