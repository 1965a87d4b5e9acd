import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { defined } from "../../ground/fields";
import { AwsError } from "../awsError";

/** What `sagemaker:createModelPackage` is called with, as far as the registry's own rules are about it. */
export interface CreateModelPackageRequest {
    readonly ModelPackageGroupName: string;
    readonly ModelPackageDescription?: string;
    readonly ModelApprovalStatus?: string;
    readonly CustomerMetadataProperties?: Readonly<Record<string, string>>;
    readonly ClientToken?: string;
    readonly [field: string]: unknown;
}

interface Version {
    readonly ModelPackageGroupName: string;
    readonly ModelPackageVersion: number;
    readonly ModelPackageArn: string;
    readonly CreationTime: string;
    readonly ModelPackageStatus: "Completed";
    readonly ModelApprovalStatus: string;
    readonly ModelPackageDescription?: string;
    readonly request: CreateModelPackageRequest;
}

/**
 * Characters of metadata names (at most 128) and values (at most 256): the API's CustomerMetadataKey and
 * CustomerMetadataValue.
 */
const METADATA = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u;
const TOKEN = /^[a-zA-Z0-9-]{1,36}$/;

/**
 * SageMaker's model registry on this machine: a folder a group, a JSON file a version. It outlives the run, as AWS's
 * does.
 */
export class LocalModelRegistry {
    /** @param arnPrefix `arn:aws:sagemaker:<region>:<account>`. */
    constructor(
        private readonly folder: string,
        private readonly arnPrefix: string,
    ) {}

    /** `sagemaker:listModelPackages`, newest first. */
    async list(request: {
        readonly ModelPackageGroupName: string;
        readonly MaxResults?: number;
    }): Promise<Record<string, unknown>> {
        const versions = await this.versions(request.ModelPackageGroupName);
        return {
            ModelPackageSummaryList: versions
                .reverse()
                .slice(0, request.MaxResults ?? 10)
                .map(({ request: _request, ...summary }) => summary),
        };
    }

    /** `sagemaker:createModelPackage`; the same token gives the same version. */
    async create(
        request: CreateModelPackageRequest,
    ): Promise<{ readonly answer: Record<string, unknown>; readonly file: string }> {
        check(request);
        const group = request.ModelPackageGroupName;
        const versions = await this.versions(group);
        const known = versions.find(
            (version) => request.ClientToken !== undefined && version.request.ClientToken === request.ClientToken,
        );
        const number = known?.ModelPackageVersion ?? versions.length + 1;
        const file = path.join(this.folder, group, `${String(number).padStart(4, "0")}.json`);
        const version: Version =
            known ??
            defined({
                ModelPackageGroupName: group,
                ModelPackageVersion: number,
                ModelPackageArn: `${this.arnPrefix}:model-package/${group}/${number}`,
                CreationTime: new Date().toISOString(),
                ModelPackageStatus: "Completed",
                ModelApprovalStatus: request.ModelApprovalStatus ?? "PendingManualApproval",
                ModelPackageDescription: request.ModelPackageDescription,
                request,
            });
        if (known === undefined) {
            await mkdir(path.dirname(file), { recursive: true });
            await writeFile(file, `${JSON.stringify(version, null, 2)}\n`);
        }
        return { answer: { ModelPackageArn: version.ModelPackageArn }, file };
    }

    /** Oldest first. */
    private async versions(group: string): Promise<Version[]> {
        const folder = path.join(this.folder, group);
        let files: string[];
        try {
            files = (await readdir(folder)).filter((file) => /^\d+\.json$/.test(file)).sort();
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code === "ENOENT") {
                return [];
            }
            throw error;
        }
        return Promise.all(
            files.map(async (file) => JSON.parse(await readFile(path.join(folder, file), "utf8")) as Version),
        );
    }
}

function check(request: CreateModelPackageRequest): void {
    const metadata = Object.entries(request.CustomerMetadataProperties ?? {});
    const wrong = metadata.find(
        ([key, value]) =>
            !METADATA.test(key) ||
            key.length > 128 ||
            typeof value !== "string" ||
            !METADATA.test(value) ||
            value.length > 256,
    );
    if (wrong !== undefined) {
        refuse(
            `CustomerMetadataProperties: ${JSON.stringify(wrong[0])} is ${JSON.stringify(wrong[1])}; names have 1 to ` +
                "128 and values 1 to 256 letters, " +
                "digits, spaces and _.:/=+-@",
        );
    }
    if (metadata.length > 50) {
        refuse(`CustomerMetadataProperties has ${metadata.length} entries; at most 50 are allowed`);
    }
    if (request.ClientToken !== undefined && !TOKEN.test(request.ClientToken)) {
        refuse(`ClientToken ${JSON.stringify(request.ClientToken)}: 1 to 36 letters, digits and - are allowed`);
    }
    if ((request.ModelPackageDescription ?? "").length > 1_024) {
        refuse("ModelPackageDescription has more than 1,024 characters");
    }
}

function refuse(what: string): never {
    throw new AwsError(
        "SageMaker.SageMakerException",
        `ValidationException: ${what} (Service: SageMaker, Status Code: 400, Request ID: local)`,
    );
}
