/**
 * Evaluates the real program for a stage without an engine, an account or a network: Pulumi's mocks record what it
 * declares. The local run takes the state machine and the job definitions from here, and so do the tests.
 */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import type { StateMachineDefinition } from "../asl/types";
import type { Identity } from "../components/names";
import { defined } from "../ground/fields";
import { ConfigError } from "../stacks/config";
import { locating } from "../stacks/configFile";
import { program } from "../stacks/program";
import type { Releases } from "../stacks/releases";

/** A Pulumi project: a folder with Pulumi.yaml, and what its program does. */
export interface Project {
    readonly root: string;
    /** Declares the resources and returns the stack's outputs. */
    readonly program: () => unknown;
    /** Whether the stack's configuration is that of docs/configuration.md: true of this checkout's own program. */
    readonly configured?: boolean;
}

/**
 * The project that the commands are about: this checkout's own or, where the package is installed, the one of the
 * working directory, whose program is the `main` of its Pulumi.yaml (default: index.ts or index.js).
 */
export function currentProject(): Project {
    const checkout = path.resolve(__dirname, "..");
    return fs.existsSync(path.join(checkout, "Pulumi.yaml"))
        ? { root: checkout, program, configured: true }
        : { root: process.cwd(), program: () => exportsOf(process.cwd()) };
}

/** What a project's program exports, as Pulumi's own runtime takes it: the outputs, or a function that returns them. */
function exportsOf(root: string): unknown {
    const load = createRequire(path.join(root, "package.json"));
    const main = String(
        readYaml(root, "Pulumi.yaml").main ?? (fs.existsSync(path.join(root, "index.ts")) ? "index.ts" : "index.js"),
    );
    if (main.endsWith(".ts")) {
        // Pulumi does the same; whether the types hold is the compiler's question.
        (load("ts-node") as { register(options: object): unknown }).register({ transpileOnly: true, cwd: root });
    }
    const exported = load(path.resolve(root, main)) as unknown;
    return typeof exported === "function" ? (exported as () => unknown)() : exported;
}

/** A resource as the program declared it: all inputs resolved. */
export interface RecordedResource {
    /** Type token, for example `aws:sfn/stateMachine:StateMachine`. */
    readonly type: string;
    readonly name: string;
    readonly inputs: Readonly<Record<string, unknown>>;
    /** False for components. */
    readonly custom: boolean;
}

/** A registered Batch job. */
export interface EvaluatedJobDefinition {
    readonly name: string;
    readonly arn: string;
    readonly containerProperties: {
        readonly image: string;
        readonly command: readonly string[];
        readonly [property: string]: unknown;
    };
    readonly timeoutSeconds: number;
}

/** The state machine as it is declared, its definition parsed. */
export interface EvaluatedStateMachine {
    readonly name: string;
    readonly arn: string;
    readonly roleArn: string;
    readonly definition: StateMachineDefinition;
}

/** What the program declared for a stage. */
export interface EvaluatedStage {
    readonly stage: string;
    readonly identity: Identity;
    readonly resources: readonly RecordedResource[];
    readonly outputs: Readonly<Record<string, unknown>>;
    readonly stateMachine: EvaluatedStateMachine;
    readonly jobDefinitions: readonly EvaluatedJobDefinition[];
}

export interface EvaluateOptions {
    /**
     * Replaces keys of the stage's configuration, without the project's name: `{ seed: 2 }`; objects are merged key by
     * key.
     */
    readonly overrides?: Readonly<Record<string, unknown>>;
    readonly identity?: Identity;
    /** As a preview of a new stage: what AWS makes up (identifiers, ARNs) is unknown. Default false. */
    readonly preview?: boolean;
    /** What the stack remembers of earlier deployments. */
    readonly before?: Releases;
    /** Whose program it is. Default: {@link currentProject}. */
    readonly project?: Project;
    /** What the program is told of AWS. Default: identifiers and ARNs that are made up for {@link identity}. */
    readonly cloud?: Cloud;
}

/** What a program is told of AWS where no provider tells it. */
export interface Cloud {
    /** Identifier and properties of a resource once it exists. */
    made(args: pulumi.runtime.MockResourceArgs): { readonly id: string; readonly state: Record<string, unknown> };
    /** The answer to a question of the provider's, such as for the default VPC. */
    answer(args: pulumi.runtime.MockCallArgs): Record<string, unknown>;
}

/** The account of a run without an account. */
export const LOCAL_IDENTITY: Identity = { partition: "aws", region: "eu-central-1", account: "123456789012" };

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function merge(base: unknown, over: unknown): unknown {
    return isObject(base) && isObject(over)
        ? Object.fromEntries(
              [...new Set([...Object.keys(base), ...Object.keys(over)])].map((key) => [
                  key,
                  key in over ? merge(base[key], over[key]) : base[key],
              ]),
          )
        : over;
}

function readYaml(root: string, file: string): Json {
    try {
        return (parse(fs.readFileSync(path.join(root, file), "utf8")) ?? {}) as Json;
    } catch (error) {
        throw new Error(`${file}: cannot be read: ${(error as Error).message}`);
    }
}

