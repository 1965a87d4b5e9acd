/** What is done about each model: trained, reused, or brought in; and why, in words. */
import { defined } from "../../../ground/fields";
import { joinS3 } from "../../../ground/s3Address";
import type { ModelSettings, StageSettings, StoredObject, TrainedModel } from "../../../workflow/contract";
import type { CompletedInput, CompletedModel } from "../../../workflow/input";
import {
    changes,
    contentKey,
    learningHyperparameters,
    type CombinerIdentity,
    type MemberIdentity,
} from "../../../workflow/keys";
import { damage, readTrained } from "../../common/artifacts";
import { messageOf, PermissionError, StorageError } from "../../common/errors";
import type { GivenModel } from "../../common/plan";
import { sameContent, type ListedVersion, type Storage } from "../../common/storage";
import type { ReadData } from "./data";
import type { Lifetimes } from "./lifetimes";
import type { Problems } from "./problems";

/** The newest of at most so many earlier models is compared with. */
const MAXIMUM_MARKERS = 5_000;
/** Markers that are looked through for a given model's archives. */
const MAXIMUM_SEARCHED = 200;
/** Differences that a reason tells. */
const MAXIMUM_DIFFERENCES = 5;

export interface Decision {
    readonly action: "train" | "reuse" | "skip";
    readonly reason: string;
    readonly key: string;
    readonly identity: Readonly<Record<string, unknown>>;
    readonly trained?: TrainedModel;
    readonly given?: GivenModel;
}

/** Where decisions are made, and by what. */
export interface Bench {
    readonly storage: Storage;
    readonly settings: StageSettings;
    readonly input: CompletedInput;
    readonly lifetimes: Lifetimes;
    readonly problems: Problems;
}

/** What is done about each member. */
export async function decideMembers(
    bench: Bench,
    data: ReadData,
    split: string | undefined,
): Promise<Record<string, Decision>> {
    const { settings, input } = bench;
    const decisions: Record<string, Decision> = {};
    for (const [name, member] of Object.entries(settings.members)) {
        const wanted = input.members[name];
        if (wanted === undefined) {
            continue;
        }
        const identity: MemberIdentity = {
            ...parts(member, wanted),
            seed: settings.seed,
            data: data.hash,
            testShare: data.testShare,
            folds: member.splitSet ? (split ?? settings.folds) : undefined,
        };
        decisions[name] =
            wanted.given === undefined
                ? await decide(bench, name, defined(identity), wanted.forced)
                : await useGiven(bench, name, wanted.given, identity);
    }
    return decisions;
}

/** The combiner is reused only with the very members it was trained on: none of them trains in this execution. */
export async function decideCombiner(bench: Bench, members: Readonly<Record<string, Decision>>): Promise<Decision> {
    const { combiner, seed } = bench.settings;
    const identity: CombinerIdentity = {
        ...parts(combiner, bench.input.combiner),
        seed,
        members: Object.fromEntries(Object.entries(members).map(([member, { key }]) => [member, key])),
    };
    const decision = await decide(bench, combiner.name, identity, bench.input.combiner.forced);
    const training = Object.entries(members).filter(([, { action }]) => action === "train");
    if (decision.action !== "reuse" || training.length === 0) {
        return decision;
    }
    const names = training.map(([name]) => name).join(", ");
    const { key, identity: known } = decision;
    return { action: "train", reason: `trains: so do ${names} that it learns from`, key, identity: known };
}

function parts(
    model: ModelSettings,
    wanted: CompletedModel,
): Pick<MemberIdentity, "image" | "code" | "hyperparameters"> {
    return {
        image: model.container.image,
        code: model.container.codeHash,
        hyperparameters: learningHyperparameters(wanted.hyperparameters, model.schema),
    };
}

/** Reuses what has this key, is whole and stays; otherwise says why it trains. */
async function decide(
    bench: Bench,
    model: string,
    identity: MemberIdentity | CombinerIdentity,
    isForced: boolean,
): Promise<Decision> {
    const key = contentKey(identity);
    const known = { ...identity } as Readonly<Record<string, unknown>>;
    const found = isForced ? { why: "force" } : await reusable(bench, model, key);
    if ("trained" in found) {
        const { trained } = found;
        return { action: "reuse", reason: reused(trained), key, identity: known, trained };
    }
    const why = found.why ?? (await whatChanged(bench, model, identity));
    return { action: "train", reason: `trains: ${why}`, key, identity: known };
}

/** The finished model of a key, or why it cannot be used; neither where there is none. */
async function reusable(
    { storage, input, lifetimes }: Bench,
    model: string,
    key: string,
): Promise<{ readonly trained: TrainedModel } | { readonly why: string | undefined }> {
    const marker = joinS3(input.target, "trained", model, `${key}.json`);
    let trained: TrainedModel | undefined;
    try {
        trained = await readTrained(storage, marker);
    } catch (error) {
        if (error instanceof StorageError || error instanceof PermissionError) {
            throw error;
        }
        return { why: `the marker of the same key cannot be used (${messageOf(error)})` };
    }
    if (trained === undefined) {
        return { why: undefined };
    }
    if (trained.key !== key || trained.model !== model) {
        return { why: `${marker} belongs to another model (${trained.model}, key ${trained.key.slice(0, 8)})` };
    }
    const damaged = await damage(storage, trained);
    if (damaged !== undefined) {
        return { why: `the model of the same key is not whole: ${damaged}` };
    }
    const early = await lifetimes.archivesEndEarly(Object.values(trained.artifacts));
    return early === undefined ? { trained } : { why: `the model of the same key does not stay: ${early}` };
}

