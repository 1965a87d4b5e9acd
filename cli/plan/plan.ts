/** What a run of a stage consists of, needs and can cost, before anything runs. Pure. */
import { MAXIMUM_TRANSITIONS } from "../../ground/awsLimits";
import { trainingQuota } from "../../ground/awsNames";
import { defined, present } from "../../ground/fields";
import { judgeBudget, worstCaseBill, type BatchJobBound, type Bill, type BudgetVerdict } from "../../pricing/bill";
import { expectedBill, type ExpectedBill, type ExpectedInput, type Usual } from "../../pricing/expected";
import type { Prices } from "../../pricing/prices";
import type { EvaluatedStage } from "../../project/evaluate";
import type { Hyperparameters, ModelRun, ModelSettings, StageSettings } from "../../workflow/contract";
import { batchRunBound } from "../../workflow/batchStep";
import { executionBound } from "../../workflow/ensembleTraining";
import { readInput, type CompletedInput, type CompletedModel, type Problem } from "../../workflow/input";
import { bareJob, type Reuse } from "./reuse";

export interface PlannedModel {
    readonly model: string;
    /** `trains` unless the input says otherwise; `reused` only where the stage's bucket was looked into. */
    readonly action: "trains" | "given" | "reused";
    /** In words: why, where that is known; forced, or the path of the given model. */
    readonly note: string;
    /** The ladder, in the order in which it is tried. */
    readonly capacity: readonly string[];
    readonly instances: number;
    /** Longest time of one training job, and of all attempts with their waits, in seconds. */
    readonly jobSeconds: number;
    readonly budgetSeconds: number;
}

/** A quota of SageMaker that the run needs, under the name that Service Quotas gives it. */
export interface NeededQuota {
    readonly quota: string;
    readonly instances: number;
    /** Models that share it; those of one moment are added up. */
    readonly models: readonly string[];
}

export interface Plan {
    readonly format: 1;
    readonly stage: string;
    readonly service: string;
    readonly stateMachine: string;
    readonly models: readonly PlannedModel[];
    readonly bill: Bill;
    /** By the durations of earlier runs, else by the configuration. */
    readonly expected: ExpectedBill;
    /** Longest possible duration in seconds. */
    readonly longestSeconds: number;
    readonly transitions: number;
    readonly quotas: readonly NeededQuota[];
    readonly budget?: { readonly dollars: number } & BudgetVerdict;
    /** What the input changes, a line each; undefined without an input. */
    readonly changes?: readonly string[];
    /** What is known of earlier models: a line a model, or why nothing is known. */
    readonly reuse: readonly string[];
}

export interface PlanInput {
    readonly evaluated: EvaluatedStage;
    readonly settings: StageSettings;
    readonly prices: Prices;
    readonly today: Date;
    /** US dollars that one run may cost. */
    readonly budget?: number;
    /** A valid input; see {@link completed}. */
    readonly input?: CompletedInput;
    readonly reuse: Reuse;
    /** Hours that a training usually takes by model, as the configuration says. */
    readonly expectedHours: Readonly<Record<string, number | undefined>>;
    /** Days until an execution's copies and checkpoints expire. */
    readonly retention: { readonly runDays: number; readonly checkpointDays: number };
}

/** Validates an input for a stage. */
export function completed(
    raw: unknown,
    settings: StageSettings,
): { input?: CompletedInput; problems: readonly Problem[] } {
    return readInput(raw, settings);
}

export function planOf({
    evaluated,
    settings,
    prices,
    today,
    budget,
    input,
    reuse,
    expectedHours,
    retention,
}: PlanInput): Plan {
    const trained = withInput(settings, input);
    const batchJobs = jobBounds(evaluated);
    const { run, data } = reuse;
    const bill = worstCaseBill(
        defined({
            settings: trained,
            batchJobs,
            transitions: MAXIMUM_TRANSITIONS,
            storage:
                data === undefined ? undefined : { copiedBytes: run?.fetch === true ? data.bytes : 0, ...retention },
        }),
        prices,
        today,
    );
    const verdict = budget === undefined ? undefined : judgeBudget(bill, budget);
    return defined({
        format: 1,
        stage: settings.stage,
        service: settings.service,
        stateMachine: evaluated.stateMachine.name,
        models: [
            ...Object.entries(settings.members).map(([name, model]) =>
                planned(name, model, input?.members[name], reuse.run?.members[name]),
            ),
            planned(settings.combiner.name, settings.combiner, input?.combiner, reuse.run?.combiner),
        ],
        bill,
        expected: expectedBill(
            {
                settings: trained,
                batchJobs,
                ...usually({ settings: trained, batchJobs, reuse, expectedHours, retention }),
            },
            prices,
        ),
        longestSeconds: evaluated.stateMachine.definition.TimeoutSeconds ?? executionBound(settings),
        transitions: MAXIMUM_TRANSITIONS,
        quotas: neededQuotas(trained),
        budget: verdict === undefined || budget === undefined ? undefined : { dollars: budget, ...verdict },
        changes: input === undefined ? undefined : changesOf(settings, input),
        reuse: reuse.lines,
    });
}

