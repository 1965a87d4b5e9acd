"""Makes answers.json: what calls of AWS answer, as far as a mocked result is checked by it.

botocore's models are published by Amazon under the Apache License 2.0. Run in an environment with botocore:

    python generate.py > answers.json

Kept are members, which are required, types, lengths, bounds and values. Members have the names that Step Functions
gives them: with a capital letter.
"""

import json

import botocore
import botocore.loaders

BOUNDS = ("min", "max", "enum")

# As a Resource names them, behind arn:aws:states:::, and their service in botocore. Not lambda:invoke and
# bedrock:invokeModel, whose blobs Step Functions opens.
CALLS = {
    "athena": ("athena", ["startQueryExecution", "getQueryExecution", "getQueryResults"]),
    "batch": ("batch", ["submitJob"]),
    "dynamodb": ("dynamodb", ["getItem", "putItem", "updateItem", "deleteItem"]),
    "ecs": ("ecs", ["runTask"]),
    "events": ("events", ["putEvents"]),
    "glue": ("glue", ["startJobRun"]),
    "sagemaker": (
        "sagemaker",
        ["createTrainingJob", "createProcessingJob", "createTransformJob", "createModel", "createEndpoint"],
    ),
    "sns": ("sns", ["publish"]),
    "sqs": ("sqs", ["sendMessage"]),
    "states": ("stepfunctions", ["startExecution"]),
    "aws-sdk:dynamodb": ("dynamodb", ["getItem", "putItem", "updateItem", "deleteItem", "query", "scan"]),
    "aws-sdk:kms": ("kms", ["encrypt", "decrypt", "generateDataKey"]),
    "aws-sdk:lambda": ("lambda", ["invoke", "getFunction"]),
    "aws-sdk:s3": ("s3", ["getObject", "putObject", "headObject", "copyObject", "deleteObject", "listObjectsV2"]),
    "aws-sdk:secretsmanager": ("secretsmanager", ["getSecretValue"]),
    "aws-sdk:sfn": ("stepfunctions", ["startExecution", "startSyncExecution", "describeExecution"]),
    "aws-sdk:sns": ("sns", ["publish"]),
    "aws-sdk:sqs": ("sqs", ["sendMessage", "receiveMessage"]),
    "aws-sdk:ssm": ("ssm", ["getParameter", "getParameters", "putParameter"]),
}

# Where the model that Step Functions holds a result against is older than botocore's (recorded on 2025-12-03).
AS_RECORDED = {"lambda.MemorySize": {"max": 10240}}


def capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def main() -> None:
    loader = botocore.loaders.Loader()
    shapes: dict[str, dict] = {}

    def need(service: str, model: dict, name: str) -> str:
        key = f"{service}.{name}"
        if key in shapes:
            return key
        shape = model["shapes"][name]
        entry: dict = {"type": shape["type"]}
        shapes[key] = entry
        if shape["type"] == "structure":
            members = shape["members"].items()
            entry["members"] = {capital(member): need(service, model, ref["shape"]) for member, ref in members}
            if shape.get("required"):
                entry["required"] = [capital(member) for member in shape["required"]]
        elif shape["type"] == "list":
            entry["member"] = need(service, model, shape["member"]["shape"])
        elif shape["type"] == "map":
            entry["value"] = need(service, model, shape["value"]["shape"])
        for bound in BOUNDS:
            if bound in shape:
                entry[bound] = shape[bound]
        entry.update(AS_RECORDED.get(key, {}))
        return key

    calls = {}
    for prefix, (service, operations) in CALLS.items():
        model = loader.load_service_model(service, "service-2")
        for operation in operations:
            output = model["operations"][capital(operation)].get("output")
            if output is not None:
                calls[f"{prefix}:{operation}"] = need(service, model, output["shape"])
    result = {
        "source": f"botocore {botocore.__version__}",
        "calls": dict(sorted(calls.items())),
        "shapes": dict(sorted(shapes.items())),
    }
    print(json.dumps(result, separators=(",", ":")))


if __name__ == "__main__":
    main()
