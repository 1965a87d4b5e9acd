#!/usr/bin/env python3
"""Labels stacks of pages with a published ensemble: the class of every page, and which pages are one document.

    python predict.py MODEL --documents DIR [--stack NAME ...]

MODEL is what the publish step wrote: manifest.json, a folder per member, the combiner's folder. DIR holds the pages as
training data does, text/<stack>/<page>.txt and images/<stack>/<page>.png, without labels. One line of JSON a stack:

    {"stack": "s1", "pages": [{"page": 1, "class": "payslip", "probability": 0.98, "begins_document": 0.99}, ...],
     "segments": [{"first_page": 1, "last_page": 4, "class": "purchase_contract", "probability": 0.97}, ...]}

A segment's probability is the mean of its class's over its pages.

Ends with 1 and one line on standard error where the model or a page cannot be used. The text model is a pickle: load only
what you published. Content hashes of the manifest are checked before anything is loaded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import metrics, output  # noqa: E402
from common.container import failure_line  # noqa: E402
from common.data import STACK_NAME, TEST, Page, read_images, read_texts  # noqa: E402
from common.errors import DataError  # noqa: E402
from common.features import features_of, padded_inputs  # noqa: E402
from common.network import prepare_keras  # noqa: E402

MANIFEST_FORMAT = 1
BATCH = 64


@dataclass(frozen=True)
class Model:
    """One trained part: what model.json says, and the folder it lies in."""

    folder: Path
    description: Mapping[str, Any]

    @property
    def classes(self) -> list[str]:
        return self.description["classes"]

    @property
    def file(self) -> Path:
        return self.folder / self.description["file"]


class Ensemble:
    """A published ensemble, checked and loaded; `predict` answers for one stack."""

    def __init__(self, folder: Path) -> None:
        manifest = read_object(folder / "manifest.json")
        if manifest.get("format") != MANIFEST_FORMAT:
            raise DataError(
                f"manifest.json: format is {manifest.get('format')!r}, this program reads {MANIFEST_FORMAT}"
            )
        members, combiner = manifest.get("members"), manifest.get("combiner")
        if not isinstance(members, dict) or not members or not isinstance(combiner, dict):
            raise DataError("manifest.json: expected members and a combiner")
        entries = {**members, combiner.get("name", "sequence"): combiner}
        for name, entry in entries.items():
            check_content(folder, name, entry)
        self.members = {name: models_of(folder / entry.get("path", name)) for name, entry in members.items()}
        self.combiner = models_of(folder / combiner.get("path", "sequence"))[0]
        for name in self.combiner.description["members"]:
            if name not in self.members:
                raise DataError(f"manifest.json: the combiner was trained on member {name}, which is not published")
            for model in self.members[name]:
                if sorted(model.classes) != self.combiner.classes:
                    raise DataError(
                        f"{name}: its classes are not the combiner's; members and combiner must come from one training"
                    )
        self.keras = prepare_keras(0)
        self.loaded = {
            model.folder: self.load(model) for models in [*self.members.values(), [self.combiner]] for model in models
        }

    def load(self, model: Model) -> Any:
        installed = output.versions(*model.description.get("versions", {}))
        for package, version in model.description.get("versions", {}).items():
            # A pickle of scikit-learn is only promised to work under the version that wrote it.
            if package == "scikit-learn" and installed.get(package) != version:
                raise DataError(
                    f"{model.file.name}: written with {package} {version}, here is {installed.get(package, 'none')}"
                )
        if model.description["kind"] == "text":
            import joblib

            return joblib.load(model.file)
        return self.keras.models.load_model(model.file, compile=False)

    def member_probabilities(self, name: str, documents: Path, pages: Sequence[Page]) -> Any:
        """(page, class) in the combiner's order of classes; the mean over a member's networks."""
        import numpy

        total = numpy.zeros((len(pages), len(self.combiner.classes)))
        for model in self.members[name]:
            trained = self.loaded[model.folder]
            if model.description["kind"] == "text":
                known = list(trained.classes_)
                raw = trained.predict_proba(read_texts(documents / "text", pages, "pages"))
            else:
                size = model.description["preprocessing"]
                known = model.classes
                raw = trained.predict(
                    read_images(documents / "images", pages, size["width"], size["height"], 2, "pages"),
                    batch_size=BATCH,
                    verbose=0,
                )
            total[:, [self.combiner.classes.index(one) for one in known]] += raw
        return total / len(self.members[name])

    def predict(self, documents: Path, stack: str) -> dict[str, Any]:
        import numpy

        pages = pages_of(documents, stack)
        inputs = [self.member_probabilities(name, documents, pages) for name in self.combiner.description["members"]]
        rows = features_of(numpy.stack(inputs, axis=1))
        answer = self.loaded[self.combiner.folder].predict(
            padded_inputs([range(len(pages))], len(pages), rows), verbose=0
        )
        classes, begins = answer["class"][0], answer["begins"][0, :, 0]
        best = [self.combiner.classes[index] for index in classes.argmax(axis=1)]
        votes = [dict(zip(self.combiner.classes, map(float, row), strict=True)) for row in classes]
        segments = sorted(metrics.segments_from_begins(pages, best, [bool(value >= 0.5) for value in begins], votes))
        return {
            "stack": stack,
            "pages": [
                {
                    "page": page.page,
                    "class": name,
                    "probability": round(float(row.max()), 6),
                    "begins_document": round(float(begin), 6),
                }
                for page, name, row, begin in zip(pages, best, classes, begins, strict=True)
            ],
            "segments": [
                {
                    "first_page": first,
                    "last_page": last,
                    "class": name,
                    "probability": round(sum(vote[name] for vote in votes[first - 1 : last]) / (last - first + 1), 6),
                }
                for _, first, last, name in segments
            ],
        }


def read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{path.parent.name}/{path.name}: missing; expected a folder that the publish step has finished"
        ) from None
    except ValueError:
        raise DataError(f"{path.parent.name}/{path.name}: not JSON") from None
    if not isinstance(value, dict):
        raise DataError(f"{path.parent.name}/{path.name}: expected a JSON object")
    return value


def check_content(folder: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Every file that the manifest names is there and has the content that was published; nothing lies outside the folder."""
    own = folder / entry.get("path", name)
    if not own.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"manifest.json: path of {name} leads out of the published folder")
    for relative, expected in entry.get("files", {}).items():
        path = own / relative
        if not path.is_file():
            raise DataError(f"{name}/{relative}: missing")
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise DataError(f"{name}/{relative}: content differs from what was published")


