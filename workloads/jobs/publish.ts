/**
 * publish: the finished models in one place, ready to serve, with a manifest of what they are; after the quality gate.
 * `manifest.json` is written last, then the pointer `published/latest.json`. A refused ensemble leaves both as they
 * were, and one of an execution that started before the pointer's leaves the pointer.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import pMap from "p-map";
import { joinS3 } from "../../ground/s3Address";
import type { TrainedModel } from "../../workflow/contract";
import { DataError, InputError, QualityGateError, StorageError, messageOf } from "../common/errors";
import { readPlan } from "../common/plan";
import type { Storage } from "../common/storage";
import { Progress, required } from "./context";
import type { JobContext } from "./context";
import { judge, meanOf, numbersOf } from "./gate";
import type { Gate, Metrics } from "./gate";
import { readFinished, readMembers, unpackArtifact } from "./members";

/** How often others may be faster at the pointer; each attempt reads it anew. */
const MAXIMUM_ATTEMPTS = 10;

/** `ready_to_use_artifacts/manifest.json`. */
export interface Manifest {
    readonly format: 1;
    readonly execution: string;
    readonly members: Readonly<Record<string, PublishedModel>>;
    readonly combiner: PublishedModel & { readonly name: string };
    /** What the combiner measured beside its members and simple baselines, as its metrics.json has it; if it did. */
    readonly comparison?: unknown;
    /** Members that failed and were tolerated; the combiner was trained without them. */
    readonly missing: readonly string[];
}

export interface PublishedModel {
    /** Folder below the manifest's. */
    readonly path: string;
    readonly key: string;
    readonly trainedAt: string;
    readonly trainedBy: string;
    readonly metrics: Readonly<Record<string, number>>;
    /** SHA-256 by file, relative to `path`. */
    readonly files: Readonly<Record<string, string>>;
}

/** `published/latest.json`: the ensemble of the execution that started last, among those that published. */
interface Latest {
    readonly format: 1;
    readonly manifest: string;
    readonly execution: string;
    /** When its execution started, ISO 8601; undefined where the job ran without a Setup. */
    readonly startTime?: string;
    readonly metrics: Metrics;
    readonly keys: Readonly<Record<string, string>>;
    readonly missing: readonly string[];
}

const combinerParameter = "INPUT_PATH_SEQ";

export async function publish(context: JobContext): Promise<void> {
    const { parameters, storage, print } = context;
    const output = required(parameters, "OUTPUT_PATH");
    const execution = required(parameters, "EXECUTION");
    const target = required(parameters, "TARGET");
    const latest = joinS3(target, "published", "latest.json");
    const gate = readGate(required(parameters, "GATE"));
    const plan = await readPlan(storage, joinS3(target, "runs", execution));
    const { present, missing } = await readMembers(context, plan, "publishParameter", [combinerParameter]);
    const combiner = await readFinished(context, required(parameters, combinerParameter));
    const models = [...present.map(({ trained }) => trained), combiner];

    const metrics: Record<string, Readonly<Record<string, number>>> = {};
    let comparison: unknown;
    for (const trained of models) {
        const measured = await readMetrics(context, trained);
        metrics[trained.model] = measured.numbers;
        comparison = measured.comparison;
    }
    const check = (published: Latest | undefined) => {
        const refused = judge(gate, metrics, published?.execution === execution ? undefined : published?.metrics);
        if (refused.length > 0) {
            throw new QualityGateError(`${refused.join("; ")}; nothing was published, what was trained is kept`);
        }
    };
    check((await storage.json(latest)) as Latest | undefined);
    print(`quality gate passed: ${models.map(({ model }) => `${model} ${describe(metrics[model])}`).join("; ")}`);

    await storage.remove(joinS3(output, "manifest.json"));
    const entries: Record<string, PublishedModel> = {};
    for (const trained of models) {
        context.signal.throwIfAborted();
        entries[trained.model] = {
            path: `${trained.model}/`,
            key: trained.key,
            trainedAt: trained.trainedAt,
            trainedBy: trained.execution,
            metrics: metrics[trained.model],
            files: await copyModel(context, trained, joinS3(output, trained.model)),
        };
    }
    const { [combiner.model]: last, ...members } = entries;
    const manifest: Manifest = {
        format: 1,
        execution,
        members,
        combiner: { name: combiner.model, ...last },
        comparison,
        missing,
    };
    await storage.putJson(joinS3(output, "manifest.json"), manifest);
    const overtakenBy = await point(
        storage,
        latest,
        {
            format: 1,
            manifest: joinS3(output, "manifest.json"),
            execution,
            startTime: plan?.execution.startTime,
            metrics,
            keys: Object.fromEntries(models.map(({ model, key }) => [model, key])),
            missing,
        },
        check,
    ).catch(async (error: unknown) => {
        if (error instanceof QualityGateError) {
            await storage.remove(joinS3(output, "manifest.json"));
        }
        throw error;
    });
    print(
        `${models.length} models are published in ` +
            `${output}${missing.length > 0 ? `, without ${missing.join(", ")}` : ""}` +
            (overtakenBy === undefined
                ? ""
                : `; published/latest.json stays with execution ${overtakenBy}, which started later`),
    );
}

