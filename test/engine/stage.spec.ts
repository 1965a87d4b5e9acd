import assert from "node:assert/strict";
import { StageNames } from "../../components/names";
import { stageTags } from "../../components/tags";
import { TrainingStateMachine } from "../../components/trainingStateMachine";
import type { StateMachineDefinition } from "../../asl/types";
import { program } from "../../stacks/program";
import { ACCOUNT, REGION, sampleDefinition } from "../policy/sampleStage";
import type { Outcome, PolicyViolation, RunOptions } from "./support/engine";
import { root, scriptFlags, TestStack } from "./support/engine";

const MACHINE = "aws:sfn/stateMachine:StateMachine";

/** What executions that still run may refer to: it outlives updates and the stack. */
const RELEASES = [
    "aws:batch/jobDefinition:JobDefinition",
    "aws:lambda/alias:Alias",
    "aws:s3/bucketObjectv2:BucketObjectv2",
    "docker-build:index:Image",
];

/** What a policy has to say. A warning of the analysis is for people to read, and refuses nothing. */
function refusals(outcome: Outcome): readonly PolicyViolation[] {
    return outcome.violations.filter(({ policy, level }) => !(policy === "sfn-warnings" && level === "advisory"));
}

/** What the engine did, by type: which of a type's resources it was does not matter where there is one. */
function kinds(outcome: Outcome): string[] {
    return outcome.changes.map((change) => change.replace(/::.*$/, ""));
}

function definitionOf(stack: TestStack): { QueryLanguage?: string; StartAt?: string; States?: object } {
    const [machine] = stack.cloud.ofType(MACHINE);
    return JSON.parse(machine.inputs.definition as string) as object;
}

for (const stage of ["dev", "prod"]) {
    describe(`the ${stage} stage in the real engine`, () => {
        const flags: RunOptions = { policies: scriptFlags(`preview:${stage}`).policies };
        let stack: TestStack;
        let created: number;

        before(async () => {
            stack = await TestStack.create(stage, program, root);
        });

        after(() => stack.dispose());

        it(`previews as a new stack with \`npm run preview:${stage}\`, the definition known and judged`, async () => {
            const outcome = await stack.preview(flags);
            assert.ok(outcome.succeeded, outcome.log);
            // Nothing of what hangs on an ARN that AWS draws, such as the key's: nobody could do anything about it. The
            // definition never does, or its own rule would refuse it.
            assert.deepEqual(refusals(outcome), []);
            assert.ok(kinds(outcome).includes(`create ${MACHINE}`), outcome.log);
            assert.deepEqual(stack.cloud.journal, [], "a preview makes nothing");
            created = outcome.changes.length;
        });

        it(`is made by \`npm run up:${stage}\`, every policy judged`, async () => {
            const outcome = await stack.up({ policies: scriptFlags(`up:${stage}`).policies });
            assert.ok(outcome.succeeded, outcome.log);
            assert.deepEqual(refusals(outcome), []);
            assert.equal(outcome.changes.length, created);
            assert.equal(definitionOf(stack).QueryLanguage, "JSONata");
        });

        it("names in its outputs what AWS has", async () => {
            const outputs = await stack.outputs();
            const [machine] = stack.cloud.ofType(MACHINE);
            assert.equal(outputs.stateMachineArn.value, machine.outputs.arn);
            assert.equal(outputs.artifactBucket.value, stack.cloud.ofType("aws:s3/bucket:Bucket")[0].inputs.bucket);
        });

        it("shows no change in a second preview", async () => {
            const outcome = await stack.preview(flags);
            assert.ok(outcome.succeeded, outcome.log);
            assert.deepEqual(outcome.changes, []);
            assert.deepEqual(refusals(outcome), []);
        });

        if (stage === "prod") {
            it("keeps its data when somebody destroys it", async () => {
                const data = ["aws:s3/bucket:Bucket", "aws:kms/key:Key"];
                const outcome = await stack.destroy();
                assert.equal(outcome.succeeded, false);
                assert.match(outcome.log, /cannot be deleted\s+because it is protected/);
                for (const type of data) {
                    assert.equal(stack.cloud.ofType(type).length, 1, `${type} is gone`);
                }
            });
            return;
        }

        it("changes the definition and nothing else when a hyperparameter changes", async () => {
            const before = JSON.stringify(definitionOf(stack));
            stack.editConfig((config) => {
                (
                    config["ensemble-training:models"] as { image: { hyperparameters: { epochs: number } } }
                ).image.hyperparameters.epochs += 1;
            });
            const previewed = await stack.preview(flags);
            const outcome = await stack.up(flags);
            assert.ok(outcome.succeeded, outcome.log);
            assert.deepEqual(kinds(outcome), [`update ${MACHINE}`, "update ensemble:sfn:TrainingStateMachine"]);
            assert.deepEqual(previewed.changes, outcome.changes);
            assert.notEqual(JSON.stringify(definitionOf(stack)), before);
        });

        it("changes the log groups and nothing else when their retention changes", async () => {
            stack.editConfig((config) => {
                Object.assign(config["ensemble-training:retention"], { logDays: 60 });
            });
            const outcome = await stack.up(flags);
            assert.ok(outcome.succeeded, outcome.log);
            assert.notEqual(outcome.changes.length, 0);
            assert.deepEqual(
                outcome.changes.filter((change) => !change.startsWith("update aws:cloudwatch/logGroup:LogGroup::")),
                [],
            );
        });

        it("refuses a retention that is too short for the pack, and leaves everything as it is", async () => {
            const journal = stack.cloud.journal.length;
            stack.editConfig((config) => {
                Object.assign(config["ensemble-training:retention"], { logDays: 3 });
            });
            const outcome = await stack.up(flags);
            assert.equal(outcome.succeeded, false);
            assert.deepEqual([...new Set(refusals(outcome).map(({ policy }) => policy))], ["log-group-retention"]);
            assert.equal(stack.cloud.journal.length, journal);
            stack.editConfig((config) => {
                Object.assign(config["ensemble-training:retention"], { logDays: 60 });
            });
        });

        it("fails with every problem of a wrong configuration, and no stack trace of it", async () => {
            stack.editConfig((config) => {
                Object.assign(config, { "ensemble-training:folds": 1, "ensemble-training:sead": 2 });
            });
            const outcome = await stack.preview();
            assert.equal(outcome.succeeded, false);
            assert.match(outcome.log, /folds: got 1, expected at least 2/);
            assert.match(outcome.log, /sead: unknown key; did you mean "seed"\?/);
            stack.editConfig((config) => {
                delete config["ensemble-training:folds"];
                delete config["ensemble-training:sead"];
            });
        });

        it("finds nothing changed in a refresh", async () => {
            const outcome = await stack.refresh();
            assert.ok(outcome.succeeded, outcome.log);
            assert.deepEqual(outcome.changes, []);
        });

        it("notices in a refresh what somebody changed by hand, and puts it right", async () => {
            const [key, versioning] =
                [...stack.cloud.resources].find(
                    ([, { type }]) => type === "aws:s3/bucketVersioning:BucketVersioning",
                ) ?? [];
            assert.ok(key !== undefined && versioning !== undefined);
            const suspended = { versioningConfiguration: { status: "Suspended" } };
            stack.cloud.resources.set(key, {
                ...versioning,
                inputs: { ...versioning.inputs, ...suspended },
                outputs: { ...versioning.outputs, ...suspended },
            });
            const change = "update aws:s3/bucketVersioning:BucketVersioning";
            assert.deepEqual(kinds(await stack.refresh()), [change]);
            const outcome = await stack.up(flags);
            assert.deepEqual(kinds(outcome), [change], outcome.log);
            assert.deepEqual(stack.cloud.resources.get(key)?.inputs.versioningConfiguration, { status: "Enabled" });
        });

        it("goes with the stack, but for what running executions refer to", async () => {
            const outcome = await stack.destroy();
            assert.ok(outcome.succeeded, outcome.log);
            const left = [...stack.cloud.resources.values()]
                .map(({ type }) => type)
                .filter((type) => !RELEASES.includes(type));
            assert.deepEqual(left, []);
        });
    });
}

