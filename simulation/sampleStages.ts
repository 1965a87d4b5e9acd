/** A stage as the workflow's tests see it: small, complete, and independent of the stages that are deployed. */
import type { MemberSettings, ModelSettings, StageSettings } from "../workflow/contract";
import { defineEnsemble } from "../workflow/ensemble";
import type { Targets } from "../workflow/targets";

const HASH = "0123456789abcdef".repeat(4);

function model(overrides: Partial<ModelSettings> = {}): ModelSettings {
    return {
        container: {
            image: `763104351884.dkr.ecr.eu-central-1.amazonaws.com/tensorflow-training@sha256:${HASH}`,
            encoding: "json",
            codeHash: HASH,
            program: "train.py",
            submitDirectory: "s3://artifacts/code/sourcedir.tar.gz",
        },
        hyperparameters: { epochs: 80, optimizer: "rmsprop" },
        schema: {
            epochs: {
                type: "integer",
                minimum: 1,
                maximum: 10_000,
                learning: true,
                description: "passes over the training data",
            },
            optimizer: {
                type: "string",
                values: ["rmsprop", "adam"],
                learning: true,
                description: "how weights are moved",
            },
        },
        capacity: [
            { instanceType: "ml.g6.xlarge", spot: true },
            { instanceType: "ml.g5.xlarge", spot: false },
        ],
        instanceCount: 1,
        volumeGb: 10,
        maxRuntimeSeconds: 14_400,
        budgetSeconds: 28_800,
        channels: [{ name: "training", from: "raw_data", path: "" }],
        minimumMetrics: {},
        ...overrides,
    };
}

function member(
    overrides: Partial<MemberSettings> & Pick<MemberSettings, "mergeParameter" | "publishParameter">,
): MemberSettings {
    return { ...model(), required: true, splitSet: false, ...overrides };
}

/** The talk's ensemble; dev has one on-demand rung each, prod a ladder. */
export function stageSettings(stage: "dev" | "prod", overrides: Partial<StageSettings> = {}): StageSettings {
    const small = stage === "dev" ? { capacity: [{ instanceType: "ml.m5.xlarge", spot: false }] } : {};
    return {
        service: "smartcat",
        stage,
        region: "eu-central-1",
        artifactBase: `s3://smartcat-${stage}-artifacts/training`,
        dataLocations: [`s3://smartcat-${stage}-data`],
        folds: 4,
        testShare: 0.2,
        seed: 1,
        ...defineEnsemble({
            members: {
                text: member({
                    mergeParameter: "INPUT_PATH_SVM",
                    publishParameter: "INPUT_PATH_TXT",
                    container: {
                        image: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/text-training:0123456789abcdef",
                        encoding: "plain",
                        codeHash: HASH,
                    },
                    ...small,
                }),
                image: member({
                    mergeParameter: "INPUT_PATH_CNN",
                    publishParameter: "INPUT_PATH_IMAGE",
                    splitSet: true,
                    instanceCount: 4,
                    maxRuntimeSeconds: 172_800,
                    budgetSeconds: 259_200,
                    ...small,
                }),
            },
            combiner: { name: "sequence", ...model({ maxRuntimeSeconds: 172_800, budgetSeconds: 259_200, ...small }) },
        }),
        ...overrides,
    };
}

/** The same ensemble with no member required: `quorum` of them are enough. */
export function tolerantStage(quorum: number): StageSettings {
    const base = stageSettings("prod");
    const optional = ([name, settings]: [string, MemberSettings]) => [name, { ...settings, required: false }] as const;
    return { ...base, quorum, members: Object.fromEntries(Object.entries(base.members).map(optional)) };
}

/** An ensemble of `count` small members. */
export function manyMembers(count: number, overrides: Partial<MemberSettings> = {}): StageSettings {
    const base = stageSettings("prod");
    return {
        ...base,
        ...defineEnsemble({
            members: Object.fromEntries(
                Array.from({ length: count }, (_, index) => [
                    `model_${index}`,
                    member({
                        mergeParameter: `INPUT_PATH_M${index}`,
                        publishParameter: `INPUT_PATH_P${index}`,
                        ...overrides,
                    }),
                ]),
            ),
            combiner: base.combiner,
        }),
    };
}

export function targets(stage: string, overrides: Partial<Targets> = {}): Targets {
    const region = "eu-central-1:123456789012";
    const alias = (name: string) => `arn:aws:lambda:${region}:function:smartcat-${stage}-${name}:h-0123456789ab`;
    const job = (name: string) => `arn:aws:batch:${region}:job-definition/smartcat-${stage}-${name}-0123456789ab`;
    return {
        functions: {
            setup: alias("setup"),
            errorCause: alias("error-cause"),
            register: alias("register"),
            describeFailure: alias("describe-failure"),
        },
        jobDefinitions: { fetch: job("fetch"), split: job("split"), merge: job("merge"), publish: job("publish") },
        jobQueueArn: `arn:aws:batch:${region}:job-queue/smartcat-${stage}-training`,
        trainingRoleArn: `arn:aws:iam::123456789012:role/smartcat-${stage}-training`,
        topicArn: `arn:aws:sns:${region}:smartcat-${stage}-alerts`,
        tags: { service: "smartcat", subservice: "training", stage },
        ...overrides,
    };
}
