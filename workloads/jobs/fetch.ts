/**
 * fetch: copies the preprocessed data into the execution's own prefix, and brings in existing models.
 * Interrupted, it goes on where it stopped: what is there with equal size and ETag is not copied again. `manifest.json` is written last.
 */
import pMap from "p-map";
import { joinS3, parentOfS3 } from "../../ground/s3Address";
import type { StoredObject, TrainedModel } from "../../workflow/contract";
import { dataIdentity } from "../../workflow/keys";
import type { ListedObject } from "../../workflow/keys";
import { readTrained } from "../common/artifacts";
import { DataError } from "../common/errors";
import { readPlan } from "../common/plan";
import type { FetchManifest } from "../common/plan";
import type { Storage } from "../common/storage";
import { copyObject } from "./copy";
import { NOTHING, Progress, megabytes, memberPaths, number, required } from "./context";
import type { JobContext } from "./context";
import { byStack, drawSplit, formatLabels, pageFile, parseLabels, refuse } from "./labels";
import type { Page } from "./labels";

/** What this job writes itself. */
const own = new Set(["labels.csv", "manifest.json", "failure.txt"]);
/** Objects copied at the same time; S3 takes thousands a second, a small host's sockets do not. */
const concurrency = 32;

export async function fetch(context: JobContext): Promise<void> {
    const { parameters, storage } = context;
    const source = required(parameters, "INPUT_PATH");
    const target = required(parameters, "OUTPUT_PATH");
    const seed = number(parameters, "SEED", "a whole number", Number.isSafeInteger);
    const testShare = number(parameters, "TEST_SHARE", "a share between 0 and 1", (value) => value > 0 && value < 1);
    if (required(parameters, "COPY") === "yes") {
        await copyData(context, source, target, seed, testShare);
    } else {
        context.print(`the data is used where it is: ${source}`);
    }
    for (const [suffix, path] of memberPaths(parameters)) {
        if (path !== NOTHING) {
            await bringIn(storage, suffix, path, parentOfS3(target));
            context.print(`brought in the model of ${path}`);
        }
    }
}

async function copyData(
    { storage, print, signal }: JobContext,
    source: string,
    target: string,
    seed: number,
    testShare: number,
): Promise<void> {
    const objects = await listAll(storage, source);
    if (objects.size === 0) {
        throw new DataError(`${source} holds no object, expected labels.csv and pages; correct preprocessed_data_path`);
    }
    const where = joinS3(source, "labels.csv");
    const text = await storage.text(where);
    if (text === undefined) {
        throw new DataError(`${where} does not exist; name the folder that holds labels.csv`);
    }
    const labels = parseLabels(text, where);
    checkFiles(labels, objects, where);
    const { pages, drawn } = drawSplit(labels, seed, testShare);
    const wanted = [...objects.values()].filter(({ key }) => !own.has(key));
    const there = await listAll(storage, target);
    const open = wanted.filter(
        ({ key, bytes, etag }) => there.get(key)?.bytes !== bytes || there.get(key)?.etag !== etag,
    );
    const data = await identity(storage, source, objects);
    if (there.has("manifest.json")) {
        const manifest = (await storage.json(joinS3(target, "manifest.json"))) as Partial<FetchManifest> | undefined;
        if (
            open.length === 0 &&
            manifest?.data === data &&
            manifest.seed === seed &&
            manifest.testShare === testShare &&
            manifest.content === dataIdentity(there.values())
        ) {
            print(`all ${wanted.length} objects are already there and complete`);
            return;
        }
        await storage.remove(joinS3(target, "manifest.json"));
    }
    const bytes = wanted.reduce((sum, object) => sum + object.bytes, 0);
    print(
        `copying ${open.length} of ${wanted.length} objects (${megabytes(bytes)} in all) from ${source} to ${target}`,
    );
    const progress = new Progress(print, "copied", open.length);
    await pMap(
        open,
        async (object) => {
            signal.throwIfAborted();
            await copyObject(
                storage,
                { uri: joinS3(source, object.key), bytes: object.bytes, etag: object.etag },
                `${joinS3(target)}/${object.key}`,
            );
            progress.add(1, object.bytes);
        },
        { concurrency },
    );
    await storage.put(joinS3(target, "labels.csv"), formatLabels(pages), "text/csv");
    const copied = await listAll(storage, target);
    const lost = wanted.find(({ key, bytes: size }) => copied.get(key)?.bytes !== size);
    if (lost !== undefined) {
        throw new DataError(
            `${joinS3(target, lost.key)} has ${copied.get(lost.key)?.bytes ?? "no"} bytes after copying, expected ${lost.bytes}; ` +
                "somebody else writes below this prefix: start a new execution",
        );
    }
    const stacks = byStack(pages);
    const manifest: FetchManifest = {
        format: 1,
        job: "fetch",
        source,
        data,
        content: dataIdentity(copied.values()),
        objects: wanted.length + 1,
        bytes,
        stacks: stacks.size,
        pages: pages.length,
        testStacks: [...stacks.values()].filter(([first]) => first.split === "test").length,
        drawnStacks: drawn,
        seed,
        testShare,
    };
    await storage.putJson(joinS3(target, "manifest.json"), manifest);
    print(
        `${pages.length} pages of ${stacks.size} stacks are there, ${manifest.testStacks} stacks held out (${drawn} drawn with seed ${seed})`,
    );
}

