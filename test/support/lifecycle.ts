/** S3's lifecycle rules in virtual time: what a local endpoint keeps for ever, goes here when its day has come. */
import { endRules, firstEnd, type LifecycleRuleLike } from "../../ground/lifecycle";
import type { EvaluatedStage } from "../../project/evaluate";
import type { Storage } from "../../workloads/common/storage";

interface ProviderRule {
    readonly id: string;
    readonly status: string;
    readonly filter: { readonly prefix: string };
    readonly expiration?: { readonly days: number };
}

/** The rules of a stage's bucket as the program declares them, in the words of S3's API. */
export function renderedRules({ resources }: EvaluatedStage): LifecycleRuleLike[] {
    const configuration = resources.find(({ type }) => type.includes("bucketLifecycleConfiguration"));
    const rules = (configuration?.inputs.rules ?? []) as unknown as ProviderRule[];
    return rules.map(({ id, status, filter, expiration }) => ({
        ID: id,
        Status: status,
        Filter: { Prefix: filter.prefix },
        Expiration: { Days: expiration?.days },
    }));
}

/** A bucket whose objects age by a clock of its own. */
export class AgingBucket {
    private readonly written = new Map<string, Date>();

    constructor(
        private readonly storage: Storage,
        /** `s3://<bucket>`. */
        private readonly bucket: string,
        private readonly rules: readonly LifecycleRuleLike[],
    ) {}

    /** It is now `now`: what was written since the last look is of today, and what has had its time goes. */
    async comes(now: Date): Promise<string[]> {
        const gone: string[] = [];
        for await (const { key, etag } of this.storage.list(this.bucket)) {
            const version = `${key} ${etag}`;
            const written = this.written.get(version) ?? now;
            this.written.set(version, written);
            const end = firstEnd(endRules(this.rules), key, written);
            if (end !== undefined && end.at <= now) {
                await this.storage.remove(`${this.bucket}/${key}`);
                gone.push(key);
            }
        }
        return gone;
    }
}
