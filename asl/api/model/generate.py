"""Makes stepFunctions.json: the operations of AWS Step Functions, as far as requests are checked by them.

botocore's models are published by Amazon under the Apache License 2.0. Run in an environment with botocore:

    python generate.py > stepFunctions.json

Kept are the shapes of inputs with members, which are required, types, lengths, bounds, values and patterns, and the
names of the errors. What is said of outputs is left out: answers are held against the SDKs by tests.
"""

import json

import botocore
import botocore.loaders

BOUNDS = ("min", "max", "enum", "pattern")


def main() -> None:
    model = botocore.loaders.Loader().load_service_model("stepfunctions", "service-2")
    shapes: dict[str, dict] = {}
    waiting: list[str] = []

    def need(name: str) -> str:
        if name not in shapes:
            shapes[name] = {}
            waiting.append(name)
        return name

    operations = {}
    for name, operation in sorted(model["operations"].items()):
        errors = sorted(error["shape"] for error in operation.get("errors", []))
        operations[name] = {"input": need(operation["input"]["shape"]), "errors": errors}
    while waiting:
        name = waiting.pop()
        shape = model["shapes"][name]
        entry = {"type": shape["type"]}
        if shape["type"] == "structure":
            entry["members"] = {member: need(ref["shape"]) for member, ref in shape["members"].items()}
            if shape.get("required"):
                entry["required"] = list(shape["required"])
        elif shape["type"] == "list":
            entry["member"] = need(shape["member"]["shape"])
        elif shape["type"] == "map":
            entry["key"] = need(shape["key"]["shape"])
            entry["value"] = need(shape["value"]["shape"])
        for bound in BOUNDS:
            if bound in shape:
                entry[bound] = shape[bound]
        shapes[name] = entry
    result = {
        "source": f"botocore {botocore.__version__}, stepfunctions {model['metadata']['apiVersion']}",
        "operations": operations,
        "shapes": dict(sorted(shapes.items())),
    }
    print(json.dumps(result, separators=(",", ":")))


if __name__ == "__main__":
    main()
