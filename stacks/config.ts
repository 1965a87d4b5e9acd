/**
 * The one loader of the stack configuration: types, defaults, bounds, and every problem at once. The schema is the
 * source of the configuration table in the README and of the keys in Pulumi.yaml.
 */
import { RunError } from "@pulumi/pulumi/errors";
import { closest } from "fastest-levenshtein";
import * as z from "zod";
import type { ComputeChoice, JobSize } from "../components/batchJobs";
import { cutBlock, type NetworkChoice } from "../components/network";
import type { JobName } from "../components/names";
import { LOG_RETENTION_DAYS } from "../ground/awsLimits";
import { instanceTypeProblem } from "../ground/instanceTypes";
import { parseS3Address } from "../ground/s3Address";
import { JOB_QUEUE_SECONDS, JOB_SECONDS, type Capacity, type Hyperparameters } from "../workflow";
import { readHyperparameter } from "../workflow/hyperparameterRules";
import { DATA_MARKERS } from "../workflow/input";
import {
    builtImages,
    DOCUMENTS,
    type EnsembleSpec,
    FRAMEWORKS,
    hyperparametersOf,
    type MemberSpec,
    MODEL_DEFAULTS,
    modelsOf,
    type ModelSpec,
} from "./models";
import { misfits } from "./configRules";
import { isTimeZone, scheduleProblem } from "./scheduleExpression";

/** What a model of a stage is configured with. */
export interface ModelConfig {
    readonly hyperparameters: Hyperparameters;
    readonly capacity: readonly Capacity[];
    readonly instanceCount: number;
    readonly volumeGb: number;
    readonly maxRuntimeSeconds: number;
    readonly maxHours: number;
    /** What one training usually takes; only the expected price of a plan reads it. */
    readonly expectedHours?: number;
    readonly minimumMetrics: Readonly<Record<string, number>>;
    /** Image address in place of the framework's or the built one. */
    readonly image?: string;
    /** Members only. */
    readonly required: boolean;
}

/** A stage's validated configuration, all defaults filled in. */
export interface StageConfig {
    readonly service: string;
    readonly stage: string;
    readonly folds: number;
    readonly testShare: number;
    readonly seed: number;
    readonly quorum?: number;
    readonly maximumRegression?: number;
    /** Least gain of the ensemble over its best member. */
    readonly minimumGain?: number;
    /** US dollars that one run may cost at most. */
    readonly budget?: number;
    /** s3:// prefixes besides the stage's own bucket that executions read from. */
    readonly dataLocations: readonly string[];
    /** ARNs of the keys that buckets of `dataLocations` are encrypted with. */
    readonly dataKeys: readonly string[];
    readonly models: Readonly<Record<string, ModelConfig>>;
    readonly containers: {
        readonly tensorflowCpu: string;
        readonly tensorflowGpu: string;
        readonly allowTags: boolean;
    };
    readonly images: {
        readonly jobs?: string;
        /** Base images, with digest where given so. */
        readonly pythonBase: string;
        readonly nodeBase: string;
        readonly platform: "linux/amd64";
        /** By the name of an image that the ensemble would build: the address of one to use instead. */
        readonly [built: string]: string | undefined;
    };
    readonly jobs: Readonly<Record<JobName, JobSize>>;
    readonly compute: ComputeChoice;
    readonly network: NetworkChoice;
    readonly isolation: {
        readonly network: boolean;
        readonly vpc?: { readonly subnetIds: readonly string[]; readonly securityGroupIds: readonly string[] };
    };
    readonly notifications: {
        readonly failures: readonly string[];
        readonly operations: readonly string[];
        readonly success: boolean;
    };
    readonly retention: Readonly<Record<"logDays" | "runDays" | "checkpointDays" | "noncurrentDays", number>>;
    /** ARN of an existing key; without it the stage has one of its own. */
    readonly keyArn?: string;
    readonly protect: boolean;
    readonly keptReleases: number;
    /** Starts an execution again and again with the same input. */
    readonly schedule?: StartConfig & { readonly expression: string; readonly timezone: string; readonly data: string };
    /** Starts an execution when a data set below a prefix is complete. */
    readonly trigger?: StartConfig & { readonly prefix: string; readonly marker: string };
    /** Published ensembles become versions in SageMaker's model registry. */
    readonly modelRegistry: boolean;
    /** A CloudWatch dashboard of the stage. */
    readonly dashboard: boolean;
    readonly stubs: Readonly<Record<string, z.core.util.JSONType>>;
}

