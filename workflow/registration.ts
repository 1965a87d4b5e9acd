/**
 * The finished ensemble as a version in SageMaker's model registry, to be approved by a person. It runs after
 * publishing: what is published stays so where registering fails, the failure is told like any other, and the same
 * input again reuses all and registers it.
 */
import type { MemberOutcome, Run, StageSettings } from "./contract";
import { FUNCTION_SECONDS } from "./limits";
import {
    at,
    Choice,
    CreateModelPackage,
    jsonata,
    ListModelPackages,
    states,
    text,
    variable,
    type Expression,
    type Failure,
    type Handle,
    type ModelPackageGroup,
    type Retry,
    type StateNode,
} from "../asl/states";

/**
 * Both calls may be repeated: the list changes nothing, and a repeated creation is known by its token.
 * `SageMakerException` is what an SDK integration calls everything that the API's model has no name for, throttling and
 * faults among it; what is refused is refused again.
 */
const REGISTRY_RETRY = {
    errors: ["SageMaker.ConflictException", "SageMaker.SageMakerException", "States.Timeout"],
    seconds: 5,
    attempts: 5,
    backoff: 2,
    maximumSeconds: 60,
} satisfies Retry;
/**
 * With more members their keys would not fit beside the rest of the metadata; all keys are in the published manifest.
 */
const MAXIMUM_MEMBER_KEYS = 40;

/** The ARN of the version that the published ensemble is registered as. */
export const modelPackage = variable<string>("modelPackage");

export interface RegistrationOptions {
    readonly settings: StageSettings;
    readonly group: ModelPackageGroup;
    readonly run: Handle<Run>;
    readonly outcomes: Expression<readonly MemberOutcome[]>;
    /** Content key of the combiner as it was trained: it covers the members' keys, and so names the ensemble. */
    readonly key: Expression<string>;
    /** Whether this execution trained the combiner. */
    readonly trained: Expression<boolean>;
    readonly next: string;
    readonly failed: (step: string) => Failure;
}

const FIND = "Find Registered Ensemble";
const REGISTERED = "Ensemble Registered?";
const REGISTER = "Register Ensemble";

/** Name of the first state. */
export const REGISTRATION = FIND;

export function registration(options: RegistrationOptions): readonly StateNode[] {
    const { settings, group, run, outcomes, key, next } = options;
    const { Execution } = states.context;
    const published = text(run.output_artifact_paths.ready_to_use_artifacts!);
    const name = jsonata<string>`'Ensemble ' & ${key}`;
    const { ModelPackageSummaryList: versions } = states.result<{ ModelPackageSummaryList: unknown }>();
    const found = jsonata<
        readonly { ModelPackageArn: string }[]
    >`${versions}[$contains('' & ModelPackageDescription, ${name})]`;
    const members = Object.keys(settings.members);
    const failed = jsonata`${outcomes}[outcome = 'failed'].member`;
    const memberKey = (member: string) =>
        jsonata<string>`${member} in ${failed} ? 'missing' : ${run.members[member]!.key}`;
    return [
        new ListModelPackages(FIND, {
            group,
            timeoutSeconds: FUNCTION_SECONDS,
            retry: [REGISTRY_RETRY],
            output: {},
            assign: { modelPackage: text(at(found, 0).ModelPackageArn) },
            next: REGISTERED,
            catch: [options.failed(FIND)],
        }),
        new Choice(REGISTERED, {
            // An ensemble that was trained anew is another one with the same key: what an earlier one was published
            // from may have expired.
            rules: [{ when: jsonata`${modelPackage} != '' and $not(${options.trained})`, next }],
            otherwise: REGISTER,
        }),
        new CreateModelPackage(REGISTER, {
            group,
            description: jsonata`${name} & ', published by execution ' & ${Execution.Name}`,
            sourceUri: published,
            metricsUri: jsonata`${published} & '/manifest.json'`,
            generatedBy: Execution.Id,
            metadata: {
                execution: Execution.Id,
                data: run.data,
                [`key/${settings.combiner.name}`]: key,
                ...(members.length <= MAXIMUM_MEMBER_KEYS
                    ? Object.fromEntries(members.map((member) => [`key/${member}`, memberKey(member)]))
                    : { members: String(members.length), missing: jsonata<string>`$string($count(${failed}))` }),
            },
            clientToken: jsonata`$substring($hash(${key} & ${Execution.Id}, 'SHA-256'), 0, 32)`,
            timeoutSeconds: FUNCTION_SECONDS,
            retry: [REGISTRY_RETRY],
            output: {},
            // An answer without it is a failure, not a registered ensemble.
            assign: { modelPackage: states.result<{ ModelPackageArn: string }>().ModelPackageArn },
            next,
            catch: [options.failed(REGISTER)],
        }),
    ];
}

/** Longest time of the registration, in seconds. */
export function registrationBound(): number {
    const { seconds, attempts, backoff, maximumSeconds } = REGISTRY_RETRY;
    let call = FUNCTION_SECONDS * (attempts + 1);
    for (let retry = 0; retry < attempts; retry += 1) {
        call += Math.min(maximumSeconds, seconds * backoff ** retry);
    }
    return 2 * call;
}
