/** SageMaker's model registry. */
import type { JsonObject, JsonValue } from "../../asl/types";
import { TaskError } from "../../asl/interpreter";
import { hang, pass, refuse, WORK_SECONDS, type Call, type Refusals } from "./call";

const REFUSALS: Refusals = {
    throttled: ["SageMaker.SageMakerException", "Rate exceeded (Service: SageMaker, Status Code: 400, Request ID: 1)"],
    accessDenied: [
        "SageMaker.SageMakerException",
        "User is not authorized to perform: sagemaker:CreateModelPackage (AccessDeniedException)",
    ],
    conflict: ["SageMaker.ConflictException", "another registration of the group is under way"],
    noCause: [undefined, undefined],
};

/** ListModelPackages and CreateModelPackage */
export async function registry(call: Call): Promise<JsonValue> {
    await pass(call, WORK_SECONDS.sns);
    refuse(REFUSALS, call);
    if (call.fault === "emptyAnswer") {
        return {};
    }
    return call.request.resource.endsWith(":listModelPackages") ? list(call) : create(call);
}

function arnOf(group: unknown, version: number): string {
    return `arn:aws:sagemaker:eu-central-1:123456789012:model-package/${String(group)}/${version}`;
}

async function list(call: Call): Promise<JsonValue> {
    if (call.fault === "hangs") {
        await hang(call);
    }
    const { ModelPackageGroupName } = call.request.arguments as JsonObject;
    return {
        ModelPackageSummaryList: call.account.versions.map((description, index) => ({
            ModelPackageArn: arnOf(ModelPackageGroupName, index + 1),
            ModelPackageDescription: description,
            ModelPackageStatus: "Completed",
            CreationTime: "2026-11-23T20:00:00Z",
        })),
    };
}

async function create(call: Call): Promise<JsonValue> {
    const given = call.request.arguments as JsonObject;
    const problem = packageProblem(given);
    if (problem !== undefined) {
        throw new TaskError("SageMaker.SageMakerException", `ValidationException: ${problem}`);
    }
    const { versions, world } = call.account;
    const token = String(given.ClientToken);
    world.packages.set(token, given);
    if (call.fault === "hangs") {
        // registered, and nobody heard of it: the next attempt's token is the same
        await hang(call);
    }
    const version = versions.length + [...world.packages.keys()].indexOf(token) + 1;
    return { ModelPackageArn: arnOf(given.ModelPackageGroupName, version) };
}

/** SageMaker's bounds of CreateModelPackage, as its API's model has them. */
function packageProblem(given: JsonObject): string | undefined {
    const metadata = Object.entries(given.CustomerMetadataProperties as Record<string, unknown>);
    const wrong = metadata.find(
        ([key, value]) =>
            !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key) ||
            typeof value !== "string" ||
            !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u.test(value),
    );
    if (metadata.length > 50 || wrong !== undefined) {
        return `metadata: ${metadata.length}, ${JSON.stringify(wrong)}`;
    }
    if (!/^[a-zA-Z0-9-]{1,36}$/.test(String(given.ClientToken))) {
        return `the token ${String(given.ClientToken)}`;
    }
    if (typeof given.ModelPackageDescription !== "string" || given.ModelPackageDescription.length > 1_024) {
        return "the description";
    }
    const { S3Uri } = ((given.ModelMetrics as JsonObject).ModelQuality as JsonObject).Statistics as JsonObject;
    if (!/^(https|s3):\/\/([^/]+)\/?(.*)$/.test(String(S3Uri)) || typeof given.SourceUri !== "string") {
        return `addresses ${String(S3Uri)}, ${String(given.SourceUri)}`;
    }
    return undefined;
}