interface StartConfig {
    /** Parts of the execution's input besides the data. */
    readonly input: Readonly<Record<string, z.core.util.JSONType>>;
}

type Optional<T> = T extends readonly unknown[] | string | number | boolean
    ? T
    : { readonly [K in keyof T]?: Optional<T[K]> };

/**
 * A stage's configuration as it is written: everything may be left out; docs/configuration.md has meanings and
 * defaults.
 */
export type StageOptions = Optional<Omit<StageConfig, "stage" | "network">> & {
    /** Where the Batch jobs run. Default: the account's default VPC. */
    readonly network?: NetworkChoice;
};

/** All that is wrong with a configuration. Pulumi tells a RunError's message alone, without a stack trace. */
export class ConfigError extends RunError {
    /** @param subject What the problems are of. */
    constructor(
        readonly problems: readonly string[],
        readonly subject = "The stack configuration has",
    ) {
        super(
            `${subject} ${problems.length} ${problems.length === 1 ? "problem" : "problems"}:\n${problems
                .map((problem) => `  - ${problem}`)
                .join("\n")}`,
        );
        this.name = "ConfigError";
    }
}

/** vCPU to the memory that Fargate offers with it, in MiB: from, to, step. */
const FARGATE: Readonly<Record<string, readonly [number, number, number]>> = {
    "0.5": [1_024, 4_096, 1_024],
    1: [2_048, 8_192, 1_024],
    2: [4_096, 16_384, 1_024],
    4: [8_192, 30_720, 1_024],
    8: [16_384, 61_440, 4_096],
    16: [32_768, 122_880, 8_192],
};

/**
 * Registries of AWS's Deep Learning Containers by region; other regions of the standard partition share 763104351884.
 * Source: region availability of aws/deep-learning-containers.
 */
export const DLC_REGISTRIES: Readonly<Record<string, string>> = {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "eu-central-2": "380420809688",
    "eu-south-1": "692866216735",
    "il-central-1": "780543022126",
    "me-south-1": "217643126080",
    "cn-north-1": "727897471807",
    "cn-northwest-1": "727897471807",
    ...Object.fromEntries(
        [
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
            "ca-central-1",
            "sa-east-1",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "eu-central-1",
            "eu-north-1",
            "ap-south-1",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-northeast-1",
            "ap-northeast-2",
        ].map((region) => [region, "763104351884"]),
    ),
};

const s3Prefix = z
    .string()
    .superRefine((value, context) => {
        try {
            parseS3Address(value);
        } catch {
            context.addIssue({ code: "custom", message: "expected s3://<bucket>/<prefix>" });
        }
    })
    .transform((value) => value.replace(/\/+$/, ""));
const email = z.string().regex(/^[^@\s]+@[^@\s]+\.[^@\s]+$/, "expected an e-mail address");
const imageAddress = z
    .string()
    .max(255)
    .regex(
        /^[a-z0-9][a-zA-Z0-9._\-/:]*(:[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})$/,
        "expected an image address with a tag or, better, a digest (@sha256:<64 hexadecimal digits>)",
    );
/** A key's own ARN and not an alias's, which no policy can name; keys of several regions begin with mrk-. */
const keyArn = z
    .string()
    .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/(mrk-)?[0-9a-f-]+$/, "expected the ARN of a KMS key");

