/**
 * fetch: copies the preprocessed data into the execution's own prefix, and brings in existing models.
 * Interrupted, it goes on where it stopped: a journal beside the copy says what is there. `manifest.json` is written
 * last.
 */
import pMap from "p-map";
import { joinS3, parentOfS3 } from "../../ground/s3Address";
import type { StoredObject, TrainedModel } from "../../workflow/contract";
import { channelFile, dataIdentity, isData, listingIdentity, type ListedObject } from "../../workflow/keys";
import { damage, readTrained } from "../common/artifacts";
import { checksumsOf } from "../common/checksums";
import { DataError } from "../common/errors";
import { readPlan, type FetchManifest, type PlannedData } from "../common/plan";
import { locate, type Storage } from "../common/storage";
import { copyObject } from "./copy";
import { CopyJournal } from "./copyJournal";
import { NOTHING, Progress, megabytes, memberPaths, number, required } from "./context";
import type { JobContext, Parameters } from "./context";
import { contentProblem, fileOf, isDocument, isIgnored } from "../documents/files";
import { drawSplit } from "../documents/heldOut";
import { formatLabels, LABELS, type LabelledPage } from "../documents/labels";
import { byStack, PAGE_FILES } from "../documents/pages";
import type { Problem } from "../documents/problems";
import { checkedLabels, refuse } from "./labels";

/** Objects copied at the same time; S3 takes thousands a second, a small host's sockets do not. */
const CONCURRENCY = 32;

