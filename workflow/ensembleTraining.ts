/**
 * The workflow, top to bottom in the order in which it runs: set up, fetch the data, train the base models side by
 * side, merge what they predict, train the combiner on it, publish all of them. Every failure ends in one notification
 * and "Training Failed".
 */
import type { StateMachineDefinition } from "../asl/types";
import { MAXIMUM_PAYLOAD_BYTES } from "../ground/awsLimits";
import { defined } from "../ground/fields";
import { batchStep, batchStepBound } from "./batchStep";
import type { BilledJob, MemberOutcome, MemberSettings, Run, StageSettings } from "./contract";
import { checkEnsemble } from "./ensemble";
import { failurePath, failureBound, notedFailure } from "./failurePath";
import { attemptsPerUnit, functionBound, SETUP_SECONDS, FUNCTION_SECONDS } from "./limits";
import { modelBound, modelStateName, modelTraining } from "./modelTraining";
import { jobNameExpression, jobNamePrefix } from "./names";
import { modelPackage, registration, REGISTRATION, registrationBound } from "./registration";
import { initial } from "./retries";
import {
    all,
    at,
    Choice,
    Fail,
    jsonata,
    LambdaInvoke,
    mergePermissions,
    Parallel,
    Pass,
    placeOf,
    SnsPublish,
    stateMachine,
    states,
    Succeed,
    text,
    variable,
    type Assignments,
    type Expression,
    type Machine,
    type Permission,
    type StateNode,
    type Template,
} from "../asl/states";
import type { Job, Targets } from "./targets";

/** For what Step Functions itself takes between states, in seconds. */
const SLACK_SECONDS = 1_800;

