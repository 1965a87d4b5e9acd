/**
 * `ensemble prune`: finds what nothing points at any more, and removes it: markers first, then what they pointed at.
 */
import pMap from "p-map";
import { joinS3, parentOfS3 } from "../../ground/s3Address";
import type { TrainedModel } from "../../workflow/contract";
import { readTrained } from "../../workloads/common/artifacts";
import type { ListedVersion, Storage } from "../../workloads/common/storage";
import { references, type Marks, type Outside, type ReferenceOptions } from "./references";

const DAY_MS = 86_400_000;
const CONCURRENCY = 16;

export interface PruneOptions extends Omit<ReferenceOptions, "outside"> {
    /** Asked again before anything is removed that a new execution may have begun to use meanwhile. */
    readonly outside: () => Promise<Outside>;
    /** What is younger than so many days is left alone: an execution may be about to point at it. */
    readonly days: number;
    readonly now: Date;
    readonly signal?: AbortSignal;
    readonly print?: (line: string) => void;
}

/** What belongs together and goes together. */
export interface Garbage {
    readonly kind: "published ensemble" | "model marker" | "model archives" | "source archive";
    /** Below the target. */
    readonly name: string;
    readonly objects: readonly string[];
    readonly bytes: number;
    /** When the newest of it was written. */
    readonly written: Date;
}

export interface Found {
    readonly garbage: readonly Garbage[];
    /** Bytes of what stays, by folder. */
    readonly kept: { readonly objects: number; readonly bytes: number };
}

/** Finds what nothing points at; nothing is removed. */
export async function findGarbage(options: PruneOptions): Promise<Found> {
    const outside = await options.outside();
    const marks = await references({ ...options, outside });
    return sort(options, outside, marks);
}

async function sort(options: PruneOptions, outside: Outside, marks: Marks): Promise<Found> {
    const markers = await sortMarkers(options, marks);
    const groups = [
        ...(await groupsOf(options, "published", 1, "published ensemble")),
        ...(await groupsOf(options, "models", 3, "model archives")),
        ...(await groupsOf(options, "code", 2, "source archive")),
    ];
    const oldest = options.now.getTime() - options.days * DAY_MS;
    const isFree = ({ kind, name, written }: Garbage): boolean => {
        const uri = joinS3(options.target, name);
        const isUsed =
            kind === "source archive"
                ? outside.definitions.some((text) => text.includes(`/${name}/`))
                : marks.userOf(uri) !== undefined || markers.kept.some((address) => address.startsWith(`${uri}/`));
        return !isUsed && written.getTime() < oldest;
    };
    const garbage = [...markers.garbage, ...groups.filter(isFree)];
    const kept = groups.filter((group) => !garbage.includes(group));
    return {
        garbage,
        kept: {
            objects: kept.reduce((sum, { objects }) => sum + objects.length, 0),
            bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0),
        },
    };
}

/** Markers that nobody uses, and the archives that the others point at. */
async function sortMarkers(
    { storage, target, days, now }: PruneOptions,
    marks: Marks,
): Promise<{ readonly garbage: readonly Garbage[]; readonly kept: readonly string[] }> {
    const garbage: Garbage[] = [];
    const kept: string[] = [];
    const folder = joinS3(target, "trained");
    for await (const { key: name, bytes, modified } of storage.list(folder)) {
        const [model = "", file = ""] = name.split("/");
        const key = file.replace(/\.json$/, "");
        const isYoung = now.getTime() - modified.getTime() < days * DAY_MS;
        if (isYoung || marks.userOfModel(model, key) !== undefined) {
            kept.push(...(await archivesOf(storage, joinS3(folder, name))));
        } else {
            garbage.push({
                kind: "model marker",
                name: `trained/${name}`,
                objects: [joinS3(folder, name)],
                bytes,
                written: modified,
            });
        }
    }
    return { garbage, kept };
}

async function archivesOf(storage: Storage, marker: string): Promise<string[]> {
    const trained: TrainedModel | undefined = await readTrained(storage, marker).catch(() => undefined);
    return trained === undefined ? [] : Object.values(trained.artifacts).map(({ uri }) => uri);
}

/** The objects of a folder, by its sub-folders of a depth. */
async function groupsOf(
    { storage, target, signal }: PruneOptions,
    folder: string,
    depth: number,
    kind: Garbage["kind"],
): Promise<Garbage[]> {
    const groups = new Map<string, ListedVersion[]>();
    for await (const object of storage.list(joinS3(target, folder))) {
        signal?.throwIfAborted();
        const parts = object.key.split("/");
        if (parts.length > depth) {
            const name = [folder, ...parts.slice(0, depth)].join("/");
            const group = groups.get(name) ?? [];
            group.push(object);
            groups.set(name, group);
        }
    }
    return [...groups].map(([name, objects]) => ({
        kind,
        name,
        objects: objects.map(({ key }) => joinS3(target, folder, key)),
        bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
        written: new Date(Math.max(...objects.map(({ modified }) => modified.getTime()))),
    }));
}

export interface Removed {
    readonly objects: number;
    readonly bytes: number;
    /** Models that an execution began to use while they were removed: they are as they were. */
    readonly rescued: readonly string[];
}

/**
 * Removes what {@link findGarbage} found. Markers go first; then uses are looked for once more, and a marker that an
 * execution has begun to use meanwhile is put back. Setup writes its use down before it looks whether the marker still
 * stands, so one of the two sees the other.
 */
export async function removeGarbage(options: PruneOptions, garbage: readonly Garbage[]): Promise<Removed> {
    const { storage, print = () => undefined } = options;
    const removedMarkers = new Map<string, string>();
    for (const { name, objects } of garbage.filter(({ kind }) => kind === "model marker")) {
        options.signal?.throwIfAborted();
        const [uri = ""] = objects;
        const text = await storage.text(uri);
        await storage.remove(uri);
        removedMarkers.set(name, text ?? "");
    }
    const outside = await options.outside();
    const marks = await references({ ...options, outside });
    const rescued = await rescue(options, removedMarkers, marks);
    const again = await sort(options, outside, marks);
    const free = new Set(again.garbage.map(({ name }) => name));
    const groups = garbage.filter(({ kind, name }) => kind !== "model marker" && free.has(name));
    let objects = removedMarkers.size - rescued.length;
    for (const group of groups) {
        options.signal?.throwIfAborted();
        await removeGroup(storage, group);
        objects += group.objects.length;
        print(`removed ${group.name} (${group.objects.length} objects)`);
    }
    return { objects, bytes: groups.reduce((sum, { bytes }) => sum + bytes, 0), rescued };
}

async function rescue(
    { storage, target }: PruneOptions,
    removed: ReadonlyMap<string, string>,
    marks: Marks,
): Promise<string[]> {
    const rescued: string[] = [];
    for (const [name, text] of removed) {
        const [, model = "", file = ""] = name.split("/");
        if (marks.userOfModel(model, file.replace(/\.json$/, "")) !== undefined && text !== "") {
            await storage.put(joinS3(target, name), text);
            rescued.push(name);
        }
    }
    return rescued;
}

/** The file that says that a folder is complete goes first: a half-removed ensemble counts as none. */
async function removeGroup(storage: Storage, { objects }: Garbage): Promise<void> {
    const isManifest = (uri: string) => uri === joinS3(parentOfS3(uri), "manifest.json");
    for (const uri of objects.filter(isManifest)) {
        await storage.remove(uri);
    }
    await pMap(
        objects.filter((uri) => !isManifest(uri)),
        (uri) => storage.remove(uri),
        { concurrency: CONCURRENCY },
    );
}