/** Name of the project in Pulumi.yaml. */
export function projectName({ root } = currentProject()): string {
    return String(readYaml(root, "Pulumi.yaml").name);
}

/**
 * The configuration of a stage as the engine would hand it to the program: the project's defaults, the stage's file,
 * the overrides; all values as strings.
 *
 * @throws where there is no Pulumi.<stage>.yaml, naming those that are there.
 */
export function readStackConfig(
    stage: string,
    overrides: Readonly<Record<string, unknown>> = {},
    { root } = currentProject(),
): Record<string, string> {
    if (!fs.existsSync(path.join(root, `Pulumi.${stage}.yaml`))) {
        const stages = fs
            .readdirSync(root)
            .map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1])
            .filter((name) => name !== undefined);
        throw new Error(
            `There is no stage "${stage}": Pulumi.${stage}.yaml is missing; there are ${stages.sort().join(", ")}.`,
        );
    }
    const { name, config: declared = {} } = readYaml(root, "Pulumi.yaml") as {
        name: string;
        config?: Record<string, unknown>;
    };
    const defaults = Object.fromEntries(
        Object.entries(declared)
            .map(([key, entry]) => [key, isObject(entry) ? entry.default : entry])
            .filter(([, value]) => value !== undefined),
    );
    const own = (readYaml(root, `Pulumi.${stage}.yaml`).config ?? {}) as Json;
    if (Object.keys(own).length === 0 && Object.keys(overrides).length === 0) {
        throw new ConfigError([
            `Pulumi.${stage}.yaml: holds no configuration, expected \`config:\` with keys ${name}:<key> below it ` +
                "(docs/configuration.md lists them)",
        ]);
    }
    const over = Object.fromEntries(
        Object.entries(overrides).map(([key, value]) => [key.includes(":") ? key : `${name}:${key}`, value]),
    );
    const merged = merge({ ...defaults, ...own }, over) as Json;
    return Object.fromEntries(
        Object.entries(merged)
            .filter(([, value]) => value !== undefined)
            .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    );
}

/** Identifiers and ARNs as they would be in an account, without one. */
export function inventedCloud(identity: Identity): Cloud {
    return { made: (args) => made(args, identity), answer: (args) => answer(args, identity) };
}

/** What AWS would add to a resource: its identifier and its ARN. */
function made(args: pulumi.runtime.MockResourceArgs, identity: Identity): { id: string; state: Json } {
    const { partition, region, account } = identity;
    const name = String(args.inputs.name ?? args.inputs.bucket ?? args.name);
    const regional = (service: string, resource: string) =>
        `arn:${partition}:${service}:${region}:${account}:${resource}`;
    const arns: Record<string, string> = {
        "aws:iam/role:Role": `arn:${partition}:iam::${account}:role/${name}`,
        "aws:iam/instanceProfile:InstanceProfile": `arn:${partition}:iam::${account}:instance-profile/${name}`,
        "aws:s3/bucket:Bucket": `arn:${partition}:s3:::${name}`,
        "aws:sns/topic:Topic": regional("sns", name),
        "aws:sqs/queue:Queue": regional("sqs", name),
        "aws:sfn/stateMachine:StateMachine": regional("states", `stateMachine:${name}`),
        "aws:lambda/function:Function": regional("lambda", `function:${name}`),
        "aws:lambda/alias:Alias": regional("lambda", `function:${String(args.inputs.functionName)}:${name}`),
        "aws:batch/jobQueue:JobQueue": regional("batch", `job-queue/${name}`),
        "aws:batch/jobDefinition:JobDefinition": regional("batch", `job-definition/${name}:1`),
        "aws:batch/computeEnvironment:ComputeEnvironment": regional("batch", `compute-environment/${name}`),
        "aws:cloudwatch/logGroup:LogGroup": regional("logs", `log-group:${name}`),
        "aws:cloudwatch/eventRule:EventRule": regional("events", `rule/${name}`),
        "aws:scheduler/schedule:Schedule": regional("scheduler", `schedule/${String(args.inputs.groupName)}/${name}`),
        "aws:scheduler/scheduleGroup:ScheduleGroup": regional("scheduler", `schedule-group/${name}`),
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup": regional(
            "sagemaker",
            `model-package-group/${String(args.inputs.modelPackageGroupName)}`,
        ),
        "aws:cloudwatch/metricAlarm:MetricAlarm": regional("cloudwatch", `alarm:${name}`),
        "aws:kms/key:Key": regional("kms", "key/11111111-2222-3333-4444-555555555555"),
        "aws:ecr/repository:Repository": regional("ecr", `repository/${name}`),
    };
    const extra: Record<string, Json> = {
        "aws:kms/key:Key": { keyId: "11111111-2222-3333-4444-555555555555" },
        "aws:lambda/function:Function": { version: "1" },
        "aws:sqs/queue:Queue": { url: `https://sqs.${region}.amazonaws.com/${account}/${name}` },
    };
    const arn = arns[args.type];
    return {
        id: arn ?? `${args.name}-id`,
        state: defined({ arn, ...extra[args.type], ...args.inputs }),
    };
}

