/** What a run of a stage consists of, needs and can cost, before anything runs. Pure. */
import { judgeBudget, worstCaseBill, type BatchJobBound, type Bill, type BudgetVerdict } from "../../pricing/bill";
import type { Prices } from "../../pricing/prices";
import type { EvaluatedStage } from "../../stacks/evaluate";
import type { Hyperparameters, ModelSettings, StageSettings } from "../../workflow/contract";
import { executionBound } from "../../workflow/ensembleTraining";
import { readInput, type CompletedInput, type CompletedModel, type Problem } from "../../workflow/input";

/** AWS ends an execution at its 25,000th event, and every transition writes at least two. */
export const MOST_TRANSITIONS = 12_500;

export interface PlannedModel {
    readonly model: string;
    /** `trains` unless the input says otherwise; what exists already is known only with the stage's bucket. */
    readonly action: "trains" | "given";
    /** In words: forced, or the path of the given model. */
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
    readonly reuse: readonly string[];
}

/** Validates an input for a stage. */
export function completed(raw: unknown, settings: StageSettings): { input?: CompletedInput; problems: readonly Problem[] } {
    return readInput(raw, settings);
}

export function planOf({ evaluated, settings, prices, today, budget, input, reuse }: PlanInput): Plan {
    const trained = withInput(settings, input);
    const bill = worstCaseBill({ settings: trained, batchJobs: jobBounds(evaluated), transitions: MOST_TRANSITIONS }, prices, today);
    const verdict = budget === undefined ? undefined : judgeBudget(bill, budget);
    return {
        format: 1,
        stage: settings.stage,
        service: settings.service,
        stateMachine: evaluated.stateMachine.name,
        models: [
            ...Object.entries(settings.members).map(([name, model]) => planned(name, model, input?.members[name])),
            planned(settings.combiner.name, settings.combiner, input?.combiner),
        ],
        bill,
        longestSeconds: executionBound(settings),
        transitions: MOST_TRANSITIONS,
        quotas: neededQuotas(trained),
        ...verdict === undefined || budget === undefined ? {} : { budget: { dollars: budget, ...verdict } },
        ...input === undefined ? {} : { changes: changesOf(settings, input) },
        reuse,
    };
}

/** The settings with the input's ladders, and without the members that it does not train. */
function withInput(settings: StageSettings, input: CompletedInput | undefined): StageSettings {
    return input === undefined ? settings : {
        ...settings,
        members: Object.fromEntries(Object.entries(settings.members).filter(([name]) => input.members[name].train)
            .map(([name, member]) => [name, { ...member, capacity: input.members[name].capacity }])),
        combiner: { ...settings.combiner, capacity: input.combiner.capacity },
    };
}

function planned(model: string, settings: ModelSettings, wanted: CompletedModel | undefined): PlannedModel {
    const capacity = wanted?.capacity ?? settings.capacity;
    return {
        model,
        action: wanted?.train === false ? "given" : "trains",
        note: wanted?.given ?? (wanted?.forced === true ? "forced, even where the same model exists" : ""),
        capacity: capacity.map(({ instanceType, spot }) => `${instanceType}${spot ? " (Spot)" : ""}`),
        instances: settings.instanceCount,
        jobSeconds: settings.maxRuntimeSeconds,
        budgetSeconds: settings.budgetSeconds,
    };
}

/** A job's bound as the stage registers it: time-out times attempts, on the size that it asks for. */
export function jobBounds({ jobDefinitions }: EvaluatedStage): Record<string, BatchJobBound> {
    return Object.fromEntries(jobDefinitions.map(({ name, containerProperties, timeoutSeconds, attempts }) => {
        const asked = (containerProperties.resourceRequirements ?? []) as readonly { type: string; value: string }[];
        const amount = (type: string) => Number(asked.find((requirement) => requirement.type === type)?.value ?? 0);
        // the name ends in a content hash, which tells a reader nothing
        const item = `job ${name.replace(/-[0-9a-f]{6,}$/, "")}`;
        return [item, { seconds: timeoutSeconds * attempts, vcpu: amount("VCPU"), gib: amount("MEMORY") / 1024 }];
    }));
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
            models: [...first?.models ?? [], ...second?.models ?? []],
        };
    });
}

function needs(models: readonly (readonly [string, ModelSettings])[]): Map<string, { instances: number; models: string[] }> {
    const found = new Map<string, { instances: number; models: string[] }>();
    for (const [name, model] of models) {
        for (const { instanceType, spot } of model.capacity) {
            const quota = `${instanceType} for ${spot ? "spot training job" : "training job"} usage`;
            const entry = found.get(quota) ?? { instances: 0, models: [] };
            found.set(quota, { instances: entry.instances + model.instanceCount, models: [...entry.models, name] });
        }
    }
    return found;
}

function changesOf(settings: StageSettings, input: CompletedInput): string[] {
    const models: [string, ModelSettings, CompletedModel][] = [
        ...Object.entries(settings.members).map(([name, model]) =>
            [name, model, input.members[name]] satisfies [string, ModelSettings, CompletedModel]),
        [settings.combiner.name, settings.combiner, input.combiner],
    ];
    const lines = models.flatMap(([name, model, wanted]) => [
        ...!wanted.train ? [`${name}: not trained, ${wanted.given ?? "an existing model"} is used`] : [],
        ...wanted.forced ? [`${name}: trained even where the same model exists`] : [],
        ...wanted.capacity[0]?.instanceType !== model.capacity[0]?.instanceType
            ? [`${name}: first tried on ${wanted.capacity[0].instanceType} instead of ${model.capacity[0]?.instanceType}`] : [],
        ...hyperparameterChanges(model.hyperparameters, wanted.hyperparameters).map((change) => `${name}: ${change}`),
    ]);
    return [
        `data: ${input.dataPath}${input.fetchData ? "" : ", used where it is"}`,
        ...input.target === settings.artifactBase ? [] : [`writes below ${input.target} instead of ${settings.artifactBase}`],
        ...input.generateSplit || input.splitPath === undefined ? [] : [`split set: ${input.splitPath}`],
        ...lines,
        ...input.notes.map((note) => `note: ${note}`),
    ];
}

function hyperparameterChanges(before: Hyperparameters, after: Hyperparameters): string[] {
    return Object.keys(after).filter((name) => after[name] !== before[name]).sort()
        .map((name) => `${name} ${before[name] ?? "nothing"} -> ${after[name]}`);
}
