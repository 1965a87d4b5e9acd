import * as batch from "@pulumi/aws/batch";
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as iam from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import { defined } from "../ground/fields";
import { JOB_QUEUE_SECONDS } from "../workflow";
import { hashParts } from "./contentHash";
import { type Statement, trustPolicy } from "./iam";
import { JOBS, type JobName, type StageNames } from "./names";
import { protection } from "./protection";
import { StageRole } from "./role";
import type { StageTags } from "./tags";

/** What the jobs run on. */
export interface ComputeChoice {
    readonly type: "FARGATE" | "FARGATE_SPOT" | "EC2" | "SPOT";
    /** All jobs of the stage together; where Spot falls back, in each of the two environments. */
    readonly maxVcpus: number;
    /** EC2 and SPOT only; `optimal` lets Batch choose. */
    readonly instanceTypes: readonly string[];
}

/** What one job gets. */
export interface JobSize {
    /** 0.25 to 16; with Fargate one of the pairs that it knows. */
    readonly vcpu: number;
    readonly memoryMb: number;
    /** At least 60. */
    readonly timeoutSeconds: number;
    /** Disk of a job on Fargate in GiB, 21 to 200; 20 where it is left out. */
    readonly ephemeralGb?: number;
}

/** A job as it is registered: all known at preview, under a name that ends in the hash of the rest. */
export interface JobDefinitionSpec {
    readonly name: string;
    readonly containerProperties: string;
    readonly platformCapability: "FARGATE" | "EC2";
    readonly timeoutSeconds: number;
}

/** What a job definition is made of. */
export interface JobDefinitionInput {
    readonly names: StageNames;
    readonly job: JobName;
    readonly size: JobSize;
    readonly compute: ComputeChoice;
    readonly image: string;
    /** The job's parameters; each becomes `--<name> Ref::<name>` of the command. */
    readonly parameters: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    readonly assignPublicIp: boolean;
}

/**
 * Puts a job definition together. Its name ends in the hash of its content, so that an update makes another one and an
 * execution that is running keeps the one that it was started with.
 */
export function jobDefinition(input: JobDefinitionInput): JobDefinitionSpec {
    const { names, job, size } = input;
    const fargate = input.compute.type.startsWith("FARGATE");
    const containerProperties = JSON.stringify(
        defined({
            image: input.image,
            command: [
                "node",
                "jobs.js",
                job,
                ...input.parameters.flatMap((parameter) => [`--${parameter}`, `Ref::${parameter}`]),
            ],
            jobRoleArn: names.roleArn(`job-${job}`),
            executionRoleArn: names.roleArn("job-execution"),
            resourceRequirements: [
                { type: "VCPU", value: String(size.vcpu) },
                { type: "MEMORY", value: String(size.memoryMb) },
            ],
            environment: Object.entries(input.environment)
                .sort()
                .map(([name, value]) => ({ name, value })),
            // Archives are unpacked below /tmp, and with Fargate a volume there would belong to root.
            readonlyRootFilesystem: false,
            privileged: false,
            logConfiguration: {
                logDriver: "awslogs",
                options: {
                    "awslogs-group": names.jobLogGroup,
                    "awslogs-region": names.identity.region,
                    "awslogs-stream-prefix": job,
                },
            },
            networkConfiguration: fargate
                ? { assignPublicIp: input.assignPublicIp ? "ENABLED" : "DISABLED" }
                : undefined,
            fargatePlatformConfiguration: fargate ? { platformVersion: "1.4.0" } : undefined,
            ephemeralStorage: size.ephemeralGb === undefined ? undefined : { sizeInGiB: size.ephemeralGb },
            runtimePlatform: fargate ? { operatingSystemFamily: "LINUX", cpuArchitecture: "X86_64" } : undefined,
        }),
    );
    const hash = hashParts([containerProperties, String(size.timeoutSeconds), String(fargate)]).slice(0, 12);
    return {
        name: `${names.prefix}-${job}-${hash}`,
        containerProperties,
        platformCapability: fargate ? "FARGATE" : "EC2",
        timeoutSeconds: size.timeoutSeconds,
    };
}

/**
 * What pulls the image and writes the log: the six actions of AWS's managed policy, for this stage's repository and log
 * group only.
 */