const instanceType = z.string().superRefine((value, context) => {
    const expected = instanceTypeProblem(value);
    if (expected !== undefined) {
        context.addIssue({ code: "custom", message: `expected ${expected}` });
    }
});
const whole = (minimum: number, maximum: number) => z.number().int().min(minimum).max(maximum);
const days = whole(1, 3_653);

function modelSchema(spec: ModelSpec & Pick<MemberSpec, "required">, member: boolean) {
    const { schema, defaults } = hyperparametersOf(spec);
    const given = { ...MODEL_DEFAULTS, required: true, ...spec };
    const hyperparameters = Object.fromEntries(
        Object.entries(schema).map(([name, rule]) => [
            name,
            z
                .any()
                .superRefine((value, context) => {
                    const read = readHyperparameter(value, rule);
                    if ("expected" in read) {
                        context.addIssue({ code: "custom", message: `expected ${read.expected}` });
                    }
                })
                .transform((value) => {
                    const read = readHyperparameter(value, rule);
                    return "value" in read ? read.value : undefined;
                })
                .default(defaults[name]),
        ]),
    );
    const shape = {
        hyperparameters: z.strictObject(hyperparameters).prefault({}).describe("See the table of hyperparameters."),
        capacity: z
            .array(z.strictObject({ instanceType, spot: z.boolean().default(false) }))
            .min(1)
            .max(10)
            .default([...given.capacity])
            .describe("Machines in the order in which they are tried when there is no capacity."),
        instanceCount: whole(1, 20).default(given.instanceCount).describe("Machines of one training job."),
        volumeGb: whole(1, 16_384)
            .default(given.volumeGb)
            .describe("Disk of each machine in GB; types with own disks ignore it."),
        maxRuntimeSeconds: whole(60, 2_419_200)
            .default(given.maxRuntimeSeconds)
            .describe("The longest that one training job may run."),
        maxHours: z
            .number()
            .positive()
            .max(672)
            .default(given.maxHours)
            .describe("Budget of this model in all: attempts, waits and rungs included. Bounds the price."),
        expectedHours: z
            .number()
            .positive()
            .max(672)
            .optional()
            .describe(
                "What one training usually takes, for the expected price while no earlier training has said it; at " +
                    "most maxHours.",
            ),
        minimumMetrics: z
            .record(z.string().regex(/^[a-z][a-z0-9_]*$/, "expected the name of a metric in metrics.json"), z.number())
            .default({})
            .describe("Lowest allowed value by metric; below it nothing is published."),
        image: imageAddress.optional().describe("Image in place of the framework's or the built one."),
        required: (member ? z.boolean().default(given.required) : z.literal(true).default(true)).describe(
            "Whether the ensemble fails without this member.",
        ),
    };
    return z
        .strictObject(shape)
        .superRefine((model, context) => {
            if (model.maxHours * 3_600 < model.maxRuntimeSeconds) {
                context.addIssue({
                    code: "custom",
                    path: ["maxHours"],
                    params: { value: model.maxHours },
                    message:
                        `expected at least ${model.maxRuntimeSeconds / 3_600} hours: one job may run that long ` +
                        "(maxRuntimeSeconds)",
                });
            }
            if (model.expectedHours !== undefined && model.expectedHours > model.maxHours) {
                context.addIssue({
                    code: "custom",
                    path: ["expectedHours"],
                    message: `expected at most ${model.maxHours} hours (maxHours)`,
                });
            }
            const twice = model.capacity.find(
                (rung, index) =>
                    model.capacity.findIndex(
                        (other) => other.instanceType === rung.instanceType && other.spot === rung.spot,
                    ) < index,
            );
            if (twice !== undefined) {
                context.addIssue({
                    code: "custom",
                    path: ["capacity"],
                    params: { value: model.capacity },
                    message: `expected every rung once; ${twice.instanceType} is there twice`,
                });
            }
        })
        .prefault({});
}

