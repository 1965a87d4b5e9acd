/**
 * What a run would reuse, found out by Setup's own code on the stage's real bucket, and what earlier runs took; nothing
 * is written there.
 */
import { SFNClient, paginateListExecutions, type HistoryEvent } from "@aws-sdk/client-sfn";
import { visitsOf } from "../../asl/history";
import type { StateMachineDefinition } from "../../asl/types";
import { statesIn } from "../../asl/walk";
import { defined } from "../../ground/fields";
import { joinS3 } from "../../ground/s3Address";
import { median } from "../../pricing/expected";
import type { Run, StageSettings, StoredObject, TrainedModel } from "../../workflow/contract";
import { readTrained } from "../../workloads/common/artifacts";
import type { Plan as WrittenPlan } from "../../workloads/common/plan";
import { createS3, Storage } from "../../workloads/common/storage";
import { setup } from "../../workloads/functions/setup";
import { findStage } from "../aws/executions";
import { historyOf } from "../aws/history";
import { explainSdkError } from "../aws/errors";

/** How many of a model's newest trainings say what it usually takes. */
const TRAININGS = 5;

/** Setup writes markers and its plan: here it only reads, and the plan is kept. */
class ReadingStorage extends Storage {
    plan: WrittenPlan | undefined;

    override put(uri: string, body: string | Uint8Array): Promise<StoredObject> {
        if (uri.endsWith("/plan.json")) {
            this.plan = JSON.parse(String(body)) as WrittenPlan;
        }
        return Promise.resolve({ uri, bytes: Buffer.byteLength(body), etag: "" });
    }
}

/** What the earlier trainings of a model took. */
export interface EarlierTrainings {
    /** Billable seconds of one instance: the median. */
    readonly seconds: number;
    readonly count: number;
    /** Day of the newest. */
    readonly newest: string;
    /** What the newest stored. */
    readonly bytes: number;
}

/** What the newest execution that succeeded took. */
export interface EarlierExecution {
    readonly name: string;
    readonly transitions: number;
    /** Seconds of each Batch job by its name without the content hash; a job that did not run is missing. */
    readonly jobs: Readonly<Record<string, number>>;
}

export interface Reuse {
    /** A line a model, or one with the reason why nothing is known. */
    readonly lines: readonly string[];
    /** What Setup would answer, and the data that it found; undefined where that is not known. */
    readonly run?: Run;
    readonly data?: { readonly objects: number; readonly bytes: number };
    readonly trainings: Readonly<Record<string, EarlierTrainings>>;
    readonly execution?: EarlierExecution;
}

export interface ReuseOptions {
    /** Name of the stage's state machine. */
    readonly stateMachine: string;
    readonly region: string;
    /** Of Step Functions; default AWS's. */
    readonly endpoint?: string;
    readonly input: unknown;
}

/**
 * What Setup would decide for each model and why, and what earlier runs took; or one line with the reason why that is
 * not known. The deployed stage's settings count, since a running stage decides by those.
 */
export async function reuseOf({ stateMachine, region, endpoint, input }: ReuseOptions): Promise<Reuse> {
    const requestHandler = { connectionTimeout: 3_000, requestTimeout: 10_000 };
    const client = new SFNClient({ region, endpoint, maxAttempts: 2, requestHandler });
    const s3 = createS3({ region, maxAttempts: 2 });
    const storage = new ReadingStorage(s3);
    try {
        const { stateMachineArn, settings, definition } = await findStage(client, stateMachine);
        const run = await setup(
            {
                settings,
                input,
                execution: {
                    arn: `${stateMachineArn.replace(":stateMachine:", ":execution:")}:plan`,
                    name: "plan",
                    startTime: new Date().toISOString(),
                    redriveCount: 0,
                },
            },
            { storage, print: () => undefined },
        );
        const { plan } = storage;
        return defined({
            lines: [...Object.entries(run.members), [settings.combiner.name, run.combiner] as const].map(
                ([name, { reason }]) => `${name}: ${reason}`,
            ),
            run,
            data: plan === undefined ? undefined : { objects: plan.data.objects, bytes: plan.data.bytes },
            trainings: plan === undefined ? {} : await earlierTrainings(storage, plan.target, settings),
            ...(await earlierExecution(client, stateMachineArn, definition)),
        });
    } catch (error) {
        const told = explainSdkError(error, "look into the stage's bucket");
        return {
            lines: [
                `not known: ${told.message
                    .split("\n")
                    .map((line) => line.trim())
                    .join(" ")}`,
            ],
            trainings: {},
        };
    } finally {
        client.destroy();
        s3.destroy();
    }
}

