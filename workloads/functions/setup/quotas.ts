/**
 * What the account may run at once, from Service Quotas. A missing permission or answer is said, and blocks nothing.
 */
import { ListServiceQuotasCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";

/** Looks up how many instances of a type may train at once; undefined where that is not known. */
export type QuotaLookup = (instanceType: string, spot: boolean) => Promise<number | undefined>;

/** The name that Service Quotas gives to the quota of a training instance type. */
export function quotaName(instanceType: string, spot: boolean): string {
    return `${instanceType} for ${spot ? "spot training job" : "training job"} usage`;
}

/** Reads all quotas of SageMaker once, when the first is asked for. Throws what the service throws. */
export function serviceQuotas(client: ServiceQuotasClient): QuotaLookup {
    let all: Promise<ReadonlyMap<string, number>> | undefined;
    return async (instanceType, spot) => {
        all ??= readAll(client);
        return (await all).get(quotaName(instanceType, spot));
    };
}

async function readAll(client: ServiceQuotasClient): Promise<ReadonlyMap<string, number>> {
    const quotas = new Map<string, number>();
    let token: string | undefined;
    do {
        const answer = await client.send(new ListServiceQuotasCommand({ ServiceCode: "sagemaker", MaxResults: 100, NextToken: token }));
        for (const quota of answer.Quotas ?? []) {
            if (quota.QuotaName !== undefined && quota.Value !== undefined) {
                quotas.set(quota.QuotaName, quota.Value);
            }
        }
        token = answer.NextToken;
    } while (token !== undefined);
    return quotas;
}

/** The lookup of the environment; undefined where S3 is a local endpoint and nothing is said of quotas. */
export function defaultQuotas(): QuotaLookup | undefined {
    const local = process.env.AWS_ENDPOINT_URL_S3 !== undefined;
    if (local && process.env.AWS_ENDPOINT_URL_SERVICE_QUOTAS === undefined && process.env.AWS_ENDPOINT_URL === undefined) {
        return undefined;
    }
    return serviceQuotas(new ServiceQuotasClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 } }));
}
