import assert from "node:assert/strict";
import * as fc from "fast-check";
import { contextHash, hashParts } from "../../components/contentHash";
import { functionAlias, type FunctionSpec } from "../../components/functions";
import { objectsBelow, readBelow, trustPolicy } from "../../components/iam";
import { StageNames } from "../../components/names";
import { cutBlock } from "../../components/network";
import { protection } from "../../components/protection";
import { stageTags } from "../../components/tags";
import { decideImage, type PushedImages } from "../../components/trainingImage";
import { DLC_REGISTRIES } from "../../stacks/config";
import { folderObjects } from "../../stacks/permissions";
import { NO_RELEASES, readReleases } from "../../stacks/releases";
import { frameworkImage } from "../../stacks/settings";

const identity = { partition: "aws", region: "eu-central-1", account: "123456789012" };
const names = new StageNames(identity, { service: "ensemble", stage: "dev" });

describe("names", () => {
    it("fit the bounds of their services for the longest service, stage and region", () => {
        const longest = new StageNames(
            { ...identity, region: "ap-southeast-1" },
            { service: "a".repeat(16), stage: "b".repeat(11) },
        );
        assert.ok(longest.bucket.length <= 63, longest.bucket);
        assert.ok(longest.role("function-describe-failure").length <= 64);
        assert.ok(longest.undeliveredQueue.length <= 80);
        assert.ok(longest.stateMachine.length <= 80);
        assert.ok(longest.failureRule.length <= 64);
    });

    it("know the other partitions' hosts", () => {
        const china = new StageNames(
            { partition: "aws-cn", region: "cn-north-1", account: "1" },
            { service: "a", stage: "b" },
        );
        assert.equal(china.repositoryUrl("text"), "1.dkr.ecr.cn-north-1.amazonaws.com.cn/a-b-text");
        assert.equal(
            china.console("states/home", "/x"),
            "https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1#/x",
        );
    });
});

describe("tags and protection", () => {
    it("name service, subservice and stage", () => {
        assert.deepEqual(stageTags({ service: "s", stage: "dev" }), {
            service: "s",
            subservice: "training",
            stage: "dev",
        });
    });

    it("keep data in a protected stage, releases everywhere, and nothing else", () => {
        assert.deepEqual(protection("data", true), { protect: true, retainOnDelete: true });
        assert.deepEqual(protection("data", false), {});
        assert.deepEqual(protection("release", false), { retainOnDelete: true });
        assert.deepEqual(protection("nothing", true), {});
    });
});

describe("content hashes", () => {
    const context = {
        files: { a: { content: "1", executable: false } },
        dockerfile: "D",
        buildArgs: { X: "1" },
        platform: "linux/amd64",
        base: "b",
    };

    it("change with each thing that an image is made of", () => {
        const variants = [
            context,
            { ...context, files: { a: { content: "2", executable: false } } },
            { ...context, files: { a: { content: "1", executable: true } } },
            { ...context, files: { b: { content: "1", executable: false } } },
            { ...context, dockerfile: "E" },
            { ...context, buildArgs: { X: "2" } },
            { ...context, platform: "linux/arm64" },
            { ...context, base: "c" },
        ];
        assert.equal(new Set(variants.map(contextHash)).size, variants.length);
        assert.equal(contextHash({ ...context, files: { ...context.files } }), contextHash(context));
    });

    it("never mix up where one part ends and the next begins", () => {
        fc.assert(
            fc.property(
                fc.array(fc.string()),
                fc.array(fc.string()),
                (left, right) =>
                    (JSON.stringify(left) === JSON.stringify(right)) === (hashParts(left) === hashParts(right)),
            ),
        );
    });

    it("give a function another alias when code, size or setting change, and only then", () => {
        const spec: FunctionSpec = {
            code: "x",
            handler: "h",
            runtime: "r",
            memoryMb: 1,
            timeoutSeconds: 2,
            environment: { A: "1", B: "2" },
        };
        const aliases = [
            spec,
            { ...spec, code: "y" },
            { ...spec, memoryMb: 3 },
            { ...spec, timeoutSeconds: 9 },
            { ...spec, environment: { A: "1" } },
        ].map(functionAlias);
        assert.equal(new Set(aliases).size, 5);
        assert.match(aliases[0], /^h-[0-9a-f]{12}$/);
        assert.equal(functionAlias({ ...spec, environment: { B: "2", A: "1" } }), aliases[0]);
    });
});

describe("images of an immutable repository", () => {
    /**
     * Deploys tags one after the other; returns for each whether it was pushed, and fails where one is pushed twice.
     */
    function deploy(tags: readonly string[]): boolean[] {
        const registry = new Set<string>();
        let record: PushedImages = { pushed: [] };
        let state: string | undefined;
        return tags.map((tag) => {
            const decision = decideImage(record, tag, 10);
            const pushes = decision.build && state !== tag;
            assert.ok(!(pushes && registry.has(tag)), `${tag} is pushed a second time`);
            if (pushes) {
                registry.add(tag);
            }
            assert.ok(registry.has(tag), `${tag} is used and was never pushed`);
            state = decision.build ? tag : undefined;
            record = decision.record;
            return decision.build;
        });
    }

    it(
        "are built once, stay declared while nothing changes, and are taken as they are when a " +
            "deployment goes back",
        () => {
            assert.deepEqual(deploy(["a", "a", "b", "b", "a", "a", "c", "b"]), [
                true,
                true,
                true,
                true,
                false,
                false,
                true,
                false,
            ]);
        },
    );

    it("are never pushed twice in any order of deployments", () => {
        fc.assert(
            fc.property(fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 30 }), (tags) => {
                deploy(tags);
            }),
        );
    });
});