/**
 * Makes `ours` the newest published ensemble, unless one of an execution that started later is. Copying took its
 * time and executions run side by side: what is the newest by now is checked again, and overwritten only while it
 * is still that.
 *
 * @param check throws where `ours` must not replace what is published.
 * @returns the execution that stays the newest, where one does.
 * @throws StorageError where others were faster {@link MAXIMUM_ATTEMPTS} times.
 */
async function point(
    storage: Storage,
    latest: string,
    ours: Latest,
    check: (published: Latest | undefined) => void,
): Promise<string | undefined> {
    for (let attempt = 0; attempt < MAXIMUM_ATTEMPTS; attempt++) {
        const found = await storage.version(latest);
        const newest = found?.value as Latest | undefined;
        if (
            newest !== undefined &&
            ours.startTime !== undefined &&
            Date.parse(newest.startTime ?? "") > Date.parse(ours.startTime)
        ) {
            return newest.execution;
        }
        check(newest);
        if (await storage.replaceJson(latest, ours, found?.etag)) {
            return undefined;
        }
    }
    throw new StorageError(
        `${latest} was another object at each of ${MAXIMUM_ATTEMPTS} attempts to replace what had been read: ` +
            "too many executions publish at once, or the storage does not answer conditional writes as S3 does",
    );
}

function readGate(text: string): Gate {
    try {
        const gate: unknown = JSON.parse(text);
        if (typeof gate === "object" && gate !== null) {
            return gate as Gate;
        }
    } catch (error) {
        throw new InputError(
            `parameter GATE is no JSON (${messageOf(error)}); ` +
                'pass {"minimum": {...}, "maximumRegression": 0.02, "minimumGain": 0} or {}',
        );
    }
    throw new InputError(`parameter GATE is ${text}, expected a JSON object`);
}

interface Measured {
    readonly numbers: Readonly<Record<string, number>>;
    readonly comparison?: unknown;
}

/** metrics.json of a model's output; of several folds the mean. */
async function readMetrics(context: JobContext, trained: TrainedModel): Promise<Measured> {
    const folder = await unpackArtifact(context, trained, "output");
    const files = (await filesBelow(folder)).filter((file) => path.basename(file) === "metrics.json");
    const top = files.filter((file) => file === "metrics.json");
    const all = await Promise.all(
        (top.length > 0 ? top : files).map(async (file) => {
            try {
                return Object(JSON.parse(await readFile(path.join(folder, file), "utf-8"))) as Record<string, unknown>;
            } catch (error) {
                throw new DataError(
                    `${trained.artifacts.output.uri}: ${file} is no JSON (${messageOf(error)}); train ` +
                        `${trained.model} again (force)`,
                );
            }
        }),
    );
    await rm(folder, { recursive: true, force: true });
    const [first] = all;
    return { numbers: meanOf(all.map(numbersOf)), comparison: all.length === 1 ? first.comparison : undefined };
}

async function copyModel(context: JobContext, trained: TrainedModel, target: string): Promise<Record<string, string>> {
    const folder = await unpackArtifact(context, trained, "model");
    const files = await filesBelow(folder);
    if (files.length === 0) {
        throw new DataError(`${trained.artifacts.model.uri} holds no file; train ${trained.model} again (force)`);
    }
    const progress = new Progress(context.print, `published of ${trained.model}`, files.length);
    const hashes = await pMap(
        files,
        async (file) => {
            context.signal.throwIfAborted();
            const hash = createHash("sha256");
            await pipeline(createReadStream(path.join(folder, file)), hash);
            await context.storage.upload(`${target}/${file}`, path.join(folder, file));
            progress.add(1);
            return [file, hash.digest("hex")] as const;
        },
        { concurrency: 4 },
    );
    await rm(folder, { recursive: true, force: true });
    return Object.fromEntries(hashes);
}

/** Files below a folder, relative, with / between folders, sorted. */
async function filesBelow(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
        .sort();
}

function describe(metrics: Readonly<Record<string, number>>): string {
    return (
        Object.entries(metrics)
            .map(([name, value]) => `${name} ${value.toFixed(3)}`)
            .join(", ") || "without metrics"
    );
}
