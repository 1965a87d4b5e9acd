import { strict as assert } from "node:assert";
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { analyse } from "../../asl/analysis";
import type { StateGraph, StateMachineDefinition } from "../../asl/types";
import {
    attemptLimits,
    defineEnsemble,
    ensembleTraining,
    executionBound,
    modelBound,
    policyDocument,
    renderDefinition,
} from "../../workflow";
import { manyMembers, stageSettings, targets } from "../../simulation/sampleStages";
import { runOf } from "../../simulation";
import { deployedDefinition } from "../../simulation/stages";

// Neither has types.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const aslValidator = require("asl-validator") as (definition: unknown) => {
    isValid: boolean;
    errorsText: () => string;
};
// eslint-disable-next-line @typescript-eslint/no-require-imports
const statelint = require("@wmfs/statelint") as () => { validate: (definition: unknown) => readonly string[] };

function names(graph: StateGraph): readonly string[] {
    return Object.entries(graph.States).flatMap(([name, state]) => [
        name,
        ...(state.Type === "Parallel" ? state.Branches.flatMap(names) : []),
    ]);
}

function find(graph: StateGraph, name: string): Record<string, unknown> {
    for (const [key, state] of Object.entries(graph.States)) {
        if (key === name) {
            return state as unknown as Record<string, unknown>;
        }
        const inner = state.Type === "Parallel" ? state.Branches.filter((branch) => names(branch).includes(name)) : [];
        if (inner[0] !== undefined) {
            return find(inner[0], name);
        }
    }
    throw new Error(`no state "${name}"`);
}

/** What the analysis finds wrong; what it only remarks is left out. */
function faults(definition: StateMachineDefinition): readonly string[] {
    return analyse(definition)
        .filter((finding) => finding.severity !== "info")
        .map((finding) => `${finding.rule} at ${finding.state}: ${finding.message}`);
}

const copy = (definition: StateMachineDefinition) => JSON.parse(JSON.stringify(definition)) as StateMachineDefinition;

/** The stage's own account, and AWS's of the training containers. */
const ACCOUNTS = ["123456789012", "763104351884"];

describe("the workflow as it is deployed", function () {
    this.timeout(60_000);
    for (const stage of ["dev", "prod"] as const) {
        it(`of ${stage} is the reviewed one (UPDATE_GOLDEN=1 writes it anew)`, async () => {
            const file = path.join(__dirname, "golden", `${stage}.json`);
            // Hashes of content change with every line of code; that they are there is what counts. One of digits only
            // looks like an account's number and is none.
            const text = `${JSON.stringify(await deployedDefinition(stage), null, 2)}\n`.replace(
                /(?<![0-9a-f])[0-9a-f]{12,64}(?![0-9a-f])/g,
                (hash) => (ACCOUNTS.includes(hash) ? hash : "<hash>"),
            );
            if (process.env.UPDATE_GOLDEN === "1") {
                writeFileSync(file, text);
            }
            assert.equal(
                text,
                readFileSync(file, "utf8"),
                `${file} differs; read the difference, then write it anew with UPDATE_GOLDEN=1`,
            );
        });

        it(`of ${stage} is proved by the analysis`, async () => {
            assert.deepEqual(faults(await deployedDefinition(stage)), []);
        });

        it(`of ${stage} holds no secret and no text of a page`, async () => {
            const text = JSON.stringify(await deployedDefinition(stage));
            assert.doesNotMatch(text, /AKIA[A-Z0-9]{16}|password|secret|-----BEGIN|@[a-z0-9-]+\.(com|de|org)\b(?!\/)/i);
        });
    }
});

