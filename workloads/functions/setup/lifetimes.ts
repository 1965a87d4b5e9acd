/**
 * Whether what an execution reads, reuses and leaves stays as long as it must: the lifecycle rules of its buckets, as
 * they are.
 */
import {
    describeEnd,
    endRules,
    firstEnd,
    reachesBelow,
    type EndRule,
    type LifecycleRuleLike,
} from "../../../ground/lifecycle";
import { folderOfS3, joinS3 } from "../../../ground/s3Address";
import type { StoredObject } from "../../../workflow/contract";
import { PLACES, type Folder } from "../../../workflow/places";
import { messageOf, StorageError } from "../../common/errors";
import { locate, type ListedVersion, type Storage } from "../../common/storage";
import type { Problems } from "./problems";

const DAY_SECONDS = 86_400;

export class Lifetimes {
    private readonly rules = new Map<string, Promise<readonly EndRule[]>>();

    /**
     * @param end when the execution has ended at the latest.
     * @param notes gets what could not be found out.
     */
    constructor(
        private readonly storage: Storage,
        private readonly start: Date,
        readonly end: Date,
        private readonly notes: string[],
    ) {}

    /** So many milliseconds after the execution's start. */
    after(milliseconds: number): Date {
        return new Date(this.start.getTime() + milliseconds);
    }

    /** Why an object may be gone before the execution has ended; undefined where it stays. */
    async endsEarly(uri: string, written: Date, by = this.end): Promise<string | undefined> {
        const { bucket, key } = locate(uri);
        const first = firstEnd(await this.rulesOf(bucket), key, written);
        if (first === undefined || first.at > by) {
            return undefined;
        }
        return `${uri} may be gone on ${first.at.toISOString().slice(0, 10)} (${describeEnd(first.rule)})`;
    }

    /** As {@link endsEarly}, of the first of a listing's objects that does not stay. */
    async oneEndsEarly(prefix: string, objects: readonly ListedVersion[], by: Date): Promise<string | undefined> {
        const { bucket } = locate(prefix);
        if ((await this.rulesOf(bucket)).length === 0) {
            return undefined;
        }
        for (const { key, modified } of objects) {
            const early = await this.endsEarly(`${joinS3(prefix)}/${key}`, modified, by);
            if (early !== undefined) {
                return early;
            }
        }
        return undefined;
    }

    /** As {@link endsEarly}, of the first of a model's archives that does not stay. */
    async archivesEndEarly(archives: readonly StoredObject[], by = this.end): Promise<string | undefined> {
        for (const { uri } of archives) {
            const found = await this.storage.head(uri);
            const early = found === undefined ? undefined : await this.endsEarly(uri, found.modified, by);
            if (early !== undefined) {
                return early;
            }
        }
        return undefined;
    }

    /** Notes what of an execution's target is deleted although it must stay. */
    async checkTarget(target: string, problems: Problems): Promise<void> {
        const { bucket, key } = locate(folderOfS3(target));
        const base = key === "/" ? "" : key;
        const rules = await this.rulesOf(bucket);
        for (const folder of Object.keys(PLACES) as Folder[]) {
            const early = rules.find((rule) => reachesBelow(rule, `${base}${folder}/`) && !this.allows(folder, rule));
            if (early !== undefined) {
                problems.add(
                    "output_artifact_target_base_path",
                    target,
                    `a place where ${joinS3(target, folder)}/ ${this.demand(folder)}`,
                    `${describeEnd(early)}: change the rule, or write elsewhere`,
                );
                return;
            }
        }
    }

    private allows(folder: Folder, rule: EndRule): boolean {
        const isTemporary = PLACES[folder].lifetime !== "kept";
        return isTemporary && rule.days !== undefined && rule.days * DAY_SECONDS >= this.seconds;
    }

    private demand(folder: Folder): string {
        const { lifetime, holds } = PLACES[folder];
        const days = Math.ceil(this.seconds / DAY_SECONDS);
        return lifetime === "kept" ? `is kept (${holds})` : `stays ${days} days, as long as the execution may take`;
    }

    private get seconds(): number {
        return (this.end.getTime() - this.start.getTime()) / 1_000;
    }

    private rulesOf(bucket: string): Promise<readonly EndRule[]> {
        const known = this.rules.get(bucket);
        if (known !== undefined) {
            return known;
        }
        const asked = this.ask(bucket);
        this.rules.set(bucket, asked);
        return asked;
    }

    /** A bucket that does not tell its rules stops nothing: the plan says so. */
    private async ask(bucket: string): Promise<readonly EndRule[]> {
        try {
            return endRules((await this.storage.lifecycleRules(bucket)) as readonly LifecycleRuleLike[]);
        } catch (error) {
            if (error instanceof StorageError) {
                throw error;
            }
            this.notes.push(`whether objects of ${bucket} expire was not checked: ${messageOf(error)}`);
            return [];
        }
    }
}
