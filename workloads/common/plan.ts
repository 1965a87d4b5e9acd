/**
 * `runs/<execution>/plan.json`: what Setup decided, for everything that runs later and for people.
 */
import { joinS3 } from "../../ground/s3Address";
import type { StoredObject } from "../../workflow/contract";
import { DataError } from "./errors";
import type { Storage } from "./storage";

export interface Plan {
    readonly format: 1;
    readonly service: string;
    readonly stage: string;
    readonly execution: {
        readonly arn: string;
        readonly name: string;
        readonly startTime: string;
        readonly redriveCount: number;
    };
    readonly target: string;
    readonly data: PlannedData;
    readonly members: Readonly<Record<string, PlannedMember>>;
    readonly combiner: PlannedModel & { readonly name: string };
    readonly output_artifact_paths: Readonly<Record<string, string>>;
    /** What was not checked, or given without effect. */
    readonly notes: readonly string[];
}

export interface PlannedData {
    readonly source: string;
    /** Identity of the data by its checksums. */
    readonly hash: string;
    /** Identity of its listing: while it is the same, nobody has written there since. */
    readonly listing: string;
    readonly objects: number;
    readonly bytes: number;
    /** Files that are a channel of their own, relative to `source`. */
    readonly channelFiles: readonly string[];
}

export interface PlannedModel {
    readonly action: "train" | "reuse" | "skip";
    readonly reason: string;
    readonly key: string;
    /** What the key is made of. */
    readonly identity: Readonly<Record<string, unknown>>;
    readonly instances: readonly { readonly instanceType: string; readonly spot: boolean; readonly count: number }[];
    readonly maxRuntimeSeconds: number;
    readonly budgetSeconds: number;
}

export interface PlannedMember extends PlannedModel {
    readonly required: boolean;
    readonly mergeParameter: string;
    readonly publishParameter: string;
    /** An existing model that the fetch job brings in. */
    readonly given?: GivenModel;
}

export interface GivenModel {
    readonly prefix: string;
    readonly jobName: string;
    readonly execution: string;
    readonly trainedAt: string;
    readonly artifacts: { readonly model: StoredObject; readonly output: StoredObject };
}

/** `raw_data/manifest.json`: the last file of the fetch job. */
export interface FetchManifest {
    readonly format: 1;
    readonly job: "fetch";
    readonly source: string;
    /** Identity of the data by its checksums, whatever was written into its copy. */
    readonly data: string;
    /** Identity of this folder's listing. */
    readonly content: string;
    readonly objects: number;
    readonly bytes: number;
    readonly stacks: number;
    readonly pages: number;
    readonly testStacks: number;
    /** How many stacks had no split and got one from the seed. */
    readonly drawnStacks: number;
    readonly seed: number;
    readonly testShare: number;
}

/** The plan below an execution's prefix; undefined where a job runs without a Setup. */
export async function readPlan(storage: Storage, run: string): Promise<Plan | undefined> {
    const uri = joinS3(run, "plan.json");
    const plan = (await storage.json(uri)) as Plan | undefined;
    if (plan !== undefined && plan.format !== 1) {
        throw new DataError(
            `${uri} has format ${JSON.stringify(plan.format)}, expected 1: run jobs and functions of one version`,
        );
    }
    return plan;
}
