/**
 * The training of one model, a base model or the combiner: a Parallel of one branch, in which variables of its own
 * count the attempts. Whatever happens inside ends in the branch's Fail, and the Parallel's Catch decides what that
 * means for the execution.
 */
import { present } from "../ground/fields";
import { batchStep } from "./batchStep";
import type { BilledJob, ErrorClass, MemberOutcome, ModelRun, ModelSettings, StageSettings } from "./contract";
import { CAPACITY_WAIT_SECONDS, ERROR_CLASSES } from "./errorClasses";
import { functionBound, FUNCTION_SECONDS } from "./limits";
import { jobNamePrefix, MAXIMUM_ATTEMPTS, stagePrefix } from "./names";
import { caught, classifyError, initial, loopVariables, pauseState, set, WAITING_CLASSES } from "./retries";
import {
    all,
    at,
    Choice,
    CreateTrainingJob,
    Fail,
    jsonata,
    LAMBDA_RETRY,
    LambdaInvoke,
    Parallel,
    Pass,
    states,
    text,
    variable,
    Wait,
    type Assignments,
    type Expression,
    type Failure,
    type Handle,
    type Rule,
    type StateNode,
    type Template,
} from "../asl/states";
import type { Targets } from "./targets";

/**
 * What a training needs before and after its runtime, for instances, images and data, in seconds; part of the budget.
 */
const OVERHEAD_SECONDS = 900;
/** No attempt starts with less than this left for the training itself, in seconds. */
const SHORTEST_RUNTIME_SECONDS = 60;
/** How long a Spot training may wait for its instances besides its runtime, in seconds. */
const SPOT_WAIT_SECONDS = 3_600;

/** Retry of register: the training has ended and must not be lost to a fault of the storage. */
const REGISTER_RETRY = {
    errors: ["StorageError", "States.Timeout"],
    seconds: 10,
    attempts: 6,
    backoff: 2,
    maximumSeconds: 120,
};

/** What SageMaker says of a finished training, as far as it is kept. */
interface TrainedJob {
    readonly TrainingJobName: string;
    readonly TrainingJobStatus: string;
}

export interface ModelTrainingOptions {
    /** Key of the model in the settings. */
    readonly model: string;
    /** As in the names of its states: "Image". */
    readonly title: string;
    readonly stage: StageSettings;
    readonly settings: ModelSettings & { readonly splitSet?: boolean };
    readonly targets: Targets;
    readonly run: Handle<ModelRun>;
    /** Where the execution looks for the model's marker. */
    readonly prefix: Expression<string>;
    readonly jobName: (prefix: string, attempt: Expression<number>) => Expression<string>;
    /** What the split job gets. */
    readonly split?: {
        readonly parameters: { readonly [name: string]: Template };
        readonly outputPath: Expression<string>;
    };
    /** Whether it is to be trained; without it, when Setup says so. */
    readonly train?: Expression<boolean>;
    /** Content key and checkpoints, where they are not Setup's. */
    readonly key?: Expression<string>;
    readonly checkpointPath?: Expression<string>;
    readonly tags?: Expression;
    readonly maximumAttempts: number;
    readonly maximumReason: number;
    readonly failed: readonly [Failure, ...Failure[]];
    readonly next?: string;
    readonly output?: Template;
    readonly assign?: Assignments;
}

