import type { Permission, Place } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** A group of SageMaker's model registry. */
export interface ModelPackageGroup extends Place {
    /** At most 63 characters of a-z, 0-9 and -. */
    readonly groupName: string;
}

function versionsOf({
    partition,
    region,
    account,
    groupName,
}: ModelPackageGroup): Pick<Permission, "resources" | "reason"> {
    return {
        resources: [`arn:${partition}:sagemaker:${region}:${account}:model-package/${groupName}/*`],
        reason: "every version of the group has a number of its own",
    };
}

export interface ListModelPackagesOptions extends TaskOptions {
    readonly group: ModelPackageGroup;
}

/** `sagemaker:listModelPackages`: the newest 100 versions of a group, newest first. */
export class ListModelPackages extends Task {
    constructor(
        name: string,
        private readonly options: ListModelPackagesOptions,
    ) {
        super(name, options);
    }

    protected override resource(): string {
        return `arn:${this.options.group.partition}:states:::aws-sdk:sagemaker:listModelPackages`;
    }

    protected override arguments(): Template {
        return {
            ModelPackageGroupName: this.options.group.groupName,
            ModelPackageType: "Versioned",
            SortBy: "CreationTime",
            SortOrder: "Descending",
            MaxResults: 100,
        };
    }

    protected override needs(): readonly Permission[] {
        return [{ actions: ["sagemaker:ListModelPackages"], ...versionsOf(this.options.group) }];
    }
}

export interface CreateModelPackageOptions extends TaskOptions {
    readonly group: ModelPackageGroup;
    /** At most 1,024 characters. */
    readonly description: string | Expression<string>;
    /** s3:// address of what is registered. Without a container that serves it: approval is for people, deployment for them, too. */
    readonly sourceUri: string | Expression<string>;
    /** s3:// address of a JSON file with the metrics. */
    readonly metricsUri: string | Expression<string>;
    /** Who made it; at most 1,024 characters. */
    readonly generatedBy: string | Expression<string>;
    /** At most 50 names (128 characters) with values (1 to 256) of letters, digits, spaces and _.:/=+-@ */
    readonly metadata: { readonly [name: string]: string | Expression<string> };
    /** The same for retries of the same registration: 1 to 36 of a-z, A-Z, 0-9 and -. */
    readonly clientToken: string | Expression<string>;
}

/** `sagemaker:createModelPackage`: a new version of a group, to be approved by a person. Tags are the group's: a version takes none. */
export class CreateModelPackage extends Task {
    constructor(
        name: string,
        private readonly options: CreateModelPackageOptions,
    ) {
        super(name, options);
        const entries = Object.keys(options.metadata).length;
        if (entries > 50) {
            throw new Error(`state "${name}": ${entries} metadata entries; SageMaker takes 50`);
        }
    }

    protected override resource(): string {
        return `arn:${this.options.group.partition}:states:::aws-sdk:sagemaker:createModelPackage`;
    }

    protected override arguments(): Template {
        const { group, description, sourceUri, metricsUri, generatedBy, metadata, clientToken } = this.options;
        return {
            ModelPackageGroupName: group.groupName,
            ModelPackageDescription: description,
            ModelApprovalStatus: "PendingManualApproval",
            SourceUri: sourceUri,
            ModelMetrics: { ModelQuality: { Statistics: { ContentType: "application/json", S3Uri: metricsUri } } },
            MetadataProperties: { GeneratedBy: generatedBy },
            CustomerMetadataProperties: metadata,
            ClientToken: clientToken,
        };
    }

    protected override needs(): readonly Permission[] {
        return [{ actions: ["sagemaker:CreateModelPackage"], ...versionsOf(this.options.group) }];
    }
}