type UsualInput = Pick<PlanInput, "settings" | "reuse" | "expectedHours" | "retention"> &
    Pick<ExpectedInput, "batchJobs">;
type UsualAmounts = Pick<ExpectedInput, "trainings" | "jobs" | "transitions" | "storage">;

/** What trainings, jobs, transitions and storage of this run usually take, each with who says so. */
function usually({ settings, batchJobs, reuse, expectedHours, retention: { runDays } }: UsualInput): UsualAmounts {
    const { run, data, trainings, execution } = reuse;
    const models = [...Object.keys(settings.members), settings.combiner.name];
    const decided = (model: string) => (model === settings.combiner.name ? run?.combiner : run?.members[model]);
    const training = (model: string): Usual => {
        const decision = decided(model);
        if (decision !== undefined && decision.action !== "train") {
            return { amount: 0, from: "reused" };
        }
        const earlier = trainings[model];
        const hours = expectedHours[model];
        return earlier !== undefined
            ? {
                  amount: earlier.seconds,
                  from:
                      earlier.count === 1
                          ? `as the training of ${earlier.newest}`
                          : `median of ${earlier.count} trainings, the newest of ${earlier.newest}`,
              }
            : hours !== undefined
              ? { amount: hours * 3600, from: "expectedHours" }
              : {
                    unknown:
                        `${run === undefined ? "earlier trainings are not known" : "no earlier training is there"}; ` +
                        `models.${model}.expectedHours is not set`,
                };
    };
    const noHistory =
        run === undefined
            ? "earlier executions are not known"
            : "no execution has succeeded yet, or its history is gone";
    const splits = Object.values(run?.members ?? {}).some(({ split }) => split === "new");
    const job = (item: string): Usual => {
        const seconds = execution?.jobs[item.replace(/^job /, "")];
        return run !== undefined && ((item.endsWith("-fetch") && !run.fetch) || (item.endsWith("-split") && !splits))
            ? { amount: 0, from: "does not run" }
            : seconds === undefined
              ? { unknown: execution === undefined ? noHistory : `execution ${execution.name} did without` }
              : { amount: seconds, from: `as in execution ${execution?.name}` };
    };
    const fresh = models.filter((model) => decided(model)?.action === "train");
    const unseen = fresh.filter((model) => trainings[model] === undefined);
    const copied = run?.fetch === true ? (data?.bytes ?? 0) : 0;
    const gib = fresh.reduce((sum, model) => sum + (trainings[model]?.bytes ?? 0), copied) / 2 ** 30;
    return {
        trainings: Object.fromEntries(models.map((model) => [model, training(model)])),
        jobs: Object.fromEntries(Object.keys(batchJobs).map((item) => [item, job(item)])),
        transitions:
            execution === undefined
                ? { unknown: noHistory }
                : { amount: execution.transitions, from: `as in execution ${execution.name}` },
        storage:
            data === undefined
                ? { gibMonths: { unknown: "the data is not known" }, writes: { unknown: "the data is not known" } }
                : {
                      gibMonths:
                          unseen.length > 0
                              ? { unknown: `how large ${unseen.join(" and ")} become is not known` }
                              : {
                                    amount: (gib * runDays) / 30,
                                    from:
                                        `${gib.toFixed(2)} GiB for ${runDays} days: the copy of the data and what is ` +
                                        "trained",
                                },
                      writes: {
                          amount: run?.fetch === true ? data.objects : 0,
                          from: run?.fetch === true ? "the copy of the data" : "the data is used where it is",
                      },
                  },
    };
}

/** The settings with the input's ladders, and without the members that it does not train. */
function withInput(settings: StageSettings, input: CompletedInput | undefined): StageSettings {
    return input === undefined
        ? settings
        : {
              ...settings,
              members: Object.fromEntries(
                  Object.entries(settings.members)
                      .filter(([name]) => input.members[name].train)
                      .map(([name, member]) => [name, { ...member, capacity: input.members[name].capacity }]),
              ),
              combiner: { ...settings.combiner, capacity: input.combiner.capacity },
          };
}

