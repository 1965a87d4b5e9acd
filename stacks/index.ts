/**
 * The component: one stage of the training of an ensemble of models on AWS, for a Pulumi program of one's own.
 *
 * ```ts
 * import { EnsembleTraining, surroundings } from "@ensemble-training/pulumi";
 *
 * export = async () => {
 *     const training = new EnsembleTraining("papers", { ...await surroundings(), settings: { testShare: 0.25 } });
 *     return { ...training.outputs, releases: training.releases };
 * };
 * ```
 *
 * @packageDocumentation
 */
export type { ComputeChoice, JobSize } from "../components/batchJobs";
export type { Release } from "../components/functions";
export type { FunctionName, Identity, JobName } from "../components/names";
export type { NetworkChoice } from "../components/network";
export type { PushedImages } from "../components/trainingImage";
export { assertProven, UnprovenDefinitionError } from "../components/proof";
export { ConfigError, type ModelConfig, type StageConfig, type StageOptions } from "./config";
export { EnsembleTraining, type EnsembleTrainingArgs, type EnsembleTrainingOutputs } from "./stage";
export {
    DOCUMENTS,
    type CombinerSpec,
    type ContainerKind,
    type EnsembleSpec,
    type Framework,
    type MemberSpec,
    type ModelSpec,
} from "./models";
export { surroundings } from "./program";
export type { Releases } from "./releases";
export type { Capacity, Channel, HyperparameterRule, Hyperparameters } from "../workflow/contract";
export type { HyperparameterSpec, HyperparameterTable } from "../workflow/hyperparameters";
