/** The Pulumi program as a function: a stage's configuration in, its stack outputs out. */
import * as pulumi from "@pulumi/pulumi";
import { callerIdentity } from "../components/identity";
import type { Identity } from "../components/names";
import { ConfigError, decodeConfig, loadStageConfig, type StageConfig } from "./config";
import { locating, namespaceProblems } from "./configFile";
import { EnsembleTraining } from "./stage";
import { previousReleases, type Releases } from "./releases";

/** The validated configuration of the stack that the program runs for. */
function stageConfig(): StageConfig {
    const values = pulumi.runtime.allConfig();
    const problems = namespaceProblems(Object.keys(values), pulumi.getProject());
    if (problems.length > 0) {
        throw new ConfigError(problems);
    }
    return loadStageConfig(pulumi.getStack(), decodeConfig(values, pulumi.getProject()));
}

/**
 * What an {@link EnsembleTraining} must know before it declares anything: whose account and which region this is, and
 * what the stack's last deployment left (its output `releases`).
 */
export async function surroundings(): Promise<{ readonly identity: Identity; readonly before: Releases }> {
    return { identity: await callerIdentity(), before: await previousReleases() };
}

/** Declares the stage of the current stack; what it returns are the stack's outputs. */
export async function program(): Promise<Record<string, unknown>> {
    const { stage, ...settings } = stageConfig();
    const { outputs, releases } = new EnsembleTraining(settings.service, {
        ...(await surroundings()),
        stage,
        settings,
    });
    const { modelImages, ...names } = outputs;
    return { ...names, textImage: modelImages.text, releases };
}

/** The program as Pulumi runs it, in the project's folder: what is wrong with the configuration is told by line. */
export function stackProgram(): Promise<Record<string, unknown>> {
    return locating(process.cwd(), pulumi.getStack(), program);
}