/** The stage's markers say what its trainings were billed for. */
async function earlierTrainings(
    storage: Storage,
    target: string,
    settings: StageSettings,
): Promise<Record<string, EarlierTrainings>> {
    const found: Record<string, EarlierTrainings> = {};
    for (const model of [...Object.keys(settings.members), settings.combiner.name]) {
        const folder = joinS3(target, "trained", model);
        const markers: { readonly key: string; readonly modified: Date }[] = [];
        for await (const { key, modified } of storage.list(folder)) {
            markers.push({ key, modified });
        }
        markers.sort((a, b) => b.modified.getTime() - a.modified.getTime());
        const trained: (TrainedModel & { readonly billableSeconds: number })[] = [];
        for (const { key } of markers.slice(0, TRAININGS)) {
            // a marker that cannot be read is Setup's to complain about
            const marker = await readTrained(storage, joinS3(folder, key)).catch(() => undefined);
            if (marker?.billableSeconds !== undefined) {
                trained.push({ ...marker, billableSeconds: marker.billableSeconds });
            }
        }
        if (trained.length > 0) {
            const days = trained.map(({ trainedAt }) => trainedAt.slice(0, 10)).sort();
            found[model] = {
                seconds: median(trained.map(({ billableSeconds }) => billableSeconds)),
                count: trained.length,
                newest: String(days.at(-1)),
                bytes: trained[0].artifacts.model.bytes + trained[0].artifacts.output.bytes,
            };
        }
    }
    return found;
}

/** The newest execution that succeeded; nothing where there is none, or where the stage's history may not be read. */
async function earlierExecution(
    client: SFNClient,
    stateMachineArn: string,
    definition: StateMachineDefinition,
): Promise<{ readonly execution?: EarlierExecution }> {
    try {
        const succeeded = { stateMachineArn, statusFilter: "SUCCEEDED" as const };
        for await (const page of paginateListExecutions({ client, pageSize: 100 }, succeeded)) {
            const newest = page.executions?.[0];
            if (newest?.executionArn !== undefined) {
                const events = await historyOf(client, newest.executionArn);
                return { execution: { name: String(newest.name), ...counted(events, jobStates(definition)) } };
            }
        }
    } catch {
        // reading histories needs a permission of its own, and the plan does without
    }
    return {};
}

/** How often states were entered, and what the Batch jobs took from their start on. */
function counted(events: readonly HistoryEvent[], jobs: ReadonlyMap<string, string>): Omit<EarlierExecution, "name"> {
    const visits = visitsOf(events, "SUCCEEDED");
    const seconds: Record<string, number> = {};
    for (const { state, type, from, to } of visits) {
        const job = type === "Task" ? jobs.get(state) : undefined;
        if (job !== undefined) {
            seconds[job] = (seconds[job] ?? 0) + (to - from) / 1000;
        }
    }
    return { transitions: visits.length, jobs: seconds };
}

/** The states that run a Batch job, with the job's name. */
function jobStates(definition: StateMachineDefinition): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const { name, state } of statesIn(definition)) {
        if (state.Type === "Task" && state.Resource.includes("batch:submitJob")) {
            const { JobDefinition: job } = (state.Arguments ?? {}) as { readonly JobDefinition?: unknown };
            found.set(name, bareJob(String(job)));
        }
    }
    return found;
}

/**
 * Name of a job definition without ARN, revision and the content hash that it ends in, which tells a reader nothing.
 */
export function bareJob(definition: string): string {
    return (definition.split("/").at(-1) ?? definition).replace(/:\d+$/, "").replace(/-[0-9a-f]{6,}$/, "");
}