describe("the rendered workflow", () => {
    for (const stage of ["dev", "prod"] as const) {
        const definition = renderDefinition(stageSettings(stage), targets(stage, { notifySuccess: stage === "prod" }));

        it(
            `of ${stage} is proved by the analysis: no silent failure, no unbounded loop, no expression that may ` +
                "fail uncaught",
            () => {
                assert.deepEqual(faults(definition), []);
            },
        );

        it(`of ${stage} is accepted by asl-validator`, () => {
            // It takes an empty text for two things at once and refuses it wherever it stands, so it is shown another
            // one.
            const { isValid, errorsText } = aslValidator(
                JSON.parse(JSON.stringify(definition).replaceAll(':""', ':"-"')),
            );
            assert.ok(isValid, isValid ? "" : errorsText());
        });

        it(`of ${stage} gives the same bytes for the same settings`, () => {
            const again = renderDefinition(stageSettings(stage), targets(stage, { notifySuccess: stage === "prod" }));
            assert.equal(JSON.stringify(again), JSON.stringify(definition));
        });

        it(`of ${stage} has none of statelint's faults but those of its ignorance of JSONata`, () => {
            const unknown =
                /Condition|Arguments|Assign|Output|QueryLanguage|Seconds|Error|Cause|Variable|Choices|TimeoutSeconds|JSONata|JitterStrategy|MaxDelaySeconds/;
            assert.deepEqual(
                statelint()
                    .validate(copy(definition))
                    .filter((problem) => !unknown.test(problem)),
                [],
            );
        });
    }

    it("has every state of the talk, in English", () => {
        const present = names(renderDefinition(stageSettings("prod"), targets("prod")));
        for (const name of [
            "Setup Statemachine",
            "Fetch Preprocessing Artifacts?",
            "Skip Fetch Preprocessing Artifacts",
            "Fetch Preprocessing Artifacts",
            "Base Model Training",
            "Train Image Model?",
            "Create Image Model Split Set",
            "Image Model Training",
            "Skip Image Training",
            "JSONify Image Model Error Cause",
            "Is Image Model Capacity Error?",
            "Wait 10 Minutes for Image Model Capacity",
            "Fail Image Model",
            "Train Text Model?",
            "Text Model Training",
            "Skip Text Training",
            "Ensemble Complete?",
            "Sequence Model Dataframe generation",
            "Sequence Model Training",
            "Post Training Artifact Fetcher",
            "Notify Failure",
            "Training Failed",
            "Training Succeeded",
        ]) {
            assert.ok(present.includes(name), name);
        }
    });

    it("waits ten minutes where it says so", () => {
        const definition = renderDefinition(stageSettings("prod"), targets("prod"));
        assert.equal(find(definition, "Wait 10 Minutes for Image Model Capacity").Seconds, 600);
    });

    it("sends Setup the settings without the texts about hyperparameters", () => {
        const text = JSON.stringify(
            find(renderDefinition(stageSettings("prod"), targets("prod")), "Setup Statemachine").Arguments,
        );
        assert.ok(text.includes('"epochs"'));
        assert.ok(!text.includes("passes over the training data"));
    });

    it(
        "gives prices to the message about a failure and to nothing else, so that no content key " + "depends on them",
        () => {
            const withPrices = (perHour: Record<string, number>) =>
                renderDefinition(stageSettings("prod", { prices: { asOf: "2026-11-23", perHour } }), targets("prod"));
            const { "Describe Failure": told, ...cheap } = withPrices({ "ml.g6.xlarge": 1 }).States;
            const { "Describe Failure": _told, ...dear } = withPrices({ "ml.g6.xlarge": 100 }).States;
            assert.deepEqual(cheap, dear);
            assert.match(JSON.stringify(told), /"prices":\{"asOf":"2026-11-23","perHour":\{"ml\.g6\.xlarge":1\}\}/);
        },
    );

    it("gives the branch of a further member for one further entry", () => {
        const settings = stageSettings("prod");
        const more = {
            ...settings,
            ...defineEnsemble({
                members: {
                    ...settings.members,
                    layout: {
                        ...settings.members.text!,
                        mergeParameter: "INPUT_PATH_LAYOUT",
                        publishParameter: "INPUT_PATH_LAYOUT",
                    },
                },
                combiner: settings.combiner,
            }),
        };
        const definition = renderDefinition(more, targets("prod"));
        assert.ok(names(definition).includes("Layout Model Training"));
        assert.deepEqual(faults(definition), []);
        const merge = find(definition, "Sequence Model Dataframe generation").Arguments as {
            Parameters: Record<string, string>;
        };
        assert.ok(merge.Parameters.INPUT_PATH_LAYOUT?.includes("INPUT_PATH_LAYOUT"));
    });

    it("refuses text that would run as an expression", () => {
        assert.throws(
            () => renderDefinition(stageSettings("dev", { artifactBase: "{% $states.input %}" }), targets("dev")),
            /would run as JSONata/,
        );
    });

    it("refuses a budget that a training could not use, naming the least", () => {
        const settings = stageSettings("dev");
        const text = { ...settings.members.text!, budgetSeconds: 14_400 };
        assert.throws(
            () => renderDefinition({ ...settings, members: { ...settings.members, text } }, targets("dev")),
            /budgetSeconds is 14400; expected at least 15300/,
        );
    });
});

describe("an ensemble of many members", () => {
    it("of 100 is valid, proved and below every quota", () => {
        const settings = manyMembers(100);
        const definition = renderDefinition(settings, targets("prod"));
        assert.ok(Buffer.byteLength(JSON.stringify(definition)) <= 1_048_576);
        assert.deepEqual(faults(definition), []);
        assert.equal(new Set(names(definition)).size, names(definition).length);
        assert.ok(names(definition).every((name) => name.length <= 80));
        assert.ok(Buffer.byteLength(JSON.stringify(runOf(settings))) < 262_144);
    }).timeout(60_000);

    it("has fewer attempts each, the more members there are, and a clear error where none are left", () => {
        assert.equal(attemptLimits(manyMembers(2)).maximumAttempts, 150);
        assert.ok(attemptLimits(manyMembers(100)).maximumAttempts >= 3);
        assert.throws(() => attemptLimits(manyMembers(400)), /400 members: .*room for \d+ attempts each, .*needs 3/);
    });

    it("beyond the definition's size ends in an error that names it", () => {
        assert.throws(() => renderDefinition(manyMembers(130), targets("prod")), /bytes/);
    });
});