/** Identity of the data: that of its own source where it was fetched before and is unchanged, as Setup computes it. */
async function identity(storage: Storage, source: string, objects: ReadonlyMap<string, ListedObject>): Promise<string> {
    const hash = dataIdentity(objects.values());
    const manifest = objects.has("manifest.json")
        ? ((await storage.json(joinS3(source, "manifest.json"))) as Partial<FetchManifest> | undefined)
        : undefined;
    return manifest?.job === "fetch" && manifest.content === hash && typeof manifest.data === "string"
        ? manifest.data
        : hash;
}

async function listAll(storage: Storage, prefix: string): Promise<Map<string, ListedObject>> {
    const objects = new Map<string, ListedObject>();
    for await (const { key, bytes, etag } of storage.list(prefix)) {
        objects.set(key, { key, bytes, etag });
    }
    return objects;
}

/** Where there is a file a page, every labelled page has its files, every page file its label. */
function checkFiles(pages: readonly Page[], objects: ReadonlyMap<string, ListedObject>, where: string): void {
    const problems: string[] = [];
    const kinds = [
        ["text", "txt"],
        ["images", "png"],
    ].filter(([folder]) => [...objects.keys()].some((key) => key.startsWith(`${folder}/`)));
    if (kinds.length === 0 && [...objects.keys()].every((key) => own.has(key))) {
        throw new DataError(
            `${where}: beside it there is neither text/ nor images/ nor any other data, such as features.csv; upload it`,
        );
    }
    for (const [folder, extension] of kinds) {
        const files = new Set(pages.map((page) => `${folder}/${pageFile(page)}.${extension}`));
        for (const file of files) {
            if (!objects.has(file)) {
                problems.push(`names a page without a file: ${file} does not exist`);
            }
        }
        for (const key of objects.keys()) {
            if (key.startsWith(`${folder}/`) && !files.has(key)) {
                problems.push(`has no row for ${key}`);
            }
        }
    }
    refuse(where, problems);
}

/** Copies a model's two archives to `<run>/given/<suffix>/` and writes its marker last. */
async function bringIn(storage: Storage, suffix: string, path: string, run: string): Promise<void> {
    const plan = await readPlan(storage, run);
    const [name, member] =
        Object.entries(plan?.members ?? {}).find(
            ([, { publishParameter }]) => publishParameter === `INPUT_PATH_${suffix}`,
        ) ?? [];
    const trained =
        (await readTrained(storage, joinS3(path, "trained.json"))) ??
        (name === undefined || member?.given === undefined
            ? undefined
            : {
                  format: 1 as const,
                  model: name,
                  key: member.key,
                  jobName: member.given.jobName,
                  execution: member.given.execution,
                  trainedAt: member.given.trainedAt,
                  artifacts: member.given.artifacts,
                  identity: member.identity,
              });
    if (trained === undefined) {
        throw new DataError(
            `${path} holds no trained.json, and no plan says what it is; name the prefix of a finished model`,
        );
    }
    const target = joinS3(run, "given", suffix);
    const copy = async (from: StoredObject, file: string) => {
        const to = joinS3(target, file);
        const there = await storage.head(to);
        return there?.bytes === from.bytes && there.etag === from.etag ? there : await copyObject(storage, from, to);
    };
    const artifacts = {
        model: await copy(trained.artifacts.model, "model.tar.gz"),
        output: await copy(trained.artifacts.output, "output.tar.gz"),
    };
    const marker: TrainedModel = { ...trained, artifacts };
    await storage.putJson(joinS3(target, "trained.json"), marker);
}