/** The whole state machine with the permissions that its role needs. */
export function ensembleTraining(settings: StageSettings, targets: Targets): Machine {
    checkEnsemble(settings);
    const { service, stage } = settings;
    const members = Object.entries(settings.members);
    const combiner = settings.combiner;
    const combinerTitle = titleOf(combiner.name);
    const limits = attemptLimits(settings);
    const bounds = criticalPath(settings);

    const run = variable<Run>("run");
    const outcomes = variable<readonly MemberOutcome[]>("outcomes");
    /** The combiner's training jobs; the members' are in their outcomes. */
    const combinerBilled = variable<readonly BilledJob[]>("combinerBilled");
    /** Of the training jobs: said once, since a definition is bounded and has room for every model. */
    const tags = targets.tags === undefined ? undefined : variable<readonly { Key: string; Value: string }[]>("tags");
    const combinerKey = variable<string>("combinerKey");
    const checkpointPath = variable<string>("checkpointPath");
    const failed = jsonata<readonly MemberOutcome[]>`${outcomes}[outcome = 'failed']`;
    const nameOf = (job: Job) => (attempt: Expression<number>) =>
        jobNameExpression(jobNamePrefix(service, stage, job), run, attempt);
    const trainCombiner = jsonata<boolean>`${run.combiner.action} = 'train' or $count(${failed}) > 0`;
    const finish = targets.notifySuccess === true ? "Notify Success" : "Training Succeeded";
    const failTo = (step: string, more: Assignments = {}) => ({
        output: {},
        assign: { ...notedFailure.caught(step), ...more },
        next: "Describe Failure",
    });
    /** A failed training tells in its record what it was billed for; where no record comes, nobody knows. */
    const lost: Assignments = { combinerBilled: ["" satisfies BilledJob] };
    const afterRetries = (step: string) => ({ next: "Describe Failure", assign: notedFailure.classified(step) });
    /** A failed member's path is "-" to the jobs. */
    const unlessFailed = (member: string, path: Expression<string>) =>
        jsonata<string>`${member} in ${failed}.member ? '-' : ${path}`;

    const nodes: readonly StateNode[] = [
        new LambdaInvoke("Setup Statemachine", {
            functionArn: targets.functions.setup,
            payload: {
                settings: settingsForSetup(settings) as unknown as Template,
                input: states.input(),
                execution: {
                    arn: states.context.Execution.Id,
                    name: states.context.Execution.Name,
                    startTime: states.context.Execution.StartTime,
                    redriveCount: states.context.Execution.RedriveCount,
                    timeoutSeconds: executionBound(settings, targets),
                },
            },
            timeoutSeconds: SETUP_SECONDS,
            output: {},
            assign: defined({
                run: states.result<{ Payload: Run }>().Payload,
                outcomes: [],
                combinerBilled: [],
                tags:
                    targets.tags !== undefined
                        ? Object.entries(targets.tags).map(([Key, Value]) => ({ Key, Value }))
                        : undefined,
                ...initial("fetch"),
                ...initial("merge"),
                ...initial("publish"),
            }),
            next: "Fetch Preprocessing Artifacts?",
            catch: [
                {
                    output: {},
                    assign: { outcomes: [], combinerBilled: [], ...notedFailure.caught("Setup Statemachine") },
                    next: "Describe Failure",
                },
            ],
        }),

        new Choice("Fetch Preprocessing Artifacts?", {
            rules: [{ when: jsonata`${run.fetch} = true`, next: "Fetch Preprocessing Artifacts" }],
            otherwise: "Skip Fetch Preprocessing Artifacts",
        }),
        new Pass("Skip Fetch Preprocessing Artifacts", { output: {}, next: "Base Model Training" }),
        ...batchStep({
            name: "Fetch Preprocessing Artifacts",
            job: "fetch",
            model: null,
            targets,
            ...limits,
            jobName: nameOf("fetch"),
            parameters: {
                ...parameters(
                    ["INPUT_PATH", "OUTPUT_PATH", "SEED", "TEST_SHARE", "K_FOLDS", "COPY"],
                    (name) => run.parameters.fetch[name]!,
                ),
                ...parameters(
                    members.map(([, member]) => member.publishParameter),
                    (name) => run.parameters.fetch[name]!,
                ),
            },
            outputPath: run.output_artifact_paths.raw_data!,
            deadline: { secondsBefore: bounds.fetch },
            next: "Base Model Training",
            failed: afterRetries("Fetch Preprocessing Artifacts"),
        }),

        new Parallel("Base Model Training", {
            branches: members.map(([member, memberSettings]) => memberBranch(member, memberSettings)),
            output: {},
            assign: { outcomes: jsonata`[${states.result<readonly MemberOutcome[]>()}]` },
            next: "Ensemble Complete?",
            catch: [failTo("Base Model Training", lost)],
        }),
        new Choice("Ensemble Complete?", {
            rules: [{ when: complete(settings, outcomes), next: `${combinerTitle} Model Dataframe generation` }],
            otherwise: "Describe Failure",
            assign: notedFailure.members(),
        }),

        ...batchStep({
            name: `${combinerTitle} Model Dataframe generation`,
            job: "merge",
            model: null,
            targets,
            ...limits,
            jobName: nameOf("merge"),
            parameters: {
                ...parameters(["INPUT_PATH", "OUTPUT_PATH"], (name) => run.parameters.merge[name]!),
                ...Object.fromEntries(
                    members.map(([member, { mergeParameter }]) => [
                        mergeParameter,
                        unlessFailed(member, run.parameters.merge[mergeParameter]!),
                    ]),
                ),
            },
            outputPath: run.parameters.merge.OUTPUT_PATH!,
            deadline: { secondsBefore: bounds.merge },
            // A combiner of fewer members is another model: it gets a key and checkpoints of its own.
            assign: {
                combinerKey: jsonata`$exists(${failed}) ? $hash(${run.combiner.key} & '-' & $join(${failed}.member, ','), 'SHA-256') : ${run.combiner.key}`,
                checkpointPath: jsonata`$exists(${failed}) ? ${run.combiner.checkpoint_path} & '/without-' & $join(${failed}.member, '-') : ${run.combiner.checkpoint_path}`,
            },
            next: modelStateName(combinerTitle),
            failed: afterRetries(`${combinerTitle} Model Dataframe generation`),
        }),
        modelTraining({
            model: combiner.name,
            title: combinerTitle,
            stage: settings,
            settings: combiner,
            targets,
            run: run.combiner,
            prefix: run.output_artifact_paths[`${combiner.name}_model_prefix`]!,
            tags,
            ...limits,
            jobName: (prefix, attempt) => jobNameExpression(prefix, run, attempt),
            train: trainCombiner,
            key: combinerKey,
            checkpointPath,
            output: {},
            assign: { combinerBilled: jsonata`[${at(states.result<readonly MemberOutcome[]>(), 0).billed}]` },
            next: "Post Training Artifact Fetcher",
            failed: [failTo(modelStateName(combinerTitle), lost)],
        }),

        ...batchStep({
            name: "Post Training Artifact Fetcher",
            job: "publish",
            model: null,
            targets,
            ...limits,
            jobName: nameOf("publish"),
            parameters: {
                ...parameters(
                    ["OUTPUT_PATH", "TARGET", "GATE", "EXECUTION", "INPUT_PATH_SEQ"],
                    (name) => run.parameters.publish[name]!,
                ),
                ...Object.fromEntries(
                    members.map(([member, { publishParameter }]) => [
                        publishParameter,
                        unlessFailed(member, run.parameters.publish[publishParameter]!),
                    ]),
                ),
            },
            outputPath: run.output_artifact_paths.ready_to_use_artifacts!,
            deadline: { secondsBefore: bounds.publish },
            next: targets.modelPackageGroup === undefined ? finish : REGISTRATION,
            failed: afterRetries("Post Training Artifact Fetcher"),
        }),
        ...(targets.modelPackageGroup === undefined
            ? []
            : registration({
                  settings,
                  run,
                  outcomes,
                  key: combinerKey,
                  trained: trainCombiner,
                  next: finish,
                  group: {
                      ...placeOf(targets.trainingRoleArn),
                      region: settings.region,
                      groupName: targets.modelPackageGroup,
                  },
                  failed: (step) => failTo(step),
              })),
        ...(targets.notifySuccess === true ? notifySuccess() : []),
        new Succeed("Training Succeeded", {
            output: defined({
                artifacts: text(run.output_artifact_paths.ready_to_use_artifacts!),
                members: outcomes,
                modelPackage: targets.modelPackageGroup !== undefined ? modelPackage : undefined,
            }),
        }),

        ...failurePath(settings, targets, { outcomes, combinerBilled }),
    ];

    return stateMachine({
        comment:
            `Training of the ensemble ${members.map(([member]) => member).join(", ")} and ${combiner.name} ` +
            `(${service}, ${stage})`,
        timeoutSeconds: executionBound(settings, targets),
        states: nodes,
        stubs: targets.stubs,
    });

    /** A base model: whatever fails in it is recorded, so that its siblings' work is kept; the join decides. */
    function memberBranch(member: string, memberSettings: MemberSettings): readonly StateNode[] {
        const title = titleOf(member);
        const record = `Record ${title} Model Failure`;
        return [
            modelTraining(
                defined({
                    model: member,
                    title,
                    stage: settings,
                    settings: memberSettings,
                    targets,
                    run: run.members[member]!,
                    prefix: run.output_artifact_paths[`${member}_model_prefix`]!,
                    tags,
                    ...limits,
                    jobName: (prefix, attempt) => jobNameExpression(prefix, run, attempt),
                    split: memberSettings.splitSet
                        ? {
                              parameters: parameters(
                                  ["K_FOLDS", "INPUT_PATH", "OUTPUT_PATH", "SEED"],
                                  (name) => run.parameters.split[name]!,
                              ),
                              outputPath: run.output_artifact_paths.image_model_training_split_set!,
                          }
                        : undefined,
                    failed: [{ next: record }],
                }),
            ),
            new Pass(record, {
                comment: "records-failure-for: Ensemble Complete?",
                output: {
                    member,
                    outcome: "failed",
                    error: text(states.input<{ Error: string }>().Error),
                    cause: jsonata`$substring('' & ${states.input<{ Cause: string }>().Cause}, 0, ${limits.maximumCause})`,
                },
            }),
        ];
    }

    function notifySuccess(): readonly StateNode[] {
        return [
            new SnsPublish("Notify Success", {
                topicArn: targets.topicArn,
                kmsKeyArn: targets.kmsKeyArn,
                subject: `[OK] - ${service} - Model Training succeeded`.slice(0, 100),
                message: jsonata`${`Stage ${stage}: the ensemble is trained and published. Execution `} & ${states.context.Execution.Id} & '. Artefacts: ' & ${run.output_artifact_paths.ready_to_use_artifacts!}`,
                timeoutSeconds: FUNCTION_SECONDS,
                output: {},
                next: "Training Succeeded",
                // Nobody would hear of the success: the rule on failed executions tells of it.
                catch: [
                    { output: {}, assign: notedFailure.caught("Notify Success"), next: "Success Notification Failed" },
                ],
            }),
            new Fail("Success Notification Failed", {
                error: "SuccessNotificationFailed",
                cause: "The ensemble is trained and published, but the message about it could not be sent.",
            }),
        ];
    }
}

