/** What parts of a stage's configuration must be beside each other. Pure; the loader says all of it at once. */
import { closest } from "fastest-levenshtein";
import { hasGraphicsCard } from "../ground/instanceTypes";
import { JOB_SECONDS } from "../workflow";
import { hyperparameterConflicts, readHyperparameter } from "../workflow/hyperparameterRules";
import type { ModelConfig, StageConfig } from "./config";
import { type EnsembleSpec, hyperparametersOf, modelsOf, type ModelSpec } from "./models";

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

/** Something that does not fit, where, and the value found there. */
export interface Misfit {
    readonly path: readonly (string | number)[];
    /** In the form `expected ...`. */
    readonly message: string;
}

type Judged = Pick<StageConfig, "models" | "retention">;

/** Everything that does not fit; each part by itself is right. */
export function misfits(config: Judged, ensemble: EnsembleSpec): Misfit[] {
    const models = modelsOf(ensemble).flatMap(([name, spec]) => {
        const model = config.models[name];
        return [
            ...hyperparameterMisfits(model, spec, ensemble),
            ...metricMisfits(model, spec),
            ...processorMisfits(model, spec),
        ].map(({ path, message }) => ({ path: ["models", name, ...path], message }));
    });
    return [...models, ...retentionMisfits(config, ensemble)];
}

function hyperparameterMisfits(model: ModelConfig, spec: ModelSpec, ensemble: EnsembleSpec): Misfit[] {
    const { schema } = hyperparametersOf(spec);
    const read = Object.entries(model.hyperparameters).map(([name, value]) => readHyperparameter(value, schema[name]));
    if (read.some((one) => "expected" in one)) {
        // that one is told already, and what follows from it would hide it
        return [];
    }
    return hyperparameterConflicts(model.hyperparameters, schema, Object.keys(ensemble.members)).map(
        ({ name, expected }) => ({ path: ["hyperparameters", name], message: `expected ${expected}` }),
    );
}

function metricMisfits(model: ModelConfig, spec: ModelSpec): Misfit[] {
    const { metrics } = spec;
    if (metrics === undefined) {
        return [];
    }
    const path = (name: string) => ["minimumMetrics", name];
    return Object.entries(model.minimumMetrics).flatMap(([name, bound]) => {
        if (!metrics.includes(name)) {
            const advice = `did you mean "${closest(name, [...metrics])}"?`;
            return [{ path: path(name), message: `expected one of ${metrics.join(", ")}; ${advice}` }];
        }
        return bound > 1
            ? [{ path: path(name), message: "expected at most 1: it is a share, and nothing would ever be published" }]
            : [];
    });
}

function processorMisfits(model: ModelConfig, { container }: ModelSpec): Misfit[] {
    if (model.image !== undefined || !("framework" in container) || container.framework !== "tensorflowCpu") {
        return [];
    }
    return model.capacity.flatMap(({ instanceType }, index) =>
        hasGraphicsCard(instanceType)
            ? [
                  {
                      path: ["capacity", index, "instanceType"],
                      message:
                          "expected a type without graphics card: the container is TensorFlow's for the CPU, which " +
                          "leaves a card unused; give the model an `image` for it, or take ml.m6i.large",
                  },
              ]
            : [],
    );
}

/** The longest that an execution may take, in seconds: its jobs, its longest member and its combiner. */
function longestRun(models: StageConfig["models"], ensemble: EnsembleSpec): number {
    const jobs = Object.values(JOB_SECONDS).reduce((sum, seconds) => sum + seconds, 0);
    const members = Object.keys(ensemble.members).map((name) => models[name].maxHours);
    return jobs + HOUR_SECONDS * (Math.max(...members) + models[ensemble.combiner.name].maxHours);
}

function retentionMisfits({ models, retention }: Judged, ensemble: EnsembleSpec): Misfit[] {
    const least = Math.ceil(longestRun(models, ensemble) / DAY_SECONDS);
    return (["runDays", "checkpointDays", "logDays"] as const)
        .filter((name) => retention[name] < least)
        .map((name) => ({
            path: ["retention", name],
            message:
                `expected at least ${least}: an execution may run that many days (maxHours of its models and its ` +
                "jobs), and must find what it wrote",
        }));
}
