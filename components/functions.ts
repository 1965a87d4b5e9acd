import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as lambda from "@pulumi/aws/lambda";
import * as pulumi from "@pulumi/pulumi";
import { hashParts } from "./contentHash";
import { type Statement, trustPolicy } from "./iam";
import type { FunctionName, StageNames } from "./names";
import { protection } from "./protection";
import { StageRole } from "./role";
import type { StageTags } from "./tags";

/** A published version of a function and the alias that names it by its content. */
export interface Release {
    /** `h-` and 12 hexadecimal digits. */
    readonly alias: string;
    readonly version: string;
    /** When another release took its place, ISO 8601; undefined for the one that new executions call. */
    readonly retired?: string;
}

/** What decides how long releases stay. */
export interface ReleasePolicy {
    /** So many stay in any case. */
    readonly remembered: number;
    /** Seconds that an execution may take: it may call a release for so long after another one took its place. */
    readonly executionSeconds: number;
    readonly now: Date;
}

/**
 * The releases that stay, newest first: the current one (without a version where this deployment makes it), the last
 * ones, and whatever an execution may still call. Nothing goes while a deployment changes nothing, so an unchanged
 * stack is unchanged however old it gets.
 */
export function keptReleases(
    before: readonly Release[],
    alias: string,
    { remembered, executionSeconds, now }: ReleasePolicy,
): (Omit<Release, "version"> & { readonly version?: string })[] {
    if (before[0]?.alias === alias) {
        return [...before];
    }
    const { retired: _retired, ...current } = before.find((release) => release.alias === alias) ?? { alias };
    const others = before
        .filter((release) => release.alias !== alias)
        .map((release) => ({ ...release, retired: release.retired ?? now.toISOString() }));
    const mayBeCalled = (retired: string) => now.getTime() - Date.parse(retired) < executionSeconds * 1_000;
    return [current, ...others.filter(({ retired }, index) => index + 1 < remembered || mayBeCalled(retired))];
}

/** A function's code and setting: what its alias is the hash of. */
export interface FunctionSpec {
    /** One JavaScript file, bundled. */
    readonly code: string;
    readonly handler: string;
    readonly runtime: string;
    readonly memoryMb: number;
    readonly timeoutSeconds: number;
    /** Plain values only: the alias is their hash, and an alias must be known before anything exists. */
    readonly environment: Readonly<Record<string, string>>;
}

/**
 * The alias of what a function is made of. Equal content, equal alias; by 12 digits, two of a thousand releases are
 * equal once in 10^8.
 */
export function functionAlias(spec: FunctionSpec): string {
    const environment = Object.entries(spec.environment).sort().flat();
    return `h-${hashParts([
        spec.code,
        spec.handler,
        spec.runtime,
        String(spec.memoryMb),
        String(spec.timeoutSeconds),
        ...environment,
    ]).slice(0, 12)}`;
}

/**
 * The variables of a function, and the key that they are encrypted with. Without a variable AWS keeps neither an
 * environment nor a key, so that a function with either would be changed, and a version published, at every update.
 */
function encryptedVariables(
    variables: Readonly<Record<string, pulumi.Input<string>>>,
    keyArn: pulumi.Input<string>,
): Pick<lambda.FunctionArgs, "environment" | "kmsKeyArn"> {
    return Object.keys(variables).length === 0 ? {} : { environment: { variables }, kmsKeyArn: keyArn };
}

export interface StageFunctionArgs {
    readonly names: StageNames;
    readonly function: FunctionName;
    readonly description: string;
    readonly spec: FunctionSpec;
    readonly statements: readonly Statement[];
    readonly keyActions: readonly string[];
    readonly keyArn: pulumi.Input<string>;
    /**
     * Variables whose values are not known before the stage exists, and which never change then; not part of the alias.
     */
    readonly addresses?: Readonly<Record<string, pulumi.Input<string>>>;
    /**
     * Aliases of earlier deployments, newest first. They stay while they are in this list: running executions call
     * them.
     */
    readonly before: readonly Release[];
    readonly remembered: number;
    readonly executionSeconds: number;
    /** Of this deployment. */
    readonly now: Date;
    readonly logDays: number;
    readonly protectedStage: boolean;
    readonly tags: StageTags;
}

/**
 * A function that the state machine calls by an alias named after its content: a deployment makes another alias and
 * leaves the old ones, so that an execution that runs for days is not changed under way. Going back to an earlier
 * content takes its old alias again.
 */
export class StageFunction extends pulumi.ComponentResource {
    /** Which alias the definition calls. */
    readonly alias: string;
    /** The aliases that exist from now on, newest first: the next deployment's `before`. */
    readonly releases: pulumi.Output<Release[]>;
    readonly parts: readonly pulumi.Resource[];

    constructor(name: string, args: StageFunctionArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:lambda:StageFunction", name, {}, opts);
        const { names, spec, tags } = args;
        const child = { parent: this };
        const logGroup = names.functionLogGroup(args.function);
        const logs = new cloudwatch.LogGroup(
            name,
            {
                name: logGroup,
                retentionInDays: args.logDays,
                kmsKeyId: args.keyArn,
                tags,
            },
            { ...child, ...protection("data", args.protectedStage) },
        );
        const role = new StageRole(
            `${name}-role`,
            {
                roleName: names.role(`function-${args.function}`),
                description: `What the function ${args.function} may do`,
                trust: trustPolicy(names.identity, "lambda.amazonaws.com"),
                statements: [
                    {
                        Sid: "WriteLog",
                        Effect: "Allow",
                        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
                        Resource: `${names.logGroupArn(logGroup)}:log-stream:*`,
                    },
                    // X-Ray knows no resource.
                    {
                        Sid: "Trace",
                        Effect: "Allow",
                        Action: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                        Resource: "*",
                    },
                    ...args.statements,
                ],
                keyActions: args.keyActions,
                keyArn: args.keyArn,
                tags,
            },
            child,
        );
        const variables = { ...spec.environment, ...args.addresses };
        const made = new lambda.Function(
            name,
            {
                name: names.function(args.function),
                description: args.description,
                role: role.arn,
                runtime: spec.runtime,
                architectures: ["x86_64"],
                handler: spec.handler,
                code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(spec.code) }),
                memorySize: spec.memoryMb,
                timeout: spec.timeoutSeconds,
                ...encryptedVariables(variables, args.keyArn),
                loggingConfig: { logFormat: "JSON", logGroup },
                tracingConfig: { mode: "Active" },
                publish: true,
                tags,
            },
            { ...child, dependsOn: [logs, ...role.parts] },
        );
        this.alias = functionAlias(spec);
        const kept = keptReleases(args.before, this.alias, args);
        const aliases = kept.map(
            (release) =>
                new lambda.Alias(
                    `${name}-${release.alias}`,
                    {
                        name: release.alias,
                        description: "Named after what the version is made of; running executions call it",
                        functionName: made.name,
                        functionVersion: release.version ?? made.version,
                    },
                    child,
                ),
        );
        this.releases = pulumi
            .output(made.version)
            .apply((version) => kept.map((release) => ({ ...release, version: release.version ?? version })));
        this.parts = [made, ...aliases];
        this.registerOutputs({ alias: this.alias });
    }
}
