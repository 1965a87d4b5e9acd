import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { LocalModelRegistry, type CreateModelPackageRequest } from "../../local/services/modelRegistry";
import { taskStates } from "../../local/run/tasks";
import { renderDefinition } from "../../workflow";
import { stageSettings, targets } from "../../simulation/sampleStages";

describe("the local model registry", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "model-registry-"));
    const registry = () => new LocalModelRegistry(folder, "arn:aws:sagemaker:eu-central-1:123456789012");
    const request = (name: string, more: Partial<CreateModelPackageRequest> = {}): CreateModelPackageRequest => ({
        ModelPackageGroupName: "ensemble-dev",
        ModelPackageDescription: `Ensemble ${name}`,
        ModelApprovalStatus: "PendingManualApproval",
        CustomerMetadataProperties: {
            "execution": "arn:aws:states:eu-central-1:123456789012:execution:a:b",
            "key/text": "missing",
        },
        ClientToken: name,
        ...more,
    });

    after(() => rmSync(folder, { recursive: true, force: true }));

    it("is empty before the first registration", async () => {
        assert.deepEqual(await registry().list({ ModelPackageGroupName: "ensemble-dev" }), {
            ModelPackageSummaryList: [],
        });
    });

    it("numbers the versions of a group, lists the newest first, and outlives its process", async () => {
        for (const name of ["a", "b"]) {
            await registry().create(request(name));
        }
        const { ModelPackageSummaryList: versions } = (await registry().list({
            ModelPackageGroupName: "ensemble-dev",
        })) as {
            ModelPackageSummaryList: Record<string, unknown>[];
        };
        assert.deepEqual(
            versions.map(({ ModelPackageArn, ModelPackageDescription, ModelApprovalStatus }) => [
                ModelPackageArn,
                ModelPackageDescription,
                ModelApprovalStatus,
            ]),
            [2, 1].map((number) => [
                `arn:aws:sagemaker:eu-central-1:123456789012:model-package/ensemble-dev/${number}`,
                `Ensemble ${"ab"[number - 1]}`,
                "PendingManualApproval",
            ]),
        );
        assert.ok(versions.every((version) => !("request" in version)));
    });

    it("gives the same version for the same token", async () => {
        const { answer, file } = await registry().create(request("a"));
        assert.equal(
            answer.ModelPackageArn,
            "arn:aws:sagemaker:eu-central-1:123456789012:model-package/ensemble-dev/1",
        );
        assert.equal(
            (JSON.parse(readFileSync(file, "utf8")) as { request: unknown; ModelPackageVersion: number })
                .ModelPackageVersion,
            1,
        );
    });

    for (const [what, wrong] of [
        ["a comma in a value", { CustomerMetadataProperties: { members: "100, missing 0" } }],
        ["an empty value", { CustomerMetadataProperties: { data: "" } }],
        [
            "51 entries",
            {
                CustomerMetadataProperties: Object.fromEntries(
                    Array.from({ length: 51 }, (_, index) => [`k${index}`, "v"]),
                ),
            },
        ],
        ["a long token", { ClientToken: "x".repeat(37) }],
    ] as const) {
        it(`refuses ${what}, as SageMaker does`, async () => {
            await assert.rejects(registry().create(request("c", wrong)), { error: "SageMaker.SageMakerException" });
        });
    }

    it("is known to the local run", () => {
        const states = taskStates(
            renderDefinition(stageSettings("dev"), targets("dev", { modelPackageGroup: "ensemble-dev" })),
        );
        assert.deepEqual(
            [states.get("Find Registered Ensemble"), states.get("Register Ensemble")],
            ["registry", "registry"],
        );
    });
});