function executionStatements(names: StageNames, repositories: readonly string[]): Statement[] {
    return [
        // GetAuthorizationToken knows no resource.
        { Sid: "RegistryLogin", Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
        {
            Sid: "PullImage",
            Effect: "Allow",
            Action: ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
            Resource: repositories,
        },
        {
            Sid: "WriteLog",
            Effect: "Allow",
            Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
            Resource: `${names.logGroupArn(names.jobLogGroup)}:log-stream:*`,
        },
    ];
}

/** What the ECS agent of an EC2 host does, without AWS's managed policy. */
function instanceStatements(names: StageNames): Statement[] {
    return [
        // These three know no resource.
        {
            Sid: "Agent",
            Effect: "Allow",
            Action: ["ecs:DiscoverPollEndpoint", "ecr:GetAuthorizationToken", "ec2:DescribeTags"],
            Resource: "*",
        },
        {
            Sid: "Cluster",
            Effect: "Allow",
            Action: [
                "ecs:RegisterContainerInstance",
                "ecs:DeregisterContainerInstance",
                "ecs:Poll",
                "ecs:StartTelemetrySession",
                "ecs:UpdateContainerInstancesState",
                "ecs:SubmitAttachmentStateChanges",
                "ecs:SubmitContainerStateChange",
                "ecs:SubmitTaskStateChange",
            ],
            // Batch makes the cluster and chooses its name.
            Resource: [names.arn("ecs", "cluster/*"), names.arn("ecs", "container-instance/*")],
        },
    ];
}

export interface BatchJobsArgs {
    readonly names: StageNames;
    readonly keyArn: pulumi.Input<string>;
    readonly compute: ComputeChoice;
    readonly definitions: Readonly<Record<JobName, JobDefinitionSpec>>;
    /** What each job's code may do. */
    readonly jobStatements: Readonly<Record<JobName, readonly Statement[]>>;
    /** Actions on the stage's key that each job needs. */
    readonly jobKeyActions: readonly string[];
    /** ARNs of the repositories that the jobs' image may come from. */
    readonly repositories: readonly string[];
    readonly subnetIds: pulumi.Input<string[]>;
    readonly securityGroupId: pulumi.Input<string>;
    readonly logDays: number;
    readonly protectedStage: boolean;
    readonly tags: StageTags;
}

/** How Batch chooses among instance types; Fargate has none to choose from. */
const ALLOCATION: Readonly<Record<ComputeChoice["type"], string | undefined>> = {
    EC2: "BEST_FIT_PROGRESSIVE",
    SPOT: "SPOT_PRICE_CAPACITY_OPTIMIZED",
    FARGATE: undefined,
    FARGATE_SPOT: undefined,
};

/**
 * The environments of the queue, in the order in which Batch tries to place a job: behind Spot capacity the same
 * without Spot. Source: API reference of Batch, ComputeEnvironmentOrder.
 */
function environmentTypes({ type }: ComputeChoice): ComputeChoice["type"][] {
    switch (type) {
        case "FARGATE_SPOT":
            return [type, "FARGATE"];
        case "SPOT":
            return [type, "EC2"];
        default:
            return [type];
    }
}

function onInstances({ type }: ComputeChoice): boolean {
    return type === "EC2" || type === "SPOT";
}

/** Why a job stays RUNNABLE at the head of its queue, as Batch says it (User Guide, "Jobs stuck in RUNNABLE"). */
const BLOCKED_REASONS = [
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
] as const;

/** Batch cancels such a job and says why, well before the state's time-out ends it without a word. */
const RUNNABLE_SECONDS = JOB_QUEUE_SECONDS - 600;

/** Compute environments, queue, and one definition and one role for each job. */
export class BatchJobs extends pulumi.ComponentResource {
    readonly queueArn: pulumi.Output<string>;
    /** What must exist before a job can be submitted. */
    readonly parts: readonly pulumi.Resource[];

    constructor(name: string, args: BatchJobsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:batch:BatchJobs", name, {}, opts);
        const { names, tags } = args;
        const child = { parent: this };
        const logs = new cloudwatch.LogGroup(
            `${name}-logs`,
            {
                name: names.jobLogGroup,
                retentionInDays: args.logDays,
                kmsKeyId: args.keyArn,
                tags,
            },
            { ...child, ...protection("data", args.protectedStage) },
        );
        const ecsTasks = trustPolicy(names.identity, "ecs-tasks.amazonaws.com", names.arn("ecs", "*"));
        const execution = new StageRole(
            `${name}-execution`,
            {
                roleName: names.role("job-execution"),
                description: "Pulls the jobs' image and writes their log",
                trust: ecsTasks,
                statements: executionStatements(names, args.repositories),
                keyArn: args.keyArn,
                tags,
            },
            child,
        );
        const roles = JOBS.map(
            (job) =>
                new StageRole(
                    `${name}-${job}`,
                    {
                        roleName: names.role(`job-${job}`),
                        description: `What the code of the job ${job} may do`,
                        trust: ecsTasks,
                        statements: args.jobStatements[job],
                        keyActions: args.jobKeyActions,
                        keyArn: args.keyArn,
                        tags,
                    },
                    child,
                ),
        );
        const profile = onInstances(args.compute) ? this.instanceProfile(name, args) : undefined;
        const environments = environmentTypes(args.compute).map((type, order) => {
            const resource = order === 0 ? name : `${name}-fallback`;
            return this.computeEnvironment(resource, { ...args.compute, type }, profile, args);
        });
        const queue = new batch.JobQueue(
            name,
            {
                name: names.jobQueue,
                state: "ENABLED",
                priority: 1,
                computeEnvironmentOrders: environments.map(({ arn }, order) => ({ order, computeEnvironment: arn })),
                jobStateTimeLimitActions: BLOCKED_REASONS.map((reason) => ({
                    action: "CANCEL",
                    state: "RUNNABLE",
                    reason,
                    maxTimeSeconds: RUNNABLE_SECONDS,
                })),
                tags,
            },
            child,
        );
        const definitions = JOBS.map((job) => {
            const spec = args.definitions[job];
            return new batch.JobDefinition(
                `${name}-${spec.name.slice(names.prefix.length + 1)}`,
                {
                    name: spec.name,
                    type: "container",
                    platformCapabilities: [spec.platformCapability],
                    containerProperties: spec.containerProperties,
                    timeout: { attemptDurationSeconds: spec.timeoutSeconds },
                    // The workflow's loop is who tries again: it knows the class, and waits.
                    retryStrategy: { attempts: 1 },
                    deregisterOnNewRevision: false,
                    propagateTags: true,
                    tags,
                },
                { ...child, ...protection("release", args.protectedStage) },
            );
        });
        this.queueArn = queue.arn;
        this.parts = [logs, queue, ...definitions, ...execution.parts, ...roles.flatMap((role) => role.parts)];
        this.registerOutputs({ queueArn: this.queueArn });
    }

    /**
     * Its name changes with what would replace it: an environment cannot be deleted while a queue still refers to it.
     */
    private computeEnvironment(
        name: string,
        compute: ComputeChoice,
        profile: pulumi.Input<string> | undefined,
        args: BatchJobsArgs,
    ): batch.ComputeEnvironment {
        const { names, tags } = args;
        const child = { parent: this };
        const hash = hashParts([compute.type, ...compute.instanceTypes]).slice(0, 8);
        const isEc2 = onInstances(compute);
        return new batch.ComputeEnvironment(
            name,
            {
                name: `${names.prefix}-jobs-${hash}`,
                type: "MANAGED",
                state: "ENABLED",
                computeResources: defined({
                    type: compute.type,
                    maxVcpus: compute.maxVcpus,
                    subnets: args.subnetIds,
                    securityGroupIds: [args.securityGroupId],
                    minVcpus: isEc2 ? 0 : undefined,
                    instanceTypes: isEc2 ? [...compute.instanceTypes] : undefined,
                    instanceRole: profile,
                    allocationStrategy: ALLOCATION[compute.type],
                    tags: isEc2 ? tags : undefined,
                }),
                tags,
            },
            child,
        );
    }

    private instanceProfile(name: string, args: BatchJobsArgs): pulumi.Output<string> {
        const { names, tags } = args;
        const role = new StageRole(
            `${name}-instance`,
            {
                roleName: names.role("job-instance"),
                description: "The ECS agent on the hosts of the jobs",
                // Instances take it themselves; EC2 sends no source.
                trust: JSON.stringify({
                    Version: "2012-10-17",
                    Statement: [
                        { Effect: "Allow", Principal: { Service: `ec2.${names.domain}` }, Action: "sts:AssumeRole" },
                    ],
                }),
                statements: instanceStatements(names),
                keyArn: args.keyArn,
                tags,
            },
            { parent: this },
        );
        const profile = new iam.InstanceProfile(
            `${name}-instance`,
            {
                name: names.role("job-instance"),
                role: role.roleName,
                tags,
            },
            { parent: this, dependsOn: [...role.parts] },
        );
        return profile.arn;
    }
}
