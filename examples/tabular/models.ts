/** Four models of a table and one that learns from their predictions: one training program, in one image. */
import path from "node:path";
import type { EnsembleSpec, HyperparameterTable, MemberSpec } from "@ensemble-training/pulumi";

const training = {
    container: { kind: "image", image: "tabular" },
    source: path.join(__dirname, "training"),
    capacity: [
        { instanceType: "ml.m5.large", spot: true },
        { instanceType: "ml.m5.large", spot: false },
    ],
    maxRuntimeSeconds: 1_800,
    maxHours: 2,
} as const;

/** Which estimator the program fits; it is part of the model, and so of its content key. */
function estimator(name: string): HyperparameterTable {
    return {
        estimator: { type: "string", values: [name], learning: true, default: name, description: "What is fitted." },
    };
}

function member(name: string, hyperparameters: HyperparameterTable): MemberSpec {
    return {
        ...training,
        channels: [
            { name: "labels", from: "raw_data", path: "labels.csv" },
            { name: "features", from: "raw_data", path: "features.csv" },
        ],
        hyperparameters: { ...estimator(name), ...hyperparameters },
    };
}

export const models: EnsembleSpec = {
    members: {
        logistic: member("logistic", {
            c: {
                type: "number",
                minimum: 0,
                exclusiveMinimum: true,
                learning: true,
                default: 1,
                description: "Inverse strength of regularisation.",
            },
        }),
        forest: member("forest", {
            trees: {
                type: "integer",
                minimum: 1,
                maximum: 2_000,
                learning: true,
                default: 100,
                description: "Number of trees.",
            },
        }),
        boosting: member("boosting", {
            learning_rate: {
                type: "number",
                minimum: 0,
                exclusiveMinimum: true,
                maximum: 1,
                learning: true,
                default: 0.1,
                description: "Of a tree.",
            },
        }),
        // The ensemble goes on without this one.
        neighbours: {
            ...member("neighbours", {
                k: {
                    type: "integer",
                    minimum: 1,
                    maximum: 100,
                    learning: true,
                    default: 15,
                    description: "Neighbours that vote.",
                },
            }),
            required: false,
        },
    },
    combiner: {
        ...training,
        name: "stacking",
        channels: [{ name: "dataframe", from: "dataframe", path: "dataframe.csv" }],
        hyperparameters: estimator("stacking"),
    },
    quorum: 3,
};
