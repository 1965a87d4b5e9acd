/**
 * The members' finished models as a job gets them: a prefix with `trained.json`, or `-` for one that failed and is
 * tolerated.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { joinS3 } from "../../ground/s3Address";
import type { TrainedModel } from "../../workflow/contract";
import { readTrained } from "../common/artifacts";
import { DataError, InputError } from "../common/errors";
import type { Plan } from "../common/plan";
import type { JobContext } from "./context";
import { NOTHING, memberPaths } from "./context";
import { unpack } from "./archive";

export interface PresentMember {
    readonly name: string;
    readonly trained: TrainedModel;
}

/** Members that are there, sorted by name, and the names of those that are not. */
export async function readMembers(
    { parameters, storage }: JobContext,
    plan: Plan | undefined,
    kind: "mergeParameter" | "publishParameter",
    without: readonly string[] = [],
): Promise<{ readonly present: readonly PresentMember[]; readonly missing: readonly string[] }> {
    const present: PresentMember[] = [];
    const missing: string[] = [];
    for (const [suffix, prefix] of memberPaths(parameters, without)) {
        const planned = Object.entries(plan?.members ?? {}).find(
            ([, member]) => member[kind] === `INPUT_PATH_${suffix}`,
        )?.[0];
        if (prefix === NOTHING) {
            missing.push(planned ?? suffix.toLowerCase());
            continue;
        }
        const trained = await readFinished({ storage }, prefix);
        if (planned !== undefined && trained.model !== planned) {
            throw new DataError(
                `${joinS3(prefix, "trained.json")} is of model ${trained.model}, expected ${planned}; correct ` +
                    `INPUT_PATH_${suffix}`,
            );
        }
        present.push({ name: trained.model, trained });
    }
    present.sort((a, b) => (a.name < b.name ? -1 : 1));
    const double = present.find(({ name }, index) => index > 0 && present[index - 1].name === name);
    if (double !== undefined) {
        throw new InputError(`model ${double.name} is given twice; give each member one INPUT_PATH_...`);
    }
    if (present.length === 0) {
        throw new DataError("no member is there; at least one must have finished");
    }
    return { present, missing };
}

/** The completion marker of a model that must be finished. */
export async function readFinished({ storage }: Pick<JobContext, "storage">, prefix: string): Promise<TrainedModel> {
    const marker = joinS3(prefix, "trained.json");
    const trained = await readTrained(storage, marker);
    if (trained === undefined) {
        throw new DataError(`${marker} does not exist, so the model is not finished; train it first`);
    }
    return trained;
}

/** Downloads and unpacks one archive of a model; returns the folder. */
export async function unpackArtifact(
    { storage, scratch }: JobContext,
    trained: TrainedModel,
    which: "model" | "output",
): Promise<string> {
    const file = path.join(scratch, `${trained.model}-${which}.tar.gz`);
    const folder = path.join(scratch, `${trained.model}-${which}`);
    await storage.send(`make room for ${trained.artifacts[which].uri}`, () => mkdir(folder, { recursive: true }));
    await storage.download(trained.artifacts[which], file);
    await unpack(file, folder, trained.artifacts[which].uri);
    return folder;
}