/** The definition alone; the same settings and targets give the same bytes. */
export function renderDefinition(settings: StageSettings, targets: Targets): StateMachineDefinition {
    return ensembleTraining(settings, targets).definition;
}

/** What the state machine's role must be allowed for its states; logging and tracing come on top. */
export function requiredPermissions(settings: StageSettings, targets: Targets): readonly Permission[] {
    return mergePermissions(ensembleTraining(settings, targets).permissions);
}

/**
 * Seconds since the start by which each job begins at the latest, and by which everything has ended: the sum of the
 * budgets before it.
 */
function criticalPath(settings: StageSettings): Record<"fetch" | "merge" | "publish" | "whole", number> {
    const fetch = functionBound(SETUP_SECONDS) + SLACK_SECONDS;
    const merge = fetch + batchStepBound("fetch") + Math.max(...Object.values(settings.members).map(modelBound));
    const publish = merge + batchStepBound("merge") + modelBound(settings.combiner);
    return { fetch, merge, publish, whole: publish + batchStepBound("publish") + failureBound() };
}

/**
 * Longest time of an execution in seconds: its time-out. With a group of the model registry, the registration is part
 * of it.
 */
export function executionBound(
    settings: StageSettings,
    { modelPackageGroup }: Pick<Targets, "modelPackageGroup"> = {},
): number {
    return criticalPath(settings).whole + (modelPackageGroup === undefined ? 0 : registrationBound());
}

