/** What the commands share: errors as one line, files, and a stage's evaluation. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readJson as parseJson } from "../asl/analysis";
import { EXIT, explain, ToolError } from "../ground/errors";
import {
    currentProject,
    evaluateStage,
    LOCAL_IDENTITY,
    projectName,
    readStackConfig,
    type EvaluatedStage,
} from "../project/evaluate";
import { decodeConfig, loadStageConfig, type StageConfig } from "../stacks/config";
import { explainSdkError } from "./aws/errors";

/**
 * Runs a command's work so that what its user can solve is one clear line: mistakes end with 2, AWS and this machine
 * with 3.
 * @param doing what is tried, for example `start an execution`.
 */
export async function guarded<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        throw explainSdkError(explain(error, `Cannot ${doing}`), doing);
    }
}

/** @throws ToolError naming the option, the file and what is wrong with it. */
function readText(file: string, option: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch (error) {
        const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
        throw new ToolError(`${option} ${file}: ${missing ? "no such file" : (error as Error).message}`, EXIT.usage);
    }
}

/** @throws ToolError as {@link readText}, and with line and column where the text is no JSON or has a key twice. */
export function readJson(file: string, option: string): unknown {
    const {
        value,
        problems: [problem],
    } = parseJson(readText(file, option));
    if (problem !== undefined) {
        throw new ToolError(`${option} ${file}:${problem.line}:${problem.column}: ${problem.message}`, EXIT.usage);
    }
    return value;
}

/**
 * Writes a file whole or not at all: beside its place, then renamed. What is no plain file (a pipe, a device) is
 * written to directly.
 * @throws ToolError where the file cannot be written.
 */
export function writeText(file: string, text: string, option: string): void {
    const plain = statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
    const temporary = plain ? `${file}.part-${process.pid}` : file;
    try {
        writeFileSync(temporary, text);
        if (plain) {
            renameSync(temporary, file);
        }
    } catch (error) {
        if (plain) {
            rmSync(temporary, { force: true });
        }
        throw new ToolError(`${option} ${file}: cannot be written: ${(error as Error).message}`, EXIT.usage);
    }
}

export interface StageFacts {
    /** Name of the stage's state machine, as it is or would be deployed. */
    readonly stateMachine: string;
    readonly region: string;
    /** Only of this checkout's own program; a program that uses the package has a configuration of its own. */
    readonly config?: StageConfig;
}

/**
 * The region that a stage's configuration names.
 * @throws ToolError where there is no such stage.
 */
export function regionOf(stage: string): string {
    try {
        return readStackConfig(stage)["aws:region"] ?? LOCAL_IDENTITY.region;
    } catch (error) {
        throw new ToolError((error as Error).message, EXIT.usage);
    }
}

/**
 * What a stage's configuration says about where it is; only another project's program has to be run for it.
 * @throws ToolError with all problems of the configuration.
 */
export async function stageFacts(stage: string): Promise<StageFacts> {
    const region = regionOf(stage);
    if (currentProject().configured !== true) {
        return { stateMachine: (await evaluated(stage)).stateMachine.name, region };
    }
    try {
        const config = loadStageConfig(stage, decodeConfig(readStackConfig(stage), projectName()));
        return { stateMachine: `${config.service}-model-training-${stage}`, region, config };
    } catch (error) {
        throw new ToolError((error as Error).message, EXIT.usage);
    }
}

/**
 * Evaluates a stage in the region of its configuration.
 * @param account twelve digits; the names and ARNs of a stage that is not deployed are those of a made-up account.
 * @throws ToolError with the program's own words: mistakes in the configuration, refused definitions.
 */
export async function evaluated(stage: string, account: string = LOCAL_IDENTITY.account): Promise<EvaluatedStage> {
    const region = regionOf(stage);
    try {
        return await evaluateStage(stage, { identity: { ...LOCAL_IDENTITY, region, account } });
    } catch (error) {
        throw new ToolError((error as Error).message, EXIT.usage);
    }
}
