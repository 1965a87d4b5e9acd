/** Versions in SageMaker's model registry, as far as they point at objects. */
import {
    DescribeModelPackageCommand,
    paginateListModelPackages,
    SageMakerClient,
    type DescribeModelPackageOutput,
} from "@aws-sdk/client-sagemaker";
import type { StateMachineDefinition } from "../../asl/types";

/** The group that a stage's ensembles are versions of; undefined where it registers none. */
export function registryGroupOf(definition: StateMachineDefinition): string | undefined {
    return /"ModelPackageGroupName":"([^"{}]+)"/.exec(JSON.stringify(definition))?.[1];
}

/** Every s3:// address that a version of the group names, in whatever field. A group that is not there has none. */
export async function registeredAddresses(client: SageMakerClient, group: string): Promise<string[]> {
    const addresses: string[] = [];
    try {
        for await (const page of paginateListModelPackages({ client }, { ModelPackageGroupName: group })) {
            for (const { ModelPackageArn: ModelPackageName } of page.ModelPackageSummaryList ?? []) {
                const version = await client.send(new DescribeModelPackageCommand({ ModelPackageName }));
                addresses.push(...addressesOf(version));
            }
        }
    } catch (error) {
        if (!/does not exist|could not be found|NotFound/i.test(String(error))) {
            throw error;
        }
    }
    return addresses;
}

function addressesOf(version: DescribeModelPackageOutput): string[] {
    return [...JSON.stringify(version).matchAll(/"(s3:\/\/[^"]+)"/g)].map(([, uri]) => uri ?? "");
}
