/**
 * What the account may run at once, from Service Quotas. A missing permission or answer is said, and blocks nothing.
 */
import { ListServiceQuotasCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { trainingQuota } from "../../../ground/awsNames";

/** Looks up how many instances of a type may train at once; undefined where that is not known. */
export type QuotaLookup = (instanceType: string, spot: boolean) => Promise<number | undefined>;

/** Reads all quotas of SageMaker once, when the first is asked for. Throws what the service throws. */
function serviceQuotas(client: ServiceQuotasClient): QuotaLookup {
    let all: Promise<ReadonlyMap<string, number>> | undefined;
    return async (instanceType, spot) => {
        all ??= readAll(client);
        return (await all).get(trainingQuota(instanceType, spot));
    };
}

async function readAll(client: ServiceQuotasClient): Promise<ReadonlyMap<string, number>> {
    const quotas = new Map<string, number>();
    let token: string | undefined;
    do {
        const answer = await client.send(
            new ListServiceQuotasCommand({ ServiceCode: "sagemaker", MaxResults: 100, NextToken: token }),
        );
        for (const quota of answer.Quotas ?? []) {
            if (quota.QuotaName !== undefined && quota.Value !== undefined) {
                quotas.set(quota.QuotaName, quota.Value);
            }
        }
        token = answer.NextToken;
    } while (token !== undefined);
    return quotas;
}

/**
 * A model that is to train, with what its account allows on each rung of its ladder; undefined where that is not known.
 */
export interface QuotaDemand {
    readonly model: string;
    readonly instances: number;
    readonly rungs: readonly {
        readonly instanceType: string;
        readonly spot: boolean;
        readonly quota: number | undefined;
    }[];
}

/**
 * Models that cannot all train at once: together they want more instances than all rungs that are open to any of them
 * allow.
 */
export interface Shortage {
    readonly models: readonly string[];
    readonly instances: number;
    readonly quotas: number;
    /** The rungs, in words. */
    readonly described: string;
}

const rungKey = ({ instanceType, spot }: { readonly instanceType: string; readonly spot: boolean }) =>
    `${instanceType}${spot ? " (Spot)" : ""}`;

export function describeRungs(rungs: QuotaDemand["rungs"]): string {
    return rungs.map((rung) => `${rungKey(rung)}: ${rung.quota ?? "unknown"}`).join(", ");
}

/**
 * The shortages among models that train side by side: for the rungs of each ladder, the models that can train nowhere
 * else, summed. Only what cannot be is reported; models that share some rungs may get past each other, and an unknown
 * quota may be large enough.
 */
export function shortages(demands: readonly QuotaDemand[]): readonly Shortage[] {
    const found = new Map<string, Shortage>();
    for (const { rungs } of demands) {
        const open = new Map(rungs.map((rung) => [rungKey(rung), rung]));
        const rivals = demands.filter(
            (other) => other.rungs.length > 0 && other.rungs.every((rung) => open.has(rungKey(rung))),
        );
        const instances = rivals.reduce((sum, rival) => sum + rival.instances, 0);
        const quotas = [...open.values()].reduce((sum, { quota }) => sum + (quota ?? Infinity), 0);
        if (rivals.length > 1 && instances > quotas) {
            const models = rivals.map(({ model }) => model);
            found.set(models.join(), { models, instances, quotas, described: describeRungs([...open.values()]) });
        }
    }
    return [...found.values()];
}

/** The lookup of the environment; undefined where S3 is a local endpoint and nothing is said of quotas. */
export function defaultQuotas(): QuotaLookup | undefined {
    const local = process.env.AWS_ENDPOINT_URL_S3 !== undefined;
    if (
        local &&
        process.env.AWS_ENDPOINT_URL_SERVICE_QUOTAS === undefined &&
        process.env.AWS_ENDPOINT_URL === undefined
    ) {
        return undefined;
    }
    return serviceQuotas(
        new ServiceQuotasClient({
            maxAttempts: 2,
            requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 },
        }),
    );
}
