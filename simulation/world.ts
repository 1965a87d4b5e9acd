/** What an execution leaves behind in the simulated AWS. */
import type { JsonObject } from "../asl/types";
import type { Run } from "../workflow/contract";

export interface Message {
    readonly subject: string;
    readonly message: string;
    /** Tells of a failure, not of a success. */
    readonly failure: boolean;
    readonly attributes: Readonly<Record<string, string>>;
}

/** What is left of an execution in AWS. */
export interface World {
    readonly jobNames: string[];
    readonly running: Set<string>;
    readonly stopped: string[];
    readonly messages: Message[];
    /** Models that can be had: trained now, or reused, or given. */
    readonly models: Set<string>;
    published: boolean;
    /** The longest JSON that went in or out of a task, in bytes. */
    largest: number;
    /** Tasks that were started, by state. */
    readonly starts: Map<string, number>;
    /** Arguments of the training jobs, in order. */
    readonly trainings: JsonObject[];
    readonly registered: JsonObject[];
    readonly merged: JsonObject[];
    /** What was registered in this execution, by client token. */
    readonly packages: Map<string, JsonObject>;
}

/** Nothing has happened yet; models that this run does not train are there. @param combiner its model's name. */
export function newWorld(run: Run, combiner: string): World {
    const models = Object.entries({ ...run.members, [combiner]: run.combiner });
    return {
        jobNames: [],
        running: new Set(),
        stopped: [],
        messages: [],
        models: new Set(models.filter(([, { action }]) => action !== "train").map(([name]) => name)),
        published: false,
        largest: 0,
        starts: new Map(),
        trainings: [],
        registered: [],
        merged: [],
        packages: new Map(),
    };
}
