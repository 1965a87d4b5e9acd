/** The stages that the suite declares: those that people have, and all pairs of what can be chosen. */
import make from "covertable";
import type { Stage } from "./support/declared";

type Overrides = Readonly<Record<string, unknown>>;

const SUBNETS = ["subnet-0aaaaaaaaaaaaaaa0", "subnet-0bbbbbbbbbbbbbbb0"];
const GIVEN_NETWORK = { kind: "given", vpcId: "vpc-0123456789abcdef0", subnetIds: SUBNETS };
const TRAINING_VPC = { subnetIds: SUBNETS.slice(0, 1), securityGroupIds: ["sg-0aaaaaaaaaaaaaaa0"] };
const GIVEN_KEY = "arn:aws:kms:eu-central-1:123456789012:key/22222222-2222-3333-4444-555555555555";
const DATA_KEY = "arn:aws:kms:eu-central-1:123456789012:key/mrk-33333333222233334444555555555555";
const OTHER_BUCKET = "s3://other-documents/data";
const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/own@sha256:${"0".repeat(64)}`;
const MAILS = { failures: ["a@example.com", "b@example.com"], operations: ["c@example.com"] };

/** Everything optional that decides what there is in AWS: by key of the configuration, each choice by its name. */
export const CHOICES: Readonly<Record<string, Readonly<Record<string, Overrides>>>> = {
    compute: {
        fargate: { compute: { type: "FARGATE", maxVcpus: 32 } },
        fargateSpot: { compute: { type: "FARGATE_SPOT" } },
        ec2: { compute: { type: "EC2", instanceTypes: ["m5", "m6i.large"] } },
        spot: { compute: { type: "SPOT", instanceTypes: ["optimal"] } },
    },
    network: {
        default: { network: { kind: "default" } },
        given: { network: GIVEN_NETWORK },
        givenPublic: { network: { ...GIVEN_NETWORK, assignPublicIp: true } },
        created: { network: { kind: "created", cidr: "10.42.0.0/20" } },
    },
    isolation: {
        none: {},
        network: { isolation: { network: true } },
        vpc: { isolation: { vpc: TRAINING_VPC } },
        both: { isolation: { network: true, vpc: TRAINING_VPC } },
    },
    keyArn: { own: {}, given: { keyArn: GIVEN_KEY } },
    schedule: {
        none: {},
        rate: { schedule: { expression: "rate(7 days)", data: "incoming/weekly" } },
        cron: {
            schedule: { expression: "cron(0 3 ? * MON *)", timezone: "Europe/Berlin", data: "incoming/weekly" },
        },
    },
    trigger: {
        none: {},
        own: { trigger: { prefix: "incoming" } },
        other: {
            trigger: { prefix: OTHER_BUCKET, marker: "labels.csv" },
            dataLocations: [OTHER_BUCKET],
            dataKeys: [DATA_KEY],
        },
    },
    notifications: { none: {}, mails: { notifications: MAILS }, all: { notifications: { ...MAILS, success: true } } },
    images: { built: {}, given: { images: { text: IMAGE, jobs: IMAGE } } },
    modelRegistry: { off: {}, on: { modelRegistry: true } },
    dashboard: { off: {}, on: { dashboard: true } },
    protect: { off: {}, on: { protect: true } },
};

function together(choices: Readonly<Record<string, string>>): Overrides {
    return Object.assign({}, ...Object.entries(choices).map(([key, choice]) => CHOICES[key][choice])) as Overrides;
}

const EVERYTHING = together({
    compute: "ec2",
    network: "created",
    isolation: "vpc",
    schedule: "rate",
    trigger: "own",
    notifications: "all",
    modelRegistry: "on",
    dashboard: "on",
});

/** The stages of the checkout, and those that differ most from them. */
export const STAGES: readonly Stage[] = [
    { name: "dev", base: "dev", overrides: {} },
    { name: "prod", base: "prod", overrides: {} },
    { name: "everything", base: "dev", overrides: EVERYTHING },
    {
        name: "given",
        base: "dev",
        overrides: together({
            compute: "spot",
            network: "givenPublic",
            isolation: "network",
            keyArn: "given",
            schedule: "cron",
            trigger: "other",
        }),
    },
];

/** The choices of each stage of {@link pairs}. */
export function pairChoices(): readonly Readonly<Record<string, string>>[] {
    const factors = Object.fromEntries(
        Object.entries(CHOICES).map(([key, choices]): [string, string[]] => [key, Object.keys(choices)]),
    );
    return make(factors) as Record<string, string>[];
}

/** Stages in which every two choices meet at least once. */
export function pairs(): readonly Stage[] {
    return pairChoices().map((choices, index) => ({
        name: `pair-${index + 1}`,
        base: "dev",
        overrides: together(choices),
    }));
}