/** What the provider answers; anything else that the program would ask is an error, so that nothing is made up. */
function answer(args: pulumi.runtime.MockCallArgs, { account, region, partition }: Identity): Json {
    const answers: Record<string, Json> = {
        "aws:index/getCallerIdentity:getCallerIdentity": {
            accountId: account,
            arn: `arn:${partition}:iam::${account}:user/local`,
            userId: "local",
            id: account,
        },
        "aws:index/getRegion:getRegion": { region, name: region, id: region },
        "aws:index/getPartition:getPartition": { partition, id: partition, dnsSuffix: "amazonaws.com" },
        "aws:index/getAvailabilityZones:getAvailabilityZones": {
            names: [`${region}a`, `${region}b`, `${region}c`],
            id: region,
        },
        "aws:ec2/getVpc:getVpc": { id: "vpc-0123456789abcdef0" },
        "aws:ec2/getSubnets:getSubnets": { ids: ["subnet-0aaaaaaaaaaaaaaa0", "subnet-0bbbbbbbbbbbbbbb0"], id: region },
        "aws:ecr/getAuthorizationToken:getAuthorizationToken": { userName: "AWS", password: "local", id: region },
    };
    const found = answers[args.token];
    if (found === undefined) {
        throw new Error(
            `The program calls ${args.token}, which has no answer without AWS: add it to project/evaluate.ts.`,
        );
    }
    return found;
}

/**
 * Runs the program for a stage and returns everything that it declared. One evaluation at a time: Pulumi's mocks are
 * the process's.
 *
 * @param stage Name of a stack with a Pulumi.<stage>.yaml.
 * @throws ConfigError and whatever else the program throws.
 */
export async function evaluateStage(stage: string, options: EvaluateOptions = {}): Promise<EvaluatedStage> {
    const identity = options.identity ?? LOCAL_IDENTITY;
    const cloud = options.cloud ?? inventedCloud(identity);
    const resources: RecordedResource[] = [];
    const mocks: pulumi.runtime.Mocks = {
        newResource(args) {
            if (args.type === "pulumi:pulumi:StackReference") {
                return {
                    id: args.name,
                    state: { ...args.inputs, outputs: { releases: options.before }, secretOutputNames: [] },
                };
            }
            resources.push({ type: args.type, name: args.name, inputs: args.inputs, custom: args.custom ?? true });
            const { id, state } = cloud.made(args);
            return options.preview === true ? { id: undefined, state: args.inputs } : { id, state };
        },
        call: (args) => cloud.answer(args),
    };
    // Nothing is built here, so there is nothing to warn of.
    process.env.BUILDX_NO_DEFAULT_ATTESTATIONS ??= "1";
    const project = options.project ?? currentProject();
    await pulumi.runtime.setMocks(mocks, projectName(project), stage, options.preview ?? false, "organization");
    pulumi.runtime.setAllConfig(readStackConfig(stage, options.overrides, project), []);
    const thrown: unknown[] = [];
    // Caught inside: Pulumi holds the stack's outputs in more promises than this one, and the others would end the
    // process.
    const declared = (await pulumi.runtime.runInPulumiStack(async () => {
        try {
            const elsewhere = Object.keys(options.overrides ?? {});
            return await locating(project.root, stage, project.program, elsewhere);
        } catch (error) {
            thrown.push(error);
            return {};
        }
    })) as Readonly<Record<string, unknown>>;
    await pulumi.runtime.disconnect();
    if (thrown.length > 0) {
        throw thrown[0];
    }
    const outputs = await resolved(declared);
    return { stage, identity, resources, outputs, ...selected(resources, identity) };
}

function resolved(declared: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    const all = pulumi.output(declared) as unknown as { promise(): Promise<Readonly<Record<string, unknown>>> };
    return all.promise();
}

function selected(
    resources: readonly RecordedResource[],
    identity: Identity,
): Pick<EvaluatedStage, "stateMachine" | "jobDefinitions"> {
    const { partition, region, account } = identity;
    const machine = resources.find((resource) => resource.type === "aws:sfn/stateMachine:StateMachine");
    if (machine === undefined) {
        throw new Error("The program declares no state machine.");
    }
    const jobs = resources.filter((resource) => resource.type === "aws:batch/jobDefinition:JobDefinition");
    return {
        stateMachine: {
            name: String(machine.inputs.name),
            arn: `arn:${partition}:states:${region}:${account}:stateMachine:${String(machine.inputs.name)}`,
            roleArn: String(machine.inputs.roleArn),
            definition: JSON.parse(String(machine.inputs.definition)) as StateMachineDefinition,
        },
        jobDefinitions: jobs.map(({ inputs }) => ({
            name: String(inputs.name),
            arn: `arn:${partition}:batch:${region}:${account}:job-definition/${String(inputs.name)}`,
            containerProperties: JSON.parse(
                String(inputs.containerProperties),
            ) as EvaluatedJobDefinition["containerProperties"],
            timeoutSeconds: (inputs.timeout as { attemptDurationSeconds: number }).attemptDurationSeconds,
        })),
    };
}