export async function fetch(context: JobContext): Promise<void> {
    const { parameters, storage } = context;
    const source = required(parameters, "INPUT_PATH");
    const target = required(parameters, "OUTPUT_PATH");
    const seed = number(parameters, "SEED", "a whole number", Number.isSafeInteger);
    const testShare = number(parameters, "TEST_SHARE", "a share between 0 and 1", (value) => value > 0 && value < 1);
    if (required(parameters, "COPY") === "yes") {
        await copyData(context, { source, target, seed, testShare, folds: foldsOf(parameters) });
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

interface CopyOrder {
    readonly source: string;
    readonly target: string;
    readonly seed: number;
    readonly testShare: number;
    /** So many training stacks every class must be in; undefined: nobody said. */
    readonly folds: number | undefined;
}

function foldsOf(parameters: Parameters): number | undefined {
    const whole = (value: number) => Number.isInteger(value) && value >= 1;
    return parameters.K_FOLDS === undefined ? undefined : number(parameters, "K_FOLDS", "a whole number from 1", whole);
}

async function copyData(context: JobContext, order: CopyOrder): Promise<void> {
    const { storage, print } = context;
    const { source, target } = order;
    const objects = await listAll(storage, source);
    if (objects.size === 0) {
        throw new DataError(`${source} holds no object, expected labels.csv and pages; correct preprocessed_data_path`);
    }
    const { seed, testShare, folds } = order;
    const labels = checkedLabels(source, {
        content: await storage.bytes(joinS3(source, LABELS)),
        listing: [...objects.values()],
        draw: { seed, testShare },
        folds,
    });
    const { pages, drawn } = drawSplit(labels, seed, testShare);
    const wanted = [...objects.values()].filter(isDocument);
    refuseLongKeys(wanted, target);
    const plan = await planOf(storage, order);
    const data = await identify(storage, source, objects, plan);
    const there = await listAll(storage, target);
    if (await isComplete(storage, order, there, data)) {
        print(`all ${wanted.length} objects are already there and complete`);
        return;
    }
    await checkContent(context, source, labels, objects);
    await storage.remove(joinS3(target, "manifest.json"));
    await copyMissing(context, order, wanted, there);
    await storage.put(joinS3(target, "labels.csv"), formatLabels(pages), "text/csv");
    await writeChannelFiles(storage, target, plan?.channelFiles ?? topLevelFiles(objects));
    const copied = await listAll(storage, target);
    refuseLoss(wanted, copied, target);
    const stacks = byStack(pages);
    const manifest: FetchManifest = {
        format: 1,
        job: "fetch",
        source,
        data,
        content: listingIdentity(copied.values()),
        objects: wanted.length + 1,
        bytes: bytesOf(wanted),
        stacks: stacks.size,
        pages: pages.length,
        testStacks: [...stacks.values()].filter(([first]) => first?.split === "test").length,
        drawnStacks: drawn,
        seed: order.seed,
        testShare: order.testShare,
    };
    await storage.putJson(joinS3(target, "manifest.json"), manifest);
    print(
        `${pages.length} pages of ${stacks.size} stacks are there, ${manifest.testStacks} stacks held out ` +
            `(${drawn} drawn with seed ${order.seed})`,
    );
}

function bytesOf(objects: readonly ListedObject[]): number {
    return objects.reduce((sum, object) => sum + object.bytes, 0);
}

/** A copy lies deeper than its source: told before the first of a hundred thousand is copied. */
function refuseLongKeys(wanted: readonly ListedObject[], target: string): void {
    wanted.forEach(({ key }) => locate(`${joinS3(target)}/${key}`));
}

/** What Setup found out about this very data; undefined where the job runs without it. */
async function planOf(storage: Storage, { source, target }: CopyOrder): Promise<PlannedData | undefined> {
    const plan = await readPlan(storage, parentOfS3(target));
    return plan?.data.source === source ? plan.data : undefined;
}

/** Whether an earlier run of this job has done all of this already. */
async function isComplete(
    storage: Storage,
    { target, seed, testShare }: CopyOrder,
    there: ReadonlyMap<string, ListedObject>,
    data: string,
): Promise<boolean> {
    if (!there.has("manifest.json")) {
        return false;
    }
    const manifest = (await storage.json(joinS3(target, "manifest.json"))) as Partial<FetchManifest> | undefined;
    return (
        manifest?.data === data &&
        manifest.seed === seed &&
        manifest.testShare === testShare &&
        manifest.content === listingIdentity(there.values())
    );
}

async function copyMissing(
    { storage, print, signal }: JobContext,
    { source, target }: CopyOrder,
    wanted: readonly ListedObject[],
    there: ReadonlyMap<string, ListedObject>,
): Promise<void> {
    const journal = await CopyJournal.open(storage, joinS3(parentOfS3(target), "fetched"));
    const open = wanted.filter((object) => !journal.holds(object, there.get(object.key)));
    print(
        `copying ${open.length} of ${wanted.length} objects (${megabytes(bytesOf(wanted))} in all) from ` +
            `${source} to ${target}`,
    );
    const progress = new Progress(print, "copied", open.length);
    /** The first failure stops what has not begun; what has begun still comes into the journal. */
    let failure: Error | undefined;
    const copyOne = async ({ key, bytes, etag }: ListedObject): Promise<void> => {
        const copy = await copyObject(
            storage,
            { uri: `${joinS3(source)}/${key}`, bytes, etag },
            `${joinS3(target)}/${key}`,
        );
        await journal.add({ key, bytes, from: etag, to: copy.etag });
        progress.add(1, bytes);
    };
    const copyUnlessFailed = async (object: ListedObject): Promise<void> => {
        if (failure === undefined) {
            await copyOne(object).catch((error: Error) => {
                failure ??= error;
            });
        }
    };
    await pMap(open, copyUnlessFailed, { concurrency: CONCURRENCY });
    if (failure !== undefined) {
        // what cannot be written down now is copied again, and must not hide the reason
        await journal.close().catch(() => undefined);
        throw failure;
    }
    signal.throwIfAborted();
    await journal.close();
}

/** Files directly below the data. */
function topLevelFiles(objects: ReadonlyMap<string, ListedObject>): string[] {
    return [...objects.keys()].filter((key) => isData(key) && !key.includes("/"));
}

/** A second copy of each file that is a channel of its own, in a folder that holds nothing else. */
async function writeChannelFiles(storage: Storage, target: string, files: readonly string[]): Promise<void> {
    for (const file of files) {
        const found = await storage.head(joinS3(target, file));
        if (found === undefined) {
            throw new DataError(`${joinS3(target, file)} does not exist, but a channel reads it; upload it`);
        }
        await copyObject(storage, found, joinS3(target, channelFile(file)));
    }
}

function refuseLoss(wanted: readonly ListedObject[], copied: ReadonlyMap<string, ListedObject>, target: string): void {
    const lost = wanted.find(({ key, bytes }) => copied.get(key)?.bytes !== bytes);
    if (lost !== undefined) {
        throw new DataError(
            `${joinS3(target, lost.key)} has ${copied.get(lost.key)?.bytes ?? "no"} bytes after copying, expected ` +
                `${lost.bytes}; ` +
                "somebody else writes below this prefix: start a new execution",
        );
    }
}

/**
 * Identity of the data, as Setup computed it for the same listing.
 * @throws DataError where the data has changed since Setup: the models' keys promise what Setup saw.
 */
async function identify(
    storage: Storage,
    source: string,
    objects: ReadonlyMap<string, ListedObject>,
    plan: PlannedData | undefined,
): Promise<string> {
    const listing = listingIdentity(objects.values());
    if (plan !== undefined) {
        if (plan.listing !== listing) {
            throw new DataError(
                `${source} has changed since this execution was set up (${plan.objects} objects then, ` +
                    `${objects.size} now); ` +
                    "start a new execution when nobody writes there",
            );
        }
        return plan.hash;
    }
    const manifest = objects.has("manifest.json")
        ? ((await storage.json(joinS3(source, "manifest.json"))) as Partial<FetchManifest> | undefined)
        : undefined;
    if (manifest?.job === "fetch" && manifest.content === listing && manifest.data !== undefined) {
        return manifest.data;
    }
    return dataIdentity((await checksumsOf(storage, source, [...objects.values()], undefined)).objects);
}

async function listAll(storage: Storage, prefix: string): Promise<Map<string, ListedObject>> {
    const objects = new Map<string, ListedObject>();
    for await (const { key, bytes, etag } of storage.list(prefix)) {
        if (!isIgnored(key)) {
            objects.set(key, { key, bytes, etag });
        }
    }
    return objects;
}

/** Reads every page's files before anything is copied: what no training can read is told here. */
async function checkContent(
    { storage, print, signal }: JobContext,
    source: string,
    labels: readonly LabelledPage[],
    objects: ReadonlyMap<string, ListedObject>,
): Promise<void> {
    const files = Object.keys(PAGE_FILES).flatMap((folder) =>
        labels
            .map((page) => ({ folder, file: fileOf(folder, page), row: page.line }))
            .filter(({ file }) => objects.has(file)),
    );
    const progress = new Progress(print, "read", files.length);
    const problems = await pMap(
        files,
        async ({ folder, file, row }): Promise<Problem | undefined> => {
            signal.throwIfAborted();
            const content = await storage.bytes(joinS3(source, file));
            progress.add(1, content?.length);
            return content === undefined ? undefined : contentProblem(folder, file, content, row);
        },
        { concurrency: CONCURRENCY },
    );
    refuse(
        source,
        problems.filter((problem) => problem !== undefined),
    );
}

/** Copies a model's two archives to `<run>/given/<suffix>/` and writes its marker last. */
async function bringIn(storage: Storage, suffix: string, path: string, run: string): Promise<void> {
    const trained = (await readTrained(storage, joinS3(path, "trained.json"))) ?? (await planned(storage, suffix, run));
    if (trained === undefined) {
        throw new DataError(
            `${path} holds no trained.json, and no plan says what it is; name the prefix of a finished model`,
        );
    }
    const target = joinS3(run, "given", suffix);
    const marker = joinS3(target, "trained.json");
    const earlier = await readTrained(storage, marker).catch(() => undefined);
    const isThere = earlier?.key === trained.key && (await damage(storage, earlier)) === undefined;
    if (isThere && earlier.jobName === trained.jobName) {
        return;
    }
    const copy = (from: StoredObject, file: string) => copyObject(storage, from, joinS3(target, file));
    const artifacts = {
        model: await copy(trained.artifacts.model, "model.tar.gz"),
        output: await copy(trained.artifacts.output, "output.tar.gz"),
    };
    await storage.putJson(marker, { ...trained, artifacts } satisfies TrainedModel);
}

/** A model without a marker of its own, of which Setup found out what it is. */
async function planned(storage: Storage, suffix: string, run: string): Promise<TrainedModel | undefined> {
    const plan = await readPlan(storage, run);
    const entry = Object.entries(plan?.members ?? {}).find(
        ([, { publishParameter }]) => publishParameter === `INPUT_PATH_${suffix}`,
    );
    if (entry?.[1].given === undefined) {
        return undefined;
    }
    const [model, { key, identity, given }] = entry;
    const { jobName, execution, trainedAt, artifacts } = given;
    return { format: 1, model, key, jobName, execution, trainedAt, artifacts, identity };
}