describe("defineEnsemble", () => {
    const settings = stageSettings("prod");

    it("demands all required members where no quorum is given", () => {
        assert.equal(settings.quorum, 2);
        const text = { ...settings.members.text!, required: false };
        assert.equal(defineEnsemble({ members: { ...settings.members, text }, combiner: settings.combiner }).quorum, 1);
    });

    it("names everything that is wrong at once", () => {
        assert.throws(
            () =>
                defineEnsemble({
                    members: {
                        "Big Model": settings.members.text!,
                        "sequence": { ...settings.members.text!, publishParameter: "path" },
                    },
                    combiner: settings.combiner,
                    quorum: 5,
                }),
            (error: Error) =>
                [
                    "Big Model",
                    "a member has this name already",
                    "sequence.mergeParameter",
                    'sequence.publishParameter is "path"',
                    "quorum is 5",
                ].every((part) => error.message.includes(part)),
        );
    });
});

describe("the execution's time-out", () => {
    it("holds the budgets of the longest member and of the combiner", () => {
        const settings = stageSettings("prod");
        const longest = Math.max(...Object.values(settings.members).map(modelBound));
        assert.ok(executionBound(settings) > longest + modelBound(settings.combiner));
        assert.equal(renderDefinition(settings, targets("prod")).TimeoutSeconds, executionBound(settings));
    });
});

describe("stubs", () => {
    const settings = stageSettings("dev");

    it("put a recorded result in place of a step, and the proof still holds", () => {
        const stubs = {
            "Setup Statemachine": { Payload: runOf(settings) as never },
            "Create Image Model Split Set": { Status: "SUCCEEDED" },
            "Image Model Training": { TrainingJobName: "recorded", TrainingJobStatus: "Completed" },
        };
        const definition = renderDefinition(settings, targets("dev", { stubs }));
        assert.equal(find(definition, "Image Model Training").Type, "Pass");
        assert.deepEqual(faults(definition), []);
        assert.ok(!names(definition).includes("JSONify Create Image Model Split Set Error Cause"));
    });

    it("may be put in place of the whole training of the base models", () => {
        const stubs = {
            "Base Model Training": [
                { member: "text", outcome: "trained" },
                { member: "image", outcome: "trained" },
            ],
        };
        const definition = renderDefinition(settings, targets("dev", { stubs }));
        assert.deepEqual(faults(definition), []);
    });

    it("refuse an unknown state with the nearest name, and a state that has no result", () => {
        assert.throws(
            () => renderDefinition(settings, targets("dev", { stubs: { "Image Model Trainin": {} } })),
            /did you mean "Image Model Training"/,
        );
        assert.throws(
            () => renderDefinition(settings, targets("dev", { stubs: { "Ensemble Complete?": {} } })),
            /only a Task, a Parallel, a Map or a Wait/,
        );
    });

    it("need no permission of the step that they replace", () => {
        const stubs = { "Notify Failure": {} };
        const actions = ensembleTraining(settings, targets("dev", { stubs })).permissions.flatMap(
            (permission) => permission.actions,
        );
        assert.ok(!actions.includes("sns:Publish"));
    });
});

describe("the role's permissions", () => {
    const { permissions } = ensembleTraining(stageSettings("prod"), targets("prod"));

    it("are those of the tasks, each on what it is for", () => {
        const document = policyDocument(permissions);
        const of = (action: string) => document.Statement.filter((statement) => statement.Action.includes(action));
        assert.deepEqual(of("sagemaker:CreateTrainingJob")[0]?.Resource, [
            "arn:aws:sagemaker:eu-central-1:123456789012:training-job/smartcat-prod-*",
        ]);
        assert.deepEqual(of("iam:PassRole")[0]?.Condition, {
            StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" },
        });
        assert.deepEqual(of("iam:PassRole")[0]?.Resource, ["arn:aws:iam::123456789012:role/smartcat-prod-training"]);
        for (const action of [
            "sagemaker:AddTags",
            "sagemaker:StopTrainingJob",
            "batch:TerminateJob",
            "batch:DescribeJobs",
            "batch:TagResource",
            "events:PutRule",
        ]) {
            assert.equal(of(action).length, 1, action);
        }
        assert.ok(
            of("batch:SubmitJob")[0]?.Resource.includes(
                "arn:aws:batch:eu-central-1:123456789012:job-definition/smartcat-prod-fetch-*",
            ),
        );
        assert.equal(of("lambda:InvokeFunction")[0]?.Resource.length, 4);
    });

    it("give a reason for every wildcard", () => {
        for (const permission of permissions.filter(({ resources }) =>
            resources.some((resource) => resource.includes("*")),
        )) {
            assert.ok((permission.reason ?? "").length > 10, permission.actions.join());
        }
    });

    it("fit an inline policy, also with 100 members", () => {
        for (const settings of [stageSettings("prod"), manyMembers(100)]) {
            assert.ok(
                JSON.stringify(policyDocument(ensembleTraining(settings, targets("prod")).permissions)).length < 10_240,
            );
        }
    });
});
