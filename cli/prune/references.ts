/** What still points at something: the marks of `ensemble prune`. Everything that no mark reaches may go. */
import { joinS3, parentOfS3 } from "../../ground/s3Address";
import type { TrainedModel } from "../../workflow/contract";
import { readTrained } from "../../workloads/common/artifacts";
import { readPlan } from "../../workloads/common/plan";
import type { Storage } from "../../workloads/common/storage";

/** A published ensemble's manifest, as far as it says what it was made of. */
interface PublishedManifest {
    readonly members?: Readonly<Record<string, { readonly key?: string }>>;
    readonly combiner?: { readonly name?: string; readonly key?: string };
}

/** What the outside says of a stage: its registry, its running executions, its definitions. */
export interface Outside {
    /** s3:// addresses that versions of the model registry name, in whatever field. */
    readonly registered: readonly string[];
    /** Names of the executions that run. */
    readonly running: readonly string[];
    /** Texts of the deployed definition and of those that running executions use: what stands in one is in use. */
    readonly definitions: readonly string[];
}

/** Addresses in use, each with who uses it. */
export class Marks {
    private readonly folders = new Map<string, string>();
    private readonly models = new Map<string, string>();

    /** Everything below an address is in use. */
    keepFolder(uri: string, why: string): void {
        const folder = `${uri.replace(/\/+$/, "")}/`;
        this.folders.set(folder, this.folders.get(folder) ?? why);
    }

    /** The marker and the archives of a content key are in use. */
    keepModel(model: string, key: string, why: string): void {
        this.models.set(`${model}/${key}`, this.models.get(`${model}/${key}`) ?? why);
    }

    /** Who uses an object; undefined where nobody does. */
    userOf(uri: string): string | undefined {
        for (const [folder, why] of this.folders) {
            if (uri.startsWith(folder) || folder.startsWith(`${uri}/`)) {
                return why;
            }
        }
        return undefined;
    }

    /** Who uses the model of a content key. */
    userOfModel(model: string, key: string): string | undefined {
        return this.models.get(`${model}/${key}`);
    }
}

export interface ReferenceOptions {
    readonly storage: Storage;
    /** s3:// prefix below which executions write. */
    readonly target: string;
    readonly outside: Outside;
    /** So many of the newest published ensembles stay, whatever points at them. */
    readonly keep: number;
}

/** Finds out everything that is in use. */
export async function references({ storage, target, outside, keep }: ReferenceOptions): Promise<Marks> {
    const marks = new Marks();
    await markPublished(storage, target, outside, keep, marks);
    await markRuns(storage, target, marks);
    for (const name of outside.running) {
        marks.keepFolder(joinS3(target, "published", name), `execution ${name} runs`);
        await markPlan(storage, joinS3(target, "runs", name), `execution ${name} runs`, marks);
    }
    return marks;
}

/** The newest pointer, the newest ensembles and those of the registry, with the models that they are made of. */
async function markPublished(
    storage: Storage,
    target: string,
    { registered }: Outside,
    keep: number,
    marks: Marks,
): Promise<void> {
    const folder = joinS3(target, "published");
    const kept = new Map<string, string>();
    const latest = (await storage.json(joinS3(folder, "latest.json"))) as { manifest?: string } | undefined;
    const newest = typeof latest?.manifest === "string" ? parentOfS3(latest.manifest) : undefined;
    if (newest !== undefined) {
        kept.set(newest, "published/latest.json points at it");
    }
    for (const name of registered.map((uri) => nameBelow(folder, uri)).filter((one) => one !== "")) {
        kept.set(joinS3(folder, name), "a version of the model registry points at it");
    }
    for (const uri of (await byAge(storage, folder, newest)).slice(0, keep)) {
        kept.set(uri, kept.get(uri) ?? `it is one of the ${keep} newest`);
    }
    for (const [uri, why] of kept) {
        marks.keepFolder(uri, why);
        const manifest = (await storage.json(joinS3(uri, "manifest.json"))) as PublishedManifest | undefined;
        for (const [model, key] of keysOf(manifest)) {
            marks.keepModel(model, key, `the ensemble ${uri.split("/").at(-1)} is made of it, and ${why}`);
        }
    }
}

/** The folder of a folder that an address lies in; empty where it lies elsewhere. */
function nameBelow(folder: string, uri: string): string {
    return uri.startsWith(`${folder}/`) ? (uri.slice(folder.length + 1).split("/")[0] ?? "") : "";
}

/**
 * The ensembles, the newest first.
 * @param newest the one that the pointer names: S3's times are whole seconds, and do not tell two of the same second.
 */
async function byAge(storage: Storage, folder: string, newest: string | undefined): Promise<string[]> {
    const found: { readonly uri: string; readonly written: number }[] = [];
    for (const name of await storage.folders(folder)) {
        const uri = joinS3(folder, name);
        const manifest = await storage.head(joinS3(uri, "manifest.json"));
        if (manifest !== undefined) {
            found.push({ uri, written: uri === newest ? Infinity : manifest.modified.getTime() });
        }
    }
    return found.sort((a, b) => b.written - a.written).map(({ uri }) => uri);
}

function keysOf(manifest: PublishedManifest | undefined): (readonly [model: string, key: string])[] {
    const members = Object.entries(manifest?.members ?? {}).map(([model, { key }]) => [model, key] as const);
    const combiner = [manifest?.combiner?.name, manifest?.combiner?.key] as const;
    return [...members, combiner].filter((pair): pair is readonly [string, string] => pair.every((part) => part));
}

/** What executions used, as long as their own folder is there: it expires, and their uses with it. */
async function markRuns(storage: Storage, target: string, marks: Marks): Promise<void> {
    for (const name of await storage.folders(joinS3(target, "runs"))) {
        await markPlan(storage, joinS3(target, "runs", name), `execution ${name} used it`, marks);
    }
}

async function markPlan(storage: Storage, run: string, why: string, marks: Marks): Promise<void> {
    const plan = await readPlan(storage, run);
    if (plan === undefined) {
        return;
    }
    const models = [...Object.entries(plan.members), [plan.combiner.name, plan.combiner] as const];
    for (const [model, { key }] of models) {
        marks.keepModel(model, key, why);
        const prefix = plan.output_artifact_paths[`${model}_model_prefix`];
        const trained = prefix === undefined ? undefined : await trainedAt(storage, prefix);
        if (trained !== undefined) {
            marks.keepModel(model, trained.key, why);
            Object.values(trained.artifacts).forEach(({ uri }) => marks.keepFolder(parentOfS3(uri), why));
        }
    }
}

/** A marker that cannot be read points at nothing. */
function trainedAt(storage: Storage, prefix: string): Promise<TrainedModel | undefined> {
    return readTrained(storage, joinS3(prefix, "trained.json")).catch(() => undefined);
}