/** Defaults of the jobs: fetch copies, the others read tables of pages. */
const JOB_DEFAULTS: Readonly<Record<JobName, { vcpu: number; memoryMb: number }>> = {
    fetch: { vcpu: 2, memoryMb: 4_096 },
    split: { vcpu: 0.5, memoryMb: 2_048 },
    merge: { vcpu: 1, memoryMb: 8_192 },
    publish: { vcpu: 2, memoryMb: 8_192 },
};

function jobSchema(job: JobName) {
    const longest = JOB_SECONDS[job] - JOB_QUEUE_SECONDS;
    return z
        .strictObject({
            vcpu: z.number().positive().max(16).default(JOB_DEFAULTS[job].vcpu),
            memoryMb: whole(512, 122_880).default(JOB_DEFAULTS[job].memoryMb),
            timeoutSeconds: whole(60, longest).default(longest),
            ephemeralGb: whole(21, 200).optional(),
        })
        .prefault({});
}

/** The sizes that Fargate has, in order, for people. */
const FARGATE_VCPUS = Object.keys(FARGATE)
    .sort((a, b) => Number(a) - Number(b))
    .join(", ");

/** Jobs that ask for a disk of their own where there is none to be had. */
function jobsWithDisk({ compute, jobs }: Pick<StageConfig, "compute" | "jobs">): string[] {
    const asking = Object.entries(jobs).filter(([, { ephemeralGb }]) => ephemeralGb !== undefined);
    return compute.type.startsWith("FARGATE") ? [] : asking.map(([job]) => job);
}

const networkSchema = z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("default") }),
    z.strictObject({
        kind: z.literal("given"),
        vpcId: z.string().regex(/^vpc-[0-9a-f]+$/, "expected vpc-<hexadecimal digits>"),
        subnetIds: z
            .array(z.string().regex(/^subnet-[0-9a-f]+$/, "expected subnet-<hexadecimal digits>"))
            .min(1)
            .max(16),
        assignPublicIp: z.boolean().default(false),
    }),
    z.strictObject({
        kind: z.literal("created"),
        cidr: z
            .string()
            .default("10.42.0.0/20")
            .superRefine((value, context) => {
                try {
                    cutBlock(value, 2);
                } catch (error) {
                    context.addIssue({ code: "custom", message: (error as Error).message });
                }
            }),
    }),
]);

const json: z.ZodType<z.core.util.JSONType> = z.json();

/** An s3:// prefix, or a folder of the stage's own bucket. Without what patterns of EventBridge give a meaning to. */
const folder = z
    .string()
    .regex(
        /^(s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/)?[\w!.'()-]+(\/[\w!.'()-]+)*\/?$/,
        "expected s3://<bucket>/<prefix> or a folder of the stage's own bucket, of letters, digits and !_.'()-/",
    )
    .transform((value) => value.replace(/\/+$/, ""));
const startInput = z.strictObject({ initialization: z.record(z.string(), json).optional() }).default({});

const scheduleSchema = z.strictObject({
    expression: z
        .string()
        .max(256)
        .superRefine((value, context) => {
            const problem = scheduleProblem(value, new Date());
            if (problem !== undefined) {
                context.addIssue({ code: "custom", message: problem });
            }
        }),
    timezone: z
        .string()
        .refine(isTimeZone, "expected the name of a time zone, for example Europe/Berlin")
        .default("UTC"),
    data: folder,
    input: startInput,
});
const triggerSchema = z.strictObject({
    prefix: folder,
    marker: z.enum(DATA_MARKERS).default("manifest.json"),
    input: startInput,
});