/** "layout_v2" -> "Layout V2", as the names of its states say it. */
export function titleOf(model: string): string {
    return model
        .split(/[^A-Za-z0-9]+/)
        .filter((word) => word !== "")
        .map((word) => word[0]!.toUpperCase() + word.slice(1))
        .join(" ");
}

/** What keeps the worst case of all models and jobs together within AWS's bounds. */
export interface AttemptLimits {
    /** Of each model and job. */
    readonly maximumAttempts: number;
    /** Characters of the reason of one failure. */
    readonly maximumReason: number;
    /** Characters of a recorded failure's whole cause. */
    readonly maximumCause: number;
}

export function attemptLimits(settings: StageSettings): AttemptLimits {
    const members = Object.values(settings.members);
    const units = members.length + members.filter((member) => member.splitSet).length + 4;
    const maximumAttempts = Math.min(attemptsPerUnit(units), 150);
    const longest = Math.max(...members.map((member) => member.capacity.length), settings.combiner.capacity.length);
    if (maximumAttempts < longest + 1) {
        throw new Error(
            `${members.length} members: the history of one execution (25,000 events) has room for ${maximumAttempts} ` +
                "attempts each, " +
                `and the longest capacity ladder needs ${longest + 1}; train fewer members in one ensemble`,
        );
    }
    // Six bytes a character: JSON inside JSON escapes some twice. 70 bytes for each job's name, 38 for what it is
    // billed for.
    const share = Math.floor((MAXIMUM_PAYLOAD_BYTES * 0.85) / members.length) - maximumAttempts * (70 + 38) - 800;
    const maximumReason = Math.min(1_000, Math.floor(share / 6));
    if (maximumReason < 100) {
        throw new Error(
            `${members.length} members: their failures would not fit into ${MAXIMUM_PAYLOAD_BYTES} bytes; train ` +
                "fewer members in one ensemble",
        );
    }
    return { maximumAttempts, maximumReason, maximumCause: maximumAttempts * (66 + 36) + maximumReason + 600 };
}

/** True where every required member is there and the quorum is reached. */
function complete(settings: StageSettings, outcomes: Expression<readonly MemberOutcome[]>): Expression<boolean> {
    const required = Object.entries(settings.members)
        .filter(([, { required: needed }]) => needed)
        .map(([member]) => member);
    return all(
        ...(required.length === 0
            ? []
            : [jsonata<boolean>`$count(${outcomes}[outcome = 'failed' and member in ${required}]) = 0`]),
        jsonata<boolean>`$count(${outcomes}[outcome != 'failed']) >= ${settings.quorum}`,
    );
}

function parameters(
    names: readonly string[],
    value: (name: string) => Expression<string>,
): Record<string, Expression<string>> {
    return Object.fromEntries(names.map((name) => [name, value(name)]));
}

/** Setup needs types and bounds, not the texts about them, and no prices; a Task's arguments are bounded. */
function settingsForSetup({ prices: _prices, ...settings }: StageSettings): StageSettings {
    const bare = <M extends StageSettings["combiner"] | MemberSettings>(model: M): M => ({
        ...model,
        schema: Object.fromEntries(
            Object.entries(model.schema).map(([name, { description: _description, ...rule }]) => [name, rule]),
        ),
    });
    const slim = {
        ...settings,
        members: Object.fromEntries(Object.entries(settings.members).map(([name, member]) => [name, bare(member)])),
        combiner: bare(settings.combiner),
    };
    const bytes = Buffer.byteLength(JSON.stringify(slim));
    const room = MAXIMUM_PAYLOAD_BYTES - 32_768;
    if (bytes > room) {
        throw new Error(
            `the settings of ${Object.keys(settings.members).length} members have ${bytes} bytes; Setup can be given ` +
                `${room} ` +
                "(AWS's 262,144 less room for the input): train fewer members in one ensemble, or shorten their " +
                "hyperparameters",
        );
    }
    return slim;
}
