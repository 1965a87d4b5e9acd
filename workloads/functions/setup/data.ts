/**
 * The data of an execution: whether it is there and whole, what its identity is, and the split set where one is
 * given.
 */
import { MAXIMUM_S3_KEY_BYTES } from "../../../ground/awsLimits";
import { joinS3 } from "../../../ground/s3Address";
import type { ModelSettings, StageSettings } from "../../../workflow/contract";
import { mostFolds, withoutSlash, type CompletedInput } from "../../../workflow/input";
import { channelFile, dataIdentity, isData, listingIdentity, sha256 } from "../../../workflow/keys";
import { checksumsAddress, checksumsOf } from "../../common/checksums";
import type { FetchManifest } from "../../common/plan";
import { locate, type ListedVersion, type Storage } from "../../common/storage";
import { checkDocumentSet } from "../../documents/check";
import { isIgnored } from "../../documents/files";
import { LABELS } from "../../documents/labels";
import { PAGE_FILES } from "../../documents/pages";
import { describeProblems } from "../../documents/problems";
import type { Lifetimes } from "./lifetimes";
import type { Problems } from "./problems";

/** Families with NVMe disks of their own: the volume's size and key do not apply (the key is refused). */
export const NVME_FAMILIES =
    /^ml\.(p3dn|p4d|p4de|p5|p5e|p5en|p6|g4dn|g5|g6|g6e|g7e|trn1|trn1n|trn2|[a-z]+[0-9]+[a-z]*d[a-z]*)\./;

const FIELD = "fetch_data.preprocessed_data_path";
/** What is copied must stay for a day: the fetch job is among the first steps. */
const COPY_MS = 86_400_000;

export interface ReadData {
    /** Identity of the data: 64 hexadecimal digits; empty where it could not be read. */
    readonly hash: string;
    /** Identity of its listing, by which the fetch job knows that nobody wrote meanwhile. */
    readonly listing: string;
    /** Set where the fetch job draws, or drew, the held-out stacks. */
    readonly testShare?: number;
    readonly objects: number;
    readonly bytes: number;
    /** Files that are a channel of their own, relative to the data. */
    readonly channelFiles: readonly string[];
}

export interface DataQuestion {
    readonly storage: Storage;
    readonly settings: StageSettings;
    readonly input: CompletedInput;
    /** Where an execution copies the data to, without a slash. */
    readonly rawData: string;
    readonly lifetimes: Lifetimes;
    readonly problems: Problems;
    readonly notes: string[];
}

/** Reads the listing of the data, notes everything that is wrong with it, and identifies it. */
export async function readData(question: DataQuestion): Promise<ReadData> {
    const { storage, input, problems } = question;
    const objects: ListedVersion[] = [];
    const read = await problems.reading(FIELD, input.dataPath, async () => {
        for await (const object of storage.list(input.dataPath)) {
            if (!isIgnored(object.key)) {
                objects.push(object);
            }
        }
        return true;
    });
    const size = { objects: objects.length, bytes: bytesOf(objects) };
    if (read === undefined) {
        return { ...size, hash: "", listing: "", channelFiles: [] };
    }
    if (objects.length === 0) {
        problems.add(
            FIELD,
            input.dataPath,
            "documents below it",
            "there is no object below this prefix: correct the path, or upload the data first",
        );
        return { ...size, hash: "", listing: "", channelFiles: [] };
    }
    const channelFiles = channelFilesOf(question.settings, objects);
    await checkDocuments(question, objects);
    checkFetched(question, objects, channelFiles);
    checkChannels(question, objects);
    checkKeys(question, objects);
    await checkLifetime(question, objects);
    const identified = await problems.reading(FIELD, input.dataPath, () => identify(question, objects));
    return { ...size, channelFiles, hash: "", listing: listingIdentity(objects), ...identified };
}

function bytesOf(objects: readonly ListedVersion[]): number {
    return objects.reduce((sum, object) => sum + object.bytes, 0);
}