describe("the memory of earlier deployments", () => {
    it("is empty for a new stack and for an output that is none", () => {
        assert.deepEqual(readReleases(undefined), NO_RELEASES);
        assert.deepEqual(readReleases({ functions: [] }), NO_RELEASES);
    });

    it("is read as it was written", () => {
        const releases = {
            functions: { setup: [{ alias: "h-1", version: "3" }] },
            images: { text: { pushed: ["x"], held: "x" } },
        };
        assert.deepEqual(readReleases(releases), releases);
    });
});

describe("S3 permissions", () => {
    it("are about the key that the jobs read, slashes at its beginning included, and refuse what is no address", () => {
        assert.equal(objectsBelow(identity, "s3://bucket/a/b/"), "arn:aws:s3:::bucket/a/b/*");
        assert.equal(objectsBelow(identity, "s3://bucket//a"), "arn:aws:s3:::bucket//a/*");
        assert.equal(objectsBelow(identity, "s3://bucket"), "arn:aws:s3:::bucket/*");
        assert.throws(() => objectsBelow(identity, "https://x"), /"https:\/\/x" is no address in S3/);
    });

    it("list below the prefixes of a location only, but everything of the stage's own bucket", () => {
        const [own, listOwn, , listOther] = readBelow(identity, "Data", ["s3://own", "s3://other/in/x"]);
        assert.deepEqual(own.Resource, ["arn:aws:s3:::own/*"]);
        assert.equal(listOwn.Condition, undefined);
        assert.deepEqual(listOther.Condition, { StringLikeIfExists: { "s3:prefix": ["in/x", "in/x/*"] } });
    });

    it("let an execution write below any target in a location, and nowhere else", () => {
        assert.deepEqual(folderObjects({ names, locations: ["s3://own", "s3://other/in"], keys: [] }, "runs"), [
            "arn:aws:s3:::own/runs/*",
            "arn:aws:s3:::own/*/runs/*",
            "arn:aws:s3:::other/in/runs/*",
            "arn:aws:s3:::other/in/*/runs/*",
        ]);
    });
});

describe("trust policies", () => {
    it("name the source, so that no other account can use the role through the service", () => {
        const [statement] = (
            JSON.parse(trustPolicy(identity, "states.amazonaws.com", names.stateMachineArn)) as { Statement: unknown[] }
        ).Statement;
        assert.deepEqual(statement, {
            Effect: "Allow",
            Principal: { Service: "states.amazonaws.com" },
            Action: "sts:AssumeRole",
            Condition: {
                StringEquals: { "aws:SourceAccount": "123456789012" },
                ArnLike: {
                    "aws:SourceArn":
                        "arn:aws:states:eu-central-1:123456789012:stateMachine:ensemble-model-training-dev",
                },
            },
        });
    });
});

describe("the network's blocks", () => {
    it("are equal parts", () => {
        assert.deepEqual(cutBlock("10.42.0.0/20", 2), ["10.42.0.0/21", "10.42.8.0/21"]);
        assert.deepEqual(cutBlock("192.168.0.0/16", 4), [
            "192.168.0.0/18",
            "192.168.64.0/18",
            "192.168.128.0/18",
            "192.168.192.0/18",
        ]);
    });

    it("are refused where they are none", () => {
        assert.throws(() => cutBlock("10.0.0.0/8", 2), /expected an IPv4 block from \/16 to \/27/);
        assert.throws(() => cutBlock("10.42.1.0/20", 2), /address bits below its mask/);
        assert.throws(() => cutBlock("300.0.0.0/20", 2), /got "300\.0\.0\.0\/20"/);
    });
});

describe("framework images", () => {
    it("come from the region's registry, whole addresses stay", () => {
        assert.equal(
            frameworkImage("tensorflow-training@sha256:x", names),
            `${DLC_REGISTRIES["eu-central-1"]}.dkr.ecr.eu-central-1.amazonaws.com/tensorflow-training@sha256:x`,
        );
        assert.equal(
            frameworkImage("1.dkr.ecr.x.amazonaws.com/a@sha256:x", names),
            "1.dkr.ecr.x.amazonaws.com/a@sha256:x",
        );
    });

    it("of a region without a known registry are asked for", () => {
        const far = new StageNames({ ...identity, region: "mx-central-1" }, { service: "a", stage: "b" });
        assert.throws(
            () => frameworkImage("t:1", far),
            /registry of training containers in mx-central-1 is not known here; give the whole address/,
        );
    });
});
