import { getCallerIdentity } from "@pulumi/aws/getCallerIdentity";
import { getPartition } from "@pulumi/aws/getPartition";
import { getRegion } from "@pulumi/aws/getRegion";
import type { Identity } from "./names";

/**
 * Where the provider's credentials and region point. Awaited: from here on names and ARNs are plain strings, known at
 * any preview.
 */
export async function callerIdentity(): Promise<Identity> {
    const [caller, region, partition] = await Promise.all([getCallerIdentity(), getRegion(), getPartition()]);
    return { account: caller.accountId, region: region.region, partition: partition.partition };
}
