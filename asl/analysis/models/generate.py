"""Makes api.json: the inputs of the service calls that Step Functions optimises, from the service models in botocore.

botocore's models are published by Amazon under the Apache License 2.0. Run in an environment with botocore:

    python generate.py > api.json

Shapes are kept once each, with only what a check of a state machine needs: members, which are required, lengths,
bounds, patterns, values. Step Functions writes members in PascalCase whatever the service's own spelling is; so does
api.json.
"""

import json
import sys

import botocore
import botocore.loaders

OPERATIONS = {
    "batch": ["SubmitJob"],
    "sagemaker": [
        "CreateTrainingJob",
        "CreateProcessingJob",
        "CreateTransformJob",
        "CreateHyperParameterTuningJob",
        "CreateModel",
        "CreateEndpoint",
        "CreateEndpointConfig",
        "CreateLabelingJob",
        "UpdateEndpoint",
    ],
    "lambda": ["Invoke"],
    "sns": ["Publish"],
    "sqs": ["SendMessage"],
    "dynamodb": ["GetItem", "PutItem", "UpdateItem", "DeleteItem"],
    "ecs": ["RunTask"],
    "glue": ["StartJobRun"],
    "events": ["PutEvents"],
    "stepfunctions": ["StartExecution"],
}
# How the service is called in a Resource.
NAMES = {"stepfunctions": "states"}
# Patterns that say nothing.
EVERYTHING = [".*", "[\\s\\S]*", "^.*$", "(?s).*", "[\\S\\s]*"]


def pascal(name):
    return name[:1].upper() + name[1:]


def main():
    loader = botocore.loaders.Loader()
    services = {}
    for service, operations in OPERATIONS.items():
        model = loader.load_service_model(service, "service-2")
        shapes = {}
        waiting = []

        def need(name, shapes=shapes, waiting=waiting):
            if name not in shapes:
                shapes[name] = None
                waiting.append(name)
            return name

        calls = {}
        for operation in operations:
            calls[operation[:1].lower() + operation[1:]] = need(model["operations"][operation]["input"]["shape"])
        while waiting:
            name = waiting.pop()
            shape = model["shapes"][name]
            kind = shape["type"]
            entry = {"type": kind}
            if kind == "structure":
                entry["members"] = {pascal(member): need(ref["shape"]) for member, ref in shape["members"].items()}
                if shape.get("required"):
                    entry["required"] = [pascal(member) for member in shape["required"]]
            elif kind == "list":
                entry["member"] = need(shape["member"]["shape"])
            elif kind == "map":
                entry["key"] = need(shape["key"]["shape"])
                entry["value"] = need(shape["value"]["shape"])
            for bound in ("min", "max"):
                if bound in shape:
                    entry[bound] = shape[bound]
            if kind == "string" and shape.get("pattern", ".*") not in EVERYTHING:
                entry["pattern"] = shape["pattern"]
            if "enum" in shape:
                entry["enum"] = shape["enum"]
            shapes[name] = entry
        services[NAMES.get(service, service)] = {"calls": calls, "shapes": dict(sorted(shapes.items()))}
    json.dump(
        {"source": f"botocore {botocore.__version__} (Apache-2.0)", "services": services},
        sys.stdout,
        separators=(",", ":"),
    )
    sys.stdout.write("\n")


main()