async function whatChanged(
    { storage, input }: Bench,
    model: string,
    identity: MemberIdentity | CombinerIdentity,
): Promise<string> {
    const earlier = await newestMarker(storage, input.target, model);
    if (earlier === undefined) {
        return "first training";
    }
    const differences = changes(earlier.identity, identity);
    if (differences.length === 0) {
        return "no model of the same key";
    }
    const more = differences.length - MAXIMUM_DIFFERENCES;
    return differences.slice(0, MAXIMUM_DIFFERENCES).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

function reused({ key, trainedAt, execution }: TrainedModel): string {
    return `reused: same key ${key.slice(0, 8)}, trained ${trainedAt.slice(0, 10)} by execution ${execution}`;
}

/** The newest readable marker of a model; markers that cannot be read are passed over. */
async function newestMarker(storage: Storage, target: string, model: string): Promise<TrainedModel | undefined> {
    const folder = joinS3(target, "trained", model);
    const listed: ListedVersion[] = [];
    for await (const object of storage.list(folder)) {
        listed.push(object);
        if (listed.length === MAXIMUM_MARKERS) {
            break;
        }
    }
    listed.sort((a, b) => b.modified.getTime() - a.modified.getTime());
    for (const { key } of listed.slice(0, 3)) {
        try {
            const trained = await readTrained(storage, joinS3(folder, key));
            if (trained !== undefined) {
                return trained;
            }
        } catch (error) {
            console.log(`note: ${messageOf(error)}`);
        }
    }
    return undefined;
}

const NONE: Decision = { action: "skip", reason: "", key: "", identity: {} };

/**
 * A given model: a prefix with trained.json, or with the two archives of a model that is registered somewhere below
 * the target.
 */
async function useGiven(bench: Bench, model: string, prefix: string, wanted: MemberIdentity): Promise<Decision> {
    const { storage, problems } = bench;
    const field = `fetch_data.${model}_model_artifact_path`;
    const refuse = (expected: string, advice: string): Decision => {
        problems.add(field, prefix, expected, advice);
        return NONE;
    };
    const trained = await problems.reading(field, prefix, () => findGiven(bench, model, prefix));
    if (trained === undefined) {
        return NONE;
    }
    if (trained === "empty") {
        return refuse(
            "a trained model: trained.json, or model.tar.gz and output.tar.gz",
            "correct the path, or set the model's step to true",
        );
    }
    if (trained === "unregistered") {
        return refuse(
            "a model whose data is known (trained.json)",
            "nothing says on which data these archives were trained, so predictions could leak: put its " +
                "trained.json beside them, or train",
        );
    }
    if (trained.model !== model) {
        return refuse(`a ${model} model`, `it holds a ${trained.model} model: correct the path`);
    }
    const differences = pagesDiffer(trained, wanted);
    if (differences.length > 0) {
        return refuse(
            "a model trained on this very data with the same pages held out",
            `${differences.join("; ")}: its predictions are worthless for other pages; use its data, or train`,
        );
    }
    const damaged = await damage(storage, trained);
    return damaged === undefined
        ? given(prefix, trained)
        : refuse("a whole model", `${damaged}: name another, or train`);
}

/**
 * Seed and share decide which stacks are held out: with others the model may have learned from this execution's test
 * pages.
 */
function pagesDiffer(trained: TrainedModel, { data, seed, testShare }: MemberIdentity): string[] {
    const own = trained.identity as unknown as MemberIdentity;
    return changes(trained.identity, { ...own, data, seed, testShare });
}

function given(prefix: string, trained: TrainedModel): Decision {
    const { jobName, execution, trainedAt, artifacts, key, identity } = trained;
    return {
        action: "skip",
        key,
        identity,
        trained,
        given: { prefix, jobName, execution, trainedAt, artifacts },
        reason: `given: ${prefix}, key ${key.slice(0, 8)}, trained ${trainedAt.slice(0, 10)} by execution ${execution}`,
    };
}

async function findGiven(
    { storage, input }: Bench,
    model: string,
    prefix: string,
): Promise<TrainedModel | "unregistered" | "empty"> {
    const marker = await readTrained(storage, joinS3(prefix, "trained.json"));
    if (marker !== undefined) {
        return marker;
    }
    const archive = await storage.head(joinS3(prefix, "model.tar.gz"));
    const output = await storage.head(joinS3(prefix, "output.tar.gz"));
    if (archive === undefined || output === undefined) {
        return "empty";
    }
    return (await registered(storage, joinS3(input.target, "trained", model), archive, output)) ?? "unregistered";
}

/** The marker in a folder whose archives are the same bytes. */
async function registered(
    storage: Storage,
    folder: string,
    archive: StoredObject,
    output: StoredObject,
): Promise<TrainedModel | undefined> {
    let looked = 0;
    for await (const { key } of storage.list(folder)) {
        const trained = await readTrained(storage, joinS3(folder, key));
        if (
            trained !== undefined &&
            sameContent(trained.artifacts.model, archive) &&
            sameContent(trained.artifacts.output, output)
        ) {
            return { ...trained, artifacts: { model: stored(archive), output: stored(output) } };
        }
        looked += 1;
        if (looked === MAXIMUM_SEARCHED) {
            break;
        }
    }
    return undefined;
}

/** What a marker keeps of an object. */
function stored({ uri, bytes, etag, checksum }: StoredObject): StoredObject {
    return { uri, bytes, etag, checksum };
}