def models_of(folder: Path) -> list[Model]:
    """The model of a folder, or the networks of its folds."""
    found = (
        [folder]
        if (folder / "model.json").is_file()
        else sorted(path.parent for path in folder.glob("fold-*/model.json"))
    )
    if not found:
        raise DataError(f"{folder.name}: no model.json, and no fold-<k>/model.json")
    models = []
    for place in found:
        description = read_object(place / "model.json")
        if description.get("format") != output.MODEL_FORMAT or description.get("kind") not in (
            "text",
            "image",
            "sequence",
        ):
            raise DataError(
                f"{place.name}/model.json: format {description.get('format')!r} of kind {description.get('kind')!r} cannot be read by this version"
            )
        model = Model(place, description)
        if not model.file.is_file():
            raise DataError(f"{place.name}/{model.file.name}: missing")
        models.append(model)
    return models


def pages_of(documents: Path, stack: str) -> list[Page]:
    """The pages that text/ or images/ have of a stack; the readers name what one of them lacks."""
    if not STACK_NAME.fullmatch(stack):
        raise DataError(f"stack '{stack[:70]}': expected 1 to 64 letters, digits, _ or -")
    stems = {
        path.stem
        for kind, suffix in (("text", ".txt"), ("images", ".png"))
        for path in (documents / kind / stack).glob(f"*{suffix}")
    }
    numbers = sorted(int(stem) for stem in stems if stem.isdigit())
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        raise DataError(
            f"stack {stack}: expected pages 001, 002, ... without gaps, got {', '.join(sorted(stems)[:10]) or 'none'}"
        )
    return [Page(stack, number, "", False, TEST, number) for number in numbers]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Labels stacks of pages with a published ensemble.")
    parser.add_argument("model", type=Path, help="folder with manifest.json, as the publish step writes it")
    parser.add_argument(
        "--documents",
        type=Path,
        required=True,
        help="folder with text/<stack>/<page>.txt and images/<stack>/<page>.png",
    )
    parser.add_argument("--stack", action="append", help="name of a stack; repeatable; default: every stack of DIR")
    options = parser.parse_args(arguments)
    try:
        stacks = options.stack or sorted(
            {path.name for kind in ("text", "images") for path in (options.documents / kind).glob("*") if path.is_dir()}
        )
        if not stacks:
            raise DataError(
                f"{options.documents.name}: no stack; expected text/<stack>/001.txt and images/<stack>/001.png"
            )
        ensemble = Ensemble(options.model)
        for stack in stacks:
            print(json.dumps(ensemble.predict(options.documents, stack)), flush=True)
    except (DataError, OSError) as error:
        print(failure_line(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