describe("a stage whose making is interrupted", () => {
    it("is finished by the next update", async () => {
        const stack = await TestStack.create("dev", program, root);
        try {
            stack.cloud.failures.set(MACHINE, "AccessDeniedException: the role may not create managed rules.");
            const interrupted = await stack.up();
            assert.equal(interrupted.succeeded, false);
            assert.match(interrupted.log, /AccessDeniedException: the role may not create managed rules/);
            stack.cloud.failures.clear();
            const finished = await stack.up();
            assert.ok(finished.succeeded, finished.log);
            assert.equal(stack.cloud.ofType(MACHINE).length, 1);
            assert.deepEqual((await stack.preview()).changes, []);
        } finally {
            stack.dispose();
        }
    });
});

describe("a state machine with a silent failure", () => {
    it("fails the preview with the counter-example, without the pack", async () => {
        const { Prepare, ...others } = sampleDefinition.States;
        const { Catch: _silent, ...careless } = Prepare;
        const definition = {
            ...sampleDefinition,
            States: { Prepare: careless, ...others },
        } as unknown as StateMachineDefinition;
        const stack = await TestStack.create("dev", async () => {
            const name = { service: "sample", stage: "dev" };
            new TrainingStateMachine("training", {
                names: new StageNames({ account: ACCOUNT, region: REGION, partition: "aws" }, name),
                definition,
                statements: [],
                keyActions: [],
                keyArn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/1`,
                logDays: 30,
                protectedStage: false,
                tags: stageTags(name),
                dependsOn: [],
            });
        });
        try {
            const outcome = await stack.preview();
            assert.equal(outcome.succeeded, false);
            assert.match(outcome.log, /The state machine \S+ is not deployed: its definition has \d+ errors?\./);
            assert.match(outcome.log, /Prepare.* \[catch-all\]/);
            assert.match(outcome.log, /Prepare -\(.+\)/);
        } finally {
            stack.dispose();
        }
    });
});
