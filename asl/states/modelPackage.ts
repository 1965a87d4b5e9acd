import { checkEntries, checkText } from "./bounds";
import type { Permission, Place } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** A group of SageMaker's model registry. */
export interface ModelPackageGroup extends Place {
    /** 1 to 63 letters, digits and hyphens, beginning with a letter or digit. */
    readonly groupName: string;
}

function checkGroup(state: string, { groupName }: ModelPackageGroup): void {
    checkText({ state, field: "group.groupName" }, groupName, {
        min: 1,
        max: 63,
        pattern: /^[a-zA-Z0-9](-*[a-zA-Z0-9])*$/,
        words: "of letters, digits and hyphens, no hyphen at either end",
    });
}

function versionsOf({
    partition,
    region,
    account,
    groupName,
}: ModelPackageGroup): Pick<Permission, "resources" | "reason"> {
    return {
        resources: [
            `arn:${partition}:sagemaker:${region}:${account}:model-package-group/${groupName}`,
            `arn:${partition}:sagemaker:${region}:${account}:model-package/${groupName}/*`,
        ],
        reason: "a version is made and listed in its group, and has a number of its own",
    };
}

/** Versions of a group. */
export interface ListModelPackagesOptions extends TaskOptions {
    /** The group whose packages are listed, newest first. */
    readonly group: ModelPackageGroup;
}

/** `sagemaker:listModelPackages`: the newest 100 versions of a group, newest first. */
export class ListModelPackages extends Task {
    constructor(
        name: string,
        private readonly options: ListModelPackagesOptions,
    ) {
        super(name, options);
        checkGroup(name, options.group);
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

/** A version of a group. Source of the bounds: API reference of SageMaker, CreateModelPackage. */
export interface CreateModelPackageOptions extends TaskOptions {
    /** The group that the package is a new version in. */
    readonly group: ModelPackageGroup;
    /** At most 1,024 characters. */
    readonly description: string | Expression<string>;
    /**
     * s3:// address of what is registered. Without a container that serves it: approval is for people, deployment for
     * them, too.
     */
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

const METADATA = { pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u, words: "of letters, digits, spaces and _.:/=+-@" };

/**
 * `sagemaker:createModelPackage`: a new version of a group, to be approved by a person. Tags are the group's: a version
 * takes none.
 */
export class CreateModelPackage extends Task {
    constructor(
        name: string,
        private readonly options: CreateModelPackageOptions,
    ) {
        super(name, options);
        const { group, description, generatedBy, metadata, clientToken } = options;
        const place = (field: string) => ({ state: name, field });
        checkGroup(name, group);
        checkText(place("description"), description, { min: 0, max: 1_024 });
        checkText(place("generatedBy"), generatedBy, { min: 0, max: 1_024 });
        checkEntries(place("metadata"), metadata, { min: 0, max: 50 });
        for (const [key, value] of Object.entries(metadata)) {
            checkText(place(`the name "${key}" in metadata`), key, { min: 1, max: 128, ...METADATA });
            checkText(place(`metadata["${key}"]`), value, { min: 1, max: 256, ...METADATA });
        }
        checkText(place("clientToken"), clientToken, {
            min: 1,
            max: 36,
            pattern: /^[a-zA-Z0-9-]+$/,
            words: "of letters, digits and hyphens",
        });
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