/** "10 Minutes" from 600, so that a name cannot disagree with its value. */
function duration(seconds: number): string {
    const [count, unit] = seconds % 60 === 0 ? [seconds / 60, "Minute"] : [seconds, "Second"];
    return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Longest time of a model's Parallel in seconds: its budget, and what begins within the budget and ends behind it. */
export function modelBound({ budgetSeconds }: ModelSettings): number {
    const { seconds, attempts, backoff, maximumSeconds } = REGISTER_RETRY;
    let register =
        FUNCTION_SECONDS * (attempts + 1 + LAMBDA_RETRY.attempts) + LAMBDA_RETRY.attempts * LAMBDA_RETRY.maximumSeconds;
    for (let retry = 0; retry < attempts; retry++) {
        register += Math.min(maximumSeconds, seconds * backoff ** retry);
    }
    return budgetSeconds + Math.max(register, CAPACITY_WAIT_SECONDS) + functionBound(FUNCTION_SECONDS);
}

/** The name of the Parallel; other states are named after it. */
export function modelStateName(title: string): string {
    return `${title} Model`;
}

/** The name of the Task whose success says that a model is trained and kept. */
export function registerStateName(title: string): string {
    return `Register ${modelStateName(title)}`;
}

export function modelTraining(options: ModelTrainingOptions): Parallel {
    const { model, title, stage, settings, targets, run, maximumReason } = options;
    const name = modelStateName(title);
    const names = {
        start: `Start ${name}`,
        train: `Train ${name}?`,
        skip: `Skip ${title} Training`,
        split: `Create ${name} Split Set`,
        guard: `${name} Attempt Left?`,
        training: `${name} Training`,
        completed: `${name} Training Completed?`,
        register: registerStateName(title),
        explain: `JSONify ${name} Error Cause`,
        decide: `Is ${name} Capacity Error?`,
        waitForCapacity: `Wait ${duration(CAPACITY_WAIT_SECONDS)} for ${name} Capacity`,
        pause: `Pause before ${name} Training`,
        fail: `Fail ${name}`,
    };
    checkModel(model, settings);

    const { attempt, throttles, faults, waits, errorClass, reason } = loopVariables("");
    const rung = variable<number>("rung");
    const jobs = variable<string[]>("jobs");
    const billed = variable<readonly BilledJob[]>("billed");
    /** Instance type of the job whose billed time is still to be written down; empty when there is none. */
    const unbilled = variable<string>("unbilled");
    const step = variable<string>("step");
    const startedAt = variable<string>("startedAt");
    const deadline = variable<number>("deadline");
    const job = variable<TrainedJob>("job");

    const now = jsonata<number>`$toMillis(${states.context.State.EnteredTime})`;
    const remainingNow = jsonata<number>`$floor((${deadline} - ${now}) / 1000)`;
    const remaining = variable<number>("remaining");
    const key = options.key ?? run.key;
    const rungs = settings.capacity.length;
    const mayBeSpot = settings.capacity.some((capacity) => capacity.spot);
    const spot = mayBeSpot ? at(run.rungs, rung).spot : false;
    const maximumAttempts = Math.min(options.maximumAttempts, MAXIMUM_ATTEMPTS);

    const prefix = jobNamePrefix(stage.service, stage.stage, model);
    const trainingName = options.jobName(prefix, attempt);
    const encodedName =
        settings.container.encoding === "json" ? jsonata<string>`'"' & ${trainingName} & '"'` : trainingName;
    const runtime = (more: number) =>
        jsonata<number>`$min([${settings.maxRuntimeSeconds + more}, ${remaining} - ${OVERHEAD_SECONDS}])`;
    const failedAt = (stepName: string): Assignments => ({ ...caught(""), step: stepName });

    /** Writes a job down; seconds without a value leave its text without them. */
    const bill = (seconds?: Expression<number>) =>
        seconds === undefined
            ? jsonata<readonly BilledJob[]>`[${billed}, ${unbilled} & ' ']`
            : settings.instanceCount === 1
              ? jsonata<readonly BilledJob[]>`[${billed}, ${unbilled} & ' ' & ${seconds}]`
              : jsonata<readonly BilledJob[]>`[${billed}, ${unbilled} & ' ' & ${seconds} * ${settings.instanceCount}]`;

    const registered = states.result<{ Payload: Pick<MemberOutcome, "outcome" | "jobName"> }>().Payload;

    const mustTrain = options.train ?? jsonata<boolean>`${run.action} = 'train'`;
    const splitStates =
        options.split === undefined
            ? []
            : batchStep({
                  name: names.split,
                  job: "split",
                  model,
                  targets,
                  jobName: (splitAttempt) =>
                      options.jobName(jobNamePrefix(stage.service, stage.stage, "split"), splitAttempt),
                  parameters: options.split.parameters,
                  outputPath: options.split.outputPath,
                  deadline,
                  maximumAttempts,
                  maximumReason,
                  next: names.guard,
                  failed: {
                      next: names.fail,
                      assign: (failure) => ({
                          step: names.split,
                          errorClass: failure.errorClass,
                          reason: failure.reason,
                          attempt: failure.attempt,
                      }),
                  },
              });

    const onLadder = jsonata<boolean>`${errorClass} in ${WAITING_CLASSES}`;
    const retryRules: Rule[] = present([
        { when: jsonata`${step} != ${names.training}`, next: names.fail },
        rungs > 1
            ? {
                  when: all(onLadder, jsonata`${rung} < ${rungs - 1}`),
                  assign: { rung: jsonata`${rung} + 1` },
                  next: names.guard,
              }
            : undefined,
        {
            when: all(onLadder, jsonata`${waits} < ${ERROR_CLASSES.Capacity.retries}`),
            assign: { waits: jsonata`${waits} + 1`, rung: 0 },
            next: names.waitForCapacity,
        },
        {
            when: all(
                jsonata`${errorClass} = 'Throttling'`,
                jsonata`${throttles} < ${ERROR_CLASSES.Throttling.retries}`,
            ),
            assign: set("", { throttles: jsonata`${throttles} + 1` }),
            next: names.pause,
        },
        {
            when: all(
                jsonata`${errorClass} = 'ServiceFault'`,
                jsonata`${faults} < ${ERROR_CLASSES.ServiceFault.retries}`,
            ),
            assign: set("", { faults: jsonata`${faults} + 1` }),
            next: names.pause,
        },
    ]);

    const branch: readonly StateNode[] = [
        new Pass(names.start, {
            assign: {
                ...initial(""),
                rung: 0,
                jobs: [],
                billed: [],
                unbilled: "",
                step: names.train,
                ...(options.split !== undefined && initial("split")),
                startedAt: states.context.State.EnteredTime,
                deadline: jsonata`$toMillis(${states.context.State.EnteredTime}) + ${settings.budgetSeconds * 1000}`,
            },
            next: names.train,
        }),
        new Choice(names.train, {
            rules: present([
                options.split === undefined
                    ? undefined
                    : { when: all(mustTrain, jsonata`${run.split} = 'new'`), next: names.split },
                { when: mustTrain, next: names.guard },
            ]),
            otherwise: names.skip,
        }),
        new Pass(names.skip, {
            output: { member: model, outcome: jsonata`${run.action} = 'reuse' ? 'reused' : 'skipped'` },
        }),
        ...splitStates,
        new Choice(names.guard, {
            rules: [
                { when: jsonata`${attempt} >= ${maximumAttempts}`, next: names.fail },
                {
                    when: jsonata`${now} + ${(OVERHEAD_SECONDS + SHORTEST_RUNTIME_SECONDS) * 1000} <= ${deadline}`,
                    assign: {
                        remaining: remainingNow,
                        unbilled: text(at(run.rungs, rung).resource_config.InstanceType!),
                    },
                    next: names.training,
                },
            ],
            otherwise: names.fail,
            assign: {
                step: names.guard,
                errorClass: "TimeLimit" satisfies ErrorClass,
                reason: jsonata`${`the model's budget of ${settings.budgetSeconds} s has no time left for another attempt; failed before: `} & ${attempt} & ', the last of them: ' & ${reason}`,
            },
        }),
        new CreateTrainingJob(names.training, {
            jobName: trainingName,
            jobNamePrefix: stagePrefix(stage.service, stage.stage),
            region: stage.region,
            image: settings.container.image,
            roleArn: targets.trainingRoleArn,
            metricDefinitions: targets.metricDefinitions?.[model],
            hyperparameters: jsonata`$merge([${run.hyperparameters}, {'job_name': ${encodedName}}])`,
            inputDataConfig: jsonata`[${run.input_data_config}]`,
            outputDataConfig: { S3OutputPath: run.output_path, KmsKeyId: targets.kmsKeyArn },
            resourceConfig: at(run.rungs, rung).resource_config,
            stoppingCondition: mayBeSpot
                ? jsonata`$merge([{'MaxRuntimeInSeconds': ${runtime(0)}}, ${spot} ? {'MaxWaitTimeInSeconds': ${runtime(SPOT_WAIT_SECONDS)}} : {}])`
                : { MaxRuntimeInSeconds: runtime(0) },
            managedSpot: spot,
            checkpointS3Uri: options.checkpointPath ?? run.checkpoint_path,
            encryptTrafficBetweenHosts: settings.instanceCount > 1,
            networkIsolation: targets.networkIsolation,
            vpc: targets.vpc,
            tags: options.tags,
            timeoutSeconds: jsonata<number>`$min([${settings.maxRuntimeSeconds + OVERHEAD_SECONDS + (mayBeSpot ? SPOT_WAIT_SECONDS : 0)}, ${remaining}])`,
            output: {},
            assign: { job: trimmedJob(), billed: bill(billableSeconds()), unbilled: "" },
            next: names.completed,
            catch: [{ output: {}, assign: failedAt(names.training), next: names.explain }],
        }),
        new Choice(names.completed, {
            rules: [{ when: jsonata`${job.TrainingJobStatus} = 'Completed'`, next: names.register }],
            otherwise: names.explain,
            assign: {
                step: names.training,
                errorName: "SageMaker.TrainingJobStopped",
                errorCause: jsonata`$string(${job})`,
            },
        }),
        new LambdaInvoke(names.register, {
            functionArn: targets.functions.register,
            payload: {
                model,
                key,
                job,
                outputPath: run.output_path,
                prefix: options.prefix,
                execution: states.context.Execution.Name,
            },
            retry: [LAMBDA_RETRY, REGISTER_RETRY],
            timeoutSeconds: FUNCTION_SECONDS,
            // The function's own words: an answer without them is a failure, not a trained model.
            output: { member: model, outcome: registered.outcome, jobName: registered.jobName, billed },
            catch: [{ output: {}, assign: failedAt(names.register), next: names.explain }],
        }),
        classifyError({
            name: names.explain,
            loop: "",
            functionArn: targets.functions.errorCause,
            step,
            model,
            spot,
            outputPath: null,
            maximumReason,
            next: names.decide,
            failed: { next: names.fail, also: { billed: jsonata`${unbilled} = '' ? ${billed} : ${bill()}` } },
            assign: {
                jobs: jsonata`[${jobs}, ${answer().jobName}]`,
                billed: jsonata`${unbilled} = '' ? ${billed} : ${bill(answer().billableSeconds)}`,
                unbilled: "",
            },
        }),
        new Choice(names.decide, { rules: retryRules, otherwise: names.fail }),
        new Wait(names.waitForCapacity, { seconds: CAPACITY_WAIT_SECONDS, next: names.guard }),
        pauseState(names.pause, "", names.guard),
        new Fail(names.fail, {
            error: text(errorClass),
            cause: jsonata`$string(${{
                member: model,
                step,
                class: errorClass,
                reason,
                attempts: attempt,
                startedAt,
                billed,
                jobs,
            }})`,
        }),
    ];
    return new Parallel(name, {
        comment: `budget-seconds: ${modelBound(settings)}`,
        branches: [branch],
        output: options.output ?? at(states.result<readonly MemberOutcome[]>(), 0),
        assign: options.assign,
        next: options.next,
        catch: options.failed,
    });
}

function answer(): Handle<{ readonly jobName: string; readonly billableSeconds: number }> {
    return states.result<{ Payload: { jobName: string; billableSeconds: number } }>().Payload;
}

/** What is kept of SageMaker's description, which alone may have 100 KB. What is missing in it stays out. */
function trimmedJob(): Expression<TrainedJob> {
    const kept = [
        "TrainingJobName",
        "TrainingJobStatus",
        "SecondaryStatus",
        "FailureReason",
        "ModelArtifacts",
        "BillableTimeInSeconds",
    ];
    return jsonata`$merge([$sift(${states.result()}, function($v, $k) {$k in ${kept}})])`;
}

/** Of a training that has ended: no value where it ran and SageMaker does not say how long. */
function billableSeconds(): Expression<number> {
    return jsonata`${states.result()}.($exists(BillableTimeInSeconds) ? BillableTimeInSeconds : $not($exists(TrainingStartTime)) ? 0)`;
}

function checkModel(model: string, settings: ModelSettings): void {
    const wrong = (what: string): never => {
        throw new Error(`model "${model}": ${what}`);
    };
    if (settings.capacity.length === 0) {
        wrong("capacity is empty; expected at least one { instanceType, spot }");
    }
    const least = settings.maxRuntimeSeconds + OVERHEAD_SECONDS;
    if (settings.budgetSeconds < least) {
        wrong(
            `budgetSeconds is ${settings.budgetSeconds}; expected at least ${least}: maxRuntimeSeconds ` +
                `${settings.maxRuntimeSeconds} and ` +
                `${OVERHEAD_SECONDS} for instances, image and data, else a training can never use its own limit`,
        );
    }
    if (settings.container.image.length > 255) {
        wrong(`the image's name has ${settings.container.image.length} characters; SageMaker takes 255`);
    }
}