const configKeys = (ensemble: EnsembleSpec) =>
    ({
        service: z
            .string()
            .regex(/^[a-z][a-z0-9-]{0,18}[a-z0-9]$/, "expected 2 to 20 of a-z, 0-9 and -, beginning with a letter")
            .default("ensemble")
            .describe("What every name begins with."),
        folds: whole(2, 20).default(4).describe("Folds of the image model; with as many machines, one fold a machine."),
        testShare: z
            .number()
            .gt(0)
            .lt(1)
            .default(0.2)
            .describe("Share of stacks held out where the data does not say `split`."),
        seed: whole(0, 2 ** 31 - 1)
            .default(1)
            .describe("Start of every random choice."),
        quorum: whole(1, 100).optional().describe("How many members must be there; all required ones by default."),
        maximumRegression: z
            .number()
            .min(0)
            .max(1)
            .optional()
            .describe("How far a metric may fall below that of the last published ensemble; no bound by default."),
        minimumGain: z
            .number()
            .min(-1)
            .max(1)
            .optional()
            .describe(
                "What the ensemble must gain over its best member, in page accuracy and segment F1, with 95 % " +
                    "certainty; by default it may not lose more than the noise of that member's own figure.",
            ),
        budget: z
            .number()
            .positive()
            .optional()
            .describe(
                "US dollars that one run may cost in the worst case: a preview with the policy pack refuses more; no " +
                    "bound by default.",
            ),
        dataLocations: z
            .array(s3Prefix)
            .max(50)
            .default([])
            .describe("s3:// prefixes besides the stage's own bucket that executions may read from and write to."),
        dataKeys: z
            .array(keyArn)
            .max(20)
            .default([])
            .describe(
                "ARNs of the KMS keys that buckets of dataLocations are encrypted with; without them their objects " +
                    "cannot be read.",
            ),
        models: z
            .strictObject({
                ...Object.fromEntries(
                    modelsOf(ensemble).map(([name, spec]) => [name, modelSchema(spec, spec !== ensemble.combiner)]),
                ),
            })
            .prefault({})
            .describe("What each model is trained with; see the tables below."),
        containers: z
            .strictObject({
                tensorflowCpu: z.string().default("tensorflow-training:2.21.0-cpu-py312-amzn2023-sagemaker"),
                tensorflowGpu: z.string().default("tensorflow-training:2.21.0-gpu-py312-cu129-amzn2023-sagemaker"),
                allowTags: z.boolean().default(false),
            })
            .prefault({})
            .describe(
                "AWS's TensorFlow training containers: repository and digest in the region's registry, or a whole " +
                    "address.",
            ),
        images: z
            .strictObject({
                ...Object.fromEntries(
                    Object.keys(builtImages(ensemble)).map((name) => [name, imageAddress.optional()]),
                ),
                jobs: imageAddress.optional(),
                pythonBase: z.string().default("public.ecr.aws/docker/library/python:3.12-slim"),
                nodeBase: z.string().default("public.ecr.aws/docker/library/node:22-slim"),
                platform: z.literal("linux/amd64").default("linux/amd64"),
            })
            .prefault({})
            .describe("Images of the text model and of the jobs: built here, unless an address is given."),
        jobs: z
            .strictObject({
                fetch: jobSchema("fetch"),
                split: jobSchema("split"),
                merge: jobSchema("merge"),
                publish: jobSchema("publish"),
            })
            .prefault({})
            .describe("Size, time-out and, with Fargate, disk (ephemeralGb, 21 to 200; else 20) of each Batch job."),
        compute: z
            .strictObject({
                type: z.enum(["FARGATE", "FARGATE_SPOT", "EC2", "SPOT"]).default("FARGATE"),
                maxVcpus: whole(1, 10_000).default(16),
                instanceTypes: z.array(z.string().min(1)).default(["optimal"]),
            })
            .prefault({})
            .describe("What the Batch jobs run on."),
        network: networkSchema
            .default({ kind: "default" })
            .describe("Where they run: `default`, `given` or `created`."),
        isolation: z
            .strictObject({
                network: z.boolean().default(false),
                vpc: z
                    .strictObject({
                        subnetIds: z
                            .array(z.string().regex(/^subnet-[0-9a-f]+$/, "expected subnet-<hexadecimal digits>"))
                            .min(1)
                            .max(16),
                        securityGroupIds: z
                            .array(z.string().regex(/^sg-[0-9a-f]+$/, "expected sg-<hexadecimal digits>"))
                            .min(1)
                            .max(5),
                    })
                    .optional(),
            })
            .prefault({})
            .describe("Trainings without network (their code then comes by a channel), or in a VPC."),
        notifications: z
            .strictObject({
                failures: z.array(email).max(100).default([]),
                operations: z.array(email).max(100).default([]),
                success: z.boolean().default(false),
            })
            .prefault({})
            .describe("E-mail addresses for failed executions and for alarms; whether a success is told too."),
        retention: z
            .strictObject({
                logDays: z
                    .number()
                    .refine(
                        (value) => LOG_RETENTION_DAYS.includes(value),
                        `expected one of ${LOG_RETENTION_DAYS.join(", ")}`,
                    )
                    .default(365),
                runDays: days.default(180),
                checkpointDays: days.default(60),
                noncurrentDays: days.default(30),
            })
            .prefault({})
            .describe("Days until logs, executions' copies, checkpoints and overwritten objects expire."),
        keyArn: keyArn.optional().describe("An existing KMS key; without it the stage has one of its own."),
        protect: z.boolean().default(false).describe("Data is neither deleted by mistake nor together with the stack."),
        keptReleases: whole(1, 50)
            .default(10)
            .describe("Deployments whose functions stay callable for executions that still run."),
        schedule: scheduleSchema
            .optional()
            .describe(
                "Starts executions by `rate(7 days)`, `cron(0 3 ? * MON *)` or `at(2027-01-31T03:00:00)`: `{ " +
                    "expression, timezone, data, input }`. None by default.",
            ),
        trigger: triggerSchema
            .optional()
            .describe(
                "Starts an execution when the last file (`marker`) of a data set below `prefix` is written: `{ " +
                    "prefix, marker, input }`. None by default.",
            ),
        modelRegistry: z
            .boolean()
            .default(false)
            .describe("Published ensembles become versions in SageMaker's model registry, pending approval."),
        dashboard: z
            .boolean()
            .default(false)
            .describe(
                "A CloudWatch dashboard of executions, trainings, jobs and functions; trainings then send their " +
                    "metrics.",
            ),
        stubs: z
            .record(z.string().min(1), json)
            .default({})
            .describe("Recorded results by state name: the state is replaced by a Pass with its result."),
    }) as const;

