import * as ecr from "@pulumi/aws/ecr";
import * as docker from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import { defined } from "../ground/fields";
import { type BuildContext, contextHash, writeContext } from "./contentHash";
import type { StageNames } from "./names";
import { protection } from "./protection";
import type { StageTags } from "./tags";

/**
 * Which tags of a repository earlier deployments pushed, newest first, and which of them the stack's state holds as a
 * resource.
 */
export interface PushedImages {
    readonly pushed: readonly string[];
    readonly held?: string;
}

/** What to do about the image with a tag, and what the next deployment has to know. */
export interface ImageDecision {
    readonly build: boolean;
    readonly record: PushedImages;
}

/**
 * Whether an image must be built. Repositories are immutable, and a second build of the same content has other bytes:
 * pushing it under its old tag fails. So going back to an earlier content builds nothing, it takes what that deployment
 * pushed.
 *
 * @param limit How many tags are remembered.
 */
export function decideImage(before: PushedImages, tag: string, limit: number): ImageDecision {
    const build = before.held === tag || !before.pushed.includes(tag);
    return {
        build,
        record: defined({
            pushed: [tag, ...before.pushed.filter((other) => other !== tag)].slice(0, limit),
            held: build ? tag : undefined,
        }),
    };
}

export interface TrainingImageArgs {
    readonly names: StageNames;
    /** Short name: of the repository `<service>-<stage>-<image>`. */
    readonly image: string;
    readonly context: BuildContext;
    /** What earlier deployments of this stage pushed. */
    readonly before: PushedImages;
    readonly remembered: number;
    readonly keyArn: pulumi.Input<string>;
    readonly protectedStage: boolean;
    readonly tags: StageTags;
}

/** The environment of the engine is the program's and the builder's: what is missing here is missing there. */
function warnOfAttestations(image: pulumi.Resource): void {
    if (process.env.BUILDX_NO_DEFAULT_ATTESTATIONS !== "1") {
        void pulumi.log.warn(
            "BUILDX_NO_DEFAULT_ATTESTATIONS is not set: the image may get attestations, with which " +
                "SageMaker refuses it " +
                "(UnsupportedManifestMediaType). Set it to 1 before `pulumi up`, or give a prebuilt image " +
                "(configuration key images).",
            image,
        );
    }
}

/**
 * An image in a repository of its own, tagged with the hash of what it is built from: its address is known before it is
 * built.
 */
export class TrainingImage extends pulumi.ComponentResource {
    /** Address with tag. */
    readonly uri: string;
    /** Hash of the build's input: 64 hexadecimal digits. */
    readonly hash: string;
    readonly record: PushedImages;
    readonly parts: readonly pulumi.Resource[];

    constructor(name: string, args: TrainingImageArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:ecr:TrainingImage", name, {}, opts);
        const child = { parent: this };
        const { names, context } = args;
        this.hash = contextHash(context);
        const tag = this.hash;
        this.uri = `${names.repositoryUrl(args.image)}:${tag}`;
        const repository = new ecr.Repository(
            name,
            {
                name: names.repository(args.image),
                imageTagMutability: "IMMUTABLE",
                imageScanningConfiguration: { scanOnPush: true },
                encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: args.keyArn }],
                forceDelete: !args.protectedStage,
                tags: args.tags,
            },
            { ...child, ...protection("data", args.protectedStage) },
        );
        new ecr.LifecyclePolicy(
            name,
            {
                repository: repository.name,
                policy: JSON.stringify({
                    rules: [
                        {
                            rulePriority: 1,
                            description: "Images that lost their tag",
                            selection: {
                                tagStatus: "untagged",
                                countType: "sinceImagePushed",
                                countUnit: "days",
                                countNumber: 7,
                            },
                            action: { type: "expire" },
                        },
                    ],
                }),
            },
            child,
        );
        const decision = decideImage(args.before, tag, args.remembered);
        // Relative to the project, so that another checkout sees the same input.
        const directory = `.build/images/${args.image}-${tag.slice(0, 12)}`;
        if (decision.build) {
            writeContext(context, directory);
            warnOfAttestations(this);
        }
        const built = !decision.build
            ? []
            : [
                  new docker.Image(
                      `${name}-${tag.slice(0, 12)}`,
                      {
                          tags: [this.uri],
                          context: { location: directory },
                          dockerfile: { location: `${directory}/${context.dockerfile}` },
                          buildArgs: context.buildArgs,
                          platforms: [context.platform as docker.Platform],
                          // Attestations and OCI media types make an image an index of images, which SageMaker does not
                          // run. BuildKit takes attestations for a reason to ignore this setting, and only the
                          // builder's environment turns them off: see warnOfAttestations.
                          exports: [{ registry: { ociMediaTypes: false, push: true } }],
                          buildOnPreview: false,
                          push: false,
                          registries: [this.login(names)],
                      },
                      {
                          ...child,
                          ...protection("release", args.protectedStage),
                          dependsOn: [repository],
                          // Equal hash, equal image: a new login or another checkout must not push it again.
                          ignoreChanges: ["buildArgs", "context", "dockerfile", "exports", "platforms", "registries"],
                      },
                  ),
              ];
        this.record = decision.record;
        this.parts = [repository, ...built];
        this.registerOutputs({ uri: this.uri });
    }

    private login(names: StageNames): {
        address: string;
        username: pulumi.Output<string>;
        password: pulumi.Output<string>;
    } {
        const token = ecr.getAuthorizationTokenOutput({ registryId: names.identity.account }, { parent: this });
        return {
            address: `${names.identity.account}.dkr.ecr.${names.identity.region}.${names.domain}`,
            username: token.userName,
            password: pulumi.secret(token.password),
        };
    }
}
