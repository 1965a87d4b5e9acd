import * as s3 from "@pulumi/aws/s3";
import * as pulumi from "@pulumi/pulumi";
import { policyDocument } from "./iam";
import { expiringFolders } from "../workflow/places";
import type { StageNames } from "./names";
import { protection } from "./protection";
import type { StageTags } from "./tags";

export interface ArtifactStoreArgs {
    readonly names: StageNames;
    /** ARN of the key that objects are encrypted with. */
    readonly keyArn: pulumi.Input<string>;
    /**
     * Days until an execution's own copy of the data and its results expire. What is published and what can be reused
     * do not.
     */
    readonly runDays: number;
    /** Days until checkpoints expire: they serve only the attempts of one content key. */
    readonly checkpointDays: number;
    /** Days until an overwritten or deleted object is gone for good. */
    readonly noncurrentDays: number;
    readonly protectedStage: boolean;
    readonly tags: StageTags;
}

/** A lifecycle rule as the provider takes it. */
interface LifecycleRule {
    readonly id: string;
    readonly status: "Enabled";
    readonly filter: { readonly prefix: string };
    readonly expiration?: { readonly days: number };
    readonly abortIncompleteMultipartUpload?: { readonly daysAfterInitiation: number };
    readonly noncurrentVersionExpiration?: { readonly noncurrentDays: number };
}

/** The ends of objects: of folders that hold nothing for long, of old versions, of uploads that nobody completed. */
export function lifecycleRules(
    days: Pick<ArtifactStoreArgs, "runDays" | "checkpointDays" | "noncurrentDays">,
): LifecycleRule[] {
    const expiring = expiringFolders().map(({ folder, lifetime }) => ({
        id: folder,
        status: "Enabled" as const,
        filter: { prefix: `${folder}/` },
        expiration: { days: days[lifetime] },
    }));
    const leftovers: LifecycleRule = {
        id: "leftovers",
        status: "Enabled",
        filter: { prefix: "" },
        abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        noncurrentVersionExpiration: { noncurrentDays: days.noncurrentDays },
    };
    return [...expiring, leftovers];
}

/**
 * The bucket for everything that executions read and write: private, versioned, encrypted, TLS only, with an end to
 * what is temporary.
 */
export class ArtifactStore extends pulumi.ComponentResource {
    readonly bucket: pulumi.Output<string>;
    readonly arn: pulumi.Output<string>;
    /** What must exist before the first object is written. */
    readonly parts: readonly pulumi.Resource[];

    constructor(name: string, args: ArtifactStoreArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:s3:ArtifactStore", name, {}, opts);
        const { names, tags } = args;
        // Also what makes the bucket private, encrypted and versioned: data that outlives the stack is not to lie open.
        const child = { parent: this, ...protection("data", args.protectedStage) };
        const bucket = new s3.Bucket(name, { bucket: names.bucket, tags }, child);
        const access = new s3.BucketPublicAccessBlock(
            name,
            {
                bucket: bucket.bucket,
                blockPublicAcls: true,
                blockPublicPolicy: true,
                ignorePublicAcls: true,
                restrictPublicBuckets: true,
            },
            child,
        );
        const ownership = new s3.BucketOwnershipControls(
            name,
            {
                bucket: bucket.bucket,
                rule: { objectOwnership: "BucketOwnerEnforced" },
            },
            child,
        );
        const encryption = new s3.BucketServerSideEncryptionConfiguration(
            name,
            {
                bucket: bucket.bucket,
                rules: [
                    {
                        applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: args.keyArn },
                        // One key request a bucket and not one an object: a copy of a hundred thousand pages would pay
                        // for each.
                        bucketKeyEnabled: true,
                    },
                ],
            },
            child,
        );
        const versioning = new s3.BucketVersioning(
            name,
            {
                bucket: bucket.bucket,
                versioningConfiguration: { status: "Enabled" },
            },
            child,
        );
        const lifecycle = new s3.BucketLifecycleConfiguration(
            name,
            {
                bucket: bucket.bucket,
                rules: lifecycleRules(args),
            },
            { ...child, dependsOn: [versioning] },
        );
        const policy = new s3.BucketPolicy(
            name,
            {
                bucket: bucket.bucket,
                policy: policyDocument([
                    {
                        Sid: "TlsOnly",
                        Effect: "Deny",
                        Principal: "*",
                        Action: "s3:*",
                        Resource: [names.bucketArn, `${names.bucketArn}/*`],
                        Condition: { Bool: { "aws:SecureTransport": "false" } },
                    },
                ]),
                // Two calls that change a bucket's access at the same time conflict.
            },
            { ...child, dependsOn: [access] },
        );
        this.bucket = bucket.bucket;
        this.arn = bucket.arn;
        this.parts = [bucket, access, ownership, encryption, versioning, lifecycle, policy];
        this.registerOutputs({ bucket: this.bucket, arn: this.arn });
    }
}