/** Every key of the stack configuration. The order is that of the configuration table. */
export const CONFIG_KEYS = configKeys(DOCUMENTS);

/** Sizes of jobs that Fargate does not have: the key of each, and what it takes. */
function fargateMisfits(jobs: Readonly<Record<string, JobSize>>): [path: string[], message: string][] {
    return Object.entries(jobs).flatMap(([job, { vcpu, memoryMb }]): [string[], string][] => {
        const range = FARGATE[String(vcpu)];
        if (range === undefined) {
            return [[["jobs", job, "vcpu"], `expected one of ${FARGATE_VCPUS} with Fargate`]];
        }
        const [least, most, step] = range;
        if (memoryMb < least || memoryMb > most || (memoryMb - least) % step !== 0) {
            const sizes = `${least} to ${most} in steps of ${step} for ${vcpu} vCPU`;
            return [[["jobs", job, "memoryMb"], `expected ${sizes} with Fargate`]];
        }
        return [];
    });
}

const schemaFor = (ensemble: EnsembleSpec) =>
    z.strictObject(configKeys(ensemble)).superRefine((config, context) => {
        const fail = (path: (string | number)[], message: string) =>
            context.addIssue({ code: "custom", path, message, params: { value: valueAt(config, path) } });
        const models = config.models as unknown as Record<string, ModelConfig>;
        for (const { path, message } of misfits({ models, retention: config.retention }, ensemble)) {
            fail([...path], message);
        }
        const members = Object.keys(ensemble.members);
        const required = members.filter((name) => models[name]?.required).length;
        const quorum = config.quorum ?? ensemble.quorum;
        if (quorum !== undefined && (quorum > members.length || quorum < required)) {
            fail(["quorum"], `expected ${required} (the required members) to ${members.length} (all members)`);
        }
        for (const [name, spec] of Object.entries(ensemble.members)) {
            const machines = models[name]?.instanceCount ?? 0;
            if (spec.splitSet === true && machines > config.folds) {
                fail(
                    ["models", name, "instanceCount"],
                    `expected at most ${config.folds} (folds): some would have nothing to train`,
                );
            }
        }
        if (config.compute.type.startsWith("FARGATE")) {
            fargateMisfits(config.jobs).forEach(([path, message]) => fail(path, message));
        }
        if (config.dataKeys.length > 0 && config.dataLocations.length === 0) {
            fail(["dataKeys"], "expected dataLocations whose buckets they encrypt");
        }
        jobsWithDisk(config).forEach((job) =>
            fail(["jobs", job, "ephemeralGb"], "expected none: on instances a job has the disk of its host"),
        );
        const used = modelsOf(ensemble).map(([, { container }]) =>
            "framework" in container ? container.framework : undefined,
        );
        for (const framework of FRAMEWORKS.filter((name) => used.includes(name))) {
            const value = config.containers[framework];
            if (!/@sha256:[0-9a-f]{64}$/.test(value) && !(config.containers.allowTags && /:[\w][\w.-]*$/.test(value))) {
                fail(
                    ["containers", framework],
                    "expected a digest, <repository>@sha256:<64 hexadecimal digits>: a tag moves with every patch, " +
                        "and the " +
                        "models would no longer say what they were trained in. Look it up with `aws ecr " +
                        "batch-get-image --registry-id <registry> " +
                        "--repository-name tensorflow-training --image-ids imageTag=<tag> --query " +
                        "'images[0].imageId.imageDigest'`, or set " +
                        "containers.allowTags to true",
                );
            }
        }
    });