/** The paths of channels that name one file of the data, and not a folder. */
function channelFilesOf(settings: StageSettings, objects: readonly ListedVersion[]): string[] {
    const models: ModelSettings[] = [...Object.values(settings.members), settings.combiner];
    const paths = models.flatMap(({ channels }) =>
        channels.filter(({ from }) => from === "raw_data").map(({ path }) => path),
    );
    const keys = new Set(objects.map(({ key }) => key));
    return [...new Set(paths)].filter((path) => keys.has(path)).sort();
}

/** Everything that labels and the listing tell, by the rules that the desk and the fetch job have, too. */
async function checkDocuments(
    { storage, settings, input, problems }: DataQuestion,
    objects: readonly ListedVersion[],
): Promise<void> {
    const add = (expected: string, advice: string) => problems.add(FIELD, input.dataPath, expected, advice);
    if (!objects.some(({ key }) => key === LABELS)) {
        add(
            "labels.csv directly below it",
            `there are ${objects.length} objects, the first is ${objects[0]?.key}: name the folder that holds ` +
                "labels.csv",
        );
        return;
    }
    const content = await problems.reading(FIELD, input.dataPath, () => storage.bytes(joinS3(input.dataPath, LABELS)));
    const { problems: found } = checkDocumentSet({
        content,
        listing: objects,
        folds: mostFolds(settings, input),
        draw: settings,
    });
    // which folders are missing, the members' channels tell
    const told = describeProblems(found.filter(({ code }) => code !== "nothing-beside"));
    told.forEach((line) => add("documents that can be trained on", line));
}

/** Data that is used where it is lies there as the fetch job leaves it. */
function checkFetched(
    { input, problems }: DataQuestion,
    objects: readonly ListedVersion[],
    channelFiles: readonly string[],
): void {
    const add = (expected: string, advice: string) => problems.add(FIELD, input.dataPath, expected, advice);
    if (input.fetchData) {
        return;
    }
    const keys = new Set(objects.map(({ key }) => key));
    if (!keys.has("manifest.json")) {
        add(
            "data as the fetch job leaves it (with manifest.json), since fetch_preprocessing_artifacts is false",
            "name raw_data of an earlier execution, or set fetch_preprocessing_artifacts to true",
        );
        return;
    }
    const missing = channelFiles.find((path) => !keys.has(channelFile(path)));
    if (missing !== undefined) {
        add(
            `${channelFile(missing)}, as the fetch job leaves it, since fetch_preprocessing_artifacts is false`,
            "it was fetched by an earlier version: set fetch_preprocessing_artifacts to true",
        );
    }
}

/** Every channel of a member that trains has objects, and they fit its volume. */
function checkChannels({ settings, input, problems }: DataQuestion, objects: readonly ListedVersion[]): void {
    const add = (expected: string, advice: string) => problems.add(FIELD, input.dataPath, expected, advice);
    for (const [name, member] of Object.entries(settings.members)) {
        const wanted = input.members[name];
        if (wanted === undefined || !wanted.train) {
            continue;
        }
        let needed = 0;
        for (const { path } of member.channels.filter(({ from }) => from === "raw_data")) {
            const below = objectsOfChannel(objects, path);
            needed += bytesOf(below);
            if (below.length === 0) {
                add(
                    `objects below ${path} for the ${name} model`,
                    `upload them, or set run_training_steps.${name}_model to false`,
                );
            }
            const isOther = !(withoutSlash(path) in PAGE_FILES);
            const empty = below.find(({ key, bytes }) => isOther && bytes === 0 && /\.(png|jpe?g|tiff?)$/i.test(key));
            if (empty !== undefined) {
                add(
                    `page images that are not empty for the ${name} model`,
                    `${empty.key} has 0 bytes: upload it again`,
                );
            }
        }
        const isBounded = wanted.capacity.some((rung) => !NVME_FAMILIES.test(rung.instanceType));
        if (isBounded && needed > member.volumeGb * 1e9) {
            add(
                `at most ${member.volumeGb} GB for the ${name} model's volume`,
                `its channels hold ${(needed / 1e9).toFixed(1)} GB: raise volumeGb`,
            );
        }
    }
}

function objectsOfChannel(objects: readonly ListedVersion[], path: string): ListedVersion[] {
    const bare = withoutSlash(path);
    return objects.filter(({ key }) => isData(key) && (bare === "" || key === bare || key.startsWith(`${bare}/`)));
}

