/** Deploys the training of the ensemble: the package's component with models of one's own. */
import { EnsembleTraining, surroundings } from "@ensemble-training/pulumi";
import { models } from "./models";

export = async () => {
    const training = new EnsembleTraining("tabular", { ...(await surroundings()), models });
    // The next deployment reads `releases`: executions that still run keep their functions.
    return { ...training.outputs, releases: training.releases };
};