/** A configuration as the user wrote it: keys without the project's name. */
export type RawConfig = Readonly<Record<string, unknown>>;

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
    return path.reduce<unknown>(
        (value, key) =>
            typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
        raw,
    );
}

function shown(value: unknown): string {
    const text = JSON.stringify(value) ?? "nothing";
    return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** The names that a strict object knows at a path; the tree of the schema is walked, whatever wraps its objects. */
function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
    let node: z.core.$ZodType | undefined = schema;
    const objectOf = (type: z.core.$ZodType | undefined): z.core.$ZodType | undefined => {
        let current = type;
        while (current !== undefined && !(current instanceof z.ZodObject) && !(current instanceof z.ZodArray)) {
            const def = current._zod.def as { innerType?: z.core.$ZodType; in?: z.core.$ZodType };
            current = def.innerType ?? def.in;
        }
        return current;
    };
    for (const key of path) {
        const container = objectOf(node);
        node =
            container instanceof z.ZodObject
                ? (container.shape as Record<PropertyKey, z.core.$ZodType>)[key]
                : container instanceof z.ZodArray
                  ? (container.element as z.core.$ZodType)
                  : undefined;
    }
    const object = objectOf(node);
    return object instanceof z.ZodObject ? Object.keys(object.shape as object) : [];
}

/** The value that a problem is about: as it was written, else what it is by default. */
function foundValue(raw: unknown, issue: z.core.$ZodIssueCustom): string {
    const written = valueAt(raw, issue.path);
    const filled: unknown = issue.params?.value;
    return written === undefined && filled !== undefined ? `is ${shown(filled)} by default` : `got ${shown(written)}`;
}