function planned(
    model: string,
    settings: ModelSettings,
    wanted: CompletedModel | undefined,
    decided: ModelRun | undefined,
): PlannedModel {
    const capacity = wanted?.capacity ?? settings.capacity;
    return {
        model,
        action: wanted?.train === false ? "given" : decided?.action === "reuse" ? "reused" : "trains",
        note:
            wanted?.given ??
            decided?.reason.replace(/^(trains|reused): /, "") ??
            (wanted?.forced === true ? "forced, even where the same model exists" : ""),
        capacity: capacity.map(({ instanceType, spot }) => `${instanceType}${spot ? " (Spot)" : ""}`),
        instances: settings.instanceCount,
        jobSeconds: settings.maxRuntimeSeconds,
        budgetSeconds: settings.budgetSeconds,
    };
}

/** A job's bound: all its attempts, on the size that it asks for. */
function jobBounds({ jobDefinitions }: EvaluatedStage): Record<string, BatchJobBound> {
    return Object.fromEntries(
        jobDefinitions.map(({ name, containerProperties, timeoutSeconds }) => {
            const asked = (containerProperties.resourceRequirements ?? []) as readonly {
                type: string;
                value: string;
            }[];
            const amount = (type: string) => Number(asked.find((requirement) => requirement.type === type)?.value ?? 0);
            return [
                `job ${bareJob(name)}`,
                {
                    seconds: batchRunBound(name, timeoutSeconds),
                    vcpu: amount("VCPU"),
                    gib: amount("MEMORY") / 1024,
                },
            ];
        }),
    );
}

/** The members train at the same time, the combiner after them: the larger need of the two moments counts. */
function neededQuotas(settings: StageSettings): NeededQuota[] {
    const members = needs(Object.entries(settings.members));
    const combiner = needs([[settings.combiner.name, settings.combiner]]);
    return [...new Set([...members.keys(), ...combiner.keys()])].sort().map((quota) => {
        const [first, second] = [members.get(quota), combiner.get(quota)];
        return {
            quota,
            instances: Math.max(first?.instances ?? 0, second?.instances ?? 0),
            models: [...(first?.models ?? []), ...(second?.models ?? [])],
        };
    });
}

function needs(
    models: readonly (readonly [string, ModelSettings])[],
): Map<string, { instances: number; models: string[] }> {
    const found = new Map<string, { instances: number; models: string[] }>();
    for (const [name, model] of models) {
        for (const { instanceType, spot } of model.capacity) {
            const quota = trainingQuota(instanceType, spot);
            const entry = found.get(quota) ?? { instances: 0, models: [] };
            found.set(quota, { instances: entry.instances + model.instanceCount, models: [...entry.models, name] });
        }
    }
    return found;
}

function changesOf(settings: StageSettings, input: CompletedInput): string[] {
    const models: [string, ModelSettings, CompletedModel][] = [
        ...Object.entries(settings.members).map(
            ([name, model]) => [name, model, input.members[name]] satisfies [string, ModelSettings, CompletedModel],
        ),
        [settings.combiner.name, settings.combiner, input.combiner],
    ];
    const lines = models.flatMap(([name, model, wanted]) =>
        present([
            !wanted.train ? `${name}: not trained, ${wanted.given ?? "an existing model"} is used` : undefined,
            wanted.forced ? `${name}: trained even where the same model exists` : undefined,
            wanted.capacity[0]?.instanceType !== model.capacity[0]?.instanceType
                ? `${name}: first tried on ${wanted.capacity[0].instanceType} instead of ` +
                  `${model.capacity[0]?.instanceType}`
                : undefined,
            ...hyperparameterChanges(model.hyperparameters, wanted.hyperparameters).map(
                (change) => `${name}: ${change}`,
            ),
        ]),
    );
    return present([
        `data: ${input.dataPath}${input.fetchData ? "" : ", used where it is"}`,
        input.target === settings.artifactBase
            ? undefined
            : `writes below ${input.target} instead of ${settings.artifactBase}`,
        input.generateSplit || input.splitPath === undefined ? undefined : `split set: ${input.splitPath}`,
        ...lines,
        ...input.notes.map((note) => `note: ${note}`),
    ]);
}

function hyperparameterChanges(before: Hyperparameters, after: Hyperparameters): string[] {
    return Object.keys(after)
        .filter((name) => after[name] !== before[name])
        .sort()
        .map((name) => `${name} ${before[name] ?? "nothing"} -> ${after[name]}`);
}
