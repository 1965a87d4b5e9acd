/**
 * The whole workflow of a project on this machine, as `ensemble local` runs it: the definition that its program
 * declares, with the functions and jobs as processes, the trainings under SageMaker's container contract, and S3 as a
 * local endpoint.
 *
 * @packageDocumentation
 */
import path from "node:path";
import { localRun } from "./run/run";

/** What to run. */
export interface RunLocallyOptions {
    /** Folder of the project, with Pulumi.yaml and Pulumi.<stage>.yaml. */
    readonly root: string;
    /** What the project's program exports: a function that declares the resources and returns the outputs. */
    readonly program: () => unknown;
    /** The stage whose configuration is evaluated. Default `dev`. */
    readonly stage?: string;
    /** Folder with labels.csv and what the members' channels read from `raw_data`. */
    readonly data: string;
    /** Where runs are kept; one run at a time in each. Default: `.local` in the project. */
    readonly folder?: string;
    /** A Python with the trainings' packages and moto[s3,server]. Default: ENSEMBLE_PYTHON, or the project's .venv. */
    readonly python?: string;
    /** Reuse what the last run trained where its content key is the same. Default false. */
    readonly reuse?: boolean;
    /** Told everything that `ensemble local` prints. Default: nothing is printed. */
    readonly print?: (text: string) => void;
    /** Ends the run and all of its processes. */
    readonly signal?: AbortSignal;
}

/** How a run ended. */
export interface LocalResult {
    readonly status: "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
    readonly error?: string;
    readonly cause?: string;
    readonly milliseconds: number;
    /** By model: whether it was trained or reused, and why. */
    readonly models: Readonly<Record<string, { readonly action: string; readonly reason: string }>>;
    /** On the held-out stacks; shares from 0 to 1. */
    readonly metrics: readonly {
        readonly model: string;
        readonly pages: number;
        readonly pageAccuracy: number;
        readonly segmentF1: number;
    }[];
    /** The run's folder: input, history, definition, logs. */
    readonly directory: string;
    /** The published artefacts, where it succeeded. */
    readonly artifacts?: string;
}

/**
 * Runs the workflow once. A failed execution is a result.
 *
 * @throws an error that tells what to do where the program, the data or this machine is not as it must be.
 */
export function runLocally(options: RunLocallyOptions): Promise<LocalResult> {
    const root = path.resolve(options.root);
    const { print = () => undefined } = options;
    return localRun({
        root,
        project: { root, program: options.program },
        stack: options.stage ?? "dev",
        documents: options.data,
        folder: options.folder ?? path.join(root, ".local"),
        python: options.python,
        set: [],
        fail: [],
        keep: false,
        fresh: false,
        reuse: options.reuse ?? false,
        progress: { isTTY: false, write: print },
        signal: options.signal ?? new AbortController().signal,
        onSupervisor: () => undefined,
    });
}