function describeIssue(schema: z.core.$ZodType, raw: unknown, issue: z.core.$ZodIssue): string[] {
    const where = (extra: readonly PropertyKey[] = []) => [...issue.path, ...extra].map(String).join(".");
    const got = shown(valueAt(raw, issue.path));
    switch (issue.code) {
        case "unrecognized_keys":
            return issue.keys.map((key) => {
                const known = knownKeys(schema, issue.path);
                const advice =
                    known.length === 0 ? "" : `; did you mean "${closest(key, known)}"? Known: ${known.join(", ")}`;
                return `${where([key])}: unknown key${advice}`;
            });
        case "too_small":
            return [
                `${where()}: got ${got}, expected ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${
                    issue.origin === "array" ? " entries" : issue.origin === "string" ? " characters" : ""
                }`,
            ];
        case "too_big":
            return [
                `${where()}: got ${got}, expected ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${
                    issue.origin === "array" ? " entries" : issue.origin === "string" ? " characters" : ""
                }`,
            ];
        case "invalid_type":
            return [
                `${where()}: got ${got}, expected ` +
                    `${issue.expected === "int" ? "a whole number" : `a value of type ${issue.expected}`}`,
            ];
        case "invalid_value":
            return [
                `${where()}: got ${got}, expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`,
            ];
        case "invalid_union":
            return [
                `${where()}: got ${got}, expected ` +
                    `${issue.discriminator === undefined ? "another form" : `"default", "given" or "created"`}`,
            ];
        case "invalid_key":
            return [`${where()}: got this name, ${issue.issues[0]?.message ?? issue.message}`];
        case "custom":
            return [`${where()}: ${foundValue(raw, issue)}, ${issue.message}`];
        default:
            return [`${where()}: got ${got}, ${issue.message}`];
    }
}

/**
 * Validates a stage's configuration and fills in its defaults. Pure.
 *
 * @param stage Name of the stack.
 * @param raw Keys without the project's name, values as JSON.
 * @param ensemble The models that the stage has.
 * @throws ConfigError with all problems: key, value and bound of each.
 */
export function loadStageConfig(stage: string, raw: RawConfig, ensemble: EnsembleSpec = DOCUMENTS): StageConfig {
    const schema = schemaFor(ensemble);
    const problems: string[] = [];
    if (!/^[a-z][a-z0-9-]{0,14}[a-z0-9]$/.test(stage)) {
        problems.push(
            `stack name: got ${shown(stage)}, expected 2 to 16 of a-z, 0-9 and -, beginning with a letter: it is ` +
                "part of every name",
        );
    }
    const result = schema.safeParse(raw);
    if (!result.success) {
        problems.push(...result.error.issues.flatMap((issue) => describeIssue(schema, raw, issue)));
    } else if (`${result.data.service}-${stage}`.length > 28) {
        problems.push(
            `service: got ${shown(result.data.service)}, expected at most ${27 - stage.length} characters with the ` +
                `stack name "${stage}": ` +
                "names of training jobs have room for 28 of both",
        );
    }
    if (problems.length > 0 || !result.success) {
        throw new ConfigError([...new Set(problems)]);
    }
    return { stage, ...result.data, models: result.data.models as unknown as StageConfig["models"] } as StageConfig;
}

/**
 * Reads values as Pulumi hands them out, all as strings, into what the schema judges. A key that holds no string is
 * written as JSON; what cannot be read so stays a string, and the schema says what it expected.
 */
export function decodeConfig(values: Readonly<Record<string, string>>, project: string): RawConfig {
    // Pulumi.yaml gives a key without a value the default "", because Pulumi takes one without a default for required.
    const own = Object.entries(values).filter(([key, value]) => key.startsWith(`${project}:`) && value !== "");
    return Object.fromEntries(
        own.map(([key, value]) => {
            const name = key.slice(project.length + 1);
            if (name === "service" || name === "keyArn") {
                return [name, value];
            }
            try {
                return [name, JSON.parse(value) as unknown];
            } catch {
                return [name, value];
            }
        }),
    );
}