/** A copy lies deeper than its source: its keys must fit, too. */
function checkKeys({ input, rawData, problems }: DataQuestion, objects: readonly ListedVersion[]): void {
    if (!input.fetchData) {
        return;
    }
    const base = Buffer.byteLength(locate(`${rawData}/`).key);
    const tooLong = objects.filter(({ key }) => base + Buffer.byteLength(key) > MAXIMUM_S3_KEY_BYTES);
    const [first] = tooLong;
    if (first !== undefined) {
        const bytes = base + Buffer.byteLength(first.key);
        problems.add(
            FIELD,
            input.dataPath,
            `names whose copies have at most ${MAXIMUM_S3_KEY_BYTES} bytes below ${rawData}/`,
            `${tooLong.length} are longer, the first with ${bytes}: ${first.key.slice(0, 60)}...: shorten the ` +
                "names of files and folders",
        );
    }
}

/** The data stays until it was copied, or as long as the execution reads it where it is. */
async function checkLifetime(question: DataQuestion, objects: readonly ListedVersion[]): Promise<void> {
    const { input, lifetimes, problems } = question;
    const by = input.fetchData ? lifetimes.after(COPY_MS) : lifetimes.end;
    const early = await lifetimes.oneEndsEarly(input.dataPath, objects, by);
    if (early !== undefined) {
        const until = input.fetchData ? "until it was copied" : "as long as the execution may read it";
        problems.add(
            FIELD,
            input.dataPath,
            `data that stays ${until}`,
            `${early}: copy it elsewhere, or fetch it anew`,
        );
    }
}

/**
 * Data that an earlier execution fetched has the identity of what it was fetched from, as long as nobody changed it.
 */
async function identify(
    { storage, settings, input, notes }: DataQuestion,
    objects: readonly ListedVersion[],
): Promise<Pick<ReadData, "hash" | "testShare">> {
    if (objects.some(({ key }) => key === "manifest.json")) {
        const manifest = (await storage.json(joinS3(input.dataPath, "manifest.json"))) as
            Partial<FetchManifest> | undefined;
        if (manifest?.job === "fetch" && manifest.content === listingIdentity(objects) && manifest.data !== undefined) {
            return { hash: manifest.data, testShare: manifest.testShare };
        }
    }
    const remembered = checksumsAddress(input.target, input.dataPath);
    const { objects: identified, unknown } = await checksumsOf(storage, input.dataPath, objects, remembered);
    if (unknown > 0) {
        notes.push(
            `${unknown} objects of the data have no checksum and are too large to read: their ETag stands for them, ` +
                "so the same bytes uploaded again count as other data; upload them with a checksum (aws s3 cp does)",
        );
    }
    return { hash: dataIdentity(identified), testShare: input.fetchData ? settings.testShare : undefined };
}

/** Hash of a given split set; undefined where the split job makes one. */
export async function readSplit({
    storage,
    settings,
    input,
    lifetimes,
    problems,
}: DataQuestion): Promise<string | undefined> {
    const uri = input.splitPath;
    const isNeeded = Object.entries(settings.members).some(
        ([name, { splitSet }]) => splitSet && input.members[name]?.train === true,
    );
    if (uri === undefined || !isNeeded) {
        return undefined;
    }
    const field = "fetch_data.image_model_split_path";
    const folds = joinS3(uri, "folds.json");
    const split = await problems.reading(field, uri, async () => ({
        text: await storage.text(folds),
        found: await storage.head(folds),
    }));
    if (split?.text === undefined || split.found === undefined) {
        if (split !== undefined) {
            problems.add(
                field,
                uri,
                "a split set: folds.json directly below it",
                "name image_model_training_split_set of an earlier execution, or set generate_image_model_split " +
                    "to true",
            );
        }
        return undefined;
    }
    const early = await lifetimes.endsEarly(folds, split.found.modified);
    if (early !== undefined) {
        problems.add(field, uri, "a split set that stays as long as the execution may read it", `${early}: copy it`);
    }
    return sha256(split.text);
}
